//! Reading everything one message's orders need, in bulk.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::PoisonError,
};

use crate::{
    books::BillSummary,
    currency::order_currency,
    failure::Failure,
    ids::{OrderId, OrganisationId, ProductId},
    orders::{Order, OrderLine, Organisation, Product},
    plan::{Facts, bill_date, sought_number},
    ports::{Autotask, DocumentKind, QuickBooks},
    tenant::{Labels, TenantStatus},
};

use super::{Ports, attempt::Attempt, documents};

/// The most numbers one query asks for.
const NUMBERS_PER_QUERY: usize = 30;

impl<P: Ports> Attempt<'_, P> {
    /// Reads the facts of these orders; an order Autotask no longer shows has none.
    pub(super) async fn gather(
        &self,
        orders: Vec<Order>,
    ) -> Result<HashMap<OrderId, Facts>, Failure> {
        let ids: Vec<_> = orders.iter().map(|order| order.id).collect();
        let mut lines: HashMap<OrderId, Vec<OrderLine>> = HashMap::new();
        for line in self.autotask.lines(&ids).await? {
            lines.entry(line.order).or_default().push(line);
        }
        let products = self.products(&lines).await?;
        let organisations = self.organisations(&orders).await?;
        let currencies = self.autotask.currencies().await?;
        let labels = self.engine.labels(&self.tenant, &*self.autotask).await?;
        let costs_readable = self.costs_readable(&lines).await?;
        let mut facts = HashMap::new();
        for order in orders {
            let lines = lines.remove(&order.id).unwrap_or_default();
            let products = pick(&products, lines.iter().filter_map(|line| line.product));
            let named = [order.vendor, order.purchase_for].into_iter().flatten();
            let organisations = pick(&organisations, named);
            let fact = Facts {
                lines,
                products,
                organisations,
                currencies: currencies.clone(),
                payment_terms: labels.payment_terms.clone(),
                number_holders: Vec::new(),
                names: self.names.clone(),
                exchange_rate: None,
                costs_readable,
                read_at: self.engine.now(),
                order,
            };
            facts.insert(fact.order.id, fact);
        }
        self.read_number_holders(&mut facts).await?;
        self.read_rates(&mut facts).await?;
        Ok(facts)
    }

    async fn products(
        &self,
        lines: &HashMap<OrderId, Vec<OrderLine>>,
    ) -> Result<BTreeMap<ProductId, Product>, Failure> {
        let ids: BTreeSet<_> = lines
            .values()
            .flatten()
            .filter_map(|line| line.product)
            .collect();
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let ids: Vec<_> = ids.into_iter().collect();
        let products = self.autotask.products(&ids).await?;
        Ok(products
            .into_iter()
            .map(|product| (product.id, product))
            .collect())
    }

    async fn organisations(
        &self,
        orders: &[Order],
    ) -> Result<BTreeMap<OrganisationId, Organisation>, Failure> {
        let named = orders
            .iter()
            .flat_map(|order| [order.vendor, order.purchase_for]);
        let ids: BTreeSet<_> = named.flatten().collect();
        let ids: Vec<_> = ids.into_iter().collect();
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let organisations = self.autotask.organisations(&ids).await?;
        Ok(organisations.into_iter().map(|o| (o.id, o)).collect())
    }

    /// An API user that may not read costs sees none on any line. One order without costs does not
    /// prove that, so a sample is asked for before the whole tenant is stopped.
    async fn costs_readable(
        &self,
        lines: &HashMap<OrderId, Vec<OrderLine>>,
    ) -> Result<bool, Failure> {
        let mut all = lines.values().flatten();
        if lines.values().all(Vec::is_empty) || all.any(|line| line.unit_cost.is_some()) {
            return Ok(true);
        }
        Ok(self.autotask.report().await?.costs_readable == Some(true))
    }

    /// Which bills bear the orders' numbers already, for all orders in one query.
    async fn read_number_holders(
        &self,
        facts: &mut HashMap<OrderId, Facts>,
    ) -> Result<(), Failure> {
        let numbers: BTreeSet<_> = facts
            .values()
            .filter_map(|fact| sought_number(&fact.order, &self.settings))
            .collect();
        let numbers: Vec<_> = numbers.into_iter().collect();
        let mut holders: Vec<BillSummary> = Vec::new();
        for chunk in numbers.chunks(NUMBERS_PER_QUERY) {
            holders.extend(self.quickbooks.bills_numbered(chunk).await?);
        }
        for fact in facts.values_mut().filter(|_| !holders.is_empty()) {
            let Some(number) = sought_number(&fact.order, &self.settings) else {
                continue;
            };
            let key = crate::text::match_key(&number);
            let bears = |bill: &&BillSummary| {
                bill.number
                    .as_deref()
                    .is_some_and(|n| crate::text::match_key(n) == key)
            };
            fact.number_holders = holders.iter().filter(bears).cloned().collect();
        }
        Ok(())
    }

    async fn read_rates(&self, facts: &mut HashMap<OrderId, Facts>) -> Result<(), Failure> {
        let mut rates = HashMap::new();
        for fact in facts.values_mut() {
            let wanted = {
                let books = self.books.read().unwrap_or_else(PoisonError::into_inner);
                let seller = fact.vendor();
                let currency =
                    seller.and_then(|s| order_currency(&fact.currencies, &books, s).ok());
                let foreign = currency.filter(|c| *c != books.company().home_currency);
                let date = bill_date(&fact.order, &books, &self.settings, self.engine.now());
                foreign.map(|currency| (currency, date))
            };
            let Some((currency, date)) = wanted else {
                continue;
            };
            fact.exchange_rate = if let Some(rate) = rates.get(&(currency, date)) {
                *rate
            } else {
                let rate = self.quickbooks.exchange_rate(currency, date).await?;
                rates.insert((currency, date), rate);
                rate
            };
        }
        Ok(())
    }
}

