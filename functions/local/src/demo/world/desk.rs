//! One company's two systems while they are being filled: short words for what the company files
//! have in common.

use jiff::{Timestamp, tz::TimeZone};
use purser_simulators::{
    Simulators,
    autotask::{CompanySeed, Database, DatabaseSeed, ProductSeed, ResourceSeed},
    intuit::{Role, TokenTable},
    quickbooks::{AccountSeed, ItemSeed, PersonSeed, QuickBooksSimulator, RealmSeed},
};
use std::sync::Arc;

use super::{CLIENT_ID, Company, WorldError, case::Case};

/// Who gets the error to-dos: the same person in every company.
pub(super) const BOOKKEEPER: &str = "Olivia Bennett";
/// The action type of error to-dos.
pub(super) const TODO_TYPE: &str = "Accounting follow-up";
/// The accounts payable account that QuickBooks makes with the company.
pub(super) const PAYABLE: &str = "Accounts Payable (A/P)";
/// The account that goods are booked on.
pub(super) const GOODS: &str = "Hardware for Resale";
/// The account that freight is booked on.
pub(super) const FREIGHT: &str = "Freight and Delivery";

/// The usual accounts by id.
pub(super) struct Accounts {
    /// Cost of goods.
    pub(super) goods: String,
    /// Income from goods.
    pub(super) income: String,
    /// Goods in stock.
    pub(super) stock: String,
}

/// One company's Autotask database and QuickBooks realm.
pub(super) struct Desk {
    pub(super) database: Database,
    pub(super) books: QuickBooksSimulator,
    pub(super) realm: String,
    pub(super) zone: TimeZone,
    tokens: Arc<TokenTable>,
}

impl Desk {
    /// Makes both systems, empty but for the people, accounts and lists that every company has.
    pub(super) fn open(
        simulators: &Simulators,
        database: DatabaseSeed,
        realm: RealmSeed,
    ) -> Result<(Self, Accounts), WorldError> {
        let zone = TimeZone::get(&realm.time_zone)?;
        let id = realm.realm.clone();
        simulators.quickbooks.add_realm(realm)?;
        let desk = Self {
            database: simulators.autotask.add_database(database),
            books: simulators.quickbooks.clone(),
            realm: id,
            zone,
            tokens: Arc::clone(simulators.intuit.tokens()),
        };
        let (first, last) = BOOKKEEPER.split_once(' ').unwrap_or((BOOKKEEPER, ""));
        for person in [("Marcus", "Reed"), (first, last)] {
            let person = ResourceSeed::person(person.0, person.1);
            desk.database.add_resource(&person);
        }
        desk.database.add_action_type(TODO_TYPE, true);
        let accounts = Accounts {
            goods: desk.account(GOODS, "Cost of Goods Sold")?,
            income: desk.account("Sales of Hardware", "Income")?,
            stock: desk.account("Inventory Asset", "Other Current Asset")?,
        };
        desk.account(FREIGHT, "Expense")?;
        desk.account("Office Supplies", "Expense")?;
        Ok((desk, accounts))
    }

    /// Adds the orders of these cases, all in one step.
    pub(super) fn add_orders(&self, cases: &[Case], now: Timestamp) -> Result<(), WorldError> {
        let orders = cases.iter().map(|case| case.seed(now, &self.zone));
        let orders = orders.collect::<Result<Vec<_>, _>>()?;
        self.database.add_orders(&orders);
        Ok(())
    }

    /// Lets the owner grant access and tells everything that connecting needs.
    pub(super) fn connect(
        &self,
        tenant: &str,
        settings: serde_json::Value,
        now: Timestamp,
    ) -> Result<Company, WorldError> {
        let seed = self.database.seed();
        let owner = format!("owner@{tenant}.example");
        let realms = [(self.realm.as_str(), Role::Admin)];
        self.tokens.add_person(&owner, "Marcus Reed", &realms)?;
        Ok(Company {
            tenant: tenant.to_owned(),
            autotask_user: seed.api_user,
            autotask_secret: seed.secret,
            integration_code: seed.integration_code,
            realm: self.realm.clone(),
            owner_email: owner,
            refresh_token: self.tokens.grant(&self.realm, CLIENT_ID, now)?,
            settings,
        })
    }

    /// Adds organisations that sell to Autotask.
    pub(super) fn sellers(&self, sellers: &[(i64, &str)]) {
        for (id, name) in sellers {
            self.organisation(CompanySeed::vendor(name), *id);
        }
    }

    /// Adds organisations that buy to Autotask.
    pub(super) fn buyers(&self, buyers: &[(i64, &str)]) {
        for (id, name) in buyers {
            self.organisation(CompanySeed::customer(name), *id);
        }
    }

    /// Adds a selling organisation with a currency of its own to Autotask.
    pub(super) fn foreign_seller(&self, id: i64, name: &str, currency: i64) {
        let seed = CompanySeed::vendor(name);
        let currency_id = Some(currency);
        self.organisation(
            CompanySeed {
                currency_id,
                ..seed
            },
            id,
        );
    }

    fn organisation(&self, seed: CompanySeed, id: i64) {
        let id = Some(id);
        self.database.add_company(&CompanySeed { id, ..seed });
    }

    /// Adds products to Autotask.
    pub(super) fn products(&self, products: &[(i64, &str)]) {
        for (id, name) in products {
            let id = Some(*id);
            let product = ProductSeed::named(name);
            self.database.add_product(&ProductSeed { id, ..product });
        }
    }

    /// Adds an account to QuickBooks.
    pub(super) fn account(&self, name: &str, kind: &str) -> Result<String, WorldError> {
        let account = AccountSeed::new(name, kind);
        Ok(self.books.add_account(&self.realm, &account)?)
    }

    /// Adds vendors in the home currency to QuickBooks.
    pub(super) fn vendors(&self, names: &[&str]) -> Result<(), WorldError> {
        for name in names {
            self.vendor(&PersonSeed::new(name))?;
        }
        Ok(())
    }

    /// Adds a vendor to QuickBooks.
    pub(super) fn vendor(&self, seed: &PersonSeed) -> Result<String, WorldError> {
        Ok(self.books.add_vendor(&self.realm, seed)?)
    }

    /// Adds customers to QuickBooks.
    pub(super) fn customers(&self, names: &[&str]) -> Result<(), WorldError> {
        for name in names {
            self.customer(&PersonSeed::new(name))?;
        }
        Ok(())
    }

    /// Adds a customer to QuickBooks.
    pub(super) fn customer(&self, seed: &PersonSeed) -> Result<String, WorldError> {
        Ok(self.books.add_customer(&self.realm, seed)?)
    }

    /// Adds an Item to QuickBooks.
    pub(super) fn item(&self, seed: &ItemSeed) -> Result<String, WorldError> {
        Ok(self.books.add_item(&self.realm, seed)?)
    }

    /// Adds non-inventory Items on the account of goods to QuickBooks.
    pub(super) fn items(&self, accounts: &Accounts, names: &[&str]) -> Result<(), WorldError> {
        for name in names {
            self.item(&ItemSeed::non_inventory(name, &accounts.goods))?;
        }
        Ok(())
    }
}

/// A vendor that has this name only as its company name.
pub(super) fn known_as(display_name: &str, company_name: &str) -> PersonSeed {
    PersonSeed {
        company_name: Some(company_name.to_owned()),
        ..PersonSeed::new(display_name)
    }
}
