//! Why `alembic upgrade` would not start, one class for each of Alembic's errors.
//! Refuses to know the database: what fails while steps run is not told here.

use std::fmt;

use super::Problem;
use crate::model::revision::Revision;

/// The most revisions that a sentence names.
const NAMED: usize = 5;

/// Why an upgrade to a target is refused. The name of Alembic's error, or the text it prints, stands at each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The scripts themselves are wrong (`CycleDetected`, `KeyError` and others, whatever is asked).
    #[error("the scripts cannot be put in order: {0}")]
    Broken(Problem),
    /// `Range revision not allowed`.
    #[error("{target} is a range, which is no target of an upgrade")]
    Range {
        /// The target as given.
        target: String,
    },
    /// `Can't locate revision identified by ...`: no revision, no label, no beginning of one.
    #[error("no script has the revision or label {name}")]
    NotFound {
        /// What was looked for, in the target or in the version table.
        name: String,
    },
    /// `Can't locate revision identified by ...`: the beginning of several.
    #[error(
        "{name} is the beginning of several revisions or labels: {}",
        List(candidates)
    )]
    Ambiguous {
        /// What was looked for.
        name: String,
        /// What begins so.
        candidates: Vec<String>,
    },
    /// `Can't locate revision identified by ...`: what stands before the `@` is nothing.
    #[error("no script has the revision or label {branch}, which shall name a branch")]
    NoSuchBranch {
        /// The branch as given.
        branch: String,
    },
    /// `Can't locate revision identified by ...`: it exists elsewhere.
    #[error("revision {revision} is not on the branch {branch}")]
    NotOnBranch {
        /// The revision.
        revision: Revision,
        /// The branch as given.
        branch: String,
    },
    /// `Multiple head revisions are present for given argument ...`.
    #[error("{argument} may be any of several heads: {}", List(heads))]
    MultipleHeads {
        /// What shall be one revision.
        argument: String,
        /// What it may be.
        heads: Vec<Revision>,
    },
    /// `Requested revision ... overlaps with other requested revisions ...`: among the targets or the rows, some come before another.
    #[error(
        "{} comes before {revision}, and both are asked for or in the version table",
        List(with)
    )]
    Overlap {
        /// The later one.
        revision: Revision,
        /// The earlier ones.
        with: Vec<Revision>,
    },
    /// `Ambiguous upgrade from multiple current revisions`: `+N` with several rows.
    #[error("the target is relative, but the version table has several revisions to count from")]
    AmbiguousStart,
    /// `Ambiguous walk`: a relative target leads over a fork.
    #[error("the target is relative, but leads to several revisions")]
    AmbiguousWalk,
    /// `Relative revision ... didn't produce ... migrations`.
    #[error("the target is {steps} steps away, but there are not so many")]
    TooFar {
        /// As far as the target goes; at most what 64 bits hold.
        steps: i64,
    },
    /// The target is no revision at all, such as `head+1`: Alembic ends in an `AssertionError`.
    #[error("{target} leads to no revision")]
    Nowhere {
        /// What was given.
        target: String,
    },
    /// Working out the order would take too long. Alembic has no such limit, only patience.
    #[error("too many branches lead through one another to work out their order")]
    TooTangled,
}

/// Some of a list, divided by commas.
struct List<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, one) in self.0.iter().take(NAMED).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{one}")?;
        }
        if self.0.len() > NAMED {
            write!(f, " and {} more", self.0.len() - NAMED)?;
        }
        Ok(())
    }
}
