//! Filling a company before a test or a demo, with the same rules that hold for the API.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{
    QuickBooksSimulator,
    accounts::ensure_payable,
    kind::Kind,
    people,
    profile::{Profile, Rate, RealmSeed},
    rules::Rules,
    seeds::{AccountSeed, BillLineSeed, BillSeed, ItemSeed, PersonSeed, SeedError},
    service::apply,
    state::Company,
    switches::{DocNumberRule, QuickBooksSwitches},
    value::{money, number, ref_to},
    world::{Dirty, World},
};

impl QuickBooksSimulator {
    /// Makes a company, with its accounts payable account; an existing one stays as it is.
    pub fn add_realm(&self, seed: RealmSeed) -> Result<(), SeedError> {
        let now = self.inner.context.clock.now();
        let mut state = self.inner.lock();
        let realm = seed.realm.clone();
        let company = state
            .companies
            .entry(realm)
            .or_insert_with(|| Company::new(Profile::new(seed)));
        let home = company.world.profile.home_currency().to_owned();
        ensure_payable(&mut company.world, &home, now);
        let (realm, name) = {
            let profile = &company.world.profile;
            (profile.realm.clone(), profile.company_name.clone())
        };
        state.save(&self.inner.context.store)?;
        drop(state);
        // People choose a company by its name when they connect an app.
        Ok(self.inner.tokens.name_realm(&realm, &name)?)
    }

    /// Adds an account; answers its id.
    pub fn add_account(&self, realm: &str, seed: &AccountSeed) -> Result<String, SeedError> {
        let mut body = json!({ "Name": seed.name, "AccountType": seed.account_type });
        if let Some(currency) = &seed.currency {
            body["CurrencyRef"] = ref_to(currency);
        }
        self.add_json(realm, Kind::Account, body)
    }

    /// Adds a vendor; answers its id.
    pub fn add_vendor(&self, realm: &str, seed: &PersonSeed) -> Result<String, SeedError> {
        self.add_json(realm, Kind::Vendor, person(seed, "TermRef"))
    }

    /// Adds a customer; answers its id.
    pub fn add_customer(&self, realm: &str, seed: &PersonSeed) -> Result<String, SeedError> {
        self.add_json(realm, Kind::Customer, person(seed, "SalesTermRef"))
    }

    /// Adds an employee, who takes a name from vendors and customers; answers its id.
    pub fn add_employee(&self, realm: &str, name: &str) -> Result<String, SeedError> {
        self.add_plain(
            realm,
            Kind::Employee,
            json!({ "DisplayName": name, "Active": true }),
        )
    }

    /// Adds an item; answers its id.
    pub fn add_item(&self, realm: &str, seed: &ItemSeed) -> Result<String, SeedError> {
        let mut body = json!({ "Name": seed.name, "Type": seed.item_type });
        for (member, account) in [
            ("ExpenseAccountRef", &seed.expense_account),
            ("IncomeAccountRef", &seed.income_account),
            ("AssetAccountRef", &seed.asset_account),
            ("ParentRef", &seed.parent),
        ] {
            if let Some(id) = account {
                body[member] = ref_to(id);
            }
        }
        if seed.parent.is_some() {
            body["SubItem"] = json!(true);
        }
        if let Some(sku) = &seed.sku {
            body["Sku"] = json!(sku);
        }
        if seed.item_type == "Inventory" {
            body["TrackQtyOnHand"] = json!(true);
            body["QtyOnHand"] = json!(0);
            body["InvStartDate"] = json!(seed.starts.as_deref().unwrap_or("2020-01-01"));
        }
        if seed.item_type == "Group" {
            body["FullyQualifiedName"] = json!(seed.name);
            return self.add_plain(realm, Kind::Item, body);
        }
        if seed.inactive {
            body["Active"] = json!(false);
        }
        self.add_json(realm, Kind::Item, body)
    }

