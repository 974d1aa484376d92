//! What processes are made of, and what a worker does.

use std::{sync::Arc, time::Duration};

use purser_core::{failure::Failure, notice::Code, policy::Policy};
use purser_quickbooks::{DISCOVERY_PRODUCTION, OAuthClient, OAuthConfig, TokenConfig, TokenSource};
use secrecy::SecretString;

use super::{Errand, Lie, Setting, intuit::access_name, ports::Desk, world::World};

/// How often a worker comes: more often than anything can go wrong.
const VISITS: u32 = 6;

/// How long after the first a worker wants its second token.
const BETWEEN: Duration = Duration::from_mins(10);

type Source = TokenSource<Desk, Desk>;

/// What histories of one setting share: the outside, and what processes are made of.
pub(super) struct Cast {
    pub(super) setting: Setting,
    pub(super) desk: Desk,
    /// For the histories, and for each moment after them, since a client remembers when it looked
    /// where Intuit is.
    pub(super) makers: [Maker; 3],
}

impl Cast {
    pub(super) fn new(setting: &Setting) -> Self {
        let desk = Desk::new(World::new(setting));
        let mut policy = Policy::default();
        if matches!(setting.lie, Lie::NoDoubt | Lie::NoWait) {
            policy.token_doubt = Duration::ZERO;
        }
        if matches!(setting.lie, Lie::NoDoubt | Lie::NoConfirmation) {
            policy.token_confirm = Duration::ZERO;
        }
        let makers = [(); 3].map(|()| Maker::new(&desk, &policy));
        Self {
            setting: *setting,
            desk,
            makers,
        }
    }
}

/// What a process is made of.
#[derive(Clone)]
pub(super) struct Maker {
    desk: Desk,
    policy: Policy,
    client: Arc<OAuthClient<Desk>>,
}

impl Maker {
    fn new(desk: &Desk, policy: &Policy) -> Self {
        let client = Arc::new(OAuthClient::new(OAuthConfig {
            transport: Arc::new(desk.clone()),
            clock: Arc::new(desk.clone()),
            policy: *policy,
            discovery_url: DISCOVERY_PRODUCTION.parse().expect("an address"),
            allow_local: false,
            client_id: "client".into(),
            client_secret: SecretString::from("secret"),
        }));
        Self {
            desk: desk.clone(),
            policy: *policy,
            client,
        }
    }

    pub(super) fn source(&self) -> Arc<Source> {
        Arc::new(TokenSource::new(TokenConfig {
            tenant: "north-wind".parse().expect("a tenant"),
            realm: "4242".parse().expect("a realm"),
            store: Arc::new(self.desk.clone()),
            oauth: Arc::clone(&self.client),
            clock: Arc::new(self.desk.clone()),
            policy: self.policy,
        }))
    }
}

/// Does an errand as the product's callers do: who is told to wait comes again, and `anew` where
/// nothing is left in the memory of the process. Whether it got what it wanted.
pub(super) async fn run(maker: Maker, mut source: Arc<Source>, errand: Errand, anew: bool) -> bool {
    let refused = SecretString::from(access_name(0));
    let mut wanted = if errand == Errand::UseTwice { 2 } else { 1 };
    for _ in 0..VISITS {
        let gained = match errand {
            Errand::Use | Errand::UseTwice => source.access_token().await.map(Some),
            Errand::Renew => source.renew(&refused).await.map(Some),
            Errand::KeepAlive => source.keep_alive().await.map(|()| None),
        };
        match gained {
            Ok(token) => {
                if let Some(token) = token {
                    maker.desk.world().hand_out(&token, errand);
                }
                wanted -= 1;
                if wanted == 0 {
                    return true;
                }
                maker.desk.rest(BETWEEN, false).await;
            }
            Err(failure) if is_final(&failure) => return false,
            Err(failure) => {
                let wait = failure.retry_after.unwrap_or(Duration::from_secs(30));
                let anew = anew && failure.code() == Code::QuickBooksTokenPending;
                maker.desk.rest(wait, anew).await;
                if anew {
                    source = maker.source();
                }
            }
        }
    }
    false
}

/// Whether only a person can change it.
fn is_final(failure: &Failure) -> bool {
    matches!(
        failure.code(),
        Code::QuickBooksDisconnected | Code::NotConnected
    )
}
