//! The endpoints that programs call: discovery, token, revoke, key set, user info.

use bytes::Bytes;
use data_encoding::BASE64;
use http::{Request, Response, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    authorize::Parameters,
    grants::{Code, Grants, Issued},
    keys::SigningKey,
};

/// The discovery document; everything stands under `public_url`.
pub(super) fn discovery(public_url: &str, sandbox: bool) -> Response<Bytes> {
    let userinfo = if sandbox { "/sandbox" } else { "" };
    json_response(
        StatusCode::OK,
        &json!({
            "issuer": issuer(public_url),
            "authorization_endpoint": format!("{public_url}/connect/oauth2"),
            "token_endpoint": format!("{public_url}/oauth2/v1/tokens/bearer"),
            "userinfo_endpoint":
                format!("{public_url}{userinfo}/v1/openid_connect/userinfo"),
            "revocation_endpoint": format!("{public_url}/v2/oauth2/tokens/revoke"),
            "jwks_uri": format!("{public_url}/op/v1/jwks"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "email", "profile", "address", "phone"],
            "token_endpoint_auth_methods_supported":
                ["client_secret_post", "client_secret_basic"],
            "claims_supported": ["aud", "exp", "iat", "iss", "realmid", "sub"],
        }),
    )
}

fn issuer(public_url: &str) -> String {
    format!("{public_url}/op/v1")
}

/// Who signs identity tokens.
#[derive(Clone, Copy)]
pub(super) struct Issuer<'a> {
    pub(super) public_url: &'a str,
    pub(super) key: &'a SigningKey,
}

/// The token endpoint.
pub(super) fn token(
    grants: &mut Grants,
    by: Issuer<'_>,
    request: &Request<Bytes>,
    now: Timestamp,
) -> Response<Bytes> {
    let Some(client) = authenticated(grants, request) else {
        return invalid_client();
    };
    if media_type(request) != "application/x-www-form-urlencoded" {
        return oauth_error(StatusCode::BAD_REQUEST, "invalid_request", None);
    }
    let form = Parameters::parse(request.body());
    let with_hard_expiry = request
        .headers()
        .get("x-include-refresh-token-hard-expires-in")
        .is_some_and(|value| value == "true");
    match form.get("grant_type") {
        Some("authorization_code") => {
            let (Some(code), Some(redirect_uri)) = (form.get("code"), form.get("redirect_uri"))
            else {
                return oauth_error(StatusCode::BAD_REQUEST, "invalid_request", None);
            };
            match grants.redeem(&client, code, redirect_uri, now) {
                Some((issued, code)) => {
                    let id_token = identity(grants, by, &issued, &code, now);
                    issued_response(&issued, with_hard_expiry, id_token)
                }
                None => invalid_grant("Invalid authorization code"),
            }
        }
        Some("refresh_token") => {
            let Some(token) = form.get("refresh_token") else {
                return oauth_error(StatusCode::BAD_REQUEST, "invalid_request", None);
            };
            match grants.renew(&client, token, now) {
                Some(issued) => issued_response(&issued, with_hard_expiry, None),
                None => invalid_grant("Incorrect Token type or clientID"),
            }
        }
        _ => oauth_error(StatusCode::BAD_REQUEST, "unsupported_grant_type", None),
    }
}

/// The signed identity token, when `openid` was asked for.
fn identity(
    grants: &Grants,
    by: Issuer<'_>,
    issued: &Issued,
    code: &Code,
    now: Timestamp,
) -> Option<String> {
    if !has_scope(&code.scope, "openid") {
        return None;
    }
    let person = grants.people.get(&code.email)?;
    let mut claims = json!({
        "sub": person.subject,
        "aud": [issued.grant.client],
        "auth_time": code.issued.as_second(),
        "iss": issuer(by.public_url),
        "exp": now.as_second() + 3_600,
        "iat": now.as_second(),
    });
    if let Some(realm) = &code.realm {
        claims["realmid"] = json!(realm);
    }
    if let Some(nonce) = &code.nonce {
        claims["nonce"] = json!(nonce);
    }
    by.key.sign(&claims)
}

