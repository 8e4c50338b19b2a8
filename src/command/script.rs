//! Shell text → words and operators, as far as start commands use the shell.
//!
//! Promises never to fail: what is not understood becomes a piece that says so. Refuses to know values and commands.

use std::iter::Peekable;
use std::str::Chars;

/// One token of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A word, its quotes resolved.
    Word(Word),
    /// `&&`
    And,
    /// `||`
    Or,
    /// `|`
    Pipe,
    /// `;`, `&` or a new line.
    End,
    /// `;;`
    CaseEnd,
    /// `(`
    Open,
    /// `)`
    Close,
}

/// A word: texts and expansions side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Word {
    /// In order.
    pub(crate) pieces: Vec<Piece>,
    /// Some of it was quoted: it is no keyword.
    pub(crate) quoted: bool,
}

/// A part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Itself.
    Text(String),
    /// `$NAME` or `${NAME...}`
    Variable {
        /// Which.
        name: String,
        /// What follows the name in the braces: `:-true`, `,,`, or nothing.
        operation: String,
    },
    /// A command substitution, a positional parameter, arithmetic.
    Unknown,
}

impl Word {
    /// A word that is just this text.
    pub(super) fn literal(text: &str) -> Self {
        Self {
            pieces: vec![Piece::Text(text.to_owned())],
            quoted: true,
        }
    }

    /// Its text if it is an unquoted text: then it may be a keyword.
    pub(super) fn keyword(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [Piece::Text(text)] if !self.quoted => Some(text),
            _ => None,
        }
    }

    /// As it would be written again inside double quotes: how a script reaches a shell inside the shell.
    pub(super) fn written(&self) -> String {
        let write = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Variable { name, operation } => format!("${{{name}{operation}}}"),
            Piece::Unknown => "$(:)".to_owned(),
        };
        self.pieces.iter().map(write).collect()
    }

    fn push(&mut self, character: char) {
        match self.pieces.last_mut() {
            Some(Piece::Text(text)) => text.push(character),
            _ => self.pieces.push(Piece::Text(character.to_string())),
        }
    }
}

/// The tokens of `script`.
pub(crate) fn tokens(script: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        rest: script.chars().peekable(),
        tokens: Vec::new(),
        word: None,
        drop_word: false,
    };
    lexer.run();
    lexer.tokens
}

struct Lexer<'a> {
    rest: Peekable<Chars<'a>>,
    tokens: Vec<Token>,
    word: Option<Word>,
    /// The next word is the target of a redirection.
    drop_word: bool,
}

