//! The one integration test binary: linked once, one module a subject.

mod http;
mod http_listeners;
mod journal;
mod journal_damage;
mod journal_killed;
mod metrics;
mod page;
mod support;
