//! North Harbor's orders that show how vendors, customers and Items are matched.

use purser_core::notice::Code;

use crate::demo::world::case::{Case, billed, refused};

use super::{
    ACCESS_POINT, ARM, BAKERY, BEAUMONT, BLUEFIN, BUNDLE, CABLE, CASTLE, CLINIC, COBALT,
    DENTAL_COLON, DENTAL_DASH, DOCK, FAIRLINE, FIREWALL, HOTEL, INSTALLATION, JUNIPER, KEYBOARD,
    KEYSTONE, LAKESIDE, LAPTOPS, LODZ, LONG_BUYER, LONG_PRODUCT, LONG_SELLER, MERIDIAN, NIHON,
    NORTHGATE, O_BRIEN, RACK, RIDGEWAY, SCHOOL, SEAFOOD, SENSOR, SHELF_COLON, SHELF_DASH, SUMMIT,
    SWITCH, WHITFIELD,
};

/// The hotel once more, as an organisation that sells.
pub(super) const HOTEL_AS_SELLER: i64 = 316;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vendors();
    cases.extend(vendors_refused());
    cases.extend(customers());
    cases.extend(customers_refused());
    cases.extend(items());
    cases.extend(items_refused());
    cases
}

/// An order that differs from the others by its vendor only.
fn of(vendor: i64, case: Case) -> Case {
    case.from(vendor)
        .buyer(LAKESIDE)
        .line(SWITCH, 2, "187.40")
        .line(CABLE, 10, "2.05")
}

/// An order that differs from the others by its customer only.
fn to(customer: i64, case: Case) -> Case {
    case.from(COBALT)
        .buyer(customer)
        .line(SWITCH, 1, "189.00")
        .line(ACCESS_POINT, 1, "129.50")
}

/// An order that differs from the others by one product.
fn with(product: i64, case: Case) -> Case {
    case.from(COBALT)
        .buyer(LAKESIDE)
        .line(SWITCH, 1, "189.00")
        .line(product, 4, "74.25")
}

fn vendors() -> Vec<Case> {
    vec![
        of(
            NORTHGATE,
            billed(4801, "a vendor but for capitals and spaces", &[44]),
        ),
        of(
            FAIRLINE,
            billed(4802, "a vendor by its company name only", &[44]),
        ),
        of(
            O_BRIEN,
            billed(
                4803,
                "a vendor with apostrophe, ampersand and quotes",
                &[44],
            ),
        ),
        of(KEYSTONE, billed(4804, "a vendor that is created", &[46])),
        of(KEYSTONE, billed(4805, "the created vendor again", &[46])),
        of(
            LODZ,
            billed(
                4806,
                "a vendor in letters a US company cannot hold all of",
                &[46],
            ),
        ),
        of(MERIDIAN, billed(4807, "a vendor with colons", &[46])),
        of(
            LONG_SELLER,
            billed(4808, "a vendor of more than 100 characters", &[46]),
        ),
        of(LONG_SELLER, billed(4809, "the long vendor again", &[46])),
        of(BLUEFIN, billed(4810, "a vendor that settings map", &[44])),
    ]
}

fn vendors_refused() -> Vec<Case> {
    vec![
        of(
            HOTEL_AS_SELLER,
            refused(
                4821,
                Code::NameTaken,
                "the vendor's name is a customer's",
                &[39, 48],
            ),
        ),
        of(
            WHITFIELD,
            refused(
                4822,
                Code::NameTaken,
                "the vendor's name is an employee's",
                &[48, 49],
            ),
        ),
        of(
            RIDGEWAY,
            refused(
                4823,
                Code::NameInactive,
                "the vendor is inactive, so '(deleted)'",
                &[44],
            ),
        ),
        of(
            SUMMIT,
            refused(
                4824,
                Code::NameAmbiguous,
                "two vendors have this company name",
                &[44],
            ),
        ),
        of(
            JUNIPER,
            refused(
                4825,
                Code::OverrideMissing,
                "settings map to an inactive vendor",
                &[44],
            ),
        ),
        of(
            NIHON,
            refused(
                4826,
                Code::NameEmpty,
                "nothing of the vendor's name is left",
                &[49],
            ),
        ),
    ]
}

