//! The pages a person sees while connecting an app: sign in, choose a company, consent, or an
//! error. They ask what the real ones ask, and each says that it is not the real one.

use std::fmt::Write as _;

use super::{authorize::ACCOUNTING, endpoints::has_scope, grants::Person};

const STYLE: &str = include_str!("pages.css");
const CANCEL: &str = "<button name=\"action\" value=\"cancel\" formnovalidate>Cancel</button>";

/// What every page of one request shows and carries.
pub(super) struct Page {
    /// What people call the app.
    pub(super) app: String,
    /// What the form sends along, unseen.
    pub(super) hidden: Vec<(&'static str, String)>,
}

/// One radio button of a list.
struct Choice {
    value: String,
    name: String,
    detail: String,
    is_open: bool,
}

impl Page {
    /// Lets the form send one more member along.
    pub(super) fn carry(&mut self, name: &'static str, value: &str) {
        self.hidden.push((name, value.to_owned()));
    }

    /// Asks who signs in.
    pub(super) fn sign_in<'a>(&self, people: impl Iterator<Item = &'a Person>) -> String {
        let choices: Vec<Choice> = people
            .map(|person| Choice {
                value: person.email.clone(),
                name: person.name.clone(),
                detail: person.email.clone(),
                is_open: true,
            })
            .collect();
        let fields = format!(
            "<p>Choose a login to continue to {app}. No password is asked for.</p>{list}",
            app = escape(&self.app),
            list = list("Who are you?", ("email", "person"), &choices),
        );
        let button = (!choices.is_empty()).then_some(("sign_in", "Sign in"));
        page("Sign in", &self.form(&fields, button))
    }

    /// Asks which company is connected.
    pub(super) fn choose_company(&self, person: &Person, name: impl Fn(&str) -> String) -> String {
        let choice = |realm: &String| {
            let is_open = person.may_connect(realm);
            let note = if is_open {
                ""
            } else {
                ": only an administrator can connect this company"
            };
            Choice {
                value: realm.clone(),
                name: name(realm),
                detail: format!("Company id {realm}{note}"),
                is_open,
            }
        };
        let choices: Vec<Choice> = person.realms.keys().map(choice).collect();
        let can_go_on = choices.iter().any(|choice| choice.is_open);
        let hint = match (choices.is_empty(), can_go_on) {
            (true, _) => "<p>This login has no QuickBooks company.</p>",
            (_, false) => {
                "<p>This login cannot connect any company. Ask an administrator of the company to \
                 connect it.</p>"
            }
            (_, true) => "",
        };
        let companies = match choices.is_empty() {
            true => String::new(),
            false => list("QuickBooks companies", ("realmId", "company"), &choices),
        };
        let who = signed_in(person);
        let button = can_go_on.then_some(("choose", "Next"));
        page(
            "Choose a company",
            &self.form(&format!("{who}{hint}{companies}"), button),
        )
    }

    /// Tells what the app asks for and lets the person agree.
    pub(super) fn consent(&self, person: &Person, company: Option<&str>, scope: &str) -> String {
        let app = escape(&self.app);
        let (title, request) = match company {
            Some(company) => (
                format!("Connect {app} to QuickBooks"),
                format!(
                    "{app} would like access to your QuickBooks company {}:",
                    escape(company)
                ),
            ),
            None => (
                format!("Sign in to {app}"),
                format!("{app} would like access to your Intuit account:"),
            ),
        };
        let rights = rights(scope).join("</li><li>");
        let who = signed_in(person);
        let fields = format!(
            "{who}<p>{request}</p><ul><li>{rights}</li></ul>\
             <p class=\"quiet\">You can disconnect {app} at any time.</p>"
        );
        page(&title, &self.form(&fields, Some(("connect", "Connect"))))
    }

    fn form(&self, fields: &str, button: Option<(&str, &str)>) -> String {
        let mut form = String::from("<form method=\"post\">");
        for (name, value) in &self.hidden {
            let _ = write!(
                form,
                "<input type=\"hidden\" name=\"{name}\" value=\"{}\">",
                escape(value)
            );
        }
        form.push_str(fields);
        form.push_str("<div class=\"buttons\">");
        if let Some((value, label)) = button {
            let _ = write!(
                form,
                "<button class=\"main\" name=\"action\" value=\"{value}\">{label}</button>"
            );
        }
        let _ = write!(form, "{CANCEL}</div></form>");
        form
    }
}

/// Says why nothing can be connected; the browser is not sent anywhere.
pub(super) fn error(reason: &str) -> String {
    page(
        "Sorry, but this app cannot be connected",
        &format!("<p>{}</p>", escape(reason)),
    )
}

/// The scopes in words.
fn rights(scope: &str) -> Vec<String> {
    let mut rights = Vec::new();
    if has_scope(scope, ACCOUNTING) {
        rights.push(
            "read and write accounting data: bills, vendors, customers, products and accounts"
                .to_owned(),
        );
    }
    if has_scope(scope, "com.intuit.quickbooks.payment") {
        rights.push("take payments".to_owned());
    }
    let personal: Vec<&str> = [
        ("profile", "name"),
        ("email", "e-mail address"),
        ("phone", "phone number"),
        ("address", "postal address"),
    ]
    .into_iter()
    .filter_map(|(asked, word)| has_scope(scope, asked).then_some(word))
    .collect();
    match personal.split_last() {
        Some((last, [])) => rights.push(format!("your {last}")),
        Some((last, others)) => rights.push(format!("your {} and {last}", others.join(", "))),
        None if has_scope(scope, "openid") => rights.push("who you are".to_owned()),
        None => {}
    }
    rights
}

/// Radio buttons called `name`, with ids that begin with `id`; the first open one is chosen.
fn list(legend: &str, (name, id): (&str, &str), choices: &[Choice]) -> String {
    let mut items = String::new();
    let first = choices.iter().position(|choice| choice.is_open);
    for (index, choice) in choices.iter().enumerate() {
        let state = match (choice.is_open, first == Some(index)) {
            (false, _) => " disabled",
            (true, true) => " checked",
            (true, false) => "",
        };
        let _ = write!(
            items,
            "<label class=\"choice\" for=\"{id}-{index}\"><input type=\"radio\" \
             id=\"{id}-{index}\" name=\"{name}\" value=\"{value}\" required{state}>\
             <span><strong>{label}</strong> <span>{detail}</span></span></label>",
            value = escape(&choice.value),
            label = escape(&choice.name),
            detail = escape(&choice.detail),
        );
    }
    format!("<fieldset><legend>{legend}</legend>{items}</fieldset>")
}

fn signed_in(person: &Person) -> String {
    format!(
        "<p class=\"quiet\">Signed in as {} ({})</p>",
        escape(&person.name),
        escape(&person.email)
    )
}

/// A whole page; `title` and `body` are HTML already.
fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <title>{title} - Simulated Intuit sign-in</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style></head><body>\
         <header><p>Simulated Intuit sign-in</p></header><main><h1>{title}</h1>{body}</main>\
         <footer>This page belongs to a simulator. No real account is used, and Intuit is never \
         asked.</footer></body></html>"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
