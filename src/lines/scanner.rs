//! Finds lines in a container's bytes, however these are cut, and hands on those that may say something.
//!
//! While nothing is going on, whole runs of lines are searched for a few literals at once and a line's bounds are looked for only at
//! a hit; the rest of a run is never looked at again. Only what a chunk or the engine cut in two is copied.

use std::sync::Arc;

use crate::model::log::{LogLine, Stream};
use crate::model::redact::{redact, shorten};
use crate::model::time::Timestamp;

use super::frames::{self, HEADER, Kind};
use super::joining::{ENGINE_CUTS_AT, Held, LONGEST_RAW};
use super::listener::Listener;
use super::parts::Parts;
use super::patterns::Patterns;
use super::stamp;

/// How lines lie in the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// The engine's frames (a container without a terminal), each line with its time.
    Multiplexed,
    /// A container with a terminal: no frames, each line with its time, ended by `\r\n`.
    Raw,
    /// A local file: no frames and no times; keys have the time 0.
    Plain,
}

/// The longest text of an engine's error that is kept, in characters.
const LONGEST_ENGINE_ERROR: usize = 500;

/// Reads one log, from wherever it was opened.
///
/// It starts out attentive, as after an announcement, so that the start of an application that migrates nothing is heard too.
#[derive(Debug)]
pub struct Scanner {
    framing: Framing,
    parts: Parts,
    unfinished: [Held; 2],
    listener: Listener,
    engine_error: Option<String>,
}

impl Scanner {
    /// A scanner for one opening of a log.
    pub fn new(patterns: Arc<Patterns>, framing: Framing) -> Self {
        Self {
            framing,
            parts: Parts::new(),
            unfinished: Default::default(),
            listener: Listener::new(patterns, framing),
            engine_error: None,
        }
    }

    /// Takes the next bytes in and calls `said` for each line understood, in order.
    ///
    /// An error of the database waits for the line behind it, which may be its statement: see [`Scanner::flush`].
    pub fn feed(&mut self, chunk: &[u8], said: &mut dyn FnMut(LogLine)) {
        match self.framing {
            Framing::Multiplexed => self.feed_frames(chunk, said),
            Framing::Raw | Framing::Plain => self.feed_lines(chunk, said),
        }
    }

    /// Says what waits for the next line. For a log that fell silent, and before a scanner is given up.
    pub fn flush(&mut self, said: &mut dyn FnMut(LogLine)) {
        self.listener.flush(said);
    }

    /// Whether something waits for the next line.
    pub fn is_waiting(&self) -> bool {
        self.listener.is_waiting()
    }

    /// The log ended in good order: a last line without an end counts as a line, and nothing waits any longer.
    ///
    /// Not for a stream that was cut, where half a line would be taken for a whole one: there [`Scanner::flush`].
    pub fn end(&mut self, said: &mut dyn FnMut(LogLine)) {
        self.finish(Stream::Stdout, said);
        self.finish(Stream::Stderr, said);
        self.listener.flush(said);
    }

    /// The time of the last whole line taken in.
    pub fn position(&self) -> Option<Timestamp> {
        self.listener.last.time()
    }

    /// The time of the first line since [`Scanner::new`]: whether the tail reached back far enough.
    pub fn first_seen(&self) -> Option<Timestamp> {
        self.listener.first.time()
    }

    /// The engine's own error (frame type 3), redacted: it could not read the log on.
    pub fn engine_error(&self) -> Option<&str> {
        self.engine_error.as_deref()
    }

    /// Bytes dropped because they were no frames; more than 0 says that the log was damaged on its way or has a terminal.
    pub fn skipped(&self) -> u64 {
        self.parts.skipped()
    }

    fn unfinished(&mut self, stream: Stream) -> &mut Held {
        let [stdout, stderr] = &mut self.unfinished;
        match stream {
            Stream::Stdout => stdout,
            Stream::Stderr => stderr,
        }
    }

    /// Hands on the unfinished line of `stream` as it is.
    fn finish(&mut self, stream: Stream, said: &mut dyn FnMut(LogLine)) {
        if !self.unfinished(stream).is_empty() {
            let line = self.unfinished(stream).take();
            self.listener.line(stream, &line, said);
            self.unfinished(stream).reuse(line);
        }
    }

    /// Hands on `line`, or keeps it if it has no end; what was kept comes before it.
    fn line_or_part(&mut self, stream: Stream, line: &[u8], said: &mut dyn FnMut(LogLine)) {
        let ends = line.ends_with(b"\n");
        if ends && self.unfinished(stream).is_empty() {
            self.listener.line(stream, line, said);
            return;
        }
        self.unfinished(stream)
            .push(if ends { &line[..line.len() - 1] } else { line });
        if ends {
            self.finish(stream, said);
        }
    }
}

