//! The one integration test binary: linked once, one module a subject.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper of a test fails the test by panicking, with a sentence that tells what to do"
)]

mod alembic;
mod before_a_deploy;
mod cli;
mod commands;
mod config;
mod daemon;
mod database;
mod docker;
mod e2e;
mod engine_away;
mod files;
mod floors;
mod http;
mod http_listeners;
mod journal;
mod journal_damage;
mod journal_killed;
mod lines;
mod local_process;
mod logs;
mod metrics;
mod notify;
mod page;
mod panels;
mod played_engine;
mod played_product;
mod probing;
mod readme;
mod scenarios;
mod shipped;
mod support;
mod verdicts;
mod worlds;
