use serde_json::{Value, json};

use super::{super::BillSeed, Desk, REALM, code, decimal};

async fn ids(desk: &Desk, statement: &str) -> Vec<String> {
    let (status, answer) = desk.query(statement).await;
    assert_eq!(status, 200, "{answer}");
    let response = answer["QueryResponse"].as_object().expect("an object");
    let rows = response
        .values()
        .find_map(Value::as_array)
        .cloned()
        .unwrap_or_default();
    rows.iter()
        .map(|row| row["Id"].as_str().expect("an id").to_owned())
        .collect()
}

fn filled(count: usize) -> Desk {
    let desk = Desk::new();
    for number in 1..=count {
        let amount = decimal(&format!("{number}.00"));
        let mut seed = BillSeed::new(&desk.vendor, &format!("N-{number}"), &desk.expense, amount);
        seed.date = Some("2026-01-05".parse().expect("a date"));
        desk.quickbooks.add_bill(REALM, &seed).expect("a bill");
    }
    desk
}

#[tokio::test]
async fn bills_are_found_by_number_vendor_total_date_and_time() {
    let desk = filled(5);
    assert_eq!(
        ids(&desk, "SELECT * FROM Bill WHERE DocNumber = 'n-3'").await,
        ["3"]
    );
    let many = "SELECT * FROM Bill WHERE DocNumber IN ('N-1', 'N-4', 'N-9')";
    assert_eq!(ids(&desk, many).await, ["4", "1"]);
    let vendor = format!("SELECT * FROM Bill WHERE VendorRef = '{}'", desk.vendor);
    assert_eq!(ids(&desk, &vendor).await.len(), 5);
    let total = "SELECT * FROM Bill WHERE TotalAmt >= '4' ORDERBY TotalAmt";
    assert_eq!(ids(&desk, total).await, ["4", "5"]);
    let day = "SELECT * FROM Bill WHERE TxnDate < '2026-01-05'";
    assert!(ids(&desk, day).await.is_empty());
    let window = "SELECT * FROM Bill WHERE MetaData.CreateTime >= '2026-01-15T09:59:00-08:00' \
                  AND MetaData.CreateTime <= '2026-01-15T10:01:00-08:00'";
    assert_eq!(ids(&desk, window).await.len(), 5);
    let later = "SELECT * FROM Bill WHERE Metadata.LastUpdatedTime > '2026-01-16'";
    assert!(ids(&desk, later).await.is_empty());
    let like = "SELECT * FROM Bill WHERE DocNumber LIKE 'N-%' ORDERBY DocNumber DESC";
    assert_eq!(ids(&desk, like).await, ["5", "4", "3", "2", "1"]);
    assert_eq!(
        ids(&desk, "SELECT * FROM Bill WHERE Id IN ('2', '5', '2')").await,
        ["5", "2"]
    );
}

#[tokio::test]
async fn pages_have_a_start_a_size_and_a_count() {
    let desk = filled(103);
    let (_, answer) = desk.query("SELECT * FROM Bill").await;
    let response = &answer["QueryResponse"];
    assert_eq!(
        (&response["startPosition"], &response["maxResults"]),
        (&json!(1), &json!(100))
    );
    let page = "SELECT * FROM Bill ORDERBY TotalAmt STARTPOSITION 101 MAXRESULTS 1000";
    assert_eq!(ids(&desk, page).await, ["101", "102", "103"]);
    let (_, answer) = desk
        .query("SELECT COUNT(*) FROM Bill WHERE TotalAmt > '100'")
        .await;
    assert_eq!(answer["QueryResponse"], json!({ "totalCount": 3 }));
    let (_, answer) = desk
        .query("SELECT * FROM Bill WHERE DocNumber = 'none'")
        .await;
    assert_eq!(answer["QueryResponse"], json!({}));
}