impl<P: Ports> super::Engine<P> {
    /// Autotask's labels, read anew once a day.
    pub(super) async fn labels(
        &self,
        tenant: &crate::ids::TenantId,
        autotask: &impl Autotask,
    ) -> Result<Labels, Failure> {
        let store = self.ports.store();
        let now = self.now();
        let known = documents::load::<Labels>(store, tenant, DocumentKind::Labels).await?;
        if let Some(known) = known.map(|stored| stored.value)
            && let Some(read_at) = known.read_at
            && now < crate::record::later(read_at, self.policy.labels_age_max)
            && now >= read_at
        {
            return Ok(known);
        }
        let labels = Labels {
            read_at: Some(now),
            statuses: autotask.statuses().await?,
            payment_terms: autotask.payment_terms().await?,
        };
        documents::store(store, tenant, DocumentKind::Labels, &labels).await?;
        self.learn_database(tenant, autotask).await?;
        Ok(labels)
    }

    /// Notes which Autotask database the tenant works with, unless that is known already. It is
    /// only learnt here: what differs is refused where credentials are entered.
    async fn learn_database(
        &self,
        tenant: &crate::ids::TenantId,
        autotask: &impl Autotask,
    ) -> Result<(), Failure> {
        if let Some(database) = autotask.database().await? {
            let learn = |status: &mut TenantStatus| {
                let is_new = status.autotask_database.is_none();
                status
                    .autotask_database
                    .get_or_insert_with(|| database.clone());
                is_new
            };
            self.update_status(tenant, learn).await?;
        }
        Ok(())
    }
}

fn pick<K: Ord + Copy, V: Clone>(
    all: &BTreeMap<K, V>,
    keys: impl Iterator<Item = K>,
) -> BTreeMap<K, V> {
    keys.filter_map(|key| Some((key, all.get(&key)?.clone())))
        .collect()
}
