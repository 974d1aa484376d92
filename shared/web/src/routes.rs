//! What can be asked for: every operation once, who may ask, and the addresses of its page and of
//! the JSON interface.

mod interface;

use http::Method;

use crate::{
    call::{API, Call},
    people::Role,
};

pub(crate) use interface::{ApiRoute, interface};

/// The functions that answer on AWS; each holds no more keys and rights than its operations need.
/// The program on one machine answers for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Function {
    /// People, companies and connections, and whatever no other function answers.
    Oauth,
    /// Settings, and what reads both systems for a person.
    Settings,
    /// What a person asks for now.
    SyncOne,
    /// What became of the orders.
    Logs,
    /// Trying again.
    Retry,
}

impl Function {
    /// Every function.
    pub const ALL: [Self; 5] = [
        Self::Oauth,
        Self::Settings,
        Self::SyncOne,
        Self::Logs,
        Self::Retry,
    ];

    /// Its name in the stack.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oauth => "oauth",
            Self::Settings => "settings",
            Self::SyncOne => "sync-one",
            Self::Logs => "logs",
            Self::Retry => "retry",
        }
    }
}

/// An operation, by who may ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Anybody.
    Open(Open),
    /// Whoever is signed in.
    Own(Own),
    /// A member of the company that is looked at.
    Work(Work),
}

/// What anybody may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    Start,
    SignIn,
    BeginSignIn,
    Callback,
    Launch,
    Reconnect,
    Disconnected,
    Help,
    Link,
    Style,
    Script,
    Icon,
    Document,
}

/// What whoever is signed in may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    SignOut,
    EndMySessions,
    Account,
    Companies,
    ChooseCompany,
    AcceptInvitation,
    DeclineInvitation,
    LeaveCompany,
    SetUp,
    BeginConnect,
    UseLink,
}

/// What a member of a company may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Home,
    Connection,
    AutotaskForm,
    SaveAutotask,
    Check,
    CheckAndResume,
    DisconnectForm,
    Disconnect,
    StartTransfer,
    RunNow,
    SettingsForm,
    SaveSettings,
    SettingsDocument,
    ReplaceSettings,
    SettingsChoices,
    SettingsHistory,
    Transfer,
    ImportSettings,
    ExportSettings,
    SyncForm,
    SubmitSync,
    Preview,
    Sync,
    Attempt,
    Orders,
    ExportOrders,
    Story,
    SupportBundle,
    Retry,
    RetryAll,
    People,
    Invite,
    Withdraw,
    ChangeRole,
    RemoveMember,
    EndSessionsOf,
    Activity,
}

impl Work {
    /// What a member must be.
    pub(crate) const fn role(self) -> Role {
        match self {
            Self::Home
            | Self::Connection
            | Self::SettingsDocument
            | Self::SettingsHistory
            | Self::ExportSettings
            | Self::SyncForm
            | Self::Preview
            | Self::Attempt
            | Self::Orders
            | Self::ExportOrders
            | Self::Story
            | Self::SupportBundle
            | Self::Check
            | Self::SettingsForm
            | Self::SettingsChoices
            | Self::People
            | Self::Activity => Role::Viewer,
            Self::AutotaskForm
            | Self::SaveAutotask
            | Self::CheckAndResume
            | Self::DisconnectForm
            | Self::Disconnect
            | Self::StartTransfer
            | Self::RunNow
            | Self::SaveSettings
            | Self::ReplaceSettings
            | Self::Transfer
            | Self::ImportSettings
            | Self::SubmitSync
            | Self::Sync
            | Self::Retry
            | Self::RetryAll
            | Self::Invite
            | Self::Withdraw
            | Self::ChangeRole
            | Self::RemoveMember
            | Self::EndSessionsOf => Role::Admin,
        }
    }

