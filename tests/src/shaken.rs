//! A store whose callers have bad luck when a hook says so: calls fail before their effect, answers
//! are lost after it, batches are done by half, processes die at a call, answers come late.
//!
//! A [`Shaken`] is the way of one process to a store. Several processes share the store, each through
//! a `Shaken` with a hook of its own, and what one of them suffers the others do not notice.

mod ports;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    future::{Future, pending},
    sync::Arc,
    time::Duration,
};

use purser_core::{
    ports::{Change, Committed, Delivery, Ledger, Message, StoreError},
    record::SyncRecord,
};

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// Nothing.
    Pass,
    /// It fails without effect.
    FailBefore,
    /// It has its effect, but its answer is lost: it fails as far as its caller can tell.
    FailAfter,
    /// It fails as far as its caller can tell, and a write of records has its effect only so long after
    /// that. Any other call fails without effect.
    FailLate(Duration),
    /// Of a batch the first half has its effect, then it fails. A call that is no batch, or one of a
    /// single change or message, fails without effect.
    FailHalfway,
    /// The caller dies before the effect: the call never returns and is to be dropped.
    CutBefore,
    /// The caller dies after the effect.
    CutAfter,
    /// The caller dies when the first half of a batch has had its effect.
    CutHalfway,
    /// The call is under way for so long before it has its effect.
    Late(Duration),
    /// It has its effect at once and returns after so long.
    Stall(Duration),
}

/// Decides what happens to the calls of one process.
pub trait StoreTap: Send + Sync {
    /// What happens to the next call, which is this one of the ports.
    fn next(&self, call: &'static str) -> Happening;

    /// What the next call is about, where its name leaves that open.
    fn about(&self, _what: &dyn fmt::Debug) {}

    /// The caller of this call is dead from now on. Whatever effect the call was to have, it has had.
    fn was_cut(&self, _call: &'static str) {}

    /// What became of one change of a record, also when the caller is never told.
    fn was_committed(&self, _change: &Change, _outcome: &Committed) {}

    /// Whether this record is of a version that the caller does not know.
    fn is_newer(&self, _record: &SyncRecord) -> bool {
        false
    }

    /// The caller sends these messages.
    fn sends(&self, _messages: &[Message]) {}

    /// The caller reads this delivery, as it stands there afterwards.
    fn reads(&self, _delivery: &mut Delivery) {}
}

impl<F: Fn(&'static str) -> Happening + Send + Sync> StoreTap for F {
    fn next(&self, call: &'static str) -> Happening {
        self(call)
    }
}

/// One process's way to a store.
pub struct Shaken<S> {
    store: Arc<S>,
    tap: Arc<dyn StoreTap>,
}

impl<S> Shaken<S> {
    /// The way to this store that goes past this hook.
    pub fn new(store: Arc<S>, tap: Arc<dyn StoreTap>) -> Self {
        Self { store, tap }
    }

    /// The store itself, for whoever suffers nothing.
    pub fn store(&self) -> &Arc<S> {
        &self.store
    }

    /// Makes a call that has its effect whole or not at all.
    async fn call<T>(
        &self,
        call: &'static str,
        effect: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let happening = match self.tap.next(call) {
            Happening::FailHalfway => Happening::FailBefore,
            Happening::CutHalfway => Happening::CutBefore,
            other => other,
        };
        self.happen(happening, call, effect).await
    }

    /// Makes a call whose parts have their effects one by one.
    async fn call_batch<P, T, F>(
        &self,
        call: &'static str,
        parts: Vec<P>,
        effect: impl FnOnce(Vec<P>) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let happening = self.tap.next(call);
        self.happen_batch((happening, call), parts, effect).await
    }

    async fn happen_batch<P, T, F>(
        &self,
        (happening, call): (Happening, &'static str),
        mut parts: Vec<P>,
        effect: impl FnOnce(Vec<P>) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        if matches!(happening, Happening::FailHalfway | Happening::CutHalfway) {
            parts.truncate(parts.len() / 2);
        }
        self.happen(happening, call, effect(parts)).await
    }

    async fn happen<T>(
        &self,
        happening: Happening,
        call: &'static str,
        effect: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        match happening {
            Happening::Pass => effect.await,
            Happening::FailBefore | Happening::FailLate(_) => Err(unavailable(call)),
            Happening::FailAfter | Happening::FailHalfway => {
                effect.await?;
                Err(unavailable(call))
            }
            Happening::CutBefore => self.cut(call).await,
            Happening::CutAfter | Happening::CutHalfway => {
                drop(effect.await);
                self.cut(call).await
            }
            Happening::Late(time) => {
                tokio::time::sleep(time).await;
                effect.await
            }
            Happening::Stall(time) => {
                let answer = effect.await;
                tokio::time::sleep(time).await;
                answer
            }
        }
    }

    /// Writes records, and tells what became of each.
    async fn written(&self, changes: Vec<Change>) -> Result<Vec<Committed>, StoreError>
    where
        S: Ledger,
    {
        let asked = changes.clone();
        let outcomes = self.store.commit(changes).await?;
        for (change, outcome) in asked.iter().zip(&outcomes) {
            self.tap.was_committed(change, outcome);
        }
        Ok(outcomes)
    }

    /// Records as the caller reads them: one of a version that it does not know is an error.
    fn known(&self, records: Vec<SyncRecord>) -> Result<Vec<SyncRecord>, StoreError> {
        if records.iter().any(|record| self.tap.is_newer(record)) {
            return Err(newer());
        }
        Ok(records)
    }

    async fn cut<T>(&self, call: &'static str) -> T {
        self.tap.was_cut(call);
        pending().await
    }
}

impl<S> Clone for Shaken<S> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.store), Arc::clone(&self.tap))
    }
}

impl<S: fmt::Debug> fmt::Debug for Shaken<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Shaken").field(&self.store).finish()
    }
}

fn newer() -> StoreError {
    StoreError::Newer("a record of a version that this process does not know".to_owned())
}

fn unavailable(call: &'static str) -> StoreError {
    StoreError::Unavailable(format!("{call} was disturbed"))
}
