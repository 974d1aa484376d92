//! Our mark on a bill, by which it is found again, and the request id it is sent under.

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256};

use crate::{
    ids::{OrderId, RealmId, RequestId},
    text::{Alphabet, clean_text},
};

/// Longest private note, in characters.
pub const NOTE_MAX: usize = 4000;

/// How our mark begins.
const MARK: &str = "AT-PO:";

/// The mark of one generation of one order's bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The order.
    pub order: OrderId,
    /// The generation.
    pub generation: u32,
}

impl Marker {
    /// The text that stands at the end of the private note.
    pub fn text(&self, realm: &RealmId) -> String {
        format!(
            "{MARK}{} g{} {}",
            self.order,
            self.generation,
            self.check(realm)
        )
    }

    fn check(&self, realm: &RealmId) -> String {
        let text = format!("marker|v1|{realm}|{}|{}", self.order, self.generation);
        HEXLOWER.encode(&Sha256::digest(text)[..4])
    }

    /// Finds our mark in a private note, wherever people have put text around it.
    pub fn find(note: &str, realm: &RealmId) -> Option<Self> {
        note.match_indices(MARK)
            .find_map(|(at, _)| Self::parse(&note[at..], realm))
    }

    fn parse(text: &str, realm: &RealmId) -> Option<Self> {
        let mut words = text.split_whitespace();
        let order = words.next()?.strip_prefix(MARK)?.parse().ok()?;
        let generation = words.next()?.strip_prefix('g')?.parse().ok()?;
        let marker = Self { order, generation };
        let check = words.next()?.get(..8)?;
        (check == marker.check(realm)).then_some(marker)
    }

    /// The whole private note: number, memo cut to fit, marker never cut.
    ///
    /// Nobody else's mark stands in it: an order into whose memo somebody has copied the note of
    /// another bill would be taken for the order of that one, and billed once more.
    pub fn note(
        &self,
        realm: &RealmId,
        number: &str,
        memo: Option<&str>,
        alphabet: Alphabet,
    ) -> String {
        let plain = |text, limit| clean_text(text, limit, alphabet).replace(MARK, "AT-PO ");
        let number = plain(number, 100);
        let (head, marker) = (format!("Autotask PO {number}"), self.text(realm));
        let room = NOTE_MAX - head.chars().count() - marker.chars().count() - 2;
        match memo.map(|memo| plain(memo, room)) {
            Some(memo) if !memo.is_empty() => format!("{head}\n{memo}\n{marker}"),
            _ => format!("{head}\n{marker}"),
        }
    }
}

/// The request id of the bill of one generation: the same on every send of it.
pub fn bill_request_id(realm: &RealmId, order: OrderId, generation: u32) -> RequestId {
    request_id(&format!("bill|v1|{realm}|{order}|{generation}"))
}

/// The request id of a vendor, customer or Item that an order needs.
pub fn ensure_request_id(
    realm: &RealmId,
    order: OrderId,
    generation: u32,
    step: &str,
    body: &str,
) -> RequestId {
    request_id(&format!("{step}|v1|{realm}|{order}|{generation}|{body}"))
}

fn request_id(text: &str) -> RequestId {
    let encoded = BASE32_NOPAD.encode(&Sha256::digest(text));
    match encoded[..32].parse() {
        Ok(id) => id,
        Err(_) => unreachable!("base32 is alphanumeric"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn realm() -> RealmId {
        "9130347957983546".parse().unwrap()
    }

    #[test]
    fn a_marker_is_found_again_whatever_stands_around_it() {
        let marker = Marker {
            order: OrderId::new(4711),
            generation: 3,
        };
        let note = marker.note(
            &realm(),
            "PO-1",
            Some("deliver to AT-PO:9 g1 00000000"),
            Alphabet::Unicode,
        );
        assert_eq!(Marker::find(&note, &realm()), Some(marker.clone()));
        let edited = format!("checked by Ann {note} - ok");
        assert_eq!(Marker::find(&edited, &realm()), Some(marker.clone()));
        assert_eq!(Marker::find(&note, &"1".parse().unwrap()), None);
        assert_eq!(Marker::find("AT-PO:4711 g3 deadbeef", &realm()), None);
        assert_eq!(Marker::find("AT-PO:4711 g3 é", &realm()), None);
    }

    #[test]
    fn the_marker_is_never_cut() {
        let marker = Marker {
            order: OrderId::new(1),
            generation: 1,
        };
        let note = marker.note(&realm(), "N", Some(&"ü".repeat(9000)), Alphabet::Unicode);
        assert!(note.chars().count() <= NOTE_MAX);
        assert_eq!(Marker::find(&note, &realm()), Some(marker));
    }

    #[test]
    fn a_mark_that_was_copied_into_a_memo_or_a_number_is_none() {
        let of = |order| Marker {
            order: OrderId::new(order),
            generation: 1,
        };
        let copied = of(4711).text(&realm());
        for alphabet in [Alphabet::Latin1, Alphabet::Unicode] {
            for memo in [copied.clone(), copied.replace(':', "\u{ff1a}")] {
                let note = of(5000).note(&realm(), &copied, Some(&memo), alphabet);
                assert_eq!(Marker::find(&note, &realm()), Some(of(5000)), "{note}");
                assert!(note.contains("AT-PO 4711"), "people still read it: {note}");
            }
        }
    }

    #[test]
    fn request_ids_are_stable_and_differ_by_generation() {
        let id = |generation| bill_request_id(&realm(), OrderId::new(4711), generation);
        assert_eq!(id(1), id(1));
        assert_ne!(id(1), id(2));
        assert_eq!(id(1).as_str().len(), 32);
    }
}