    /// Which function answers on AWS.
    pub(crate) const fn function(self) -> Function {
        match self {
            Self::Connection
            | Self::AutotaskForm
            | Self::SaveAutotask
            | Self::Check
            | Self::CheckAndResume
            | Self::DisconnectForm
            | Self::Disconnect
            | Self::StartTransfer
            | Self::People
            | Self::Invite
            | Self::Withdraw
            | Self::ChangeRole
            | Self::RemoveMember
            | Self::EndSessionsOf
            | Self::Activity => Function::Oauth,
            // A preview reads both systems, and no function that only queues holds their keys.
            Self::Preview
            | Self::SettingsForm
            | Self::SaveSettings
            | Self::SettingsDocument
            | Self::ReplaceSettings
            | Self::SettingsChoices
            | Self::SettingsHistory
            | Self::Transfer
            | Self::ImportSettings
            | Self::ExportSettings => Function::Settings,
            Self::RunNow | Self::SyncForm | Self::SubmitSync | Self::Sync | Self::Attempt => {
                Function::SyncOne
            }
            Self::Home | Self::Orders | Self::ExportOrders | Self::Story | Self::SupportBundle => {
                Function::Logs
            }
            Self::Retry | Self::RetryAll => Function::Retry,
        }
    }

    /// Whether it costs calls to the outside systems or others much, so that it is paced.
    pub(crate) const fn is_paced(self) -> bool {
        matches!(
            self,
            Self::SaveAutotask
                | Self::Check
                | Self::CheckAndResume
                | Self::SettingsForm
                | Self::SaveSettings
                | Self::ReplaceSettings
                | Self::SettingsChoices
                | Self::ImportSettings
                | Self::RunNow
                | Self::Preview
                | Self::Sync
                | Self::SubmitSync
                | Self::Retry
                | Self::RetryAll
                | Self::EndSessionsOf
        )
    }
}

/// One address of a page.
pub(crate) struct PageRoute(
    pub(crate) Method,
    pub(crate) &'static str,
    pub(crate) Operation,
);

const fn get(path: &'static str, operation: Operation) -> PageRoute {
    PageRoute(Method::GET, path, operation)
}

const fn post(path: &'static str, operation: Operation) -> PageRoute {
    PageRoute(Method::POST, path, operation)
}

/// Every page and form.
pub(crate) const PAGES: &[PageRoute] = &[
    get("/", Operation::Open(Open::Start)),
    get("/sign-in", Operation::Open(Open::SignIn)),
    post("/sign-in", Operation::Open(Open::BeginSignIn)),
    get("/oauth/callback", Operation::Open(Open::Callback)),
    get("/launch", Operation::Open(Open::Launch)),
    get("/reconnect", Operation::Open(Open::Reconnect)),
    get("/disconnected", Operation::Open(Open::Disconnected)),
    get("/help", Operation::Open(Open::Help)),
    get("/link/{secret}", Operation::Open(Open::Link)),
    get("/assets/app.css", Operation::Open(Open::Style)),
    get("/assets/app.js", Operation::Open(Open::Script)),
    get("/assets/favicon.svg", Operation::Open(Open::Icon)),
    post("/sign-out", Operation::Own(Own::SignOut)),
    post("/account/sessions/end", Operation::Own(Own::EndMySessions)),
    get("/account", Operation::Own(Own::Account)),
    get("/companies", Operation::Own(Own::Companies)),
    post("/companies", Operation::Own(Own::ChooseCompany)),
    post(
        "/companies/invitations/accept",
        Operation::Own(Own::AcceptInvitation),
    ),
    post(
        "/companies/invitations/decline",
        Operation::Own(Own::DeclineInvitation),
    ),
    post("/companies/leave", Operation::Own(Own::LeaveCompany)),
    get("/set-up", Operation::Own(Own::SetUp)),
    post("/connection/quickbooks", Operation::Own(Own::BeginConnect)),
    post("/link/{secret}", Operation::Own(Own::UseLink)),
    get("/home", Operation::Work(Work::Home)),
    get("/connection", Operation::Work(Work::Connection)),
    get("/connection/autotask", Operation::Work(Work::AutotaskForm)),
    post("/connection/autotask", Operation::Work(Work::SaveAutotask)),
    get("/connection/check", Operation::Work(Work::Check)),
    post("/connection/check", Operation::Work(Work::CheckAndResume)),
    get(
        "/connection/disconnect",
        Operation::Work(Work::DisconnectForm),
    ),
    post("/connection/disconnect", Operation::Work(Work::Disconnect)),
    post("/set-up/start", Operation::Work(Work::StartTransfer)),
    post("/runs", Operation::Work(Work::RunNow)),
    get("/settings", Operation::Work(Work::SettingsForm)),
    post("/settings", Operation::Work(Work::SaveSettings)),
    get("/settings/history", Operation::Work(Work::SettingsHistory)),
    get("/settings/transfer", Operation::Work(Work::Transfer)),
    post("/settings/transfer", Operation::Work(Work::ImportSettings)),
    get("/settings/export", Operation::Work(Work::ExportSettings)),
    get("/sync", Operation::Work(Work::SyncForm)),
    post("/sync", Operation::Work(Work::SubmitSync)),
    get("/sync/preview", Operation::Work(Work::Preview)),
    get(
        "/attempts/{order}/{attempt}",
        Operation::Work(Work::Attempt),
    ),
    get("/logs", Operation::Work(Work::Orders)),
    get("/logs/export", Operation::Work(Work::ExportOrders)),
    post("/logs/retry", Operation::Work(Work::RetryAll)),
    get("/logs/{order}", Operation::Work(Work::Story)),
    post("/logs/{order}/retry", Operation::Work(Work::Retry)),
    get(
        "/logs/{order}/support",
        Operation::Work(Work::SupportBundle),
    ),
    get("/people", Operation::Work(Work::People)),
    post("/people", Operation::Work(Work::Invite)),
    post(
        "/people/invitations/withdraw",
        Operation::Work(Work::Withdraw),
    ),
    post("/people/{person}/role", Operation::Work(Work::ChangeRole)),
    post(
        "/people/{person}/remove",
        Operation::Work(Work::RemoveMember),
    ),
    post(
        "/people/{person}/sessions/end",
        Operation::Work(Work::EndSessionsOf),
    ),
    get("/activity", Operation::Work(Work::Activity)),
];

