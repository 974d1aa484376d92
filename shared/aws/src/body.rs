//! Bodies: texts of any length in items of 400 KB at the most.

use std::io::Read as _;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use purser_core::ports::StoreError;
use std::io::Write as _;

use crate::{error::unreadable, item::Item};

/// The attribute of a body.
pub(crate) const BODY: &str = "body";
/// A text from this length on is compressed: it costs less to write, and 1,000 lines fit.
const COMPRESSED_FROM: usize = 4 * 1024;
/// No text of ours is longer when it is unpacked, whatever an item claims.
const BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A body as an attribute.
pub(crate) fn attribute(body: &str) -> AttributeValue {
    if body.len() < COMPRESSED_FROM {
        return AttributeValue::S(body.to_owned());
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder
        .write_all(body.as_bytes())
        .and_then(|()| encoder.finish());
    match packed {
        Ok(packed) => AttributeValue::B(Blob::new(packed)),
        Err(_) => AttributeValue::S(body.to_owned()),
    }
}

/// The body of an item.
pub(crate) fn read(item: &Item) -> Result<String, StoreError> {
    match item.get(BODY) {
        Some(AttributeValue::S(text)) => Ok(text.clone()),
        Some(AttributeValue::B(packed)) => unpacked(packed.as_ref()),
        _ => Err(unreadable("an item without a body")),
    }
}

fn unpacked(packed: &[u8]) -> Result<String, StoreError> {
    let mut text = String::new();
    let decoder = DeflateDecoder::new(packed);
    decoder
        .take(BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(|_| unreadable("a body that cannot be unpacked"))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_of_any_length_comes_back() {
        for length in [0, 1, COMPRESSED_FROM - 1, COMPRESSED_FROM, 3_000_000] {
            let body = "Ä".repeat(length / 2);
            let item = Item::from([(BODY.to_owned(), attribute(&body))]);
            assert_eq!(read(&item), Ok(body));
        }
    }

    #[test]
    fn a_damaged_body_is_an_error() {
        for wrong in [
            AttributeValue::B(Blob::new([255_u8, 1, 2])),
            AttributeValue::Null(true),
        ] {
            let item = Item::from([(BODY.to_owned(), wrong)]);
            assert!(matches!(read(&item), Err(StoreError::Unreadable(_))));
        }
    }
}
