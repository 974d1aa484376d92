//! Health: what operators must know of a tenant although nothing about it moves.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    ids::{RealmId, TenantId},
    ports::{DocumentKind, Ledger, StoreError},
    record::{State, later},
    tenant::TenantStatus,
};

use super::{
    Engine, Ports,
    tried::{between, is_older},
};

/// The most open orders that are looked at; more than these in doubt raise the same alarm.
const OPEN_MAX: u32 = 200;
/// No wait is longer than this.
const DUE_MAX: Duration = Duration::from_hours(24 * 366);

/// What operators must know of one tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Orders in doubt for longer than [`Policy::doubt_age_max`](crate::policy::Policy).
    pub in_doubt_too_long: u64,
    /// Whether a stored connection is no longer accepted.
    pub needs_reconnect: bool,
    /// How long the order has waited that waits longest. A tenant that is stopped has none: its
    /// orders wait for a person, who has been told.
    pub oldest_open: Option<Duration>,
}

impl<P: Ports> Engine<P> {
    /// Looks at one tenant. Reads the store only.
    pub async fn health(&self, tenant: &TenantId) -> Result<Health, StoreError> {
        let now = self.now();
        let status = self.status(tenant).await?;
        let Some(realm) = status.realm.clone() else {
            return Ok(Health::default());
        };
        let oldest = self.ports.store().oldest_open(tenant).await?;
        let in_doubt_too_long = match oldest {
            Some(_) => self.in_doubt_too_long(tenant, &realm, now).await?,
            None => 0,
        };
        let is_stopped = status.blocked(now).is_some();
        let oldest = oldest.filter(|_| !is_stopped);
        Ok(Health {
            in_doubt_too_long,
            needs_reconnect: self.needs_reconnect(tenant, &status).await?,
            oldest_open: oldest.map(|(_, since)| between(since, now)),
        })
    }

    /// Every order in doubt is due some time, so that the few that are due need looking at.
    async fn in_doubt_too_long(
        &self,
        tenant: &TenantId,
        realm: &RealmId,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let store = self.ports.store();
        let far = later(now, DUE_MAX);
        let open = store.due(tenant, realm, far, OPEN_MAX).await?;
        let records = store.records(tenant, realm, &open).await?;
        let limit = self.policy.doubt_age_max;
        let is_old = |state: &State| match state {
            State::Planned { intent } => {
                intent.in_doubt && is_older(intent.first_sent.local, limit, now)
            }
            State::Queued
            | State::Created { .. }
            | State::Linked { .. }
            | State::Refused { .. }
            | State::NeedsPerson { .. }
            | State::Orphaned { .. }
            | State::Skipped { .. } => false,
        };
        let old = records.iter().filter(|record| is_old(&record.state));
        Ok(old.count() as u64)
    }

    /// A connection that a person took away needs nothing.
    async fn needs_reconnect(
        &self,
        tenant: &TenantId,
        status: &TenantStatus,
    ) -> Result<bool, StoreError> {
        let store = self.ports.store();
        for (broken, kind) in [
            (&status.autotask_broken, DocumentKind::Autotask),
            (&status.quickbooks_broken, DocumentKind::QuickBooks),
        ] {
            if broken.is_some() && store.document(tenant, kind).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::{
        notice::{Code, Notice},
        ports::Chance as _,
        record::Origin,
        tenant::Trouble,
        testing::{World, realm, tenant},
    };

    fn health(world: &World) -> Health {
        let engine = world.engine("sweeper");
        engine.health(&tenant()).now_or_never().unwrap().unwrap()
    }

    fn scan(world: &World) {
        let engine = world.engine("scanner");
        let run = crate::ids::RunNumber(1);
        let (tenant, trace) = (tenant(), world.trace());
        let scan = engine.scan(&tenant, run, &trace);
        scan.now_or_never().unwrap().unwrap();
    }

    fn status(trouble: Option<Trouble>) -> TenantStatus {
        TenantStatus {
            realm: Some(realm()),
            quickbooks_broken: trouble,
            ..TenantStatus::default()
        }
    }

    /// A world whose bill was sent without an answer.
    fn in_doubt() -> World {
        let world = World::new();
        scan(&world);
        world.lock().refusals.push(Code::OutcomeUnknown);
        world.sync(Origin::Scan).unwrap();
        world
    }

    #[test]
    fn an_order_in_doubt_is_told_once_the_doubt_is_old() {
        let world = in_doubt();
        let limit = crate::policy::Policy::default().doubt_age_max.as_secs();
        world.advance(limit);
        assert_eq!(health(&world).in_doubt_too_long, 0);
        world.advance(1);
        assert_eq!(health(&world).in_doubt_too_long, 1);
        world.settle_down(10);
        assert_eq!(health(&world).in_doubt_too_long, 0);
    }

    #[test]
    fn the_oldest_open_order_has_an_age_until_it_is_settled() {
        let world = World::new();
        assert_eq!(health(&world), Health::default());
        scan(&world);
        world.advance(400);
        let told = health(&world);
        assert_eq!(told.oldest_open, Some(Duration::from_secs(400)));
        assert_eq!(told.in_doubt_too_long, 0, "queued is not in doubt");
        world.sync(Origin::Scan).unwrap();
        assert_eq!(health(&world), Health::default());
        assert!(world.record().is_settled());
    }

    #[test]
    fn a_tenant_needs_a_reconnect_only_while_its_connection_is_stored() {
        let world = World::new();
        scan(&world);
        let trouble = Trouble {
            notice: Notice::new(Code::NotConnected),
            since: world.lock().now,
            recheck_at: None,
            is_told: true,
        };
        world.put(DocumentKind::Status, &status(Some(trouble)));
        assert!(!health(&world).needs_reconnect, "a person took it away");
        world.put(DocumentKind::QuickBooks, &"sealed");
        let told = health(&world);
        assert!(told.needs_reconnect);
        assert_eq!(told.oldest_open, None, "it waits for that person");
        world.put(DocumentKind::Status, &status(None));
        assert!(!health(&world).needs_reconnect);
    }
}
