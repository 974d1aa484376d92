//! A record of the ledger as a row of a list.

use jiff::Timestamp;
use purser_core::{
    eligibility::Ineligible,
    ids::{BillId, RealmId, TodoId},
    notice::{Code, Link, Notice},
    record::{State, StateName, SyncRecord, Todo},
    tenant::TenantStatus,
    usecase::{Outcome, OutcomeKind},
};
use purser_runtime::configuration::Endpoints;
use url::form_urlencoded::byte_serialize;

use crate::view::{LinkView, NoticeView, OrderRow, OutcomeName};

/// The states behind each outcome that a list can be filtered by.
pub(super) fn states_of(outcome: &str) -> Option<&'static [StateName]> {
    Some(match outcome {
        "billed" => &[StateName::Linked],
        "refused" => &[
            StateName::Refused,
            StateName::NeedsPerson,
            StateName::Orphaned,
        ],
        "waiting" => &[StateName::Queued, StateName::Planned, StateName::Created],
        "ineligible" => &[StateName::Skipped],
        _ => return None,
    })
}

fn name(kind: OutcomeKind) -> OutcomeName {
    match kind {
        OutcomeKind::Billed => OutcomeName::Billed,
        OutcomeKind::Refused => OutcomeName::Refused,
        OutcomeKind::Waiting => OutcomeName::Waiting,
        OutcomeKind::InDoubt => OutcomeName::InDoubt,
        OutcomeKind::Ineligible => OutcomeName::Ineligible,
    }
}

/// A record as a row.
pub(super) fn row(record: &SyncRecord, status: &TenantStatus, now: Timestamp) -> OrderRow {
    let outcome = Outcome::of(record);
    let lease = record.lease.as_ref().filter(|lease| now < lease.until);
    let is_waiting = record
        .wait
        .as_ref()
        .is_some_and(|wait| now < wait.not_before);
    let is_asked = record.request.is_some() && !is_waiting;
    let bill = record.bill().filter(|_| outcome.bill.is_some());
    let link = bill.map(|bill| bill_link(&record.key.realm, &bill.id));
    OrderRow {
        order: record.key.order.get(),
        number: record.order_number.clone(),
        vendor: record.vendor_name.clone(),
        outcome: name(outcome.outcome),
        is_running: lease.is_some() || is_asked,
        running_until: lease.map(|lease| lease.until),
        notice: notice(&outcome, record, status),
        bill_number: outcome.bill_number,
        bill: link,
        total: bill.map(|bill| format!("{:.2}", bill.total)),
        updated_at: record.updated_at,
        next_attempt: outcome.next_attempt,
        can_retry: can_retry(record, outcome.outcome),
    }
}

/// Whether a person's Retry could change anything about it right now.
fn can_retry(record: &SyncRecord, outcome: OutcomeKind) -> bool {
    // A number is never overwritten: only clearing it helps, and then the next run finds the order.
    let has_number = matches!(
        &record.state,
        State::Skipped {
            reason: Ineligible::HasNumber { .. }
        }
    );
    match outcome {
        OutcomeKind::Refused | OutcomeKind::Waiting => true,
        OutcomeKind::Ineligible => !has_number,
        OutcomeKind::Billed | OutcomeKind::InDoubt => false,
    }
}

fn notice(outcome: &Outcome, record: &SyncRecord, status: &TenantStatus) -> Option<NoticeView> {
    let cause = outcome.cause.clone()?;
    let code = outcome.code.clone().unwrap_or_default();
    let known = Code::from_text(&code);
    Some(NoticeView {
        link: known.and_then(|code| link_of(code.link(), Some(record), status)),
        code,
        cause,
        remedy: outcome.remedy.clone().unwrap_or_default(),
    })
}

/// A notice of the whole tenant, with the place where it is mended.
pub(super) fn tenant_notice(notice: &Notice, status: &TenantStatus) -> NoticeView {
    NoticeView {
        link: link_of(notice.code.link(), None, status),
        ..NoticeView::of(notice)
    }
}

fn inside(label: &str, url: &str) -> LinkView {
    LinkView {
        label: label.to_owned(),
        url: url.to_owned(),
        is_outside: false,
    }
}

fn link_of(link: Link, record: Option<&SyncRecord>, status: &TenantStatus) -> Option<LinkView> {
    match link {
        Link::Settings => Some(inside("Settings", "/settings")),
        Link::Connection => Some(inside("Connection", "/connection")),
        Link::Bill => {
            let record = record?;
            let bill = record.bill()?;
            Some(bill_link(&record.key.realm, &bill.id))
        }
        Link::QuickBooksLists | Link::QuickBooksCompany => {
            let realm = record
                .map(|record| &record.key.realm)
                .or(status.realm.as_ref());
            realm.map(|realm| pinned("QuickBooks", "homepage", realm))
        }
        Link::Order | Link::VendorOrganisation => autotask(status),
        Link::Support => None,
    }
}

fn autotask(status: &TenantStatus) -> Option<LinkView> {
    let url = status.autotask_web_url.clone()?;
    Some(LinkView {
        label: "Autotask".to_owned(),
        url,
        is_outside: true,
    })
}

/// A page of QuickBooks, pinned to the company: without the pin another company's record with the
/// same id could open. The form is not documented and was seen in public connectors.
fn pinned(label: &str, page: &str, realm: &RealmId) -> LinkView {
    let page: String = byte_serialize(page.as_bytes()).collect();
    let base = "https://qbo.intuit.com/app/login";
    LinkView {
        label: label.to_owned(),
        url: format!("{base}?pagereq={page}&deeplinkcompanyid={realm}"),
        is_outside: true,
    }
}

pub(super) fn bill_link(realm: &RealmId, bill: &BillId) -> LinkView {
    let id: String = byte_serialize(bill.as_str().as_bytes()).collect();
    pinned("Bill in QuickBooks", &format!("bill?txnId={id}"), realm)
}

/// Where to look: no documented address opens an order in Autotask, but one opens its to-do.
pub(super) fn links(record: &SyncRecord, status: &TenantStatus) -> Vec<LinkView> {
    let mut links = Vec::new();
    let bill = Outcome::of(record).bill;
    links.extend(bill.map(|bill| bill_link(&record.key.realm, &bill)));
    if let Some(base) = &status.autotask_web_url {
        if let Todo::Open { id, .. } = &record.todo {
            links.push(todo_link(base, *id));
        }
        links.push(LinkView {
            label: format!("Autotask (search for {})", record.order_number),
            url: base.clone(),
            is_outside: true,
        });
    }
    links
}

fn todo_link(base: &str, id: TodoId) -> LinkView {
    let command = "Autotask/AutotaskExtend/ExecuteCommand.aspx?Code=OpenToDo&ToDoID=";
    LinkView {
        label: "To-do in Autotask".to_owned(),
        url: format!("{base}{command}{id}"),
        is_outside: true,
    }
}

/// Where browsers are sent for Intuit's pages, for the content security policy.
pub fn intuit_origins(endpoints: &Endpoints) -> String {
    if endpoints.are_local() {
        return endpoints.intuit_discovery.origin().ascii_serialization();
    }
    "https://appcenter.intuit.com https://*.intuit.com".to_owned()
}