    /// Adds payment terms; answers the id.
    pub fn add_term(&self, realm: &str, name: &str, due_days: u32) -> Result<String, SeedError> {
        self.add_json(
            realm,
            Kind::Term,
            json!({ "Name": name, "DueDays": due_days }),
        )
    }

    /// Adds a tax code with its rate in percent; answers its id.
    pub fn add_tax_code(
        &self,
        realm: &str,
        name: &str,
        rate: Decimal,
    ) -> Result<String, SeedError> {
        let body = json!({
            "Name": name,
            "Description": name,
            "Active": true,
            "Taxable": true,
            "TaxGroup": true,
            "PurchaseRate": number(rate),
        });
        self.add_plain(realm, Kind::TaxCode, body)
    }

    /// Adds a class; answers its id.
    pub fn add_class(&self, realm: &str, name: &str) -> Result<String, SeedError> {
        let body = json!({ "Name": name, "FullyQualifiedName": name, "Active": true });
        self.add_plain(realm, Kind::Class, body)
    }

    /// Adds a department; answers its id.
    pub fn add_department(&self, realm: &str, name: &str) -> Result<String, SeedError> {
        let body = json!({ "Name": name, "FullyQualifiedName": name, "Active": true });
        self.add_plain(realm, Kind::Department, body)
    }

    /// Adds a currency to the company's list; answers its id.
    pub fn add_currency(&self, realm: &str, code: &str) -> Result<String, SeedError> {
        let body = json!({
            "Code": code,
            "Name": super::profile::currency_name(code),
            "Active": true,
        });
        self.add_plain(realm, Kind::CompanyCurrency, body)
    }

    /// Adds a bill as a person enters it: a number that is taken is only warned of.
    pub fn add_bill(&self, realm: &str, seed: &BillSeed) -> Result<String, SeedError> {
        self.write(realm, |world, rules| {
            let body = bill(world, seed);
            saved(world, rules, Kind::Bill, &body)
        })
    }

    /// Adds any object by its API body; answers its id.
    pub fn add_json(&self, realm: &str, kind: Kind, body: Value) -> Result<String, SeedError> {
        let body = object(body);
        self.write(realm, |world, rules| saved(world, rules, kind, &body))
    }

    /// Adds an object of a kind that the API cannot write here.
    fn add_plain(&self, realm: &str, kind: Kind, body: Value) -> Result<String, SeedError> {
        let body = object(body);
        self.write(realm, |world, rules| {
            Ok(world.add(kind, body, rules.now).to_string())
        })
    }

    /// Sets a preference by its dotted path, for example
    /// `VendorAndPurchasesPrefs.TrackingByCustomer` or `OtherPrefs.WarnDuplicateBillNumber`.
    pub fn set_preference(&self, realm: &str, path: &str, value: Value) -> Result<(), SeedError> {
        self.change_profile(realm, |profile| profile.set_preference(path, value))
    }

    /// Sets the rate of a currency from a day on: home units for one foreign unit.
    pub fn add_exchange_rate(
        &self,
        realm: &str,
        currency: &str,
        as_of: Date,
        rate: Decimal,
    ) -> Result<(), SeedError> {
        let currency = currency.to_owned();
        self.change_profile(realm, |profile| {
            profile.rates.push(Rate {
                currency,
                as_of,
                home_units: rate,
            });
        })
    }

    pub(super) fn change_profile(
        &self,
        realm: &str,
        change: impl FnOnce(&mut Profile),
    ) -> Result<(), SeedError> {
        let mut state = self.inner.lock();
        let company = state
            .companies
            .get_mut(realm)
            .ok_or_else(|| SeedError::UnknownRealm(realm.to_owned()))?;
        change(&mut company.world.profile);
        company.world.dirty.insert(Dirty::Profile);
        Ok(state.save(&self.inner.context.store)?)
    }

