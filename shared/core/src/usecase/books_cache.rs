//! Reference data kept in memory from message to message.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    books::{Books, BooksContent},
    failure::Failure,
    ids::{RealmId, TenantId},
    policy::Policy,
    ports::QuickBooks,
    record::earlier,
};

/// How far back a change request reaches beyond the last one, for clocks that differ.
const OVERLAP: Duration = Duration::from_secs(30);

/// Reference data shared by all orders of one tenant.
pub(super) type SharedBooks = Arc<RwLock<Books>>;

#[derive(Clone)]
struct Entry {
    books: SharedBooks,
    read_at: Timestamp,
    checked_at: Timestamp,
}

/// Reference data of every tenant this process works for.
#[derive(Default)]
pub struct BooksCache {
    entries: Mutex<HashMap<(TenantId, RealmId), Entry>>,
}

impl BooksCache {
    /// Reference data no older than the policy allows: one change request when it is older, a
    /// whole reading when there is none.
    pub async fn get(
        &self,
        tenant: &TenantId,
        quickbooks: &impl QuickBooks,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<SharedBooks, Failure> {
        let key = (tenant.clone(), quickbooks.realm().clone());
        let known = self.lock().get(&key).cloned();
        if let Some(entry) = known {
            let age =
                |at: Timestamp| Duration::try_from(at.duration_until(now)).unwrap_or_default();
            if age(entry.checked_at) < policy.books_age && entry.checked_at <= now {
                return Ok(entry.books);
            }
            if age(entry.read_at) < policy.books_age_max && refresh(&entry, quickbooks).await? {
                let books = Arc::clone(&entry.books);
                self.lock().insert(
                    key,
                    Entry {
                        checked_at: now,
                        ..entry
                    },
                );
                return Ok(books);
            }
        }
        let content: BooksContent = quickbooks.books().await?;
        let books = Arc::new(RwLock::new(Books::new(content)));
        let entry = Entry {
            books: Arc::clone(&books),
            read_at: now,
            checked_at: now,
        };
        self.lock().insert(key, entry);
        Ok(books)
    }

    /// Forgets a tenant's reference data, so that it is read anew.
    pub fn forget(&self, tenant: &TenantId) {
        self.lock().retain(|(known, _), _| known != tenant);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(TenantId, RealmId), Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn refresh(entry: &Entry, quickbooks: &impl QuickBooks) -> Result<bool, Failure> {
    let since = entry
        .books
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .as_of;
    let Some((changes, as_of)) = quickbooks.changes(earlier(since, OVERLAP)).await? else {
        return Ok(false);
    };
    entry
        .books
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .apply(changes, as_of);
    Ok(true)
}
