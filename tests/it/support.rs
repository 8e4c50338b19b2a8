//! What several subjects need.

pub(crate) mod sample_facts;
pub(crate) mod sample_migrations;
pub(crate) mod sample_status;
pub(crate) mod served;