    /// Changes a company under the rules that hold for people, and stores the change.
    pub(super) fn write<T>(
        &self,
        realm: &str,
        change: impl FnOnce(&mut World, Rules<'_>) -> Result<T, SeedError>,
    ) -> Result<T, SeedError> {
        let now = self.inner.context.clock.now();
        let mut state = self.inner.lock();
        state.settle(now);
        let switches = QuickBooksSwitches {
            doc_number: DocNumberRule::Off,
            ..QuickBooksSwitches::default()
        };
        let rules = Rules {
            switches: &switches,
            now,
            allow_duplicate_number: true,
        };
        let company = state
            .companies
            .get_mut(realm)
            .ok_or_else(|| SeedError::UnknownRealm(realm.to_owned()))?;
        let result = change(&mut company.world, rules)?;
        state.save(&self.inner.context.store)?;
        Ok(result)
    }
}

/// Saves a body under the rules and answers the id.
pub(super) fn saved(
    world: &mut World,
    rules: Rules<'_>,
    kind: Kind,
    body: &Map<String, Value>,
) -> Result<String, SeedError> {
    let reply = apply(world, rules, kind, None, body)?;
    let text = match &reply.body {
        super::reply::Body::Json(text) => text.as_str(),
        super::reply::Body::Html(text) => text,
    };
    let body: Value = serde_json::from_str(text).unwrap_or_default();
    Ok(body[kind.name()]["Id"]
        .as_str()
        .unwrap_or_default()
        .to_owned())
}

pub(super) fn object(body: Value) -> Map<String, Value> {
    match body {
        Value::Object(body) => body,
        _ => Map::new(),
    }
}

fn person(seed: &PersonSeed, term_member: &str) -> Value {
    let mut body = json!({ "DisplayName": seed.name });
    if let Some(name) = &seed.company_name {
        body["CompanyName"] = json!(name);
    }
    if let Some(currency) = &seed.currency {
        body["CurrencyRef"] = ref_to(currency);
    }
    if let Some(term) = &seed.term {
        body[term_member] = ref_to(term);
    }
    if let Some(parent) = &seed.parent {
        body["ParentRef"] = ref_to(parent);
        body["Job"] = json!(true);
    }
    if seed.inactive {
        let bare = seed
            .name
            .strip_suffix(people::DELETED_SUFFIX)
            .unwrap_or(&seed.name);
        body["DisplayName"] = json!(bare);
        body["Active"] = json!(false);
    }
    body
}

/// The API body of a bill that a person enters.
pub(super) fn bill(world: &World, seed: &BillSeed) -> Map<String, Value> {
    let lines: Vec<Value> = seed.lines.iter().map(bill_line).collect();
    let mut body = json!({ "VendorRef": ref_to(&seed.vendor), "Line": lines });
    if let Some(number) = &seed.doc_number {
        body["DocNumber"] = json!(number);
    }
    if let Some(date) = seed.date {
        body["TxnDate"] = json!(date.to_string());
    }
    if let Some(note) = &seed.private_note {
        body["PrivateNote"] = json!(note);
    }
    if let Some(rate) = seed.exchange_rate {
        body["ExchangeRate"] = number(rate);
    }
    let vendor = world.get(Kind::Vendor, &seed.vendor);
    if let Some(vendor) = vendor.filter(|_| world.profile.multi_currency()) {
        body["CurrencyRef"] = ref_to(world.currency_of(vendor));
    }
    object(body)
}

fn bill_line(seed: &BillLineSeed) -> Value {
    let mut line = match (&seed.item, &seed.account) {
        (Some(item), _) => json!({
            "DetailType": "ItemBasedExpenseLineDetail",
            "ItemBasedExpenseLineDetail": { "ItemRef": ref_to(item) },
        }),
        (None, account) => json!({
            "DetailType": "AccountBasedExpenseLineDetail",
            "AccountBasedExpenseLineDetail":
                { "AccountRef": ref_to(account.as_deref().unwrap_or_default()) },
        }),
    };
    line["Amount"] = money(seed.amount);
    if let Some(description) = &seed.description {
        line["Description"] = json!(description);
    }
    line
}
