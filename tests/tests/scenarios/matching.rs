//! Vendors, customers and Items: matched or created.

use purser_core::settings::Choice;
use purser_simulators::autotask::{LineSeed, OrderSeed, ProductSeed};
use purser_simulators::quickbooks::{ItemSeed, PersonSeed};
use purser_tests::stage::Stage;
use serde_json::Value;

fn named<'v>(list: &'v [Value], name: &str) -> Vec<&'v Value> {
    list.iter()
        .filter(|one| one["DisplayName"] == name || one["Name"] == name)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn vendor_and_customer_are_matched_whatever_spaces_and_capitals() {
    let mut stage = Stage::new().await;
    let seller = stage.new_seller("  ingram   SUPPLY ");
    let buyer = stage.new_buyer("LAKESIDE clinic");
    let purchase_for = Some(buyer);
    let order = stage.add(&OrderSeed {
        vendor: seller,
        purchase_for,
        ..stage.order()
    });
    stage.run().await;
    let bill = stage.assert_billed(order, "799.98").await;
    assert_eq!(bill["VendorRef"]["value"], stage.cast.vendor.as_str());
    let line = &bill["Line"][0]["ItemBasedExpenseLineDetail"];
    assert_eq!(line["CustomerRef"]["value"], stage.cast.customer.as_str());
    assert_eq!(stage.simulators.quickbooks.vendors(&stage.realm).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_vendor_is_found_by_its_only_company_name() {
    let mut stage = Stage::new().await;
    let vendor = PersonSeed {
        company_name: Some("Fairline Ltd".to_owned()),
        ..PersonSeed::new("Fairline (London)")
    };
    let vendor = stage.add_vendor(&vendor);
    let seller = stage.new_seller("Fairline Ltd");
    let order = stage.add(&OrderSeed {
        vendor: seller,
        ..stage.order()
    });
    stage.run().await;
    let bill = stage.assert_billed(order, "799.98").await;
    assert_eq!(bill["VendorRef"]["value"], vendor.as_str());
}

#[tokio::test(start_paused = true)]
async fn a_mapping_in_settings_goes_before_every_name() {
    let mut stage = Stage::new().await;
    let other = stage.add_vendor(&PersonSeed::new("Somebody Else"));
    let seller = stage.cast.seller.to_string();
    let mapped = other.clone();
    let map = move |settings: &mut purser_core::settings::SettingsDocument| {
        settings.vendor_overrides.insert(seller, mapped);
    };
    stage.change_settings(map).await;
    let order = stage.add_plain();
    stage.run().await;
    let bill = stage.assert_billed(order, "799.98").await;
    assert_eq!(bill["VendorRef"]["value"], other.as_str());
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_created_once_and_used_again() {
    let mut stage = Stage::new().await;
    let seller = stage.new_seller("Brightline Distribution");
    let buyer = stage.new_buyer("Harbor Dental");
    let product = stage.new_product("Access Point AX3");
    let mut seed = OrderSeed {
        vendor: seller,
        purchase_for: Some(buyer),
        ..stage.order()
    };
    seed.lines[0].product = Some(product);
    let orders = [stage.add(&seed), stage.add(&seed), stage.add(&seed)];
    stage.run().await;
    let later = stage.add(&seed);
    stage.restart().await;
    stage.run().await;
    for order in orders.into_iter().chain([later]) {
        stage.assert_billed(order, "799.98").await;
    }
    let books = &stage.simulators.quickbooks;
    assert_eq!(
        named(&books.vendors(&stage.realm), "Brightline Distribution").len(),
        1
    );
    assert_eq!(
        named(&books.customers(&stage.realm), "Harbor Dental").len(),
        1
    );
    let items = books.items(&stage.realm);
    let made = named(&items, "Access Point AX3");
    assert_eq!(made.len(), 1);
    assert_eq!(made[0]["Type"], "NonInventory");
    assert_eq!(
        made[0]["ExpenseAccountRef"]["value"],
        stage.cast.goods.as_str()
    );
}

#[tokio::test(start_paused = true)]
async fn an_order_for_own_use_has_no_customer() {
    let mut stage = Stage::new().await;
    for purchase_for in [None, Some(0)] {
        let order = stage.add(&OrderSeed {
            purchase_for,
            ..stage.order()
        });
        stage.run().await;
        let bill = stage.assert_billed(order, "799.98").await;
        assert!(bill["Line"][0]["ItemBasedExpenseLineDetail"]["CustomerRef"].is_null());
    }
}

#[tokio::test(start_paused = true)]
async fn forbidden_characters_and_long_names_are_sent_altered_and_found_again() {
    let mut stage = Stage::new().await;
    let long = format!("Long {}", "name ".repeat(30));
    for (name, sent) in [
        ("Meridian: East", "Meridian - East"),
        (long.as_str(), "Long name"),
    ] {
        let seller = stage.new_seller(name);
        for _ in 0..2 {
            let order = stage.add(&OrderSeed {
                vendor: seller,
                ..stage.order()
            });
            stage.run().await;
            stage.assert_billed(order, "799.98").await;
        }
        let vendors = stage.simulators.quickbooks.vendors(&stage.realm);
        let made = vendors.iter().filter(|vendor| {
            vendor["DisplayName"]
                .as_str()
                .is_some_and(|name| name.starts_with(sent))
        });
        assert_eq!(made.count(), 1, "{sent}");
    }
}

#[tokio::test(start_paused = true)]
async fn items_are_matched_by_sku_or_part_number_when_settings_say_so() {
    let mut stage = Stage::new().await;
    let goods = stage.cast.goods.clone();
    let sku = ItemSeed {
        sku: Some("FW-60F".to_owned()),
        ..ItemSeed::non_inventory("Firewall by SKU", &goods)
    };
    let (by_sku, by_part) = (
        stage.add_item(&sku),
        stage.add_item(&ItemSeed::non_inventory("MPN-60F", &goods)),
    );
    let product = ProductSeed {
        sku: Some("fw-60f".to_owned()),
        manufacturer_part_number: Some("MPN-60F".to_owned()),
        ..ProductSeed::named("Some other name")
    };
    let product = stage.database.add_product(&product);
    for (choice, item) in [("sku", by_sku), ("manufacturer_part_number", by_part)] {
        stage
            .change_settings(|settings| settings.item_match = Some(choice.to_owned()))
            .await;
        let line = LineSeed::of(product, 1, "5.00");
        let order = stage.add(&stage.empty_order().line(line));
        stage.run().await;
        let bill = stage.assert_billed(order, "5.00").await;
        let line = &bill["Line"][0]["ItemBasedExpenseLineDetail"];
        assert_eq!(line["ItemRef"]["value"], item.as_str(), "{choice}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_without_a_product_is_booked_on_the_chosen_account() {
    let mut stage = Stage::new().await;
    let account = Choice::either(&stage.cast.freight);
    stage
        .change_settings(|settings| settings.created_item_account = Some(account))
        .await;
    let line = LineSeed {
        unit_cost: Some("45.00".to_owned()),
        memo: Some("Imaging and asset tags".to_owned()),
        ..LineSeed::default()
    };
    let order = stage.add(&stage.order().line(line));
    stage.run().await;
    let bill = stage.assert_billed(order, "844.98").await;
    let line = &bill["Line"][1];
    assert_eq!(line["Description"], "Imaging and asset tags");
    let account = &line["AccountBasedExpenseLineDetail"]["AccountRef"]["value"];
    assert_eq!(*account, stage.cast.freight.as_str());
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_appears_while_it_is_created_is_adopted() {
    let mut stage = Stage::new().await;
    let seller = stage.new_seller("Brightline Distribution");
    let order = stage.add(&OrderSeed {
        vendor: seller,
        ..stage.order()
    });
    let realm = stage.realm.clone();
    let before = purser_tests::stage::Moment::Before;
    stage
        .tap
        .at(("POST", "/vendor", 1), before, move |simulators| {
            let vendor = PersonSeed::new("Brightline Distribution");
            simulators
                .quickbooks
                .add_vendor(&realm, &vendor)
                .expect("a vendor");
        });
    stage.run().await;
    stage.settle().await;
    assert_eq!(stage.tap.waiting(), 0);
    stage.assert_billed(order, "799.98").await;
    let vendors = stage.simulators.quickbooks.vendors(&stage.realm);
    assert_eq!(named(&vendors, "Brightline Distribution").len(), 1);
}
