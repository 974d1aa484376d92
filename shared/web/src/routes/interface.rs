//! The JSON interface: every operation with everything its documentation says.

use http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{Open, Operation, Own, Work};
use crate::{input, view};

/// Makes the schema of a type.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// One operation of the JSON interface, with everything its documentation says.
pub(crate) struct ApiRoute {
    pub(crate) method: Method,
    /// Below `/api/v1`.
    pub(crate) path: &'static str,
    pub(crate) operation: Operation,
    /// Its name in the document.
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    /// Parameters of the query: name, what it says, its pattern.
    pub(crate) query: &'static [(&'static str, &'static str, Option<&'static str>)],
    /// What the body must be.
    pub(crate) body: Option<SchemaOf>,
    pub(crate) status: u16,
    pub(crate) answer: SchemaOf,
}

fn api(
    method: Method,
    path: &'static str,
    operation: Operation,
    (id, summary): (&'static str, &'static str),
    (status, answer): (u16, SchemaOf),
) -> ApiRoute {
    ApiRoute {
        method,
        path,
        operation,
        id,
        summary,
        query: &[],
        body: None,
        status,
        answer,
    }
}

impl ApiRoute {
    fn with_body(mut self, body: SchemaOf) -> Self {
        self.body = Some(body);
        self
    }

    fn with_query(
        mut self,
        query: &'static [(&'static str, &'static str, Option<&'static str>)],
    ) -> Self {
        self.query = query;
        self
    }
}

const DAY: Option<&str> = Some(r"^\d{4}-\d{2}-\d{2}$");
const FILTER: &[(&str, &str, Option<&str>)] = &[
    (
        "outcome",
        "Only orders with this outcome.",
        Some("^(billed|refused|waiting|ineligible)$"),
    ),
    ("vendor", "Only orders of this vendor.", None),
    ("text", "Only orders that hold this text.", None),
    ("from", "Only orders changed on or after this day.", DAY),
    ("to", "Only orders changed on or before this day.", DAY),
    ("code", "Only orders with this cause.", None),
    ("after", "The cursor of the page before.", None),
];

/// Every operation of the JSON interface.
pub(crate) fn interface() -> Vec<ApiRoute> {
    let mut routes = account_routes();
    routes.extend(membership_routes());
    routes.extend(connection_routes());
    routes.extend(run_routes());
    routes.extend(settings_routes());
    routes.extend(order_routes());
    routes.extend(order_reports());
    routes.extend(people_routes());
    routes
}

fn account_routes() -> Vec<ApiRoute> {
    vec![
        api(
            Method::GET,
            "/openapi.json",
            Operation::Open(Open::Document),
            ("openapi", "This document."),
            (200, schema::<serde_json::Map<String, serde_json::Value>>),
        ),
        api(
            Method::GET,
            "/me",
            Operation::Own(Own::Account),
            ("me", "Who is signed in."),
            (200, schema::<view::Me>),
        ),
        api(
            Method::DELETE,
            "/session",
            Operation::Own(Own::SignOut),
            ("sign_out", "Ends this session."),
            (200, schema::<view::Done>),
        ),
        api(
            Method::DELETE,
            "/sessions",
            Operation::Own(Own::EndMySessions),
            ("sign_out_everywhere", "Ends every session of this person."),
            (200, schema::<view::Done>),
        ),
        api(
            Method::GET,
            "/companies",
            Operation::Own(Own::Companies),
            (
                "companies",
                "The companies this person is a member of, and those that invite.",
            ),
            (200, schema::<view::Companies>),
        ),
        api(
            Method::POST,
            "/companies/current",
            Operation::Own(Own::ChooseCompany),
            ("choose_company", "Looks at another company from now on."),
            (200, schema::<view::Done>),
        )
        .with_body(schema::<input::NamedCompany>),
        api(
            Method::GET,
            "/set-up",
            Operation::Own(Own::SetUp),
            ("set_up", "How far set-up is."),
            (200, schema::<view::SetUp>),
        ),
        api(
            Method::POST,
            "/connection/quickbooks",
            Operation::Own(Own::BeginConnect),
            (
                "connect_quickbooks",
                "Begins to connect a QuickBooks company; a browser must follow the address.",
            ),
            (200, schema::<view::WayOut>),
        )
        .with_body(schema::<input::BeginConnect>),
    ]
}

