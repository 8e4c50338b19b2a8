//! The configuration file: what is shipped loads and shows every key with its default; what is wrong is told, all of it, with its
//! line, and without secrets.
//! Refuses to know what the daemon does with it.

mod broken;
mod services;
mod shipped;
