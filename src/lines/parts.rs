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
