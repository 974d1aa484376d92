//! Every address of the application as a request, and what everything that must not change holds.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use purser_core::{
    ids::TenantId,
    ports::{DocumentKind, EntryKind, Ledger as _, RecordFilter, Registry as _},
};
use purser_tests::{
    stage::Stage,
    visitor::{Company, Reply, Visitor},
};
use purser_web::{Address, Needs, addresses};
use std::{fmt::Write as _, time::Duration};

/// The header without which the JSON interface changes nothing.
pub(crate) const REQUEST_HEADER: &str = "x-purser-request";
/// Asking for what costs calls to the vendors is slow enough like this.
const PACE: Duration = Duration::from_secs(3);

/// What stands for the variable parts of paths.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) order: String,
    pub(crate) attempt: String,
    pub(crate) person: String,
    pub(crate) secret: String,
}

impl Default for Names {
    /// Names of nothing.
    fn default() -> Self {
        Self {
            order: "987654321".to_owned(),
            attempt: "nothing".to_owned(),
            person: "nobody".to_owned(),
            secret: "none".to_owned(),
        }
    }
}

impl Names {
    /// The path of an address.
    pub(crate) fn path(&self, address: &Address) -> String {
        let path = address.path.replace("{order}", &self.order);
        let path = path.replace("{attempt}", &self.attempt);
        let path = path.replace("{person}", &self.person);
        path.replace("{secret}", &self.secret)
    }
}

/// An address in words.
pub(crate) fn words(address: &Address) -> String {
    format!("{} {}", address.method, address.path)
}

/// Whether asking there is meant to change something.
pub(crate) fn changes(address: &Address) -> bool {
    address.method != Method::GET
}

/// Every address that is meant to change something.
pub(crate) fn changing() -> Vec<Address> {
    addresses().into_iter().filter(changes).collect()
}

/// Every address that anybody may ask.
pub(crate) fn is_open(address: &Address) -> bool {
    address.needs == Needs::Nothing
}

/// The request that a page of ours or a program with this session sends, with this body.
pub(crate) async fn proper(
    visitor: &mut Visitor,
    address: &Address,
    names: &Names,
    body: &str,
) -> Request<Bytes> {
    let path = names.path(address);
    let mut request = visitor.request(&address.method, &path);
    if address.is_api {
        if changes(address) {
            request = request.header(REQUEST_HEADER, "1");
        }
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        return request.body(Bytes::from(body.to_owned())).expect("text");
    }
    request = request.header(header::ACCEPT, "text/html,*/*");
    if !changes(address) {
        return request.body(Bytes::new()).expect("a request");
    }
    let secret = visitor.form_secret().await;
    let form = format!("form_secret={secret}&{body}");
    request
        .header(header::ORIGIN, visitor.site.origin())
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(form))
        .expect("a request")
}

/// Asks as it should be asked, without anything that the operation would need to succeed.
pub(crate) async fn ask(stage: &Stage, visitor: &mut Visitor, address: &Address) -> Reply {
    let body = if address.reads_json { "{}" } else { "" };
    ask_with(stage, visitor, address, (&Names::default(), body)).await
}

/// Asks as it should be asked.
pub(crate) async fn ask_with(
    stage: &Stage,
    visitor: &mut Visitor,
    address: &Address,
    (names, body): (&Names, &str),
) -> Reply {
    stage.wait(PACE).await;
    let request = proper(visitor, address, names, body).await;
    visitor.send(request).await
}

/// Puts a header on a request; none takes it away.
pub(crate) fn set(request: &mut Request<Bytes>, name: &'static str, value: Option<&str>) {
    request.headers_mut().remove(name);
    if let Some(value) = value {
        let value = HeaderValue::from_str(value).expect("a header");
        request.headers_mut().insert(name, value);
    }
}

/// The application refuses, in the form that was asked for, and tells only what helps.
#[track_caller]
pub(crate) fn assert_refusal(address: &Address, reply: &Reply, status: StatusCode, code: &str) {
    let path = (&address.method, &address.path);
    assert_eq!(reply.status, status, "{path:?}: {reply:?}");
    if address.is_api {
        assert_eq!(reply.code(), code, "{path:?}");
    } else {
        assert!(reply.body.contains(&format!("Error {}", status.as_u16())));
    }
}

/// Everything of one tenant that must not change unseen: what the store holds, and both systems.
pub(crate) async fn holdings(stage: &Stage, tenant: &TenantId, company: &Company) -> String {
    let store = &stage.store;
    let now = stage.now();
    let mut all = String::new();
    for kind in [
        DocumentKind::Autotask,
        DocumentKind::QuickBooks,
        DocumentKind::Settings,
        DocumentKind::Runs,
    ] {
        let document = store.document(tenant, kind).await.expect("the store");
        writeln!(all, "{kind:?}: {document:?}").expect("memory");
    }
    for kind in [EntryKind::Member, EntryKind::Invitation, EntryKind::Event] {
        let group = store.group(kind, tenant.as_str(), 500, now).await;
        writeln!(all, "{kind:?}: {:#?}", group.expect("the store")).expect("memory");
    }
    let filter = RecordFilter {
        limit: 500,
        ..RecordFilter::default()
    };
    let records = store.list(tenant, &filter).await.expect("the store");
    for record in records {
        let history = store.history(tenant, record.key.order).await;
        writeln!(all, "{record:#?} {:#?}", history.expect("the store")).expect("memory");
    }
    let database = &company.database;
    writeln!(all, "{:#?} {:#?}", database.orders(), database.todos()).expect("memory");
    let bills = stage.simulators.quickbooks.live_bills(&company.realm);
    writeln!(all, "{bills:#?}").expect("memory");
    all
}
