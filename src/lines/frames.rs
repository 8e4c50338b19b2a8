//! The engine's frames: `[stream, 0, 0, 0, length as 4 bytes, most significant first]`, then as many bytes.
//!
//! Source: Docker's API reference, `ContainerAttach`, "Stream format"; type 3 is moby's `pkg/stdcopy` `Systemerr`.

use crate::model::log::Stream;

use super::stamp;

/// A header's length.
pub(super) const HEADER: usize = 8;

/// The longest frame that is believed. The engine cuts lines at 16 KiB; a greater length is a header out of step.
const LONGEST: usize = 1 << 20;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A line, or a part of one.
    Text(Stream),
    /// The engine's own error.
    EngineError,
}

/// What a header announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) length: usize,
}

/// The header at the beginning of `bytes`; `None` if they are none, or too few.
pub(super) fn header(bytes: &[u8]) -> Option<Header> {
    let &[kind, 0, 0, 0, a, b, c, d] = bytes.first_chunk::<HEADER>()? else {
        return None;
    };
    let kind = match kind {
        0 | 1 => Kind::Text(Stream::Stdout),
        2 => Kind::Text(Stream::Stderr),
        3 => Kind::EngineError,
        _ => return None,
    };
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
    (length <= LONGEST).then_some(Header { kind, length })
}

/// A whole frame at the beginning of `bytes`.
pub(super) fn whole(bytes: &[u8]) -> Option<(Header, &[u8])> {
    let header = header(bytes)?;
    let payload = bytes.get(HEADER..HEADER + header.length)?;
    Some((header, payload))
}

/// Looks for the next frame after a header that cannot be: a header with the beginning of a time behind it.
#[derive(Debug, Default)]
pub(super) struct Search {
    window: [u8; Search::WIDTH],
    filled: usize,
}

impl Search {
    /// A header and `2026-11-23T`.
    const WIDTH: usize = HEADER + 11;

    /// Takes one byte in. Says what the frame is once it is found, and the bytes of its payload that were taken in meanwhile.
    pub(super) fn push(&mut self, byte: u8) -> Option<(Header, [u8; Self::WIDTH - HEADER])> {
        if self.filled == Self::WIDTH {
            self.window.rotate_left(1);
            self.filled -= 1;
        }
        self.window[self.filled] = byte;
        self.filled += 1;
        if self.filled < Self::WIDTH {
            return None;
        }
        let header = header(&self.window)?;
        let payload = *self.window.last_chunk()?;
        let found = header.length > stamp::SHORTEST && stamp::begins_like_a_time(&payload);
        found.then_some((header, payload))
    }
}

#[cfg(test)]
mod tests {
    use super::{Header, Kind, Search, header, whole};
    use crate::model::log::Stream;

    #[test]
    fn a_header_says_stream_and_length() {
        let text = Kind::Text(Stream::Stderr);
        assert_eq!(
            header(&[2, 0, 0, 0, 0, 0, 1, 4]),
            Some(Header {
                kind: text,
                length: 260
            })
        );
        assert_eq!(
            whole(&[2, 0, 0, 0, 0, 0, 0, 1, 65, 66]),
            Some((
                Header {
                    kind: text,
                    length: 1
                },
                &b"A"[..]
            ))
        );
        assert_eq!(whole(&[2, 0, 0, 0, 0, 0, 0, 9, 65]), None);
    }

    #[test]
    fn an_unknown_stream_a_stray_byte_and_a_huge_length_are_no_header() {
        for bytes in [
            [4, 0, 0, 0, 0, 0, 0, 1],
            [1, 0, 7, 0, 0, 0, 0, 1],
            [1, 0, 0, 0, 255, 0, 0, 0],
        ] {
            assert_eq!(header(&bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn the_search_finds_the_next_frame_behind_rubbish() {
        let mut bytes = b"rubbish\x01\x00\x00\x00".to_vec();
        bytes.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 40]);
        bytes.extend_from_slice(b"2026-11-23T09:31:06.123456789Z hello");
        let mut search = Search::default();
        let found = bytes.iter().find_map(|byte| search.push(*byte));
        assert_eq!(found.map(|(header, _)| header.length), Some(40));
    }
}
