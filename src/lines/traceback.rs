//! Makes one cause of an error's many lines.
//!
//! A failed statement prints the driver's error, "the above exception was the direct cause", `SQLAlchemy`'s error and then the
//! statement. The last error of such a chain says it best and is followed by the statement, so an error waits while the lines behind
//! it belong to it, and no longer: any other line, or a flush, releases it.

use crate::model::log::{LineKey, LogLine, Saying, Stream};

use super::error::{self, FoundError};

/// The longest chain that an error waits for, in lines. `SQLAlchemy`'s tracebacks have 90 to 140.
const LONGEST_CHAIN: u32 = 400;

/// What became of a line.
#[derive(Debug)]
pub(super) enum Offer {
    /// It belongs to the error that waits.
    Taken,
    /// It completes the error that waited.
    Complete(LogLine),
    /// It belongs to no error.
    NotMine,
}

#[derive(Debug)]
struct Waiting {
    key: LineKey,
    error: FoundError,
    lines: u32,
    /// `[SQL:` came, with the statement on the next line.
    statement_follows: bool,
}

/// The error that waits, if one does.
#[derive(Debug, Default)]
pub(super) struct Traceback(Option<Waiting>);

impl Traceback {
    /// Whether an error waits.
    pub(super) fn is_waiting(&self) -> bool {
        self.0.is_some()
    }

    /// Lets the error go that waits.
    pub(super) fn release(&mut self) -> Option<LogLine> {
        let waiting = self.0.take()?;
        Some(LogLine {
            key: waiting.key,
            saying: Saying::Failed(waiting.error.cause),
        })
    }

    /// Keeps `error` until its statement comes, or gives it back at once if nothing can follow that matters.
    pub(super) fn hold(&mut self, key: LineKey, error: FoundError) -> Option<LogLine> {
        let may_grow = error.may_grow();
        self.0 = Some(Waiting {
            key,
            error,
            lines: 0,
            statement_follows: false,
        });
        if may_grow { None } else { self.release() }
    }

    /// Shows a line to the error that waits.
    pub(super) fn offer(&mut self, stream: Stream, text: &[u8]) -> Offer {
        let Some(waiting) = &mut self.0 else {
            return Offer::NotMine;
        };
        waiting.lines += 1;
        if waiting.key.stream != stream {
            return Offer::NotMine;
        }
        let text = String::from_utf8_lossy(text);
        let statement = if waiting.statement_follows {
            Some(text.trim())
        } else {
            error::statement_line(&text)
        };
        match statement {
            Some("") => {
                waiting.statement_follows = true;
                Offer::Taken
            }
            Some(statement) => {
                waiting.error.cause.statement = Some(error::clean_statement(statement));
                self.release().map_or(Offer::Taken, Offer::Complete)
            }
            None if waiting.lines < LONGEST_CHAIN && waiting.error.goes_on_with(&text) => Offer::Taken,
            None => Offer::NotMine,
        }
    }

    /// What must be said before a line that belongs to no error: the error that waits, unless the line replaces it (`replaces`), or
    /// is on the other stream and says nothing (`says_something`).
    pub(super) fn before(&mut self, stream: Stream, says_something: bool, replaces: bool) -> Option<LogLine> {
        let waiting = self.0.as_ref()?;
        let same_stream = waiting.key.stream == stream;
        if !same_stream && !says_something && waiting.lines < LONGEST_CHAIN {
            return None;
        }
        if same_stream && replaces && waiting.error.is_drivers() && waiting.lines > 1 {
            self.0 = None;
            return None;
        }
        self.release()
    }
}
