//! Taking rights away, so that a company always keeps an admin.

use purser_core::{
    ids::TenantId,
    ports::{EntryKey, EntryKind, Expected, Registry, StoreError},
};

use super::{Directory, Member, Role};
use crate::session::decode;

impl<R: Registry> Directory<'_, R> {
    /// Whether a tenant has an admin, not counting this person.
    pub(crate) async fn has_admin(
        &self,
        tenant: &TenantId,
        without: Option<&str>,
    ) -> Result<bool, StoreError> {
        let members = self.members(tenant).await?;
        let mut others = members
            .iter()
            .filter(|(person, _)| without != Some(person.as_str()));
        Ok(others.any(|(_, member)| member.role == Role::Admin))
    }

    /// Gives a member another role, or none. Answers false, and changes nothing, when no admin
    /// would be left.
    ///
    /// Two admins who do this to each other at the same moment both find the other one there, and
    /// both write. So whoever has written looks again: the last one to write sees what is left.
    pub(crate) async fn change_right(
        &self,
        tenant: &TenantId,
        person: &str,
        to: Option<Role>,
    ) -> Result<bool, StoreError> {
        let key = EntryKey::new(EntryKind::Member, tenant.as_str(), person);
        let Some((before, _)) = self.registry.entry(&key, self.now).await? else {
            return Ok(true);
        };
        let member: Member = decode(&before.body)?;
        let is_loss = member.role == Role::Admin && to != Some(Role::Admin);
        if is_loss && !self.has_admin(tenant, Some(person)).await? {
            return Ok(false);
        }
        match to {
            Some(role) => self.set_role(tenant, person, role).await?,
            None => drop(self.registry.take_entry(&key, self.now).await?),
        }
        if !is_loss {
            return Ok(true);
        }
        let left = self.has_admin(tenant, None).await;
        if matches!(left, Ok(true)) {
            return Ok(true);
        }
        // Also when the store did not answer: a right too many can be taken away again.
        self.registry
            .put_entry(before, Expected::Any, self.now)
            .await?;
        left
    }
}
