//! The way of a request: who asks, may they, what is answered, and what every answer bears.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use jiff::Timestamp;
use purser_core::{
    ids::TenantId,
    ports::{Clock as _, DocumentKind, Ledger as _},
    usecase::Engine,
};
use purser_runtime::outside::LiveOutside;
use url::Url;

use crate::{
    answer::{self, Answer, Shown, set},
    call::{Call, PATH_MAX},
    cookies::Cookies,
    error::WebError,
    guard, pace,
    part::{self, Part, Whole},
    people::{Directory, Role},
    ports::LivePorts,
    router,
    routes::{Operation, Work},
    secret,
    session::{self, Session},
    view::{DemoHint, Frame},
};

/// How the application is reached, and what it tells its visitors.
#[derive(Clone, Debug)]
pub struct WebOptions {
    /// The address people reach it at; Intuit sends them back there, so it must be registered.
    pub public_url: Url,
    /// Where the browser is sent for Intuit's pages, for the content security policy.
    pub intuit_origins: String,
    /// Whether mails leave by a relay; without one they are kept in the outbox.
    pub sends_mail: bool,
    /// What a visitor of the demo needs to know.
    pub demo: Option<DemoHint>,
}

/// The web application over one engine.
pub struct Web<P: LivePorts> {
    pub(crate) engine: Arc<Engine<P>>,
    pub(crate) options: WebOptions,
    pub(crate) cookies: Cookies,
}

/// A member at work for one company. Only the check of a session makes one.
pub(crate) struct Seat {
    pub(crate) session: Session,
    pub(crate) tenant: TenantId,
    pub(crate) role: Role,
}

/// What a request changes about the browser's cookies.
#[derive(Default)]
pub(crate) struct SetCookies(pub(crate) Vec<String>);

impl<P: LivePorts> Web<P> {
    /// The application; answers nothing yet.
    pub fn new(engine: Arc<Engine<P>>, options: WebOptions) -> Self {
        let cookies = Cookies::new(&options.public_url);
        Self {
            engine,
            options,
            cookies,
        }
    }

    pub(crate) fn store(&self) -> &P::Store {
        self.engine.ports().store()
    }

    pub(crate) fn outside(&self) -> &LiveOutside<P::LiveClock, P::LiveLedger> {
        self.engine.ports().outside()
    }

