//! Whose credentials are used for whom: a company's token only for its realm, its secret only for its
//! database, and neither while another company is worked for.

use std::collections::BTreeMap;

/// The credentials of the companies of a history.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys {
    /// The secret of each user of Autotask, and the realm of their company.
    users: BTreeMap<String, (String, String)>,
}

/// A call of QuickBooks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim<'a> {
    /// The company that is worked for, unless it is all of them.
    pub(super) works_for: Option<&'a str>,
    /// The company that is called.
    pub(super) calls: &'a str,
    /// The company that the token opens, as long as it opens one.
    pub(super) good_for: Option<&'a str>,
}

impl Claim<'_> {
    /// What is wrong with it.
    pub(super) fn judge(self) -> Option<String> {
        let (calls, works_for) = (self.calls, self.works_for);
        match self.good_for {
            Some(realm) if realm != calls => Some(format!(
                "realm {calls} was called with the token of {realm}"
            )),
            _ if works_for.is_some_and(|realm| realm != calls) => Some(format!(
                "realm {calls} was called in work for {works_for:?}"
            )),
            _ => None,
        }
    }
}

impl Keys {
    /// One more company.
    pub(super) fn add(&mut self, realm: &str, user: &str, secret: &str) {
        let keys = (secret.to_owned(), realm.to_owned());
        self.users.insert(user.to_owned(), keys);
    }

    /// The realm of the company that has this user.
    pub(super) fn realm_of(&self, user: &str) -> &str {
        self.users.get(user).map_or("", |(_, realm)| realm)
    }

    /// What is wrong with a call of Autotask by this user with this secret.
    pub(super) fn judge(&self, works_for: Option<&str>, user: &str, secret: &str) -> Vec<String> {
        let Some((own, realm)) = self.users.get(user) else {
            return vec![format!("nobody's database {user} was called")];
        };
        let conditions = [
            (own == secret, "with the secret of another company"),
            (
                works_for.is_none_or(|works_for| works_for == realm),
                "in work for another company",
            ),
        ];
        let failed = conditions.into_iter().filter(|(is_met, _)| !is_met);
        failed
            .map(|(_, why)| format!("the database of {user} was called {why}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(works_for: Option<&str>, calls: &str, good_for: Option<&str>) -> Option<String> {
        let claim = Claim {
            works_for,
            calls,
            good_for,
        };
        claim.judge()
    }

    #[test]
    fn a_token_of_another_company_is_noticed() {
        assert_eq!(judge(Some("1"), "1", Some("1")), None);
        assert_eq!(judge(None, "1", None), None);
        let wrong = judge(None, "1", Some("2")).expect("it is wrong");
        assert!(wrong.contains("the token of 2"), "{wrong}");
        let wrong = judge(Some("2"), "1", Some("1")).expect("it is wrong");
        assert!(wrong.contains("in work for"), "{wrong}");
    }

    #[test]
    fn a_secret_of_another_company_is_noticed() {
        let mut keys = Keys::default();
        keys.add("1", "one@msp.example", "first");
        keys.add("2", "two@msp.example", "second");
        assert_eq!(keys.judge(Some("1"), "one@msp.example", "first"), [""; 0]);
        let wrong = keys.judge(None, "one@msp.example", "second");
        assert!(wrong[0].contains("the secret of another"), "{wrong:?}");
        let wrong = keys.judge(Some("2"), "one@msp.example", "first");
        assert!(wrong[0].contains("in work for another"), "{wrong:?}");
        let wrong = keys.judge(None, "three@msp.example", "first");
        assert!(wrong[0].contains("nobody's"), "{wrong:?}");
    }
}
