//! Both connections: credentials, the check, and the end of them.

use http::StatusCode;
use purser_core::{
    ids::{RealmId, TenantId},
    ports::{Entry, EntryKey, EntryKind, Expected, Registry as _},
    tenant::AutotaskCredentials,
};
use purser_runtime::{
    connect::{self, ConnectError},
    preflight::{self, Finding},
};
use secrecy::SecretString;

use crate::{
    answer::Answer,
    app::{Seat, Web},
    call::Call,
    error::WebError,
    input,
    ports::LivePorts,
    view::{
        AutotaskForm, CheckView, ConnectionPage, DisconnectForm, Done, FieldProblem, FindingView,
        Level,
    },
};

const AUTOTASK: (&str, &str) = ("Autotask credentials", "connection");

impl<P: LivePorts> Web<P> {
    pub(crate) async fn connection(&self, call: &Call, seat: &Seat) -> Result<Answer, WebError> {
        let standing = self.standing(&seat.tenant).await?;
        let view = ConnectionPage {
            company: standing.company(&seat.tenant),
            connections: standing.connections(call.now),
            runs: standing.runs(),
            is_set_up: standing.is_set_up(),
            can_disconnect: standing.has_autotask || standing.has_quickbooks,
        };
        let title = ("Connection settings and logs", "connection");
        Ok(Answer::show(title, view))
    }

    pub(crate) async fn autotask_form(&self, seat: &Seat) -> Result<Answer, WebError> {
        let standing = self.standing(&seat.tenant).await?;
        let view = AutotaskForm {
            user: standing.status.autotask_user.clone().unwrap_or_default(),
            is_stored: standing.has_autotask,
            ..AutotaskForm::default()
        };
        Ok(Answer::show(AUTOTASK, view))
    }

    /// Tries the credentials live; only what Autotask accepts is stored.
    pub(crate) async fn save_autotask(&self, call: &Call, seat: &Seat) -> Result<Answer, WebError> {
        let input: input::SaveAutotask = call.input()?;
        let problems = missing(&input);
        if !problems.is_empty() {
            return self
                .refused_autotask(call, seat, (input.user, problems, None))
                .await;
        }
        let credentials = AutotaskCredentials {
            user: input.user.trim().to_owned(),
            secret: SecretString::from(input.secret),
            integration_code: SecretString::from(input.integration_code.trim().to_owned()),
        };
        let credentials = Some(credentials);
        let connected = connect::connect(
            &self.engine,
            self.outside(),
            &seat.tenant,
            credentials,
            None,
        );
        let goes_on = match connected.await {
            Ok(connected) => connected.goes_on,
            Err(ConnectError::Failed { failure, .. }) => {
                let error = WebError::from(failure);
                return self
                    .refused_autotask(call, seat, (input.user, Vec::new(), Some(error)))
                    .await;
            }
            Err(ConnectError::RealmTaken(_)) => return Err(WebError::bug()),
        };
        let directory = self.directory(call.now);
        let text = "entered Autotask credentials.";
        directory
            .note(
                &seat.tenant,
                &seat.session.email,
                "autotask_connected",
                text,
            )
            .await?;
        if goes_on {
            self.go_on(&seat.tenant).await?;
        }
        let standing = self.standing(&seat.tenant).await?;
        let then = match standing.is_set_up() {
            true => "/connection?done=autotask",
            false => "/set-up?done=autotask",
        };
        let done = Done {
            done: "Autotask accepted the API user, and it is stored.".to_owned(),
        };
        Ok(Answer::done(StatusCode::OK, &done, then))
    }

    /// A transfer that was started before goes on as soon as both sides are connected again.
    pub(super) async fn go_on(&self, tenant: &TenantId) -> Result<(), WebError> {
        let standing = self.standing(tenant).await?;
        if standing.is_set_up() && !standing.runs().is_running {
            self.engine.start_now(tenant).await?;
        }
        Ok(())
    }

