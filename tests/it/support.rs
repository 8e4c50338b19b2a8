//! What several subjects need to test: each helper in a file of its own. Knows nothing of any one subject.

pub(crate) mod dashboard;
pub(crate) mod fake_engine;
pub(crate) mod real_container;
//! What several subjects need: real servers, and how to wait for them.
pub(crate) mod databases;
//! What several subjects' tests share: real servers on loopback, and the time.
pub(crate) mod clock;
pub(crate) mod http_service;
pub(crate) mod receiver;
//! What several subjects need.
pub(crate) mod sample_facts;
pub(crate) mod sample_migrations;
pub(crate) mod sample_status;
