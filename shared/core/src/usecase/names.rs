//! Names that cleaning may make of several: each QuickBooks name stands for one Autotask name only.

use crate::{
    failure::Failure, ids::TenantId, plan::NameUse, ports::DocumentKind, tenant::KnownNames,
};

use super::{Engine, Ports, attempt::Attempt, documents};

impl<P: Ports> Engine<P> {
    /// The names of a tenant that others may share.
    pub(super) async fn known_names(&self, tenant: &TenantId) -> Result<KnownNames, Failure> {
        let store = self.ports.store();
        let known = documents::load::<KnownNames>(store, tenant, DocumentKind::Names).await?;
        Ok(known.map(|stored| stored.value).unwrap_or_default())
    }
}

impl<P: Ports> Attempt<'_, P> {
    /// Notes such names of a plan before they are used, or refuses one that stands for
    /// another Autotask name already.
    pub(super) async fn claim_names(&mut self, names: &[NameUse]) -> Result<(), Failure> {
        if names.iter().all(|name| self.names.has(name)) {
            return Ok(());
        }
        let mut collision = None;
        let note = |known: &mut KnownNames| {
            collision = known.claim(names).err();
            collision.is_none()
        };
        let store = self.engine.ports.store();
        let kind = DocumentKind::Names;
        let (known, _) = documents::update(store, &self.tenant, kind, note).await?;
        self.names = known;
        match collision {
            Some(notice) => Err(Failure::from(notice)),
            None => Ok(()),
        }
    }
}
