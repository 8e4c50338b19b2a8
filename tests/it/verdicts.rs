//! The judge, told as stories: what happens to a stack, and what must be concluded, alerted and kept quiet. Each test is a true sentence.

mod baseline;
mod claims;
mod closing;
mod deploys;
mod failures;
mod health;
mod order;
mod outbox;
mod policies;
mod properties;
mod replaced;
mod restarts;
mod schemas;
mod stuck;
mod tables;
mod watcher;
