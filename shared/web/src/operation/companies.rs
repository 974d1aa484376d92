//! The companies of a person: those one is a member of, and those that invite.

use http::StatusCode;
use purser_core::ids::TenantId;

use crate::{
    answer::Answer,
    app::Web,
    call::Call,
    error::WebError,
    input,
    ports::LivePorts,
    session::{self, Session},
    view::{Companies, Company, Done, WaitingInvitation},
};

fn done(text: &str, then: &str) -> Answer {
    let done = Done {
        done: text.to_owned(),
    };
    Answer::done(StatusCode::OK, &done, then)
}

/// The tenant that the input names; what is no name does not exist.
fn named(call: &Call) -> Result<TenantId, WebError> {
    let input: input::NamedCompany = call.input()?;
    input.tenant.parse().map_err(|_| WebError::not_found())
}

impl<P: LivePorts> Web<P> {
    pub(crate) async fn companies(
        &self,
        call: &Call,
        session: &Session,
    ) -> Result<Answer, WebError> {
        let directory = self.directory(call.now);
        let mut companies = Vec::new();
        for (tenant, role) in directory.tenants(&session.person).await? {
            companies.push(Company {
                name: self.company_name(&tenant).await?,
                role: role.as_str().to_owned(),
                is_current: session.tenant.as_ref() == Some(&tenant),
                tenant: tenant.to_string(),
            });
        }
        companies.sort_by_key(|company| company.name.to_lowercase());
        let mut invitations = Vec::new();
        for (tenant, invitation, expires_at) in directory.waiting(&session.email).await? {
            invitations.push(WaitingInvitation {
                name: self.company_name(&tenant).await?,
                tenant: tenant.to_string(),
                role: invitation.role.as_str().to_owned(),
                invited_by: invitation.invited_by,
                expires_at,
            });
        }
        let view = Companies {
            companies,
            invitations,
        };
        Ok(Answer::show(("Companies", "account"), view))
    }

    async fn company_name(&self, tenant: &TenantId) -> Result<String, WebError> {
        let status = self.engine.status(tenant).await?;
        Ok(status.company_name.unwrap_or_else(|| tenant.to_string()))
    }

    pub(crate) async fn choose_company(
        &self,
        call: &Call,
        session: &Session,
    ) -> Result<Answer, WebError> {
        let tenant = named(call)?;
        let directory = self.directory(call.now);
        let role = directory.role(&tenant, &session.person).await?;
        role.ok_or_else(WebError::not_found)?;
        self.look_at(call, session, Some(tenant)).await?;
        Ok(done("You look at this company now.", "/home?done=company"))
    }

    async fn look_at(
        &self,
        call: &Call,
        session: &Session,
        tenant: Option<TenantId>,
    ) -> Result<(), WebError> {
        let changed = session::change(self.store(), &session.id, call.now, |session| {
            session.tenant.clone_from(&tenant);
            session.problem = None;
        });
        Ok(changed.await?)
    }

    /// Becomes a member, because the person says so, and looks at that company from now on.
    pub(crate) async fn accept_invitation(
        &self,
        call: &Call,
        session: &Session,
    ) -> Result<Answer, WebError> {
        let tenant = named(call)?;
        let directory = self.directory(call.now);
        let accepted = directory.accept(&tenant, &session.email, &session.person);
        let role = accepted.await?.ok_or_else(no_invitation)?;
        let text = format!("accepted an invitation and is {} now.", role.as_str());
        directory
            .note(&tenant, &session.email, "invitation_accepted", text)
            .await?;
        self.look_at(call, session, Some(tenant)).await?;
        let text = "You are a member of this company now.";
        Ok(done(text, "/home?done=accepted"))
    }

    pub(crate) async fn decline_invitation(
        &self,
        call: &Call,
        session: &Session,
    ) -> Result<Answer, WebError> {
        let tenant = named(call)?;
        let directory = self.directory(call.now);
        if !directory.withdraw(&tenant, &session.email).await? {
            return Err(no_invitation());
        }
        let text = "declined an invitation.";
        directory
            .note(&tenant, &session.email, "invitation_declined", text)
            .await?;
        let text = "The invitation is declined.";
        Ok(done(text, "/companies?done=declined"))
    }

    /// Gives up one's own membership; the last admin stays.
    pub(crate) async fn leave_company(
        &self,
        call: &Call,
        session: &Session,
    ) -> Result<Answer, WebError> {
        let tenant = named(call)?;
        let directory = self.directory(call.now);
        let role = directory.role(&tenant, &session.person).await?;
        role.ok_or_else(WebError::not_found)?;
        let left = directory.change_right(&tenant, &session.person, None);
        if !left.await? {
            return Err(WebError::last_admin());
        }
        directory
            .note(&tenant, &session.email, "left", "left the company.")
            .await?;
        if session.tenant.as_ref() == Some(&tenant) {
            self.look_at(call, session, None).await?;
        }
        let text = "You are no member of this company any more.";
        Ok(done(text, "/companies?done=left"))
    }
}

fn no_invitation() -> WebError {
    WebError::new(
        StatusCode::NOT_FOUND,
        "invitation.gone",
        "This invitation is not there any more: it was used, withdrawn, or is too old.",
        "Ask an admin of the company to invite you again.",
    )
}
