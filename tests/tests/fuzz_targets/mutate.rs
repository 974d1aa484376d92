//! Changes of an input: of its bytes, of its words and numbers, and of its JSON.

use mutatis::Session;

use crate::json;

/// The longest input.
const BYTES_MAX: usize = 64 * 1024;

/// Words that mean something to nobody, or to everybody.
const WORDS: &[&str] = &[
    "null",
    "true",
    "false",
    "{}",
    "[]",
    "\"\"",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    "\\",
    "\\u0000",
    "\\ud800",
    "%00",
    "%0d%0a",
    "\r\n",
    "\0",
    ";",
    ",",
    ":",
    "=",
    "&",
    "?",
    "#",
    "..",
    "../",
    "//",
    "<script>",
    "\u{feff}",
    "\u{202e}",
    "\u{1f980}",
    "\u{ff1a}",
    "é",
    " ",
    "id",
    "Id",
    "@@",
    "--",
];

/// Numbers at which something changes.
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "1",
    "-1",
    "0.005",
    "0.00",
    "1e2",
    "1E+400",
    "1e-400",
    "2.0",
    "127",
    "255",
    "256",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "-2147483648",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551616",
    "79228162514264337593543950335",
    "79228162514264337593543950336",
    "0.12345678901234567890123456789",
    "99999999999999999999999999999999999999999",
    "NaN",
    "1_0",
    "+1",
    "1.00000000000000000000000000001e0",
    "0x10",
    "٣",
];

/// Makes inputs of other ones. One seed makes the same ones.
pub(crate) struct Mutator {
    session: Session,
    words: Vec<&'static str>,
}

impl Mutator {
    pub(crate) fn new(seed: u64, words: &[&'static str]) -> Self {
        // The target's own words are as many as all others, however few they are.
        let own = words.iter().cycle().take(WORDS.len().min(words.len() * 8));
        Self {
            session: Session::new().seed(seed),
            words: WORDS.iter().chain(own).copied().collect(),
        }
    }

    fn dice(&mut self) -> u64 {
        self.session.generate().unwrap_or(0)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.dice() % limit.max(1) as u64).unwrap_or(0)
    }

    fn word(&mut self) -> &'static str {
        let place = self.below(self.words.len());
        self.words[place]
    }

    fn number(&mut self) -> &'static str {
        NUMBERS[self.below(NUMBERS.len())]
    }

    /// An input that comes from one of the pool by a few changes.
    pub(crate) fn changed(&mut self, pool: &[Vec<u8>]) -> Vec<u8> {
        let mut input = pool[self.below(pool.len())].clone();
        // Mostly one or two: an input that is nearly right comes further than one that is not.
        let changes = 1 + self.below(2) + self.below(2) * self.below(5);
        for _ in 0..changes {
            self.change(&mut input, pool);
        }
        input.truncate(BYTES_MAX);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, pool: &[Vec<u8>]) {
        match self.below(10) {
            0 => drop(self.session.mutate(input)),
            1 => {
                let (from, to) = self.slice(input);
                input.drain(from..to);
            }
            2 => {
                let (from, to) = self.slice(input);
                let copy = input[from..to].to_vec();
                let at = self.below(input.len() + 1);
                input.splice(at..at, copy);
            }
            3 | 4 => {
                let (at, word) = (self.below(input.len() + 1), self.word());
                input.splice(at..at, word.bytes());
            }
            5 => {
                let (from, to) = self.slice(input);
                let word = self.word();
                input.splice(from..to, word.bytes());
            }
            6 => self.change_number(input),
            7 => self.join(input, pool),
            _ => self.change_json(input),
        }
    }

    /// A piece of the input: mostly short.
    fn slice(&mut self, input: &[u8]) -> (usize, usize) {
        let from = self.below(input.len() + 1);
        let longest = if self.below(4) == 0 { input.len() } else { 12 };
        let length = self.below(longest + 1);
        (from, (from + length).min(input.len()))
    }

    fn change_number(&mut self, input: &mut Vec<u8>) {
        let is_digit = |byte: &u8| byte.is_ascii_digit() || b"-.eE+".contains(byte);
        let starts: Vec<usize> = (0..input.len())
            .filter(|&at| input[at].is_ascii_digit() && (at == 0 || !is_digit(&input[at - 1])))
            .collect();
        if starts.is_empty() {
            return;
        }
        let from = starts[self.below(starts.len())];
        let length = input[from..]
            .iter()
            .take_while(|byte| is_digit(byte))
            .count();
        let number = self.number();
        input.splice(from..from + length, number.bytes());
    }

    /// The beginning of the input and the end of another one.
    fn join(&mut self, input: &mut Vec<u8>, pool: &[Vec<u8>]) {
        let other = &pool[self.below(pool.len())];
        let (cut, from) = (self.below(input.len() + 1), self.below(other.len() + 1));
        input.truncate(cut);
        input.extend_from_slice(&other[from..]);
    }

    fn change_json(&mut self, input: &mut Vec<u8>) {
        // A line before the JSON says what it is for.
        let begin = input.iter().position(|byte| b"{[".contains(byte));
        let Some(begin) = begin else { return };
        let Ok(mut value) = serde_json::from_slice(&input[begin..]) else {
            return;
        };
        let (word, number) = (self.word(), self.number());
        json::change(&mut value, (word, number), &mut || self.dice());
        input.truncate(begin);
        input.extend_from_slice(value.to_string().as_bytes());
    }
}