fn membership_routes() -> Vec<ApiRoute> {
    [
        (
            "/companies/invitations/accept",
            Own::AcceptInvitation,
            (
                "accept_invitation",
                "Becomes a member of a company that invites, and looks at it.",
            ),
        ),
        (
            "/companies/invitations/decline",
            Own::DeclineInvitation,
            ("decline_invitation", "Declines an invitation."),
        ),
        (
            "/companies/leave",
            Own::LeaveCompany,
            (
                "leave_company",
                "Gives up a membership; the last admin stays.",
            ),
        ),
    ]
    .into_iter()
    .map(|(path, own, words)| {
        let answer = (200, schema::<view::Done> as SchemaOf);
        api(Method::POST, path, Operation::Own(own), words, answer)
            .with_body(schema::<input::NamedCompany>)
    })
    .collect()
}

fn connection_routes() -> Vec<ApiRoute> {
    vec![
        api(
            Method::GET,
            "/home",
            Operation::Work(Work::Home),
            (
                "home",
                "Connections, runs, counts, and what needs a person.",
            ),
            (200, schema::<view::Home>),
        ),
        api(
            Method::GET,
            "/connection",
            Operation::Work(Work::Connection),
            ("connection", "Both connections."),
            (200, schema::<view::ConnectionPage>),
        ),
        api(
            Method::DELETE,
            "/connection",
            Operation::Work(Work::Disconnect),
            (
                "disconnect",
                "Ends both connections; settings and history stay.",
            ),
            (200, schema::<view::Done>),
        ),
        api(
            Method::PUT,
            "/connection/autotask",
            Operation::Work(Work::SaveAutotask),
            (
                "connect_autotask",
                "Tries the Autotask API user and stores it.",
            ),
            (200, schema::<view::Done>),
        )
        .with_body(schema::<input::SaveAutotask>),
        api(
            Method::GET,
            "/connection/check",
            Operation::Work(Work::Check),
            ("check", "Looks at everything that could go wrong later."),
            (200, schema::<view::CheckView>),
        ),
        api(
            Method::POST,
            "/connection/check",
            Operation::Work(Work::CheckAndResume),
            (
                "check_and_resume",
                "The same; goes on with the transfer when all is well.",
            ),
            (200, schema::<view::CheckView>),
        ),
    ]
}

fn run_routes() -> Vec<ApiRoute> {
    vec![
        api(
            Method::POST,
            "/set-up/start",
            Operation::Work(Work::StartTransfer),
            (
                "start_transfer",
                "Starts the transfer; the first run begins at once.",
            ),
            (202, schema::<view::Done>),
        ),
        api(
            Method::POST,
            "/runs",
            Operation::Work(Work::RunNow),
            ("run_now", "Starts the next run now."),
            (202, schema::<view::Done>),
        ),
    ]
}

fn settings_routes() -> Vec<ApiRoute> {
    vec![
        api(
            Method::GET,
            "/settings",
            Operation::Work(Work::SettingsDocument),
            ("settings", "The settings, as they can be imported again."),
            (200, schema::<view::SettingsView>),
        ),
        api(
            Method::PUT,
            "/settings",
            Operation::Work(Work::ReplaceSettings),
            (
                "replace_settings",
                "Checks settings against both systems and stores them.",
            ),
            (200, schema::<view::SettingsView>),
        )
        .with_body(schema::<input::Settings>),
        api(
            Method::GET,
            "/settings/choices",
            Operation::Work(Work::SettingsChoices),
            (
                "settings_choices",
                "What can be chosen, read from both systems.",
            ),
            (200, schema::<view::Choices>),
        ),
        api(
            Method::GET,
            "/settings/history",
            Operation::Work(Work::SettingsHistory),
            ("settings_history", "Who changed which setting."),
            (200, schema::<view::SettingsHistory>),
        ),
    ]
}

