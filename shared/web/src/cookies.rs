//! The cookies: their names and attributes.

use url::Url;

/// Two cookies: the session, and the browser's mark while it is at Intuit.
pub(crate) struct Cookies {
    is_secure: bool,
}

impl Cookies {
    /// Over plain http, which only a loopback address may use, browsers keep no secure cookies.
    pub(crate) fn new(public_url: &Url) -> Self {
        Self {
            is_secure: public_url.scheme() == "https",
        }
    }

    pub(crate) const fn session_name(&self) -> &'static str {
        if self.is_secure {
            "__Host-purser-session"
        } else {
            "purser-session"
        }
    }

    pub(crate) const fn browser_name(&self) -> &'static str {
        if self.is_secure {
            "__Host-purser-browser"
        } else {
            "purser-browser"
        }
    }

    /// Lax, because Intuit sends the browser back with a link of its own.
    fn cookie(&self, name: &str, value: &str, seconds: u32) -> String {
        let secure = if self.is_secure { "; Secure" } else { "" };
        format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
    }

    pub(crate) fn session(&self, secret: &str) -> String {
        self.cookie(self.session_name(), secret, 12 * 3_600)
    }

    pub(crate) fn no_session(&self) -> String {
        self.cookie(self.session_name(), "", 0)
    }

    pub(crate) fn browser(&self, secret: &str) -> String {
        self.cookie(self.browser_name(), secret, 600)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{Request, header};
    use jiff::Timestamp;

    use super::*;
    use crate::call::Call;

    fn found(headers: &[&str], name: &str) -> Option<String> {
        let mut request = Request::get("/");
        for value in headers {
            request = request.header(header::COOKIE, *value);
        }
        let request = request.body(Bytes::new()).unwrap();
        let call = Call::read(request, "number".to_owned(), Timestamp::UNIX_EPOCH);
        call.cookie(name).map(str::to_owned)
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name_and_the_first_one_counts() {
        let name = "__Host-purser-session";
        for (headers, expected) in [
            (vec![], None),
            (vec!["__Host-purser-session=a"], Some("a")),
            (vec!["x=1; __Host-purser-session=a; y=2"], Some("a")),
            (vec!["x=1;__Host-purser-session=a"], Some("a")),
            (vec!["x=1", "__Host-purser-session=a"], Some("a")),
            (
                vec!["__Host-purser-session=a; __Host-purser-session=b"],
                Some("a"),
            ),
            (vec!["__Host-purser-session=a=b=="], Some("a=b==")),
            (vec!["__Host-purser-session="], Some("")),
            (vec!["__Host-purser-session"], None),
            (vec!["purser-session=a"], None),
            (vec!["__host-purser-session=a"], None),
            (vec!["x__Host-purser-session=a"], None),
            (vec!["__Host-purser-session2=a"], None),
            (vec![";;;=;= ; =a;"], None),
        ] {
            assert_eq!(found(&headers, name).as_deref(), expected, "{headers:?}");
        }
    }

    #[test]
    fn what_is_no_text_hides_no_cookie_beside_it() {
        let mut request = Request::get("/")
            .header(header::COOKIE, "a=1")
            .body(Bytes::new())
            .unwrap();
        let garbage = header::HeaderValue::from_bytes(b"b=\xff").unwrap();
        request.headers_mut().insert(header::COOKIE, garbage);
        let own = header::HeaderValue::from_static("c=3");
        request.headers_mut().append(header::COOKIE, own);
        let call = Call::read(request, "number".to_owned(), Timestamp::UNIX_EPOCH);
        assert_eq!(call.cookie("b"), None);
        assert_eq!(call.cookie("c"), Some("3"));
    }

    #[test]
    fn the_prefix_goes_with_secure_and_both_only_over_https() {
        for (url, name, is_secure) in [
            ("https://purser.example", "__Host-purser-session", true),
            ("http://127.0.0.1:8080", "purser-session", false),
        ] {
            let cookies = Cookies::new(&url.parse().unwrap());
            for set in [
                cookies.session("s"),
                cookies.browser("b"),
                cookies.no_session(),
            ] {
                assert_eq!(set.starts_with("__Host-"), is_secure, "{set}");
                assert_eq!(set.contains("; Secure"), is_secure, "{set}");
                for part in ["; Path=/;", "; HttpOnly", "; SameSite=Lax"] {
                    assert!(set.contains(part), "{set}");
                }
                assert!(!set.contains("Domain"), "{set}");
            }
            assert_eq!(cookies.session_name(), name);
            assert!(cookies.no_session().contains("Max-Age=0"));
        }
    }

    #[test]
    fn a_browser_keeps_the_session_for_twelve_hours_and_its_mark_for_ten_minutes() {
        let cookies = Cookies::new(&"https://purser.example".parse().unwrap());
        let set = cookies.session("s");
        assert!(set.starts_with("__Host-purser-session=s; "), "{set}");
        assert!(set.contains("; Max-Age=43200; "), "{set}");
        let set = cookies.browser("b");
        assert!(set.starts_with("__Host-purser-browser=b; "), "{set}");
        assert!(set.contains("; Max-Age=600; "), "{set}");
    }
}
