//! The one integration test binary: linked once, one module a subject.

mod logs;
mod support;
