//! Names as they are sent to QuickBooks and as they are compared.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// Longest `DisplayName` of a vendor or customer.
pub const DISPLAY_NAME_MAX: usize = 500;
/// Longest `CompanyName` of a vendor or customer.
pub const COMPANY_NAME_MAX: usize = 100;
/// Longest `Name` of an Item.
pub const ITEM_NAME_MAX: usize = 100;

/// The characters a QuickBooks company accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// US companies take ISO-8859-1 only.
    Latin1,
    /// All others take Unicode.
    Unicode,
}

/// The form in which two names are compared: trimmed, spaces collapsed, case folded.
pub fn match_key(name: &str) -> String {
    // Composed before, so that words are what people see, and after: a small letter may have a form
    // of its own with a mark that its capital only stands beside.
    composed(&spaced(&composed(name)).to_lowercase()).into_owned()
}

fn composed(text: &str) -> Cow<'_, str> {
    match text.is_ascii() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.nfc().collect()),
    }
}

fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The name as it is sent: what QuickBooks forbids becomes " - ", then it is cut to `limit`.
///
/// The same rule serves matching and creating, so what was created once is found again.
pub fn clean_name(name: &str, limit: usize, alphabet: Alphabet) -> String {
    let mut letters = String::with_capacity(name.len());
    for character in composed(name).chars() {
        push_in_alphabet(&mut letters, character, alphabet);
    }
    // Only now: a wide colon has become a plain one.
    let mut clean = String::with_capacity(letters.len());
    for character in letters.chars() {
        match character {
            ':' => clean.push_str(" - "),
            c if c.is_control() => clean.push_str(" - "),
            c => clean.push(c),
        }
    }
    spaced(&clean)
        .chars()
        .take(limit)
        .collect::<String>()
        .trim_end()
        .to_owned()
}

/// Free text (memos, descriptions) for a company of this alphabet: same letters, no name rules.
pub fn clean_text(text: &str, limit: usize, alphabet: Alphabet) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in composed(text).chars() {
        match character {
            '\n' | '\t' => clean.push(character),
            '\r' => {}
            c if c.is_control() => clean.push(' '),
            c => push_in_alphabet(&mut clean, c, alphabet),
        }
    }
    clean.trim().chars().take(limit).collect()
}

fn push_in_alphabet(text: &mut String, character: char, alphabet: Alphabet) {
    let is_latin1 = u32::from(character) < 0x100;
    if alphabet == Alphabet::Unicode || is_latin1 {
        text.push(character);
        return;
    }
    match character {
        '\u{2018}' | '\u{2019}' | '\u{201B}' | '\u{2032}' => text.push('\''),
        '\u{201C}' | '\u{201D}' | '\u{2033}' => text.push('"'),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => text.push('-'),
        '\u{2026}' => text.push_str("..."),
        '\u{0141}' => text.push('L'),
        '\u{0142}' => text.push('l'),
        other => push_decomposed(text, other),
    }
}

fn push_decomposed(text: &mut String, character: char) {
    let before = text.len();
    text.extend(
        std::iter::once(character)
            .nfkd()
            .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
            .filter(|c| u32::from(*c) < 0x100),
    );
    if text.len() == before {
        text.push_str(" - ");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_characters_become_a_dash_and_the_rest_stays() {
        let clean = |name| clean_name(name, 100, Alphabet::Unicode);
        assert_eq!(clean("Acme: East\tWing\n2"), "Acme - East - Wing - 2");
        assert_eq!(clean("  O'Brien   & Söhne  "), "O'Brien & Söhne");
        assert_eq!(clean("日本電気"), "日本電気");
        assert_eq!(clean_name("abcdef", 3, Alphabet::Unicode), "abc");
        assert_eq!(clean_name("ab cdef", 3, Alphabet::Unicode), "ab");
    }

    #[test]
    fn a_us_company_gets_latin_letters_only() {
        let clean = |name| clean_name(name, 100, Alphabet::Latin1);
        assert_eq!(clean("Café “Nord” – Łódź"), "Café \"Nord\" - Lódz");
        assert_eq!(clean("日本電気 KK"), "- - - - KK");
        assert_eq!(clean("Acme\u{ff1a} East"), "Acme - East");
        assert!(clean("🦀").bytes().all(|b| b.is_ascii()));
    }

    #[test]
    fn cleaning_twice_changes_nothing_and_keys_ignore_case_and_spaces() {
        for name in ["A:B", "x\u{2019}y", " a  b ", "Straße", "e\u{301}"] {
            for alphabet in [Alphabet::Latin1, Alphabet::Unicode] {
                let once = clean_name(name, 20, alphabet);
                assert_eq!(clean_name(&once, 20, alphabet), once);
            }
        }
        assert_eq!(match_key(" ACME   Supply "), match_key("acme supply"));
        assert_eq!(match_key("Cafe\u{301}"), match_key("CAFÉ"));
        assert_eq!(match_key("T\u{308}"), match_key("\u{1e97}"));
        assert_ne!(match_key("Acme"), match_key("Acme Inc"));
    }

    #[test]
    fn free_text_keeps_its_lines_and_loses_other_control_characters() {
        let clean = |text| clean_text(text, 100, Alphabet::Unicode);
        assert_eq!(clean("a\r\nb\tc\u{7}d"), "a\nb\tc d");
        assert_eq!(clean("\u{1b} a \n"), "a");
        assert_eq!(clean_text("abcdef", 3, Alphabet::Unicode), "abc");
    }

    #[test]
    fn the_last_letter_of_latin_1_stays_and_the_first_beyond_it_does_not() {
        let clean = |text| clean_text(text, 100, Alphabet::Latin1);
        assert_eq!(clean("\u{ff}"), "\u{ff}");
        assert_eq!(clean("\u{100}"), "A");
    }
}
