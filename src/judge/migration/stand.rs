//! Where a version table stood and stands, as far as the readings tell. Refuses to know who moved it.

use super::super::tables::TableRecord;
use super::reading::{LATE, SKEW};
use crate::model::revision::{Heads, Standing};
use crate::model::time::Timestamp;

/// A place where a table stood or stands, and how it came there.
pub(super) struct Stand<'a> {
    pub(super) from: Option<&'a Standing>,
    pub(super) to: &'a Heads,
    pub(super) at: Timestamp,
    /// When it was last read where it stood before.
    pub(super) read_before: Option<Timestamp>,
    /// It is a move, not what was found there at first.
    pub(super) moved: bool,
    /// A migration has it already.
    pub(super) explained: bool,
}

impl Stand<'_> {
    /// Alembic makes its table before the first step, and empty: that brings the schema nowhere.
    pub(super) fn is_new_and_empty(&self) -> bool {
        self.from == Some(&Standing::Missing) && self.to.0.is_empty()
    }

    /// It moved by then, as far as the readings tell: how late the move was seen says nothing.
    pub(super) fn may_have_moved_by(&self, at: Timestamp) -> bool {
        match self.read_before {
            Some(before) => before <= at.after(SKEW),
            None => self.at <= at.after(LATE),
        }
    }
}

/// Every place of a table that is remembered, oldest first.
pub(super) fn stands(record: &TableRecord) -> Vec<Stand<'_>> {
    if record.moves.is_empty() {
        let Standing::At(to) = &record.standing else {
            return Vec::new();
        };
        return vec![Stand {
            from: None,
            to,
            at: record.since,
            read_before: None,
            moved: false,
            explained: false,
        }];
    }
    let moves = record.moves.iter().filter_map(|moved| match &moved.to {
        Standing::At(to) => Some(Stand {
            from: Some(&moved.from),
            to,
            at: moved.at,
            read_before: moved.read_before,
            moved: true,
            explained: moved.explained,
        }),
        Standing::Missing => None,
    });
    moves.collect()
}
