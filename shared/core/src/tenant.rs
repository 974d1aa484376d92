//! What is stored about one tenant besides its orders: connections, state, runs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{
    books::Company,
    ids::{RealmId, RunNumber},
    notice::{Code, Notice},
    orders::PickListValue,
    plan::NameUse,
    text::match_key,
};

/// The Autotask API user of one tenant. Never serialised as it is; the vault seals it.
#[derive(Clone, Debug)]
pub struct AutotaskCredentials {
    /// The API user's name.
    pub user: String,
    /// Its secret.
    pub secret: SecretString,
    /// The tracking identifier.
    pub integration_code: SecretString,
}

/// Which Autotask database an API user belongs to: a number that Autotask gave its customer.
///
/// It stays the same when the database moves to another zone, unlike the addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AutotaskDatabase(String);

impl AutotaskDatabase {
    /// Takes the number as text.
    pub const fn new(text: String) -> Self {
        Self(text)
    }
}

/// The right to call QuickBooks for one realm. Never serialised as it is; the vault seals it.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The realm it is for.
    pub realm: RealmId,
    /// The refresh token to use next.
    pub refresh_token: SecretString,
    /// The one before it, which may live on for a day.
    pub previous_refresh_token: Option<SecretString>,
    /// The access token and when it expires.
    pub access: Option<AccessToken>,
    /// When the refresh token expires if it is not used.
    pub refresh_expires_at: Option<Timestamp>,
    /// When the refresh token expires whatever happens.
    pub hard_expires_at: Option<Timestamp>,
    /// A refresh is under way until this moment at the latest.
    pub refreshing_until: Option<Timestamp>,
    /// When the refresh token was last used with success.
    pub refreshed_at: Option<Timestamp>,
    /// When `invalid_grant` was first answered for this very token.
    pub doubted_at: Option<Timestamp>,
    /// True once it is certain that Intuit no longer accepts it.
    pub revoked: bool,
}

/// An access token.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The token.
    pub token: SecretString,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// A stored value with the version that a conditional write must name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored<T> {
    /// The value.
    pub value: T,
    /// Its version; rises by one with each write.
    pub version: u64,
}

/// The state of one tenant: what every function reads before it calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TenantStatus {
    /// The realm bills go to.
    pub realm: Option<RealmId>,
    /// The company's name, for people.
    pub company_name: Option<String>,
    /// Set when Autotask no longer accepts the credentials; nothing is called until then.
    pub autotask_broken: Option<Trouble>,
    /// Set when QuickBooks no longer accepts the connection.
    pub quickbooks_broken: Option<Trouble>,
    /// Set when every order would fail alike.
    pub trouble: Option<Trouble>,
    /// No call to Autotask before this.
    pub autotask_quiet_until: Option<Timestamp>,
    /// No call to QuickBooks before this.
    pub quickbooks_quiet_until: Option<Timestamp>,
    /// When a person last asked for something.
    pub person_active_at: Option<Timestamp>,
    /// When bills were last reconciled.
    pub reconciled_at: Option<Timestamp>,
    /// Where people open Autotask, for links; ends with a slash.
    pub autotask_web_url: Option<String>,
    /// The name of the Autotask API user, for people.
    pub autotask_user: Option<String>,
    /// The Autotask database that the tenant's history is from, once it is known.
    pub autotask_database: Option<AutotaskDatabase>,
    /// The time zone of the QuickBooks company, as it was last seen.
    pub company_time_zone: Option<String>,
    /// Whether the QuickBooks company knows several currencies, as it was last seen.
    pub company_multi_currency: Option<bool>,
}

impl TenantStatus {
    /// Takes in how the QuickBooks company is set up, for those who cannot look themselves. Returns
    /// whether that is news.
    pub fn note_company(&mut self, company: &Company) -> bool {
        let multi_currency = Some(company.multi_currency);
        let is_news = self.company_time_zone != company.time_zone
            || self.company_multi_currency != multi_currency;
        self.company_time_zone.clone_from(&company.time_zone);
        self.company_multi_currency = multi_currency;
        is_news
    }
}

