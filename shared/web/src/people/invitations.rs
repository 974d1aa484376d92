//! Invitations: nobody becomes a member of a company without having agreed to it.

use jiff::{SignedDuration, Timestamp};
use purser_core::{
    ids::TenantId,
    ports::{EntryKey, EntryKind, Expected, Registry, StoreError},
};
use serde::{Deserialize, Serialize};

use super::{Directory, PEOPLE_MAX, Role};
use crate::session::{add, decode};

/// How long an invitation stands.
const INVITATION_LIFE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Who may become a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Invitation {
    pub(crate) role: Role,
    pub(crate) invited_by: String,
    /// Whether the program itself has named the owner of a company that it connected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    names_owner: bool,
}

fn key(tenant: &TenantId, email: &str) -> EntryKey {
    EntryKey::new(EntryKind::Invitation, tenant.as_str(), email.to_lowercase())
}

impl<R: Registry> Directory<'_, R> {
    async fn put_invitation(
        &self,
        tenant: &TenantId,
        email: &str,
        invitation: &Invitation,
    ) -> Result<(), StoreError> {
        let expires_at = Some(add(self.now, INVITATION_LIFE));
        let owner = email.to_lowercase();
        self.put_until(
            key(tenant, email),
            (&owner, expires_at),
            invitation,
            Expected::Any,
        )
        .await
        .map(drop)
    }

    /// Invites an address; whoever signs in with it may become a member.
    pub(crate) async fn invite(
        &self,
        tenant: &TenantId,
        email: &str,
        role: Role,
        invited_by: &str,
    ) -> Result<(), StoreError> {
        let invitation = Invitation {
            role,
            invited_by: invited_by.to_owned(),
            names_owner: false,
        };
        self.put_invitation(tenant, email, &invitation).await
    }

    /// Takes an invitation back: withdrawn by an admin, or declined.
    pub(crate) async fn withdraw(
        &self,
        tenant: &TenantId,
        email: &str,
    ) -> Result<bool, StoreError> {
        let key = key(tenant, email);
        let taken = self.registry.take_entry(&key, self.now).await?;
        Ok(taken.is_some())
    }

    /// The invitations of a tenant, each with its address and end.
    pub(crate) async fn invitations(
        &self,
        tenant: &TenantId,
    ) -> Result<Vec<(String, Invitation, Timestamp)>, StoreError> {
        let kind = EntryKind::Invitation;
        let group = self
            .registry
            .group(kind, tenant.as_str(), PEOPLE_MAX, self.now);
        let mut invitations = Vec::new();
        for entry in group.await? {
            let expires_at = entry.expires_at.unwrap_or(Timestamp::MAX);
            invitations.push((entry.key.name, decode(&entry.body)?, expires_at));
        }
        Ok(invitations)
    }

    /// The invitations that wait for the owner of an address, each with its tenant and end.
    pub(crate) async fn waiting(
        &self,
        email: &str,
    ) -> Result<Vec<(TenantId, Invitation, Timestamp)>, StoreError> {
        let email = email.to_lowercase();
        let owned = self.registry.owned(EntryKind::Invitation, &email, self.now);
        let mut waiting = Vec::new();
        for entry in owned.await? {
            if let Ok(tenant) = entry.key.group.parse::<TenantId>() {
                let expires_at = entry.expires_at.unwrap_or(Timestamp::MAX);
                waiting.push((tenant, decode(&entry.body)?, expires_at));
            }
        }
        Ok(waiting)
    }

    /// Makes the owner of an address a member. The invitation is taken first: one that was
    /// withdrawn at the same moment grants nothing.
    pub(crate) async fn accept(
        &self,
        tenant: &TenantId,
        email: &str,
        person: &str,
    ) -> Result<Option<Role>, StoreError> {
        let key = key(tenant, email);
        let Some(entry) = self.registry.take_entry(&key, self.now).await? else {
            return Ok(None);
        };
        let invitation: Invitation = decode(&entry.body)?;
        let present = self.role(tenant, person).await?;
        // An invitation never takes a right away.
        if let Some(present) = present.filter(|present| *present >= invitation.role) {
            return Ok(Some(present));
        }
        self.set_role(tenant, person, invitation.role).await?;
        Ok(Some(invitation.role))
    }

    /// Seats the owner whom the program named, unless the company has an admin by now.
    pub(crate) async fn seat_owner(
        &self,
        email: &str,
        person: &str,
    ) -> Result<Vec<TenantId>, StoreError> {
        let mut seated = Vec::new();
        for (tenant, invitation, _) in self.waiting(email).await? {
            if invitation.names_owner
                && !self.has_admin(&tenant, None).await?
                && self.accept(&tenant, email, person).await?.is_some()
            {
                seated.push(tenant);
            }
        }
        Ok(seated)
    }
}

/// Names the owner of a company that a program connected, as the demo does: the server's operator
/// says whose company it is, so nobody has to agree. It counts while the company has no admin.
pub async fn name_owner(
    registry: &impl Registry,
    tenant: &TenantId,
    email: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let directory = Directory { registry, now };
    let invitation = Invitation {
        role: Role::Admin,
        invited_by: "the command line".to_owned(),
        names_owner: true,
    };
    directory.put_invitation(tenant, email, &invitation).await
}
