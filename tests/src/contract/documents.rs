//! Documents: versions, conditions, owners.

use std::{collections::BTreeMap, sync::Arc};

use purser_core::{
    ids::OrderId,
    ports::{DocumentKind, Expected, HistoryEvent, Ledger, Put, RecordFilter},
};
use tokio::task::JoinSet;

use super::{
    Arm,
    sample::{at, commit_all, entry, new, north, realm, record_of, south},
};

const KIND: DocumentKind = DocumentKind::Settings;

async fn put(arm: &impl Arm, body: &str, expected: Expected<u64>) -> Put {
    let ledger = arm.ledger();
    let put = ledger
        .put_document(&north(), KIND, body.to_owned(), expected)
        .await;
    put.expect("a put")
}

async fn read(arm: &impl Arm) -> Option<(String, u64)> {
    let document = arm.ledger().document(&north(), KIND).await;
    let found = document.expect("a document");
    found.map(|stored| (stored.value, stored.version))
}

/// Writes over the version that is stored and gives the new one.
async fn overwrite(arm: &impl Arm, body: &str) -> u64 {
    let expected = match read(arm).await {
        Some((_, version)) => Expected::Is(version),
        None => Expected::Absent,
    };
    match put(arm, body, expected).await {
        Put::Done(version) => version,
        Put::Conflict => panic!("nobody else writes here"),
    }
}

/// What is written is what is read, to the byte.
pub async fn a_document_is_read_as_it_was_written(arm: impl Arm) {
    assert_eq!(read(&arm).await, None);
    let body = r#"{"name":"Łódź \" \u0000 ' ; --","n":1.50}"#;
    let version = overwrite(&arm, body).await;
    assert_eq!(read(&arm).await, Some((body.to_owned(), version)));
}

/// Only the version that was read can be written over.
pub async fn a_document_is_written_only_over_the_expected_version(arm: impl Arm) {
    assert_eq!(put(&arm, "{}", Expected::Is(1)).await, Put::Conflict);
    let first = overwrite(&arm, "1").await;
    assert_eq!(put(&arm, "x", Expected::Absent).await, Put::Conflict);
    let done = put(&arm, "2", Expected::Is(first)).await;
    assert_eq!(done, Put::Done(first + 1));
    assert_eq!(put(&arm, "x", Expected::Is(first)).await, Put::Conflict);
    assert_eq!(put(&arm, "x", Expected::Is(first + 2)).await, Put::Conflict);
    assert_eq!(read(&arm).await, Some(("2".to_owned(), first + 1)));
    let forced = put(&arm, "3", Expected::Any).await;
    assert_eq!(forced, Put::Done(first + 2));
}

/// Removing is the same twice.
pub async fn a_document_that_is_absent_can_be_removed(arm: impl Arm) {
    let ledger = arm.ledger();
    ledger.remove_document(&north(), KIND).await.expect("done");
    overwrite(&arm, "1").await;
    ledger.remove_document(&north(), KIND).await.expect("done");
    ledger.remove_document(&north(), KIND).await.expect("done");
    assert_eq!(read(&arm).await, None);
}

/// Who read a document before it was removed cannot overwrite its successor.
pub async fn a_version_is_never_used_twice(arm: impl Arm) {
    let old = overwrite(&arm, "old").await;
    let removed = arm.ledger().remove_document(&north(), KIND).await;
    removed.expect("done");
    assert_eq!(put(&arm, "late", Expected::Is(old)).await, Put::Conflict);
    let fresh = overwrite(&arm, "new").await;
    assert!(fresh > old, "{fresh} comes after {old}");
    assert_eq!(put(&arm, "late", Expected::Is(old)).await, Put::Conflict);
    assert_eq!(read(&arm).await, Some(("new".to_owned(), fresh)));
}

