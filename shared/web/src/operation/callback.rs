//! The way back from Intuit: the code is exchanged once, who signed in is proven, and a company
//! goes to whoever may have it.

use http::StatusCode;
use jiff::Timestamp;
use purser_core::{
    failure::FailureClass,
    ids::{RealmId, TenantId},
    ports::{DocumentKind, Entry, EntryKey, EntryKind, Expected, Put, Registry as _},
};
use purser_quickbooks::{IdentityError, OAuthError, Tokens};
use purser_runtime::connect;
use secrecy::SecretString;

use super::sign_in::{Purpose, Way, way_key};
use crate::{
    answer::Answer,
    app::{SetCookies, Web},
    call::Call,
    error::WebError,
    pace,
    people::{Person, Role, person_key},
    ports::LivePorts,
    secret,
    session::{self, Problem, Session, SignedIn, decode},
};

/// Why a way back leads nowhere: the word of the sign-in page.
struct Lost(&'static str);

impl From<WebError> for Lost {
    fn from(_: WebError) -> Self {
        Self("unreachable")
    }
}

impl From<purser_core::ports::StoreError> for Lost {
    fn from(error: purser_core::ports::StoreError) -> Self {
        WebError::from(error).into()
    }
}

impl<P: LivePorts> Web<P> {
    /// Answers with a redirect to a clean address, whatever happens: the code never stays in the
    /// browser's address line.
    pub(crate) async fn callback(
        &self,
        call: &Call,
        session: Option<&Session>,
        cookies: &mut SetCookies,
    ) -> Result<Answer, WebError> {
        let to = match self.come_back(call, session, cookies).await {
            Ok(to) => to,
            // A second callback of a way that was gone already does no harm.
            Err(Lost("state")) if session.is_some() => "/home".to_owned(),
            Err(Lost(word)) => {
                tracing::warn!(problem = word, correlation = %call.correlation, "a sign-in did not succeed");
                format!("/sign-in?problem={word}")
            }
        };
        Ok(Answer::Redirect(StatusCode::FOUND, to))
    }

    async fn come_back(
        &self,
        call: &Call,
        session: Option<&Session>,
        cookies: &mut SetCookies,
    ) -> Result<String, Lost> {
        let state = call.query.get("state").ok_or(Lost("state"))?;
        // Taken first: of two callbacks one goes on, and the code is exchanged once.
        let way = self.store().take_entry(&way_key(state), call.now).await?;
        let way: Way = decode(&way.ok_or(Lost("state"))?.body)?;
        let browser = call.cookie(self.cookies.browser_name()).unwrap_or_default();
        if secret::hashed(browser) != way.browser {
            return Err(Lost("state"));
        }
        match &way.purpose {
            Purpose::SignIn { next } => {
                let next = next.clone();
                self.finish_sign_in(call, session, (&way, next), cookies)
                    .await
            }
            Purpose::Connect {
                session: began,
                tenant,
            } => {
                let session = session.filter(|session| session.id == *began);
                let session = session.ok_or(Lost("state"))?;
                let outcome = self.finish_connect(call, session, (&way, tenant.clone()));
                match outcome.await {
                    Ok(to) => Ok(to),
                    Err(problem) => {
                        self.note_problem(call.now, session, problem).await?;
                        Ok("/set-up".to_owned())
                    }
                }
            }
        }
    }

    /// Exchanges the code for tokens. Never called twice for one code.
    async fn exchange(&self, call: &Call) -> Result<Tokens, Lost> {
        if let Some(error) = call.query.get("error") {
            return Err(Lost(match error {
                "access_denied" => "denied",
                _ => "refused",
            }));
        }
        let code = call.query.get("code").ok_or(Lost("refused"))?;
        let code = SecretString::from(code.to_owned());
        let oauth = self.outside().oauth().map_err(|_| Lost("refused"))?;
        let tokens = oauth.exchange_code(&code, &self.redirect_uri()).await;
        tokens.map_err(|error| match error {
            OAuthError::Failed(failure) if failure.class() == FailureClass::Retry => {
                Lost("unreachable")
            }
            OAuthError::InvalidGrant(_) | OAuthError::Failed(_) => Lost("refused"),
        })
    }

    /// Who consented: the identity token is checked in full, and the address must be verified.
    async fn identify(
        &self,
        way: &Way,
        tokens: &Tokens,
    ) -> Result<(SignedIn, Option<RealmId>), Lost> {
        let oauth = self.outside().oauth().map_err(|_| Lost("refused"))?;
        let id_token = tokens.id_token.as_ref().ok_or(Lost("refused"))?;
        let identity = oauth.verify_id_token(id_token, Some(&way.nonce)).await;
        let identity = identity.map_err(|error| match error {
            IdentityError::Failed(_) => Lost("unreachable"),
            other => {
                tracing::warn!(%other, "an identity token was refused");
                Lost("refused")
            }
        })?;
        let person = oauth.user_info(&tokens.access.token).await;
        let person = person.map_err(|_| Lost("unreachable"))?;
        if person.subject != identity.subject {
            return Err(Lost("refused"));
        }
        let email = person.email.filter(|_| person.email_verified);
        let signed_in = SignedIn {
            person: person_key(&identity.issuer, &identity.subject),
            email: email.ok_or(Lost("email"))?,
            name: person.name,
        };
        Ok((signed_in, identity.realm))
    }

    async fn finish_sign_in(
        &self,
        call: &Call,
        before: Option<&Session>,
        (way, next): (&Way, String),
        cookies: &mut SetCookies,
    ) -> Result<String, Lost> {
        let tokens = self.exchange(call).await?;
        let (who, _) = self.identify(way, &tokens).await?;
        let directory = self.directory(call.now);
        let person = Person {
            email: who.email.clone(),
            name: who.name.clone(),
            signed_in_at: call.now,
        };
        directory.note_person(&who.person, &person).await?;
        for tenant in directory.seat_owner(&who.email, &who.person).await? {
            let text = "became the admin whom the command line named.";
            directory
                .note(&tenant, &who.email, "owner_seated", text)
                .await?;
        }
        let tenants = directory.tenants(&who.person).await?;
        // Nobody becomes a member unasked: what waits is shown.
        let is_invited = tenants.is_empty() && !directory.waiting(&who.email).await?.is_empty();
        let same_person = before.filter(|before| before.person == who.person);
        let last = same_person.and_then(|before| before.tenant.clone());
        let last = last.filter(|last| tenants.iter().any(|(known, _)| known == last));
        let tenant = last.or_else(|| tenants.first().map(|(tenant, _)| tenant.clone()));
        for (tenant, _) in &tenants {
            directory
                .note(tenant, &who.email, "signed_in", "signed in.")
                .await?;
        }
        if let Some(before) = before {
            session::end(self.store(), &before.id, call.now).await?;
        }
        let (_, secret) = session::begin(self.store(), who, tenant.clone(), call.now).await?;
        cookies.0.push(self.cookies.session(&secret));
        Ok(match (tenant, tenants.len()) {
            (None, _) if is_invited && !next.starts_with("/link/") => "/companies".to_owned(),
            (None, _) if next == "/home" => "/set-up".to_owned(),
            (Some(_), 2..) if next == "/home" => "/companies".to_owned(),
            _ => next,
        })
    }

    async fn finish_connect(
        &self,
        call: &Call,
        session: &Session,
        (way, tenant): (&Way, Option<TenantId>),
    ) -> Result<String, Problem> {
        let tokens = self.exchange(call).await.map_err(|lost| lost.problem())?;
        let (who, realm_of_token) = self
            .identify(way, &tokens)
            .await
            .map_err(|lost| lost.problem())?;
        if who.person != session.person {
            return Err(other_person());
        }
        let realm: Option<RealmId> = call.query.get("realmId").and_then(|text| text.parse().ok());
        let realm = realm.ok_or_else(|| Lost("refused").problem())?;
        if realm_of_token.is_some_and(|other| other != realm) {
            return Err(Lost("refused").problem());
        }
        let trial = tenant.clone().unwrap_or_else(|| trial_tenant(&realm));
        let company = connect::prove_tokens(self.outside(), &trial, &realm, &tokens).await;
        let company = company.map_err(|failure| Problem {
            code: failure.code().as_str().to_owned(),
            cause: failure.notice.cause(),
            remedy: failure.notice.remedy(),
            ask: Vec::new(),
        })?;
        let tenant = self
            .tenant_for(call, session, (&realm, &company), tenant)
            .await?;
        let stored = connect::store_tokens(
            &self.engine,
            self.outside(),
            &tenant,
            (realm, company.clone()),
            tokens,
        );
        stored.await.map_err(|_| Lost("unreachable").problem())?;
        self.settle_in(call, session, &tenant, &company)
            .await
            .map_err(|_| Lost("unreachable").problem())?;
        let is_known = self.has(&tenant, DocumentKind::Settings).await;
        Ok(match is_known {
            Ok(true) => "/connection?done=quickbooks".to_owned(),
            _ => "/set-up?done=quickbooks".to_owned(),
        })
    }

    async fn settle_in(
        &self,
        call: &Call,
        session: &Session,
        tenant: &TenantId,
        company: &str,
    ) -> Result<(), WebError> {
        session::change(self.store(), &session.id, call.now, |session| {
            session.tenant = Some(tenant.clone());
            session.problem = None;
        })
        .await?;
        let text = format!("connected the QuickBooks company {company}.");
        let directory = self.directory(call.now);
        directory
            .note(tenant, &session.email, "quickbooks_connected", text)
            .await?;
        self.go_on(tenant).await
    }

    /// The tenant a proven realm goes to, or why it does not go to this person.
    async fn tenant_for(
        &self,
        call: &Call,
        session: &Session,
        (realm, company): (&RealmId, &str),
        wanted: Option<TenantId>,
    ) -> Result<TenantId, Problem> {
        let unreachable = |_| Lost("unreachable").problem();
        let owner = self.owner_of(realm, call.now).await.map_err(unreachable)?;
        if let Some(owner) = owner {
            return self
                .known_owner(call, session, (company, owner), wanted)
                .await;
        }
        if let Some(wanted) = &wanted {
            let held = self
                .store()
                .owned(EntryKind::Realm, wanted.as_str(), call.now);
            let held = held.await.map_err(|error| unreachable(error.into()))?;
            let status = self.engine.status(wanted).await;
            let status = status.map_err(|error| unreachable(error.into()))?;
            if !held.is_empty() || status.realm.is_some() {
                return Err(other_company(company, status.company_name.as_deref()));
            }
        }
        self.claim(call, session, realm, wanted).await
    }

    async fn known_owner(
        &self,
        call: &Call,
        session: &Session,
        (company, owner): (&str, TenantId),
        wanted: Option<TenantId>,
    ) -> Result<TenantId, Problem> {
        let unreachable = |_| Lost("unreachable").problem();
        if wanted.as_ref().is_some_and(|wanted| *wanted != owner) {
            let name = self.engine.status(&owner).await.ok();
            let name = name.and_then(|status| status.company_name);
            return Err(other_company(company, name.as_deref()));
        }
        let directory = self.directory(call.now);
        let role = directory.role(&owner, &session.person).await;
        if role.map_err(unreachable)? == Some(Role::Admin) {
            return Ok(owner);
        }
        let ask = directory.admins(&owner).await.map_err(unreachable)?;
        let text = "tried to connect a company that belongs to somebody else.";
        let who = format!("{owner}:{}", session.person);
        let is_news = pace::is_news(self.store(), &who, "connect", call.now).await;
        if is_news.map_err(|_| Lost("unreachable").problem())? {
            let noted = directory.note(&owner, &session.email, "connect_refused", text);
            noted.await.map_err(unreachable)?;
        }
        Err(taken(company, ask))
    }

    /// The tenant that a realm belongs to: connected now, or before a disconnect.
    async fn owner_of(
        &self,
        realm: &RealmId,
        now: Timestamp,
    ) -> Result<Option<TenantId>, WebError> {
        let key = EntryKey::alone(EntryKind::Realm, realm.as_str());
        if let Some((entry, _)) = self.store().entry(&key, now).await? {
            return Ok(entry.owner.parse().ok());
        }
        Ok(connect::tenant_of_realm(&self.engine, realm).await?)
    }

    /// Takes a free realm for a tenant, of which this person becomes the first admin. Of two who
    /// try at once, one gets it.
    async fn claim(
        &self,
        call: &Call,
        session: &Session,
        realm: &RealmId,
        wanted: Option<TenantId>,
    ) -> Result<TenantId, Problem> {
        let unreachable = |_| Lost("unreachable").problem();
        let directory = self.directory(call.now);
        if let Some(tenant) = &wanted {
            // Whoever was an admin when they set out may have been removed while at Intuit.
            let role = directory.role(tenant, &session.person).await;
            if role.map_err(|error| unreachable(error.into()))? != Some(Role::Admin) {
                return Err(no_admin());
            }
        }
        let is_new = wanted.is_none();
        let tenant = match wanted {
            Some(tenant) => tenant,
            None => new_tenant().map_err(unreachable)?,
        };
        let entry = Entry {
            key: EntryKey::alone(EntryKind::Realm, realm.as_str()),
            owner: tenant.to_string(),
            body: tenant.to_string(),
            expires_at: None,
        };
        let put = self.store().put_entry(entry, Expected::Absent, call.now);
        if put.await.map_err(|error| unreachable(error.into()))? == Put::Conflict {
            return Err(unreachable(WebError::bug()));
        }
        if is_new {
            let seated = directory.set_role(&tenant, &session.person, Role::Admin);
            seated.await.map_err(|error| unreachable(error.into()))?;
        }
        Ok(tenant)
    }

    async fn note_problem(
        &self,
        now: Timestamp,
        session: &Session,
        problem: Problem,
    ) -> Result<(), Lost> {
        tracing::warn!(code = %problem.code, "a company was not connected");
        let changed = session::change(self.store(), &session.id, now, |session| {
            session.problem = Some(problem.clone());
        });
        Ok(changed.await?)
    }
}

impl Lost {
    fn problem(&self) -> Problem {
        if self.0 == "denied" {
            return Problem {
                code: "connect.denied".to_owned(),
                cause:
                    "The connection was not granted at Intuit: it was cancelled, or you are not \
                        an administrator of that company."
                        .to_owned(),
                remedy: "Connect as an administrator of the company.".to_owned(),
                ask: Vec::new(),
            };
        }
        let notice = super::sign_in::problem(self.0);
        Problem {
            code: notice.code,
            cause: notice
                .cause
                .replace("nobody was signed in", "nothing was connected"),
            remedy: "Connect again.".to_owned(),
            ask: Vec::new(),
        }
    }
}

fn other_person() -> Problem {
    Problem {
        code: "connect.other_person".to_owned(),
        cause: "At Intuit somebody else consented than who is signed in here.".to_owned(),
        remedy: "Sign out here and sign in as that person, or consent as yourself.".to_owned(),
        ask: Vec::new(),
    }
}

fn no_admin() -> Problem {
    let error = WebError::forbidden();
    Problem {
        code: error.code.clone(),
        cause: error.cause.clone(),
        remedy: error.remedy.clone(),
        ask: Vec::new(),
    }
}

fn other_company(chosen: &str, meant: Option<&str>) -> Problem {
    let meant = meant.unwrap_or("another company");
    Problem {
        code: "connect.other_company".to_owned(),
        cause: format!("You chose {chosen} at Intuit, but this is the connection of {meant}."),
        remedy: "Connect again and choose the right company; another company is connected on the \
                 page Companies."
            .to_owned(),
        ask: Vec::new(),
    }
}

fn taken(company: &str, ask: Vec<String>) -> Problem {
    let remedy = match ask.is_empty() {
        false => "Ask one of its admins for an invitation.",
        true => "Ask whoever runs this server for a one-time link.",
    };
    Problem {
        code: "connect.taken".to_owned(),
        cause: format!("{company} is connected already, by somebody else."),
        remedy: remedy.to_owned(),
        ask,
    }
}

fn trial_tenant(realm: &RealmId) -> TenantId {
    match format!("realm-{realm}").parse() {
        Ok(tenant) => tenant,
        Err(_) => unreachable!("a realm is digits"),
    }
}

/// A name for a new tenant. It stands in every line of the logs, so it tells nothing of the company.
fn new_tenant() -> Result<TenantId, WebError> {
    let name = format!("company-{}", secret::short());
    name.parse().map_err(|_| WebError::bug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_tenant_has_a_name_of_its_own_that_tells_nothing() {
        let [one, other] =
            [new_tenant(), new_tenant()].map(|name| name.ok().map(|n| n.to_string()));
        assert!(one.is_some_and(|name| name.starts_with("company-")));
        assert!(other.is_some());
    }
}
