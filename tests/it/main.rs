//! The one integration test binary: linked once, one module a subject.
#![expect(
    clippy::panic,
    reason = "a helper of a test fails the test by panicking, with a sentence that tells what to do"
)]

mod floors;
mod logs;
mod shipped;
    clippy::unwrap_used,
    reason = "a helper of tests fails like a test"
mod database;
mod notify;
mod probing;
mod http;
mod journal;
mod journal_damage;
mod journal_killed;
mod metrics;
mod page;
mod lines;
mod support;
