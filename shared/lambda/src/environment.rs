//! What each function is told by its environment. A variable that is not in this table is not read,
//! and a test compares it with the template.

use purser_runtime::configuration::{Configuration, ConfigurationError};

/// The functions and the variables that each reads. The order of the columns is that of a life:
/// where things are kept, whom to speak to, what may be opened, what may be started.
pub const VARIABLES: [(&str, &[&str]); 8] = [
    ("scanner", &[TABLE, QUEUE, AUTOTASK_KEY]),
    (
        "worker",
        &[
            TABLE,
            QUEUE,
            DEAD_LETTERS,
            SCHEDULE_GROUP,
            SCANNER,
            SCHEDULE_ROLE,
            INTUIT_APP,
            INTUIT_KEY,
            AUTOTASK_KEY,
        ],
    ),
    (
        "sweeper",
        &[
            TABLE,
            QUEUE,
            SCHEDULE_GROUP,
            SCANNER,
            SCHEDULE_ROLE,
            INTUIT_APP,
            INTUIT_KEY,
            AUTOTASK_KEY,
            MAIL_FROM,
        ],
    ),
    (
        "oauth",
        &[
            TABLE,
            SCHEDULE_GROUP,
            SCANNER,
            SCHEDULE_ROLE,
            INTUIT_APP,
            INTUIT_KEY,
            AUTOTASK_KEY,
            PUBLIC_URL,
            MAIL_FROM,
        ],
    ),
    (
        "settings",
        &[
            TABLE,
            INTUIT_APP,
            INTUIT_KEY,
            AUTOTASK_KEY,
            PUBLIC_URL,
            MAIL_FROM,
        ],
    ),
    (
        "sync-one",
        &[
            TABLE,
            QUEUE,
            SCHEDULE_GROUP,
            SCANNER,
            SCHEDULE_ROLE,
            PUBLIC_URL,
            MAIL_FROM,
        ],
    ),
    ("logs", &[TABLE, PUBLIC_URL, MAIL_FROM]),
    ("retry", &[TABLE, QUEUE, PUBLIC_URL, MAIL_FROM]),
];

/// What every function reads besides, all of it optional.
pub const OPTIONAL: [&str; 6] = [
    "PURSER_LOG",
    "PURSER_AUTOTASK_ZONE_URL",
    "PURSER_QUICKBOOKS_URL",
    "PURSER_INTUIT_DISCOVERY_URL",
    "PURSER_ALLOW_LOCAL_ENDPOINTS",
    "PURSER_TIME_SCALE",
];

pub(crate) const TABLE: &str = "PURSER_TABLE";
pub(crate) const QUEUE: &str = "PURSER_QUEUE_URL";
pub(crate) const DEAD_LETTERS: &str = "PURSER_DEAD_LETTER_QUEUE_URL";
pub(crate) const SCHEDULE_GROUP: &str = "PURSER_SCHEDULE_GROUP";
pub(crate) const SCANNER: &str = "PURSER_SCANNER_ARN";
pub(crate) const SCHEDULE_ROLE: &str = "PURSER_SCHEDULE_ROLE_ARN";
pub(crate) const INTUIT_APP: &str = "PURSER_INTUIT_APP_SECRET";
pub(crate) const INTUIT_KEY: &str = "PURSER_INTUIT_KEY_SECRET";
pub(crate) const AUTOTASK_KEY: &str = "PURSER_AUTOTASK_KEY_SECRET";
pub(crate) const PUBLIC_URL: &str = "PURSER_PUBLIC_URL";
/// Empty when no mail leaves; all others must be set.
pub(crate) const MAIL_FROM: &str = "PURSER_MAIL_FROM";

/// The environment of one function.
#[derive(Clone, Copy)]
pub(crate) struct Environment {
    variables: &'static [&'static str],
    source: fn(&str) -> Option<String>,
}

impl Environment {
    /// That of the function with this name.
    pub(crate) fn of(
        function: &str,
        source: fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigurationError> {
        let found = VARIABLES.iter().find(|(name, _)| *name == function);
        let (_, variables) = found.ok_or_else(|| ConfigurationError {
            variable: "AWS_LAMBDA_FUNCTION_NAME",
            problem: format!("there is no function called {function}"),
        })?;
        Ok(Self { variables, source })
    }

    /// A variable, when this function reads it and it is set.
    pub(crate) fn get(self, name: &'static str) -> Option<String> {
        let text = self.variables.contains(&name).then(|| (self.source)(name));
        text.flatten().filter(|text| !text.trim().is_empty())
    }

    /// A variable that is in this function's table must be set.
    pub(crate) fn check(self) -> Result<(), ConfigurationError> {
        let needed = self.variables.iter().filter(|name| **name != MAIL_FROM);
        for variable in needed {
            if self.get(variable).is_none() {
                return Err(ConfigurationError {
                    variable,
                    problem: "is not set; deploy the function with the template".to_owned(),
                });
            }
        }
        Ok(())
    }

    /// The part of the configuration that the program on one machine has, too.
    pub(crate) fn configuration(self) -> Result<Configuration, ConfigurationError> {
        Configuration::read(&|name| {
            let is_read = OPTIONAL.contains(&name) || self.variables.contains(&name);
            // The sender alone means SES; a relay is for the program on one machine.
            let is_relay = name == MAIL_FROM;
            (is_read && !is_relay)
                .then(|| (self.source)(name))
                .flatten()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(name: &str) -> Option<String> {
        match name {
            PUBLIC_URL => Some("https://purser.example.com/".to_owned()),
            "PURSER_TIME_SCALE" | "PURSER_LOG" => None,
            name if OPTIONAL.contains(&name) => None,
            _ => Some("set".to_owned()),
        }
    }

    #[test]
    fn a_function_reads_its_own_variables_and_no_others() {
        let logs = Environment::of("logs", all).unwrap();
        assert!(logs.check().is_ok());
        assert_eq!(logs.get(TABLE).as_deref(), Some("set"));
        assert_eq!(logs.get(INTUIT_KEY), None);
        assert!(logs.configuration().unwrap().public_url.is_some());
        assert!(logs.configuration().unwrap().intuit_app.is_none());
        assert!(Environment::of("nobody", all).is_err());
    }

    #[test]
    fn a_variable_that_is_missing_is_named() {
        let scanner = Environment::of("scanner", |_| None).unwrap();
        assert_eq!(scanner.check().unwrap_err().variable, TABLE);
    }
}
