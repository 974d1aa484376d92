//! The catalogue: every "no" and every trouble a person can meet, in one sentence of cause and one
//! of remedy. The same words stand in the to-do, on the page, in the API and in the e-mail.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::failure::FailureClass;

/// The outside system a failure came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum System {
    /// Autotask PSA.
    Autotask,
    /// QuickBooks Online, its sign-in included.
    QuickBooks,
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Autotask => "Autotask",
            Self::QuickBooks => "QuickBooks",
        })
    }
}

/// Where a person goes to do what the remedy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// The order in Autotask (no documented address; shown as text).
    Order,
    /// The bill in QuickBooks.
    Bill,
    /// The vendor organisation in Autotask.
    VendorOrganisation,
    /// Purser's settings.
    Settings,
    /// Purser's connections.
    Connection,
    /// The lists of QuickBooks (vendors, customers, Items).
    QuickBooksLists,
    /// QuickBooks' own company settings.
    QuickBooksCompany,
    /// Nothing to open: wait, or contact support.
    Support,
}

struct Entry {
    code: &'static str,
    class: FailureClass,
    system: Option<System>,
    link: Link,
    cause: &'static str,
    remedy: &'static str,
}

macro_rules! catalogue {
    ($($name:ident = $code:literal, $class:ident, $system:expr, $link:ident,
        $cause:literal, $remedy:literal;)*) => {
        /// A stable name for one refusal or trouble.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $cause] $name,)*
        }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            const fn entry(self) -> Entry {
                match self {
                    $(Self::$name => Entry {
                        code: $code,
                        class: FailureClass::$class,
                        system: $system,
                        link: Link::$link,
                        cause: $cause,
                        remedy: $remedy,
                    },)*
                }
            }
        }
    };
}

const AT: Option<System> = Some(System::Autotask);
const QB: Option<System> = Some(System::QuickBooks);

