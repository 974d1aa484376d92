//! The text of the error to-do.

use crate::{notice::Notice, orders::todo_key, record::SyncRecord};

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
    let text = format!(
        "{key} Purchase order {number}{vendor} was not transferred to QuickBooks.\n\
         Cause: {}\nRemedy: {}\nCode: {}",
        notice.cause(),
        notice.remedy(),
        notice.code
    );
    text.chars().take(TEXT_MAX).collect()
}