/// A trouble of the whole tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// What it is.
    pub notice: Notice,
    /// Since when.
    pub since: Timestamp,
    /// When it is tried again by itself; `None` waits for a person.
    pub recheck_at: Option<Timestamp>,
    /// Whether it was told by e-mail.
    #[serde(default)]
    pub is_told: bool,
}

impl TenantStatus {
    /// What stops all work of this tenant right now, if anything does.
    pub fn blocked(&self, now: Timestamp) -> Option<&Trouble> {
        let due = |trouble: &&Trouble| trouble.recheck_at.is_none_or(|at| now < at);
        let broken = self
            .autotask_broken
            .as_ref()
            .or(self.quickbooks_broken.as_ref());
        broken.or(self.trouble.as_ref()).filter(due)
    }

    /// Until when a system asked us to be quiet, if that is still to come.
    pub fn quiet_until(&self, now: Timestamp) -> Option<Timestamp> {
        let latest = self.autotask_quiet_until.max(self.quickbooks_quiet_until);
        latest.filter(|until| now < *until)
    }
}

/// The chain of runs of one tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunChain {
    /// The last run that was claimed.
    pub run: RunNumber,
    /// When it was claimed.
    pub started_at: Option<Timestamp>,
    /// When its end-of-run message was handled.
    pub ended_at: Option<Timestamp>,
    /// When the next one is due, once it is armed.
    pub next_at: Option<Timestamp>,
    /// What the last run saw.
    pub counts: RunCounts,
    /// Why it saw nothing, when it could not look.
    pub stopped: Option<Stopped>,
}

/// Why runs see nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// Why the last one did not.
    pub notice: Notice,
    /// Since when none could.
    pub since: Timestamp,
    /// Whether that was told by e-mail.
    pub is_told: bool,
}

/// What one scan saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunCounts {
    /// Orders that Autotask returned.
    pub seen: u64,
    /// Orders that were eligible and are not yet done.
    pub eligible: u64,
    /// Ineligible orders by reason code.
    pub ineligible: BTreeMap<String, u64>,
    /// Those of them whose bill Purser has linked.
    pub billed: u64,
    /// Those of them that Purser has told a person of.
    pub refused: u64,
}

impl RunCounts {
    /// Orders that were left alone and that Purser has not dealt with either.
    pub fn left_alone(&self) -> u64 {
        let ineligible: u64 = self.ineligible.values().sum();
        ineligible.saturating_sub(self.billed.saturating_add(self.refused))
    }
}

/// Calls to both outside systems.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallCounts {
    /// Calls to Autotask; its hourly quota counts all of them.
    pub autotask: u64,
    /// Calls to QuickBooks.
    pub quickbooks: u64,
    /// Those of them that read; Intuit meters reads by the month.
    pub quickbooks_reads: u64,
}

impl CallCounts {
    /// Whether nothing was called.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    fn add(&mut self, more: Self) {
        self.autotask = self.autotask.saturating_add(more.autotask);
        self.quickbooks = self.quickbooks.saturating_add(more.quickbooks);
        self.quickbooks_reads = self.quickbooks_reads.saturating_add(more.quickbooks_reads);
    }
}

/// The seconds one span of [`Usage`] is long.
const SPAN_SECONDS: i64 = 300;
/// The spans that are kept: an hour, and the one that has begun.
const SPANS_KEPT: i64 = 13;

/// What was called for a tenant: the last hour in spans of five minutes, and this month.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Calls by the number of their span since 1970.
    pub spans: BTreeMap<i64, CallCounts>,
    /// The month that is counted, such as 2026-11, in UTC.
    pub month: String,
    /// Calls in that month.
    pub in_month: CallCounts,
}

impl Usage {
    /// Adds calls that were made just now.
    pub fn note(&mut self, calls: CallCounts, now: Timestamp) {
        let span = now.as_second() / SPAN_SECONDS;
        self.spans
            .retain(|known, _| span.saturating_sub(*known) < SPANS_KEPT);
        self.spans.entry(span).or_default().add(calls);
        let month = now.strftime("%Y-%m").to_string();
        if self.month != month {
            self.month = month;
            self.in_month = CallCounts::default();
        }
        self.in_month.add(calls);
    }

