//! The engine's watch: against an engine played on the wire (time is paused there), and against the real one.

mod code;
mod execs;
mod images;
mod looks;
mod losses;
mod real;
mod real_compose;
mod real_execs;
mod shapes;
mod starts;
mod watched;
