//! The time that the engine puts before each line.
//!
//! Docker prints nine digits and `Z`; Podman whole seconds and an offset. Both end at the first blank.

use crate::model::time::Timestamp;

/// The longest time that is looked for: nine digits of a second and an offset are 35 bytes.
pub(super) const LONGEST: usize = 36;

/// The shortest: `2026-11-23T09:31:06Z`.
pub(super) const SHORTEST: usize = 20;

/// A line's time as text, and the line without it. `None` if the line does not begin with a time.
pub(super) fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let head = line.get(..LONGEST + 1).unwrap_or(line);
    if !begins_like_a_time(head) {
        return None;
    }
    let blank = memchr::memchr(b' ', head)?;
    (blank >= SHORTEST).then(|| (&line[..blank], &line[blank + 1..]))
}

/// Whether `head` begins with the shape `2026-11-23T09:31:06` (the first `head.len()` bytes of it if it is shorter).
pub(super) fn begins_like_a_time(head: &[u8]) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    !head.is_empty()
        && head.iter().zip(SHAPE).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            mark => byte == mark,
        })
}

/// The time that `stamp` says.
pub(super) fn parse(stamp: &[u8]) -> Option<Timestamp> {
    std::str::from_utf8(stamp).ok()?.parse().ok()
}

/// Whether `stamp` is too coarse to tell lines apart.
pub(super) fn is_coarse(stamp: &[u8]) -> bool {
    stamp.get(SHORTEST - 1) != Some(&b'.')
}

/// The text of a time, kept without allocation until somebody asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    bytes: [u8; LONGEST],
    len: u8,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            bytes: [0; LONGEST],
            len: 0,
        }
    }
}

impl Kept {
    /// Keeps `stamp`, cut to [`LONGEST`] bytes.
    pub(super) fn keep(&mut self, stamp: &[u8]) {
        let len = stamp.len().min(LONGEST);
        self.bytes[..len].copy_from_slice(&stamp[..len]);
        self.len = u8::try_from(len).unwrap_or(0);
    }

    /// The bytes kept; empty if there are none.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The time kept.
    pub(super) fn time(&self) -> Option<Timestamp> {
        parse(self.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::{Kept, is_coarse, parse, split};

    #[test]
    fn a_line_splits_into_its_time_and_its_text() {
        for stamp in [
            "2026-11-23T09:31:06.123456789Z",
            "2026-11-23T10:31:06+01:00",
            "2026-11-23T09:31:06Z",
        ] {
            let line = format!("{stamp}  two blanks");
            assert_eq!(
                split(line.as_bytes()),
                Some((stamp.as_bytes(), &b" two blanks"[..]))
            );
            assert!(parse(stamp.as_bytes()).is_some());
            assert_eq!(is_coarse(stamp.as_bytes()), !stamp.contains('.'));
        }
        for none in [
            "",
            "2026-11-23",
            "2026-11-23T09:31:06Z",
            "hello 2026",
            "2026-11-23 09:31:06 text",
        ] {
            assert_eq!(split(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn podmans_offset_is_the_same_moment() {
        assert_eq!(
            parse(b"2026-11-23T10:31:06+01:00"),
            parse(b"2026-11-23T09:31:06Z")
        );
    }

    #[test]
    fn a_time_of_impossible_digits_is_no_time_and_an_endless_one_is_cut() {
        let mut kept = Kept::default();
        kept.keep(b"2026-99-99T99:99:99Z");
        assert_eq!(kept.time(), None);
        kept.keep(&[b'1'; 100]);
        assert_eq!(kept.as_bytes().len(), super::LONGEST);
    }
}
