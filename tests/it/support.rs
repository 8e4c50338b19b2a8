//! What several subjects need to test: each helper in a file of its own. Knows nothing of any one subject.

pub(crate) mod alertmanager;
pub(crate) mod clock;
pub(crate) mod daemon;
pub(crate) mod dashboard;
pub(crate) mod databases;
pub(crate) mod fake_engine;
pub(crate) mod get;
pub(crate) mod http_service;
pub(crate) mod judged;
pub(crate) mod outage;
pub(crate) mod own_engine;
pub(crate) mod prometheus;
pub(crate) mod real_container;
pub(crate) mod receiver;
pub(crate) mod sample_approvals;
pub(crate) mod sample_code;
pub(crate) mod sample_facts;
pub(crate) mod sample_migrations;
pub(crate) mod sample_schemas;
pub(crate) mod sample_status;
pub(crate) mod served;
pub(crate) mod sqlite_file;
pub(crate) mod stack;
pub(crate) mod story;
pub(crate) mod waiting;
