//! The application over the engine of a stage, at an address that Intuit knows.

use std::sync::Arc;

use purser_runtime::configuration::Endpoints;
use purser_simulators::{Simulators, intuit::Role};
use purser_sqlite::SqliteStore;
use purser_web::{Web, WebOptions, intuit_origins, name_owner};
use url::Url;

use super::Visitor;
use crate::stage::{BASE, CLIENT_ID, Stage, StagePorts};

/// The application at its address.
#[derive(Clone)]
pub struct Site {
    /// The application.
    pub web: Arc<Web<StagePorts>>,
    pub(super) simulators: Arc<Simulators>,
    store: Arc<SqliteStore>,
    url: Url,
}

impl Stage {
    /// The application at the address that people are told.
    pub fn site(&self) -> Site {
        self.site_at("https://purser.example")
    }

    /// The application at this address.
    pub fn site_at(&self, public_url: &str) -> Site {
        self.site_of(public_url, true)
    }

    /// The application where no mail relay is configured.
    pub fn site_without_relay(&self) -> Site {
        self.site_of("https://purser.example", false)
    }

    fn site_of(&self, public_url: &str, sends_mail: bool) -> Site {
        let url: Url = public_url.parse().expect("an address");
        let redirect = url.join("/oauth/callback").expect("an address");
        let tokens = self.simulators.intuit.tokens();
        let is_known = tokens.add_redirect(CLIENT_ID, redirect.as_str());
        assert!(is_known.expect("Intuit"), "the app is registered");
        let base: Url = BASE.parse().expect("an address");
        let options = WebOptions {
            public_url: url.clone(),
            intuit_origins: intuit_origins(&Endpoints::local(&base)),
            sends_mail,
            demo: None,
        };
        Site {
            web: Arc::new(Web::new(Arc::clone(&self.engine), options)),
            simulators: Arc::clone(&self.simulators),
            store: Arc::clone(&self.store),
            url,
        }
    }

    /// Somebody whom Intuit knows, with this right to the company of the stage.
    pub fn add_person(&self, email: &str, role: Role) {
        let tokens = self.simulators.intuit.tokens();
        let name = email.split('@').next().unwrap_or_default();
        let realms = [(self.realm.as_str(), role)];
        tokens.add_person(email, name, &realms).expect("Intuit");
    }

    /// The application, and its first admin's browser, signed in for the company of the stage.
    pub async fn with_owner(&self) -> (Site, Visitor) {
        let site = self.site();
        self.add_person(Site::OWNER, Role::Admin);
        let invited = name_owner(&*site.store, &self.tenant, Site::OWNER, self.now());
        invited.await.expect("the store");
        let mut owner = site.visitor();
        let _home = owner.sign_in(Site::OWNER).await.expect_to("/home");
        (site, owner)
    }

    /// A member with this word for a role, signed in; the owner invites them, and they accept.
    pub async fn member(&self, owner: &mut Visitor, email: &str, role: &str) -> Visitor {
        self.add_person(email, Role::User);
        let fields = [("email", email), ("role", role)];
        let _people = owner
            .submit("/people", &fields)
            .await
            .expect_to("/people?done=invited");
        let mut member = owner.site.visitor();
        let _companies = member.sign_in(email).await.expect_to("/companies");
        member.accept(self.tenant.as_str()).await;
        member
    }
}

impl Site {
    /// The first admin of the company of a stage.
    pub const OWNER: &'static str = "olivia@north-wind.example";

    /// A browser that was never here.
    pub fn visitor(&self) -> Visitor {
        Visitor::new(self.clone())
    }

    /// What a browser sends as `Origin`.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// What a browser sends as `Host`.
    pub fn host(&self) -> String {
        let host = self.url.host_str().expect("a host");
        let port = self.url.port().map(|port| format!(":{port}"));
        format!("{host}{}", port.unwrap_or_default())
    }

    /// The names of the two cookies: the session's and the browser's.
    pub fn cookie_names(&self) -> [&'static str; 2] {
        match self.url.scheme() {
            "https" => ["__Host-purser-session", "__Host-purser-browser"],
            _ => ["purser-session", "purser-browser"],
        }
    }
}
