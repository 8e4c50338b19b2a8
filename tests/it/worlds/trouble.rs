//! What is done to the streams of a world, and to migwatch. Everything follows from numbers, so that a failure can be told again.

use migwatch::model::time::Timestamp;
use proptest::prelude::*;

use super::world::{Event, ms};

/// No report is late by more than this: half as much again as the settling time.
const LATEST: u64 = 15_000;

/// The troubles of one run.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble {
    seed: u64,
    /// Streams are late, each by a time of its own that changes.
    pub(super) late: bool,
    /// Reports come twice, logs are reopened and repeat their last second.
    pub(super) doubled: bool,
    /// Spans in which all events are lost: each begins so many milliseconds before some event, and lasts so many.
    pub(super) cuts: Vec<(prop::sample::Index, u64, u64)>,
    /// Kills of migwatch: when it has decided this many times that something is a fact, and for how many milliseconds it is away.
    pub(super) kills: Vec<(usize, u64)>,
    /// A snapshot is written whenever so many facts were appended.
    pub(super) compacted: Option<usize>,
}

impl Trouble {
    /// None at all.
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// The same, with everything that reaches migwatch at all reaching it before the settling time is over.
    pub(super) fn in_time(&self) -> Self {
        Self {
            late: false,
            cuts: Vec::new(),
            ..self.clone()
        }
    }

    fn number(&self, stream: &str, at: Timestamp, what: u64) -> u64 {
        let moment = u64::try_from(at.as_nanos() / 1_000_000).unwrap_or(0);
        let mut number = self.seed ^ what.rotate_left(32) ^ moment.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for byte in stream.bytes() {
            number = (number ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        number ^= number >> 31;
        number = number.wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 29)
    }

    /// When something of a stream arrives that left at this time.
    pub(super) fn arrives(&self, stream: &str, left: Timestamp) -> Timestamp {
        if !self.late {
            return left.after(ms(1));
        }
        // A stream stays as late as it is for some seconds.
        let span = Timestamp::from_seconds(left.as_nanos() / 8_000_000_000);
        let late = match self.number(stream, span, 1) % 4 {
            0 => self.number(stream, span, 2) % LATEST,
            1 => self.number(stream, span, 2) % 2_000,
            _ => self.number(stream, span, 2) % 20,
        };
        left.after(ms(late))
    }

    /// Once in `one_in` times, where things come doubled.
    pub(super) fn is_doubled(&self, stream: &str, at: Timestamp, one_in: u64) -> bool {
        self.doubled && self.number(stream, at, 3).is_multiple_of(one_in)
    }

    /// Whether a look shows the engine as it is when the event behind it arrives, rather than as it was after the event.
    pub(super) fn looks_late(&self, at: Timestamp) -> bool {
        self.late && self.number("look", at, 4).is_multiple_of(2)
    }

    /// The spans in which events are lost.
    pub(super) fn spans(&self, events: &[Event]) -> Vec<(Timestamp, Timestamp)> {
        let span = |(event, before, length): &(prop::sample::Index, u64, u64)| {
            let from = event.get(events).at.before(ms(*before));
            (from, from.after(ms(*length)))
        };
        self.cuts.iter().map(span).collect()
    }
}

/// Any trouble.
pub(super) fn trouble() -> impl Strategy<Value = Trouble> {
    let cuts = prop::collection::vec((any::<prop::sample::Index>(), 0_u64..2_000, 50_u64..20_000), 0..6);
    let kills = prop::collection::vec((0_usize..60, 100_u64..40_000), 0..10);
    let compacted = prop::option::of(5_usize..60);
    (any::<u64>(), any::<bool>(), any::<bool>(), cuts, kills, compacted).prop_map(
        |(seed, late, doubled, cuts, kills, compacted)| Trouble {
            seed,
            late,
            doubled,
            cuts,
            kills,
            compacted,
        },
    )
}
