//! The companies of a history: each with its own Autotask, its own realm and its own secrets, all of
//! them transferred by the same processes out of the same store. Their orders bear the same ids.

use purser_core::{
    ids::{OrderId, RealmId, TenantId},
    record::SyncRecord,
    settings::SettingsDocument,
    tenant::AutotaskCredentials,
};
use purser_runtime::{
    connect::{self, NewGrant},
    settings,
};
use purser_simulators::{
    autotask::{CompanySeed, Database, DatabaseSeed, LineSeed, OrderSeed, ProductSeed, TodoView},
    quickbooks::RealmSeed,
};
use rust_decimal::{Decimal, RoundingStrategy};
use secrecy::SecretString;
use serde_json::Value;

use super::{
    canary::Canaries,
    nature::OrderIds,
    plan::{Plan, Shape},
};
use crate::{
    dice::Dice,
    stage::{CLIENT_ID, Cast, Stage, StageStore, amount},
};

/// What is written beside every line.
const MEMO: &str = "For the new office";
/// What one piece costs; some make fractions of a cent.
const COSTS: [&str; 6] = ["399.99", "33.335", "1204.50", "7.125", "0.015", "2850"];
/// What freight costs, where it costs anything; half a cent of it is rounded, too.
const FREIGHT: &str = "31.255";

/// One company.
#[derive(Clone)]
pub(super) struct Company {
    pub(super) tenant: TenantId,
    pub(super) realm: String,
    pub(super) database: Database,
    pub(super) cast: Cast,
    /// Whether its orders cost freight, which is booked.
    has_freight: bool,
}

/// The name of a product of which only Autotask knows, by the place of its order.
pub(super) fn unknown_product(place: usize) -> String {
    format!("Access Point AX{place}")
}

impl Company {
    /// The company of the stage itself.
    pub(super) fn first<S: StageStore>(stage: &Stage<S>, plan: &Plan) -> Self {
        Self {
            has_freight: plan.has_freight(),
            tenant: stage.tenant.clone(),
            realm: stage.realm.clone(),
            database: stage.database.clone(),
            cast: stage.cast.clone(),
        }
    }

    /// One more, connected, with the settings that the plan wants.
    pub(super) async fn another<S: StageStore>(
        stage: &Stage<S>,
        place: usize,
        plan: &Plan,
    ) -> Self {
        let realm = format!("913035000000010{place}");
        let name = format!("Coastal Systems {place}");
        let books = &stage.simulators.quickbooks;
        let seed = RealmSeed::new(&realm, &name);
        books.add_realm(seed).expect("a company");
        let database = stage.simulators.autotask.add_database(DatabaseSeed {
            api_user: format!("api{place}@coastal.example"),
            secret: format!("coastal-secret-{place}"),
            company_name: name,
            ..DatabaseSeed::default()
        });
        let company = Self {
            has_freight: plan.has_freight(),
            tenant: format!("coastal-{place}").parse().expect("a tenant"),
            cast: Cast::enter(&stage.simulators, &database, &realm),
            realm,
            database,
        };
        company.connect(stage).await;
        let mut document = company.cast.settings();
        plan.wishes(&mut document);
        company.import(stage, document).await;
        company
    }

    pub(super) async fn import<S: StageStore>(&self, stage: &Stage<S>, document: SettingsDocument) {
        let imported = settings::import(&stage.engine, &self.tenant, &document);
        Box::pin(imported).await.expect("good settings");
    }

    /// Connects both sides with what is right at the moment.
    pub(super) async fn connect<S: StageStore>(&self, stage: &Stage<S>) {
        let seed = self.database.seed();
        let credentials = AutotaskCredentials {
            user: seed.api_user,
            secret: SecretString::from(seed.secret),
            integration_code: SecretString::from(seed.integration_code),
        };
        let tokens = stage.simulators.intuit.tokens();
        let token = tokens.grant(&self.realm, CLIENT_ID, stage.now());
        let grant = NewGrant {
            realm: self.realm_id(),
            refresh_token: SecretString::from(token.expect("a grant")),
        };
        let (engine, outside) = (&stage.engine, stage.outside());
        let connected = connect::connect(
            engine,
            outside,
            &self.tenant,
            Some(credentials),
            Some(grant),
        );
        Box::pin(connected).await.expect("a connection");
    }

    pub(super) fn realm_id(&self) -> RealmId {
        self.realm.parse().expect("a realm")
    }

    /// The code of what stops it; empty when nothing does.
    pub(super) async fn trouble<S: StageStore>(&self, stage: &Stage<S>) -> String {
        let status = stage.engine.status(&self.tenant).await.expect("the ledger");
        let all = [
            status.autotask_broken,
            status.quickbooks_broken,
            status.trouble,
        ];
        let first = all.into_iter().flatten().next();
        first
            .map(|trouble| trouble.notice.code.to_string())
            .unwrap_or_default()
    }

