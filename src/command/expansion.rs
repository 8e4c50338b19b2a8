//! The values of words: `$X`, `${X:-default}` and their sisters.
//!
//! Promises the value, or that it cannot be known, and which variables it came from. Refuses to run command substitutions.

use super::answer::{Asked, Variables, note};
use super::script::{Piece, Token, Word, tokens};
use super::walk::Walk;

/// Longer values are none that anybody compares with.
const LONGEST: usize = 4 * 1024;
/// How deep defaults may stand in defaults.
const DEPTH: u8 = 4;

impl Walk<'_> {
    /// `export A=b` and `: ${A:=b}`.
    pub(super) fn assign_all(&mut self, words: &[Word]) {
        for word in words {
            match assignment(word) {
                Some((name, value)) => self.assign(name, &value),
                None => drop(self.quietly(word)),
            }
        }
    }

    /// `NAME=VALUE`; who asks for it later also asks for what the value came from.
    pub(super) fn assign(&mut self, name: String, value: &Word) {
        let before = self.chain.len();
        let value = self.expand(value);
        let asked = self.chain.split_off(before);
        self.assigned.insert(name, (value, asked));
    }

    /// The word's value without counting its variables as asked.
    pub(super) fn quietly(&mut self, word: &Word) -> Option<String> {
        let asked = self.chain.len();
        let text = self.expand(word);
        self.chain.truncate(asked);
        text
    }

    /// The word's value; `None` if it cannot be known. Its variables count as asked in this chain.
    pub(super) fn expand(&mut self, word: &Word) -> Option<String> {
        let mut whole = Some(String::new());
        for piece in &word.pieces {
            let part = match piece {
                Piece::Text(text) => Some(text.clone()),
                Piece::Variable { name, operation } => self.variable(name, operation),
                Piece::Unknown => None,
            };
            whole = whole
                .zip(part)
                .filter(|(whole, part)| whole.len() + part.len() <= LONGEST)
                .map(|(whole, part)| whole + &part);
        }
        whole
    }

    fn variable(&mut self, name: &str, operation: &str) -> Option<String> {
        let (set, origin) = match self.assigned.get(name).cloned() {
            Some((value, asked)) => (Some(value?), Some(asked)),
            None => match self.variables {
                Variables::Known(environment) => (environment(name), None),
                Variables::Unknown => return None,
            },
        };
        let (colon, rest) = operation
            .strip_prefix(':')
            .map_or((false, operation), |rest| (true, rest));
        let given = set.as_ref().is_some_and(|value| !colon || !value.is_empty());
        let mut letters = rest.chars();
        let (kind, text) = (letters.next(), letters.as_str());
        let current = set.clone().unwrap_or_default();
        let value = match kind {
            None if !colon => current,
            Some('-' | '=') if !given => self.default(text)?,
            Some('-' | '=' | '?') => current,
            Some('+') if given => self.default(text)?,
            Some('+') => String::new(),
            Some(',') => current.to_lowercase(),
            Some('^') => current.to_uppercase(),
            _ => return None,
        };
        let from_environment = set.is_some() && (given || matches!(kind, None | Some('+' | ',' | '^')));
        let asked = Asked {
            variable: name.to_owned(),
            from_environment,
            value: value.clone(),
        };
        let asked = origin.unwrap_or_else(|| vec![asked]);
        if kind == Some('=') {
            self.assigned
                .insert(name.to_owned(), (Some(value.clone()), asked.clone()));
        }
        note(&mut self.chain, asked);
        Some(value)
    }

    /// The text of a default, which may hold variables itself.
    fn default(&mut self, text: &str) -> Option<String> {
        if self.defaults == DEPTH || text.len() > LONGEST {
            return None;
        }
        self.defaults += 1;
        let value = match tokens(text).as_slice() {
            [] => Some(String::new()),
            [Token::Word(word)] => self.expand(word),
            _ => Some(text.to_owned()),
        };
        self.defaults -= 1;
        value
    }
}

/// `NAME=VALUE` as name and value.
pub(super) fn assignment(word: &Word) -> Option<(String, Word)> {
    let (Piece::Text(text), rest) = word.pieces.split_first()? else {
        return None;
    };
    let (name, value) = text.split_once('=')?;
    let named = !name.is_empty()
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_');
    if !named || name.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let first = Piece::Text(value.to_owned());
    Some((
        name.to_owned(),
        Word {
            pieces: std::iter::once(first).chain(rest.iter().cloned()).collect(),
            quoted: true,
        },
    ))
}
