//! Failures as one closed table: whatever an outside system does has a code, a code has a class,
//! and the class alone decides what happens next.

use std::{fmt, time::Duration};

use crate::notice::{Code, Notice, System};

/// What a failure means for the order or the tenant. There is nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureClass {
    /// May pass by itself; nothing was written; the same call may be made again later.
    Retry,
    /// The access token is stale; refresh it and make the same call once more.
    Refresh,
    /// The effect may have happened; find out before anything else.
    InDoubt,
    /// The name or number is taken; look it up and adopt it if it is ours to use.
    Adopt,
    /// What we knew is out of date; read again and plan again, once.
    Replan,
    /// A person must act on this order.
    Refuse,
    /// The cause is in the tenant's settings, permissions or plan; every order would fail alike.
    TenantTrouble,
    /// The stored right to call is gone; the tenant must connect again.
    Reconnect,
    /// Our own request was wrong.
    Bug,
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Retry => "retry",
            Self::Refresh => "refresh",
            Self::InDoubt => "in_doubt",
            Self::Adopt => "adopt",
            Self::Replan => "replan",
            Self::Refuse => "refuse",
            Self::TenantTrouble => "tenant_trouble",
            Self::Reconnect => "reconnect",
            Self::Bug => "bug",
        })
    }
}

/// What the outside system answered, in the words support asks for. No names, no amounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VendorAnswer {
    /// HTTP status, when there was one.
    pub status: Option<u16>,
    /// The system's own error code.
    pub code: Option<String>,
    /// QuickBooks' `intuit_tid`.
    pub tid: Option<String>,
}

/// A call that did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened, as people are told.
    pub notice: Notice,
    /// What the system answered.
    pub answer: VendorAnswer,
    /// How long the system asked us to wait.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure with this code and nothing more.
    pub fn new(code: Code) -> Self {
        Self {
            notice: Notice::new(code),
            answer: VendorAnswer::default(),
            retry_after: None,
        }
    }

    /// Adds a word for the notice's text, such as the vendor's explanation.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.notice = self.notice.with(key, value);
        self
    }

    /// Adds what the system answered.
    #[must_use]
    pub fn answered(mut self, answer: VendorAnswer) -> Self {
        self.answer = answer;
        self
    }

    /// Adds the wait the system asked for.
    #[must_use]
    pub fn after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// The same where it came before any order was looked at, so that every order fails alike: what a
    /// person must mend stops the whole tenant, and somebody hears of it.
    #[must_use]
    pub fn of_everyone(self) -> Self {
        match self.class() {
            FailureClass::Refuse
            | FailureClass::Replan
            | FailureClass::Adopt
            | FailureClass::Bug => Self {
                notice: Notice::new(Code::ReadingRefused)
                    .with("cause", self.notice.cause())
                    .with("remedy", self.notice.remedy()),
                ..self
            },
            FailureClass::Retry
            | FailureClass::Refresh
            | FailureClass::InDoubt
            | FailureClass::TenantTrouble
            | FailureClass::Reconnect => self,
        }
    }

    /// Its code.
    pub fn code(&self) -> Code {
        self.notice.code
    }

    /// What it means.
    pub fn class(&self) -> FailureClass {
        self.notice.code.class()
    }

    /// The system it came from, when its code names one.
    pub fn system(&self) -> Option<System> {
        self.notice.code.system()
    }
}

impl From<Notice> for Failure {
    fn from(notice: Notice) -> Self {
        Self {
            notice,
            answer: VendorAnswer::default(),
            retry_after: None,
        }
    }
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl fmt::Display for Failure {
    /// Code and vendor's numbers only: safe for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.notice.code.as_str())?;
        if let Some(status) = self.answer.status {
            write!(f, " (HTTP {status})")?;
        }
        if let Some(code) = &self.answer.code {
            write!(f, " (code {code})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_of_a_code_tells_its_class() {
        for code in Code::ALL {
            let text = code.as_str();
            let class = match text.split_once('.').map_or(text, |(prefix, _)| prefix) {
                _ if *code == Code::GivenUp => FailureClass::Refuse,
                "wait" => FailureClass::Retry,
                "doubt" => FailureClass::InDoubt,
                "tenant" => FailureClass::TenantTrouble,
                "connection" => FailureClass::Reconnect,
                "bug" => FailureClass::Bug,
                "token" => FailureClass::Refresh,
                _ if matches!(code, Code::NameInUse | Code::DocNumberInUse) => FailureClass::Adopt,
                _ if *code == Code::ReferenceGone => FailureClass::Replan,
                _ => FailureClass::Refuse,
            };
            assert_eq!(code.class(), class, "{code}");
        }
    }

    #[test]
    fn a_failure_shows_codes_and_never_names() {
        let failure = Failure::new(Code::VendorRefused)
            .with("name", "Secret Supplier")
            .answered(VendorAnswer {
                status: Some(400),
                code: Some("6000".to_owned()),
                tid: None,
            });
        assert_eq!(
            failure.to_string(),
            "vendor.create_refused (HTTP 400) (code 6000)"
        );
    }

    #[test]
    fn the_word_for_a_class_is_its_name_in_small_letters() {
        use FailureClass::{
            Adopt, Bug, InDoubt, Reconnect, Refresh, Refuse, Replan, Retry, TenantTrouble,
        };
        for (class, word) in [
            (Retry, "retry"),
            (Refresh, "refresh"),
            (InDoubt, "in_doubt"),
            (Adopt, "adopt"),
            (Replan, "replan"),
            (Refuse, "refuse"),
            (TenantTrouble, "tenant_trouble"),
            (Reconnect, "reconnect"),
            (Bug, "bug"),
        ] {
            assert_eq!(class.to_string(), word);
        }
    }

    #[test]
    fn what_a_person_must_mend_before_any_order_is_looked_at_is_told_of_the_whole_tenant() {
        let refused = Failure::new(Code::VendorRefused).with("name", "Acme");
        let (cause, remedy) = (refused.notice.cause(), refused.notice.remedy());
        let told = refused.of_everyone();
        assert_eq!(told.code(), Code::ReadingRefused);
        assert!(
            told.notice.remedy().contains(&remedy),
            "{}",
            told.notice.remedy()
        );
        assert!(
            told.notice.cause().contains(&cause),
            "{}",
            told.notice.cause()
        );
        for code in [Code::QuickBooksFailing, Code::QuickBooksDisconnected] {
            assert_eq!(Failure::new(code).of_everyone().code(), code);
        }
    }

    #[test]
    fn a_failure_names_the_system_it_came_from() {
        let from = |code| Failure::new(code).system();
        assert_eq!(from(Code::QuickBooksFailing), Some(System::QuickBooks));
        assert_eq!(from(Code::AutotaskFailing), Some(System::Autotask));
        assert_eq!(from(Code::ItemMissing), None);
        assert_eq!(System::QuickBooks.to_string(), "QuickBooks");
        assert_eq!(System::Autotask.to_string(), "Autotask");
    }
}