fn customers() -> Vec<Case> {
    vec![
        to(
            CLINIC,
            billed(4831, "a customer but for the shape of an apostrophe", &[45]),
        ),
        to(SCHOOL, billed(4832, "a customer that is created", &[47])),
        to(SCHOOL, billed(4833, "the created customer again", &[47])),
        to(
            BEAUMONT,
            billed(4834, "a customer with an apostrophe, created", &[47]),
        ),
        to(
            DENTAL_COLON,
            billed(4835, "a customer with a colon, created", &[47]),
        ),
        to(
            LONG_BUYER,
            billed(4836, "a customer of more than 500 characters", &[47]),
        ),
        to(LONG_BUYER, billed(4837, "the long customer again", &[47])),
        to(
            HOTEL,
            billed(
                4838,
                "a created vendor with a customer that is known",
                &[44, 45, 46],
            ),
        )
        .from(KEYSTONE),
    ]
}

fn customers_refused() -> Vec<Case> {
    vec![
        to(
            DENTAL_DASH,
            refused(
                4841,
                Code::NameCollision,
                "becomes the name of another customer",
                &[48],
            ),
        ),
        to(
            BAKERY,
            refused(4842, Code::NameInactive, "the customer is inactive", &[45]),
        ),
        to(
            SEAFOOD,
            refused(
                4843,
                Code::NameTaken,
                "the customer's name is a vendor's",
                &[48],
            ),
        ),
        to(
            COBALT,
            refused(
                4844,
                Code::NameTaken,
                "the customer is the vendor, who is known",
                &[48],
            ),
        ),
        to(
            CASTLE,
            refused(
                4845,
                Code::NameTaken,
                "the customer is the vendor, both missing",
                &[48],
            ),
        )
        .from(CASTLE),
    ]
}

fn items() -> Vec<Case> {
    vec![
        with(FIREWALL, billed(4851, "an Item that is created", &[50, 51])),
        with(FIREWALL, billed(4852, "the created Item again", &[50])),
        with(
            RACK,
            billed(4853, "a product with quotes and a colon, created", &[50]),
        ),
        with(
            LONG_PRODUCT,
            billed(4854, "a product of more than 100 characters", &[50]),
        ),
        with(LONG_PRODUCT, billed(4855, "the long product again", &[50])),
        with(
            SENSOR,
            billed(4856, "a product in letters a US company cannot hold", &[50]),
        ),
        with(
            KEYBOARD,
            billed(4857, "one created Item on two lines", &[41, 50]),
        )
        .line(KEYBOARD, 1, "71.00"),
    ]
}

/// Row 53 is shown by names that cannot be created: here they are refused before they are sent,
/// since no valid Item is known that QuickBooks itself would turn down.
fn items_refused() -> Vec<Case> {
    vec![
        with(
            SHELF_COLON,
            refused(
                4861,
                Code::NameCollision,
                "two products become one name",
                &[53],
            ),
        )
        .line(SHELF_DASH, 2, "19.00"),
        with(
            DOCK,
            refused(4862, Code::ItemInactive, "the Item is inactive", &[52]),
        ),
        with(
            INSTALLATION,
            refused(
                4863,
                Code::ItemNotPurchasable,
                "the Item is only sold",
                &[54],
            ),
        ),
        with(
            LAPTOPS,
            refused(
                4864,
                Code::ItemIsCategory,
                "a category has the product's name",
                &[53, 54],
            ),
        ),
        with(
            BUNDLE,
            refused(
                4865,
                Code::ItemIsCategory,
                "a bundle has the product's name",
                &[53, 54],
            ),
        ),
        with(
            ARM,
            refused(
                4866,
                Code::ItemAmbiguous,
                "two categories hold an Item of this name",
                &[52],
            ),
        ),
    ]
}
