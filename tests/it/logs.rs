//! The log tail against an engine played on the wire, and against the real one.
//!
//! Time is paused where the engine is played: a wait of a minute takes none.

mod cuts;
mod real;
mod resume;
mod silence;
mod watched;
