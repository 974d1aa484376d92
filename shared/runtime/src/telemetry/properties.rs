//! Log lines: whatever is told stays one line and comes out as it was told.

use proptest::prelude::*;
use purser_cases::{config, text};

use super::tests::kept;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_is_told_is_one_line_of_json_and_nothing_else(
        texts in (text(30), text(30), text(30)),
        count: u64,
        status: i64,
        is_deep: bool,
    ) {
        let (lines, documents) = kept("info", || {
            let span = tracing::error_span!("work", tenant.id = %texts.0, outcome = %texts.0);
            let _entered = is_deep.then(|| span.enter());
            let error = texts.2.as_str();
            tracing::warn!(outcome = texts.1, %error, seen = count, status, "{}", texts.2);
        });
        prop_assert_eq!(lines.len(), 1);
        prop_assert!(documents.is_empty());
        let line = &lines[0];
        prop_assert_eq!(line["message"].as_str(), Some(texts.2.as_str()));
        prop_assert_eq!(line["error"].as_str(), Some(texts.2.as_str()));
        prop_assert_eq!(line["outcome"].as_str(), Some(texts.1.as_str()));
        prop_assert_eq!(line.get("tenant.id").is_some(), is_deep);
        if is_deep {
            prop_assert_eq!(line["tenant.id"].as_str(), Some(texts.0.as_str()));
        }
        prop_assert_eq!((line["seen"].as_u64(), line["status"].as_i64()), (Some(count), Some(status)));
        prop_assert_eq!(line["level"].as_str(), Some("WARN"));
    }
}
