//! The text of the error to-do.

use crate::{
    notice::{Code, Notice},
    orders::todo_key,
    record::{State, SyncRecord},
};

/// The longest text written, in characters; Autotask takes 32,000.
const TEXT_MAX: usize = 4000;

/// Key first, so that the to-do is found again; then cause, remedy and code.
pub fn text(record: &SyncRecord, notice: &Notice) -> String {
    let key = todo_key(record.key.order);
    let number = &record.order_number;
    let vendor = record
        .vendor_name
        .as_deref()
        .map(|name| format!(" ({name})"));
    let vendor = vendor.unwrap_or_default();
    // A bill that may exist must not be typed in again by hand.
    let may_exist = match &record.state {
        State::Planned { .. } | State::Created { .. } => true,
        State::NeedsPerson { intent, bill, .. } => intent.is_some() || bill.is_some(),
        _ => false,
    };
    let state = match notice.code.as_str().split_once('.') {
        _ if may_exist && notice.code == Code::OrderDefect => "needs a decision",
        Some(("conflict" | "waiting" | "autotask", _)) => "needs a decision",
        _ if notice.code == Code::BillDeleted => "has lost its bill",
        _ => "was not transferred to QuickBooks",
    };
    let text = format!(
        "{key} Purchase order {number}{vendor} {state}.\n\
         Cause: {}\nRemedy: {}\nCode: {}",
        notice.cause(),
        notice.remedy(),
        notice.code
    );
    text.chars().take(TEXT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::record;

    #[test]
    fn the_text_starts_with_the_key_and_names_cause_remedy_and_code() {
        let mut record = record();
        record.vendor_name = Some("Acme Supply".to_owned());
        let notice = Notice::new(Code::ItemMissing).with("name", "Firewall");
        let text = text(&record, &notice);
        assert!(text.starts_with("[PO 4711] Purchase order PO-1001 (Acme Supply) was not"));
        for part in [
            notice.cause(),
            notice.remedy(),
            "Code: item.missing".to_owned(),
        ] {
            assert!(text.contains(&part), "{text}");
        }
    }
}