pub(super) fn has_scope(scopes: &str, wanted: &str) -> bool {
    scopes.split(' ').any(|scope| scope == wanted)
}

fn issued_response(
    issued: &Issued,
    with_hard_expiry: bool,
    id_token: Option<String>,
) -> Response<Bytes> {
    let mut body = json!({
        "token_type": "bearer",
        "expires_in": issued.access_seconds,
        "access_token": issued.access,
        "refresh_token": issued.refresh,
        "x_refresh_token_expires_in": issued.refresh_seconds,
    });
    if with_hard_expiry {
        body["x_refresh_token_hard_expires_in"] = json!(issued.hard_seconds);
    }
    if let Some(id_token) = id_token {
        body["id_token"] = json!(id_token);
    }
    json_response(StatusCode::OK, &body)
}

/// The revocation endpoint.
pub(super) fn revoke(grants: &mut Grants, request: &Request<Bytes>) -> Response<Bytes> {
    let Some(client) = authenticated(grants, request) else {
        return invalid_client();
    };
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let token = body["token"].as_str().unwrap_or_default();
    if media_type(request) != "application/json" || token.is_empty() {
        return oauth_error(StatusCode::BAD_REQUEST, "invalid_request", None);
    }
    if grants.revoke(&client, token) {
        return Response::new(Bytes::new());
    }
    oauth_error(
        StatusCode::BAD_REQUEST,
        "invalid_request",
        Some("Token is invalid or revoked"),
    )
}

/// The user-info endpoint.
pub(super) fn user_info(
    grants: &Grants,
    request: &Request<Bytes>,
    now: Timestamp,
) -> Response<Bytes> {
    let bearer = authorization(request)
        .strip_prefix("Bearer ")
        .unwrap_or_default();
    let grant = grants
        .access
        .get(bearer)
        .filter(|token| token.expires > now)
        .and_then(|token| grants.consents.get(&token.grant))
        .filter(|grant| !grant.revoked && has_scope(&grant.scope, "openid"));
    let person = grant.and_then(|grant| grants.people.get(&grant.email));
    let (Some(grant), Some(person)) = (grant, person) else {
        return oauth_error(StatusCode::UNAUTHORIZED, "invalid_token", None);
    };
    let mut body = json!({ "sub": person.subject });
    if has_scope(&grant.scope, "email") {
        body["email"] = json!(person.email);
        body["emailVerified"] = json!(true);
    }
    if has_scope(&grant.scope, "profile") {
        let (given, family) = person.name.split_once(' ').unwrap_or((&person.name, ""));
        body["givenName"] = json!(given);
        body["familyName"] = json!(family);
    }
    json_response(StatusCode::OK, &body)
}

/// The client that the Basic header proves.
fn authenticated(grants: &Grants, request: &Request<Bytes>) -> Option<String> {
    let encoded = authorization(request).strip_prefix("Basic ")?;
    let decoded = String::from_utf8(BASE64.decode(encoded.as_bytes()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let client = grants.clients.get(id)?;
    (client.secret == secret).then(|| id.to_owned())
}

fn authorization(request: &Request<Bytes>) -> &str {
    let value = request.headers().get(header::AUTHORIZATION);
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn media_type(request: &Request<Bytes>) -> &str {
    let value = request.headers().get(header::CONTENT_TYPE);
    let text = value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim()
}

fn invalid_client() -> Response<Bytes> {
    oauth_error(StatusCode::UNAUTHORIZED, "invalid_client", None)
}

fn invalid_grant(description: &str) -> Response<Bytes> {
    oauth_error(StatusCode::BAD_REQUEST, "invalid_grant", Some(description))
}

fn oauth_error(status: StatusCode, error: &str, description: Option<&str>) -> Response<Bytes> {
    let mut body = json!({ "error": error });
    if let Some(description) = description {
        body["error_description"] = json!(description);
    }
    json_response(status, &body)
}

pub(super) fn json_response(status: StatusCode, body: &Value) -> Response<Bytes> {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json;charset=utf-8")
        .header(header::CACHE_CONTROL, "no-cache, no-store")
        .body(Bytes::from(body.to_string()))
        .unwrap_or_default()
}
