//! Cuts SQL of any of the three dialects into tokens.
//!
//! Promises an end in linear time for any text: what is opened and never closed takes the rest of it. What MySQL and MariaDB execute
//! although it looks like a comment (`/*! … */`, `/*M! … */`) is code. Refuses to know which dialect it reads: where dialects
//! contradict each other, the reading that comes to an end wins.
//!
//! Sources of the facts: PostgreSQL's "Lexical Structure", MySQL's "Language Structure" and "mysql Client Commands", MariaDB's
//! "Comment Syntax", SQLite's "SQL As Understood By SQLite".

/// Longer delimiters are none.
const LONGEST_DELIMITER: usize = 16;

/// A piece of SQL, with its place in the text in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// A keyword or a bare name.
    Word(&'a str),
    /// A name in quotes (`"` or a backtick), as written between them.
    Quoted(&'a str, char),
    /// A string, as written between its quotes.
    Text(&'a str, Escaping),
    Number,
    /// What is filled in when the statement is sent: `:x`, `%s`, `%(x)s`, `?`, `$1`.
    Param,
    Symbol(char),
    /// `;`, which ends a statement outside of a routine's body.
    Semi,
    /// What `DELIMITER` named, which always ends a statement.
    End,
}

/// How a quote stands inside a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escaping {
    /// Doubled only: the standard, PostgreSQL and SQLite.
    Doubled,
    /// Doubled, or behind a backslash: MySQL, MariaDB and PostgreSQL's `E'…'`.
    Backslash,
    /// Not at all: `$tag$…$tag$`.
    Never,
}

/// The tokens of `text`.
///
/// `\'` ends a string in PostgreSQL and SQLite, but not in MySQL. If both readings come to an end, it is taken for an escape unless
/// something else in the text is PostgreSQL's.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let escaped = Lexer::new(text, Escaping::Backslash).run();
    if !escaped.is_ambiguous {
        return escaped.tokens;
    }
    let doubled = Lexer::new(text, Escaping::Doubled).run();
    let is_postgres = text.contains("$$") || text.contains("::");
    if !doubled.is_cut && (escaped.is_cut || is_postgres) {
        doubled.tokens
    } else {
        escaped.tokens
    }
}

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    tokens: Vec<Token<'a>>,
    escaping: Escaping,
    delimiter: Option<&'a str>,
    /// Something was opened and never closed.
    is_cut: bool,
    /// A quote stood behind a backslash.
    is_ambiguous: bool,
    /// Comments nest, as far as is known.
    nests: bool,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str, escaping: Escaping) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            tokens: Vec::new(),
            escaping,
            delimiter: None,
            is_cut: false,
            is_ambiguous: false,
            nests: true,
        }
    }

    fn run(mut self) -> Self {
        while let Some(byte) = self.byte(0) {
            if self.at_delimiter() {
                self.push(Kind::End, self.at + self.delimiter.map_or(0, str::len));
                continue;
            }
            let next = self.byte(1);
            match (byte, next) {
                (b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c, _) => self.at += 1,
                (b'-', Some(b'-')) => self.line_comment(),
                (b'#', _) if self.is_comment() => self.line_comment(),
                (b'/', Some(b'*')) => self.block_comment(),
                // The end of a comment that is executed.
                (b'*', Some(b'/')) => self.at += 2,
                (b'\'', _) => self.string(self.at, self.escaping),
                (b'"' | b'`', _) => self.quoted(byte),
                (b';', _) => self.push(Kind::Semi, self.at + 1),
                (b'?', _) => self.push(Kind::Param, self.at + 1),
                (b'$', _) => self.dollar(),
                (b':', _) => self.colon(),
                (b'%', _) => self.percent(),
                // SQLAlchemy's way to write a colon that begins no parameter.
                (b'\\', Some(b':')) => self.push(Kind::Symbol(':'), self.at + 2),
                _ if is_word(byte) => self.word(),
                _ => self.push(Kind::Symbol(char::from(byte)), self.at + 1),
            }
        }
        self
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn rest(&self, from: usize) -> &'a str {
        self.text.get(from..).unwrap_or_default()
    }

    fn between(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn push(&mut self, kind: Kind<'a>, end: usize) {
        let start = std::mem::replace(&mut self.at, end);
        self.tokens.push(Token { kind, start, end });
    }

    fn is_word_before(&self) -> bool {
        self.at
            .checked_sub(1)
            .and_then(|before| self.bytes.get(before))
            .is_some_and(|byte| is_word(*byte))
    }

    fn at_delimiter(&self) -> bool {
        self.delimiter.is_some_and(|delimiter| {
            self.bytes
                .get(self.at..)
                .is_some_and(|rest| rest.starts_with(delimiter.as_bytes()))
        })
    }

    /// `#` begins a comment in MySQL; `#>`, `#>>` and `#-` are PostgreSQL's operators on JSON.
    fn is_comment(&self) -> bool {
        let begins_line = self
            .between(0, self.at)
            .bytes()
            .rev()
            .find(|byte| !matches!(byte, b' ' | b'\t'))
            .is_none_or(|byte| byte == b'\n');
        begins_line || !matches!(self.byte(1), Some(b'>' | b'-'))
    }

    fn line_comment(&mut self) {
        self.at = self
            .rest(self.at)
            .find('\n')
            .map_or(self.bytes.len(), |length| self.at + length + 1);
    }

    fn block_comment(&mut self) {
        let inside = self.at + 2;
        let rest = self.rest(inside);
        if let Some(code) = rest.strip_prefix('!').or_else(|| rest.strip_prefix("M!")) {
            // The version from which on it is executed.
            let code = code.trim_start_matches(|digit: char| digit.is_ascii_digit());
            self.at = self.text.len() - code.len();
            return;
        }
        let nested = if self.nests { nested_end(rest) } else { None };
        // Only PostgreSQL's comments nest. One that never ends if it nests did not.
        self.nests = nested.is_some();
        let length = nested.or_else(|| rest.find("*/").map(|length| length + 2));
        self.is_cut |= length.is_none();
        self.at = length.map_or(self.bytes.len(), |length| inside + length);
    }

    /// The length of what is quoted behind `from`, without the closing quote; the rest if it is never closed.
    fn quoted_length(&mut self, from: usize, quote: u8, escaping: Escaping) -> usize {
        let mut at = from;
        while let Some(byte) = self.bytes.get(at).copied() {
            let next = self.bytes.get(at + 1).copied();
            if byte == b'\\' && escaping == Escaping::Backslash {
                self.is_ambiguous |= next == Some(quote) && self.escaping == escaping;
                at += 2;
            } else if byte != quote {
                at += 1;
            } else if next == Some(quote) {
                at += 2;
            } else {
                return at - from;
            }
        }
        self.is_cut = true;
        self.bytes.len().saturating_sub(from)
    }

    /// A string whose opening quote is here; its prefix, if any, begins at `start`.
    fn string(&mut self, start: usize, escaping: Escaping) {
        let inside = self.at + 1;
        let length = self.quoted_length(inside, b'\'', escaping);
        let kind = Kind::Text(self.between(inside, inside + length), escaping);
        self.at = start;
        self.push(kind, (inside + length + 1).min(self.bytes.len()));
    }

    /// A name in quotes. In MySQL `"…"` is a string, with backslashes.
    fn quoted(&mut self, quote: u8) {
        let inside = self.at + 1;
        let escaping = if quote == b'`' {
            Escaping::Doubled
        } else {
            self.escaping
        };
        let length = self.quoted_length(inside, quote, escaping);
        let kind = Kind::Quoted(self.between(inside, inside + length), char::from(quote));
        self.push(kind, (inside + length + 1).min(self.bytes.len()));
    }

    /// `$tag$…$tag$` or `$1`.
    fn dollar(&mut self) {
        let rest = self.rest(self.at + 1);
        let word = rest
            .bytes()
            .take_while(|byte| is_word(*byte) && *byte != b'$')
            .count();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            return self.push(Kind::Param, self.at + 1 + digits);
        }
        if rest.as_bytes().get(word) != Some(&b'$') {
            return self.push(Kind::Symbol('$'), self.at + 1);
        }
        let inside = self.at + word + 2;
        let tag = self.between(self.at, inside);
        let length = self.rest(inside).find(tag);
        self.is_cut |= length.is_none();
        let length = length.unwrap_or_else(|| self.bytes.len() - inside);
        let kind = Kind::Text(self.between(inside, inside + length), Escaping::Never);
        self.push(kind, (inside + length + tag.len()).min(self.bytes.len()));
    }

    /// `:x` is a parameter; `::`, `:=` and a label's colon are not.
    fn colon(&mut self) {
        let name = self
            .rest(self.at + 1)
            .bytes()
            .take_while(|byte| is_word(*byte))
            .count();
        if self.byte(1) == Some(b':') {
            self.push(Kind::Symbol(':'), self.at + 2);
        } else if name > 0 && !self.is_word_before() {
            self.push(Kind::Param, self.at + 1 + name);
        } else {
            self.push(Kind::Symbol(':'), self.at + 1);
        }
    }

    /// `%s` and `%(x)s` are parameters.
    fn percent(&mut self) {
        let rest = self.rest(self.at + 1);
        let behind_name = rest
            .strip_prefix('(')
            .and_then(|rest| {
                rest.trim_start_matches(|letter: char| letter.is_alphanumeric() || letter == '_')
                    .strip_prefix(')')
            })
            .unwrap_or(rest);
        let behind = behind_name.strip_prefix('s');
        match behind {
            Some(behind) if !behind.bytes().next().is_some_and(is_word) => {
                self.push(Kind::Param, self.text.len() - behind.len());
            }
            _ => self.push(Kind::Symbol('%'), self.at + 1),
        }
    }

    fn word(&mut self) {
        let start = self.at;
        while self.byte(0).is_some_and(is_word) && !self.at_delimiter() {
            self.at += 1;
        }
        let word = self.between(start, self.at);
        let has_string = self.byte(0) == Some(b'\'');
        if has_string && word.eq_ignore_ascii_case("e") {
            return self.string(start, Escaping::Backslash);
        }
        if has_string
            && ["n", "b", "x"]
                .iter()
                .any(|prefix| word.eq_ignore_ascii_case(prefix))
        {
            return self.string(start, self.escaping);
        }
        let begins = self
            .tokens
            .last()
            .is_none_or(|last| matches!(last.kind, Kind::Semi | Kind::End));
        if begins && word.eq_ignore_ascii_case("delimiter") {
            return self.set_delimiter();
        }
        let end = std::mem::replace(&mut self.at, start);
        let kind = if is_number(word) {
            Kind::Number
        } else {
            Kind::Word(word)
        };
        self.push(kind, end);
    }

    /// The rest of the line, up to a blank, ends the statements that follow.
    fn set_delimiter(&mut self) {
        let line = self.rest(self.at).lines().next().unwrap_or_default();
        let delimiter = line.split_whitespace().next();
        self.delimiter =
            delimiter.filter(|delimiter| *delimiter != ";" && delimiter.len() <= LONGEST_DELIMITER);
        self.push(Kind::End, self.at + line.len());
    }
}

/// The length up to the end of a comment that may hold others.
fn nested_end(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let mut depth = 1_usize;
    let mut at = 0;
    while depth > 0 {
        match (bytes.get(at)?, bytes.get(at + 1)?) {
            (b'/', b'*') => {
                depth += 1;
                at += 2;
            }
            (b'*', b'/') => {
                depth -= 1;
                at += 2;
            }
            _ => at += 1,
        }
    }
    Some(at)
}

/// Letters of any script, digits, `_` and `$`.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}

/// MySQL's names may begin with a digit: `2fa_tokens` is none.
fn is_number(word: &str) -> bool {
    let Some(behind) = word.strip_prefix(|digit: char| digit.is_ascii_digit()) else {
        return false;
    };
    let digits = behind.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let all = |text: &str, is: fn(&u8) -> bool| text.bytes().all(|byte| is(&byte));
    digits.is_empty()
        || digits
            .strip_prefix(['e', 'E'])
            .is_some_and(|rest| !rest.is_empty() && all(rest, u8::is_ascii_digit))
        || behind
            .strip_prefix(['x', 'X'])
            .is_some_and(|rest| all(rest, u8::is_ascii_hexdigit))
}
