//! Configuration from the environment: read once, validated at start, every error names its
//! variable.

use std::path::PathBuf;

use purser_core::policy::Policy;
use secrecy::SecretString;
use thiserror::Error;
use url::{Host, Url};

/// A variable that cannot be used: which one, why, and what to do.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{variable} {problem}")]
pub struct ConfigurationError {
    /// The variable.
    pub variable: &'static str,
    /// What is wrong and how to put it right.
    pub problem: String,
}

/// Where the outside systems are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Where an Autotask user's zone is asked for.
    pub autotask_zone: Url,
    /// QuickBooks' API.
    pub quickbooks: Url,
    /// Intuit's discovery document.
    pub intuit_discovery: Url,
    /// Whether loopback addresses without TLS are allowed.
    pub allow_local: bool,
}

impl Endpoints {
    /// The vendors' own production addresses.
    pub fn production() -> Self {
        let url = |text: &str| match Url::parse(text) {
            Ok(url) => url,
            Err(_) => unreachable!("a constant address"),
        };
        Self {
            autotask_zone: url("https://webservices.autotask.net/"),
            quickbooks: url("https://quickbooks.api.intuit.com/"),
            intuit_discovery: url(
                "https://developer.api.intuit.com/.well-known/openid_configuration",
            ),
            allow_local: false,
        }
    }

    /// Everything at one local address, where the simulators listen.
    pub fn local(base: &Url) -> Self {
        let at = |path: &str| base.join(path).unwrap_or_else(|_| base.clone());
        Self {
            autotask_zone: at("/"),
            quickbooks: at("/"),
            intuit_discovery: at("/.well-known/openid_configuration"),
            allow_local: true,
        }
    }

    fn all(&self) -> [&Url; 3] {
        [
            &self.autotask_zone,
            &self.quickbooks,
            &self.intuit_discovery,
        ]
    }

    /// Whether every system is on this machine.
    pub fn are_local(&self) -> bool {
        self.allow_local && self.all().into_iter().all(is_loopback)
    }
}

/// The app's own registration at Intuit.
#[derive(Clone, Debug)]
pub struct IntuitApp {
    /// Its client id.
    pub client_id: String,
    /// Its client secret.
    pub client_secret: SecretString,
}

/// How mail is sent.
#[derive(Clone, Debug)]
pub struct MailRelay {
    /// `smtp://` or `smtps://` with host, port, user and password.
    pub url: SecretString,
    /// The sender's address.
    pub from: String,
}

/// Everything the environment says.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// The folder that holds everything.
    pub data: PathBuf,
    /// The address people reach the web application at.
    pub public_url: Option<Url>,
    /// Where the outside systems are.
    pub endpoints: Endpoints,
    /// Whether any endpoint was named by the environment.
    pub names_endpoints: bool,
    /// The app's registration, when it is named.
    pub intuit_app: Option<IntuitApp>,
    /// How mail is sent, when that is named.
    pub mail: Option<MailRelay>,
    /// All times.
    pub policy: Policy,
    /// What all times are divided by.
    pub time_scale: u32,
}

/// Reads a variable; an empty one counts as unset.
type Read<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Configuration {
    /// Reads and validates the environment.
    pub fn from_env() -> Result<Self, ConfigurationError> {
        Self::read(&|name| std::env::var(name).ok())
    }

    /// Reads and validates variables from any source.
    pub fn read(source: Read<'_>) -> Result<Self, ConfigurationError> {
        let read = |name: &str| source(name).filter(|text| !text.trim().is_empty());
        let (endpoints, names_endpoints) = endpoints(&read)?;
        let time_scale = time_scale(&read)?;
        if time_scale > 1 && names_endpoints && !endpoints.are_local() {
            return wrong(
                "PURSER_TIME_SCALE",
                "is only for local simulators; remove it, or point every endpoint at a loopback \
                 address",
            );
        }
        Ok(Self {
            data: PathBuf::from(read("PURSER_DATA").unwrap_or_else(|| "purser-data".to_owned())),
            public_url: public_url(&read)?,
            endpoints,
            names_endpoints,
            intuit_app: intuit_app(&read)?,
            mail: mail(&read)?,
            policy: Policy::scaled(time_scale),
            time_scale,
        })
    }
}

fn wrong<T>(variable: &'static str, problem: impl Into<String>) -> Result<T, ConfigurationError> {
    Err(ConfigurationError {
        variable,
        problem: problem.into(),
    })
}

