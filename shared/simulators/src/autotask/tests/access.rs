use http::Method;
use serde_json::json;

use super::bench::{Bench, PUBLIC, error};
use crate::autotask::{Action, InventoryPermission};

#[tokio::test(start_paused = true)]
async fn the_zone_is_told_without_credentials_and_in_any_letter_case() {
    let bench = Bench::new();
    let path = format!("{PUBLIC}/ATSERVICESREST/v1.0/ZoneInformation?user=API%40msp.example");
    let request = http::Request::get(path).body(bytes::Bytes::new()).unwrap();
    let response = bench.send(request).await.unwrap();
    let zone: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(zone["zoneName"], "America East");
    assert_eq!(
        zone["url"],
        format!("{PUBLIC}/webservices3/ATServicesRest/")
    );
    assert_eq!(zone["webUrl"], format!("{PUBLIC}/ww3/"));
    assert_eq!(zone["ci"], bench.database.seed().number());
}

#[tokio::test(start_paused = true)]
async fn every_database_has_a_number_of_its_own_which_can_be_given_or_withheld() {
    let bench = Bench::new();
    let add = |api_user: &str, ci| {
        let api_user = api_user.to_owned();
        let seed = crate::autotask::DatabaseSeed {
            api_user,
            ci,
            ..crate::autotask::DatabaseSeed::default()
        };
        bench.simulators.autotask.add_database(seed)
    };
    let ask = async |user: &str| {
        let path = format!("{PUBLIC}/atservicesrest/v1.0/zoneInformation?user={user}");
        bench.get(&path).await.1["ci"].clone()
    };
    add("api@one.example", None);
    let two = add("api@two.example", None);
    add("api@three.example", Some(77));
    let (one, other) = (ask("api@one.example").await, ask("api@two.example").await);
    assert!(one.is_i64() && other.is_i64(), "{one} {other}");
    assert_ne!(one, other);
    assert_eq!(ask("api@three.example").await, 77);
    two.switch(|switches| switches.number_untold = true);
    assert_eq!(ask("api@two.example").await, serde_json::Value::Null);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_user_has_no_zone() {
    let bench = Bench::new();
    for user in ["", "nobody@x.example"] {
        let path = format!("{PUBLIC}/atservicesrest/v1.0/zoneInformation?user={user}");
        let (status, answer) = bench.get(&path).await;
        assert_eq!(status, 500);
        assert_eq!(
            answer,
            json!({ "errors": ["Zone information could not be determined"] })
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_version_is_told() {
    let bench = Bench::new();
    let path = format!("{PUBLIC}/atservicesrest/versioninformation");
    assert_eq!(
        bench.get(&path).await,
        (200, json!({ "apiVersions": ["V1.0"] }))
    );
}

#[tokio::test(start_paused = true)]
async fn a_wrong_integration_code_is_500() {
    let mut bench = Bench::new();
    bench.code = "WRONG".into();
    let (status, answer) = bench.get("ThresholdInformation").await;
    assert_eq!(
        (status, error(&answer)),
        (500, "IntegrationCode is invalid.")
    );
    bench
        .database
        .switch(|switches| switches.strict_integration_code = false);
    assert_eq!(bench.get("ThresholdInformation").await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn missing_headers_and_unknown_users_are_refused() {
    let bench = Bench::new();
    for (header, expected) in [
        ("UserName", 401),
        ("Secret", 401),
        ("ApiIntegrationCode", 500),
    ] {
        let mut request = bench.request(&Method::GET, "ThresholdInformation", "");
        request.headers_mut().remove(header);
        assert_eq!(
            bench.send(request).await.unwrap().status(),
            expected,
            "{header}"
        );
    }
    let mut request = bench.request(&Method::GET, "ThresholdInformation", "");
    request
        .headers_mut()
        .insert("UserName", "nobody@x.example".parse().unwrap());
    assert_eq!(bench.send(request).await.unwrap().status(), 500);
}

#[tokio::test(start_paused = true)]
async fn wrong_secrets_lock_the_user_even_for_the_right_one() {
    let mut bench = Bench::new();
    let right = std::mem::replace(&mut bench.secret, "wrong".into());
    for _ in 0..4 {
        assert_eq!(bench.get("ThresholdInformation").await.0, 401);
    }
    assert!(!bench.database.is_locked());
    assert_eq!(bench.get("ThresholdInformation").await.0, 401);
    assert!(bench.database.is_locked());
    assert_eq!(bench.database.failed_logins(), 5);
    bench.secret = right;
    assert_eq!(bench.get("ThresholdInformation").await.0, 401);
    bench.database.act(Action::Unlock {}).unwrap();
    assert_eq!(bench.get("ThresholdInformation").await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_right_secret_ends_the_row_of_failures() {
    let mut bench = Bench::new();
    for _ in 0..3 {
        let right = std::mem::replace(&mut bench.secret, "wrong".into());
        for _ in 0..4 {
            bench.get("ThresholdInformation").await;
        }
        bench.secret = right;
        assert_eq!(bench.get("ThresholdInformation").await.0, 200);
    }
    assert_eq!(bench.database.failed_logins(), 12);
}

#[tokio::test(start_paused = true)]
async fn an_expired_password_is_401_until_a_new_one_is_set() {
    let mut bench = Bench::new();
    bench.database.act(Action::ExpirePassword {}).unwrap();
    assert_eq!(bench.get("ThresholdInformation").await.0, 401);
    bench
        .database
        .act(Action::SetSecret {
            secret: "new".into(),
        })
        .unwrap();
    bench.secret = "new".into();
    assert_eq!(bench.get("ThresholdInformation").await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_moved_database_answers_only_in_its_new_zone() {
    let bench = Bench::new();
    let old = format!("{}V1.0/ThresholdInformation", bench.database.zone_url());
    bench
        .database
        .switch(|switches| switches.moved_to_zone = Some("webservices29".into()));
    assert_eq!(bench.get(&old).await.0, 401);
    assert_eq!(bench.database.failed_logins(), 0);
    assert!(
        bench
            .database
            .zone_url()
            .contains("/webservices29/ATServicesRest/")
    );
    assert_eq!(bench.get("ThresholdInformation").await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn without_inventory_permission_orders_are_refused_and_metadata_says_so() {
    let bench = Bench::new();
    for (permission, expected) in [
        (InventoryPermission::Forbidden, 403),
        (InventoryPermission::Failing, 500),
    ] {
        bench
            .database
            .switch(|switches| switches.inventory_permission = permission);
        let (status, answer) = bench.get("PurchaseOrders/4001").await;
        assert_eq!(status, expected);
        assert!(error(&answer).contains("does not have the adequate permissions"));
        let (_, information) = bench.get("PurchaseOrders/entityInformation").await;
        assert_eq!(information["info"]["userAccessForQuery"], 0);
        assert_eq!(bench.get("Companies/0").await.0, 200);
    }
}

#[tokio::test(start_paused = true)]
async fn addresses_and_verbs_that_do_not_exist() {
    let bench = Bench::new();
    assert_eq!(bench.get("Nonsense/query").await.0, 404);
    let long = format!("PurchaseOrders/query?search={}", "x".repeat(2_100));
    assert_eq!(bench.get(&long).await.0, 404);
    let wrong = [
        (Method::PATCH, "PurchaseOrders/4001"),
        (Method::GET, "PurchaseOrders"),
        (Method::DELETE, "PurchaseOrders/4001"),
        (Method::POST, "CompanyToDos"),
        (Method::POST, "PurchaseOrderItems"),
        (Method::POST, "Currencies"),
        (Method::POST, "Resources"),
        (Method::POST, "PurchaseOrders/entityInformation/fields"),
        (Method::PATCH, "PurchaseOrderItems/9001/Receiving"),
        (Method::PUT, "PurchaseOrders/query"),
    ];
    for (method, path) in wrong {
        let (status, answer) = bench.call(method.clone(), path, json!({})).await;
        assert_eq!(status, 405, "{method} {path}");
        let text = format!("The requested resource does not support http method '{method}'.");
        assert_eq!(answer["Message"], text);
    }
}

#[tokio::test(start_paused = true)]
async fn databases_do_not_see_each_other() {
    let bench = Bench::new();
    let other = crate::autotask::DatabaseSeed {
        api_user: "other@msp.example".into(),
        secret: "other".into(),
        ..Default::default()
    };
    let other = bench.simulators.autotask.add_database(other);
    assert!(other.orders().is_empty());
    let mut request = bench.request(&Method::GET, "PurchaseOrders/4001", "");
    request
        .headers_mut()
        .insert("UserName", "other@msp.example".parse().unwrap());
    assert_eq!(bench.send(request).await.unwrap().status(), 401);
    assert_eq!(other.failed_logins(), 1);
}
