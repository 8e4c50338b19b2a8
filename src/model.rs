//! Floor 0: the words of migwatch as plain values.
//!
//! Promises values that cannot fail at run time and whose serialised form is stable. Refuses to know tokio, I/O, any clock,
//! and what is concluded from the values.

pub mod alert;
pub mod approval;
pub mod backoff;
pub mod cause;
pub mod container;
pub mod database;
pub mod exec;
pub mod fact;
pub mod file;
pub mod fnv;
pub mod lock;
pub mod log;
pub mod migration;
pub mod observation;
pub mod plan;
pub mod policy;
pub mod preflight;
pub mod probe;
pub mod redact;
pub mod revision;
pub mod schema;
pub mod script;
pub mod service;
pub mod status;
pub mod time;
