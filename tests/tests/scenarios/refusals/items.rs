//! Items that cannot stand on a bill.

use purser_simulators::{autotask::ProductSeed, quickbooks::ItemSeed};
use purser_tests::stage::Stage;
use serde_json::json;

use super::*;

#[tokio::test(start_paused = true)]
async fn an_item_that_quickbooks_refuses_to_create() {
    let stage = Stage::new().await;
    let order = of_product(&stage, stage.new_product("Docking station"));
    stage.simulators.faults.add(refusal("POST item"));
    refused(stage, order, "item.create_refused", |_| ()).await;
}

#[tokio::test(start_paused = true)]
async fn a_missing_item_when_items_are_not_created() {
    let stage = with(refuse_items).await;
    let order = of_product(&stage, stage.new_product("Docking station"));
    let repair = |stage: &Stage| {
        let item = ItemSeed::non_inventory("Docking station", &stage.cast.goods);
        stage.add_item(&item);
    };
    refused(stage, order, "item.missing", repair).await;
}

#[tokio::test(start_paused = true)]
async fn a_product_without_the_key_it_is_matched_by() {
    let stage = with(|settings| settings.item_match = Some("sku".to_owned())).await;
    let sku = Some("DOCK-1".to_owned());
    let goods = stage.cast.goods.clone();
    stage.add_item(&ItemSeed {
        sku: sku.clone(),
        ..ItemSeed::non_inventory("Dock", &goods)
    });
    let product = stage.new_product("Docking station");
    let order = of_product(&stage, product);
    let repair = |stage: &Stage| {
        let id = Some(product);
        stage.database.add_product(&ProductSeed {
            id,
            sku,
            ..ProductSeed::named("Docking station")
        });
    };
    refused(stage, order, "item.key_missing", repair).await;
}

#[tokio::test(start_paused = true)]
async fn an_inactive_item() {
    let stage = Stage::new().await;
    let goods = stage.cast.goods.clone();
    let item = ItemSeed {
        inactive: true,
        ..ItemSeed::non_inventory("Docking station", &goods)
    };
    stage.add_item(&item);
    let order = of_product(&stage, stage.new_product("Docking station"));
    let product = stage.cast.product;
    let repair = |stage: &Stage| set_line(stage, order, json!({ "productID": product }));
    refused(stage, order, "item.inactive", repair).await;
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_not_purchased() {
    let stage = Stage::new().await;
    let income = purser_simulators::quickbooks::AccountSeed::new("Sales", "Income");
    let income = stage
        .simulators
        .quickbooks
        .add_account(&stage.realm, &income)
        .expect("ok");
    let item = ItemSeed {
        name: "Installation".to_owned(),
        item_type: "Service".to_owned(),
        income_account: Some(income),
        ..ItemSeed::default()
    };
    stage.add_item(&item);
    let order = of_product(&stage, stage.new_product("Installation"));
    let product = stage.cast.product;
    let repair = |stage: &Stage| set_line(stage, order, json!({ "productID": product }));
    let stage = refused(stage, order, "item.not_purchasable", repair).await;
    let todo = &stage.todos_of(order)[0].description;
    assert!(
        todo.contains("The Item Installation is not set up for purchasing"),
        "{todo}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_a_category() {
    let stage = Stage::new().await;
    let item_type = "Category".to_owned();
    stage.add_item(&ItemSeed {
        name: "Racks".to_owned(),
        item_type,
        ..ItemSeed::default()
    });
    let order = of_product(&stage, stage.new_product("Racks"));
    let product = stage.cast.product;
    let repair = |stage: &Stage| set_line(stage, order, json!({ "productID": product }));
    refused(stage, order, "item.is_category", repair).await;
}

#[tokio::test(start_paused = true)]
async fn two_items_with_one_key() {
    let stage = with(|settings| settings.item_match = Some("sku".to_owned())).await;
    let goods = stage.cast.goods.clone();
    let sku = Some("DOCK-1".to_owned());
    for name in ["Dock A", "Dock B"] {
        stage.add_item(&ItemSeed {
            sku: sku.clone(),
            ..ItemSeed::non_inventory(name, &goods)
        });
    }
    let other = Some("DOCK-2".to_owned());
    stage.add_item(&ItemSeed {
        sku: other.clone(),
        ..ItemSeed::non_inventory("Dock C", &goods)
    });
    let product = ProductSeed {
        sku,
        ..ProductSeed::named("Dock")
    };
    let product = stage.database.add_product(&product);
    let order = of_product(&stage, product);
    let repair = |stage: &Stage| {
        let id = Some(product);
        stage.database.add_product(&ProductSeed {
            id,
            sku: other,
            ..ProductSeed::named("Dock")
        });
    };
    refused(stage, order, "item.ambiguous", repair).await;
}
