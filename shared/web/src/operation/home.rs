//! The page people come back to: does everything work, and what needs a person.

use futures_util::try_join;
use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use purser_core::{
    ids::TenantId,
    ports::{DocumentKind, Ledger as _, RecordFilter},
    record::StateName,
    settings::Settings,
    tenant::{RunChain, TenantStatus, Trouble, Usage},
    usecase::load,
};

use super::rows::{row, states_of, tenant_notice};
use crate::{
    answer::Answer,
    app::{Seat, Web},
    call::Call,
    error::WebError,
    ports::LivePorts,
    view::{
        Calls, ConnectionState, ConnectionView, Counts, Day, Home, OldestWaiting, OrderRow,
        RunsView,
    },
};

/// The days of the chart.
const DAYS: i64 = 30;
/// Orders that need a person and are shown on the first page.
const SHOWN: u32 = 5;
/// What Autotask allows all programs of one database in an hour (vendor page `ThresholdAndUsage`).
const AUTOTASK_HOUR: u64 = 10_000;
/// What Purser allows itself in an hour: 350 calls a minute.
const QUICKBOOKS_HOUR: u64 = 350 * 60;
/// Reads that Intuit's free tier includes in a month for all companies of an app.
const READS_MONTH: u64 = 500_000;

/// Everything a page about a tenant begins with.
pub(super) struct Standing {
    pub(super) status: TenantStatus,
    pub(super) settings: Option<Settings>,
    pub(super) runs: RunChain,
    pub(super) has_autotask: bool,
    pub(super) has_quickbooks: bool,
}

impl Standing {
    pub(super) fn company(&self, tenant: &TenantId) -> String {
        let name = self.status.company_name.clone();
        name.unwrap_or_else(|| tenant.to_string())
    }

    pub(super) const fn is_connected(&self) -> bool {
        self.has_autotask && self.has_quickbooks
    }

    /// Whether a person has started the transfer.
    pub(super) const fn is_started(&self) -> bool {
        self.runs.next_at.is_some() || self.runs.started_at.is_some()
    }

    pub(super) const fn is_set_up(&self) -> bool {
        self.is_connected() && self.settings.is_some() && self.is_started()
    }

    pub(super) fn zone(&self) -> TimeZone {
        let company = self.status.company_time_zone.as_deref();
        match &self.settings {
            Some(settings) => settings.zone(company),
            None => company
                .and_then(|name| TimeZone::get(name).ok())
                .unwrap_or(TimeZone::UTC),
        }
    }

    pub(super) fn runs(&self) -> RunsView {
        let runs = &self.runs;
        RunsView {
            run: runs.run.0,
            is_running: runs.started_at.is_some() && runs.ended_at.is_none(),
            is_paused: self
                .settings
                .as_ref()
                .is_some_and(|settings| settings.days_back == 0),
            started_at: runs.started_at,
            ended_at: runs.ended_at,
            next_at: runs.next_at.filter(|_| self.is_connected()),
            seen: runs.counts.seen,
            eligible: runs.counts.eligible,
            ineligible: runs.counts.ineligible.values().sum(),
            billed: runs.counts.billed,
            refused: runs.counts.refused,
            left_alone: runs.counts.left_alone(),
            stopped: runs
                .stopped
                .as_ref()
                .map(|stopped| tenant_notice(&stopped.notice, &self.status)),
        }
    }

    pub(super) fn connections(&self, now: jiff::Timestamp) -> Vec<ConnectionView> {
        let status = &self.status;
        let autotask = (
            self.has_autotask,
            status.autotask_broken.as_ref(),
            status.autotask_quiet_until,
        );
        let quickbooks = (
            self.has_quickbooks,
            status.quickbooks_broken.as_ref(),
            status.quickbooks_quiet_until,
        );
        vec![
            self.connection(("Autotask", status.autotask_user.clone()), autotask, now),
            self.connection(("QuickBooks", status.company_name.clone()), quickbooks, now),
        ]
    }

    fn connection(
        &self,
        (system, to): (&'static str, Option<String>),
        (is_there, broken, quiet): (bool, Option<&Trouble>, Option<jiff::Timestamp>),
        now: jiff::Timestamp,
    ) -> ConnectionView {
        let quiet = quiet.filter(|until| now < *until);
        let (state, at) = match (is_there, broken, quiet) {
            (false, ..) => (ConnectionState::Missing, None),
            (true, Some(trouble), _) => (ConnectionState::NeedsReconnect, Some(trouble.since)),
            (true, None, Some(until)) => (ConnectionState::Quiet, Some(until)),
            (true, None, None) => (ConnectionState::Connected, None),
        };
        ConnectionView {
            system,
            state,
            to: to.filter(|_| is_there),
            notice: broken
                .filter(|_| is_there)
                .map(|trouble| tenant_notice(&trouble.notice, &self.status)),
            at,
        }
    }
}

/// Adds the records of one state to the outcome that people are told.
fn add(counts: &mut Counts, state: StateName, count: u64) {
    let place = match state {
        StateName::Linked => &mut counts.billed,
        StateName::Refused | StateName::NeedsPerson | StateName::Orphaned => &mut counts.refused,
        StateName::Queued | StateName::Planned | StateName::Created => &mut counts.waiting,
        StateName::Skipped => &mut counts.ineligible,
    };
    *place += count;
}

impl<P: LivePorts> Web<P> {
    pub(super) async fn standing(&self, tenant: &TenantId) -> Result<Standing, WebError> {
        let read = try_join!(
            self.engine.status(tenant),
            self.engine.settings(tenant),
            self.engine.runs(tenant),
            self.store().document(tenant, DocumentKind::Autotask),
            self.store().document(tenant, DocumentKind::QuickBooks),
        );
        let (status, settings, runs, autotask, quickbooks) = read?;
        Ok(Standing {
            status,
            settings,
            runs,
            has_autotask: autotask.is_some(),
            has_quickbooks: quickbooks.is_some(),
        })
    }

