//! Who is signed in, and one-time links.

use http::StatusCode;
use purser_core::ids::TenantId;

use crate::{
    answer::Answer,
    app::{SetCookies, Web},
    call::Call,
    error::WebError,
    people::Role,
    ports::LivePorts,
    session::{self, Session},
    view::{AdminLinkView, Done, Me},
};

fn done(text: &str) -> Done {
    Done {
        done: text.to_owned(),
    }
}

impl<P: LivePorts> Web<P> {
    pub(crate) async fn sign_out(
        &self,
        call: &Call,
        session: &Session,
        cookies: &mut SetCookies,
    ) -> Result<Answer, WebError> {
        session::end(self.store(), &session.id, call.now).await?;
        self.note_for_current(call, session, "signed_out", "signed out.")
            .await?;
        cookies.0.push(self.cookies.no_session());
        let done = done("You are signed out.");
        Ok(Answer::done(
            StatusCode::OK,
            &done,
            "/sign-in?done=signed-out",
        ))
    }

    pub(crate) async fn end_my_sessions(
        &self,
        call: &Call,
        session: &Session,
        cookies: &mut SetCookies,
    ) -> Result<Answer, WebError> {
        let ended = session::end_all(self.store(), &session.person, None, call.now).await?;
        let text = format!("signed out everywhere ({ended} sessions).");
        self.note_for_current(call, session, "signed_out_everywhere", &text)
            .await?;
        cookies.0.push(self.cookies.no_session());
        let done = done("All your sessions are ended.");
        Ok(Answer::done(
            StatusCode::OK,
            &done,
            "/sign-in?done=signed-out",
        ))
    }

    async fn note_for_current(
        &self,
        call: &Call,
        session: &Session,
        what: &'static str,
        text: &str,
    ) -> Result<(), WebError> {
        if let Some(tenant) = &session.tenant {
            self.directory(call.now)
                .note(tenant, &session.email, what, text)
                .await?;
        }
        Ok(())
    }

    pub(crate) async fn account(&self, call: &Call, session: &Session) -> Result<Answer, WebError> {
        let role = match &session.tenant {
            Some(tenant) => {
                self.directory(call.now)
                    .role(tenant, &session.person)
                    .await?
            }
            None => None,
        };
        let tenant = session.tenant.as_ref().filter(|_| role.is_some());
        let view = Me {
            email: session.email.clone(),
            name: session.name.clone(),
            tenant: tenant.map(TenantId::to_string),
            role: role.map(|role| role.as_str().to_owned()),
            ends_at: session.ends_at(),
        };
        Ok(Answer::show(("Your account", "account"), view))
    }

    pub(crate) async fn link_page(&self, call: &Call) -> Result<Answer, WebError> {
        let secret = call.parameter("secret").to_owned();
        let tenant = self.directory(call.now).link(&secret).await?;
        let tenant = tenant.ok_or_else(used_link)?;
        let view = AdminLinkView {
            tenant: tenant.to_string(),
            secret,
        };
        Ok(Answer::show(("Become an admin", "account"), view))
    }

    pub(crate) async fn use_link(
        &self,
        call: &Call,
        session: &Session,
    ) -> Result<Answer, WebError> {
        let directory = self.directory(call.now);
        let tenant = directory.use_link(call.parameter("secret")).await?;
        let tenant = tenant.ok_or_else(used_link)?;
        directory
            .set_role(&tenant, &session.person, Role::Admin)
            .await?;
        let text = "became an admin by a one-time link.";
        directory
            .note(&tenant, &session.email, "admin_by_link", text)
            .await?;
        session::change(self.store(), &session.id, call.now, |session| {
            session.tenant = Some(tenant.clone());
        })
        .await?;
        let done = done("You are an admin of this company now.");
        Ok(Answer::done(StatusCode::OK, &done, "/home?done=admin"))
    }
}

fn used_link() -> WebError {
    WebError::new(
        StatusCode::NOT_FOUND,
        "link.used",
        "This link was used already, or is older than a day.",
        "Start `purser serve` again for a new one, or ask an admin for an invitation.",
    )
}
