//! The authorize page: checks the request, asks the person, sends the browser back.

use bytes::Bytes;
use http::{Response, StatusCode, header};
use jiff::Timestamp;
use url::Url;

use super::{
    endpoints::has_scope,
    grants::{Code, Grants, Person},
    pages,
};

/// The scopes an app may ask for.
const SCOPES: [&str; 7] = [
    ACCOUNTING,
    "com.intuit.quickbooks.payment",
    "openid",
    "profile",
    "email",
    "phone",
    "address",
];
/// The scope of a connection to a company's books.
pub(super) const ACCOUNTING: &str = "com.intuit.quickbooks.accounting";
/// The members of the request that the page's forms carry on.
const CARRIED: [&str; 6] = [
    "client_id",
    "response_type",
    "scope",
    "redirect_uri",
    "state",
    "nonce",
];

/// The parameters of the query or the form.
pub(super) struct Parameters(pub(super) Vec<(String, String)>);

impl Parameters {
    pub(super) fn parse(text: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(text).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self
            .0
            .iter()
            .find(|(known, value)| known == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }
}

/// Where the browser goes back to.
struct Return<'a> {
    redirect_uri: &'a str,
    state: &'a str,
}

/// What the person comes to with a form.
enum Step<'a> {
    /// Chooses a company.
    Company,
    /// Reads what the app asks for, for this company if for any.
    Consent(Option<&'a str>),
    /// May not connect the company.
    Refused,
    /// Has agreed.
    Granted(Option<&'a str>),
}

/// Answers GET (`form` is `None`) and POST of the authorize page.
pub(super) fn answer(
    grants: &mut Grants,
    query: &Parameters,
    form: Option<&Parameters>,
    now: Timestamp,
) -> Response<Bytes> {
    let request = form
        .filter(|form| form.get("client_id").is_some())
        .unwrap_or(query);
    let back = match checked_return(grants, request) {
        Ok(back) => back,
        Err(reason) => return html(StatusCode::BAD_REQUEST, pages::error(reason)),
    };
    if request.get("response_type") != Some("code") {
        return back.error("unsupported_response_type");
    }
    let scope = request.get("scope").unwrap_or_default();
    if scope.is_empty() || scope.split(' ').any(|scope| !SCOPES.contains(&scope)) {
        return back.error("invalid_scope");
    }
    if form.and_then(|form| form.get("action")) == Some("cancel") {
        return back.error("access_denied");
    }
    let client = request.get("client_id").unwrap_or_default();
    let email = form.and_then(|form| form.get("email"));
    let person = email.and_then(|email| grants.people.get(email)).cloned();
    let mut page = pages::Page {
        app: grants.app_name(client),
        hidden: carried(request),
    };
    let (Some(form), Some(person)) = (form, person) else {
        return html(StatusCode::OK, page.sign_in(grants.people.values()));
    };
    let realm = match next_step(grants, client, scope, form, &person) {
        Step::Granted(realm) => realm,
        Step::Refused => return back.error("access_denied"),
        Step::Company => {
            page.carry("email", &person.email);
            let name = |realm: &str| grants.realm_name(realm);
            return html(StatusCode::OK, page.choose_company(&person, name));
        }
        Step::Consent(realm) => {
            page.carry("email", &person.email);
            if let Some(realm) = realm {
                page.carry("realmId", realm);
            }
            let company = realm.map(|realm| grants.realm_name(realm));
            let consent = page.consent(&person, company.as_deref(), scope);
            return html(StatusCode::OK, consent);
        }
    };
    let code = Code {
        client: client.to_owned(),
        redirect_uri: back.redirect_uri.to_owned(),
        scope: scope.to_owned(),
        realm: realm.map(str::to_owned),
        email: person.email.clone(),
        nonce: request.get("nonce").map(str::to_owned),
        issued: now,
        grant: None,
    };
    grants.agree(client, &person.email, scope);
    let value = grants.mint("AB11", now);
    grants.codes.insert(value.clone(), code);
    back.success(&value, realm)
}

/// The members of the request that the next form must send again.
fn carried(request: &Parameters) -> Vec<(&'static str, String)> {
    CARRIED
        .iter()
        .filter_map(|name| request.get(name).map(|value| (*name, value.to_owned())))
        .collect()
}

/// A company is consented to each time; a mere sign-in only until the person has agreed once.
fn next_step<'a>(
    grants: &Grants,
    client: &str,
    scope: &str,
    form: &'a Parameters,
    person: &Person,
) -> Step<'a> {
    let needs_company = has_scope(scope, ACCOUNTING);
    match form.get("realmId").filter(|_| needs_company) {
        None if needs_company => Step::Company,
        Some(realm) if !person.may_connect(realm) => Step::Refused,
        realm if form.get("action") == Some("connect") => Step::Granted(realm),
        None if grants.has_agreed(client, &person.email, scope) => Step::Granted(None),
        realm => Step::Consent(realm),
    }
}

/// The app and its return address must be known before the browser is sent anywhere.
fn checked_return<'a>(
    grants: &Grants,
    request: &'a Parameters,
) -> Result<Return<'a>, &'static str> {
    let client = request
        .get("client_id")
        .and_then(|id| grants.clients.get(id))
        .ok_or("The client_id is missing or unknown.")?;
    let redirect_uri = request
        .get("redirect_uri")
        .filter(|uri| client.redirect_uris.iter().any(|known| known == uri))
        .ok_or("The redirect_uri query parameter value is invalid.")?;
    let state = request
        .get("state")
        .ok_or("The state query parameter is missing.")?;
    Ok(Return {
        redirect_uri,
        state,
    })
}

impl Return<'_> {
    fn error(&self, error: &str) -> Response<Bytes> {
        self.redirect(&[("error", error), ("state", self.state)])
    }

    fn success(&self, code: &str, realm: Option<&str>) -> Response<Bytes> {
        let mut parameters = vec![("code", code), ("state", self.state)];
        parameters.extend(realm.map(|realm| ("realmId", realm)));
        self.redirect(&parameters)
    }

    fn redirect(&self, parameters: &[(&str, &str)]) -> Response<Bytes> {
        let Ok(mut target) = Url::parse(self.redirect_uri) else {
            return html(
                StatusCode::BAD_REQUEST,
                pages::error("The redirect_uri is not a URL."),
            );
        };
        target.query_pairs_mut().extend_pairs(parameters);
        Response::builder()
            .status(StatusCode::FOUND)
            .header(header::LOCATION, target.as_str())
            .body(Bytes::new())
            .unwrap_or_default()
    }
}

fn html(status: StatusCode, page: String) -> Response<Bytes> {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store")
        .body(Bytes::from(page))
        .unwrap_or_default()
}
