//! Documents: a removed one keeps its version, so that none is ever used twice.

use std::collections::BTreeMap;

use purser_core::{
    ports::{DocumentKind, Expected, Put},
    tenant::Stored,
};

/// The documents of one tenant.
#[derive(Default)]
pub(super) struct Documents(BTreeMap<DocumentKind, Document>);

struct Document {
    version: u64,
    /// `None` once it was removed.
    body: Option<String>,
}

impl Documents {
    pub(super) fn get(&self, kind: DocumentKind) -> Option<Stored<String>> {
        let document = self.0.get(&kind)?;
        let body = document.body.as_ref()?;
        Some(Stored {
            value: body.clone(),
            version: document.version,
        })
    }

    pub(super) fn put(
        &mut self,
        kind: DocumentKind,
        body: String,
        expected: &Expected<u64>,
    ) -> Put {
        let there = self.0.get(&kind);
        let alive = there.filter(|document| document.body.is_some());
        let is_expected = match expected {
            Expected::Absent => alive.is_none(),
            Expected::Is(version) => alive.is_some_and(|it| it.version == *version),
            Expected::Any => true,
        };
        if !is_expected {
            return Put::Conflict;
        }
        let version = there.map_or(0, |document| document.version) + 1;
        let body = Some(body);
        self.0.insert(kind, Document { version, body });
        Put::Done(version)
    }

    pub(super) fn remove(&mut self, kind: DocumentKind) {
        let there = self.0.get_mut(&kind);
        if let Some(document) = there.filter(|document| document.body.is_some()) {
            document.body = None;
            document.version += 1;
        }
    }
}