/// One address with who may ask for it.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Address {
    /// The method.
    pub method: Method,
    /// The path, with its variable parts in braces.
    pub path: String,
    /// What whoever asks must have.
    pub needs: Needs,
    /// Whether it is one of the JSON interface.
    pub is_api: bool,
    /// Whether it reads a JSON body.
    pub reads_json: bool,
    /// Which function answers on AWS.
    pub function: Function,
}

/// What whoever asks must have.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// A session.
    Session,
    /// A session of a member with this role.
    Role(Role),
}

impl Operation {
    /// Whether it must be refused when it was meant for another company. Forms that name what they
    /// act on, as Sign out and Switch do, work from whichever tab they are sent.
    pub(crate) fn heeds_company(self, call: &Call) -> bool {
        match self {
            Self::Open(_) => false,
            Self::Own(own) => call.is_api || own == Own::BeginConnect,
            Self::Work(_) => call.is_api || call.is_mutation(),
        }
    }

    pub(crate) const fn function(self) -> Function {
        match self {
            Self::Open(_) | Self::Own(_) => Function::Oauth,
            Self::Work(work) => work.function(),
        }
    }

    const fn needs(self) -> Needs {
        match self {
            Self::Open(_) => Needs::Nothing,
            Self::Own(_) => Needs::Session,
            Self::Work(work) => Needs::Role(work.role()),
        }
    }
}

/// Every address that is answered, so that tests leave none out.
#[doc(hidden)]
pub fn addresses() -> Vec<Address> {
    let pages = PAGES.iter().map(|page| Address {
        method: page.0.clone(),
        path: page.1.to_owned(),
        needs: page.2.needs(),
        function: page.2.function(),
        is_api: false,
        reads_json: false,
    });
    let interface = interface().into_iter().map(|route| Address {
        path: format!("{API}{}", route.path),
        needs: route.operation.needs(),
        function: route.operation.function(),
        is_api: true,
        reads_json: route.body.is_some(),
        method: route.method,
    });
    pages.chain(interface).collect()
}
