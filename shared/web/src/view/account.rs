//! People: who is signed in, who may do what, what they did.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::NoticeView;

/// The page before anybody is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SignInView {
    /// Where to go afterwards, a path of this application.
    pub next: String,
    /// Why the last try did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<NoticeView>,
    /// Whether the app is registered at Intuit; without that nobody can sign in.
    pub is_configured: bool,
}

/// The page a browser lands on after the app was disconnected inside QuickBooks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DisconnectedView {
    /// What happened, in one sentence.
    pub text: String,
}

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Me {
    /// The person's e-mail address.
    pub email: String,
    /// The person's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The company that is looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// `admin` or `viewer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// When this session ends whatever happens.
    #[schemars(with = "String")]
    pub ends_at: Timestamp,
}

/// One company a person is a member of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Company {
    /// The tenant.
    pub tenant: String,
    /// The company's name in QuickBooks.
    pub name: String,
    /// `admin` or `viewer`.
    pub role: String,
    /// Whether it is the one that is looked at.
    pub is_current: bool,
}

/// An invitation that waits for whoever is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WaitingInvitation {
    /// The tenant.
    pub tenant: String,
    /// The company's name in QuickBooks.
    pub name: String,
    /// `admin` or `viewer`.
    pub role: String,
    /// Who invited.
    pub invited_by: String,
    /// Until when.
    #[schemars(with = "String")]
    pub expires_at: Timestamp,
}

/// The companies a person is a member of, and those that invite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Companies {
    /// By name.
    pub companies: Vec<Company>,
    /// What may be accepted or declined.
    pub invitations: Vec<WaitingInvitation>,
}

/// One member of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MemberView {
    /// Names the person.
    pub person: String,
    /// The e-mail address.
    pub email: String,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `admin` or `viewer`.
    pub role: String,
    /// Since when.
    #[schemars(with = "String")]
    pub since: Timestamp,
    /// Open sessions that look at this company.
    pub sessions: u64,
    /// Whether it is who asks.
    pub is_you: bool,
}

/// Somebody who may become a member by accepting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InvitationView {
    /// The e-mail address.
    pub email: String,
    /// `admin` or `viewer`.
    pub role: String,
    /// Who invited.
    pub invited_by: String,
    /// Until when.
    #[schemars(with = "String")]
    pub expires_at: Timestamp,
}

/// The people of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct People {
    /// Who may do something.
    pub members: Vec<MemberView>,
    /// Who may become one.
    pub invitations: Vec<InvitationView>,
    /// Problems with the invitation that was just tried.
    #[serde(skip)]
    pub problems: Vec<super::FieldProblem>,
    /// The address that was just tried.
    #[serde(skip)]
    pub tried: String,
}

/// What somebody did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ActivityEvent {
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Who: an e-mail address, or `command line`.
    pub who: String,
    /// What, as a stable word such as `settings_saved`.
    pub what: String,
    /// What, in one sentence.
    pub text: String,
}

/// What people did, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Activity {
    /// 100 at most.
    pub events: Vec<ActivityEvent>,
    /// The cursor of the next page, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A one-time link that makes whoever follows it an admin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AdminLinkView {
    /// The tenant's name.
    pub tenant: String,
    /// The secret of the link, for its form.
    #[serde(skip)]
    pub secret: String,
}