/// Lines without frames.
impl Scanner {
    fn feed_lines(&mut self, chunk: &[u8], said: &mut dyn FnMut(LogLine)) {
        let mut rest = chunk;
        while !rest.is_empty() {
            // A line that is longer than the engine's cut has times inside: it is joined first, then searched.
            let window = rest.get(..ENGINE_CUTS_AT).unwrap_or(rest);
            let whole = memchr::memrchr(b'\n', window).filter(|_| self.unfinished(Stream::Stdout).is_empty());
            let taken = if let Some(end) = whole {
                self.search_lines(&window[..=end], said);
                end + 1
            } else {
                let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
                self.line_or_part(Stream::Stdout, &rest[..end], said);
                end
            };
            rest = &rest[taken..];
        }
    }

    /// `run`: whole lines, none longer than the engine's cut.
    fn search_lines(&mut self, run: &[u8], said: &mut dyn FnMut(LogLine)) {
        let mut rest = run;
        self.listener.note_first(run);
        while !rest.is_empty() {
            if !self.listener.is_attentive() {
                let Some(hit) = self.listener.patterns.triggers.find(rest) else {
                    break;
                };
                let start = memchr::memrchr(b'\n', &rest[..hit]).map_or(0, |end| end + 1);
                rest = &rest[start..];
            }
            let line = first_line(rest);
            self.listener.line(Stream::Stdout, line, said);
            rest = &rest[line.len()..];
        }
        let before_last =
            memchr::memrchr(b'\n', &run[..run.len().saturating_sub(1)]).map_or(0, |end| end + 1);
        self.listener.note(&run[before_last..]);
    }
}

/// Lines in frames.
impl Scanner {
    fn feed_frames(&mut self, chunk: &[u8], said: &mut dyn FnMut(LogLine)) {
        let mut rest = chunk;
        while !rest.is_empty() {
            if self.parts.is_between() {
                let run = self.ordinary_run(rest);
                self.search_frames(run, said);
                rest = &rest[run.frames.len()..];
            }
            let (taken, frame) = self.parts.take(rest);
            if let Some((kind, payload)) = frame {
                self.frame(kind, &payload, said);
                self.parts.reuse(payload);
            }
            rest = &rest[taken..];
        }
    }

    /// The frames at the beginning of `bytes` that are whole and hold whole lines.
    fn ordinary_run<'a>(&self, bytes: &'a [u8]) -> Run<'a> {
        let free = self.unfinished.each_ref().map(Held::is_empty);
        let mut end = 0;
        let mut last: &[u8] = &[];
        while let Some((header, payload)) = frames::whole(&bytes[end..]) {
            let ordinary = match header.kind {
                Kind::Text(Stream::Stdout) => free[0],
                Kind::Text(Stream::Stderr) => free[1],
                Kind::EngineError => false,
            };
            if !ordinary || payload.last() != Some(&b'\n') || payload.len() > LONGEST_RAW {
                break;
            }
            end += HEADER + payload.len();
            last = payload;
        }
        Run {
            frames: &bytes[..end],
            last,
        }
    }

    fn search_frames(&mut self, run: Run<'_>, said: &mut dyn FnMut(LogLine)) {
        let mut rest = run.frames;
        if let Some((_, first)) = frames::whole(rest) {
            self.listener.note_first(first);
        }
        while !rest.is_empty() {
            if !self.listener.is_attentive() {
                let Some(hit) = self.listener.patterns.triggers.find(rest) else {
                    break;
                };
                rest = from_frame_at(rest, hit);
            }
            let Some((header, payload)) = frames::whole(rest) else {
                break;
            };
            if let Kind::Text(stream) = header.kind {
                for line in lines(payload) {
                    self.listener.line(stream, line, said);
                }
            }
            rest = &rest[HEADER + payload.len()..];
        }
        self.listener.note(run.last);
    }

    /// A frame that is out of the ordinary: it came in parts, or it holds part of a line.
    fn frame(&mut self, kind: Kind, payload: &[u8], said: &mut dyn FnMut(LogLine)) {
        let Kind::Text(stream) = kind else {
            let text = String::from_utf8_lossy(payload);
            self.engine_error = Some(shorten(&redact(text.trim()), LONGEST_ENGINE_ERROR));
            return;
        };
        let mut rest = payload;
        if let Some((again, text)) = stamp::split(payload) {
            match stamp::split(self.unfinished(stream).as_bytes()) {
                Some((begun, _)) if begun == again => rest = text,
                // Another time: the container died in the middle of the line before.
                _ => self.finish(stream, said),
            }
        }
        for line in lines(rest) {
            self.line_or_part(stream, line, said);
        }
    }
}

/// Whole frames that hold whole lines.
#[derive(Clone, Copy)]
struct Run<'a> {
    frames: &'a [u8],
    /// What the last of them carries.
    last: &'a [u8],
}

/// `frames` from the frame on that holds the byte `at`.
fn from_frame_at(frames: &[u8], at: usize) -> &[u8] {
    let mut start = 0;
    while let Some((_, payload)) = frames::whole(&frames[start..]) {
        let end = start + HEADER + payload.len();
        if end > at {
            break;
        }
        start = end;
    }
    &frames[start..]
}

fn first_line(bytes: &[u8]) -> &[u8] {
    memchr::memchr(b'\n', bytes).map_or(bytes, |end| &bytes[..=end])
}

fn lines(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    payload.split_inclusive(|byte| *byte == b'\n')
}
