//! Statements of QuickBooks' query language. Values come from people, so escaping is its purpose.

use std::fmt::Write as _;

use jiff::Timestamp;

/// Rows asked for in one answer; QuickBooks gives at most so many.
pub(crate) const PAGE_ROWS: usize = 1000;

/// A value in single quotes.
///
/// `\` and `'` are escaped by a backslash (Intuit's data-queries page). Doubling the quote is
/// wrong, and a lone backslash at the end would open the statement.
pub(crate) fn quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('\'');
    for character in value.chars() {
        if matches!(character, '\\' | '\'') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('\'');
    text
}

/// A moment as QuickBooks compares it: whole seconds, UTC.
pub(crate) fn moment(time: Timestamp) -> String {
    let whole = Timestamp::from_second(time.as_second()).unwrap_or(time);
    whole.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// One list to be read page by page, in an order that does not change between two pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) entity: &'static str,
    condition: String,
    order: &'static str,
}

impl Statement {
    /// All rows of `entity` that meet `condition` (empty: all), sorted by `order`.
    pub(crate) fn new(
        entity: &'static str,
        condition: impl Into<String>,
        order: &'static str,
    ) -> Self {
        Self {
            entity,
            condition: condition.into(),
            order,
        }
    }

    /// The rows whose `field` is `value`, inactive ones included.
    pub(crate) fn named(entity: &'static str, field: &'static str, value: &str) -> Self {
        let condition = format!("{field} = {} AND Active IN (true, false)", quoted(value));
        Self::new(entity, condition, field)
    }

    /// All rows, inactive ones included: without this condition QuickBooks hides them.
    pub(crate) fn all(entity: &'static str, order: &'static str) -> Self {
        Self::new(entity, "Active IN (true, false)", order)
    }

    /// The bills with one of these numbers.
    pub(crate) fn bills_numbered(numbers: &[String]) -> Self {
        let quoted: Vec<String> = numbers.iter().map(|number| quoted(number)).collect();
        let condition = format!("DocNumber IN ({})", quoted.join(", "));
        Self::new("Bill", condition, "MetaData.CreateTime")
    }

    /// The bills created from `from` to `to`, both included, to whole seconds outwards.
    pub(crate) fn bills_created(from: Timestamp, to: Timestamp) -> Self {
        let to = Timestamp::from_second(to.as_second().saturating_add(1)).unwrap_or(to);
        let condition = format!(
            "MetaData.CreateTime >= '{}' AND MetaData.CreateTime <= '{}'",
            moment(from),
            moment(to),
        );
        Self::new("Bill", condition, "MetaData.CreateTime")
    }

    /// The text of the page that begins with row `start` (the first is 1).
    pub(crate) fn page(&self, start: usize) -> String {
        let mut text = format!("SELECT * FROM {}", self.entity);
        if !self.condition.is_empty() {
            let _ = write!(text, " WHERE {}", self.condition);
        }
        let _ = write!(
            text,
            " ORDERBY {} STARTPOSITION {start} MAXRESULTS {PAGE_ROWS}",
            self.order
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a quoted value back as QuickBooks does; `None` when it is not exactly one value.
    fn unquoted(text: &str) -> Option<String> {
        let mut characters = text.strip_prefix('\'')?.chars();
        let mut value = String::new();
        loop {
            match characters.next()? {
                '\\' => match characters.next()? {
                    escaped @ ('\\' | '\'') => value.push(escaped),
                    _ => return None,
                },
                '\'' => return characters.next().is_none().then_some(value),
                other => value.push(other),
            }
        }
    }

    #[test]
    fn no_text_can_leave_its_quotes() {
        let nasty = [
            "O'Brien & Sons",
            "a\\",
            "\\'",
            "'",
            "''",
            "\\\\'\\",
            "' OR Active = true --",
            "%_%",
            "a\nb\tc",
            "日本",
            "\u{2019}",
            "",
            "#+&=?/",
            "x' AND Id = '1",
            "\u{0}",
        ];
        for text in nasty {
            assert_eq!(unquoted(&quoted(text)).as_deref(), Some(text), "{text:?}");
        }
    }

    #[test]
    fn random_mixtures_of_quotes_and_backslashes_come_back_unchanged() {
        let alphabet = ['\'', '\\', 'a', ' ', '%', 'é'];
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..seed % 13 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text.push(alphabet[usize::try_from((seed >> 33) % 6).unwrap()]);
            }
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695);
            assert_eq!(unquoted(&quoted(&text)).as_deref(), Some(text.as_str()));
        }
    }

    #[test]
    fn statements_are_written_as_the_manual_shows_them() {
        assert_eq!(
            Statement::named("Vendor", "DisplayName", "O'Brien").page(1),
            "SELECT * FROM Vendor WHERE DisplayName = 'O\\'Brien' AND Active IN (true, false) \
             ORDERBY DisplayName STARTPOSITION 1 MAXRESULTS 1000"
        );
        let numbers = ["A-1".to_owned(), "it's".to_owned()];
        assert_eq!(
            Statement::bills_numbered(&numbers).page(901),
            "SELECT * FROM Bill WHERE DocNumber IN ('A-1', 'it\\'s') \
             ORDERBY MetaData.CreateTime STARTPOSITION 901 MAXRESULTS 1000"
        );
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let window =
            Statement::bills_created(at("2026-01-02T03:04:05.9Z"), at("2026-01-02T03:05:00.1Z"));
        assert!(window.page(1).contains(
            "MetaData.CreateTime >= '2026-01-02T03:04:05Z' AND MetaData.CreateTime <= '2026-01-02T03:05:01Z'"
        ));
    }
}