    pub(crate) fn directory(&self, now: Timestamp) -> Directory<'_, P::Store> {
        Directory {
            registry: self.store(),
            now,
        }
    }

    /// Answers one request. The request's body must be complete.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.handle_part::<Whole>(request).await
    }

    /// Answers one request, if it is one of this part.
    pub async fn handle_part<A: Part>(&self, request: Request<Bytes>) -> Response<Bytes> {
        let now = self.engine.ports().clock().now();
        let correlation = secret::short();
        let is_head = request.method() == Method::HEAD;
        let call = Call::read(request, correlation, now);
        let mut cookies = SetCookies::default();
        let mut response = self.answer::<A>(call, &mut cookies).await;
        for cookie in cookies.0 {
            if let Ok(value) = HeaderValue::from_str(&cookie) {
                response.headers_mut().append(header::SET_COOKIE, value);
            }
        }
        if is_head {
            *response.body_mut() = Bytes::new();
        }
        response
    }

    async fn answer<A: Part>(&self, mut call: Call, cookies: &mut SetCookies) -> Response<Bytes> {
        let mut session = None;
        let outcome = self.carry_out::<A>(&mut call, &mut session, cookies).await;
        let answer = match outcome {
            Ok(answer) => answer,
            Err(error) => return self.refuse(&call, session.as_ref(), error).await,
        };
        let frame = self.frame(&call, session.as_ref()).await;
        let mut response = answer.respond(call.wants_json, |shown| framed(frame, shown));
        self.seal(&mut response, &call);
        response
    }

    async fn carry_out<A: Part>(
        &self,
        call: &mut Call,
        session: &mut Option<Session>,
        cookies: &mut SetCookies,
    ) -> Result<Answer, WebError> {
        guard::check_host(call, &self.options.public_url)?;
        let (operation, parameters) = router::find(call)?;
        part::check::<A>(operation)?;
        call.parameters = parameters;
        call.check_body()?;
        if let Some(cookie) = call.cookie(self.cookies.session_name()) {
            *session = session::find(self.store(), cookie, call.now).await?;
        }
        if call.is_mutation() {
            let known = session.as_ref();
            let secret = known.map(|session| session.form_secret.as_str());
            guard::check_origin(call, &self.options.public_url, secret)?;
        }
        if let Some(session) = session.as_ref().filter(|_| operation.heeds_company(call)) {
            guard::check_company(call, session.tenant.as_ref())?;
        }
        match operation {
            Operation::Open(open) => self.open::<A>(open, call, session.as_ref(), cookies).await,
            Operation::Own(own) => {
                let session = session.clone().ok_or_else(WebError::signed_out)?;
                self.own::<A>(own, call, &session, cookies).await
            }
            Operation::Work(work) => {
                let session = session.clone().ok_or_else(WebError::signed_out)?;
                let seat = self.seat(session, call.now).await?;
                self.check_role(work, &seat, call.now).await?;
                self.check_pace(work, &seat, call.now).await?;
                self.work::<A>(work, call, &seat).await
            }
        }
    }

    /// The company a session looks at, as long as its person is a member.
    async fn seat(&self, session: Session, now: Timestamp) -> Result<Seat, WebError> {
        let tenant = session.tenant.clone().ok_or_else(WebError::no_company)?;
        let role = self.directory(now).role(&tenant, &session.person).await?;
        let role = role.ok_or_else(WebError::no_company)?;
        Ok(Seat {
            session,
            tenant,
            role,
        })
    }

    async fn check_role(&self, work: Work, seat: &Seat, now: Timestamp) -> Result<(), WebError> {
        if seat.role >= work.role() {
            return Ok(());
        }
        let who = format!("{}:{}", seat.tenant, seat.session.person);
        if pace::is_news(self.store(), &who, &format!("{work:?}"), now).await? {
            let text = format!("was refused something that only an admin may do ({work:?}).");
            self.directory(now)
                .note(&seat.tenant, &seat.session.email, "role_refused", text)
                .await?;
        }
        Err(WebError::forbidden())
    }

    async fn check_pace(&self, work: Work, seat: &Seat, now: Timestamp) -> Result<(), WebError> {
        if !work.is_paced() {
            return Ok(());
        }
        let window = self.pace_window();
        let (session, tenant) = (
            format!("session:{}", seat.session.id),
            format!("tenant:{}", seat.tenant),
        );
        pace::count(self.store(), &session, (pace::SESSION_MAX, window), now).await?;
        pace::count(self.store(), &tenant, (pace::TENANT_MAX, window), now).await
    }

    /// A minute, as long as the engine takes it to be.
    pub(crate) fn pace_window(&self) -> std::time::Duration {
        let minute = std::time::Duration::from_mins(1);
        self.engine.policy().scale_down(minute)
    }

    /// An error as an answer. Who is not signed in is sent to sign in, and comes back.
    async fn refuse(
        &self,
        call: &Call,
        session: Option<&Session>,
        error: WebError,
    ) -> Response<Bytes> {
        if error.status.is_server_error() {
            let trace = call.trace.as_ref().map(tracing::field::display);
            tracing::warn!(
                correlation = %call.correlation, trace.id = trace,
                failure.code = %error.code, "a request failed"
            );
        }
        let to_page = (!call.wants_json)
            .then(|| page_instead(call, session, &error))
            .flatten();
        let mut response = if let Some(path) = to_page {
            Answer::to(path).respond(false, |_| Frame::default())
        } else {
            let frame = self.frame(call, session).await;
            let view = error.view(&call.correlation);
            let shown = Answer::show_as(error.status, ("Something is in the way", ""), view);
            shown.respond(call.wants_json, |shown| framed(frame, shown))
        };
        if let Some(seconds) = error.retry_after {
            set(
                response.headers_mut(),
                header::RETRY_AFTER,
                &seconds.to_string(),
            );
        }
        if let Some(allow) = &error.allow {
            set(response.headers_mut(), header::ALLOW, allow);
        }
        self.seal(&mut response, call);
        response
    }

    fn seal(&self, response: &mut Response<Bytes>, call: &Call) {
        answer::seal(response, &self.options.intuit_origins, &call.correlation);
    }

    /// What the page shows around its content. A store that fails must not hide the content.
    async fn frame(&self, call: &Call, session: Option<&Session>) -> Frame {
        if call.wants_json {
            return Frame::default();
        }
        let mut frame = Frame {
            demo: self.options.demo.clone(),
            done: call.query.get("done").and_then(done_words),
            zone: "UTC".to_owned(),
            now: call.now,
            ..Frame::default()
        };
        let Some(session) = session else {
            return frame;
        };
        frame.person = Some(session.email.clone());
        frame.form_secret = guard::form_secret(&session.form_secret, session.tenant.as_ref());
        let directory = self.directory(call.now);
        let tenants = directory.tenants(&session.person).await.unwrap_or_default();
        frame.has_other_companies = tenants.len() > 1;
        if matches!(call.path.as_str(), "/home" | "/set-up") {
            let waiting = directory.waiting(&session.email).await.unwrap_or_default();
            frame.invitations = waiting.len();
        }
        let current = session.tenant.as_ref();
        let Some((tenant, role)) = tenants.iter().find(|(known, _)| Some(known) == current) else {
            return frame;
        };
        frame.is_admin = *role == Role::Admin;
        if let Ok(status) = self.engine.status(tenant).await {
            let name = status.company_name.clone();
            frame.company = Some(name.unwrap_or_else(|| tenant.to_string()));
            let settings = self.engine.settings(tenant).await.ok().flatten();
            let zone = settings.and_then(|settings| settings.time_zone);
            if let Some(zone) = zone.or(status.company_time_zone) {
                frame.zone = zone;
            }
        }
        frame
    }

    /// Whether a document of a tenant is stored.
    pub(crate) async fn has(
        &self,
        tenant: &TenantId,
        kind: DocumentKind,
    ) -> Result<bool, WebError> {
        Ok(self.store().document(tenant, kind).await?.is_some())
    }
}