catalogue! {
    // What the order itself says.
    NoLines = "order.no_lines", Refuse, None, Order,
        "Order {order} has no lines.",
        "Add lines in Autotask or cancel the order, then retry.";
    CostMissing = "order.cost_missing", Refuse, None, Order,
        "Line {line} of order {order} has no unit cost.",
        "Enter the unit cost in Autotask, then retry.";
    QuantityMissing = "order.quantity_missing", Refuse, None, Order,
        "Line {line} of order {order} has no quantity.",
        "Enter the quantity in Autotask, then retry.";
    LineNegative = "order.line_negative", Refuse, None, Order,
        "Line {line} of order {order} has a negative amount, which a bill cannot hold.",
        "Correct the quantity or the unit cost in Autotask, or enter a vendor credit in QuickBooks by hand.";
    AmountTooLarge = "order.amount_too_large", Refuse, None, Order,
        "An amount on order {order} is larger than QuickBooks can hold.",
        "Correct the quantity or the unit cost in Autotask, then retry.";
    VendorUnreadable = "order.vendor_unreadable", Refuse, None, Order,
        "The vendor of order {order} cannot be read in Autotask.",
        "Choose a vendor that exists and that the API user may see, then retry.";
    CustomerUnreadable = "order.customer_unreadable", Refuse, None, Order,
        "The organisation that order {order} is purchased for cannot be read in Autotask.",
        "Choose an organisation that exists and that the API user may see, then retry.";
    ProductUnreadable = "order.product_unreadable", Refuse, None, Order,
        "The product on line {line} of order {order} cannot be read in Autotask.",
        "Choose a product that exists and that the API user may see, then retry.";
    LineWithoutProduct = "order.line_without_product", Refuse, None, Settings,
        "Line {line} of order {order} names no product, and creating Items is switched off.",
        "Choose a product in Autotask, or choose 'Create the Item' with an expense account in Settings, then retry.";
    NumberTooLong = "order.number_too_long", Refuse, None, Order,
        "The order number {number} is longer than the 21 characters QuickBooks takes.",
        "Shorten the number in Autotask, or let QuickBooks assign numbers in Settings, then retry.";
    NumberInUse = "order.number_in_use", Refuse, None, Bill,
        "QuickBooks already has a bill with the number {number}.",
        "If that bill is this order, enter its number in External PO Number; else change one of the two numbers and retry.";
    OrderUnreadable = "order.unreadable", Refuse, None, Order,
        "Order {order} cannot be read in Autotask.",
        "Check the id and that the API user may see the order, then retry.";

    // Names.
    NameTaken = "name.taken", Refuse, None, QuickBooksLists,
        "The {role} {name} cannot be created because {holder} in QuickBooks has this name.",
        "Rename that record in QuickBooks, or map the organisation to a {role} in Settings, then retry.";
    NameInactive = "name.inactive", Refuse, None, QuickBooksLists,
        "The {role} {name} is inactive in QuickBooks.",
        "Make it active again, map the organisation to another {role} in Settings, or rename it so that a new one can be created, then retry.";
    NameAmbiguous = "name.ambiguous", Refuse, None, QuickBooksLists,
        "QuickBooks has more than one {role} for the name {name}.",
        "Map the organisation to the right {role} in Settings, or rename the others, then retry.";
    NameEmpty = "name.empty", Refuse, None, Order,
        "The {role} of order {order} has a name that is empty once QuickBooks' forbidden characters are taken out.",
        "Give it another name in Autotask, then retry.";
    NameCollision = "name.collision", Refuse, None, Order,
        "The Autotask names {name} and {other} become the same name in QuickBooks.",
        "Rename one of them in Autotask, or map an organisation in Settings, then retry.";
    OverrideMissing = "name.override_missing", Refuse, None, Settings,
        "The {role} that Settings map for {name} is missing or inactive in QuickBooks.",
        "Correct the mapping in Settings or make the {role} active again, then retry.";
    VendorRefused = "vendor.create_refused", Refuse, QB, QuickBooksLists,
        "QuickBooks refused to create the vendor {name}: {detail}",
        "Create the vendor in QuickBooks by hand or correct its name in Autotask, then retry.";
    CustomerRefused = "customer.create_refused", Refuse, QB, QuickBooksLists,
        "QuickBooks refused to create the customer {name}: {detail}",
        "Create the customer in QuickBooks by hand or correct its name in Autotask, then retry.";

    // Items.
    ItemMissing = "item.missing", Refuse, None, QuickBooksLists,
        "QuickBooks has no Item for the product {name}.",
        "Create the Item in QuickBooks, or choose 'Create the Item' in Settings, then retry.";
    ItemKeyMissing = "item.key_missing", Refuse, None, Order,
        "The product {name} has no {field}, by which Settings match Items.",
        "Fill in that field in Autotask, or match by name in Settings, then retry.";
    ItemInactive = "item.inactive", Refuse, None, QuickBooksLists,
        "The Item {name} is inactive in QuickBooks.",
        "Make it active again or rename it so that a new one can be created, then retry.";
    ItemNotPurchasable = "item.not_purchasable", Refuse, None, QuickBooksLists,
        "The Item {name} is not set up for purchasing in QuickBooks.",
        "Tick 'I purchase this from a vendor' on the Item and choose its expense account, then retry.";
    ItemIsCategory = "item.is_category", Refuse, None, QuickBooksLists,
        "The name {name} belongs to a {kind} in QuickBooks, which cannot stand on a bill.",
        "Rename the {kind} in QuickBooks or the product in Autotask, then retry.";
    ItemAmbiguous = "item.ambiguous", Refuse, None, QuickBooksLists,
        "QuickBooks has more than one Item for {name}.",
        "Rename or deactivate the others in QuickBooks, then retry.";
    ItemRefused = "item.create_refused", Refuse, QB, QuickBooksLists,
        "QuickBooks refused to create the Item {name}: {detail}",
        "Create the Item in QuickBooks by hand or correct the product in Autotask, then retry.";

    // Currencies.
    CurrencyMismatch = "currency.mismatch", Refuse, None, VendorOrganisation,
        "The vendor {name} uses {autotask} in Autotask and {quickbooks} in QuickBooks.",
        "Give the vendor the same currency on both sides, or map it to another vendor in Settings, then retry.";
    CurrencyForeignVendor = "currency.foreign_vendor", Refuse, None, QuickBooksLists,
        "The vendor {name} uses {quickbooks} in QuickBooks, while Autotask has no multi-currency.",
        "Map the organisation to a vendor in the home currency in Settings, then retry.";
    CurrencyUnknown = "currency.unknown", Refuse, None, VendorOrganisation,
        "The currency of the vendor {name} is not in Autotask's currency list.",
        "Choose a currency for the vendor in Autotask, then retry.";
    CurrencyIgnored = "currency.ignored", Refuse, QB, QuickBooksLists,
        "QuickBooks created the vendor {name} in {quickbooks} although {autotask} was asked for.",
        "Create a vendor in {autotask} in QuickBooks by hand, make the other one inactive, then retry.";
    PayableAccountMissing = "currency.no_payable_account", Refuse, None, QuickBooksCompany,
        "QuickBooks has no accounts payable account in {currency}.",
        "Create one in the chart of accounts, then retry.";
    RateMissing = "currency.rate_missing", Refuse, QB, QuickBooksCompany,
        "QuickBooks has no exchange rate for {currency} on {date}.",
        "Enter the rate in QuickBooks under Currencies, then retry.";

    // The bill.
    BillRefused = "bill.refused", Refuse, QB, Order,
        "QuickBooks refused the bill: {detail}",
        "Correct what it names in QuickBooks or Autotask, then retry.";
    BooksClosed = "bill.books_closed", Refuse, QB, QuickBooksCompany,
        "The books are closed up to {date}, and the bill would be dated on or before that day.",
        "Reopen the period in QuickBooks or choose another bill date in Settings, then retry.";
    BillNumberTaken = "bill.number_taken", Refuse, QB, Bill,
        "QuickBooks refused the bill because its number {number} is already used.",
        "If that bill is this order, enter its number in External PO Number; else change one of the two numbers and retry.";
    BillDeleted = "bill.deleted", Refuse, None, Bill,
        "The bill {number} of order {order} was deleted in QuickBooks.",
        "To create it again, clear External PO Number in Autotask; else leave it as it is.";

    // What only a person can decide.
    SeveralBills = "conflict.several_bills", Refuse, None, Bill,
        "QuickBooks holds more than one bill made for order {order}: {bills}.",
        "Delete all but one of them in QuickBooks, then retry.";
    BillTwice = "conflict.bill_twice", Refuse, None, Bill,
        "Beside the bill {bill} of order {order} QuickBooks holds another one made for it: {others}.",
        "Delete what is too many in QuickBooks, keep the bill {bill}, then retry.";
    BillStray = "conflict.bill_stray", Refuse, None, Bill,
        "QuickBooks holds what was made for order {order}, and External PO Number does not name it: bill {bills}.",
        "Delete in QuickBooks what is wrong; to keep the bill {bill}, clear External PO Number; then retry.";
    BillDiffers = "conflict.bill_differs", Refuse, None, Bill,
        "The bill {bill} made for order {order} has another vendor, currency or total than was sent.",
        "Check the bill; if it is right, enter its number in External PO Number, else delete it and retry.";
    BillVendorDiffers = "conflict.vendor_differs", Refuse, None, Bill,
        "QuickBooks put the bill {bill} on the vendor {other} instead of {name}.",
        "Check the bill; if it is right, enter its number in External PO Number, else delete it and retry.";
    BillByHand = "conflict.bill_by_hand", Refuse, None, Bill,
        "While order {order} was being sent, somebody entered the bill {bill} with the same number.",
        "If that bill is this order, enter its number in External PO Number; else change its number and retry.";
    NumberByHand = "conflict.number_by_hand", Refuse, None, Order,
        "External PO Number of order {order} holds another number than that of its bill {bill}.",
        "Keep one: delete the bill in QuickBooks, or replace External PO Number with the bill's number.";
    OrderAnother = "order.another", Refuse, None, Connection,
        "Order id {order} is another order in Autotask now than the one that was billed, so nothing is written to it.",
        "Enter an API user of the Autotask database that the bill is from, then retry; an order of another database has to be entered in QuickBooks by hand.";
    GivenUp = "waiting.given_up", Refuse, None, Support,
        "Order {order} could not be finished within {hours} hours: {cause}",
        "{remedy} Then retry.";
    OrderDefect = "order.defect", Refuse, None, Support,
        "Order {order} could not be finished because of a fault in Purser.",
        "Please send the support bundle of the order, then retry.";
    WriteBackRefused = "autotask.write_refused", Refuse, AT, Order,
        "Autotask refused to store the number of the bill: {detail}",
        "Correct what it names in Autotask, then retry.";

    // The tenant: every order would fail alike.
    ReadingRefused = "tenant.reading_refused", TenantTrouble, None, Connection,
        "What every order needs cannot be read, so nothing is transferred: {cause}",
        "{remedy} It is tried again every hour.";
    CostsUnreadable = "tenant.costs_unreadable", TenantTrouble, AT, Connection,
        "The Autotask API user may not read costs: no line of any order shows one.",
        "Give the API user a security level that can read costs, then check the connection.";
    AccountUnusable = "tenant.account_unusable", TenantTrouble, None, Settings,
        "The {field} chosen in Settings is missing, inactive or of the wrong type in QuickBooks.",
        "Choose another account in Settings.";
    TaxCodeMissing = "tenant.tax_code_missing", TenantTrouble, None, Settings,
        "This QuickBooks company needs a tax code on each line, and Settings name none that is active.",
        "Choose the purchase tax code in Settings.";
    QuickBooksCurrencyOff = "tenant.quickbooks_currency_off", TenantTrouble, None, QuickBooksCompany,
        "Multi-currency is on in Autotask and off in QuickBooks, so nothing is transferred.",
        "Switch multi-currency on in QuickBooks; it cannot be switched off again.";
    InternalCurrencyMissing = "tenant.internal_currency_missing", TenantTrouble, AT, Connection,
        "Autotask shows no internal currency to the API user.",
        "Give the API user the right to read currencies, then check the connection.";
    StatusUnknown = "tenant.status_unknown", TenantTrouble, None, Settings,
        "Autotask has no purchase order status called Submitted.",
        "Choose the status that means Submitted in Settings.";
    PlanTooSmall = "tenant.plan_too_small", TenantTrouble, QB, QuickBooksCompany,
        "The QuickBooks plan does not include what is needed: {detail}",
        "Change to QuickBooks Online Plus or Advanced.";
    SubscriptionEnded = "tenant.subscription_ended", TenantTrouble, QB, QuickBooksCompany,
        "The QuickBooks subscription has ended.",
        "Renew it, then check the connection.";
    QuickBooksPermission = "tenant.quickbooks_permission", TenantTrouble, QB, Connection,
        "The QuickBooks user who connected may not do this: {detail}",
        "Connect again as an administrator of the company.";
    AutotaskPermission = "tenant.autotask_permission", TenantTrouble, AT, Connection,
        "The Autotask API user may not do this: {detail}",
        "Give its security level the Inventory rights View and Create, then check the connection.";
    TodoRefused = "tenant.todo_refused", TenantTrouble, AT, Settings,
        "Autotask refused the error to-do: {detail}",
        "Choose an active person who is not an API user, and an active action type, in Settings.";
    SettingsMissing = "tenant.settings_missing", TenantTrouble, None, Settings,
        "The settings of this tenant are not complete.",
        "Save the settings first.";

    // The connections.
    AutotaskUnauthorised = "connection.autotask_unauthorised", Reconnect, AT, Connection,
        "Autotask refused the API user: the user name or secret is wrong, the user is locked or inactive, its password expired (it should be an API-only user), or it moved to another zone.",
        "Check the user in Autotask under Resources, then enter its credentials again; nothing is tried until then, so that the user is not locked.";
    AutotaskIntegrationCode = "connection.autotask_integration_code", Reconnect, AT, Connection,
        "Autotask does not accept the integration code.",
        "Copy the tracking identifier of the API user from Autotask and enter it again.";
    AutotaskUserUnknown = "connection.autotask_user_unknown", Reconnect, AT, Connection,
        "Autotask knows no API user of this name.",
        "Check the user name (it looks like an e-mail address) and enter it again.";
    AutotaskOtherDatabase = "connection.autotask_other_database", Reconnect, AT, Connection,
        "These credentials belong to another Autotask database than the one this company's history is from.",
        "Enter an API user of the same database: by order id the history would take other orders for its own.";
    AutotaskHostRefused = "connection.autotask_host_refused", Reconnect, AT, Connection,
        "The zone that Autotask named is not an https address under autotask.net, so no secret was sent.",
        "Check the network for interception, then check the connection.";
    QuickBooksDisconnected = "connection.quickbooks_disconnected", Reconnect, QB, Connection,
        "QuickBooks no longer accepts the stored connection: it was revoked or has expired.",
        "Connect to QuickBooks again.";
    QuickBooksForbidden = "connection.quickbooks_forbidden", Reconnect, QB, Connection,
        "QuickBooks refuses this connection for this company: the company id belongs to another connection, the app was disconnected, or the user was removed.",
        "Connect to QuickBooks again as an administrator of the right company.";
    QuickBooksClientRefused = "connection.quickbooks_client_refused", Reconnect, QB, Connection,
        "Intuit does not accept the app's client id or secret.",
        "Check PURSER_INTUIT_CLIENT_ID and PURSER_INTUIT_CLIENT_SECRET.";
    NotConnected = "connection.missing", Reconnect, None, Connection,
        "This company is not connected to both Autotask and QuickBooks.",
        "Connect it (on the page Connection, or with purser connection add), then try again.";

    // What may pass by itself.
    AutotaskUnreachable = "wait.autotask_unreachable", Retry, AT, Support,
        "Autotask cannot be reached.",
        "Nothing to do: it is tried again by itself.";
    AutotaskFailing = "wait.autotask_failing", Retry, AT, Support,
        "Autotask answers with an error of its own.",
        "Nothing to do: it is tried again by itself.";
    AutotaskRowUnreadable = "wait.autotask_row", Retry, AT, Order,
        "Autotask shows a record that this order needs, and its field {field} cannot be read.",
        "Correct that field in Autotask.";
    AutotaskThrottled = "wait.autotask_throttled", Retry, AT, Support,
        "Autotask asks to slow down.",
        "Nothing to do: it is tried again by itself.";
    AutotaskQuota = "wait.autotask_quota", Retry, AT, Support,
        "This hour's share of Autotask calls is used up.",
        "Nothing to do: it goes on within the hour; the share can be changed in Settings.";
    WriteBackNotKept = "wait.write_not_kept", Retry, AT, Support,
        "Autotask accepted the number but does not show it yet.",
        "Nothing to do: it is checked again by itself.";
    OrderNotShown = "wait.order_not_shown", Retry, AT, Support,
        "Autotask does not show order {order} at the moment.",
        "Nothing to do: it is read again by itself.";
    QuickBooksUnreachable = "wait.quickbooks_unreachable", Retry, QB, Support,
        "QuickBooks cannot be reached.",
        "Nothing to do: it is tried again by itself.";
    QuickBooksFailing = "wait.quickbooks_failing", Retry, QB, Support,
        "QuickBooks answers with an error of its own.",
        "Nothing to do: it is tried again by itself.";
    QuickBooksThrottled = "wait.quickbooks_throttled", Retry, QB, Support,
        "QuickBooks asks to slow down.",
        "Nothing to do: it is tried again by itself.";
    QuickBooksTokenPending = "wait.quickbooks_token", Retry, QB, Support,
        "The connection to QuickBooks is being renewed.",
        "Nothing to do: it is tried again by itself.";
    StoreBusy = "wait.store_busy", Retry, None, Support,
        "Purser's own storage did not answer in time.",
        "Check disk space and try again.";
    Overtaken = "wait.overtaken", Retry, None, Support,
        "Another attempt is working on this order.",
        "Nothing to do: its result is shown here.";
    TimeShort = "wait.time_short", Retry, None, Support,
        "There was not enough time left to send what comes next safely.",
        "Nothing to do: it is sent with the next attempt.";

    // What the protocol handles by itself.
    OutcomeUnknown = "doubt.outcome_unknown", InDoubt, QB, Support,
        "QuickBooks did not say whether the bill was made.",
        "Nothing to do: it is looked up, and sent again only if it is not there.";
    TodoOutcomeUnknown = "doubt.todo_unknown", InDoubt, AT, Support,
        "Autotask did not say whether the to-do was made.",
        "Nothing to do: it is looked up, and made again only if it is not there.";
    NumberMayLand = "doubt.number_may_land", InDoubt, AT, Support,
        "{number}, which is out of date, may still be on its way into External PO Number of order {order}.",
        "Nothing to do: in a few minutes the order is read again, and goes on from what it says then.";
    AccessTokenStale = "token.stale", Refresh, QB, Support,
        "The QuickBooks access token has expired.",
        "Nothing to do: it is renewed by itself.";
    NameInUse = "quickbooks.name_in_use", Adopt, QB, QuickBooksLists,
        "QuickBooks already has a record with this name.",
        "Nothing to do: it is looked up.";
    DocNumberInUse = "quickbooks.number_in_use", Adopt, QB, Bill,
        "QuickBooks already has a bill with this number.",
        "Nothing to do: it is looked up.";
    ReferenceGone = "quickbooks.reference_gone", Replan, QB, QuickBooksLists,
        "Something this order refers to has changed in QuickBooks: {detail}",
        "Check that vendor, customer, Items and accounts are active, then retry.";
    QuickBooksRefused = "quickbooks.refused", Refuse, QB, QuickBooksLists,
        "QuickBooks refused the request: {detail}",
        "Correct what it names, then retry.";
    AutotaskRefused = "autotask.refused", Refuse, AT, Order,
        "Autotask refused the request: {detail}",
        "Correct what it names, then retry.";
    AttemptFailed = "bug.attempt", Bug, None, Support,
        "An attempt at order {order} ended because of a fault in Purser.",
        "It is tried again by itself; please send the support bundle of the order.";
    QuickBooksBug = "bug.quickbooks_request", Bug, QB, Support,
        "Purser sent QuickBooks a request that it does not understand.",
        "This is a fault in Purser: please send the support bundle.";
    AutotaskBug = "bug.autotask_request", Bug, AT, Support,
        "Purser sent Autotask a request that it does not understand.",
        "This is a fault in Purser: please send the support bundle.";
}

