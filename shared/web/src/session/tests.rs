use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use futures_util::FutureExt as _;

use super::*;

/// A registry that forgets nothing by itself: what is over must be seen to be over.
#[derive(Default)]
struct Shelf(Mutex<BTreeMap<EntryKey, (Entry, u64)>>);

impl Shelf {
    fn entries(&self) -> MutexGuard<'_, BTreeMap<EntryKey, (Entry, u64)>> {
        self.0.lock().unwrap()
    }
}

impl Registry for Shelf {
    async fn entry(
        &self,
        key: &EntryKey,
        _: Timestamp,
    ) -> Result<Option<(Entry, u64)>, StoreError> {
        Ok(self.entries().get(key).cloned())
    }

    async fn put_entry(
        &self,
        entry: Entry,
        expected: Expected<u64>,
        _: Timestamp,
    ) -> Result<Put, StoreError> {
        let mut entries = self.entries();
        let stored = entries.get(&entry.key).map(|(_, version)| *version);
        if expected != stored.map_or(Expected::Absent, Expected::Is) {
            return Ok(Put::Conflict);
        }
        let version = stored.unwrap_or_default() + 1;
        entries.insert(entry.key.clone(), (entry, version));
        Ok(Put::Done(version))
    }

    async fn take_entry(&self, key: &EntryKey, _: Timestamp) -> Result<Option<Entry>, StoreError> {
        Ok(self.entries().remove(key).map(|(entry, _)| entry))
    }

    async fn group(
        &self,
        _: EntryKind,
        _: &str,
        _: u32,
        _: Timestamp,
    ) -> Result<Vec<Entry>, StoreError> {
        Ok(Vec::new())
    }

    async fn owned(
        &self,
        kind: EntryKind,
        owner: &str,
        _: Timestamp,
    ) -> Result<Vec<Entry>, StoreError> {
        let entries = self.entries();
        let all = entries.values().map(|(entry, _)| entry);
        let theirs = all.filter(|entry| entry.key.kind == kind && entry.owner == owner);
        Ok(theirs.cloned().collect())
    }
}

/// What comes of a call to a registry that never waits.
fn now<T>(call: impl Future<Output = Result<T, StoreError>>) -> T {
    call.now_or_never().unwrap().unwrap()
}

fn noon() -> Timestamp {
    "2026-03-16T12:00:00Z".parse().unwrap()
}

fn after(seconds: i64) -> Timestamp {
    add(noon(), SignedDuration::from_secs(seconds))
}

fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

fn signed_in(shelf: &Shelf, person: &str, company: Option<&str>) -> (Session, String) {
    let who = SignedIn {
        person: person.to_owned(),
        email: format!("{person}@example.com"),
        name: None,
    };
    now(begin(shelf, who, company.map(tenant), noon()))
}

#[test]
fn a_session_is_found_by_its_cookie_alone_and_only_the_hash_of_it_is_stored() {
    let shelf = Shelf::default();
    let (session, cookie) = signed_in(&shelf, "ann", None);
    assert_eq!(now(find(&shelf, &cookie, noon())), Some(session.clone()));
    assert_eq!(now(find(&shelf, &session.id, noon())), None);
    let (other, other_cookie) = signed_in(&shelf, "ann", None);
    assert_ne!((&cookie, &session.id), (&other_cookie, &other.id));
    let (entry, _) = now(shelf.entry(&Session::key(&session.id), noon())).unwrap();
    assert!(!format!("{entry:?}").contains(&cookie));
    assert_eq!(entry.expires_at, Some(after(30 * 60)));
}

#[test]
fn a_session_is_over_after_half_an_hour_even_if_the_store_still_has_it() {
    let shelf = Shelf::default();
    let (_, cookie) = signed_in(&shelf, "ann", None);
    let idle = 30 * 60;
    assert_eq!(now(find(&shelf, &cookie, after(idle))), None);
    assert!(now(find(&shelf, &cookie, after(idle - 1))).is_some());
    // That was a use, so that it lives on.
    assert!(now(find(&shelf, &cookie, after(2 * idle - 2))).is_some());
}

#[test]
fn a_session_is_over_after_twelve_hours_even_if_the_store_still_has_it() {
    let shelf = Shelf::default();
    let (_, cookie) = signed_in(&shelf, "ann", None);
    let hours = 12 * 3_600;
    for at in (0..hours).step_by(1_000) {
        assert!(now(find(&shelf, &cookie, after(at))).is_some());
    }
    assert!(now(find(&shelf, &cookie, after(hours - 1))).is_some());
    assert_eq!(now(find(&shelf, &cookie, after(hours))), None);
}

#[test]
fn a_session_of_the_future_is_none_because_a_clock_was_set_back() {
    let shelf = Shelf::default();
    let (_, cookie) = signed_in(&shelf, "ann", None);
    assert_eq!(now(find(&shelf, &cookie, after(-1))), None);
    assert!(now(find(&shelf, &cookie, noon())).is_some());
}

#[test]
fn the_use_of_a_session_is_noted_once_a_minute() {
    let shelf = Shelf::default();
    let (session, cookie) = signed_in(&shelf, "ann", None);
    let version = || shelf.entries()[&Session::key(&session.id)].1;
    let found = now(find(&shelf, &cookie, after(59))).unwrap();
    assert_eq!((found.seen_at, version()), (noon(), 1));
    let found = now(find(&shelf, &cookie, after(60))).unwrap();
    assert_eq!((found.seen_at, version()), (after(60), 2));
    assert_eq!(found.created_at, noon());
}

#[test]
fn a_session_that_ended_is_not_brought_back_by_a_change() {
    let shelf = Shelf::default();
    let (session, cookie) = signed_in(&shelf, "ann", None);
    let to_company = |session: &mut Session| session.tenant = Some(tenant("north-wind"));
    now(change(&shelf, &session.id, noon(), to_company));
    let found = now(find(&shelf, &cookie, noon())).unwrap();
    assert_eq!(found.tenant, Some(tenant("north-wind")));
    now(end(&shelf, &session.id, noon()));
    assert_eq!(now(find(&shelf, &cookie, noon())), None);
    now(change(&shelf, &session.id, noon(), to_company));
    assert!(shelf.entries().is_empty());
}

#[test]
fn sessions_are_counted_and_ended_by_person_and_by_company() {
    let shelf = Shelf::default();
    for company in [Some("north-wind"), Some("north-wind"), Some("south"), None] {
        signed_in(&shelf, "ann", company);
    }
    signed_in(&shelf, "bob", Some("north-wind"));
    let north = tenant("north-wind");
    let counted = |person: &str| now(count(&shelf, person, &north, noon()));
    assert_eq!((counted("ann"), counted("bob"), counted("cem")), (2, 1, 0));
    assert_eq!(now(end_all(&shelf, "ann", Some(&north), noon())), 2);
    assert_eq!((counted("ann"), counted("bob")), (0, 1));
    assert_eq!(now(end_all(&shelf, "ann", None, noon())), 2);
    assert_eq!(now(end_all(&shelf, "ann", None, noon())), 0);
    assert_eq!(shelf.entries().len(), 1);
}
