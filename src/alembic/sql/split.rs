//! Cuts tokens into statements.
//!
//! Promises that the body of a routine, a trigger or an event stays with its `CREATE`, and that a body which never ends hides nothing
//! behind it: its statements then count as the script's own. Refuses to know what a statement does.

use super::lexer::{Kind, Token};

/// How many tokens of a statement may stand before the word that says what it creates.
const HEAD: usize = 24;
/// What has a body.
const ROUTINES: [&str; 5] = ["PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"];
/// What else is created, so that a table named `event` is no event.
const OTHERS: [&str; 12] = [
    "TABLE",
    "VIEW",
    "INDEX",
    "SCHEMA",
    "DATABASE",
    "TYPE",
    "SEQUENCE",
    "USER",
    "ROLE",
    "EXTENSION",
    "DOMAIN",
    "POLICY",
];
/// What ends by its own `END …` and opens without a word that could not be anything else.
const OTHER_ENDS: [&str; 5] = ["IF", "LOOP", "WHILE", "REPEAT", "FOR"];

/// The statements in `tokens`, without what ends them. None is empty.
pub(super) fn split<'t, 'a>(tokens: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    let mut statements = Vec::new();
    let mut rest = tokens;
    let mut has_bodies = true;
    while !rest.is_empty() {
        let body = has_bodies && opens_body(rest);
        let end = if body { end_of_body(rest) } else { end(rest) };
        // A body without its end: from here on every `;` ends a statement, so that all of this takes linear time.
        has_bodies &= end.is_some();
        let end = end.or_else(|| self::end(rest)).unwrap_or(rest.len());
        statements.push(rest.get(..end).unwrap_or_default());
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    statements.retain(|statement| !statement.is_empty());
    statements
}

/// The parts between every `;`, as the body of a block has them.
pub(super) fn split_all<'t, 'a>(tokens: &'t [Token<'a>]) -> impl Iterator<Item = &'t [Token<'a>]> {
    tokens
        .split(|token| is_end(token))
        .filter(|statement| !statement.is_empty())
}

fn is_end(token: &Token) -> bool {
    matches!(token.kind, Kind::Semi | Kind::End)
}

fn end(tokens: &[Token]) -> Option<usize> {
    tokens.iter().position(is_end)
}

/// The `;` outside of `BEGIN … END` and `CASE … END`; the number of tokens if there is none but nothing is open; none if something is.
fn end_of_body(tokens: &[Token]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut is_closing = false;
    for (at, token) in tokens.iter().enumerate() {
        let was_closing = std::mem::replace(&mut is_closing, false);
        match token.kind {
            Kind::End => return Some(at),
            Kind::Semi if depth == 0 => return Some(at),
            // The word behind `END` opens nothing.
            Kind::Word(_) if was_closing => {}
            Kind::Word(word) if is(word, &["BEGIN", "CASE"]) => depth += 1,
            Kind::Word(word) if is(word, &["END"]) => {
                is_closing = true;
                let next = tokens.get(at + 1).map(|token| token.kind);
                let is_other = matches!(next, Some(Kind::Word(word)) if is(word, &OTHER_ENDS));
                depth = depth.saturating_sub(usize::from(!is_other));
            }
            _ => {}
        }
    }
    (depth == 0).then_some(tokens.len())
}

/// `CREATE … PROCEDURE`, and `BEGIN NOT ATOMIC`, MariaDB's block outside of routines.
fn opens_body(tokens: &[Token]) -> bool {
    let words = tokens
        .iter()
        .take(HEAD)
        .take_while(|token| !is_end(token))
        .filter_map(|token| match token.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        });
    let mut words = words.fuse();
    match words.next() {
        Some(word) if is(word, &["CREATE"]) => words
            .find(|word| is(word, &ROUTINES) || is(word, &OTHERS))
            .is_some_and(|word| is(word, &ROUTINES)),
        Some(word) if is(word, &["BEGIN"]) => words.next().is_some_and(|word| is(word, &["NOT"])),
        _ => false,
    }
}

fn is(word: &str, keywords: &[&str]) -> bool {
    keywords.iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}
