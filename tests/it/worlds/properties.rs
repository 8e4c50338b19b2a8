//! What holds in every world, whatever is done to its streams.

use std::collections::{BTreeMap, BTreeSet};

use migwatch::judge::Durable;
use migwatch::model::alert::{Alert, AlertName};
use migwatch::model::cause::CauseClass;
use migwatch::model::fact::Fact;
use migwatch::model::migration::{Grade, Migration, MigrationId, Outcome, Trigger, Verdict};
use migwatch::model::policy::Policy;
use proptest::prelude::*;

use super::acts::play;
use super::plan::{Act, Manners, Plan, Planned, Switch, plan};
use super::trouble::{Trouble, trouble};
use super::truth::{Expected, expected};
use super::watch::Watch;
use super::world::{World, ms};

/// Cases where nobody asks for more: some seconds a property on a busy machine.
#[expect(
    clippy::disallowed_methods,
    reason = "longer runs are asked for by the environment"
)]
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
        text.extend(["truth ", &format!("{truth:?}"), "\n"]);
    }
    for decided in &watch.decided {
        for fact in &decided.facts {
            let is_of_interest = !matches!(
                fact,
                Fact::LogRead { .. } | Fact::FileRead { .. } | Fact::AlertEnriched { .. }
            );
            if is_of_interest {
                let fact = serde_json::to_string(fact).unwrap();
                text.extend([&decided.now.to_string(), " ", &fact, "\n"]);
            }
        }
    }
    text
}

/// Every message of a run that told of a migration: alert and migration, in the order in which they fired.
fn fired<'w>(watch: &'w Watch<'_>) -> Vec<&'w Alert> {
    let facts = watch.decided.iter().flat_map(|decided| &decided.facts);
    let alerts = facts.filter_map(|fact| match fact {
        Fact::AlertFired { alert } => Some(alert),
        _ => None,
    });
    alerts
        .filter(|alert| alert.labels.contains_key("migration"))
        .collect()
}

/// A plan of one act of the first service, under `explicit`.
fn only(act: Act) -> Plan {
    Plan {
        policies: [Policy::Explicit; 2],
        configured: true,
        acts: vec![Planned {
            service: 0,
            quiet: 0,
            act,
        }],
    }
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

    #[test]
    fn no_migration_is_counted_twice_and_none_is_lost(plan in plan(8), trouble in trouble()) {
        let world = play(&plan);
        let watch = Watch::all(&world, &trouble);
        let happened = expected(&world, &watch.heard).len();
        // A finding may have been counted for another service that uses the database; a correction moves no counter.
        let counts = watch.state.durable.migrations.counts.values();
        let counted: u64 = counts.flat_map(|counts| counts.outcomes.values()).sum();
        let happened = u64::try_from(happened + merged(&watch)).unwrap();
        prop_assert_eq!(counted, happened, "{}", told(&world, &watch));
    }

    #[test]
    fn an_unexpected_is_never_taken_back_without_a_fact_that_says_why(plan in plan(8), trouble in trouble()) {
        let world = play(&plan);
        let watch = Watch::all(&world, &trouble);
        let mut before = Durable::default();
        for decided in &watch.decided {
            let mut after = before.clone();
            decided.facts.iter().for_each(|fact| after.apply(fact));
            let silent = taken_back_silently(&before, &after, &decided.facts);
            prop_assert!(silent.is_empty(), "{:?} by {:#?}", silent, decided.facts);
            before = after;
        }
    }

    #[test]
    fn what_is_judged_by_absence_waits_for_the_settling_time(plan in plan(8), trouble in trouble()) {
        const SETTLING: u64 = 10_000;
        let world = play(&plan);
        let watch = Watch::all(&world, &trouble);
        for decided in &watch.decided {
            for fact in &decided.facts {
                let since = match fact {
                    Fact::MigrationOpened { trigger: Trigger::OutOfBand, evidence, .. } => evidence.at,
                    Fact::MigrationSettled { outcome: Outcome::NothingApplied, at, .. } => *at,
                    _ => continue,
                };
                prop_assert!(decided.now >= since.after(ms(SETTLING)), "at {} already {:?}", decided.now, fact);
            }
        }
    }

    #[test]
    fn replicas_that_migrate_at_the_same_time_are_one_migration(
        replicas in 2_u32..4,
        steps in 0_u32..3,
        race in any::<bool>(),
        trouble in trouble(),
    ) {
        let manners = if race { Manners::Race } else { Manners::Wait };
        let world = play(&only(Act::Deploy { switch: Switch::On, replicas, steps, manners }));
        let watch = Watch::all(&world, &trouble);
        let all: Vec<_> = watch.state.durable.migrations.all.values().map(|tracked| &tracked.migration).collect();
        let one: Vec<_> = all.iter().filter(|migration| migration.superseded_by.is_none()).collect();
        prop_assert_eq!(one.len(), 1, "{}", told(&world, &watch));
        prop_assert!(one[0].concurrent);
    }

    #[test]
    fn a_restart_loop_is_one_alert_with_the_first_cause(attempts in 1_u32..6, trouble in trouble()) {
        let world = play(&only(Act::Loop { switch: Switch::On, attempts, comes_through: false }));
        let watch = Watch::all(&world, &trouble);
        let all: Vec<_> = watch.state.durable.migrations.all.values().collect();
        prop_assert_eq!(all.len(), 1, "{}", told(&world, &watch));
        let failed = fired(&watch).into_iter().filter(|alert| alert.name == AlertName::MigrationFailed).count();
        prop_assert_eq!(failed, 1, "{}", told(&world, &watch));
        let cause = all[0].migration.cause.as_ref().map(|cause| cause.class);
        prop_assert_eq!(cause, Some(CauseClass::DropMissing));
    }

    /// Evidence that is later than the settling time makes a finding, which is taken back: that cannot be quiet.
    #[test]
    fn a_rolling_deploy_that_declares_itself_is_quiet(
        replicas in 1_u32..4,
        steps in 0_u32..3,
        on in any::<bool>(),
        trouble in trouble(),
    ) {
        let switch = if on { Switch::On } else { Switch::Off };
        let world = play(&only(Act::Deploy { switch, replicas, steps, manners: Manners::Rolling }));
        let trouble = trouble.in_time();
        let watch = Watch::all(&world, &trouble);
        prop_assert!(fired(&watch).is_empty(), "{}", told(&world, &watch));
    }

    /// `Watch` itself compares what is on disk with the state at every death and at the end.
    #[test]
    fn a_snapshot_and_the_facts_since_give_what_all_facts_give(plan in plan(8), trouble in trouble()) {
        let world = play(&plan);
        let watch = Watch::all(&world, &trouble);
        let mut all = Durable::default();
        for decided in &watch.decided {
            decided.facts.iter().for_each(|fact| all.apply(fact));
        }
        if !watch.forgot {
            prop_assert_eq!(all, watch.state.durable);
        }
    }
}

