//! How far back a log is asked for, and whether that was far enough. Pure.
//!
//! Promises that a resumed log is asked for with a `tail` that grows until its first line is older than the position, and that
//! a gap is named only when even all of the log begins after it. Refuses to know streams.

use std::time::Duration;

use crate::model::log::ResumeFrom;
use crate::model::time::Timestamp;

/// stdout and stderr were seen to interleave with timestamps 5.6 ms backwards, and Podman's are whole seconds: lines this much
/// older than the position are read again.
pub(super) const OVERLAP: Duration = Duration::from_secs(1);

/// Lines asked for in turn until they reach back. The first is enough for a cut that is noticed at once.
const GROWING: [&str; 4] = ["200", "5000", "100000", ALL];

/// The engine's own word.
const ALL: &str = "all";

/// Enough of a container that ran before it was ever seen: history.
const RECENT: &str = "1000";

/// What one request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// A first look: there is no position to reach back to.
    First { tail: &'static str },
    /// Everything after a position.
    Back { position: Timestamp, step: usize },
}

/// What the first line of a stream shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// Nothing after the position is missing.
    Enough,
    /// Lines may be missing: ask again with this.
    TooShort(Reach),
    /// There is no more: what lay between was rotated away.
    Gap { from: Timestamp, to: Timestamp },
}

impl Reach {
    /// What to ask for first.
    pub(super) fn new(resume: ResumeFrom, position: Option<Timestamp>) -> Self {
        match (position, resume) {
            (Some(position), _) | (None, ResumeFrom::Position(position)) => Self::Back { position, step: 0 },
            (None, ResumeFrom::Recent) => Self::First { tail: RECENT },
            (None, ResumeFrom::Everything) => Self::First { tail: ALL },
        }
    }

    /// The value of the query's `tail`.
    pub(super) fn tail(&self) -> &'static str {
        match self {
            Self::First { tail } => tail,
            Self::Back { step, .. } => GROWING.get(*step).copied().unwrap_or(ALL),
        }
    }

    /// Judges by the time of the first line that came.
    pub(super) fn judge(&self, first: Timestamp) -> Reached {
        match *self {
            Self::Back { position, .. } if first < position.before(OVERLAP) => Reached::Enough,
            Self::Back { position, step } if step + 1 < GROWING.len() => Reached::TooShort(Self::Back {
                position,
                step: step + 1,
            }),
            Self::Back { position, .. } if first > position => Reached::Gap {
                from: position,
                to: first,
            },
            Self::First { .. } | Self::Back { .. } => Reached::Enough,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Reach, Reached};
    use crate::model::log::ResumeFrom;
    use crate::model::time::Timestamp;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    /// The tails that are asked for when every answer begins at `first`, and the last verdict.
    fn asked(position: i64, first: i64) -> (Vec<&'static str>, Reached) {
        let mut reach = Reach::new(ResumeFrom::Recent, Some(at(position)));
        let mut tails = vec![reach.tail()];
        loop {
            match reach.judge(at(first)) {
                Reached::TooShort(further) => reach = further,
                verdict => return (tails, verdict),
            }
            tails.push(reach.tail());
        }
    }

    #[test]
    fn a_tail_that_begins_before_the_overlap_is_enough() {
        assert_eq!(asked(100, 98), (vec!["200"], Reached::Enough));
    }

    #[test]
    fn a_tail_that_begins_within_the_overlap_grows_to_the_whole_log_which_is_then_no_gap() {
        let all = vec!["200", "5000", "100000", "all"];
        assert_eq!(asked(100, 99), (all.clone(), Reached::Enough));
        assert_eq!(asked(100, 100), (all, Reached::Enough));
    }

    #[test]
    fn a_log_that_begins_after_the_position_has_a_gap() {
        assert_eq!(
            asked(100, 101).1,
            Reached::Gap {
                from: at(100),
                to: at(101)
            }
        );
    }

    #[test]
    fn a_first_look_has_nothing_to_reach_back_to() {
        assert_eq!(Reach::new(ResumeFrom::Recent, None).tail(), "1000");
        assert_eq!(Reach::new(ResumeFrom::Everything, None).tail(), "all");
        assert_eq!(Reach::new(ResumeFrom::Recent, None).judge(at(1)), Reached::Enough);
    }
}
