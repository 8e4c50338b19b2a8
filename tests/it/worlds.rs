//! Judging over time: worlds are made up (deploys, restarts, commands, local runs, moves from elsewhere, failures), and what reaches migwatch of
//! them is cut, doubled, reordered and delayed, while it is killed and compacted. The world itself is the oracle: the same world gives the
//! same migrations and the same verdicts, as far as they can be known.
//!
//! `PROPTEST_CASES=2000 cargo nextest run -E 'test(worlds)'` looks longer.

mod acts;
mod heard;
mod plan;
mod properties;
mod trouble;
mod truth;
mod watch;
mod world;
