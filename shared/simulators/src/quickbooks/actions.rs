//! What people do inside QuickBooks while Purser is not looking.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    QuickBooksSimulator,
    kind::Kind,
    refusal::Refusal,
    rules::Rules,
    seed::{object, saved},
    seeds::{BillSeed, SeedError},
    service::apply,
    switches::QuickBooksSwitches,
    value::{money, ref_to},
    world::World,
};
use crate::control::{ControlError, Controlled};

/// One thing a person does; also the body of a control request.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum HumanAction {
    /// Deletes a bill.
    DeleteBill {
        /// Company.
        realm: String,
        /// Bill id.
        id: String,
    },
    /// Gives a line of a bill another amount, which changes the total.
    EditBillLine {
        /// Company.
        realm: String,
        /// Bill id.
        id: String,
        /// Position of the line, from 1.
        line: usize,
        /// The new amount.
        amount: Decimal,
    },
    /// Gives a bill another memo.
    EditBillNote {
        /// Company.
        realm: String,
        /// Bill id.
        id: String,
        /// The new memo; none removes it.
        note: Option<String>,
    },
    /// Enters a bill by hand.
    EnterBill {
        /// Company.
        realm: String,
        /// The bill.
        bill: BillSeed,
    },
    /// Pays a bill, after which it cannot be deleted.
    PayBill {
        /// Company.
        realm: String,
        /// Bill id.
        id: String,
    },
    /// Renames a vendor, customer, employee, item or account.
    Rename {
        /// Company.
        realm: String,
        /// Kind of the object.
        kind: Kind,
        /// Its id.
        id: String,
        /// The new name.
        name: String,
    },
    /// Makes a list entry inactive or active again.
    SetActive {
        /// Company.
        realm: String,
        /// Kind of the object.
        kind: Kind,
        /// Its id.
        id: String,
        /// The new state.
        active: bool,
    },
    /// Merges one vendor, customer or item into another, which takes over its bills.
    Merge {
        /// Company.
        realm: String,
        /// Kind of both.
        kind: Kind,
        /// The one that disappears.
        from: String,
        /// The one that stays.
        into: String,
    },
    /// Closes the books up to a day, or opens them again.
    CloseBooks {
        /// Company.
        realm: String,
        /// The last closed day.
        date: Option<Date>,
    },
    /// Changes a preference.
    SetPreference {
        /// Company.
        realm: String,
        /// Dotted path.
        path: String,
        /// The new value.
        value: Value,
    },
    /// Lets the subscription end, or renews it.
    EndSubscription {
        /// Company.
        realm: String,
        /// True when it has ended.
        ended: bool,
    },
    /// Removes the person who connected the app, or brings them back.
    RemoveUser {
        /// Company.
        realm: String,
        /// True when removed.
        removed: bool,
    },
}

impl QuickBooksSimulator {
    /// Does what a person does; answers the id of the object it was done to.
    pub fn act_as_person(&self, action: HumanAction) -> Result<String, SeedError> {
        match action {
            HumanAction::DeleteBill { realm, id } => self.write(&realm, |world, rules| {
                let body = identity(world, Kind::Bill, &id)?;
                apply(world, rules, Kind::Bill, Some("delete"), &body)?;
                Ok(id)
            }),
            HumanAction::EditBillLine {
                realm,
                id,
                line,
                amount,
            } => self.edit_bill(&realm, &id, |body| set_line_amount(body, line, amount)),
            HumanAction::EditBillNote { realm, id, note } => self.edit_bill(&realm, &id, |body| {
                body.remove("PrivateNote");
                if let Some(note) = note {
                    body.insert("PrivateNote".to_owned(), json!(note));
                }
            }),
            HumanAction::EnterBill { realm, bill } => self.add_bill(&realm, &bill),
            HumanAction::PayBill { realm, id } => self.pay_bill(&realm, &id),
            HumanAction::Rename {
                realm,
                kind,
                id,
                name,
            } => {
                let member = if kind.is_person() {
                    "DisplayName"
                } else {
                    "Name"
                };
                self.edit_list_entry(&realm, kind, &id, member, json!(name))
            }
            HumanAction::SetActive {
                realm,
                kind,
                id,
                active,
            } => self.edit_list_entry(&realm, kind, &id, "Active", json!(active)),
            HumanAction::Merge {
                realm,
                kind,
                from,
                into,
            } => self.write(&realm, |world, rules| {
                merge(world, rules, kind, &from, &into)
            }),
            HumanAction::CloseBooks { realm, date } => {
                let path = "AccountingInfoPrefs.BookCloseDate";
                let value = date.map_or(Value::Null, |date| json!(date.to_string()));
                self.set_preference(&realm, path, value).map(|()| realm)
            }
            HumanAction::SetPreference { realm, path, value } => {
                self.set_preference(&realm, &path, value).map(|()| realm)
            }
            HumanAction::EndSubscription { realm, ended } => self
                .change_profile(&realm, |profile| profile.subscription_ended = ended)
                .map(|()| realm),
            HumanAction::RemoveUser { realm, removed } => self
                .change_profile(&realm, |profile| profile.user_removed = removed)
                .map(|()| realm),
        }
    }

    fn edit_bill(
        &self,
        realm: &str,
        id: &str,
        edit: impl FnOnce(&mut Map<String, Value>),
    ) -> Result<String, SeedError> {
        self.write(realm, |world, rules| {
            let record = world
                .get(Kind::Bill, id)
                .ok_or_else(|| unknown(Kind::Bill, id))?;
            let mut body = object(world.render(record));
            edit(&mut body);
            saved(world, rules, Kind::Bill, &body)
        })
    }

