//! A place in the tokens of one statement.
//!
//! Promises steps that only go forward, so that whoever reads with it comes to an end, and names without quotes. Refuses to know what
//! any keyword means.

use super::HOLE;
use super::lexer::{Escaping, Kind, Token};
use crate::model::redact::shorten;
use crate::model::script::Name;

/// No database takes longer names without cutting them; a longer one counts as unknown, so that it is not copied a thousand times.
const LONGEST_NAME: usize = 256;
/// The most parts of a name: catalog, schema, table, column.
const MOST_PARTS: usize = 4;
/// The longest text that is kept as written, in characters.
const LONGEST_WRITTEN: usize = 200;
/// How many words tell what an unreadable statement is.
const SHOWN_WORDS: usize = 8;
/// The longest description of an unreadable statement, in characters.
const SHOWN: usize = 80;

/// The rest of a statement's tokens, and the text that they are from.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'t, 'a> {
    text: &'a str,
    tokens: &'t [Token<'a>],
}

impl<'t, 'a> Cursor<'t, 'a> {
    pub(super) fn new(text: &'a str, tokens: &'t [Token<'a>]) -> Self {
        Self { text, tokens }
    }

    /// The same text, other tokens of it.
    pub(super) fn over(&self, tokens: &'t [Token<'a>]) -> Self {
        Self {
            text: self.text,
            tokens,
        }
    }

