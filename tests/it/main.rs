//! The one integration test binary: linked once, one module a subject.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of tests fails like a test"
)]

mod database;
mod support;
