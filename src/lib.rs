//! migwatch watches compose stacks whose database migrations must not run by accident.
//!
//! The modules stand in floors; each uses only lower ones, which `tests/it/floors.rs` checks.

// Floor 0: values.
pub mod model;
// Floor 1: understanding, pure.
pub mod alembic;
pub mod command;
pub mod lines;
// Floor 2: judgement, pure.
pub mod judge;
// Floor 3: edges; none knows another.
pub mod database;
pub mod docker;
pub mod files;
pub mod http;
pub mod journal;
pub mod notify;
pub mod probe;
// Floor 4: configuration.
pub mod config;
// Floor 5: the daemon.
pub mod daemon;
// Floor 6: the command line.
pub mod cli;
