//! The one integration test binary: linked once, one module a subject.
