//! What holds in every world, whatever is done to its streams.

use std::collections::{BTreeMap, BTreeSet};

use migwatch::model::alert::AlertName;
use migwatch::model::fact::Fact;
use migwatch::model::migration::{Grade, Migration};
use proptest::prelude::*;

use super::acts::play;
use super::plan::{Plan, plan};
use super::trouble::{Trouble, trouble};
use super::truth::{Expected, expected};
use super::watch::Watch;
use super::world::World;

/// Cases where nobody asks for more: some seconds a property on a busy machine.
fn cases(few: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(few),
        failure_persistence: None,
        max_shrink_iters: 400,
        ..ProptestConfig::default()
    }
}

/// The migrations that are left once everything is known, each with the alerts of it that stay open.
fn left(watch: &Watch<'_>) -> Vec<Expected> {
    let mut open: BTreeMap<&str, BTreeSet<AlertName>> = BTreeMap::new();
    for alert in watch.state.durable.alerts.firing.values() {
        if let Some(migration) = alert.labels.get("migration") {
            open.entry(migration).or_default().insert(alert.name);
        }
    }
    let is_left = |migration: &Migration| {
        !migration.history && migration.superseded_by.is_none() && migration.grade != Grade::Claimed
    };
    let known = watch.state.durable.migrations.all.values();
    let mut all: Vec<Expected> = known
        .map(|tracked| &tracked.migration)
        .filter(|migration| is_left(migration))
        .map(|migration| Expected {
            service: migration.service.clone(),
            trigger: migration.trigger,
            outcome: migration.outcome,
            verdict: migration.judgement.verdict,
            moved: migration
                .movements
                .first()
                .map(|moved| (moved.from.clone(), moved.to.clone())),
            open: open.get(migration.id.0.as_str()).cloned().unwrap_or_default(),
        })
        .collect();
    all.sort();
    all
}

fn differences(found: &[Expected], wanted: &[Expected]) -> String {
    let missing: Vec<_> = wanted.iter().filter(|one| !found.contains(one)).collect();
    let surplus: Vec<_> = found.iter().filter(|one| !wanted.contains(one)).collect();
    format!("missing: {missing:#?}\nsurplus: {surplus:#?}")
}

fn is_as_expected(plan: &Plan, trouble: &Trouble) -> Result<(), TestCaseError> {
    let world = play(plan);
    let watch = Watch::all(&world, trouble);
    let (found, wanted) = (left(&watch), expected(&world, &watch.heard));
    prop_assert!(
        found == wanted,
        "{}\n{}",
        differences(&found, &wanted),
        told(&world, &watch)
    );
    Ok(())
}

/// What happened and what was concluded, for a failure's text.
fn told(world: &World, watch: &Watch<'_>) -> String {
    let mut text = String::new();
    for truth in &world.truths {
        text += &format!("truth {truth:?}\n");
    }
    for decided in &watch.decided {
        for fact in &decided.facts {
            let is_of_interest = !matches!(
                fact,
                Fact::LogRead { .. } | Fact::FileRead { .. } | Fact::AlertEnriched { .. }
            );
            if is_of_interest {
                text += &format!("{} {}\n", decided.now, serde_json::to_string(fact).unwrap());
            }
        }
    }
    text
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn a_world_that_is_seen_as_it_happens_is_judged_as_it_was(plan in plan(8)) {
        is_as_expected(&plan, &Trouble::none())?;
    }

    #[test]
    fn the_same_world_gives_the_same_migrations_verdicts_and_alerts_whatever_is_done_to_its_streams(
        plan in plan(8),
        trouble in trouble(),
    ) {
        is_as_expected(&plan, &trouble)?;
    }
}
