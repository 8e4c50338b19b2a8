//! How deep a text may nest at most, told from its tokens alone.
//!
//! Promises that what passes can be parsed, walked and dropped by recursion: the parser and the drop of its tree go down one level for
//! nearly every token in `----1`, `a.b.b`, `((((`, and a stack that ends ends the process. Overestimates rather than underestimates: it
//! counts what may go deeper, not what does. Refuses to know whether the text is Python.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, lexer};

/// More than scripts have by far (a link of a chain of calls counts two), and little enough for any stack. Blocks are not counted: each
/// level needs a longer indentation than the one around it, so that a file of the size that is read has some 2,000 at most.
const DEEPEST_TOKENS: usize = 1_000;

/// The lexer does not tell where it is.
pub(super) const TOO_DEEP: &str = "nested too deeply to be read";

/// What is open at one place of the text.
struct Level {
    closes_with: TokenKind,
    /// Tokens since the last comma that may go one deeper each.
    chain: usize,
    /// The same for those that a comma does not end: `lambda a, b: lambda c, d: …`.
    kept: usize,
}

impl Level {
    fn new(closes_with: TokenKind) -> Self {
        Self {
            closes_with,
            chain: 0,
            kept: 0,
        }
    }
}

/// Passes if no place of the text can be nested too deeply.
pub(super) fn check(text: &str) -> Result<(), String> {
    let mut lexer = lexer::lex(text, Mode::Module);
    let mut levels = vec![Level::new(TokenKind::EndOfFile)];
    // What is open around the current level, and that level's own.
    let mut depth = 0;
    loop {
        let token = lexer.next_token();
        let Some(level) = levels.last_mut() else {
            return Ok(());
        };
        match token {
            TokenKind::EndOfFile => return Ok(()),
            TokenKind::Comma => depth -= std::mem::take(&mut level.chain),
            TokenKind::Newline => depth -= std::mem::take(&mut level.chain) + std::mem::take(&mut level.kept),
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => {
                level.chain += 1;
                depth += 1;
                levels.push(Level::new(closing(token)));
            }
            // One that closes nothing is left alone: what it seems to close stays open in our count.
            _ if token == level.closes_with => {
                depth -= level.chain + level.kept;
                levels.pop();
            }
            _ if stays(token) => {
                level.kept += 1;
                depth += 1;
            }
            _ if goes_deeper(token) => {
                level.chain += 1;
                depth += 1;
            }
            _ => {}
        }
        if depth > DEEPEST_TOKENS {
            return Err(TOO_DEEP.to_owned());
        }
    }
}

const fn closing(opening: TokenKind) -> TokenKind {
    match opening {
        TokenKind::Lpar => TokenKind::Rpar,
        TokenKind::Lsqb => TokenKind::Rsqb,
        _ => TokenKind::Rbrace,
    }
}

/// What holds a list that has commas of its own, and then something deeper.
fn stays(token: TokenKind) -> bool {
    token.is_keyword() && !is_word(token)
}

/// Everything but what stands for itself.
fn goes_deeper(token: TokenKind) -> bool {
    !is_word(token)
        && !matches!(
            token,
            TokenKind::Name
                | TokenKind::Int
                | TokenKind::Float
                | TokenKind::Complex
                | TokenKind::String
                | TokenKind::FStringStart
                | TokenKind::FStringMiddle
                | TokenKind::FStringEnd
                | TokenKind::Comment
                | TokenKind::NonLogicalNewline
                | TokenKind::Indent
                | TokenKind::Dedent
                | TokenKind::Semi
                | TokenKind::Equal
                | TokenKind::Ellipsis
        )
}

/// Keywords that are whole expressions, or chain without going deeper.
fn is_word(token: TokenKind) -> bool {
    matches!(
        token,
        TokenKind::None
            | TokenKind::True
            | TokenKind::False
            | TokenKind::And
            | TokenKind::Or
            | TokenKind::In
            | TokenKind::Is
    )
}
