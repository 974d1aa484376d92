//! Every rule, driven through the HTTP surface.

mod bills;
mod changes;
mod currencies;
mod gateway;
mod lists;
mod people;
mod queries;
mod repeats;

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{AccountSeed, ItemSeed, PersonSeed, QuickBooksSimulator, RealmSeed};
use crate::{
    clock::TokioClock,
    exchange::{Context, Exchange},
    fault::Faults,
    intuit::IntuitSimulator,
    journal::Journal,
    store::Store,
};

pub(super) const REALM: &str = "9130350000000001";

/// One company with a vendor, an item and an expense account, and a good token.
pub(super) struct Desk {
    pub(super) quickbooks: QuickBooksSimulator,
    pub(super) intuit: IntuitSimulator,
    pub(super) context: Context,
    pub(super) token: String,
    pub(super) expense: String,
    pub(super) income: String,
    pub(super) vendor: String,
    pub(super) item: String,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self::of(RealmSeed::new(REALM, "Northwind IT"))
    }

    pub(super) fn of(seed: RealmSeed) -> Self {
        Self::on(seed, Store::memory())
    }

    pub(super) fn on(seed: RealmSeed, store: Store) -> Self {
        let base = "2026-01-15T18:00:00Z".parse().expect("a time");
        let context = Context {
            clock: Arc::new(TokioClock::new(base)),
            store: Arc::new(store),
            journal: Arc::new(Journal::default()),
            faults: Arc::new(Faults::default()),
            public_url: "http://127.0.0.1:4600".into(),
        };
        let intuit = IntuitSimulator::new(context.clone()).expect("intuit");
        let quickbooks = QuickBooksSimulator::new(context.clone(), &intuit).expect("quickbooks");
        let realm = seed.realm.clone();
        quickbooks.add_realm(seed).expect("a realm");
        let account = |name, kind| {
            quickbooks
                .add_account(&realm, &AccountSeed::new(name, kind))
                .expect("an account")
        };
        let expense = account("Job Materials", "Cost of Goods Sold");
        let income = account("Sales", "Income");
        let vendor = quickbooks
            .add_vendor(&realm, &PersonSeed::new("Acme Supply"))
            .expect("a vendor");
        let item = quickbooks
            .add_item(&realm, &ItemSeed::non_inventory("Laptop", &expense))
            .expect("an item");
        let now = context.clock.now();
        let token = intuit
            .tokens()
            .access_token(&realm, "client", now)
            .expect("a token");
        quickbooks
            .change_switches(|switches| switches.requests_per_second = 0)
            .expect("ok");
        Self {
            quickbooks,
            intuit,
            context,
            token,
            expense,
            income,
            vendor,
            item,
        }
    }

    pub(super) async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        match self.quickbooks.handle(request).await {
            Exchange::Answer(response) => response,
            other => panic!("no answer: {other:?}"),
        }
    }

    pub(super) fn request(&self, method: &str, path: &str, body: &str) -> Request<Bytes> {
        let kind = if path.starts_with("query") {
            "application/text"
        } else {
            "application/json"
        };
        Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1:4600/v3/company/{REALM}/{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("accept", "application/json")
            .header("content-type", kind)
            .body(Bytes::from(body.to_owned()))
            .expect("a request")
    }

    /// Status and JSON body of a POST.
    pub(super) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        parts(
            &self
                .send(self.request("POST", path, &body.to_string()))
                .await,
        )
    }

    pub(super) async fn get(&self, path: &str) -> (u16, Value) {
        parts(&self.send(self.request("GET", path, "")).await)
    }

    pub(super) async fn query(&self, statement: &str) -> (u16, Value) {
        parts(
            &self
                .send(self.request("POST", "query?minorversion=75", statement))
                .await,
        )
    }

    /// A bill of one item line.
    pub(super) fn bill(&self, number: &str) -> Value {
        json!({
            "VendorRef": { "value": self.vendor },
            "TxnDate": "2026-01-10",
            "DocNumber": number,
            "Line": [self.item_line("2", "10.50", "21.00")],
        })
    }

    pub(super) fn item_line(&self, quantity: &str, price: &str, amount: &str) -> Value {
        let number = |text: &str| serde_json::from_str::<Value>(text).expect("a number");
        json!({
            "Amount": number(amount),
            "DetailType": "ItemBasedExpenseLineDetail",
            "ItemBasedExpenseLineDetail": {
                "ItemRef": { "value": self.item },
                "Qty": number(quantity),
                "UnitPrice": number(price),
            },
        })
    }

    pub(super) fn account_line(&self, amount: &str) -> Value {
        json!({
            "Amount": serde_json::from_str::<Value>(amount).expect("a number"),
            "DetailType": "AccountBasedExpenseLineDetail",
            "AccountBasedExpenseLineDetail": { "AccountRef": { "value": self.expense } },
        })
    }

    /// Posts something that must be refused and answers the code.
    pub(super) async fn refused(&self, path: &str, body: Value) -> String {
        let (status, answer) = self.post(path, body).await;
        assert_eq!(status, 400, "{answer}");
        code(&answer)
    }

    pub(super) async fn made_bill(&self, number: &str) -> Value {
        let (status, answer) = self.post("bill", self.bill(number)).await;
        assert_eq!(status, 200, "{answer}");
        answer["Bill"].clone()
    }
}

pub(super) fn parts(response: &Response<Bytes>) -> (u16, Value) {
    let status = response.status().as_u16();
    (
        status,
        serde_json::from_slice(response.body()).unwrap_or_default(),
    )
}

pub(super) fn code(answer: &Value) -> String {
    answer["Fault"]["Error"][0]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

pub(super) fn detail(answer: &Value) -> String {
    answer["Fault"]["Error"][0]["Detail"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

pub(super) fn decimal(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

pub(super) fn amount(value: &Value) -> Decimal {
    value.to_string().parse().expect("a number")
}
