use std::time::Duration;

use http::{HeaderMap, header::RETRY_AFTER};

/// The longest wait an outside system can ask of us; more is cut to this.
const WAIT_MAX: Duration = Duration::from_hours(1);

/// Reads `Retry-After` in seconds, or as an HTTP date measured against the answer's own `Date`.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if let Ok(seconds) = text.parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        let until = httpdate::parse_http_date(text).ok()?;
        let date = headers.get(http::header::DATE)?.to_str().ok()?;
        until
            .duration_since(httpdate::parse_http_date(date).ok()?)
            .unwrap_or_default()
    };
    Some(wait.min(WAIT_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_dates_and_nonsense() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers), None);
        headers.insert(RETRY_AFTER, "7".parse().unwrap());
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(7)));
        headers.insert(RETRY_AFTER, "99999999".parse().unwrap());
        assert_eq!(retry_after(&headers), Some(WAIT_MAX));
        headers.insert(
            RETRY_AFTER,
            "Tue, 24 Nov 2026 10:00:30 GMT".parse().unwrap(),
        );
        assert_eq!(retry_after(&headers), None);
        headers.insert(
            http::header::DATE,
            "Tue, 24 Nov 2026 10:00:00 GMT".parse().unwrap(),
        );
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(30)));
        headers.insert(RETRY_AFTER, "soon".parse().unwrap());
        assert_eq!(retry_after(&headers), None);
    }
}