fn order_routes() -> Vec<ApiRoute> {
    vec![
        api(
            Method::GET,
            "/orders",
            Operation::Work(Work::Orders),
            ("orders", "What became of the orders, newest change first."),
            (200, schema::<view::Orders>),
        )
        .with_query(FILTER),
        api(
            Method::POST,
            "/orders/retry",
            Operation::Work(Work::RetryAll),
            (
                "retry_all",
                "Tries orders that need a person again, 100 at most.",
            ),
            (202, schema::<view::Retried>),
        )
        .with_body(schema::<input::RetryAll>),
        api(
            Method::GET,
            "/orders/{order}",
            Operation::Work(Work::Story),
            ("story", "One order's whole story."),
            (200, schema::<view::Story>),
        ),
        api(
            Method::GET,
            "/orders/{order}/preview",
            Operation::Work(Work::Preview),
            (
                "preview",
                "The bill this order would become; changes nothing.",
            ),
            (200, schema::<view::PreviewView>),
        ),
        api(
            Method::POST,
            "/orders/{order}/sync",
            Operation::Work(Work::Sync),
            ("sync", "Transfers this order now."),
            (202, schema::<view::AttemptView>),
        )
        .with_body(schema::<input::Sync>),
        api(
            Method::POST,
            "/orders/{order}/retry",
            Operation::Work(Work::Retry),
            (
                "retry",
                "Tries this order again although Autotask shows ERROR.",
            ),
            (202, schema::<view::AttemptView>),
        ),
    ]
}

fn order_reports() -> Vec<ApiRoute> {
    vec![
        api(
            Method::GET,
            "/orders/{order}/attempts/{attempt}",
            Operation::Work(Work::Attempt),
            ("attempt", "How far a person's attempt is."),
            (200, schema::<view::AttemptView>),
        ),
        api(
            Method::GET,
            "/orders/{order}/support",
            Operation::Work(Work::SupportBundle),
            (
                "support",
                "What support needs to know about this order, without secrets.",
            ),
            (200, schema::<serde_json::Map<String, serde_json::Value>>),
        ),
    ]
}

fn people_routes() -> Vec<ApiRoute> {
    vec![
        api(
            Method::GET,
            "/people",
            Operation::Work(Work::People),
            ("people", "Members and invitations."),
            (200, schema::<view::People>),
        ),
        api(
            Method::POST,
            "/people/invitations",
            Operation::Work(Work::Invite),
            ("invite", "Invites an e-mail address."),
            (201, schema::<view::Done>),
        )
        .with_body(schema::<input::Invite>),
        api(
            Method::POST,
            "/people/invitations/withdraw",
            Operation::Work(Work::Withdraw),
            ("withdraw", "Withdraws an invitation."),
            (200, schema::<view::Done>),
        )
        .with_body(schema::<input::Withdraw>),
        api(
            Method::PUT,
            "/people/{person}/role",
            Operation::Work(Work::ChangeRole),
            ("change_role", "Changes what a member may do."),
            (200, schema::<view::Done>),
        )
        .with_body(schema::<input::ChangeRole>),
        api(
            Method::DELETE,
            "/people/{person}",
            Operation::Work(Work::RemoveMember),
            ("remove_member", "Removes a member."),
            (200, schema::<view::Done>),
        ),
        api(
            Method::DELETE,
            "/people/{person}/sessions",
            Operation::Work(Work::EndSessionsOf),
            (
                "end_sessions",
                "Ends the sessions of a member that look at this company.",
            ),
            (200, schema::<view::Done>),
        ),
        api(
            Method::GET,
            "/activity",
            Operation::Work(Work::Activity),
            ("activity", "What people did, newest first."),
            (200, schema::<view::Activity>),
        )
        .with_query(&[("after", "The cursor of the page before.", None)]),
    ]
}
