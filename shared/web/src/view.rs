//! What people and programs are shown, as types: each is rendered as a page or written as JSON.

mod account;
mod home;
mod order;
mod settings;

use jiff::Timestamp;
use purser_core::notice::Notice;
use schemars::JsonSchema;
use serde::Serialize;

pub use account::{
    Activity, ActivityEvent, AdminLinkView, Companies, Company, DisconnectedView, InvitationView,
    Me, MemberView, People, SignInView, WaitingInvitation,
};
pub use home::{
    Calls, CheckView, ConnectionPage, ConnectionState, ConnectionView, Counts, Day, DisconnectForm,
    FindingView, FirstRun, Home, Level, OldestWaiting, RunsView, SetUp, SetUpStep, SetUpStepName,
    StepState,
};
pub use order::{
    AttemptStatus, AttemptView, BillLineView, BillView, MailState, MatchAction, MatchView,
    OrderRow, Orders, OrdersFilter, OutcomeName, PreviewKind, PreviewView, Retried, RetriedOrder,
    Story, StoryEntry, SyncForm,
};
pub use settings::{
    AutotaskForm, ChoiceView, Choices, FieldChange, OverrideView, SettingsChange, SettingsForm,
    SettingsHistory, SettingsValues, SettingsView, TransferView,
};

/// A place to go, with the words of its link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LinkView {
    /// The words.
    pub label: String,
    /// The address.
    pub url: String,
    /// Whether it leads out of Purser.
    pub is_outside: bool,
}

/// Why something is not as it should be: one sentence of cause, one of remedy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NoticeView {
    /// The stable code.
    pub code: String,
    /// What is wrong.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
    /// Where to do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkView>,
}

impl NoticeView {
    /// A notice of the catalogue, without a link.
    pub fn of(notice: &Notice) -> Self {
        Self {
            code: notice.code.as_str().to_owned(),
            cause: notice.cause(),
            remedy: notice.remedy(),
            link: None,
        }
    }
}

/// What is wrong with one field of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldProblem {
    /// The field.
    pub field: String,
    /// What is wrong and how to put it right.
    pub message: String,
}

/// An answer that is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ErrorView {
    /// The HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// What is wrong.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
    /// Names this very answer, for whoever looks into the log.
    pub correlation: String,
    /// The fields that are wrong, if any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldProblem>,
}

/// Something was done; the page that follows shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Done {
    /// What was done, in one sentence.
    pub done: String,
}

/// A way to Intuit's own pages, which a browser must follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WayOut {
    /// The address at Intuit.
    pub url: String,
}

/// What the product supports, and what it does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Help {
    /// The version of the program.
    pub version: String,
    /// Whether the person who reads this is signed in.
    pub is_signed_in: bool,
}

/// What every page shows around its own content.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// The page's title.
    pub title: &'static str,
    /// Which entry of the navigation is the current one.
    pub section: &'static str,
    /// Who is signed in: an e-mail address.
    pub person: Option<String>,
    /// The company that is looked at.
    pub company: Option<String>,
    /// Whether the person is a member of other companies too.
    pub has_other_companies: bool,
    /// How many invitations wait for the person, on the pages that tell so.
    pub invitations: usize,
    /// Whether the person may change things.
    pub is_admin: bool,
    /// The secret of this session's forms.
    pub form_secret: String,
    /// What was just done, in one sentence.
    pub done: Option<&'static str>,
    /// Words for a demo's visitor.
    pub demo: Option<DemoHint>,
    /// The time zone in which moments are shown.
    pub zone: String,
    /// Now.
    pub now: Timestamp,
}

/// What a visitor of the demo needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoHint {
    /// Who to sign in as to see companies at work.
    pub owners: Vec<String>,
    /// Who to sign in as to connect a company by hand.
    pub newcomer: String,
    /// That company.
    pub company: String,
    /// The credentials to enter for it.
    pub autotask_user: String,
    /// The secret of the Autotask user, which opens nothing but the simulator.
    pub autotask_secret: String,
    /// Its integration code.
    pub integration_code: String,
}

impl Frame {
    /// A moment as people read it, in the company's time zone: `25 Nov 2026, 14:05`.
    pub fn moment(&self, at: &Timestamp) -> String {
        let zoned = at
            .in_tz(&self.zone)
            .map(|zoned| zoned.strftime("%-d %b %Y, %H:%M").to_string());
        zoned.unwrap_or_else(|_| at.strftime("%-d %b %Y, %H:%M UTC").to_string())
    }

    /// How long ago, or in how long: `in 12 minutes`, `3 hours ago`, `just now`.
    pub fn distance(&self, at: &Timestamp) -> String {
        let seconds = at.duration_since(self.now).as_secs();
        let (count, unit) = match seconds.unsigned_abs() {
            0..60 => {
                return if seconds > 5 {
                    "in a moment"
                } else {
                    "just now"
                }
                .to_owned();
            }
            s @ 60..3_600 => (s / 60, "minute"),
            s @ 3_600..86_400 => (s / 3_600, "hour"),
            s => (s / 86_400, "day"),
        };
        let plural = if count == 1 { "" } else { "s" };
        match seconds > 0 {
            true => format!("in {count} {unit}{plural}"),
            false => format!("{count} {unit}{plural} ago"),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_distance_is_told_in_the_largest_unit_and_in_the_singular_when_it_is_one() {
        let frame = Frame {
            now: "2026-11-25T12:00:00Z".parse().unwrap(),
            ..Frame::default()
        };
        for (seconds, expected) in [
            (0, "just now"),
            (5, "just now"),
            (6, "in a moment"),
            (59, "in a moment"),
            (-59, "just now"),
            (60, "in 1 minute"),
            (-60, "1 minute ago"),
            (119, "in 1 minute"),
            (120, "in 2 minutes"),
            (3_599, "in 59 minutes"),
            (3_600, "in 1 hour"),
            (-7_200, "2 hours ago"),
            (86_399, "in 23 hours"),
            (86_400, "in 1 day"),
            (-2_592_000, "30 days ago"),
        ] {
            let at = frame.now + SignedDuration::from_secs(seconds);
            assert_eq!(frame.distance(&at), expected, "{seconds}");
        }
        assert!(frame.distance(&Timestamp::MIN).ends_with("days ago"));
        assert!(frame.distance(&Timestamp::MAX).starts_with("in "));
    }

    #[test]
    fn a_moment_is_told_in_the_zone_of_the_company_and_else_in_utc() {
        let at: Timestamp = "2026-07-01T23:05:00Z".parse().unwrap();
        for (zone, expected) in [
            ("UTC", "1 Jul 2026, 23:05"),
            ("America/New_York", "1 Jul 2026, 19:05"),
            ("Asia/Tokyo", "2 Jul 2026, 08:05"),
            ("Nowhere/At_All", "1 Jul 2026, 23:05 UTC"),
        ] {
            let frame = Frame {
                zone: zone.to_owned(),
                ..Frame::default()
            };
            assert_eq!(frame.moment(&at), expected);
        }
    }
}