/// The same kind of two tenants is two documents, and two kinds of one tenant are two.
pub async fn each_tenant_has_its_own_documents(arm: impl Arm) {
    let ledger = arm.ledger();
    overwrite(&arm, "north").await;
    assert_eq!(ledger.document(&south(), KIND).await.expect("done"), None);
    let put = ledger
        .put_document(&south(), KIND, "south".to_owned(), Expected::Absent)
        .await;
    assert!(matches!(put.expect("done"), Put::Done(_)));
    let status = ledger.document(&north(), DocumentKind::Status).await;
    assert_eq!(status.expect("done"), None);
    ledger.remove_document(&south(), KIND).await.expect("done");
    assert_eq!(
        read(&arm).await.map(|(body, _)| body).as_deref(),
        Some("north")
    );
}

/// However many write at once, one is told that it did and its text is there.
pub async fn of_twenty_racing_writes_exactly_one_wins(arm: impl Arm) {
    let arm = Arc::new(arm);
    for round in 0..5 {
        let expected = match read(&*arm).await {
            Some((_, version)) => Expected::Is(version),
            None => Expected::Absent,
        };
        let mut racing = JoinSet::new();
        for racer in 0..20 {
            let (arm, expected) = (Arc::clone(&arm), expected.clone());
            let body = format!("{round}-{racer}");
            racing.spawn(async move { (put(&*arm, &body, expected).await, body) });
        }
        let outcomes = racing.join_all().await;
        let won: Vec<_> = outcomes
            .into_iter()
            .filter(|(put, _)| *put != Put::Conflict)
            .collect();
        assert_eq!(won.len(), 1, "round {round}: {won:?}");
        let (stored, version) = read(&*arm).await.expect("the winner's");
        assert_eq!((Put::Done(version), stored), won[0]);
    }
}

/// A tenant appears with its first document or record.
pub async fn a_tenant_is_listed_by_name_once_it_has_anything(arm: impl Arm) {
    let ledger = arm.ledger();
    assert_eq!(ledger.tenants().await.expect("tenants"), []);
    let put = ledger
        .put_document(&south(), KIND, "{}".to_owned(), Expected::Absent)
        .await;
    put.expect("done");
    overwrite(&arm, "{}").await;
    overwrite(&arm, "{}").await;
    assert_eq!(ledger.tenants().await.expect("tenants"), [north(), south()]);
}

/// Removal takes documents, records, due times, counts and history, and nobody else's.
pub async fn a_removed_tenant_leaves_nothing_and_no_neighbour_loses_anything(arm: impl Arm) {
    let ledger = arm.ledger();
    for tenant in [north(), south()] {
        let put = ledger
            .put_document(&tenant, KIND, "{}".to_owned(), Expected::Absent)
            .await;
        put.expect("done");
        let mut change = new(record_of(&tenant, 1, "first"));
        change.due_at = Some(at(5));
        change.history.push(entry(1, 0, HistoryEvent::Found));
        commit_all(ledger, vec![change]).await;
    }
    ledger.remove_tenant(&north()).await.expect("done");
    ledger.remove_tenant(&north()).await.expect("done again");
    let everything = RecordFilter {
        limit: 10,
        ..RecordFilter::default()
    };
    let mut left = BTreeMap::new();
    for tenant in [north(), south()] {
        let document = ledger.document(&tenant, KIND).await.expect("done");
        let due = ledger.due(&tenant, &realm(), at(9), 9).await.expect("done");
        let next = ledger.next_due(&tenant, &realm()).await.expect("done");
        let listed = ledger.list(&tenant, &everything).await.expect("done");
        let counts = ledger.counts(&tenant).await.expect("done");
        let history = ledger
            .history(&tenant, OrderId::new(1))
            .await
            .expect("done");
        let found = [
            usize::from(document.is_some()),
            due.len(),
            usize::from(next.is_some()),
            listed.len(),
            counts.iter().filter(|(_, count)| *count > 0).count(),
            history.len(),
        ];
        left.insert(tenant, found);
    }
    assert_eq!(left[&north()], [0; 6]);
    assert_eq!(left[&south()], [1; 6]);
    assert_eq!(ledger.tenants().await.expect("tenants"), [south()]);
}