/// How often a finding that was counted turned out to be a migration that was counted too: a counter never goes back.
fn merged(watch: &Watch<'_>) -> usize {
    let mut durable = Durable::default();
    let mut merged = 0;
    for fact in watch.decided.iter().flat_map(|decided| &decided.facts) {
        if let Fact::MigrationSuperseded { id, by, .. } = fact {
            let all = &durable.migrations.all;
            let is_counted = |id| all.get(id).is_some_and(|tracked| tracked.counts.outcome);
            merged += usize::from(is_counted(id) && is_counted(by));
        }
        durable.apply(fact);
    }
    merged
}

/// The unexpected migrations that are such no more, or that nobody alerts of any more, and no fact of the decision says why.
fn taken_back_silently(before: &Durable, after: &Durable, facts: &[Fact]) -> Vec<MigrationId> {
    let is_said = |id: &MigrationId| {
        facts.iter().any(|fact| match fact {
            Fact::MigrationRejudged {
                id: of, judgement, ..
            } => of == id && !judgement.reason.is_empty(),
            Fact::MigrationSuperseded { id: of, reason, .. }
            | Fact::MigrationSettled { id: of, reason, .. } => of == id && !reason.is_empty(),
            _ => false,
        })
    };
    let is_unexpected = |durable: &Durable, id: &MigrationId| {
        let tracked = durable.migrations.all.get(id);
        tracked.is_some_and(|tracked| {
            let migration = &tracked.migration;
            migration.judgement.verdict == Verdict::Unexpected && migration.superseded_by.is_none()
        })
    };
    let is_alerted = |durable: &Durable, id: &MigrationId| {
        durable.alerts.firing.values().any(|alert| {
            alert.name == AlertName::UnexpectedMigration && alert.labels.get("migration") == Some(&id.0)
        })
    };
    let ids = before.migrations.all.keys().cloned();
    ids.filter(|id| {
        let was = [is_unexpected(before, id), is_alerted(before, id)];
        let is = [is_unexpected(after, id), is_alerted(after, id)];
        was.iter().zip(is).any(|(was, is)| *was && !is) && !is_said(id)
    })
    .collect()
}
