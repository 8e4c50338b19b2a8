//! Floor 1: what a service's code says about its migrations, without running any of it.
//!
//! Promises answers that follow from the given bytes alone, in bounded time, memory and depth, whatever the bytes: settings, env.py and
//! scripts are read, SQL in them is told apart, the revision graph answers as Alembic does, and each operation says what it risks. Refuses
//! to find or open files, to run Python, to know a database, and to guess: what cannot be known is said to be unreadable.

pub mod code;
pub mod environment;
pub mod graph;
pub mod paths;
pub mod plan;
mod python;
pub mod risk;
pub mod script;
pub mod settings;
pub mod sql;

/// The longest file of settings that is read, and the longest text that is put together of several, in bytes.
pub const LONGEST_FILE: usize = 256 * 1024;
/// The longest script that is read, in bytes. Scripts have 1 to 20 KiB; those that were generated or hold data have up to some MiB.
pub const LONGEST_SCRIPT: usize = 2 * 1024 * 1024;
