//! What happens to a tenant when a failure concerns all of its orders.

use jiff::Timestamp;

use crate::{
    failure::{Failure, FailureClass},
    ids::TenantId,
    notice::{Code, Notice, System},
    ports::{DocumentKind, Ledger, Mail, Outbox, Outside, StoreError},
    record::later,
    settings::Settings,
    tenant::{CallCounts, TenantStatus, Trouble, Usage},
};

use super::{Engine, Ports, documents};

impl<P: Ports> Engine<P> {
    /// The status of a tenant.
    pub async fn status(&self, tenant: &TenantId) -> Result<TenantStatus, StoreError> {
        let status = documents::load(self.ports.store(), tenant, DocumentKind::Status).await?;
        Ok(status.map(|stored| stored.value).unwrap_or_default())
    }

    /// The settings of a tenant, once they are saved.
    pub async fn settings(&self, tenant: &TenantId) -> Result<Option<Settings>, StoreError> {
        let settings = documents::load(self.ports.store(), tenant, DocumentKind::Settings).await?;
        Ok(settings.map(|stored| stored.value))
    }

    /// Changes the status of a tenant.
    pub async fn update_status(
        &self,
        tenant: &TenantId,
        change: impl FnMut(&mut TenantStatus) -> bool + Send,
    ) -> Result<(TenantStatus, bool), StoreError> {
        documents::update(self.ports.store(), tenant, DocumentKind::Status, change).await
    }

    /// Adds the calls this process made for a tenant to its account, and tells them.
    pub async fn note_calls(&self, tenant: &TenantId) -> Result<CallCounts, StoreError> {
        let calls = self.ports.outside().take_calls(tenant);
        if calls.is_zero() {
            return Ok(calls);
        }
        let now = self.now();
        let note = |usage: &mut Usage| {
            usage.note(calls, now);
            true
        };
        documents::update(self.ports.store(), tenant, DocumentKind::Usage, note).await?;
        Ok(calls)
    }

    /// Forgets what stopped a tenant: its settings or connections changed, or a person asks.
    pub async fn clear_trouble(&self, tenant: &TenantId) -> Result<(), StoreError> {
        self.books.forget(tenant);
        let clear = |status: &mut TenantStatus| status.trouble.take().is_some();
        self.update_status(tenant, clear).await.map(drop)
    }

    /// Notes a failure that concerns the whole tenant; others change nothing.
    ///
    /// A new trouble is told once by e-mail, when an address is known.
    pub(super) async fn note_failure(
        &self,
        tenant: &TenantId,
        failure: &Failure,
        settings: Option<&Settings>,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let trouble = |recheck_at| Trouble {
            notice: failure.notice.clone(),
            since: now,
            recheck_at,
            is_told: true,
        };
        let quiet = failure.retry_after.map(|wait| later(now, wait));
        let recheck = later(now, self.policy.trouble_recheck);
        let change = |status: &mut TenantStatus, is_new: &mut bool| match (
            failure.class(),
            failure.system(),
        ) {
            (FailureClass::Reconnect, Some(System::Autotask)) => {
                *is_new = replace(&mut status.autotask_broken, trouble(None));
                true
            }
            (FailureClass::Reconnect, Some(System::QuickBooks)) => {
                *is_new = replace(&mut status.quickbooks_broken, trouble(None));
                true
            }
            (FailureClass::Reconnect, None) => {
                *is_new = replace(&mut status.trouble, trouble(None));
                true
            }
            (FailureClass::TenantTrouble, _) if failure.code() == Code::ReadingRefused => {
                let soon = later(now, self.policy.sweep_interval);
                let (first, again) = (trouble(Some(soon)), trouble(Some(recheck)));
                *is_new = put_twice(&mut status.trouble, first, again, now);
                true
            }
            (FailureClass::TenantTrouble, _) => {
                *is_new = replace(&mut status.trouble, trouble(Some(recheck)));
                true
            }
            (FailureClass::Retry, Some(System::Autotask)) => {
                raise(&mut status.autotask_quiet_until, quiet)
            }
            (FailureClass::Retry, Some(System::QuickBooks)) => {
                raise(&mut status.quickbooks_quiet_until, quiet)
            }
            _ => false,
        };
        // Told before it is noted: a mail twice is better than one that nobody gets.
        let mut is_new = false;
        change(&mut self.status(tenant).await?, &mut is_new);
        if is_new {
            self.tell_trouble(tenant, &failure.notice, settings, now)
                .await?;
        }
        let note = |status: &mut TenantStatus| change(status, &mut false);
        self.update_status(tenant, note).await.map(drop)
    }

    pub(super) async fn tell_trouble(
        &self,
        tenant: &TenantId,
        notice: &Notice,
        settings: Option<&Settings>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(to) = settings.and_then(|settings| settings.digest_to.clone()) else {
            return Ok(());
        };
        let mail = Mail {
            tenant: tenant.clone(),
            to,
            subject: "Purser has stopped transferring purchase orders".to_owned(),
            text: format!(
                "{}\n\n{}\n\nCode: {}\n",
                notice.cause(),
                notice.remedy(),
                notice.code
            ),
            written_at: now,
        };
        self.ports.store().keep(mail).await.map(drop)
    }

    pub(super) async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        self.ports.store().tenants().await
    }
}

/// Puts a trouble in place that may have been a hiccup: it is tried again soon, and told when it is still
/// there then. True when it is to be told now.
fn put_twice(place: &mut Option<Trouble>, first: Trouble, again: Trouble, now: Timestamp) -> bool {
    match place {
        Some(old) if old.notice.code == first.notice.code => {
            if old.recheck_at.is_some_and(|at| now < at) {
                return false;
            }
            let (since, was_told) = (old.since, old.is_told);
            *old = Trouble { since, ..again };
            !was_told
        }
        _ => {
            *place = Some(Trouble {
                is_told: false,
                ..first
            });
            false
        }
    }
}

/// Puts a trouble in place; true when it is not the one that was already there.
fn replace(place: &mut Option<Trouble>, mut trouble: Trouble) -> bool {
    let same = place
        .as_ref()
        .filter(|old| old.notice.code == trouble.notice.code);
    let is_new = same.is_none();
    if let Some(old) = same {
        trouble.since = old.since;
        trouble.is_told |= old.is_told;
    }
    *place = Some(trouble);
    is_new
}

fn raise(until: &mut Option<Timestamp>, to: Option<Timestamp>) -> bool {
    match to {
        Some(to) if until.is_none_or(|until| until < to) => {
            *until = Some(to);
            true
        }
        _ => false,
    }
}
