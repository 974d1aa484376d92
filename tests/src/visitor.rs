//! A person with a browser before the web application, in one process with everything behind it:
//! real requests and answers, the browser's cookies, and the way to Intuit and back.

#![expect(
    clippy::missing_panics_doc,
    reason = "whatever fails here fails the test"
)]

mod company;
mod reply;
mod site;

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use http::{Method, Request, header, request::Builder};
use purser_transport::Transport as _;
use serde_json::Value;
use url::{Url, form_urlencoded};

pub use company::Company;
pub use reply::Reply;
pub use site::Site;

/// Longer than any page of Intuit takes.
const TIMEOUT: Duration = Duration::from_mins(1);
/// How a form names its secret.
const SECRET_FIELD: &str = "name=\"form_secret\" value=\"";

/// A person with a browser. A clone is the same browser copied: whoever has stolen its cookies, or
/// another tab, which still shows the page that was open.
#[derive(Clone)]
pub struct Visitor {
    /// Where the browser is.
    pub site: Site,
    /// The cookies it keeps.
    pub cookies: BTreeMap<String, String>,
    form_secret: Option<String>,
}

impl Visitor {
    pub(crate) fn new(site: Site) -> Self {
        Self {
            site,
            cookies: BTreeMap::new(),
            form_secret: None,
        }
    }

    /// A request with what every browser sends.
    pub fn request(&self, method: &Method, path: &str) -> Builder {
        let mut request = Request::builder()
            .method(method.clone())
            .uri(path)
            .header(header::HOST, self.site.host());
        if !self.cookies.is_empty() {
            let cookies = self.cookies.iter().map(|(k, v)| format!("{k}={v}"));
            let cookies = cookies.collect::<Vec<_>>().join("; ");
            request = request.header(header::COOKIE, cookies);
        }
        request
    }

    /// Sends a request as it is and keeps the cookies of its answer.
    pub async fn send(&mut self, request: Request<Bytes>) -> Reply {
        let is_form = request.method() == Method::POST;
        let reply = Reply::of(Box::pin(self.site.web.handle(request)).await);
        if is_form || reply.status.is_redirection() {
            // What follows is another page, perhaps of another company.
            self.form_secret = None;
        }
        for cookie in reply.set_cookies() {
            let (pair, _) = cookie.split_once(';').unwrap_or((&cookie, ""));
            let (name, value) = pair.split_once('=').expect("a cookie");
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            self.form_secret = None;
        }
        if let Some((_, rest)) = reply.body.split_once(SECRET_FIELD) {
            let secret = rest.split('"').next().unwrap_or_default();
            self.form_secret = Some(secret.to_owned());
        }
        reply
    }

    /// Opens a page.
    pub async fn get(&mut self, path: &str) -> Reply {
        let request = self
            .request(&Method::GET, path)
            .header(header::ACCEPT, "text/html,*/*");
        self.send(request.body(Bytes::new()).expect("a request"))
            .await
    }

    /// The secret that the forms of this session carry; empty for who is not signed in.
    pub async fn form_secret(&mut self) -> String {
        if self.form_secret.is_none() {
            self.get("/account").await;
        }
        self.form_secret.clone().unwrap_or_default()
    }

    /// Sends a form as a page of ours does.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let secret = self.form_secret().await;
        let mut form = form_urlencoded::Serializer::new(String::new());
        if !secret.is_empty() {
            form.append_pair("form_secret", &secret);
        }
        form.extend_pairs(fields);
        let request = self
            .request(&Method::POST, path)
            .header(header::ACCEPT, "text/html,*/*")
            .header(header::ORIGIN, self.site.origin())
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.body(Bytes::from(form.finish()));
        self.send(request.expect("a request")).await
    }

    /// Calls the JSON interface as a program with this session does. The path is below `/api/v1`.
    pub async fn call(&mut self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let path = format!("/api/v1{path}");
        let mut request = self.request(&method, &path);
        if method != Method::GET {
            request = request.header("x-purser-request", "1");
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        self.send(request.body(Bytes::from(body)).expect("a request"))
            .await
    }

    /// What the JSON interface tells; it must be well.
    pub async fn read(&mut self, path: &str) -> Value {
        self.call(Method::GET, path, None)
            .await
            .expect(http::StatusCode::OK)
            .json()
    }

    /// Agrees to everything at Intuit; answers where Intuit sends the browser.
    pub async fn consent(&self, url: &str, email: &str, realm: Option<&str>) -> Url {
        let url: Url = url.parse().expect("an address at Intuit");
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(url.query_pairs());
        form.append_pair("email", email);
        if let Some(realm) = realm {
            form.append_pair("realmId", realm);
        }
        form.append_pair("action", "connect");
        let request = Request::post(url.as_str())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(form.finish()));
        let sent = self
            .site
            .simulators
            .send(request.expect("a request"), TIMEOUT);
        let reply = Reply::of(sent.await.expect("Intuit"));
        reply.location().parse().expect("the way back")
    }

    /// Follows Intuit's way back.
    pub async fn come_back(&mut self, to: &Url) -> Reply {
        let path = &to[url::Position::BeforePath..];
        self.get(path).await
    }

    /// Signs in as somebody; answers what the way back answered.
    pub async fn sign_in(&mut self, email: &str) -> Reply {
        let begun = self.submit("/sign-in", &[]).await;
        let to = self.consent(begun.location(), email, None).await;
        self.come_back(&to).await
    }

    /// Accepts the invitation to a company, and looks at it.
    pub async fn accept(&mut self, tenant: &str) {
        let path = "/companies/invitations/accept";
        let accepted = self.submit(path, &[("tenant", tenant)]).await;
        let _home = accepted.expect_to("/home?done=accepted");
    }

    /// Connects a company as somebody; answers what the way back answered.
    pub async fn connect(&mut self, email: &str, realm: &str, is_new: bool) -> Reply {
        let new: &[_] = if is_new { &[("new", "true")] } else { &[] };
        let begun = self.submit("/connection/quickbooks", new).await;
        let to = self.consent(begun.location(), email, Some(realm)).await;
        self.come_back(&to).await
    }
}
