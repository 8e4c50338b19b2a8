//! The one integration test binary: linked once, one module a subject.

mod notify;
mod probing;
mod support;
