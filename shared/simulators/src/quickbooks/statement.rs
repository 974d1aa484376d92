//! The query language: text in, one parsed statement out.
//!
//! `SELECT * | COUNT(*) FROM Entity [WHERE p op v [AND ...]] [ORDERBY p [ASC|DESC], ...]
//! [STARTPOSITION n] [MAXRESULTS m]`. No OR, no projection, no parentheses but those of IN. Strings
//! stand in single quotes and escape `'` and `\` with a backslash; a doubled quote is an error.

use super::refusal::Refusal;

/// Rows per answer when the statement names no number.
const ROWS_DEFAULT: usize = 100;
/// The most rows one statement may ask for.
const ROWS_MAX: usize = 1000;

/// A parsed query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) count: bool,
    pub(super) entity: String,
    pub(super) conditions: Vec<Condition>,
    pub(super) order: Vec<Order>,
    pub(super) start: usize,
    pub(super) rows: usize,
}

/// One term of the WHERE clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) property: String,
    pub(super) operator: Operator,
    pub(super) values: Vec<Literal>,
}

/// How a property is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    In,
    Like,
}

/// A value of the statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Literal {
    Text(String),
    Flag(bool),
}

/// One term of the ORDERBY clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) property: String,
    pub(super) descending: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Whole(String),
    Symbol(&'static str),
}

/// Parses one statement.
pub(super) fn parse(text: &str) -> Result<Statement, Refusal> {
    let mut parser = Parser {
        tokens: scan(text)?,
        next: 0,
    };
    parser.statement()
}

fn scan(text: &str) -> Result<Vec<Token>, Refusal> {
    let characters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        match character {
            ' ' | '\t' | '\r' | '\n' => at += 1,
            '\'' => tokens.push(scan_text(&characters, &mut at)?),
            '<' | '>' => {
                let or_equal = characters.get(at + 1) == Some(&'=');
                at += 1 + usize::from(or_equal);
                tokens.push(Token::Symbol(match (character, or_equal) {
                    ('<', true) => "<=",
                    ('<', false) => "<",
                    (_, true) => ">=",
                    (_, false) => ">",
                }));
            }
            '=' | '*' | '(' | ')' | ',' => {
                at += 1;
                tokens.push(Token::Symbol(match character {
                    '=' => "=",
                    '*' => "*",
                    '(' => "(",
                    ')' => ")",
                    _ => ",",
                }));
            }
            _ if character.is_ascii_digit() => {
                let word = take(&characters, &mut at, |c| c.is_ascii_digit());
                tokens.push(Token::Whole(word));
            }
            _ if character.is_ascii_alphabetic() => {
                let word = take(&characters, &mut at, |c| {
                    c.is_ascii_alphanumeric() || "._".contains(c)
                });
                tokens.push(Token::Word(word));
            }
            _ => return Err(lexical(character, at)),
        }
    }
    Ok(tokens)
}

fn take(characters: &[char], at: &mut usize, wanted: impl Fn(char) -> bool) -> String {
    let word: String = characters[*at..]
        .iter()
        .copied()
        .take_while(|&c| wanted(c))
        .collect();
    *at += word.chars().count();
    word
}

fn scan_text(characters: &[char], at: &mut usize) -> Result<Token, Refusal> {
    let mut text = String::new();
    let mut position = *at + 1;
    loop {
        match characters.get(position) {
            Some('\'') => {
                *at = position + 1;
                return Ok(Token::Text(text));
            }
            Some('\\') => {
                match characters.get(position + 1) {
                    Some(&escaped @ ('\'' | '\\')) => text.push(escaped),
                    _ => return Err(lexical('\\', position)),
                }
                position += 2;
            }
            Some(&character) => {
                text.push(character);
                position += 1;
            }
            None => return Err(Refusal::query_syntax("Lexical error. Encountered: <EOF>")),
        }
    }
}

fn lexical(character: char, at: usize) -> Refusal {
    Refusal::query_syntax(&format!(
        "Lexical error at line 1, column {}. Encountered: \"{character}\" ({})",
        at + 1,
        u32::from(character)
    ))
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
}

