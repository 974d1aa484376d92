//! Who and what is in the company of a stage, and builders for its orders.

use purser_core::settings::{Choice, SettingsDocument};
use purser_simulators::{
    Simulators,
    autotask::{CompanySeed, Database, LineSeed, OrderSeed, ProductSeed, ResourceSeed},
    quickbooks::{AccountSeed, ItemSeed, PersonSeed, QuickBooksSimulator},
};

use super::{Stage, StageStore};

/// The records that both systems have from the start.
#[derive(Clone, Debug)]
pub struct Cast {
    /// The organisation that sells, in Autotask.
    pub seller: i64,
    /// The organisation that buys, in Autotask.
    pub buyer: i64,
    /// The product, in Autotask.
    pub product: i64,
    /// The seller in QuickBooks.
    pub vendor: String,
    /// The buyer in QuickBooks.
    pub customer: String,
    /// The product in QuickBooks.
    pub item: String,
    /// The accounts payable account.
    pub payable: String,
    /// The expense account of goods.
    pub goods: String,
    /// The expense account of freight.
    pub freight: String,
    /// The action type of error to-dos.
    pub action_type: i64,
    /// Who gets error to-dos.
    pub bookkeeper: i64,
}

impl Cast {
    /// The name of the account that freight is booked on.
    pub const FREIGHT_ACCOUNT: &str = "Freight and Delivery";
    /// The name of the seller in both systems.
    pub const SELLER: &'static str = "Ingram Supply";
    /// The name of the buyer in both systems.
    pub const BUYER: &'static str = "Lakeside Clinic";
    /// The name of the product in both systems.
    pub const PRODUCT: &'static str = "Firewall 60F";

    pub(crate) fn enter(simulators: &Simulators, database: &Database, realm: &str) -> Self {
        let books = &simulators.quickbooks;
        let account = |name, kind| {
            let account = AccountSeed::new(name, kind);
            books.add_account(realm, &account).expect("an account")
        };
        let goods = account("Hardware for Resale", "Cost of Goods Sold");
        let home = if books.payable_account(realm, "USD").is_some() {
            "USD"
        } else {
            "GBP"
        };
        let person = PersonSeed::new;
        Self {
            seller: database.add_company(&CompanySeed::vendor(Self::SELLER)),
            buyer: database.add_company(&CompanySeed::customer(Self::BUYER)),
            product: database.add_product(&ProductSeed::named(Self::PRODUCT)),
            vendor: books
                .add_vendor(realm, &person(Self::SELLER))
                .expect("a vendor"),
            customer: books
                .add_customer(realm, &person(Self::BUYER))
                .expect("a customer"),
            item: add_item(books, realm, Self::PRODUCT, &goods),
            payable: books.payable_account(realm, home).expect("an account"),
            freight: account(Self::FREIGHT_ACCOUNT, "Expense"),
            goods,
            action_type: database.add_action_type("Accounting follow-up", true),
            bookkeeper: database.add_resource(&ResourceSeed::person("Olivia", "Bennett")),
        }
    }

    /// Settings that create what is missing and let QuickBooks number the bills.
    pub fn settings(&self) -> SettingsDocument {
        SettingsDocument {
            version: Some(1),
            days_back: Some(30),
            number_source: Some("quickbooks".to_owned()),
            missing_item: Some("create".to_owned()),
            created_item_account: Some(Choice::either(&self.goods)),
            payable_account: Some(Choice::either(&self.payable)),
            todo_action_type: Some(Choice::either(&self.action_type.to_string())),
            todo_resource: Some(Choice::either(&self.bookkeeper.to_string())),
            ..SettingsDocument::default()
        }
    }
}

fn add_item(books: &QuickBooksSimulator, realm: &str, name: &str, account: &str) -> String {
    let item = ItemSeed::non_inventory(name, account);
    books.add_item(realm, &item).expect("an item")
}

impl<S: StageStore> Stage<S> {
    /// A submitted order of now, 2 pieces at 399.99: 799.98.
    pub fn order(&self) -> OrderSeed {
        let line = LineSeed::of(self.cast.product, 2, "399.99").memo("For the new office");
        OrderSeed {
            purchase_for: Some(self.cast.buyer),
            ..OrderSeed::submitted(self.cast.seller)
        }
        .line(line)
    }

    /// The same order without lines.
    pub fn empty_order(&self) -> OrderSeed {
        OrderSeed {
            lines: Vec::new(),
            ..self.order()
        }
    }

    /// Puts an order into Autotask.
    pub fn add(&self, order: &OrderSeed) -> i64 {
        self.database.add_order(order)
    }

    /// Puts the plain order into Autotask.
    pub fn add_plain(&self) -> i64 {
        self.add(&self.order())
    }

    /// A product that only Autotask knows.
    pub fn new_product(&self, name: &str) -> i64 {
        self.database.add_product(&ProductSeed::named(name))
    }

    /// A product that both systems know.
    pub fn known_product(&self, name: &str) -> i64 {
        add_item(
            &self.simulators.quickbooks,
            &self.realm,
            name,
            &self.cast.goods,
        );
        self.new_product(name)
    }

    /// An organisation that sells and that only Autotask knows.
    pub fn new_seller(&self, name: &str) -> i64 {
        self.database.add_company(&CompanySeed::vendor(name))
    }

    /// An organisation that buys and that only Autotask knows.
    pub fn new_buyer(&self, name: &str) -> i64 {
        self.database.add_company(&CompanySeed::customer(name))
    }

    /// An Item that only QuickBooks knows.
    pub fn add_item(&self, item: &ItemSeed) -> String {
        let books = &self.simulators.quickbooks;
        books.add_item(&self.realm, item).expect("an item")
    }

    /// A vendor that only QuickBooks knows.
    pub fn add_vendor(&self, vendor: &PersonSeed) -> String {
        let books = &self.simulators.quickbooks;
        books.add_vendor(&self.realm, vendor).expect("a vendor")
    }

    /// A customer that only QuickBooks knows.
    pub fn add_customer(&self, customer: &PersonSeed) -> String {
        let books = &self.simulators.quickbooks;
        books
            .add_customer(&self.realm, customer)
            .expect("a customer")
    }
}
