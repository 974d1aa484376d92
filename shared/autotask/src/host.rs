use purser_core::{failure::Failure, notice::Code};
use url::{Host, Url};

/// The domain under which every zone of the vendor lies.
const ZONE_DOMAIN: &str = ".autotask.net";

/// Fails unless `url` is an address that may be given a secret: https under autotask.net, or, when
/// `allow_local`, any loopback address.
pub(crate) fn check_host(url: &Url, allow_local: bool) -> Result<(), Failure> {
    if is_vendor(url) || (allow_local && is_loopback(url)) {
        Ok(())
    } else {
        Err(Failure::new(Code::AutotaskHostRefused))
    }
}

fn is_vendor(url: &Url) -> bool {
    let has_login = !url.username().is_empty() || url.password().is_some();
    let is_zone = match url.host() {
        Some(Host::Domain(name)) => name.ends_with(ZONE_DOMAIN),
        _ => false,
    };
    // An explicit port other than 443 is nothing the vendor has ever named.
    url.scheme() == "https" && is_zone && !has_login && url.port().is_none()
}

fn is_loopback(url: &Url) -> bool {
    let is_http = matches!(url.scheme(), "http" | "https");
    let is_local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    is_http && is_local
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(url: &str, allow_local: bool) -> bool {
        check_host(&url.parse().unwrap(), allow_local).is_ok()
    }

    #[test]
    fn a_secret_goes_only_to_https_under_autotask_net() {
        assert!(allowed(
            "https://webservices3.autotask.net/ATServicesRest/",
            false
        ));
        assert!(allowed("https://PRDE.Autotask.NET/", false));
        for refused in [
            "http://webservices3.autotask.net/",
            "https://autotask.net/",
            "https://autotask.net.evil.example/",
            "https://evilautotask.net/",
            "https://webservices3.autotask.net:8443/",
            "https://webservices3.autotask.net./",
            "https://me:pw@webservices3.autotask.net/",
            "https://webservices3.autotask.net@evil.example/",
            "https://10.0.0.1/",
            "http://127.0.0.1:8080/",
            "file:///etc/passwd",
        ] {
            assert!(!allowed(refused, false), "{refused}");
        }
    }

    #[test]
    fn loopback_needs_the_switch() {
        for local in [
            "http://127.0.0.1:8080/",
            "http://localhost:1/",
            "http://autotask.localhost/",
            "https://[::1]:9/",
        ] {
            assert!(allowed(local, true), "{local}");
            assert!(!allowed(local, false), "{local}");
        }
        assert!(!allowed("http://192.168.0.1/", true));
        assert!(!allowed("http://localhost.evil.example/", true));
    }
}
