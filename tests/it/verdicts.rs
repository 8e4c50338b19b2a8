//! The judge, told as stories: what happens to a stack, and what must be concluded, alerted and kept quiet. Each test is a true sentence.

mod approvals;
mod baseline;
mod claims;
mod closing;
mod deploys;
mod failures;
mod health;
mod missing;
mod order;
mod outbox;
mod owners;
mod policies;
mod properties;
mod restarts;
mod revisions;
mod tables;
mod watcher;
mod windows;