fn optional_url(read: Read<'_>, name: &'static str) -> Result<Option<Url>, ConfigurationError> {
    let Some(text) = read(name) else {
        return Ok(None);
    };
    match Url::parse(text.trim()) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(Some(url)),
        _ => wrong(
            name,
            "is not an http or https address; write it like https://host/path",
        ),
    }
}

/// Sessions travel to this address: in the clear only to this machine.
fn public_url(read: Read<'_>) -> Result<Option<Url>, ConfigurationError> {
    let name = "PURSER_PUBLIC_URL";
    let Some(url) = optional_url(read, name)? else {
        return Ok(None);
    };
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.path() == "/";
    if !is_plain || !url.username().is_empty() || url.password().is_some() {
        return wrong(
            name,
            "must be a bare address such as https://purser.example.com/",
        );
    }
    if url.scheme() != "https" && !is_loopback(&url) {
        return wrong(
            name,
            "must be an https address; plain http is only for this very machine",
        );
    }
    Ok(Some(url))
}

fn endpoints(read: Read<'_>) -> Result<(Endpoints, bool), ConfigurationError> {
    let allow_local = match read("PURSER_ALLOW_LOCAL_ENDPOINTS")
        .as_deref()
        .map(str::trim)
    {
        None | Some("0") => false,
        Some("1") => true,
        Some(_) => return wrong("PURSER_ALLOW_LOCAL_ENDPOINTS", "must be 1 or 0"),
    };
    let defaults = Endpoints::production();
    let mut named = false;
    let mut endpoint = |name, default: Url, vendor| {
        let url = optional_url(read, name)?;
        named |= url.is_some();
        match url {
            Some(url) => check_endpoint(name, url, vendor, allow_local),
            None => Ok(default),
        }
    };
    let autotask_zone = endpoint(
        "PURSER_AUTOTASK_ZONE_URL",
        defaults.autotask_zone,
        "autotask.net",
    )?;
    let quickbooks = endpoint("PURSER_QUICKBOOKS_URL", defaults.quickbooks, "intuit.com")?;
    let intuit_discovery = endpoint(
        "PURSER_INTUIT_DISCOVERY_URL",
        defaults.intuit_discovery,
        "intuit.com",
    )?;
    Ok((
        Endpoints {
            autotask_zone,
            quickbooks,
            intuit_discovery,
            allow_local,
        },
        named,
    ))
}

fn check_endpoint(
    name: &'static str,
    url: Url,
    vendor: &str,
    allow_local: bool,
) -> Result<Url, ConfigurationError> {
    if !url.username().is_empty() || url.password().is_some() {
        return wrong(name, "must not hold a user name or password");
    }
    if is_loopback(&url) {
        if allow_local {
            return Ok(url);
        }
        return wrong(
            name,
            "is a loopback address; set PURSER_ALLOW_LOCAL_ENDPOINTS=1 to use local simulators",
        );
    }
    let is_vendor = url.host_str().is_some_and(|host| {
        host.eq_ignore_ascii_case(vendor)
            || host.to_ascii_lowercase().ends_with(&format!(".{vendor}"))
    });
    if url.scheme() != "https" || !is_vendor {
        return wrong(name, format!("must be an https address under {vendor}"));
    }
    Ok(url)
}

/// Whether an address can only be on this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

fn time_scale(read: Read<'_>) -> Result<u32, ConfigurationError> {
    let Some(text) = read("PURSER_TIME_SCALE") else {
        return Ok(1);
    };
    match text.trim().parse::<u32>() {
        Ok(scale) if (1..=10_000).contains(&scale) => Ok(scale),
        _ => wrong(
            "PURSER_TIME_SCALE",
            "must be a whole number from 1 to 10000",
        ),
    }
}

fn intuit_app(read: Read<'_>) -> Result<Option<IntuitApp>, ConfigurationError> {
    match (
        read("PURSER_INTUIT_CLIENT_ID"),
        read("PURSER_INTUIT_CLIENT_SECRET"),
    ) {
        (None, None) => Ok(None),
        (Some(client_id), Some(secret)) => {
            let client_secret = SecretString::from(secret.trim().to_owned());
            Ok(Some(IntuitApp {
                client_id: client_id.trim().to_owned(),
                client_secret,
            }))
        }
        (Some(_), None) => wrong(
            "PURSER_INTUIT_CLIENT_SECRET",
            "is missing beside the client id",
        ),
        (None, Some(_)) => wrong(
            "PURSER_INTUIT_CLIENT_ID",
            "is missing beside the client secret",
        ),
    }
}

