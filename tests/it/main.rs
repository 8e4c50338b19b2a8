//! The one integration test binary: linked once, one module a subject.
#![expect(
    clippy::panic,
    reason = "a helper of a test fails the test by panicking, with a sentence that tells what to do"
)]

mod docker;
mod floors;
mod logs;
mod played_engine;
mod shipped;
mod support;