    fn pay_bill(&self, realm: &str, id: &str) -> Result<String, SeedError> {
        self.write(realm, |world, rules| {
            let record = world
                .get(Kind::Bill, id)
                .ok_or_else(|| unknown(Kind::Bill, id))?;
            let (number, mut body) = (record.id, record.body.clone());
            let payment = world.next_id(Kind::Bill).to_string();
            let link = json!([{ "TxnId": payment, "TxnType": "BillPaymentCheck" }]);
            body.insert("LinkedTxn".to_owned(), link);
            body.insert("Balance".to_owned(), json!(0));
            world.change(Kind::Bill, number, body, rules.now);
            Ok(id.to_owned())
        })
    }

    fn edit_list_entry(
        &self,
        realm: &str,
        kind: Kind,
        id: &str,
        member: &str,
        value: Value,
    ) -> Result<String, SeedError> {
        self.write(realm, |world, rules| {
            if kind.members().is_none() {
                let record = world.get(kind, id).ok_or_else(|| unknown(kind, id))?;
                let (number, mut body) = (record.id, record.body.clone());
                body.insert(member.to_owned(), value);
                world.change(kind, number, body, rules.now);
                return Ok(id.to_owned());
            }
            let mut body = identity(world, kind, id)?;
            body.insert("sparse".to_owned(), json!(true));
            body.insert(member.to_owned(), value);
            saved(world, rules, kind, &body)
        })
    }
}

fn unknown(kind: Kind, id: &str) -> SeedError {
    SeedError::UnknownObject(kind.name(), id.to_owned())
}

/// `Id` and the present `SyncToken`.
fn identity(world: &World, kind: Kind, id: &str) -> Result<Map<String, Value>, SeedError> {
    let record = world.get(kind, id).ok_or_else(|| unknown(kind, id))?;
    Ok(object(
        json!({ "Id": id, "SyncToken": record.sync.to_string() }),
    ))
}

fn set_line_amount(body: &mut Map<String, Value>, line: usize, amount: Decimal) {
    let lines = body.get_mut("Line").and_then(Value::as_array_mut);
    let Some(line) = lines.and_then(|lines| lines.get_mut(line.wrapping_sub(1))) else {
        return;
    };
    line["Amount"] = money(amount);
    if let Some(detail) = line["ItemBasedExpenseLineDetail"].as_object_mut() {
        detail.insert("Qty".to_owned(), json!(1));
        detail.insert("UnitPrice".to_owned(), money(amount));
    } else if let Some(line) = line.as_object_mut() {
        line.remove("ItemBasedExpenseLineDetail");
    }
}

/// Hands everything of one list entry to another and removes the first.
fn merge(
    world: &mut World,
    rules: Rules<'_>,
    kind: Kind,
    from: &str,
    into: &str,
) -> Result<String, SeedError> {
    let gone = world.get(kind, from).ok_or_else(|| unknown(kind, from))?.id;
    world.get(kind, into).ok_or_else(|| unknown(kind, into))?;
    let member = match kind {
        Kind::Vendor => "VendorRef",
        Kind::Customer => "CustomerRef",
        Kind::Item => "ItemRef",
        _ => return Err(Refusal::unsupported("merge").into()),
    };
    let changed: Vec<(u64, Map<String, Value>)> = world
        .live(Kind::Bill)
        .filter_map(|bill| {
            let mut body = Value::Object(bill.body.clone());
            replace(&mut body, member, from, into).then(|| (bill.id, object(body)))
        })
        .collect();
    for (id, body) in changed {
        world.change(Kind::Bill, id, body, rules.now);
    }
    world.delete(kind, gone, rules.now);
    Ok(into.to_owned())
}

/// Points every reference `member` from one id to another; true when there was one.
fn replace(value: &mut Value, member: &str, from: &str, into: &str) -> bool {
    match value {
        Value::Array(list) => {
            let found = list.iter_mut().map(|one| replace(one, member, from, into));
            found.filter(|found| *found).count() > 0
        }
        Value::Object(object) => {
            let mut found = false;
            for (name, inner) in object.iter_mut() {
                if name == member && inner["value"] == from {
                    *inner = ref_to(into);
                    found = true;
                } else {
                    found |= replace(inner, member, from, into);
                }
            }
            found
        }
        _ => false,
    }
}

impl Controlled for QuickBooksSimulator {
    fn switches(&self) -> Value {
        serde_json::to_value(QuickBooksSimulator::switches(self)).unwrap_or_default()
    }

    fn change_switches(&self, changes: Value) -> Result<(), ControlError> {
        let mut all = Controlled::switches(self);
        for (name, value) in object(changes) {
            match all.get_mut(&name) {
                Some(place) => *place = value,
                None => return Err(ControlError(format!("no switch is called {name}"))),
            }
        }
        let switches: QuickBooksSwitches = serde_json::from_value(all)?;
        QuickBooksSimulator::change_switches(self, |present| *present = switches)
            .map_err(|error| ControlError(error.to_string()))
    }

    fn act(&self, action: Value) -> Result<Value, ControlError> {
        let action: HumanAction = serde_json::from_value(action)?;
        let id = self
            .act_as_person(action)
            .map_err(|error| ControlError(error.to_string()))?;
        Ok(json!({ "id": id }))
    }

    fn world(&self) -> Value {
        self.audit()
    }
}
