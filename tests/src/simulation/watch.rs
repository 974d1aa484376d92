//! Looks at every call that leaves a process and every answer that comes back, and says what of it
//! breaks a promise: limits, intents, deadlines, whose credentials are used for whom.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, header};
use jiff::Timestamp;
use purser_core::record::SyncRecord;
use purser_simulators::{Simulators, System, intuit::TokenState};
use tokio::time::Instant;

use super::{
    canary::{self, Canaries},
    companies::Company,
    keys::{Claim, Keys},
    limits::Limits,
    sends::Sends,
};

/// What the product catches and goes on after, and what must never be.
const DEFECTS: [&str; 2] = [
    "the handling of a message panicked",
    "an illegal transition was not written",
];

/// What a process is doing.
#[derive(Clone, Debug, Default)]
pub(super) struct Doing {
    /// For which company, unless it looks after all of them.
    pub(super) realm: Option<String>,
    /// Whether a person waits for it.
    pub(super) is_for_person: bool,
    /// Until when a system had asked for quiet before it began, by realm and the clock of the process.
    pub(super) quiet: BTreeMap<String, Timestamp>,
}

impl Doing {
    /// Whether nothing is to be called yet. Who waits for an order is not made to wait for that.
    fn keeps_quiet(&self, realm: &str, now: Timestamp) -> bool {
        let quiet = self.quiet.get(realm);
        !self.is_for_person && quiet.is_some_and(|until| now < *until)
    }
}

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    /// The place of the process.
    pub(super) process: usize,
    /// Its life: what a process keeps to itself is gone when it dies. The last digit is the place.
    pub(super) life: usize,
    /// What its clock says.
    pub(super) now: Timestamp,
}

/// Everything that is looked at in one history.
pub(super) struct Watch {
    simulators: Arc<Simulators>,
    /// How many calls an hour one process may make to a database of Autotask.
    share: usize,
    sends: Mutex<Sends>,
    limits: Mutex<Limits>,
    pub(super) canaries: Mutex<Canaries>,
    pub(super) keys: Keys,
    doing: Mutex<Vec<Doing>>,
}

/// A call that is under way at an endpoint of Autotask, until it is dropped.
pub(super) struct UnderWay<'a> {
    watch: &'a Watch,
    endpoint: String,
    life: usize,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        lock(&self.watch.limits).leaves((&self.endpoint, self.life));
    }
}

impl Watch {
    pub(super) fn new(simulators: Arc<Simulators>, keys: Keys, share: usize) -> Self {
        Self {
            simulators,
            share,
            sends: Mutex::default(),
            limits: Mutex::default(),
            canaries: Mutex::default(),
            keys,
            doing: Mutex::new(vec![Doing::default(); 4]),
        }
    }

    /// What of a company must not be logged.
    pub(super) fn tell(&self, company: &Company) {
        company.tell(&mut lock(&self.canaries));
    }

    /// The clock of a process goes wrong or right.
    pub(super) fn clock_moved(&self, process: usize) {
        lock(&self.limits).clock_moved(process, Instant::now());
        // Whether it is still to be quiet was judged by the time that it was before.
        lock(&self.doing)[process].quiet.clear();
    }

    /// A call of the store goes wrong for a process.
    pub(super) fn store_failed(&self, process: usize) {
        lock(&self.limits).store_failed(process, Instant::now());
    }

    /// What a process does from now on.
    pub(super) fn does(&self, process: usize, doing: Doing) {
        lock(&self.doing)[process] = doing;
    }

    /// A process has stored a record.
    pub(super) fn stored(&self, process: usize, record: &SyncRecord) {
        lock(&self.sends).stored(process, record);
    }

    /// A call leaves. Answers what is wrong with it, and holds its place while it is under way.
    pub(super) fn leaves(
        &self,
        caller: Caller,
        (system, request): (System, &Request<Bytes>),
    ) -> (Vec<String>, Option<UnderWay<'_>>) {
        let doing = lock(&self.doing)[caller.process].clone();
        match system {
            System::QuickBooks => (self.books_are_called(caller, &doing, request), None),
            System::Autotask => self.autotask_is_called(caller, &doing, request),
            System::Intuit => {
                let body = String::from_utf8_lossy(request.body());
                lock(&self.canaries).add_tokens(&body);
                (Vec::new(), None)
            }
        }
    }

    fn books_are_called(
        &self,
        caller: Caller,
        doing: &Doing,
        request: &Request<Bytes>,
    ) -> Vec<String> {
        let (realm, bearer) = (
            realm_of(request),
            header_of(request, header::AUTHORIZATION.as_str()),
        );
        let bearer = bearer.trim_start_matches("Bearer ");
        lock(&self.canaries).add("a token", bearer);
        let tokens = self.simulators.intuit.tokens();
        let good_for = match tokens.state_of(bearer, self.simulators.clock.now()) {
            TokenState::Good { realm } => realm,
            _ => None,
        };
        let claim = Claim {
            works_for: doing.realm.as_deref(),
            calls: &realm,
            good_for: good_for.as_deref(),
        };
        let mut wrong: Vec<_> = claim.judge().into_iter().collect();
        if doing.keeps_quiet(&realm, caller.now) {
            wrong.push("QuickBooks was called although quiet was asked for".to_owned());
        }
        let (now, life) = (Instant::now(), caller.life);
        let mut limits = lock(&self.limits);
        wrong.extend(limits.calls_books((&realm, life), now, doing.is_for_person));
        if let Some(id) = request_id_of(request) {
            let is_bill = request.uri().path().ends_with("/bill");
            let by = (caller.process, caller.now);
            let what = (is_bill, request.body());
            wrong.extend(lock(&self.sends).sent(by, (&realm, &id), what));
        }
        wrong
    }