impl Parser {
    fn statement(&mut self) -> Result<Statement, Refusal> {
        self.keyword("SELECT")?;
        let count = self.selection()?;
        self.keyword("FROM")?;
        let entity = self.word()?;
        let mut conditions = Vec::new();
        if self.takes_keyword("WHERE") {
            conditions.push(self.condition()?);
            while self.takes_keyword("AND") {
                conditions.push(self.condition()?);
            }
        }
        let order = self.order()?;
        let (start, rows) = self.page()?;
        if self.next < self.tokens.len() {
            return Err(self.unexpected());
        }
        Ok(Statement {
            count,
            entity,
            conditions,
            order,
            start,
            rows,
        })
    }

    fn selection(&mut self) -> Result<bool, Refusal> {
        if self.takes_keyword("COUNT") {
            self.symbol("(")?;
            self.symbol("*")?;
            self.symbol(")")?;
            return Ok(true);
        }
        self.symbol("*")?;
        Ok(false)
    }

    fn condition(&mut self) -> Result<Condition, Refusal> {
        let property = self.word()?;
        if self.takes_keyword("IN") {
            self.symbol("(")?;
            let mut values = vec![self.literal()?];
            while self.takes_symbol(",") {
                values.push(self.literal()?);
            }
            self.symbol(")")?;
            return Ok(Condition {
                property,
                operator: Operator::In,
                values,
            });
        }
        let operator = self.operator()?;
        let values = vec![self.literal()?];
        Ok(Condition {
            property,
            operator,
            values,
        })
    }

    fn operator(&mut self) -> Result<Operator, Refusal> {
        if self.takes_keyword("LIKE") {
            return Ok(Operator::Like);
        }
        let operator = match self.tokens.get(self.next) {
            Some(Token::Symbol("=")) => Operator::Equal,
            Some(Token::Symbol("<")) => Operator::Less,
            Some(Token::Symbol(">")) => Operator::Greater,
            Some(Token::Symbol("<=")) => Operator::LessOrEqual,
            Some(Token::Symbol(">=")) => Operator::GreaterOrEqual,
            _ => return Err(self.unexpected()),
        };
        self.next += 1;
        Ok(operator)
    }

    fn literal(&mut self) -> Result<Literal, Refusal> {
        let literal = match self.tokens.get(self.next) {
            Some(Token::Text(text)) => Literal::Text(text.clone()),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("true") => Literal::Flag(true),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("false") => Literal::Flag(false),
            _ => return Err(self.unexpected()),
        };
        self.next += 1;
        Ok(literal)
    }

    fn order(&mut self) -> Result<Vec<Order>, Refusal> {
        let mut order = Vec::new();
        if self.takes_keyword("ORDER") {
            self.keyword("BY")?;
        } else if !self.takes_keyword("ORDERBY") {
            return Ok(order);
        }
        loop {
            let property = self.word()?;
            let descending = self.takes_keyword("DESC");
            if !descending {
                self.takes_keyword("ASC");
            }
            order.push(Order {
                property,
                descending,
            });
            if !self.takes_symbol(",") {
                return Ok(order);
            }
        }
    }

    fn page(&mut self) -> Result<(usize, usize), Refusal> {
        let (mut start, mut rows) = (None, None);
        loop {
            if start.is_none() && self.takes_keyword("STARTPOSITION") {
                start = Some(self.whole(usize::MAX)?);
            } else if rows.is_none() && self.takes_keyword("MAXRESULTS") {
                rows = Some(self.whole(ROWS_MAX)?);
            } else {
                return Ok((start.unwrap_or(1), rows.unwrap_or(ROWS_DEFAULT)));
            }
        }
    }

    fn whole(&mut self, max: usize) -> Result<usize, Refusal> {
        let Some(Token::Whole(digits)) = self.tokens.get(self.next) else {
            return Err(self.unexpected());
        };
        let number: usize = digits.parse().unwrap_or(usize::MAX);
        self.next += 1;
        if number < 1 {
            return Err(Refusal::query_invalid(&format!(
                "value {number} is too small. Min allowed value is 1"
            )));
        }
        if number > max {
            return Err(Refusal::query_invalid(&format!(
                "value {number} is too large. Max allowed value is {max}"
            )));
        }
        Ok(number)
    }

    fn word(&mut self) -> Result<String, Refusal> {
        match self.tokens.get(self.next) {
            Some(Token::Word(word)) => {
                self.next += 1;
                Ok(word.clone())
            }
            _ => Err(self.unexpected()),
        }
    }