fn mail(read: Read<'_>) -> Result<Option<MailRelay>, ConfigurationError> {
    let Some(text) = read("PURSER_SMTP_URL") else {
        return Ok(None);
    };
    let is_smtp = Url::parse(text.trim())
        .is_ok_and(|url| matches!(url.scheme(), "smtp" | "smtps") && url.has_host());
    if !is_smtp {
        return wrong(
            "PURSER_SMTP_URL",
            "must look like smtps://user:password@host:465",
        );
    }
    let Some(from) = read("PURSER_MAIL_FROM") else {
        return wrong("PURSER_MAIL_FROM", "is missing beside PURSER_SMTP_URL");
    };
    if !purser_core::settings::is_mail_address(from.trim()) {
        return wrong("PURSER_MAIL_FROM", "is not an e-mail address");
    }
    let url = SecretString::from(text.trim().to_owned());
    Ok(Some(MailRelay {
        url,
        from: from.trim().to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Configuration, ConfigurationError> {
        Configuration::read(&|name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    fn variable(pairs: &[(&str, &str)]) -> &'static str {
        read(pairs).unwrap_err().variable
    }

    #[test]
    fn nothing_set_means_the_vendors_themselves_in_real_time() {
        let configuration = read(&[]).unwrap();
        assert_eq!(configuration.endpoints, Endpoints::production());
        assert_eq!(configuration.policy, Policy::default());
        assert!(configuration.intuit_app.is_none());
    }

    #[test]
    fn a_local_endpoint_needs_permission_and_a_loopback_host() {
        let zone = "PURSER_AUTOTASK_ZONE_URL";
        let allow = ("PURSER_ALLOW_LOCAL_ENDPOINTS", "1");
        assert_eq!(variable(&[(zone, "http://127.0.0.1:4600")]), zone);
        assert!(read(&[(zone, "http://127.0.0.1:4600"), allow]).is_ok());
        assert!(read(&[(zone, "http://[::1]:4600"), allow]).is_ok());
        assert!(read(&[(zone, "http://localhost:4600/x"), allow]).is_ok());
        for wrong in [
            "http://10.0.0.1/",
            "https://evil.example/",
            "http://webservices1.autotask.net/",
            "https://autotask.net.evil.example/",
            "https://evilautotask.net/",
            "https://u:p@webservices1.autotask.net/",
            "ftp://127.0.0.1/",
            "nonsense",
        ] {
            assert_eq!(variable(&[(zone, wrong), allow]), zone, "{wrong}");
        }
        assert!(read(&[(zone, "https://webservices1.autotask.net/")]).is_ok());
    }

    #[test]
    fn a_time_scale_is_refused_beside_a_real_endpoint() {
        let scale = ("PURSER_TIME_SCALE", "100");
        let real = (
            "PURSER_QUICKBOOKS_URL",
            "https://sandbox-quickbooks.api.intuit.com",
        );
        assert_eq!(variable(&[scale, real]), "PURSER_TIME_SCALE");
        assert_eq!(variable(&[("PURSER_TIME_SCALE", "0")]), "PURSER_TIME_SCALE");
        assert_eq!(
            variable(&[("PURSER_TIME_SCALE", "fast")]),
            "PURSER_TIME_SCALE"
        );
    }

    #[test]
    fn sessions_travel_in_the_clear_only_within_this_machine() {
        let public = "PURSER_PUBLIC_URL";
        for good in [
            "https://purser.example.com",
            "http://localhost:8080/",
            "http://127.0.0.1:9",
        ] {
            assert!(read(&[(public, good)]).is_ok(), "{good}");
        }
        for bad in [
            "http://purser.example.com/",
            "https://purser.example.com/app",
            "https://u:p@purser.example.com/",
            "https://purser.example.com/?x=1",
            "purser",
        ] {
            assert_eq!(variable(&[(public, bad)]), public, "{bad}");
        }
    }

    #[test]
    fn half_a_pair_is_refused() {
        assert_eq!(
            variable(&[("PURSER_INTUIT_CLIENT_ID", "x")]),
            "PURSER_INTUIT_CLIENT_SECRET"
        );
        assert_eq!(
            variable(&[("PURSER_SMTP_URL", "smtp://h")]),
            "PURSER_MAIL_FROM"
        );
        assert_eq!(
            variable(&[("PURSER_SMTP_URL", "http://h")]),
            "PURSER_SMTP_URL"
        );
    }
}