fn framed(frame: Frame, shown: &Shown) -> Frame {
    Frame {
        title: shown.title,
        section: shown.section,
        ..frame
    }
}

/// The page a browser is sent to instead of an error that this page can mend.
fn page_instead(call: &Call, session: Option<&Session>, error: &WebError) -> Option<String> {
    if error.status == StatusCode::UNAUTHORIZED && session.is_none() {
        let mut to = "/sign-in".to_owned();
        if call.method == Method::GET {
            // A filter that was sent to somebody in a link is there after the sign-in as well.
            let next = Some(call.target.as_str()).filter(|target| target.len() <= PATH_MAX);
            let next = next.unwrap_or(&call.path).as_bytes();
            let next: String = url::form_urlencoded::byte_serialize(next).collect();
            to = format!("/sign-in?next={next}");
        }
        return Some(to);
    }
    let is_lost = error.code == "company.missing" && call.method == Method::GET;
    is_lost.then(|| "/set-up".to_owned())
}

/// The confirmation a page shows after something was done.
fn done_words(word: &str) -> Option<&'static str> {
    Some(match word {
        "saved" => "Saved. The settings apply from the next order on.",
        "imported" => "Imported. The settings apply from the next order on.",
        "cancelled" => "Nothing was changed.",
        "autotask" => "Autotask accepted the API user, and it is stored.",
        "quickbooks" => "QuickBooks is connected.",
        "disconnected" => "Both connections are ended. Settings and history are kept.",
        "started" => "Connected. The first run has begun.",
        "run" => "A run begins now.",
        "retry" => "The order is being tried again.",
        "retries" => "The orders are being tried again.",
        "none" => "No order fits, so nothing was tried again.",
        "invited" => "Invited. That person signs in and accepts the invitation.",
        "withdrawn" => "The invitation is withdrawn.",
        "role" => "Changed.",
        "removed" => "Removed.",
        "ended" => "The sessions are ended.",
        "accepted" => "You are a member of this company now.",
        "declined" => "The invitation is declined.",
        "left" => "You are no member of that company any more.",
        "company" => "You look at this company now.",
        "admin" => "You are an admin of this company now.",
        "checked" => "All is well; the transfer goes on.",
        "signed-out" => "You are signed out.",
        _ => return None,
    })
}