    pub(super) fn tokens(&self) -> &'t [Token<'a>] {
        self.tokens
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    pub(super) fn peek(&self) -> Option<Kind<'a>> {
        self.ahead(0)
    }

    fn ahead(&self, by: usize) -> Option<Kind<'a>> {
        self.tokens.get(by).map(|token| token.kind)
    }

    pub(super) fn bump(&mut self) {
        self.tokens = self.tokens.get(1..).unwrap_or_default();
    }

    /// To the end.
    pub(super) fn finish(&mut self) {
        self.tokens = &[];
    }

    /// The word that stands here.
    pub(super) fn word(&self) -> Option<&'a str> {
        match self.peek() {
            Some(Kind::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// The word that stands here, in capitals; empty if it is no word or too long for a keyword.
    pub(super) fn keyword(&self) -> String {
        let word = self.word().filter(|word| word.len() <= LONGEST_NAME);
        word.unwrap_or_default().to_ascii_uppercase()
    }

    pub(super) fn is(&self, keyword: &str) -> bool {
        self.word().is_some_and(|word| word.eq_ignore_ascii_case(keyword))
    }

    pub(super) fn is_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is(keyword))
    }

    pub(super) fn is_symbol(&self, symbol: char) -> bool {
        self.peek() == Some(Kind::Symbol(symbol))
    }

    pub(super) fn eat(&mut self, keyword: &str) -> bool {
        let is = self.is(keyword);
        if is {
            self.bump();
        }
        is
    }

    pub(super) fn eat_any(&mut self, keywords: &[&str]) -> bool {
        let is = self.is_any(keywords);
        if is {
            self.bump();
        }
        is
    }

    /// All of these words, or none.
    pub(super) fn eat_all(&mut self, keywords: &[&str]) -> bool {
        let mut behind = *self;
        let are = keywords.iter().all(|keyword| behind.eat(keyword));
        if are {
            *self = behind;
        }
        are
    }

    pub(super) fn eat_symbol(&mut self, symbol: char) -> bool {
        let is = self.is_symbol(symbol);
        if is {
            self.bump();
        }
        is
    }

    /// `IF EXISTS` or `IF NOT EXISTS`.
    pub(super) fn exists(&mut self) -> bool {
        self.eat_all(&["IF", "EXISTS"]) || self.eat_all(&["IF", "NOT", "EXISTS"])
    }

    /// A name with its schema, if one stands here; what it is, if that is known.
    pub(super) fn name(&mut self) -> Option<Name> {
        let mut parts = vec![self.part()?];
        while self.is_symbol('.') {
            let mut behind = *self;
            behind.bump();
            let Some(part) = behind.part() else { break };
            *self = behind;
            parts.push(part);
        }
        let known: Option<Vec<String>> = parts.into_iter().collect();
        Some(
            known
                .filter(|parts| parts.len() <= MOST_PARTS)
                .map(|parts| parts.join(".")),
        )
    }

    /// A name, or nothing known: for what a statement may go on without.
    pub(super) fn any_name(&mut self) -> Name {
        self.name().flatten()
    }

    fn part(&mut self) -> Option<Name> {
        let (written, undoubled) = match self.peek()? {
            Kind::Word(word) => (word, None),
            Kind::Quoted(inside, quote) => (inside, Some(quote)),
            // SQLite takes strings for names, MySQL for its users.
            Kind::Text(inside, Escaping::Doubled | Escaping::Backslash) => (inside, Some('\'')),
            Kind::Param => (HOLE, None),
            _ => return None,
        };
        self.bump();
        if written.len() > LONGEST_NAME || is_hole(written) {
            return Some(None);
        }
        let name = match undoubled {
            Some(quote) => written.replace(&format!("{quote}{quote}"), &quote.to_string()),
            None => written.to_owned(),
        };
        Some(Some(name))
    }

    /// What stands in the parentheses that open here; the cursor moves behind them.
    pub(super) fn parens(&mut self) -> Option<Cursor<'t, 'a>> {
        if !self.is_symbol('(') {
            return None;
        }
        self.bump();
        let mut depth = 1_usize;
        let inside = self.tokens;
        for (at, token) in inside.iter().enumerate() {
            match token.kind {
                Kind::Symbol('(') => depth += 1,
                Kind::Symbol(')') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.tokens = inside.get(at + 1..).unwrap_or_default();
                return Some(self.over(inside.get(..at).unwrap_or_default()));
            }
        }
        self.tokens = &[];
        Some(self.over(inside))
    }

    /// Where, outside of parentheses, the first token stands that `is` what is looked for: the number of tokens before it.
    pub(super) fn position(&self, is: impl Fn(Kind<'a>) -> bool) -> Option<usize> {
        let mut depth = 0_usize;
        self.tokens.iter().position(|token| {
            match token.kind {
                Kind::Symbol('(' | '[') => depth += 1,
                Kind::Symbol(')' | ']') => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && is(token.kind)
        })
    }

    /// Behind the first of these words outside of parentheses.
    pub(super) fn behind(&self, keywords: &[&str]) -> Option<Cursor<'t, 'a>> {
        let at = self.position(|kind| is_word(kind, keywords))?;
        Some(self.over(self.tokens.get(at + 1..).unwrap_or_default()))
    }

    pub(super) fn has(&self, keyword: &str) -> bool {
        self.behind(&[keyword]).is_some()
    }

    /// These words one behind another, outside of parentheses.
    pub(super) fn has_all(&self, keywords: &[&str]) -> bool {
        let Some((first, others)) = keywords.split_first() else {
            return true;
        };
        let mut rest = *self;
        while let Some(mut behind) = rest.behind(&[first]) {
            rest = behind;
            if behind.eat_all(others) {
                return true;
            }
        }
        false
    }

    /// What a token is as written.
    pub(super) fn text_of(&self, token: &Token<'a>) -> &'a str {
        self.text.get(token.start..token.end).unwrap_or_default()
    }

    /// The tokens up to the first that `is` what is looked for, or all.
    pub(super) fn until(&self, is: impl Fn(Kind<'a>) -> bool) -> Cursor<'t, 'a> {
        let end = self.position(is).unwrap_or(self.tokens.len());
        self.over(self.tokens.get(..end).unwrap_or_default())
    }

    /// The parts between commas outside of parentheses.
    pub(super) fn clauses(&self) -> Vec<Cursor<'t, 'a>> {
        let mut clauses = Vec::new();
        let mut rest = *self;
        loop {
            let clause = rest.until(|kind| kind == Kind::Symbol(','));
            clauses.push(clause);
            match rest.tokens.get(clause.tokens.len() + 1..) {
                Some(behind) => rest = self.over(behind),
                None => return clauses,
            }
        }
    }

    /// Something in here is computed.
    pub(super) fn has_hole(&self) -> bool {
        self.tokens.iter().any(|token| match token.kind {
            Kind::Word(written) | Kind::Quoted(written, _) => is_hole(written),
            _ => false,
        })
    }

    /// As written, on one line, shortened, with `…` for what is computed; nothing if nothing is left.
    pub(super) fn written(&self) -> Option<String> {
        let (first, last) = (self.tokens.first()?, self.tokens.last()?);
        let text = self.text.get(first.start..last.end)?;
        let start = text
            .get(..text.floor_char_boundary(LONGEST_WRITTEN * 8))
            .unwrap_or_default();
        let words: Vec<&str> = start.split_whitespace().collect();
        Some(shorten(&words.join(" ").replace(HOLE, "…"), LONGEST_WRITTEN))
    }

    /// The statement's first words without its strings, which may be secrets.
    pub(super) fn summary(&self) -> String {
        let words: Vec<&str> = self
            .tokens
            .iter()
            .take(SHOWN_WORDS)
            .map(|token| match token.kind {
                Kind::Text(..) | Kind::Quoted(_, '"') => "'…'",
                _ => self.text_of(token),
            })
            .collect();
        shorten(&words.join(" ").replace(HOLE, "…"), SHOWN)
    }

    /// The first `most` words in capitals.
    pub(super) fn capitals(&self, most: usize) -> String {
        let words = self.tokens.iter().take(most).map_while(|token| match token.kind {
            Kind::Word(word) if word.len() <= LONGEST_NAME && !is_hole(word) => {
                Some(word.to_ascii_uppercase())
            }
            _ => None,
        });
        words.collect::<Vec<String>>().join(" ")
    }
}

/// Whether a part of a name is computed.
pub(super) fn is_hole(written: &str) -> bool {
    written.contains(HOLE)
}

pub(super) fn is_word(kind: Kind<'_>, keywords: &[&str]) -> bool {
    matches!(kind, Kind::Word(word) if keywords.iter().any(|keyword| word.eq_ignore_ascii_case(keyword)))
}
