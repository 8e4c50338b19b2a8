//! What several subjects need to test: each helper in a file of its own. Knows nothing of any one subject.

pub(crate) mod dashboard;
pub(crate) mod fake_engine;
pub(crate) mod real_container;
