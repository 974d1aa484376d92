//! Which orders our code is at right now: where it fails, that is known of those and of no other.

use std::{
    collections::BTreeSet,
    sync::{MutexGuard, PoisonError},
};

use crate::ids::{OrderId, TenantId};

use super::{Engine, Ports};

/// The orders that an attempt of this engine is at. One whose code failed leaves them here.
pub(super) struct AtWork<'a, P: Ports> {
    engine: &'a Engine<P>,
    tenant: TenantId,
    orders: Vec<OrderId>,
}

/// The orders that attempts are at, of every tenant.
pub(super) type Busy = BTreeSet<(TenantId, OrderId)>;

impl<P: Ports> Drop for AtWork<'_, P> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let mut busy = self.engine.busy();
        for order in &self.orders {
            busy.remove(&(self.tenant.clone(), *order));
        }
    }
}

impl<P: Ports> Engine<P> {
    fn busy(&self) -> MutexGuard<'_, Busy> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on, and until what is answered is dropped, our code is at these orders.
    pub(super) fn at_work(&self, tenant: &TenantId, orders: Vec<OrderId>) -> AtWork<'_, P> {
        let keys = orders.iter().map(|order| (tenant.clone(), *order));
        self.busy().extend(keys);
        AtWork {
            engine: self,
            tenant: tenant.clone(),
            orders,
        }
    }

    /// Whether an attempt that is over now was at this order when our code failed.
    pub(super) fn was_at(&self, tenant: &TenantId, order: OrderId) -> bool {
        self.busy().remove(&(tenant.clone(), order))
    }
}
