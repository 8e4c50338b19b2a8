//! Reads version tables.

pub mod found;
mod target;
pub mod url;

pub use target::{Tables, Target};