    fn keyword(&mut self, keyword: &str) -> Result<(), Refusal> {
        if self.takes_keyword(keyword) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn takes_keyword(&mut self, keyword: &str) -> bool {
        let matches = matches!(
            self.tokens.get(self.next),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword)
        );
        self.next += usize::from(matches);
        matches
    }

    fn symbol(&mut self, symbol: &'static str) -> Result<(), Refusal> {
        if self.takes_symbol(symbol) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn takes_symbol(&mut self, symbol: &'static str) -> bool {
        let matches = self.tokens.get(self.next) == Some(&Token::Symbol(symbol));
        self.next += usize::from(matches);
        matches
    }

    fn unexpected(&self) -> Refusal {
        let found = match self.tokens.get(self.next) {
            None => "<EOF>".to_owned(),
            Some(Token::Word(word)) => format!("<IDENTIFIER> \"{word} \""),
            Some(Token::Text(_)) => "<STRING>".to_owned(),
            Some(Token::Whole(digits)) => format!("<INTEGER> \"{digits}\""),
            Some(Token::Symbol(symbol)) => format!("\"{symbol}\""),
        };
        Refusal::query_syntax(&format!(
            "Encountered \" {found}\" at token {}.",
            self.next + 1
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::{Literal, Operator, parse};

    fn code(text: &str) -> &'static str {
        parse(text).expect_err("a refusal").errors[0].code
    }

    #[test]
    fn a_full_statement_is_understood() {
        let statement = parse(
            "select * from Bill where DocNumber = 'A' and TotalAmt >= '1.50' orderby TxnDate \
             desc, DocNumber startposition 3 maxresults 7",
        )
        .expect("a statement");
        assert_eq!(statement.entity, "Bill");
        assert_eq!(statement.conditions.len(), 2);
        assert_eq!(statement.conditions[1].operator, Operator::GreaterOrEqual);
        assert!(statement.order[0].descending && !statement.order[1].descending);
        assert_eq!((statement.start, statement.rows), (3, 7));
    }

    #[test]
    fn position_and_rows_come_in_either_order_and_have_defaults() {
        let swapped = parse("SELECT * FROM Item MAXRESULTS 2 STARTPOSITION 5").expect("ok");
        assert_eq!((swapped.start, swapped.rows), (5, 2));
        let plain = parse("SELECT COUNT(*) FROM Item").expect("ok");
        assert!(plain.count);
        assert_eq!((plain.start, plain.rows), (1, 100));
    }

    #[test]
    fn quotes_and_backslashes_are_escaped_by_a_backslash() {
        let statement = parse(r"SELECT * FROM Vendor WHERE DisplayName = 'O\'Brien \\ Sons'")
            .expect("a statement");
        assert_eq!(
            statement.conditions[0].values,
            vec![Literal::Text(r"O'Brien \ Sons".to_owned())]
        );
    }

    #[test]
    fn a_doubled_quote_and_a_lone_backslash_are_syntax_errors() {
        assert_eq!(
            code("SELECT * FROM Vendor WHERE DisplayName = 'O''Brien'"),
            "4000"
        );
        assert_eq!(
            code(r"SELECT * FROM Vendor WHERE DisplayName = 'O\'"),
            "4000"
        );
        assert_eq!(
            code(r"SELECT * FROM Vendor WHERE DisplayName = 'a\b'"),
            "4000"
        );
    }

    #[test]
    fn what_the_grammar_lacks_is_refused() {
        for text in [
            "SELECT * FROM Bill WHERE DocNumber = 'A' OR DocNumber = 'B'",
            "SELECT * FROM Bill WHERE DocNumber != 'A'",
            "SELECT Id FROM Bill",
            "SELECT * FROM Bill WHERE (DocNumber = 'A')",
            "SELECT * FROM Bill WHERE Id = 5",
            "SELECT * FROM Bill WHERE DocNumber = \"A\"",
            "SELECT * FROM Bill;",
            "Foo",
            "",
        ] {
            assert_eq!(code(text), "4000", "{text}");
        }
    }

    #[test]
    fn the_page_has_bounds() {
        assert_eq!(code("SELECT * FROM Bill STARTPOSITION 0"), "4001");
        assert_eq!(code("SELECT * FROM Bill MAXRESULTS 1001"), "4001");
        assert!(parse("SELECT * FROM Bill MAXRESULTS 1000").is_ok());
    }
}
