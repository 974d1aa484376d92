//! The way to Intuit: signing in, and connecting a company.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use purser_core::{
    ids::TenantId,
    ports::{Entry, EntryKey, EntryKind, Expected, Registry as _},
};
use serde::{Deserialize, Serialize};

use crate::{
    answer::Answer,
    app::{SetCookies, Web},
    call::{Call, PATH_MAX},
    error::WebError,
    input, pace,
    ports::LivePorts,
    secret,
    session::{self, Session, add, encode},
    view::{DisconnectedView, Help, NoticeView, SignInView, WayOut},
};

/// How long a way to Intuit and back may take.
const WAY_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// What a sign-in asks for: who somebody is, and nothing else.
const SIGN_IN_SCOPES: &str = "openid profile email";
/// What a connection asks for: the books, and which company and person consented.
const CONNECT_SCOPES: &str = "com.intuit.quickbooks.accounting openid profile email";

/// What a way to Intuit is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
pub(super) enum Purpose {
    /// To find out who somebody is, and to go on at `next`.
    SignIn { next: String },
    /// To connect a company for the person of a session: this tenant's own again, or a new one.
    Connect {
        session: String,
        tenant: Option<TenantId>,
    },
}

/// A way to Intuit that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Way {
    /// The hash of the mark of the browser that set out.
    pub(super) browser: String,
    pub(super) nonce: String,
    pub(super) purpose: Purpose,
}

pub(super) fn way_key(state: &str) -> EntryKey {
    EntryKey::alone(EntryKind::SignIn, secret::hashed(state))
}

/// A path of this application to go on at, or home.
pub(super) fn safe_path(text: Option<&str>) -> String {
    let is_path = |text: &&str| {
        text.starts_with('/')
            && !text.starts_with("//")
            && text.len() <= PATH_MAX
            && text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
    };
    text.filter(is_path).unwrap_or("/home").to_owned()
}

impl<P: LivePorts> Web<P> {
    /// Where Intuit sends the browser back: from the configuration, never from a request.
    pub(super) fn redirect_uri(&self) -> String {
        let mut url = self.options.public_url.clone();
        url.set_path("/oauth/callback");
        url.set_query(None);
        url.to_string()
    }

    pub(crate) fn sign_in_page(&self, call: &Call, session: Option<&Session>) -> Answer {
        let next = safe_path(call.query.get("next"));
        if session.is_some() && call.query.get("problem").is_none() {
            return Answer::to(next);
        }
        let view = SignInView {
            next,
            problem: call.query.get("problem").map(problem),
            is_configured: self.outside().oauth().is_ok(),
        };
        Answer::show(("Sign in", "sign-in"), view)
    }

    pub(crate) async fn begin_sign_in(
        &self,
        call: &Call,
        cookies: &mut SetCookies,
    ) -> Result<Answer, WebError> {
        let input: input::BeginSignIn = call.input()?;
        let next = safe_path(input.next.as_deref());
        let url = self
            .set_out(call, Purpose::SignIn { next }, SIGN_IN_SCOPES, cookies)
            .await?;
        Ok(Answer::to(url))
    }

    /// Connecting is a consent of its own: signing in gives no right to anybody's books.
    pub(crate) async fn begin_connect(
        &self,
        call: &Call,
        session: &Session,
        cookies: &mut SetCookies,
    ) -> Result<Answer, WebError> {
        let input: input::BeginConnect = call.input()?;
        let is_new = input.new.as_deref() == Some("true");
        let mut tenant = session.tenant.clone().filter(|_| !is_new);
        if let Some(known) = &tenant {
            let role = self
                .directory(call.now)
                .role(known, &session.person)
                .await?;
            match role {
                Some(crate::people::Role::Admin) => {}
                Some(crate::people::Role::Viewer) => return Err(WebError::forbidden()),
                None => tenant = None,
            }
        }
        session::change(self.store(), &session.id, call.now, |session| {
            session.problem = None;
        })
        .await?;
        let purpose = Purpose::Connect {
            session: session.id.clone(),
            tenant,
        };
        let url = self.set_out(call, purpose, CONNECT_SCOPES, cookies).await?;
        Ok(Answer::done(
            StatusCode::OK,
            &WayOut { url: url.clone() },
            url,
        ))
    }

