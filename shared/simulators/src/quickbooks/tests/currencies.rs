use serde_json::json;

use super::{
    super::{PersonSeed, RealmSeed},
    Desk, REALM, amount, code, decimal, detail,
};

fn desk() -> Desk {
    Desk::of(RealmSeed::new(REALM, "World").with_multi_currency())
}

#[tokio::test]
async fn a_foreign_bill_needs_its_vendors_currency_a_rate_and_the_right_account() {
    let desk = desk();
    let euro = PersonSeed::new("Euro GmbH").in_currency("EUR");
    let vendor = desk.quickbooks.add_vendor(REALM, &euro).expect("a vendor");
    let payable = desk
        .quickbooks
        .payable_account(REALM, "EUR")
        .expect("made by itself");
    let home_payable = desk
        .quickbooks
        .payable_account(REALM, "USD")
        .expect("an account");
    let mut body = desk.bill("A");
    body["VendorRef"]["value"] = json!(vendor);
    assert_eq!(desk.refused("bill", body.clone()).await, "2020");
    body["CurrencyRef"] = json!({ "value": "USD" });
    let (_, answer) = desk.post("bill", body.clone()).await;
    assert_eq!(code(&answer), "6000");
    assert!(detail(&answer).contains("one foreign currency"));
    body["CurrencyRef"] = json!({ "value": "EUR" });
    assert_eq!(desk.refused("bill", body.clone()).await, "2410");
    body["ExchangeRate"] = json!(1.1);
    body["APAccountRef"] = json!({ "value": home_payable });
    assert_eq!(desk.refused("bill", body.clone()).await, "6000");
    body["APAccountRef"] = json!({ "value": payable });
    let (status, answer) = desk.post("bill", body).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        answer["Bill"]["APAccountRef"]["name"],
        "Accounts Payable (A/P) - EUR"
    );
    assert_eq!(amount(&answer["Bill"]["HomeBalance"]), decimal("23.10"));
}

#[tokio::test]
async fn a_home_bill_needs_no_rate_and_customers_may_not_bring_a_third_currency() {
    let desk = desk();
    let mut body = desk.bill("A");
    body["CurrencyRef"] = json!({ "value": "USD" });
    assert_eq!(desk.post("bill", body.clone()).await.0, 200);
    let seed = PersonSeed::new("Yen KK").in_currency("JPY");
    let customer = desk.quickbooks.add_customer(REALM, &seed).expect("ok");
    body["DocNumber"] = json!("B");
    body["Line"][0]["ItemBasedExpenseLineDetail"]["CustomerRef"] = json!({ "value": customer });
    assert_eq!(desk.refused("bill", body).await, "6000");
}

#[tokio::test]
async fn a_currency_is_chosen_once_or_ignored() {
    let desk = desk();
    let body = json!({ "DisplayName": "E", "CurrencyRef": { "value": "EUR" } });
    let (_, answer) = desk.post("vendor", body).await;
    assert_eq!(answer["Vendor"]["CurrencyRef"]["value"], "EUR");
    let id = answer["Vendor"]["Id"].clone();
    let body = json!({
        "Id": id, "SyncToken": "0", "sparse": true, "CurrencyRef": { "value": "USD" },
    });
    assert_eq!(desk.refused("vendor", body).await, "6000");
    desk.quickbooks
        .change_switches(|switches| switches.currency_ignored = true)
        .expect("ok");
    let body = json!({ "DisplayName": "F", "CurrencyRef": { "value": "EUR" } });
    let (status, answer) = desk.post("vendor", body).await;
    assert_eq!(
        (status, &answer["Vendor"]["CurrencyRef"]["value"]),
        (200, &json!("USD"))
    );
    let body = json!({ "DisplayName": "G", "CurrencyRef": { "value": "euro" } });
    assert_eq!(desk.refused("vendor", body).await, "2500");
}

#[tokio::test]
async fn without_multi_currency_nothing_foreign_is_taken() {
    let desk = Desk::new();
    let body = json!({ "DisplayName": "E", "CurrencyRef": { "value": "EUR" } });
    assert_eq!(desk.refused("vendor", body).await, "6000");
    let mut body = desk.bill("A");
    body["ExchangeRate"] = json!(1.2);
    assert_eq!(desk.refused("bill", body).await, "6000");
    let path = "exchangerate?sourcecurrencycode=EUR&asofdate=2026-01-15";
    assert_eq!(code(&desk.get(path).await.1), "5030");
}

#[tokio::test]
async fn rates_are_those_of_the_day() {
    let desk = desk();
    let add = |day: &str, rate: &str| {
        let day = day.parse().expect("a date");
        desk.quickbooks
            .add_exchange_rate(REALM, "EUR", day, decimal(rate))
            .expect("ok");
    };
    add("2026-01-01", "1.0857");
    add("2026-01-10", "1.0900");
    let rate = |answer: &serde_json::Value| amount(&answer["ExchangeRate"]["Rate"]);
    let (status, answer) = desk
        .get("exchangerate?sourcecurrencycode=EUR&asofdate=2026-01-09")
        .await;
    assert_eq!((status, rate(&answer)), (200, decimal("1.0857")));
    let (_, answer) = desk.get("exchangerate?sourcecurrencycode=EUR").await;
    assert_eq!(rate(&answer), decimal("1.09"));
    assert_eq!(answer["ExchangeRate"]["TargetCurrencyCode"], "USD");
    assert_eq!(desk.get("exchangerate?sourcecurrencycode=GBP").await.0, 400);
    desk.quickbooks.add_currency(REALM, "EUR").expect("ok");
    let (_, answer) = desk.query("SELECT * FROM CompanyCurrency").await;
    assert_eq!(answer["QueryResponse"]["CompanyCurrency"][0]["Code"], "EUR");
}
