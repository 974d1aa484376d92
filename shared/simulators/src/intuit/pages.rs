//! The pages a person sees while connecting an app: sign in, choose a company, or an error.

use std::fmt::Write as _;

use super::grants::{Person, Role};

/// What the page must carry through its form.
pub(super) type Hidden<'a> = &'a [(&'a str, &'a str)];

/// Asks who signs in.
pub(super) fn sign_in<'a>(hidden: Hidden<'_>, people: impl Iterator<Item = &'a Person>) -> String {
    let mut choices = String::new();
    for (index, person) in people.enumerate() {
        let checked = if index == 0 { " checked" } else { "" };
        let _ = write!(
            choices,
            "<p><label><input type=\"radio\" name=\"email\" value=\"{email}\" required{checked}> \
             {name} ({email})</label></p>",
            email = escape(&person.email),
            name = escape(&person.name),
        );
    }
    let fields = hidden_fields(hidden);
    page(
        "Sign in",
        &format!(
            "<form method=\"post\">{fields}<fieldset><legend>Who are you?</legend>{choices}\
             </fieldset><p><button name=\"action\" value=\"sign_in\">Sign in</button> \
             <button name=\"action\" value=\"cancel\" formnovalidate>Cancel</button></p></form>"
        ),
    )
}

/// Asks which company is connected.
pub(super) fn choose_company(hidden: Hidden<'_>, person: &Person) -> String {
    let mut choices = String::new();
    let mut first = true;
    for (realm, role) in &person.realms {
        let may = *role != Role::User;
        let (state, note) = match (may, first) {
            (true, true) => (" checked", ""),
            (true, false) => ("", ""),
            (false, _) => (
                " disabled",
                " (only an administrator can connect this company)",
            ),
        };
        first &= !may;
        let _ = write!(
            choices,
            "<p><label><input type=\"radio\" name=\"realmId\" value=\"{realm}\" required{state}> \
             Company {realm}{note}</label></p>",
            realm = escape(realm),
        );
    }
    let fields = hidden_fields(hidden);
    let email = escape(&person.email);
    page(
        "Connect a company",
        &format!(
            "<form method=\"post\">{fields}<input type=\"hidden\" name=\"email\" \
             value=\"{email}\"><p>Signed in as {name}.</p><fieldset><legend>Which company may \
             the app use?</legend>{choices}</fieldset><p><button name=\"action\" \
             value=\"connect\">Connect</button> <button name=\"action\" value=\"cancel\" \
             formnovalidate>Cancel</button></p></form>",
            name = escape(&person.name),
        ),
    )
}

/// Says why nothing can be connected; the browser is not sent anywhere.
pub(super) fn error(reason: &str) -> String {
    page(
        "Sorry, but this app cannot be connected",
        &format!("<p>{}</p>", escape(reason)),
    )
}

fn hidden_fields(hidden: Hidden<'_>) -> String {
    hidden
        .iter()
        .fold(String::new(), |mut fields, (name, value)| {
            let _ = write!(
                fields,
                "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
                escape(name),
                escape(value)
            );
            fields
        })
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>body{{font:1rem/1.5 \
         sans-serif;max-width:36rem;margin:3rem auto;padding:0 1rem}}</style></head><body><main>\
         <p>Simulated Intuit sign-in</p><h1>{title}</h1>{body}</main></body></html>"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
