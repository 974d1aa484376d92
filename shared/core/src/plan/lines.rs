//! The lines of the bill and the Items they need.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::{
    books::{AccountKind, Books, NameField, NewItem},
    ids::{AccountId, ItemId, ProductId},
    matching::{Names, match_item},
    money::{Currency, Money},
    notice::{Code, Notice},
    orders::{OrderLine, Product},
    settings::{ItemMatch, Settings},
    text::{ITEM_NAME_MAX, clean_name, clean_text, match_key},
};

use super::{Facts, NameUse, PlannedLine, PlannedTarget, Resolve};

/// Longest text of a line, in characters.
const DESCRIPTION_MAX: usize = 4000;
/// Longest purchase description of an Item, in characters.
const PURCHASE_DESCRIPTION_MAX: usize = 1000;
/// Longest SKU, in characters.
const SKU_MAX: usize = 100;
/// The most decimals a unit cost is sent with; a longer one goes as one piece at the line's amount.
const UNIT_COST_DECIMALS_MAX: u32 = 7;

pub(super) struct PlannedLines {
    pub(super) lines: Vec<PlannedLine>,
    pub(super) items: Vec<Resolve<ItemId, NewItem>>,
    pub(super) total: Money,
    pub(super) names: Vec<NameUse>,
}

struct Planner<'a> {
    facts: &'a Facts,
    books: &'a Books,
    settings: &'a Settings,
    currency: Currency,
    items: Vec<Resolve<ItemId, NewItem>>,
    places: BTreeMap<ProductId, usize>,
    /// Names to be created in this plan: match key to (place, Autotask name).
    created: BTreeMap<String, (usize, String)>,
    names: Vec<NameUse>,
}

pub(super) fn plan_lines(
    facts: &Facts,
    books: &Books,
    settings: &Settings,
    currency: Currency,
    remarks: &mut Vec<String>,
) -> Result<PlannedLines, Notice> {
    check_costs(facts)?;
    let mut planner = Planner {
        facts,
        books,
        settings,
        currency,
        items: Vec::new(),
        places: BTreeMap::new(),
        created: BTreeMap::new(),
        names: Vec::new(),
    };
    let mut lines = Vec::with_capacity(facts.lines.len() + 1);
    for (index, line) in facts.lines.iter().enumerate() {
        lines.push(planner.line(index + 1, line)?);
    }
    lines.extend(planner.freight(remarks)?);
    let mut total = Money::zero(currency);
    for line in &lines {
        let amount = Money::rounded(line.amount, currency);
        total = amount
            .and_then(|amount| total.plus(amount))
            .map_err(|_| planner.too_large())?;
    }
    Ok(PlannedLines {
        lines,
        items: planner.items,
        total,
        names: planner.names,
    })
}

/// A missing cost is never 0: some missing is this order's fault, none readable is the tenant's.
fn check_costs(facts: &Facts) -> Result<(), Notice> {
    if !facts.costs_readable && facts.lines.iter().all(|line| line.unit_cost.is_none()) {
        return Err(Notice::new(Code::CostsUnreadable));
    }
    Ok(())
}