    /// The ledger's entry for one of its orders.
    pub(super) async fn find_record<S: StageStore>(
        &self,
        stage: &Stage<S>,
        order: i64,
    ) -> Option<SyncRecord> {
        let (realm, orders) = (self.realm_id(), [OrderId::new(order)]);
        let records = stage.store.records(&self.tenant, &realm, &orders);
        records.await.expect("the ledger").pop()
    }

    /// External PO Number.
    pub(super) fn number(&self, order: i64) -> Option<String> {
        let order = self.database.order(order).expect("the order");
        order.external_number
    }

    /// How many to-dos of an order are open.
    pub(super) fn open_todos(&self, order: i64) -> usize {
        let key = format!("[PO {order}]");
        let is_about = |todo: &TodoView| todo.description.contains(&key);
        let todos = self.database.open_todos();
        todos.iter().filter(|todo| is_about(todo)).count()
    }

    /// Puts an order of this shape into Autotask.
    pub(super) fn add(
        &self,
        company: usize,
        (place, shape): (usize, Shape),
        seed: u64,
    ) -> OrderIds {
        let (database, cast) = (&self.database, &self.cast);
        let mut dice = Dice::stream(seed, 1_000 + place as u64);
        let named = |name: String| database.add_product(&ProductSeed::named(&name));
        let product = match shape {
            Shape::Known => cast.product,
            Shape::New | Shape::Refused => named(unknown_product(place)),
        };
        let (vendor, buyer) = match shape {
            Shape::New => {
                let vendor = CompanySeed::vendor(&format!("Brightline Distribution {place}"));
                let buyer = CompanySeed::customer(&format!("Harbor Dental {place}"));
                (database.add_company(&vendor), database.add_company(&buyer))
            }
            Shape::Known | Shape::Refused => (cast.seller, cast.buyer),
        };
        let mut order = OrderSeed {
            purchase_for: Some(buyer),
            freight: self.has_freight.then(|| FREIGHT.to_owned()),
            ..OrderSeed::submitted(vendor)
        };
        for (line, product) in [product, cast.product].into_iter().enumerate() {
            let quantity = 1 + i64::try_from(dice.roll(9)).unwrap_or(0);
            let price = dice.pick(&COSTS);
            if line == 0 || dice.hits(3) {
                order = order.line(LineSeed::of(product, quantity, price).memo(MEMO));
            }
        }
        let order = database.add_order(&order);
        let line = database.lines(order)[0]["id"].as_i64().expect("a line");
        OrderIds {
            company,
            order,
            line,
        }
    }

    /// What an order comes to as its lines and its freight are now, each rounded to the cent.
    pub(super) fn total_of(&self, order: i64) -> Decimal {
        let lines = self.database.lines(order);
        let total: Decimal = lines.iter().map(amount_of_line).sum();
        match self.has_freight {
            true => total + to_cents(FREIGHT.parse().expect("an amount")),
            false => total,
        }
    }

    /// Its names, numbers and secrets.
    pub(super) fn tell(&self, canaries: &mut Canaries) {
        let seed = self.database.seed();
        canaries.add("a secret of Autotask", seed.secret);
        canaries.add("an integration code", seed.integration_code);
        canaries.add("a company's name", seed.company_name);
        for name in [Cast::SELLER, "Brightline Distribution"] {
            canaries.add("a vendor's name", name);
        }
        for name in [Cast::BUYER, "Harbor Dental"] {
            canaries.add("a customer's name", name);
        }
        for name in [Cast::PRODUCT, "Access Point AX"] {
            canaries.add("a product's name", name);
        }
        canaries.add("a memo", MEMO);
        canaries.add("a secret of the app", "stage-secret");
        for cost in COSTS.into_iter().chain([FREIGHT]) {
            canaries.add_amount(cost);
        }
        for order in self.database.orders() {
            canaries.add_amount(&self.total_of(order.id).to_string());
            canaries.add("an order's number", order.number.unwrap_or_default());
        }
    }
}

fn amount_of_line(line: &Value) -> Decimal {
    to_cents(amount(&line["quantity"]) * amount(&line["unitCost"]))
}

fn to_cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn half_a_cent_of_a_line_is_rounded_up_and_nothing_else_is() {
        let line = |quantity: i64, cost: &str| {
            let cost: Value = serde_json::from_str(cost).expect("a number");
            amount_of_line(&json!({ "quantity": quantity, "unitCost": cost })).to_string()
        };
        assert_eq!(line(3, "33.335"), "100.01");
        assert_eq!(line(1, "0.015"), "0.02");
        assert_eq!(line(1, "7.124"), "7.12");
        assert_eq!(line(2, "399.99"), "799.98");
    }
}
