//! Our mark on a bill, and the request ids under which things are sent.

use proptest::{prelude::*, sample::select};
use purser_cases::{config, long_text, text};

use crate::{
    ids::{OrderId, RealmId, RequestId},
    marker::{Marker, NOTE_MAX, bill_request_id, ensure_request_id},
    text::Alphabet,
};

fn realm() -> impl Strategy<Value = RealmId> {
    "[0-9]{1,20}".prop_map(|digits| digits.parse().unwrap())
}

fn marker() -> impl Strategy<Value = Marker> {
    (1..=i64::MAX, any::<u32>(), 0..=62_u32, 0..=31_u32).prop_map(|(order, generation, a, b)| {
        Marker {
            order: OrderId::new((order >> a).max(1)),
            generation: generation >> b,
        }
    })
}

fn alphabet() -> impl Strategy<Value = Alphabet> {
    prop_oneof![Just(Alphabet::Latin1), Just(Alphabet::Unicode)]
}

/// A memo, now and then one into which somebody has copied the note of another bill.
fn memo(realm: RealmId) -> impl Strategy<Value = Option<String>> {
    let copied = (text(20), marker(), text(20))
        .prop_map(move |(before, other, after)| format!("{before} {} {after}", other.text(&realm)));
    proptest::option::weighted(
        0.9,
        prop_oneof![12 => text(60), 1 => long_text(9_000), 8 => copied],
    )
}

/// Something that an order needs in QuickBooks.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wish {
    realm: RealmId,
    order: OrderId,
    generation: u32,
    step: &'static str,
    body: String,
}

impl Wish {
    fn id(&self) -> RequestId {
        let (order, generation) = (self.order, self.generation);
        ensure_request_id(&self.realm, order, generation, self.step, &self.body)
    }
}

fn wish() -> impl Strategy<Value = Wish> {
    let step = select(vec!["vendor", "customer", "item"]);
    (realm(), marker(), step, text(12)).prop_map(|(realm, marker, step, body)| Wish {
        realm,
        order: marker.order,
        generation: marker.generation,
        step,
        body,
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_mark_survives_its_own_text(realm in realm(), marker in marker()) {
        prop_assert_eq!(Marker::find(&marker.text(&realm), &realm), Some(marker));
    }

    #[test]
    fn a_note_holds_its_own_mark_whole_and_no_other(
        (realm, memo) in realm().prop_flat_map(|realm| (Just(realm.clone()), memo(realm))),
        marker in marker(),
        number in text(120),
        alphabet in alphabet(),
    ) {
        let note = marker.note(&realm, &number, memo.as_deref(), alphabet);
        prop_assert!(note.chars().count() <= NOTE_MAX);
        prop_assert!(note.ends_with(&format!("\n{}", marker.text(&realm))), "{note:?}");
        prop_assert_eq!(Marker::find(&note, &realm), Some(marker), "{:?}", note);
    }

    #[test]
    fn a_mark_is_found_whatever_people_put_around_it(
        realm in realm(),
        marker in marker(),
        before in text(40),
        after in text(40),
    ) {
        let note = marker.note(&realm, "PO-1", None, Alphabet::Unicode);
        // A letter that touches the check would belong to it as little as a word that follows.
        let edited = format!("{before}\n{note} {after}");
        prop_assert_eq!(Marker::find(&edited, &realm), Some(marker));
    }

    #[test]
    fn a_mark_of_another_company_or_with_a_wrong_digit_is_none_of_ours(
        one in realm(),
        other in realm(),
        marker in marker(),
        place in 0..8_usize,
        digit in 1..16_u32,
    ) {
        let text = marker.text(&one);
        if one != other {
            prop_assert_eq!(Marker::find(&text, &other), None);
        }
        let mut digits: Vec<char> = text.chars().collect();
        let at = digits.len() - 1 - place;
        let changed = (digits[at].to_digit(16).unwrap() + digit) % 16;
        digits[at] = char::from_digit(changed, 16).unwrap();
        let wrong: String = digits.into_iter().collect();
        prop_assert_eq!(Marker::find(&wrong, &one), None);
    }

    #[test]
    fn no_text_makes_the_search_for_a_mark_fail(note in text(80), realm in realm()) {
        let note = note.replace(' ', " AT-PO:1 g1 ");
        prop_assert_eq!(Marker::find(&note, &realm), None);
    }

    #[test]
    fn a_request_id_is_short_plain_and_the_same_on_every_send(
        realm in realm(),
        marker in marker(),
        body in text(60),
    ) {
        let ids = || [
            bill_request_id(&realm, marker.order, marker.generation),
            ensure_request_id(&realm, marker.order, marker.generation, "vendor", &body),
        ];
        prop_assert_eq!(ids(), ids());
        for id in ids() {
            prop_assert_eq!(id.as_str().len(), 32);
            let is_plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
            prop_assert!(id.as_str().bytes().all(is_plain), "{id}");
        }
    }

    #[test]
    fn request_ids_differ_by_company_order_generation_step_and_body(
        one in wish(),
        other in wish(),
        taken in any::<[bool; 5]>(),
    ) {
        // Of the five parts some are the same in both.
        let other = Wish {
            realm: if taken[0] { one.realm.clone() } else { other.realm },
            order: if taken[1] { one.order } else { other.order },
            generation: if taken[2] { one.generation } else { other.generation },
            step: if taken[3] { one.step } else { other.step },
            body: if taken[4] { one.body.clone() } else { other.body },
        };
        prop_assert_eq!(one.id() == other.id(), one == other);
        let bill = |wish: &Wish| bill_request_id(&wish.realm, wish.order, wish.generation);
        let is_same = (&one.realm, one.order, one.generation)
            == (&other.realm, other.order, other.generation);
        prop_assert_eq!(bill(&one) == bill(&other), is_same);
        prop_assert_ne!(bill(&one), one.id());
    }
}
