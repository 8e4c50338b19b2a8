//! A frame that comes in parts, or whose header cannot be.
//!
//! Promises to be in step again at the next header that has a time behind it, whatever came before; memory is bounded.

use super::frames::{self, HEADER, Header, Kind, Search};
use super::joining::{Held, LONGEST_RAW};

/// Where in the frames the bytes stand.
#[derive(Debug)]
enum Reading {
    Header { bytes: [u8; HEADER], filled: usize },
    Frame { header: Header, missing: usize },
    Lost(Search),
}

const BETWEEN: Reading = Reading::Header {
    bytes: [0; HEADER],
    filled: 0,
};

/// The frame that is not whole yet.
#[derive(Debug)]
pub(super) struct Parts {
    reading: Reading,
    payload: Held,
    skipped: u64,
}

impl Parts {
    /// Between two frames.
    pub(super) fn new() -> Self {
        Self {
            reading: BETWEEN,
            payload: Held::default(),
            skipped: 0,
        }
    }

    /// Whether the next byte begins a header.
    pub(super) fn is_between(&self) -> bool {
        matches!(self.reading, Reading::Header { filled: 0, .. })
    }

    /// Bytes that were no frames.
    pub(super) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Takes bytes in, up to the end of a frame at most. Says how many, and the frame if it is whole now: at most
    /// [`LONGEST_RAW`] bytes of it, give them back with [`Parts::reuse`].
    pub(super) fn take(&mut self, bytes: &[u8]) -> (usize, Option<(Kind, Vec<u8>)>) {
        match &mut self.reading {
            Reading::Header { bytes: head, filled } => {
                let taken = (HEADER - *filled).min(bytes.len());
                head[*filled..*filled + taken].copy_from_slice(&bytes[..taken]);
                *filled += taken;
                if *filled == HEADER {
                    let head = *head;
                    self.begin(head);
                }
                (taken, None)
            }
            Reading::Frame { header, missing } => {
                let taken = (*missing).min(bytes.len());
                *missing -= taken;
                let (kind, length, whole) = (header.kind, header.length, *missing == 0);
                self.payload.push(&bytes[..taken]);
                (
                    taken,
                    whole.then(|| (kind, self.whole(length, bytes[..taken].last()))),
                )
            }
            Reading::Lost(search) => {
                let found = bytes.iter().enumerate().find_map(|(index, byte)| {
                    search
                        .push(*byte)
                        .map(|(header, payload)| (index + 1, header, payload))
                });
                let taken = found.map_or(bytes.len(), |(taken, ..)| taken);
                self.skipped += taken as u64;
                if let Some((_, header, payload)) = found {
                    self.skipped = self.skipped.saturating_sub((HEADER + payload.len()) as u64);
                    self.payload.push(&payload);
                    self.reading = Reading::Frame {
                        header,
                        missing: header.length - payload.len(),
                    };
                }
                (taken, None)
            }
        }
    }

    /// Gives the memory of a frame back.
    pub(super) fn reuse(&mut self, payload: Vec<u8>) {
        self.payload.reuse(payload);
    }

    fn begin(&mut self, head: [u8; HEADER]) {
        self.reading = match frames::header(&head) {
            Some(Header { length: 0, .. }) => BETWEEN,
            Some(header) => Reading::Frame {
                header,
                missing: header.length,
            },
            None => {
                self.skipped += HEADER as u64;
                let mut search = Search::default();
                for byte in head {
                    // Eight bytes are too few to find anything.
                    let _ = search.push(byte);
                }
                Reading::Lost(search)
            }
        };
    }

    /// The frame of `length` bytes, cut to the bound but with its last byte if that ends a line.
    fn whole(&mut self, length: usize, last: Option<&u8>) -> Vec<u8> {
        self.reading = BETWEEN;
        let mut payload = self.payload.take();
        if length > LONGEST_RAW && last == Some(&b'\n') {
            payload.push(b'\n');
        }
        payload
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, LONGEST_RAW, Parts};
    use crate::model::log::Stream;

    #[test]
    fn a_frame_of_a_megabyte_is_cut_to_the_bound_and_the_next_one_read() {
        let mut body = [
            &[1, 0, 0, 0, 0, 0x10, 0, 0][..],
            &vec![b'x'; (1 << 20) - 1],
            b"\n",
        ]
        .concat();
        body.extend_from_slice(b"\x02\x00\x00\x00\x00\x00\x00\x02a\n");
        let mut parts = Parts::new();
        let mut found = Vec::new();
        for mut rest in body.chunks(1000) {
            while !rest.is_empty() {
                let (taken, frame) = parts.take(rest);
                rest = &rest[taken..];
                found.extend(frame);
                assert!(parts.payload.as_bytes().len() <= LONGEST_RAW);
            }
        }
        let lengths: Vec<_> = found
            .iter()
            .map(|(kind, payload)| (*kind, payload.len()))
            .collect();
        assert_eq!(
            lengths,
            [
                (Kind::Text(Stream::Stdout), LONGEST_RAW + 1),
                (Kind::Text(Stream::Stderr), 2)
            ]
        );
    }

    #[test]
    fn endless_rubbish_is_counted_and_not_kept() {
        let mut parts = Parts::new();
        for _ in 0..1000 {
            let mut rest = &[b'x'; 1000][..];
            while !rest.is_empty() {
                rest = &rest[parts.take(rest).0..];
            }
        }
        assert_eq!(parts.skipped(), 1_000_000);
        assert!(parts.payload.is_empty() && !parts.is_between());
    }
}
