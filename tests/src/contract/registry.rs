//! The registry: conditions, ends, owners, and that of all who take one thing one gets it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use purser_core::ports::{Entry, EntryKey, EntryKind, Expected, Ledger, Put, Registry};
use tokio::task::JoinSet;

use super::{
    Arm,
    sample::{at, north, south},
};

fn entry(kind: EntryKind, group: &str, name: &str, body: &str) -> Entry {
    Entry {
        key: EntryKey::new(kind, group, name),
        owner: String::new(),
        body: body.to_owned(),
        expires_at: None,
    }
}

fn after(seconds: i64) -> Timestamp {
    at(0) + SignedDuration::from_secs(seconds)
}

async fn put(arm: &impl Arm, entry: Entry, expected: Expected<u64>) -> Put {
    let put = arm.registry().put_entry(entry, expected, after(0)).await;
    put.expect("a put")
}

async fn body(arm: &impl Arm, entry: &Entry, now: Timestamp) -> Option<(String, u64)> {
    let found = arm.registry().entry(&entry.key, now).await.expect("a read");
    found.map(|(entry, version)| (entry.body, version))
}

/// What is written is what is read, and only over what was read before.
pub async fn an_entry_is_written_only_over_the_expected_version(arm: impl Arm) {
    let first = entry(EntryKind::Session, "a", "-", "one");
    assert_eq!(
        put(&arm, first.clone(), Expected::Is(1)).await,
        Put::Conflict
    );
    let done = put(&arm, first.clone(), Expected::Absent).await;
    assert_eq!(done, Put::Done(1));
    let second = entry(EntryKind::Session, "a", "-", "two ' \" Łódź");
    assert_eq!(
        put(&arm, second.clone(), Expected::Absent).await,
        Put::Conflict
    );
    assert_eq!(
        put(&arm, second.clone(), Expected::Is(1)).await,
        Put::Done(2)
    );
    assert_eq!(
        put(&arm, first.clone(), Expected::Is(1)).await,
        Put::Conflict
    );
    assert_eq!(body(&arm, &first, after(0)).await, Some((second.body, 2)));
    let other = entry(EntryKind::SignIn, "a", "-", "x");
    assert_eq!(body(&arm, &other, after(0)).await, None, "another kind");
}

/// An entry is there until its moment, and for a conditional write it is absent from then on.
pub async fn an_entry_ends_at_its_moment(arm: impl Arm) {
    let ending = Entry {
        expires_at: Some(after(10)),
        owner: "grace".to_owned(),
        ..entry(EntryKind::Session, "a", "-", "one")
    };
    put(&arm, ending.clone(), Expected::Absent).await;
    assert!(body(&arm, &ending, after(9)).await.is_some());
    assert_eq!(body(&arm, &ending, after(10)).await, None);
    let registry = arm.registry();
    let owned = registry.owned(EntryKind::Session, "grace", after(10)).await;
    assert_eq!(owned.expect("a list"), []);
    let group = registry.group(EntryKind::Session, "a", 10, after(10)).await;
    assert_eq!(group.expect("a list"), []);
    let taken = registry.take_entry(&ending.key, after(10)).await;
    assert_eq!(taken.expect("a take"), None);
    let again = registry
        .put_entry(ending, Expected::Absent, after(10))
        .await;
    assert_eq!(
        again.expect("a put"),
        Put::Done(2),
        "no version is used twice"
    );
}

/// Of all who take one entry one gets it, and a writer who read it before cannot bring it back.
pub async fn of_twenty_racing_takers_exactly_one_gets_it(arm: impl Arm) {
    let arm = Arc::new(arm);
    let one = entry(EntryKind::SignIn, "state", "-", "body");
    put(&*arm, one.clone(), Expected::Absent).await;
    let mut takers = JoinSet::new();
    for _ in 0..20 {
        let (arm, key) = (Arc::clone(&arm), one.key.clone());
        takers.spawn(async move { arm.registry().take_entry(&key, after(1)).await });
    }
    let mut got = 0;
    while let Some(taken) = takers.join_next().await {
        got += usize::from(taken.expect("no panic").expect("a take").is_some());
    }
    assert_eq!(got, 1);
    let late = arm
        .registry()
        .put_entry(one, Expected::Is(1), after(1))
        .await;
    assert_eq!(late.expect("a put"), Put::Conflict);
}

/// A group is listed by name from its end, an owner's entries wherever they are.
pub async fn entries_are_found_by_group_and_by_owner(arm: impl Arm) {
    for (group, name, owner) in [
        ("north", "a", "grace"),
        ("north", "b", "sam"),
        ("north", "c", "grace"),
        ("south", "d", "grace"),
    ] {
        let member = Entry {
            owner: owner.to_owned(),
            ..entry(EntryKind::Member, group, name, name)
        };
        put(&arm, member, Expected::Absent).await;
    }
    put(
        &arm,
        entry(EntryKind::Member, "east", "e", "e"),
        Expected::Absent,
    )
    .await;
    let names = |entries: Vec<Entry>| -> Vec<String> {
        entries.into_iter().map(|entry| entry.key.name).collect()
    };
    let registry = arm.registry();
    let group = registry
        .group(EntryKind::Member, "north", 2, after(0))
        .await;
    assert_eq!(names(group.expect("a list")), ["c", "b"]);
    let owned = registry.owned(EntryKind::Member, "grace", after(0)).await;
    assert_eq!(names(owned.expect("a list")), ["a", "c", "d"]);
    let nobody = registry.owned(EntryKind::Member, "", after(0)).await;
    assert_eq!(nobody.expect("a list"), []);
    let key = EntryKey::new(EntryKind::Member, "south", "d");
    let taken = registry.take_entry(&key, after(0)).await;
    assert!(taken.expect("a take").is_some());
    let owned = registry.owned(EntryKind::Member, "grace", after(0)).await;
    assert_eq!(names(owned.expect("a list")), ["a", "c"]);
}

/// What is a tenant's goes with it, and nothing else does.
pub async fn a_removed_tenant_takes_its_entries_along(arm: impl Arm) {
    let member = |tenant: &str| entry(EntryKind::Member, tenant, "grace", "admin");
    let realm = |tenant: &str, realm: &str| Entry {
        owner: tenant.to_owned(),
        ..entry(EntryKind::Realm, realm, "-", tenant)
    };
    let session = entry(EntryKind::Session, north().as_str(), "-", "not a tenant");
    for entry in [
        member(north().as_str()),
        member(south().as_str()),
        realm(north().as_str(), "1"),
        realm(south().as_str(), "2"),
        session.clone(),
    ] {
        put(&arm, entry, Expected::Absent).await;
    }
    arm.ledger().remove_tenant(&north()).await.expect("done");
    assert_eq!(body(&arm, &member(north().as_str()), after(0)).await, None);
    assert_eq!(body(&arm, &realm("x", "1"), after(0)).await, None);
    assert!(
        body(&arm, &member(south().as_str()), after(0))
            .await
            .is_some()
    );
    assert!(body(&arm, &realm("x", "2"), after(0)).await.is_some());
    assert!(body(&arm, &session, after(0)).await.is_some());
}