    /// Calls within the last hour, up to five minutes more.
    pub fn last_hour(&self, now: Timestamp) -> CallCounts {
        let span = now.as_second() / SPAN_SECONDS;
        let recent = |known: &i64| (0..SPANS_KEPT).contains(&span.saturating_sub(*known));
        let mut sum = CallCounts::default();
        for (known, calls) in &self.spans {
            if recent(known) {
                sum.add(*calls);
            }
        }
        sum
    }

    /// Calls in the month of `now`.
    pub fn this_month(&self, now: Timestamp) -> CallCounts {
        match self.month == now.strftime("%Y-%m").to_string() {
            true => self.in_month,
            false => CallCounts::default(),
        }
    }
}

/// Labels read from Autotask, cached for a day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    /// When they were read.
    pub read_at: Option<Timestamp>,
    /// Purchase order statuses.
    pub statuses: Vec<PickListValue>,
    /// Payment terms.
    pub payment_terms: Vec<PickListValue>,
}

/// Names that cleaning altered or may make of others, each with the one Autotask record it stands
/// for.
///
/// Without it two organisations whose names differ only in forbidden characters would share one
/// QuickBooks record, one order after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KnownNames {
    /// Role and match key of the name in QuickBooks, to what it stands for.
    pub names: BTreeMap<String, KnownName>,
}

/// What one altered name stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownName {
    /// The Autotask record.
    pub id: i64,
    /// Its name in Autotask when it was last used.
    pub name: String,
}

impl KnownNames {
    /// The refusal of the first of these names that stands for another Autotask name already, in
    /// what is known or within the list itself.
    pub fn collision_of(&self, names: &[NameUse]) -> Option<Notice> {
        let mut taken: BTreeMap<String, &NameUse> = BTreeMap::new();
        names.iter().find_map(|name| {
            let place = name.place();
            let known = self.names.get(&place);
            let known = known.map(|known| (known.id, known.name.as_str()));
            let first = *taken.entry(place).or_insert(name);
            let others = known.into_iter().chain([(first.id, first.from.as_str())]);
            let mut others = others
                .filter(|(id, other)| *id != name.id && match_key(other) != match_key(&name.from));
            let (_, other) = others.next()?;
            let notice = Notice::new(Code::NameCollision).with("name", name.from.as_str());
            Some(notice.with("other", other))
        })
    }

    /// Notes all of these names, or none of them and says why.
    pub fn claim(&mut self, names: &[NameUse]) -> Result<(), Notice> {
        if let Some(collision) = self.collision_of(names) {
            return Err(collision);
        }
        for name in names {
            self.note(name);
        }
        Ok(())
    }

    /// Whether nothing has to be noted for this name.
    pub fn has(&self, name: &NameUse) -> bool {
        match self.names.get(&name.place()) {
            Some(known) => known.name == name.from,
            None => !name.may_be_shared(),
        }
    }

    /// Notes a name that others may share, and follows a record that was renamed.
    fn note(&mut self, name: &NameUse) {
        if !self.has(name) {
            let known = KnownName {
                id: name.id,
                name: name.from.clone(),
            };
            self.names.insert(name.place(), known);
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn usage_forgets_what_is_older_than_an_hour_and_counts_a_month() {
        let mut usage = Usage::default();
        let begin: Timestamp = "2026-11-30T22:10:00Z".parse().unwrap();
        let calls = CallCounts {
            autotask: 3,
            quickbooks: 2,
            quickbooks_reads: 1,
        };
        usage.note(calls, begin);
        usage.note(calls, begin + SignedDuration::from_mins(50));
        let soon = begin + SignedDuration::from_mins(55);
        assert_eq!(usage.last_hour(soon).autotask, 6);
        assert_eq!(usage.this_month(soon).quickbooks_reads, 2);
        let later = begin + SignedDuration::from_mins(110);
        assert_eq!(usage.last_hour(later).autotask, 3);
        assert_eq!(usage.this_month(later), CallCounts::default(), "December");
        usage.note(calls, later);
        assert_eq!(usage.in_month, calls);
        assert_eq!(usage.spans.len(), 2);
    }
}
