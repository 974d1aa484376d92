//! Who signed in: what an identity token says once it is verified.
//!
//! The user's key is issuer and subject together; an e-mail address can move to another person.
//! Whether that person may do anything is decided elsewhere. A token that is not proven in every
//! point proves nothing: there is no half-verified identity.

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use http::{
    Request, Response,
    header::{ACCEPT, AUTHORIZATION, HeaderValue},
};
use jsonwebtoken::{Algorithm, DecodingKey, crypto::aws_lc};
use purser_core::{failure::Failure, ids::RealmId, notice::Code, ports::Clock};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use thiserror::Error;
use url::Url;

use crate::oauth::OAuthClient;

mod keys;
mod person;

pub(crate) use self::keys::KeySet;
pub use self::person::Person;

/// How long after its end a token is still taken, because clocks differ.
const EXPIRY_LEEWAY_SECONDS: i64 = 60;
/// How far in the future a token may have been made, because clocks differ.
const FUTURE_SECONDS_MAX: i64 = 300;
/// The longest subject (`OpenID` Connect Core 1.0, section 2).
const SUBJECT_LENGTH_MAX: usize = 255;

/// What a verified identity token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Who says it. Part of the user's key.
    pub issuer: String,
    /// Intuit's name for the person, which never moves to another. Part of the user's key.
    pub subject: String,
    /// The company that was chosen, when the token names one.
    pub realm: Option<RealmId>,
}

/// Why an identity token proves nothing. No text holds any part of the token.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum IdentityError {
    /// Not three parts of base64url with JSON objects in them.
    #[error("the identity token cannot be read")]
    Malformed,
    /// Not RS256, or with critical header members, of which we know none.
    #[error("the identity token is not signed in the one way that is accepted")]
    Algorithm,
    /// The header has no `kid`.
    #[error("the identity token names no key")]
    KeyMissing,
    /// Intuit's key set has no RSA signing key of this `kid`.
    #[error("the identity token names a key that Intuit does not have")]
    KeyUnknown,
    /// The key did not sign this token.
    #[error("the identity token's signature is wrong")]
    Signature,
    /// `iss` is not the discovery document's issuer, letter by letter.
    #[error("the identity token comes from another issuer")]
    Issuer,
    /// `aud` is anything but our client id alone.
    #[error("the identity token is not for this app alone")]
    Audience,
    /// `exp` is missing or no whole number.
    #[error("the identity token has no end")]
    ExpiryMissing,
    /// `exp` is past.
    #[error("the identity token has expired")]
    Expired,
    /// `iat` is missing or no whole number, or `iat` or `nbf` is in the future.
    #[error("the identity token is not valid yet")]
    NotYetValid,
    /// `sub` is missing, empty, too long, or no printable ASCII.
    #[error("the identity token names nobody")]
    Subject,
    /// The token has a nonce, and it is not ours.
    #[error("the identity token was made for another sign-in")]
    Nonce,
    /// The endpoints or the keys cannot be read now.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl<C: Clock> OAuthClient<C> {
    /// Verifies an identity token: signature (RS256 by a key of Intuit's key set), issuer, audience,
    /// times by our clock, subject, and nonce (`OpenID` Connect Core 1.0, section 3.1.3.7).
    ///
    /// A nonce in the token must equal `nonce`. A token without one is accepted even when `nonce` is
    /// given, because Intuit's samples show none. What binds the answer to the browser is the
    /// one-time `state` ([`authorization_url`](Self::authorization_url)), which the caller must have
    /// checked.
    ///
    /// Fails with [`IdentityError`]; only [`IdentityError::Failed`] may pass by itself.
    pub async fn verify_id_token(
        &self,
        id_token: &SecretString,
        nonce: Option<&str>,
    ) -> Result<Identity, IdentityError> {
        let token = Token::read(id_token.expose_secret())?;
        let discovery = self.discovery().await?;
        let key = self.signing_key(&discovery.jwks_uri, &token.key_id).await?;
        let claims = token.claims(&key)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("iss") != Some(&discovery.issuer) {
            return Err(IdentityError::Issuer);
        }
        if !is_audience(claims.get("aud"), &self.client_id()) {
            return Err(IdentityError::Audience);
        }
        check_times(&claims, self.clock.now().as_second())?;
        let subject = subject(&claims).ok_or(IdentityError::Subject)?;
        if claims.contains_key("nonce") && (nonce.is_none() || text("nonce") != nonce) {
            return Err(IdentityError::Nonce);
        }
        Ok(Identity {
            issuer: discovery.issuer,
            subject,
            realm: text("realmid").and_then(|realm| realm.parse().ok()),
        })
    }

    /// Reads an address of the discovery document, with an access token if one is given.
    async fn get(
        &self,
        url: &Url,
        bearer: Option<&SecretString>,
    ) -> Result<Response<Bytes>, Failure> {
        let bug = || Failure::new(Code::QuickBooksBug);
        let mut request = Request::get(url.as_str()).header(ACCEPT, "application/json");
        if let Some(token) = bearer {
            let text = format!("Bearer {}", token.expose_secret());
            let mut value = HeaderValue::from_str(&text).map_err(|_| bug())?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let request = request.body(Bytes::new()).map_err(|_| bug())?;
        self.send(request).await
    }
}

