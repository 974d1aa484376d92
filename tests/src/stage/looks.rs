//! Looking at what both systems and the ledger hold.

use purser_core::{
    ids::OrderId,
    ports::{HistoryEntry, Mail},
    record::{State, SyncRecord},
    tenant::TenantStatus,
};
use purser_simulators::{
    autotask::{Action, TodoView},
    quickbooks::HumanAction,
};
use rust_decimal::Decimal;
use serde_json::Value;

use super::{Stage, StageStore};

/// An amount as JSON shows it, to the cent.
pub fn amount(value: &Value) -> Decimal {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.parse()
        .unwrap_or_else(|_| panic!("{text} is an amount"))
}

/// The code behind a state that a person must look at.
pub fn code_of(record: &SyncRecord) -> String {
    record
        .notice()
        .map(|notice| notice.code.to_string())
        .unwrap_or_default()
}

impl<S: StageStore> Stage<S> {
    /// Every live bill.
    pub fn bills(&self) -> Vec<Value> {
        self.simulators.quickbooks.live_bills(&self.realm)
    }

    /// The live bills that bear our mark for an order.
    pub fn bills_of(&self, order: i64) -> Vec<Value> {
        let mark = format!("AT-PO:{order} g");
        let ours = |bill: &Value| {
            bill["PrivateNote"]
                .as_str()
                .is_some_and(|note| note.contains(&mark))
        };
        self.bills().into_iter().filter(ours).collect()
    }

    /// The one live bill of an order.
    pub fn bill_of(&self, order: i64) -> Value {
        let mut bills = self.bills_of(order);
        assert_eq!(bills.len(), 1, "bills of order {order}: {bills:#?}");
        bills.remove(0)
    }

    /// External PO Number.
    pub fn number(&self, order: i64) -> Option<String> {
        self.database
            .order(order)
            .expect("the order")
            .external_number
    }

    /// All to-dos of an order, completed ones too.
    pub fn todos_of(&self, order: i64) -> Vec<TodoView> {
        let key = format!("[PO {order}]");
        let todos = self.database.todos().into_iter();
        todos
            .filter(|todo| todo.description.contains(&key))
            .collect()
    }

    /// The only open to-do of an order.
    pub fn open_todo(&self, order: i64) -> TodoView {
        let todos = self.todos_of(order).into_iter();
        let mut open: Vec<_> = todos.filter(|todo| todo.completed.is_none()).collect();
        assert_eq!(open.len(), 1, "open to-dos of order {order}");
        open.remove(0)
    }

    /// The store's file, for tests that write in it what a newer program would.
    pub fn file(&self) -> std::path::PathBuf {
        self.folder.path().join(purser_sqlite::FILE_NAME)
    }

    /// The ledger's entry, if there is one.
    pub async fn find_record(&self, order: i64) -> Option<SyncRecord> {
        let (tenant, realm) = (&self.tenant, self.realm_id());
        let records = self
            .store
            .records(tenant, &realm, &[OrderId::new(order)])
            .await;
        records.expect("the ledger").pop()
    }

    /// The ledger's entry.
    pub async fn record(&self, order: i64) -> SyncRecord {
        self.find_record(order).await.expect("a record")
    }

    /// The story of an order.
    pub async fn history(&self, order: i64) -> Vec<HistoryEntry> {
        let history = self.store.history(&self.tenant, OrderId::new(order)).await;
        history.expect("the ledger")
    }

    /// The state of the tenant.
    pub async fn status(&self) -> TenantStatus {
        self.engine.status(&self.tenant).await.expect("the ledger")
    }

    /// The code of what stops the tenant; empty when nothing does.
    pub async fn trouble(&self) -> String {
        let status = self.status().await;
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

    /// Every mail, oldest first.
    pub async fn mails(&self) -> Vec<Mail> {
        let mails = self.store.mails(100).await.expect("the outbox");
        mails.into_iter().rev().map(|(_, mail, _)| mail).collect()
    }

    /// Somebody acts in Autotask.
    pub fn in_autotask(&self, action: Action) {
        self.database.act(action).expect("they may");
    }

    /// Somebody acts in QuickBooks.
    pub fn in_quickbooks(&self, action: HumanAction) {
        self.simulators
            .quickbooks
            .act_as_person(action)
            .expect("they may");
    }

    /// Somebody deletes a bill in QuickBooks.
    pub fn delete_bill(&self, bill: &Value) {
        self.in_quickbooks(HumanAction::DeleteBill {
            realm: self.realm.clone(),
            id: bill["Id"].as_str().expect("an id").to_owned(),
        });
    }

    /// The order has one live bill with this total, and its number stands in Autotask.
    ///
    /// Answers the bill.
    pub async fn assert_billed(&self, order: i64, total: &str) -> Value {
        let record = self.record(order).await;
        let State::Linked { bill: link } = &record.state else {
            panic!("order {order} is {:?}", record.state);
        };
        let bill = self.bill_of(order);
        assert_eq!(bill["Id"], link.id.as_str(), "order {order}");
        assert_eq!(
            amount(&bill["TotalAmt"]),
            total.parse().expect("a total"),
            "order {order}"
        );
        let number = bill["DocNumber"].as_str().or(bill["Id"].as_str());
        assert_eq!(self.number(order).as_deref(), number, "order {order}");
        let open = self
            .todos_of(order)
            .into_iter()
            .filter(|todo| todo.completed.is_none());
        assert_eq!(open.count(), 0, "order {order}");
        bill
    }

    /// The order has no bill, ERROR, and exactly one to-do, which names the cause.
    pub async fn assert_refused(&self, order: i64, code: &str) -> TodoView {
        let record = self.record(order).await;
        assert!(
            matches!(record.state, State::Refused { .. }),
            "{order}: {:?}",
            record.state
        );
        assert_eq!(code_of(&record), code, "order {order}");
        assert_eq!(self.bills_of(order).len(), 0, "order {order}");
        assert_eq!(
            self.number(order).as_deref(),
            Some("ERROR"),
            "order {order}"
        );
        self.assert_one_todo(order, code)
    }

    /// Exactly one to-do exists for the order, open, at the right place, and it names the cause.
    pub fn assert_one_todo(&self, order: i64, code: &str) -> TodoView {
        let todos = self.todos_of(order);
        assert_eq!(todos.len(), 1, "to-dos of order {order}: {todos:#?}");
        let todo = self.open_todo(order);
        assert_eq!(todo.company, Some(0));
        assert_eq!(todo.action_type, Some(self.cast.action_type));
        assert_eq!(todo.assignee, Some(self.cast.bookkeeper));
        assert!(
            todo.description.starts_with(&format!("[PO {order}]")),
            "{todo:?}"
        );
        assert!(
            todo.description.contains(&format!("Code: {code}")),
            "{todo:?}"
        );
        todo
    }

    /// Nothing was written to Autotask for this order: no number, no mark and no to-do.
    pub fn assert_untouched_number(&self, order: i64) {
        assert_eq!(self.number(order), None, "order {order}");
        assert_eq!(self.todos_of(order).len(), 0, "order {order}");
    }

    /// Nothing was written anywhere for this order.
    pub fn assert_untouched(&self, order: i64, number: Option<&str>) {
        assert_eq!(self.number(order).as_deref(), number, "order {order}");
        assert_eq!(self.bills_of(order).len(), 0, "order {order}");
        assert_eq!(self.todos_of(order).len(), 0, "order {order}");
    }
}
