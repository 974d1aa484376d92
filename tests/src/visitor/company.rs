//! A company beside the one of the stage: a realm and a database of its own, which somebody
//! connects in the browser.

use http::{Method, StatusCode};
use purser_simulators::{
    autotask::{Database, DatabaseSeed, LineSeed, OrderSeed},
    intuit::Role,
    quickbooks::RealmSeed,
};
use serde_json::{Value, json};

use super::{Reply, Visitor};
use crate::stage::{Cast, Stage};

/// A company.
pub struct Company {
    /// Its realm.
    pub realm: String,
    /// Its database in Autotask.
    pub database: Database,
    /// Who and what is in it.
    pub cast: Cast,
}

impl Stage {
    /// The company of the stage itself, to be connected in the browser.
    pub fn company(&self) -> Company {
        Company {
            realm: self.realm.clone(),
            database: self.database.clone(),
            cast: self.cast.clone(),
        }
    }

    /// One more company. Its database has this API user.
    pub fn add_company(&self, realm: &str, name: &str, api_user: &str) -> Company {
        let books = &self.simulators.quickbooks;
        books
            .add_realm(RealmSeed::new(realm, name))
            .expect("a company");
        let database = self.simulators.autotask.add_database(DatabaseSeed {
            api_user: api_user.to_owned(),
            secret: format!("secret of {api_user}"),
            company_name: name.to_owned(),
            ..DatabaseSeed::default()
        });
        Self::lift_limits(&self.simulators, &database);
        let cast = Cast::enter(&self.simulators, &database, realm);
        let realm = realm.to_owned();
        Company {
            realm,
            database,
            cast,
        }
    }
}

impl Company {
    /// A submitted order of now: 799.98.
    pub fn add_order(&self) -> i64 {
        let line = LineSeed::of(self.cast.product, 2, "399.99");
        let order = OrderSeed::submitted(self.cast.seller).line(line);
        self.database.add_order(&order)
    }

    /// An order that is refused: it has no lines.
    pub fn add_empty_order(&self) -> i64 {
        self.database
            .add_order(&OrderSeed::submitted(self.cast.seller))
    }

    /// Lets somebody connect it.
    pub fn admit(&self, stage: &Stage, email: &str, role: Role) {
        let tokens = stage.simulators.intuit.tokens();
        let realms = [(self.realm.as_str(), role)];
        tokens.add_person(email, "Dana", &realms).expect("Intuit");
    }

    /// The credentials of its API user, as the form's fields.
    pub fn credentials(&self) -> [(&'static str, String); 3] {
        let seed = self.database.seed();
        [
            ("user", seed.api_user),
            ("secret", seed.secret),
            ("integration_code", seed.integration_code),
        ]
    }

    /// Plain settings, as the interface takes them.
    pub fn settings(&self) -> Value {
        let mut settings = serde_json::to_value(self.cast.settings()).expect("JSON");
        if let Some(fields) = settings.as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
        settings
    }

    /// Enters the credentials.
    pub async fn enter_credentials(&self, visitor: &mut Visitor) -> Reply {
        let fields = self.credentials();
        let fields = fields.each_ref().map(|(name, value)| (*name, &**value));
        visitor.submit("/connection/autotask", &fields).await
    }

    /// All of set-up, from the first sign-in to the start of the transfer.
    pub async fn set_up(&self, stage: &Stage, visitor: &mut Visitor, email: &str) {
        self.admit(stage, email, Role::Admin);
        let _set_up = visitor.sign_in(email).await.expect_to("/set-up");
        let connected = visitor.connect(email, &self.realm, false).await;
        let _done = connected.expect_to("/set-up?done=quickbooks");
        let entered = self.enter_credentials(visitor).await;
        let _done = entered.expect_to("/set-up?done=autotask");
        let settings = self.settings();
        let saved = visitor.call(Method::PUT, "/settings", Some(&settings));
        let _saved = saved.await.expect(StatusCode::OK);
        let started = visitor.submit("/set-up/start", &[]).await;
        let _started = started.expect_to("/set-up?done=started");
        assert_eq!(visitor.read("/set-up").await["step"], json!("running"));
    }
}