impl Code {
    /// The stable text of the code.
    pub fn as_str(self) -> &'static str {
        self.entry().code
    }

    /// The class that decides what happens next.
    pub fn class(self) -> FailureClass {
        self.entry().class
    }

    /// The outside system it came from, when it came from one.
    pub fn system(self) -> Option<System> {
        self.entry().system
    }

    /// Where a person goes to follow the remedy.
    pub fn link(self) -> Link {
        self.entry().link
    }

    /// The code with this text.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_text(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("unknown code {text}")))
    }
}

/// A code with the words that fill its sentences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The code.
    pub code: Code,
    /// The words, by the name they have in the catalogue.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub words: BTreeMap<String, String>,
}

/// The longest word put into a sentence, in characters.
const WORD_MAX: usize = 300;

impl Notice {
    /// A notice without words.
    pub fn new(code: Code) -> Self {
        Self {
            code,
            words: BTreeMap::new(),
        }
    }

    /// Adds a word, shortened and without control characters.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        let value: String = value.into();
        let clean = value
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(WORD_MAX);
        self.words
            .insert(key.to_owned(), clean.collect::<String>().trim().to_owned());
        self
    }

    /// One sentence of cause.
    pub fn cause(&self) -> String {
        self.fill(self.code.entry().cause)
    }

    /// One sentence of remedy.
    pub fn remedy(&self) -> String {
        self.fill(self.code.entry().remedy)
    }

    /// Whether it passes by itself, so that there is nothing for a person to do.
    pub fn passes(&self) -> bool {
        self.code.entry().remedy.starts_with("Nothing to do")
    }

    /// Cause and remedy in one line.
    pub fn text(&self) -> String {
        format!("{} {}", self.cause(), self.remedy())
    }

    fn fill(&self, template: &str) -> String {
        let mut text = String::with_capacity(template.len() + 40);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let Some((key, tail)) = after.split_once('}') else {
                rest = after;
                break;
            };
            text.push_str(self.words.get(key).map_or("(unknown)", String::as_str));
            rest = tail;
        }
        text.push_str(rest);
        if text.ends_with(['.', '!', '?']) {
            text
        } else {
            text + "."
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_unique_readable_and_round_trips() {
        let texts: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        for code in Code::ALL {
            let json = serde_json::to_string(code).unwrap();
            assert_eq!(serde_json::from_str::<Code>(&json).unwrap(), *code);
            let notice = Notice::new(*code);
            assert!(notice.cause().len() > 20, "{code}");
            assert!(notice.remedy().len() > 10, "{code}");
            assert!(!notice.text().contains(['{', '}']), "{code}");
        }
        assert!(serde_json::from_str::<Code>("\"no.such\"").is_err());
    }

    #[test]
    fn what_passes_by_itself_asks_nobody() {
        assert!(Notice::new(Code::QuickBooksFailing).passes());
        assert!(!Notice::new(Code::NoLines).passes());
    }

    #[test]
    fn words_fill_the_sentence_and_cannot_break_it() {
        let notice = Notice::new(Code::ItemMissing).with("name", "Fire\nwall {order}");
        assert_eq!(
            notice.cause(),
            "QuickBooks has no Item for the product Fire wall {order}."
        );
        let long = Notice::new(Code::ItemMissing).with("name", "x".repeat(5000));
        assert!(long.cause().len() < 400);
    }

    #[test]
    fn the_text_of_a_notice_is_its_cause_and_its_remedy() {
        let notice = Notice::new(Code::ItemMissing).with("name", "Firewall");
        let text = format!("{} {}", notice.cause(), notice.remedy());
        assert_eq!(notice.text(), text);
        assert!(text.starts_with("QuickBooks has no Item for the product Firewall. "));
    }
}
