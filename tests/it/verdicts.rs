//! The judge, told as stories: what happens to a stack, and what must be concluded, alerted and kept quiet. Each test is a true sentence.

mod approvals;
mod baseline;
mod claims;
mod closing;
mod deploys;
mod execs;
mod failures;
mod half_applied;
mod health;
mod missing;
mod order;
mod out_of_band;
mod outbox;
mod owners;
mod policies;
mod processes;
mod properties;
mod replaced;
mod restarts;
mod revisions;
mod runners;
mod schemas;
mod stuck;
mod tables;
mod watcher;
mod windows;