    pub(super) async fn counts(&self, tenant: &TenantId) -> Result<Counts, WebError> {
        let mut counts = Counts::default();
        for (state, count) in self.store().counts(tenant).await? {
            add(&mut counts, state, count);
        }
        Ok(counts)
    }

    pub(super) async fn newest(
        &self,
        call: &Call,
        (tenant, status): (&TenantId, &TenantStatus),
        outcome: &str,
    ) -> Result<Vec<OrderRow>, WebError> {
        let filter = RecordFilter {
            states: states_of(outcome).unwrap_or_default().to_vec(),
            limit: SHOWN,
            ..RecordFilter::default()
        };
        let records = self.store().list(tenant, &filter).await?;
        let rows = records.iter().map(|record| row(record, status, call.now));
        Ok(rows.collect())
    }

    async fn days(
        &self,
        call: &Call,
        tenant: &TenantId,
        zone: &TimeZone,
    ) -> Result<Vec<Day>, WebError> {
        let today = call.now.to_zoned_datetime(zone.clone()).date();
        let first = today.saturating_sub((DAYS - 1).days());
        let dates: Vec<Date> = (0..=DAYS)
            .map(|day| first.saturating_add(day.days()))
            .collect();
        let bounds = dates
            .iter()
            .map(|date| midnight(*date, zone))
            .collect::<Vec<_>>();
        let spans = self.store().counts_between(tenant, &bounds).await?;
        let days = dates.iter().zip(spans).map(|(date, span)| {
            let mut counts = Counts::default();
            for (state, count) in span {
                add(&mut counts, state, count);
            }
            Day {
                date: date.to_string(),
                counts,
            }
        });
        Ok(days.collect())
    }

    async fn calls(
        &self,
        call: &Call,
        tenant: &TenantId,
        settings: Option<&Settings>,
    ) -> Result<Calls, WebError> {
        let usage = load::<Usage>(self.store(), tenant, DocumentKind::Usage).await?;
        let usage = usage.map(|stored| stored.value).unwrap_or_default();
        let hour = usage.last_hour(call.now);
        let share = settings.map_or(50, |settings| settings.autotask_share_percent);
        Ok(Calls {
            autotask_last_hour: hour.autotask,
            autotask_share: AUTOTASK_HOUR * u64::from(share) / 100,
            autotask_limit: AUTOTASK_HOUR,
            quickbooks_last_hour: hour.quickbooks,
            quickbooks_limit: QUICKBOOKS_HOUR,
            quickbooks_reads_month: usage.this_month(call.now).quickbooks_reads,
            quickbooks_reads_limit: READS_MONTH,
        })
    }

    pub(crate) async fn home(&self, call: &Call, seat: &Seat) -> Result<Answer, WebError> {
        let tenant = &seat.tenant;
        let standing = self.standing(tenant).await?;
        if !standing.is_set_up() && !standing.is_started() && !call.wants_json {
            return Ok(Answer::to("/set-up"));
        }
        let status = &standing.status;
        let zone = standing.zone();
        let (oldest, needs_person, counts, days, calls) = try_join!(
            async { Ok(self.store().oldest_open(tenant).await?) },
            self.newest(call, (tenant, status), "refused"),
            self.counts(tenant),
            self.days(call, tenant, &zone),
            self.calls(call, tenant, standing.settings.as_ref()),
        )?;
        let trouble = status.trouble.as_ref();
        let home = Home {
            company: standing.company(tenant),
            is_set_up: standing.is_set_up(),
            trouble: trouble.map(|trouble| tenant_notice(&trouble.notice, status)),
            connections: standing.connections(call.now),
            runs: standing.runs(),
            oldest_waiting: oldest.map(|(order, since)| OldestWaiting {
                order: order.get(),
                since,
            }),
            needs_person,
            counts,
            days,
            calls,
        };
        Ok(Answer::show(("Home", "home"), home))
    }
}

/// The first moment of a day in a zone.
pub(super) fn midnight(date: Date, zone: &TimeZone) -> jiff::Timestamp {
    date.to_zoned_datetime(zone.clone())
        .map_or(jiff::Timestamp::MIN, |zoned| zoned.timestamp())
}
