//! migwatch watches compose stacks whose database migrations must not run by accident.
//!
//! The modules stand in floors; each uses only lower ones, which `tests/it/floors.rs` checks:
//! values ([`model`]), judgement, edges, config, daemon, command line.

pub mod judge;
pub mod docker;
pub mod lines;
pub mod database;
pub mod http;
pub mod journal;
pub mod model;
pub mod notify;
pub mod probe;
