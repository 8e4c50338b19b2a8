//! The pure heart: what one line says.

use std::sync::LazyLock;

use regex::Regex;

use crate::model::log::Saying;

use super::error::{self, FoundError};
use super::patterns::Patterns;
use super::{announcement, step, text};

static CONTEXT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\bContext impl ([A-Za-z0-9_]+)").expect("a pattern of our own"));

/// What a line says, with what a scanner needs beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Understood {
    /// What it says.
    Saying(Saying),
    /// An error, perhaps one of several that make one cause.
    Error(FoundError),
    /// Alembic's offline mode: what follows is printed, not carried out.
    SqlOnly,
}

/// What `text`, one line without its time and end, says. Each call is for itself: an error's statement is found only if it stands in
/// the same text, as in a JSON line.
pub fn understand(patterns: &Patterns, text: &str) -> Option<Saying> {
    match read(patterns, text)? {
        Understood::Saying(saying) => Some(saying),
        Understood::Error(error) => Some(Saying::Failed(error.cause)),
        Understood::SqlOnly => None,
    }
}

/// What `line` says.
pub(super) fn read(patterns: &Patterns, line: &str) -> Option<Understood> {
    let line = text::without_colours(line);
    let messages = text::messages(&line);
    messages
        .iter()
        .find_map(|message| read_message(patterns, message))
}

fn read_message(patterns: &Patterns, message: &str) -> Option<Understood> {
    let understood = announcement::configured(patterns, message)
        .or_else(|| step::parse(message).map(Saying::Step))
        .or_else(|| context(message))
        .map(Understood::Saying)
        .or_else(|| error::find(message).map(Understood::Error))
        .or_else(|| announcement::builtin(message).map(Understood::Saying))
        .or_else(|| {
            message
                .contains("Generating static SQL")
                .then_some(Understood::SqlOnly)
        })?;
    (!text::quotes_a_request(message)).then_some(understood)
}

fn context(message: &str) -> Option<Saying> {
    let dialect = CONTEXT.captures(message)?.get(1)?.as_str();
    Some(Saying::Context {
        dialect: dialect.to_owned(),
    })
}
