//! What several subjects need: real servers, and how to wait for them.

pub(crate) mod databases;