/// A token whose header is acceptable and whose signature is still to be checked.
struct Token<'a> {
    key_id: String,
    /// Header and payload as they were signed.
    signed: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Token<'a> {
    fn read(text: &'a str) -> Result<Self, IdentityError> {
        let (signed, signature) = text.rsplit_once('.').ok_or(IdentityError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(IdentityError::Malformed)?;
        let header = object(header)?;
        // The token has no say in how it is checked (RFC 8725, section 3.1): a public key taken for
        // the secret of HS256, or `none`, would let anybody sign.
        let is_rs256 = header.get("alg").and_then(Value::as_str) == Some("RS256");
        // RFC 7515, section 4.1.11: what is critical and not understood is refused.
        if !is_rs256 || header.contains_key("crit") {
            return Err(IdentityError::Algorithm);
        }
        let key_id = header.get("kid").and_then(Value::as_str);
        Ok(Self {
            key_id: key_id
                .filter(|id| !id.is_empty())
                .ok_or(IdentityError::KeyMissing)?
                .to_owned(),
            signed,
            payload,
            signature,
        })
    }

    /// What the token says, once the key is proven to have signed it.
    fn claims(&self, key: &DecodingKey) -> Result<Map<String, Value>, IdentityError> {
        // The provider is named: left to find one by itself, the crate panics when another crate's
        // features give it a choice.
        let verifier = (aws_lc::DEFAULT_PROVIDER.verifier_factory)(&Algorithm::RS256, key);
        let signature = BASE64URL_NOPAD.decode(self.signature.as_bytes());
        let (Ok(verifier), Ok(signature)) = (verifier, signature) else {
            return Err(IdentityError::Signature);
        };
        let outcome = verifier.verify(self.signed.as_bytes(), &signature);
        outcome.map_err(|_| IdentityError::Signature)?;
        object(self.payload)
    }
}

/// A part of a token. Text with another dot in it is no base64url, so three parts are three.
fn object(part: &str) -> Result<Map<String, Value>, IdentityError> {
    let bytes = BASE64URL_NOPAD.decode(part.as_bytes());
    let bytes = bytes.map_err(|_| IdentityError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| IdentityError::Malformed)
}

/// Whether a token is for this client and nobody else. Intuit sends a list, the standard also
/// allows a text.
fn is_audience(audience: Option<&Value>, client_id: &str) -> bool {
    match audience {
        Some(Value::String(only)) => only == client_id,
        Some(Value::Array(all)) => matches!(all.as_slice(), [only] if only == client_id),
        _ => false,
    }
}

fn check_times(claims: &Map<String, Value>, now: i64) -> Result<(), IdentityError> {
    let seconds = |name: &str| claims.get(name).and_then(Value::as_i64);
    let ends = seconds("exp").ok_or(IdentityError::ExpiryMissing)?;
    if now >= ends.saturating_add(EXPIRY_LEEWAY_SECONDS) {
        return Err(IdentityError::Expired);
    }
    let is_past = |name: &str| {
        seconds(name).is_some_and(|begins| begins <= now.saturating_add(FUTURE_SECONDS_MAX))
    };
    if is_past("iat") && (is_past("nbf") || !claims.contains_key("nbf")) {
        Ok(())
    } else {
        Err(IdentityError::NotYetValid)
    }
}

/// Intuit's name for a person, strictly: it is half of the user's key.
fn subject(claims: &Map<String, Value>) -> Option<String> {
    let text = claims.get("sub")?.as_str()?;
    let is_sound = (1..=SUBJECT_LENGTH_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_sound.then(|| text.to_owned())
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
