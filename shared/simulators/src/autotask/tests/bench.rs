//! A database with a vendor, a product, a person and one order, and a client for it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response};
use jiff::Timestamp;
use purser_transport::{Transport, TransportError};
use serde_json::Value;

use crate::{
    Simulators, Store, TokioClock,
    autotask::{
        CompanySeed, Database, DatabaseSeed, LineSeed, OrderSeed, OrderStatus, ProductSeed,
        ResourceSeed,
    },
};

pub(super) const START: &str = "2026-01-05T14:00:00Z";
pub(super) const PUBLIC: &str = "https://webservices.autotask.net";

pub(super) struct Bench {
    pub(super) simulators: Arc<Simulators>,
    pub(super) database: Database,
    pub(super) vendor: i64,
    pub(super) product: i64,
    pub(super) person: i64,
    pub(super) order: i64,
    pub(super) secret: String,
    pub(super) code: String,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::on(Store::memory())
    }

    pub(super) fn on(store: Store) -> Self {
        let start: Timestamp = START.parse().unwrap();
        let clock = Arc::new(TokioClock::new(start));
        let simulators = Arc::new(Simulators::new(clock, store, PUBLIC).unwrap());
        let seed = DatabaseSeed::default();
        let (secret, code) = (seed.secret.clone(), seed.integration_code.clone());
        let database = simulators.autotask.add_database(seed);
        let vendor = database.add_company(&CompanySeed::vendor("Ingram"));
        let product = database.add_product(&ProductSeed::named("Firewall"));
        let person = database.add_resource(&ResourceSeed::person("Ann", "Clark"));
        let order = OrderSeed::submitted(vendor)
            .line(LineSeed::of(product, 2, "399.990").memo("rack"))
            .line(LineSeed::of(product, 5, "0.3333"));
        let order = database.add_order(&order);
        Self {
            simulators,
            database,
            vendor,
            product,
            person,
            order,
            secret,
            code,
        }
    }

    pub(super) fn status_id(&self, status: OrderStatus) -> i64 {
        let position = OrderStatus::ALL
            .iter()
            .position(|other| *other == status)
            .unwrap();
        self.database.seed().status_ids[position]
    }

    pub(super) fn request(&self, method: &Method, path: &str, body: &str) -> Request<Bytes> {
        let address = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}V1.0/{path}", self.database.zone_url())
        };
        Request::builder()
            .method(method)
            .uri(address)
            .header("ApiIntegrationCode", &self.code)
            .header("UserName", self.database.api_user())
            .header("Secret", &self.secret)
            .header("Content-Type", "application/json")
            .body(Bytes::from(body.to_owned()))
            .unwrap()
    }

    pub(super) async fn send(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        self.simulators.send(request, Duration::from_secs(30)).await
    }

    pub(super) async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let response = self.send(self.request(&method, path, &body)).await.unwrap();
        let value = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        (response.status().as_u16(), value)
    }

    pub(super) async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, Value::Null).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::POST, path, body).await
    }

    pub(super) async fn patch(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::PATCH, path, body).await
    }

    /// Ids of the rows that match, or the first error.
    pub(super) async fn ids(&self, entity: &str, filter: Value) -> Result<Vec<i64>, String> {
        let body = serde_json::json!({ "filter": filter });
        let (status, answer) = self.post(&format!("{entity}/query"), body).await;
        if status != 200 {
            return Err(answer["errors"][0].as_str().unwrap_or_default().to_owned());
        }
        let items = answer["items"].as_array().unwrap();
        Ok(items
            .iter()
            .map(|item| item["id"].as_i64().unwrap())
            .collect())
    }
}

pub(super) fn error(answer: &Value) -> &str {
    answer["errors"][0].as_str().unwrap_or_default()
}
