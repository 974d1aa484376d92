use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::IdError;

/// Names everything that follows from one cause, from the scan or the wish that found an order to
/// its write-back: in messages, in log lines and in the order's history. It is sent to nobody
/// outside.
///
/// Two forms are known: that of X-Ray, `1-` with 8 and 24 digits, and that of the W3C, 32 digits;
/// all digits are hexadecimal and small.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceId(String);

/// The digits of the W3C's form.
const DIGITS: usize = 32;

impl TraceId {
    /// Makes one in the W3C's form from a random number.
    pub fn of(random: u128) -> Self {
        // Zero is the one number that names no trace.
        Self(format!("{:032x}", random.max(1)))
    }

    /// Reads the trace out of a header or a variable that AWS or a W3C caller sets, such as
    /// `Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1` or `00-<32 digits>-<16 digits>-01`.
    pub fn from_header(text: &str) -> Option<Self> {
        let root = |part: &str| part.trim().strip_prefix("Root=").map(str::to_owned);
        if let Some(root) = text.split(';').find_map(root) {
            return root.parse().ok();
        }
        match text.trim().split('-').collect::<Vec<_>>()[..] {
            ["00", trace, parent, _] if parent.len() == 16 => trace.parse().ok(),
            _ => None,
        }
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_hexadecimal(text: &str, digits: usize) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == digits && text.bytes().all(is_digit)
}

impl FromStr for TraceId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let known = match text.split('-').collect::<Vec<_>>()[..] {
            ["1", time, random] => is_hexadecimal(time, 8) && is_hexadecimal(random, 24),
            [all] => is_hexadecimal(all, DIGITS) && all.bytes().any(|byte| byte != b'0'),
            _ => false,
        };
        match known {
            true => Ok(Self(text.to_owned())),
            false => Err(IdError::new(text, "a trace id")),
        }
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for TraceId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<TraceId> for String {
    fn from(id: TraceId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const XRAY: &str = "1-5759e988-bd862e3fe1be46a994272793";
    const W3C: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_trace_id_has_the_form_of_xray_or_of_the_w3c() {
        for right in [XRAY, W3C] {
            assert_eq!(right.parse::<TraceId>().unwrap().as_str(), right);
        }
        for wrong in [
            "",
            "1",
            "2-5759e988-bd862e3fe1be46a994272793",
            "1-5759e988-bd862e3fe1be46a99427279",
            "1-5759e988-bd862e3fe1be46a994272793-1",
            "1-5759E988-bd862e3fe1be46a994272793",
            "00000000000000000000000000000000",
            "4bf92f3577b34da6a3ce929d0e0e473",
            "4bf92f3577b34da6a3ce929d0e0e47366",
            "4bf92f3577b34da6a3ce929d0e0e473\n",
            "ann@example.com",
        ] {
            assert!(wrong.parse::<TraceId>().is_err(), "{wrong:?}");
        }
        assert!(serde_json::from_str::<TraceId>("\"x\"").is_err());
    }

    #[test]
    fn a_trace_id_is_read_out_of_what_aws_and_w3c_callers_send() {
        let header = format!("Root={XRAY};Parent=53995c3f42cd8ad8;Sampled=1");
        for text in [header.as_str(), &format!("Self=1-1-1; Root={XRAY}")] {
            assert_eq!(TraceId::from_header(text).unwrap().as_str(), XRAY, "{text}");
        }
        let parent = format!("00-{W3C}-00f067aa0ba902b7-01");
        assert_eq!(TraceId::from_header(&parent).unwrap().as_str(), W3C);
        for wrong in [
            "",
            "Root=",
            "Root=x;Sampled=1",
            "Sampled=0",
            W3C,
            "00-1-2-3",
        ] {
            assert_eq!(TraceId::from_header(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn every_random_number_gives_a_valid_trace_id() {
        for random in [0, 1, 617, u128::MAX] {
            let made = TraceId::of(random);
            assert_eq!(made.as_str().parse::<TraceId>().unwrap(), made);
        }
    }
}
