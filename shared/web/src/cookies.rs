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
