//! Floor 1: from a container's bytes to what was said.
//!
//! Promises, for any bytes in any pieces: the same sayings, no panic, memory bounded by a constant a scanner, and next to no work
//! for a line that says nothing. Refuses to know where the bytes come from, what time it is and what follows from a saying: a line
//! is anybody's text, the judge grades it.
//!
//! In the order of the data: [`scanner`] finds lines in chunks (`frames`, `stamp`, `joining`), `patterns` says which are worth a
//! look, [`understand`] reads one (`text`, `announcement`, `step`, `error`), `traceback` makes one cause of an error's many lines.

mod announcement;
mod classify;
mod equals;
mod error;
mod frames;
mod joining;
mod listener;
mod literal;
mod parts;
mod patterns;
mod scanner;
mod stamp;
mod step;
mod text;
mod traceback;
mod understanding;

pub(crate) use patterns::gist;
pub use patterns::{ExtraPatterns, PatternProblem, Patterns};
pub use scanner::{Framing, Scanner};
pub use understanding::understand;
