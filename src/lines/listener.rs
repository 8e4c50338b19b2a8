//! Listens to whole lines: decides which are worth understanding, and gives what they say its identity.
//!
//! Promises the same answer for a line whether it was found by search or handed on because something is going on.

use std::borrow::Cow;
use std::sync::Arc;

use crate::model::fnv::Fnv;
use crate::model::log::{LineKey, LogLine, Saying, Stream};
use crate::model::time::Timestamp;

use super::equals::EqualsByStream;
use super::joining::{LONGEST_LINE, without_end, without_repeated};
use super::patterns::Patterns;
use super::scanner::Framing;
use super::stamp::{self, Kept};
use super::traceback::{Offer, Traceback};
use super::understanding::{Understood, read};

/// For how many lines after a saying every line is looked at, so that the application's own start is heard. A start that prints more
/// than this before it serves is told by other witnesses.
const ATTENTION: u32 = 20_000;

/// What is known of the lines so far.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) patterns: Arc<Patterns>,
    /// The time of the first line.
    pub(super) first: Kept,
    /// The time of the last whole line.
    pub(super) last: Kept,
    framing: Framing,
    attention: u32,
    /// Alembic said that it only prints SQL: its steps move nothing.
    offline: bool,
    traceback: Traceback,
    equals: EqualsByStream,
}

impl Listener {
    pub(super) fn new(patterns: Arc<Patterns>, framing: Framing) -> Self {
        Self {
            patterns,
            first: Kept::default(),
            last: Kept::default(),
            framing,
            attention: ATTENTION,
            offline: false,
            traceback: Traceback::default(),
            equals: EqualsByStream::default(),
        }
    }

    /// Whether every line wants to be seen, not only those with a trigger.
    pub(super) fn is_attentive(&self) -> bool {
        self.attention > 0 || self.is_waiting()
    }

    /// Whether an error waits for the lines behind it.
    pub(super) fn is_waiting(&self) -> bool {
        self.traceback.is_waiting()
    }

    /// Notes the time of the first line there is, at the beginning of `lines`.
    pub(super) fn note_first(&mut self, lines: &[u8]) {
        if self.first.as_bytes().is_empty()
            && let Some((stamp, _)) = self.split(lines)
        {
            self.first.keep(stamp);
        }
    }

    /// Notes the time of a line that is taken in.
    pub(super) fn note(&mut self, line: &[u8]) {
        if let Some((stamp, _)) = self.split(line) {
            self.last.keep(stamp);
            self.note_first(line);
        }
    }

    /// The time of a line and its text; a local file's lines have no time.
    fn split<'a>(&self, line: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        match self.framing {
            Framing::Plain => None,
            Framing::Multiplexed | Framing::Raw => stamp::split(line),
        }
    }

    /// Says what waits.
    pub(super) fn flush(&mut self, said: &mut dyn FnMut(LogLine)) {
        if let Some(line) = self.traceback.release() {
            said(line);
        }
    }

    /// Takes one whole line in.
    pub(super) fn line(&mut self, stream: Stream, line: &[u8], said: &mut dyn FnMut(LogLine)) {
        self.note(line);
        let line = without_end(line);
        let (stamp, text) = self.split(line).unwrap_or((&[], line));
        let text = match self.framing {
            Framing::Raw => without_repeated(stamp, text),
            Framing::Multiplexed | Framing::Plain => Cow::Borrowed(text),
        };
        let text = text.get(..LONGEST_LINE).unwrap_or(&text);
        match self.traceback.offer(stream, text) {
            Offer::Taken => {}
            Offer::Complete(line) => said(line),
            Offer::NotMine => self.hear(stream, stamp, text, said),
        }
        self.attention = self.attention.saturating_sub(1);
    }

    fn hear(&mut self, stream: Stream, stamp: &[u8], text: &[u8], said: &mut dyn FnMut(LogLine)) {
        let literals = if self.attention > 0 {
            &self.patterns.while_attentive
        } else {
            &self.patterns.triggers
        };
        let understood = match literals.find(text) {
            Some(_) => read(&self.patterns, &String::from_utf8_lossy(text)),
            None => None,
        };
        let replaces = matches!(&understood, Some(Understood::Error(error)) if error.replaces_drivers());
        if let Some(line) = self.traceback.before(stream, understood.is_some(), replaces) {
            said(line);
        }
        let Some(understood) = understood else { return };
        match understood {
            Understood::SqlOnly => self.offline = true,
            Understood::Error(error) => {
                let key = self.key(stream, stamp, text);
                self.attention = ATTENTION;
                if let Some(line) = self.traceback.hold(key, error) {
                    said(line);
                }
            }
            Understood::Saying(saying) => {
                if self.takes_note_of(&saying) {
                    let key = self.key(stream, stamp, text);
                    said(LogLine { key, saying });
                }
            }
        }
    }

    /// Changes what is listened for after `saying`; whether it is worth saying.
    fn takes_note_of(&mut self, saying: &Saying) -> bool {
        match saying {
            Saying::ApplicationUp => return std::mem::take(&mut self.attention) > 0,
            Saying::Context { .. } => self.offline = false,
            Saying::Step(_) if self.offline => return false,
            _ => {}
        }
        self.attention = ATTENTION;
        true
    }

    fn key(&mut self, stream: Stream, stamp: &[u8], text: &[u8]) -> LineKey {
        let own = stamp::parse(stamp);
        let at = own
            .or_else(|| self.last.time())
            .unwrap_or(Timestamp::from_nanos(0));
        let hash = Fnv::of_bytes(text);
        let ordinal = if stamp::is_coarse(stamp) {
            self.equals.ordinal(at, stream, hash)
        } else {
            0
        };
        LineKey {
            at,
            stream,
            hash,
            ordinal,
        }
    }
}