    /// Anybody may set out, and each way is stored until it is over.
    async fn pace_ways(&self, call: &Call) -> Result<(), WebError> {
        let window = self.pace_window();
        if let Some(browser) = call.cookie(self.cookies.browser_name()) {
            let who = format!("browser:{}", secret::hashed(browser));
            let limit = (pace::BROWSER_MAX, window);
            pace::count(self.store(), &who, limit, call.now).await?;
        }
        let limit = (pace::ALL_BROWSERS_MAX, window);
        pace::count(self.store(), "browsers", limit, call.now).await
    }

    /// Notes a way to Intuit, bound to this browser, and gives its address.
    async fn set_out(
        &self,
        call: &Call,
        purpose: Purpose,
        scopes: &str,
        cookies: &mut SetCookies,
    ) -> Result<String, WebError> {
        self.pace_ways(call).await?;
        let state = secret::random();
        let nonce = secret::random();
        // Several tabs of one browser are under way together.
        let browser = match call.cookie(self.cookies.browser_name()) {
            Some(known) if known.len() >= 40 => known.to_owned(),
            _ => secret::random(),
        };
        let oauth = self.outside().oauth()?;
        let url = oauth
            .authorization_url(scopes, &self.redirect_uri(), &state, Some(&nonce))
            .await?;
        let way = Way {
            browser: secret::hashed(&browser),
            nonce,
            purpose,
        };
        let entry = Entry {
            key: way_key(&state),
            owner: String::new(),
            body: encode(&way)?,
            expires_at: Some(expires_at(call.now)),
        };
        self.store()
            .put_entry(entry, Expected::Absent, call.now)
            .await?;
        cookies.0.push(self.cookies.browser(&browser));
        Ok(url.to_string())
    }

    pub(crate) fn disconnected_page() -> Answer {
        let view = DisconnectedView {
            text: "QuickBooks told us that the app was disconnected there. Purser notices this by \
                   itself with its next call; settings and history are kept."
                .to_owned(),
        };
        Answer::show(("Disconnected", "connection"), view)
    }

    pub(crate) fn help_page(session: Option<&Session>) -> Answer {
        let view = Help {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            is_signed_in: session.is_some(),
        };
        Answer::show(("Help", "help"), view)
    }
}

fn expires_at(now: Timestamp) -> Timestamp {
    add(now, WAY_LIFE)
}

/// The words for a sign-in that did not succeed.
pub(super) fn problem(word: &str) -> NoticeView {
    let (code, cause, remedy) = match word {
        "denied" => (
            "sign_in.denied",
            "The sign-in was cancelled at Intuit.",
            "Sign in again when you are ready.",
        ),
        "state" => (
            "sign_in.state",
            "This sign-in was used already, took longer than 10 minutes, or began in another browser.",
            "Sign in again.",
        ),
        "email" => (
            "sign_in.email",
            "Intuit has not verified your e-mail address, by which others can invite you.",
            "Verify the address in your Intuit account, then sign in again.",
        ),
        "unreachable" => (
            "sign_in.unreachable",
            "Intuit cannot be reached at the moment.",
            "Try again in a few minutes.",
        ),
        _ => (
            "sign_in.refused",
            "Intuit's answer could not be trusted, so nobody was signed in.",
            "Sign in again; if it stays, tell support the time of this try.",
        ),
    };
    NoticeView {
        code: code.to_owned(),
        cause: cause.to_owned(),
        remedy: remedy.to_owned(),
        link: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_goes_on_only_within_this_application() {
        assert_eq!(
            safe_path(Some("/logs?outcome=refused")),
            "/logs?outcome=refused"
        );
        let long = format!("/logs?text={}", "x".repeat(PATH_MAX));
        assert_eq!(safe_path(Some(&long)), "/home");
        for bad in [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "logs",
            "",
            "/a b",
            "/a\nSet-Cookie: x",
        ] {
            assert_eq!(safe_path(Some(bad)), "/home", "{bad}");
        }
    }
}
