use serde_json::json;

use super::{
    super::{HumanAction, Kind, PersonSeed},
    Desk, REALM, amount, decimal,
};

#[tokio::test]
async fn a_full_update_needs_the_version_and_clears_what_is_left_out() {
    let desk = Desk::new();
    let mut body = desk.bill("A");
    body["PrivateNote"] = json!("marker");
    let (_, answer) = desk.post("bill", body).await;
    let mut bill = answer["Bill"].clone();
    bill.as_object_mut()
        .expect("an object")
        .remove("PrivateNote");
    let (status, changed) = desk.post("bill", bill.clone()).await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!(changed["Bill"]["SyncToken"], "1");
    assert!(changed["Bill"].get("PrivateNote").is_none());
    assert_eq!(changed["Bill"]["DocNumber"], "A");
    assert_eq!(desk.refused("bill", bill).await, "5010");
}

#[tokio::test]
async fn deleting_needs_the_version_and_no_payment() {
    let desk = Desk::new();
    desk.made_bill("A").await;
    let body = |token: &str| json!({ "Id": "1", "SyncToken": token });
    assert_eq!(
        desk.refused("bill?operation=delete", body("7")).await,
        "5010"
    );
    let (status, answer) = desk.post("bill?operation=delete", body("0")).await;
    assert_eq!(
        (status, &answer["Bill"]["status"]),
        (200, &json!("Deleted"))
    );
    assert_eq!(desk.get("bill/1").await.0, 400);
    assert_eq!(
        desk.refused("bill?operation=delete", body("1")).await,
        "610"
    );
    assert!(desk.quickbooks.live_bills(REALM).is_empty());
    let again = desk.made_bill("A").await;
    assert_eq!(again["Id"], "2");
    let pay = HumanAction::PayBill {
        realm: REALM.to_owned(),
        id: "2".to_owned(),
    };
    desk.quickbooks.act_as_person(pay).expect("paid");
    let paid = json!({ "Id": "2", "SyncToken": "1" });
    assert_eq!(desk.refused("bill?operation=delete", paid).await, "6000");
}

#[tokio::test]
async fn voiding_a_bill_answers_200_with_a_system_fault() {
    let desk = Desk::new();
    desk.made_bill("A").await;
    let body = json!({ "Id": "1", "SyncToken": "0" });
    let (status, answer) = desk.post("bill?operation=void", body).await;
    assert_eq!(status, 200);
    assert_eq!(answer["Fault"]["type"], "SystemFault");
    assert_eq!(desk.quickbooks.live_bills(REALM).len(), 1);
}

#[tokio::test]
async fn closed_books_refuse_bills_of_closed_days() {
    let desk = Desk::new();
    let close = |date: Option<&str>| {
        let date = date.map(|date| date.parse().expect("a date"));
        let action = HumanAction::CloseBooks {
            realm: REALM.to_owned(),
            date,
        };
        desk.quickbooks.act_as_person(action).expect("closed");
    };
    desk.made_bill("A").await;
    close(Some("2026-01-10"));
    assert_eq!(desk.refused("bill", desk.bill("B")).await, "6210");
    let gone = json!({ "Id": "1", "SyncToken": "0" });
    assert_eq!(desk.refused("bill?operation=delete", gone).await, "6210");
    close(Some("2026-01-09"));
    assert_eq!(desk.post("bill", desk.bill("B")).await.0, 200);
}

#[tokio::test]
async fn links_to_purchase_orders_need_every_part_or_vanish() {
    let desk = Desk::new();
    let mut order = desk.bill("PO-7");
    let payable = desk
        .quickbooks
        .payable_account(REALM, "USD")
        .expect("an account");
    assert_eq!(desk.refused("purchaseorder", order.clone()).await, "2020");
    order["APAccountRef"] = json!({ "value": payable });
    let (status, answer) = desk.post("purchaseorder", order).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["PurchaseOrder"]["POStatus"], "Open");
    let id = answer["PurchaseOrder"]["Id"].clone();
    let mut body = desk.bill("A");
    body["LinkedTxn"] = json!([{ "TxnId": id, "TxnType": "PurchaseOrder" }]);
    let (_, answer) = desk.post("bill", body.clone()).await;
    assert!(answer["Bill"].get("LinkedTxn").is_none());
    body["DocNumber"] = json!("B");
    body["Line"][0]["LinkedTxn"] =
        json!([{ "TxnId": id, "TxnType": "PurchaseOrder", "TxnLineId": "1" }]);
    let (_, answer) = desk.post("bill", body.clone()).await;
    assert_eq!(answer["Bill"]["LinkedTxn"][0]["TxnId"], id);
    body["DocNumber"] = json!("C");
    body["LinkedTxn"][0]["TxnId"] = json!("99");
    assert_eq!(desk.refused("bill", body).await, "620");
}

#[tokio::test]
async fn people_change_bills_behind_the_api() {
    let desk = Desk::new();
    desk.made_bill("A").await;
    let realm = || REALM.to_owned();
    let act = |action| desk.quickbooks.act_as_person(action).expect("done");
    let amount_after = decimal("99.99");
    let id = || "1".to_owned();
    act(HumanAction::EditBillLine {
        realm: realm(),
        id: id(),
        line: 1,
        amount: amount_after,
    });
    act(HumanAction::EditBillNote {
        realm: realm(),
        id: id(),
        note: Some("hello".to_owned()),
    });
    let bill = desk.quickbooks.bill(REALM, "1").expect("a bill");
    assert_eq!(amount(&bill["TotalAmt"]), amount_after);
    assert_eq!(
        (&bill["SyncToken"], &bill["PrivateNote"]),
        (&json!("2"), &json!("hello"))
    );
    let other = desk
        .quickbooks
        .add_vendor(REALM, &PersonSeed::new("Other"))
        .expect("ok");
    let (from, into) = (desk.vendor.clone(), other.clone());
    act(HumanAction::Merge {
        realm: realm(),
        kind: Kind::Vendor,
        from,
        into,
    });
    let bill = desk.quickbooks.bill(REALM, "1").expect("a bill");
    assert_eq!(bill["VendorRef"]["value"], other.as_str());
    assert_eq!(desk.get(&format!("vendor/{}", desk.vendor)).await.0, 400);
    let bill = super::super::BillSeed::new(&other, "A", &desk.expense, decimal("5.00"));
    let twin = act(HumanAction::EnterBill {
        realm: realm(),
        bill,
    });
    assert_eq!(desk.quickbooks.live_bills(REALM).len(), 2);
    act(HumanAction::DeleteBill {
        realm: realm(),
        id: twin,
    });
    assert_eq!(desk.quickbooks.live_bills(REALM).len(), 1);
    assert_eq!(desk.quickbooks.bills_ever(REALM), 2);
}