#[tokio::test]
async fn what_cannot_be_filtered_or_sorted_is_refused() {
    let desk = filled(1);
    let tail = |text: &str| format!("SELECT * FROM Bill {text}");
    for (text, expected) in [
        ("WHERE PrivateNote = 'x'", "4001"),
        ("WHERE CurrencyRef = 'USD'", "4001"),
        ("WHERE Id > '1'", "4001"),
        ("WHERE VendorRef LIKE '5%'", "4001"),
        ("WHERE TxnDate = 'soon'", "4001"),
        ("WHERE Active = true", "4001"),
        ("ORDERBY Id", "4001"),
        ("ORDERBY Balance", "4001"),
        ("STARTPOSITION 0", "4001"),
        ("MAXRESULTS 1001", "4001"),
        ("WHERE DocNumber = 'a''b'", "4000"),
        ("WHERE DocNumber = 'a' OR DocNumber = 'b'", "4000"),
    ] {
        let (status, answer) = desk.query(&tail(text)).await;
        assert_eq!((status, code(&answer).as_str()), (400, expected), "{text}");
    }
    let (_, answer) = desk.query("SELECT * FROM Custmoer").await;
    let detail = super::detail(&answer);
    assert_eq!(
        detail,
        "QueryValidationError: invalid context declaration: Custmoer"
    );
}

#[tokio::test]
async fn names_with_quotes_and_ampersands_are_found() {
    let desk = Desk::new();
    for name in [r"O'Brien & Sons", r"Back\slash"] {
        desk.post("vendor", json!({ "DisplayName": name })).await;
    }
    let (_, answer) = desk
        .query(r"SELECT * FROM Vendor WHERE DisplayName = 'o\'brien & sons'")
        .await;
    assert_eq!(
        answer["QueryResponse"]["Vendor"][0]["DisplayName"],
        "O'Brien & Sons"
    );
    let (_, answer) = desk
        .query(r"SELECT * FROM Vendor WHERE DisplayName = 'Back\\slash'")
        .await;
    assert_eq!(
        answer["QueryResponse"]["Vendor"][0]["DisplayName"],
        r"Back\slash"
    );
    let encoded = "query?query=SELECT%20*%20FROM%20Vendor%20WHERE%20DisplayName%20%3D%20\
                   %27O%5C%27Brien%20%26%20Sons%27";
    let (_, answer) = desk.get(encoded).await;
    assert_eq!(
        answer["QueryResponse"]["Vendor"]
            .as_array()
            .expect("rows")
            .len(),
        1
    );
}

#[tokio::test]
async fn a_post_query_is_plain_text() {
    let desk = Desk::new();
    let mut request = desk.request("POST", "query", "SELECT * FROM Vendor");
    let json = http::HeaderValue::from_static("application/json");
    request.headers_mut().insert("content-type", json);
    assert_eq!(desk.send(request).await.status(), 415);
}

#[tokio::test]
async fn accounts_are_found_by_type_and_items_by_sku() {
    let desk = Desk::new();
    let accounts = "SELECT * FROM Account WHERE AccountType = 'Accounts Payable'";
    assert_eq!(ids(&desk, accounts).await.len(), 1);
    let body = json!({
        "Name": "Mouse", "Type": "NonInventory", "Sku": "M-1",
        "ExpenseAccountRef": { "value": desk.expense },
    });
    desk.post("item", body).await;
    let items = "SELECT * FROM Item WHERE Sku IN ('m-1', 'x') AND Active IN (true, false)";
    assert_eq!(ids(&desk, items).await.len(), 1);
}

#[tokio::test]
async fn ten_thousand_bills_stay_quick() {
    let desk = filled(10_000);
    let started = std::time::Instant::now();
    for number in 1..=200 {
        let statement = format!("SELECT * FROM Bill WHERE DocNumber = 'N-{number}'");
        assert_eq!(ids(&desk, &statement).await.len(), 1);
    }
    let page = "SELECT * FROM Bill ORDERBY MetaData.LastUpdatedTime STARTPOSITION 9001 \
                MAXRESULTS 1000";
    assert_eq!(ids(&desk, page).await.len(), 1_000);
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}
