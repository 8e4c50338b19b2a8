//! What a schema says about how a migration ended: half applied where it failed and a part stayed, and the first one of an empty
//! database.

use super::super::State;
use super::super::migration::Tracked;
use super::super::settings::Settings;
use crate::model::fact::Fact;
use crate::model::migration::Outcome;
use crate::model::observation::Observation;
use crate::model::time::Timestamp;

/// How the reason of the first migration of an empty database begins.
const FRESH: &str = "fresh_database";

/// Corrects the ends of migrations by what they did to schemas.
pub(in super::super) fn decide(state: &State, _: &Settings, _: Timestamp, _: &Observation) -> Vec<Fact> {
    let all = state.durable.migrations.all.values();
    all.filter(|tracked| !tracked.is_open() && !tracked.schema.changes.is_empty())
        .filter_map(|tracked| correct(tracked))
        .collect()
}

fn correct(tracked: &Tracked) -> Option<Fact> {
    let (migration, work) = (&tracked.migration, &tracked.schema);
    let reason = migration.outcome_reason.as_deref().unwrap_or_default();
    let (outcome, reason) = match migration.outcome {
        Outcome::Failed if work.is_unrecorded(&migration.movements) => (
            Outcome::HalfApplied,
            format!(
                "{reason}; no revision was written down for what stayed: {}",
                work.changes.join(", ")
            ),
        ),
        Outcome::Applied if work.fresh && !reason.starts_with(FRESH) => (
            Outcome::Applied,
            format!("{FRESH}: there was no table before it; {reason}"),
        ),
        _ => return None,
    };
    Some(Fact::MigrationSettled {
        id: migration.id.clone(),
        outcome,
        at: migration.ended_at.unwrap_or(migration.started_at),
        reason,
    })
}
