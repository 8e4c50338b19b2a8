//! A line that is not whole yet, kept until its end comes.
//!
//! The engine cuts a line at 16 KiB and repeats the line's time before each part: with frames at the beginning of each frame, with
//! a terminal in the middle of the text. A line is kept up to a bound; what is beyond is dropped, its end is still found.

use std::borrow::Cow;

/// Where the engine cuts a line (moby's `daemon/logger/copier.go`, `defaultBufSize`).
pub(super) const ENGINE_CUTS_AT: usize = 16 * 1024;

/// What is kept of a line for understanding; no announcement, revision or key line of an error comes near.
pub(super) const LONGEST_LINE: usize = 64 * 1024;

/// What is kept of a line or frame before times are taken out of it.
pub(super) const LONGEST_RAW: usize = LONGEST_LINE + 2 * 1024;

/// An idle scanner holds no more than this for each unfinished line.
const IDLE: usize = 4 * 1024;

/// An unfinished line or frame.
#[derive(Debug, Default)]
pub(super) struct Held {
    bytes: Vec<u8>,
}

impl Held {
    /// Nothing is held.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What is held.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Adds what fits.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let room = LONGEST_RAW.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// Takes what is held out; give it back with [`Held::reuse`].
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// Keeps the memory of `bytes`, if it is little, for the next line.
    pub(super) fn reuse(&mut self, mut bytes: Vec<u8>) {
        if self.bytes.is_empty() && bytes.capacity() <= IDLE {
            bytes.clear();
            self.bytes = bytes;
        }
    }
}

/// `line` without its end (`\n`, `\r\n`).
pub(super) fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// `text` without the repetitions of `stamp` that a terminal's engine cuts leave in it.
pub(super) fn without_repeated<'a>(stamp: &[u8], text: &'a [u8]) -> Cow<'a, [u8]> {
    if stamp.is_empty() || text.len() <= ENGINE_CUTS_AT {
        return Cow::Borrowed(text);
    }
    let repeated = [stamp, b" "].concat();
    let mut joined = Vec::with_capacity(text.len().min(LONGEST_RAW));
    let mut from = 0;
    for at in memchr::memmem::find_iter(text, &repeated) {
        joined.extend_from_slice(text.get(from..at).unwrap_or_default());
        from = at + repeated.len();
    }
    joined.extend_from_slice(text.get(from..).unwrap_or_default());
    Cow::Owned(joined)
}

#[cfg(test)]
mod tests {
    use super::{Held, IDLE, LONGEST_RAW, without_end, without_repeated};

    #[test]
    fn a_held_line_is_bounded_and_a_long_ones_memory_is_given_back() {
        let mut held = Held::default();
        for _ in 0..100 {
            held.push(&[b'x'; 10_000]);
        }
        assert_eq!(held.as_bytes().len(), LONGEST_RAW);
        let bytes = held.take();
        held.reuse(bytes);
        assert!(held.is_empty() && held.bytes.capacity() <= IDLE);
    }

    #[test]
    fn only_the_lines_own_end_is_taken_off() {
        assert_eq!(without_end(b"a\r\r\n"), b"a\r");
        assert_eq!(without_end(b"a\n\n"), b"a\n");
        assert_eq!(without_end(b"a"), b"a");
    }

    #[test]
    fn times_inside_a_long_terminal_line_disappear() {
        let stamp = b"2026-11-23T09:31:06.123456789Z";
        let part = "x".repeat(16_384);
        let text = format!("{part}2026-11-23T09:31:06.123456789Z {part}2026-11-23T09:31:06.123456789Z end");
        assert_eq!(
            &*without_repeated(stamp, text.as_bytes()),
            format!("{part}{part}end").as_bytes()
        );
        let short = b"2026-11-23T09:31:06.123456789Z again";
        assert_eq!(&*without_repeated(stamp, short), short);
    }
}
