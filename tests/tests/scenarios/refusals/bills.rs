//! Numbers, closed days, and bills that QuickBooks refuses.

use jiff::civil::date;
use purser_simulators::{
    autotask::OrderSeed,
    quickbooks::{BillSeed, HumanAction, PersonSeed},
};
use purser_tests::stage::{Moment, Stage};
use serde_json::json;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_number_of_more_than_21_characters() {
    let stage = with(send_numbers).await;
    let number = Some("PO-2026-LONG-NUMBER-042".to_owned());
    let order = stage.add(&OrderSeed {
        number,
        ..stage.order()
    });
    let repair = |stage: &Stage| set_order(stage, order, json!({ "purchaseOrderNumber": "PO-42" }));
    refused(stage, order, "order.number_too_long", repair).await;
}

#[tokio::test(start_paused = true)]
async fn a_number_that_another_bill_bears() {
    let stage = with(send_numbers).await;
    let landlord = stage.add_vendor(&PersonSeed::new("Riverfront Properties"));
    let rent = BillSeed::new(&landlord, "PO-42", &stage.cast.goods, 2_100.into());
    stage
        .simulators
        .quickbooks
        .add_bill(&stage.realm, &rent)
        .expect("a bill");
    let number = Some("PO-42".to_owned());
    let order = stage.add(&OrderSeed {
        number,
        ..stage.order()
    });
    let repair = |stage: &Stage| set_order(stage, order, json!({ "purchaseOrderNumber": "PO-43" }));
    refused(stage, order, "order.number_in_use", repair).await;
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_quickbooks_refuses_to_create() {
    let (stage, order) = selling("Keystone").await;
    stage.simulators.faults.add(refusal("POST vendor"));
    refused(stage, order, "vendor.create_refused", |_| ()).await;
}

#[tokio::test(start_paused = true)]
async fn a_customer_that_quickbooks_refuses_to_create() {
    let (stage, order) = buying("Keystone").await;
    stage.simulators.faults.add(refusal("POST customer"));
    refused(stage, order, "customer.create_refused", |_| ()).await;
}

#[tokio::test(start_paused = true)]
async fn closed_books() {
    let stage = Stage::new().await;
    let realm = stage.realm.clone();
    let close = |date| HumanAction::CloseBooks {
        realm: realm.clone(),
        date,
    };
    stage.in_quickbooks(close(Some(date(2026, 3, 31))));
    let order = stage.add_plain();
    refused(stage, order, "bill.books_closed", |stage| {
        stage.in_quickbooks(close(None));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_bill_that_quickbooks_refuses() {
    let stage = Stage::new().await;
    let order = stage.add_plain();
    stage.simulators.faults.add(refusal("POST bill"));
    let stage = refused(stage, order, "bill.refused", |_| ()).await;
    assert_eq!(
        stage.record(order).await.generation,
        2,
        "a new request id after a refusal"
    );
}

#[tokio::test(start_paused = true)]
async fn a_number_that_somebody_takes_while_the_bill_is_sent() {
    let stage = with(send_numbers).await;
    let number = Some("PO-42".to_owned());
    let order = stage.add(&OrderSeed {
        number,
        ..stage.order()
    });
    let (realm, vendor, goods) = (
        stage.realm.clone(),
        stage.cast.vendor.clone(),
        stage.cast.goods.clone(),
    );
    stage
        .tap
        .at(("POST", "/bill", 1), Moment::Before, move |simulators| {
            let bill = BillSeed::new(&vendor, "PO-42", &goods, 100.into());
            simulators
                .quickbooks
                .add_bill(&realm, &bill)
                .expect("a bill");
        });
    let repair = |stage: &Stage| set_order(stage, order, json!({ "purchaseOrderNumber": "PO-43" }));
    refused(stage, order, "bill.number_taken", repair).await;
}