    async fn refused_autotask(
        &self,
        call: &Call,
        seat: &Seat,
        (user, problems, error): (String, Vec<FieldProblem>, Option<WebError>),
    ) -> Result<Answer, WebError> {
        let error = error.unwrap_or_else(|| WebError::wrong(problems.clone()));
        if call.wants_json {
            return Err(error);
        }
        let standing = self.standing(&seat.tenant).await?;
        let is_told_by_fields = !problems.is_empty();
        let view = AutotaskForm {
            user,
            is_stored: standing.has_autotask,
            problems,
            problem: Some(error.notice()).filter(|_| !is_told_by_fields),
        };
        let status = match error.status {
            StatusCode::CONFLICT => StatusCode::UNPROCESSABLE_ENTITY,
            other => other,
        };
        Ok(Answer::show_as(status, AUTOTASK, view))
    }

    pub(crate) async fn check(&self, seat: &Seat) -> Result<Answer, WebError> {
        let (findings, _) = preflight::look(&self.engine, &seat.tenant).await?;
        self.engine.note_calls(&seat.tenant).await?;
        Ok(Answer::show(
            ("Check the connection", "connection"),
            found(findings),
        ))
    }

    pub(crate) async fn check_and_resume(&self, seat: &Seat) -> Result<Answer, WebError> {
        let findings = preflight::check(&self.engine, &seat.tenant).await?;
        self.engine.note_calls(&seat.tenant).await?;
        Ok(Answer::show(
            ("Check the connection", "connection"),
            found(findings),
        ))
    }

    pub(crate) async fn disconnect_form(&self, seat: &Seat) -> Result<Answer, WebError> {
        let standing = self.standing(&seat.tenant).await?;
        let view = DisconnectForm {
            company: standing.company(&seat.tenant),
            waiting: self.counts(&seat.tenant).await?.waiting,
        };
        Ok(Answer::show(("Disconnect", "connection"), view))
    }

    /// Gives the grant back at Intuit and forgets both secrets. The company stays this tenant's.
    pub(crate) async fn disconnect(&self, call: &Call, seat: &Seat) -> Result<Answer, WebError> {
        let status = self.engine.status(&seat.tenant).await?;
        if let Some(realm) = &status.realm {
            self.keep_realm(call, seat, realm).await?;
        }
        connect::disconnect(&self.engine, self.outside(), &seat.tenant).await?;
        let directory = self.directory(call.now);
        let text = "ended both connections.";
        directory
            .note(&seat.tenant, &seat.session.email, "disconnected", text)
            .await?;
        let done = Done {
            done: "Both connections are ended. Settings and history are kept.".to_owned(),
        };
        Ok(Answer::done(
            StatusCode::OK,
            &done,
            "/connection?done=disconnected",
        ))
    }

    async fn keep_realm(&self, call: &Call, seat: &Seat, realm: &RealmId) -> Result<(), WebError> {
        let entry = Entry {
            key: EntryKey::alone(EntryKind::Realm, realm.as_str()),
            owner: seat.tenant.to_string(),
            body: seat.tenant.to_string(),
            expires_at: None,
        };
        // A conflict means that it is noted already.
        self.store()
            .put_entry(entry, Expected::Absent, call.now)
            .await?;
        Ok(())
    }
}

fn missing(input: &input::SaveAutotask) -> Vec<FieldProblem> {
    let fields = [
        (
            "user",
            &input.user,
            "Enter the API user's name; it looks like an e-mail address.",
        ),
        ("secret", &input.secret, "Enter the API user's secret."),
        (
            "integration_code",
            &input.integration_code,
            "Enter the tracking identifier of the API user.",
        ),
    ];
    let mut problems = Vec::new();
    for (field, value, message) in fields {
        let is_long = value.chars().count() > 200;
        if value.trim().is_empty() || is_long || value.chars().any(char::is_control) {
            problems.push(FieldProblem {
                field: field.to_owned(),
                message: message.to_owned(),
            });
        }
    }
    problems
}

fn found(findings: Vec<Finding>) -> CheckView {
    let mut findings: Vec<_> = findings
        .into_iter()
        .map(|finding| FindingView {
            check: finding.check.to_owned(),
            level: match finding.level {
                preflight::Level::Good => Level::Good,
                preflight::Level::Note => Level::Note,
                preflight::Level::Bad => Level::Bad,
            },
            text: finding.text,
            remedy: finding.remedy,
        })
        .collect();
    let rank = |level| match level {
        Level::Bad => 0,
        Level::Note => 1,
        Level::Good => 2,
    };
    findings.sort_by_key(|finding| rank(finding.level));
    let is_good = findings.iter().all(|finding| finding.level != Level::Bad);
    CheckView { findings, is_good }
}