    fn autotask_is_called(
        &self,
        caller: Caller,
        doing: &Doing,
        request: &Request<Bytes>,
    ) -> (Vec<String>, Option<UnderWay<'_>>) {
        let user = header_of(request, "username");
        // Which zone a user is in is asked without a secret.
        if user.is_empty() {
            return (Vec::new(), None);
        }
        let secret = header_of(request, "secret");
        let mut wrong = self.keys.judge(doing.realm.as_deref(), &user, &secret);
        let realm = self.keys.realm_of(&user);
        if doing.keeps_quiet(realm, caller.now) {
            wrong.push("Autotask was called although quiet was asked for".to_owned());
        }
        let endpoint = format!("{user} {}", endpoint_of(request.uri().path()));
        let mut limits = lock(&self.limits);
        wrong.extend(limits.enters((&endpoint, caller.life)));
        let by = (user.as_str(), caller.life);
        wrong.extend(limits.uses_hour(by, Instant::now(), self.share));
        let under_way = UnderWay {
            watch: self,
            endpoint,
            life: caller.life,
        };
        (wrong, Some(under_way))
    }

    /// An answer has come back.
    pub(super) fn answered(
        &self,
        caller: Caller,
        (system, path): (System, &str),
        answer: &Response<Bytes>,
    ) {
        if system == System::Intuit {
            let body = String::from_utf8_lossy(answer.body());
            lock(&self.canaries).add_tokens(&body);
        }
        if system == System::QuickBooks && answer.status() == 429 {
            let asked = answer.headers().get(header::RETRY_AFTER);
            let asked = asked.and_then(|wait| wait.to_str().ok()?.parse().ok());
            let asked = asked.map(Duration::from_secs);
            let realm = realm_in(path);
            lock(&self.limits).throttled((&realm, caller.life), Instant::now(), asked);
        }
    }

    /// What of all that must not be logged was, and what tells of a defect that was caught.
    pub(super) fn leaked(&self) -> Vec<String> {
        let log = canary::take();
        let mut found: Vec<_> = lock(&self.canaries).found_in(&log).into_iter().collect();
        let defects = DEFECTS.iter().filter(|line| log.contains(**line));
        found.extend(defects.map(|line| format!("the log says: {line}")));
        found
    }

    /// How often all processes together made more calls in a second than QuickBooks takes.
    pub(super) fn crowded(&self) -> u64 {
        lock(&self.limits).crowded
    }

    /// The most calls that were under way at one endpoint of Autotask at once.
    pub(super) fn threads_max(&self) -> usize {
        lock(&self.limits).threads_max
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn header_of(request: &Request<Bytes>, name: &str) -> String {
    let value = request.headers().get(name);
    let value = value.and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

fn realm_of(request: &Request<Bytes>) -> String {
    realm_in(request.uri().path())
}

fn realm_in(path: &str) -> String {
    let mut segments = path.split('/').skip_while(|part| *part != "company");
    segments.nth(1).unwrap_or_default().to_owned()
}

fn request_id_of(request: &Request<Bytes>) -> Option<String> {
    let query = request.uri().query()?;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let id = pairs.find(|(name, _)| name == "requestid");
    id.map(|(_, id)| id.into_owned())
}

/// The entity of an address of Autotask.
fn endpoint_of(path: &str) -> &str {
    let mut parts = path.split('/');
    let is_version = |part: &&str| part.eq_ignore_ascii_case("v1.0");
    let _version = parts.by_ref().find(is_version);
    parts.next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_while_quiet_was_asked_for_is_noticed_unless_a_person_waits() {
        let until: Timestamp = "2026-03-16T14:00:00Z".parse().expect("a moment");
        let before = until - jiff::SignedDuration::from_secs(1);
        let doing = Doing {
            quiet: BTreeMap::from([("1".to_owned(), until)]),
            ..Doing::default()
        };
        assert!(doing.keeps_quiet("1", before));
        assert!(!doing.keeps_quiet("1", until));
        assert!(!doing.keeps_quiet("2", before));
        let for_person = Doing {
            is_for_person: true,
            ..doing
        };
        assert!(!for_person.keeps_quiet("1", before));
    }

    #[test]
    fn realm_and_endpoint_are_read_from_addresses() {
        assert_eq!(realm_in("/v3/company/913/bill"), "913");
        let path = "/webservices3/ATServicesRest/V1.0/PurchaseOrders/query";
        assert_eq!(endpoint_of(path), "PurchaseOrders");
    }
}