impl Lexer<'_> {
    fn run(&mut self) {
        while let Some(character) = self.rest.next() {
            match character {
                '\n' | ';' | '&' | '|' | '(' | ')' => self.operator(character),
                '<' | '>' => self.redirection(),
                '#' if self.word.is_none() => while self.rest.next_if(|next| *next != '\n').is_some() {},
                '\'' => self.single_quoted(),
                '"' => self.double_quoted(),
                '\\' => self.escaped(),
                '$' => self.expansion(),
                '`' => self.backquoted(),
                character if character.is_whitespace() => self.end_word(),
                character => self.word().push(character),
            }
        }
        self.end_word();
    }

    fn word(&mut self) -> &mut Word {
        self.word.get_or_insert_default()
    }

    fn end_word(&mut self) {
        if let Some(word) = self.word.take()
            && !std::mem::take(&mut self.drop_word)
        {
            self.tokens.push(Token::Word(word));
        }
    }

    fn operator(&mut self, character: char) {
        if character == '&' && self.rest.next_if_eq(&'>').is_some() {
            return self.redirection();
        }
        self.end_word();
        self.drop_word = false;
        let doubled = matches!(character, '&' | '|' | ';') && self.rest.next_if_eq(&character).is_some();
        self.tokens.push(match (character, doubled) {
            ('&', true) => Token::And,
            ('|', true) => Token::Or,
            ('|', false) => Token::Pipe,
            (';', true) => Token::CaseEnd,
            ('(', _) => Token::Open,
            (')', _) => Token::Close,
            _ => Token::End,
        });
    }

    /// `2>&1`, `> file`, `<<< text`: of no interest, with its file descriptor before and its target behind.
    fn redirection(&mut self) {
        let descriptor = |word: &Word| {
            word.keyword()
                .is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        };
        if self.word.as_ref().is_some_and(descriptor) {
            self.word = None;
        }
        self.end_word();
        while self
            .rest
            .next_if(|next| matches!(next, '<' | '>' | '&' | '|'))
            .is_some()
        {}
        self.drop_word = true;
    }

    fn single_quoted(&mut self) {
        self.word().quoted = true;
        while let Some(character) = self.rest.next_if(|next| *next != '\'') {
            self.word().push(character);
        }
        self.rest.next();
    }

    fn double_quoted(&mut self) {
        self.word().quoted = true;
        while let Some(character) = self.rest.next() {
            match character {
                '"' => return,
                '\\' => match self.rest.next() {
                    Some('\n') | None => {}
                    Some(next @ ('$' | '`' | '"' | '\\')) => self.word().push(next),
                    Some(next) => {
                        self.word().push('\\');
                        self.word().push(next);
                    }
                },
                '$' => self.expansion(),
                '`' => self.backquoted(),
                character => self.word().push(character),
            }
        }
    }

    fn escaped(&mut self) {
        match self.rest.next() {
            Some('\n') | None => {}
            Some(character) => self.word().push(character),
        }
    }

    fn backquoted(&mut self) {
        while self.rest.next_if(|next| *next != '`').is_some() {}
        self.rest.next();
        self.word().pieces.push(Piece::Unknown);
    }

    fn expansion(&mut self) {
        let is_name = |next: &char| next.is_ascii_alphanumeric() || *next == '_';
        let piece = match self.rest.peek() {
            Some('{') => {
                self.rest.next();
                braced(&self.until_closed('{', '}'))
            }
            Some('(') => {
                self.rest.next();
                self.until_closed('(', ')');
                Piece::Unknown
            }
            Some(next) if next.is_ascii_alphabetic() || *next == '_' => {
                let mut name = String::new();
                while let Some(character) = self.rest.next_if(is_name) {
                    name.push(character);
                }
                Piece::Variable {
                    name,
                    operation: String::new(),
                }
            }
            Some(next)
                if next.is_ascii_digit() || matches!(next, '@' | '*' | '#' | '?' | '$' | '!' | '-') =>
            {
                self.rest.next();
                Piece::Unknown
            }
            _ => return self.word().push('$'),
        };
        self.word().pieces.push(piece);
    }

    fn until_closed(&mut self, open: char, close: char) -> String {
        let mut depth = 1_u32;
        let mut inside = String::new();
        for character in self.rest.by_ref() {
            if character == open {
                depth += 1;
            } else if character == close {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            inside.push(character);
        }
        inside
    }
}

fn braced(inside: &str) -> Piece {
    let end = inside
        .find(|character: char| !character.is_ascii_alphanumeric() && character != '_')
        .unwrap_or(inside.len());
    let (name, operation) = inside.split_at(end);
    if name.is_empty() || name.starts_with(|character: char| character.is_ascii_digit()) {
        return Piece::Unknown;
    }
    Piece::Variable {
        name: name.to_owned(),
        operation: operation.to_owned(),
    }
}

/// `case WORD in` has just been completed.
pub(super) fn opens_case(words: &[Word]) -> bool {
    match words {
        [.., case, _, last] => case.keyword() == Some("case") && last.keyword() == Some("in"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Piece, Token, tokens};

    fn shown(script: &str) -> Vec<String> {
        let show = |token: &Token| match token {
            Token::Word(word) => word.written(),
            other => format!("{other:?}"),
        };
        tokens(script).iter().map(show).collect()
    }

    #[test]
    fn quotes_operators_comments_and_redirections_are_told_apart() {
        assert_eq!(
            shown("a 'b && c' \"d; $E\" && f"),
            ["a", "b && c", "d; ${E}", "And", "f"]
        );
        assert_eq!(
            shown("a >/dev/null 2>&1 || b &> log # c && d\ne"),
            ["a", "Or", "b", "End", "e"]
        );
        assert_eq!(
            shown("[ \"${X:-true}\" = true ]; x|y"),
            ["[", "${X:-true}", "=", "true", "]", "End", "x", "Pipe", "y"]
        );
        assert_eq!(shown("a \\\n b"), ["a", "b"]);
    }

    #[test]
    fn what_cannot_be_known_is_a_piece_of_its_own() {
        let [Token::Word(word)] = &tokens("\"$(cat /run/x)$1`y`\"")[..] else {
            panic!("one word")
        };
        assert_eq!(word.pieces, [Piece::Unknown, Piece::Unknown, Piece::Unknown]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[a-z$\\{\\}()'\"`\\\\;&|<># \n]{0,60}") {
            let _ = tokens(&text);
        }
    }
}
