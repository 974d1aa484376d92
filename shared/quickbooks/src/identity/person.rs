//! What Intuit's user information says of a person.

use purser_core::{failure::Failure, notice::Code, ports::Clock, settings::is_mail_address};
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::subject;
use crate::oauth::{OAuthClient, failure_of, vendor_answer};

/// The longest name that is kept, in characters.
const NAME_LENGTH_MAX: usize = 200;

/// A person as Intuit knows them. For people to read; never written to a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Must equal [`Identity::subject`](crate::Identity::subject): only then is this person the one
    /// who signed in.
    pub subject: String,
    /// The e-mail address, when it was asked for and is one.
    pub email: Option<String>,
    /// Whether Intuit has proven the address. Never true without an address.
    pub email_verified: bool,
    /// Given and family name in one line of at most 200 characters.
    pub name: Option<String>,
}

impl<C: Clock> OAuthClient<C> {
    /// Asks who an access token belongs to. The token needs the scope `openid`; `email` and
    /// `profile` add the rest (Intuit's discovery document and "Set up OpenID Connect").
    ///
    /// The caller compares the subject with the verified identity token's (`OpenID` Connect Core
    /// 1.0, section 5.3.2). Fails with `AccessTokenStale` when the token is not accepted.
    pub async fn user_info(&self, access_token: &SecretString) -> Result<Person, Failure> {
        let url = self.discovery().await?.userinfo_endpoint;
        let answer = self.get(&url, Some(access_token)).await?;
        if answer.status().as_u16() == 401 {
            return Err(Failure::new(Code::AccessTokenStale).answered(vendor_answer(&answer)));
        }
        read_person(answer.body())
            .filter(|_| answer.status().is_success())
            .ok_or_else(|| failure_of(&answer, &self.policy))
    }
}

fn read_person(body: &[u8]) -> Option<Person> {
    let body: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let email = text("email").map(str::trim);
    let email = email.filter(|email| is_mail_address(email));
    let is_true = match body.get("emailVerified") {
        Some(Value::Bool(is_true)) => *is_true,
        Some(Value::String(text)) => text == "true",
        _ => false,
    };
    let parts = ["givenName", "familyName"].map(|part| text(part).map(clean).unwrap_or_default());
    let name = parts.join(" ");
    let name: String = name.trim().chars().take(NAME_LENGTH_MAX).collect();
    let name = name.trim_end();
    Some(Person {
        subject: subject(&body)?,
        email_verified: is_true && email.is_some(),
        email: email.map(str::to_owned),
        name: (!name.is_empty()).then(|| name.to_owned()),
    })
}

/// A name without characters that cannot be seen: some of them turn the text around them.
fn clean(name: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let seen: String = name.chars().filter(|c| !is_hidden(*c)).collect();
    seen.trim().to_owned()
}

#[cfg(test)]
#[path = "person_tests.rs"]
mod tests;
