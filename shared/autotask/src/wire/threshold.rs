//! `ThresholdInformation` (vendor page `SOAP_Thresholds`): calls of the whole database.

use purser_core::ports::Quota;
use serde_json::Value;

use crate::wire::row::{Garbled, Row};

/// Reads the quota.
pub(crate) fn read(answer: &Value) -> Result<Quota, Garbled> {
    let row = Row::of(answer).ok_or(Garbled("threshold"))?;
    let number = |field: &'static str| -> Result<u32, Garbled> {
        let value = row.integer(field)?.ok_or(Garbled(field))?;
        u32::try_from(value).map_err(|_| Garbled(field))
    };
    Ok(Quota {
        limit: number("externalRequestThreshold")?,
        used: number("currentTimeframeRequestCount")?,
        window_minutes: number("requestThresholdTimeframe")?.max(1),
    })
}