impl Planner<'_> {
    fn say(&self, code: Code) -> Notice {
        Notice::new(code).with("order", self.facts.order.display_number())
    }

    fn too_large(&self) -> Notice {
        self.say(Code::AmountTooLarge)
    }

    fn line(&mut self, number: usize, line: &OrderLine) -> Result<PlannedLine, Notice> {
        let say = |code| self.say(code).with("line", number.to_string());
        let quantity = line.quantity.ok_or_else(|| say(Code::QuantityMissing))?;
        let unit_cost = line.unit_cost.ok_or_else(|| say(Code::CostMissing))?;
        let amount = Money::of_line(quantity, unit_cost, self.currency);
        let amount = amount.map_err(|_| self.too_large())?.amount();
        if amount.is_sign_negative() && !amount.is_zero() {
            return Err(say(Code::LineNegative));
        }
        let Some(product) = line.product else {
            let account = self.settings.creation_account();
            let account = account.ok_or_else(|| say(Code::LineWithoutProduct))?;
            let account = self.expense_account(account, "expense account for created Items")?;
            let description = self.description(line.memo.as_deref(), None);
            let target = PlannedTarget::Account { account };
            return Ok(PlannedLine {
                description,
                amount,
                target,
            });
        };
        let product = self.facts.products.get(&product);
        let product = product.ok_or_else(|| say(Code::ProductUnreadable))?;
        let index = self.item(product)?;
        let mut description = self.description(line.memo.as_deref(), Some(product));
        let unit_cost = unit_cost.normalize();
        let (quantity, unit_cost) = if unit_cost.scale() <= UNIT_COST_DECIMALS_MAX {
            (quantity.normalize(), unit_cost)
        } else {
            let text = description.unwrap_or_default();
            let text = format!("{text} ({} x {unit_cost})", quantity.normalize());
            description = Some(clean_text(
                &text,
                DESCRIPTION_MAX,
                self.books.company().alphabet(),
            ));
            (Decimal::ONE, amount)
        };
        let target = PlannedTarget::Item {
            index,
            quantity,
            unit_cost,
        };
        Ok(PlannedLine {
            description,
            amount,
            target,
        })
    }

    fn freight(&self, remarks: &mut Vec<String>) -> Result<Option<PlannedLine>, Notice> {
        // Less than half a cent is no freight.
        let is_none = |freight: &Decimal| {
            let amount = Money::rounded(*freight, self.currency);
            amount.is_ok_and(|amount| amount.amount().is_zero())
        };
        let freight = self.facts.order.freight;
        let Some(freight) = freight.filter(|freight| !is_none(freight)) else {
            return Ok(None);
        };
        let Some(account) = &self.settings.freight_account else {
            remarks.push(format!(
                "Freight of {freight} is left out because Settings name no freight account."
            ));
            return Ok(None);
        };
        let account = self.expense_account(&account.id, "freight account")?;
        let amount = Money::rounded(freight, self.currency)
            .map_err(|_| self.too_large())?
            .amount();
        if amount.is_sign_negative() {
            return Err(self.say(Code::LineNegative).with("line", "freight"));
        }
        let description = Some("Freight".to_owned());
        Ok(Some(PlannedLine {
            description,
            amount,
            target: PlannedTarget::Account { account },
        }))
    }

    fn expense_account(&self, id: &AccountId, field: &str) -> Result<AccountId, Notice> {
        let usable = self
            .books
            .account(id)
            .filter(|a| a.active && a.kind == AccountKind::Expense);
        match usable {
            Some(account) => Ok(account.id.clone()),
            None => Err(Notice::new(Code::AccountUnusable).with("field", field)),
        }
    }

    fn description(&self, memo: Option<&str>, product: Option<&Product>) -> Option<String> {
        let of_product = product.and_then(|product| product.description.as_deref());
        let name = product.map(|product| product.name.as_str());
        let texts = [memo, of_product, name].into_iter().flatten();
        let text = texts.map(str::trim).find(|text| !text.is_empty())?;
        Some(clean_text(
            text,
            DESCRIPTION_MAX,
            self.books.company().alphabet(),
        ))
    }

    fn item(&mut self, product: &Product) -> Result<usize, Notice> {
        if let Some(place) = self.places.get(&product.id) {
            return Ok(*place);
        }
        let place = self.resolve(product)?;
        self.places.insert(product.id, place);
        Ok(place)
    }

    fn resolve(&mut self, product: &Product) -> Result<usize, Notice> {
        let (field, key, word) = match self.settings.item_match {
            ItemMatch::Name => (NameField::Name, Some(product.name.as_str()), "name"),
            ItemMatch::Sku => (NameField::Sku, product.sku.as_deref(), "SKU"),
            ItemMatch::ManufacturerPartNumber => {
                let number = product.manufacturer_part_number.as_deref();
                (NameField::Name, number, "manufacturer part number")
            }
        };
        let Some(key) = key.map(str::trim).filter(|key| !key.is_empty()) else {
            let notice = Notice::new(Code::ItemKeyMissing).with("name", product.name.as_str());
            return Err(notice.with("field", word));
        };
        let alphabet = self.books.company().alphabet();
        let clean = clean_name(key, ITEM_NAME_MAX, alphabet);
        if let Some((item, how)) = match_item(
            self.books,
            field,
            Names {
                raw: key,
                clean: &clean,
            },
        )? {
            let (id, name) = (item.id.clone(), item.full_name.clone());
            if field == NameField::Name {
                self.names.push(name_use(product, key, &clean));
            }
            return Ok(self.place(Resolve::Use { id, name, how }));
        }
        let Some(account) = self.settings.creation_account() else {
            return Err(Notice::new(Code::ItemMissing).with("name", key));
        };
        let expense_account = self.expense_account(account, "expense account for created Items")?;
        let from = if field == NameField::Sku {
            product.name.as_str()
        } else {
            key
        };
        self.create(product, from, expense_account)
    }

    fn create(
        &mut self,
        product: &Product,
        from: &str,
        expense_account: AccountId,
    ) -> Result<usize, Notice> {
        let alphabet = self.books.company().alphabet();
        let name = clean_name(from, ITEM_NAME_MAX, alphabet);
        if name.chars().all(|c| !c.is_alphanumeric()) {
            return Err(self.say(Code::NameEmpty).with("role", "product"));
        }
        match self.created.get(&match_key(&name)) {
            Some((place, other)) if other == from => return Ok(*place),
            Some((_, other)) => {
                let notice = Notice::new(Code::NameCollision).with("name", from);
                return Err(notice.with("other", other.as_str()));
            }
            None => {}
        }
        let text = |text: Option<&str>, limit| {
            let clean = clean_text(text.unwrap_or_default(), limit, alphabet);
            (!clean.is_empty()).then_some(clean)
        };
        self.names.push(name_use(product, from, &name));
        let new = NewItem {
            name: name.clone(),
            sku: text(product.sku.as_deref(), SKU_MAX),
            purchase_description: text(product.description.as_deref(), PURCHASE_DESCRIPTION_MAX),
            expense_account,
        };
        let place = self.place(Resolve::Create {
            new,
            from: from.to_owned(),
        });
        self.created
            .insert(match_key(&name), (place, from.to_owned()));
        Ok(place)
    }

    fn place(&mut self, item: Resolve<ItemId, NewItem>) -> usize {
        self.items.push(item);
        self.items.len() - 1
    }
}

fn name_use(product: &Product, from: &str, clean: &str) -> NameUse {
    NameUse {
        role: "item",
        id: product.id.get(),
        from: from.to_owned(),
        clean: clean.to_owned(),
    }
}
