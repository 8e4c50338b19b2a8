//! The engine goes away and comes back, or migwatch dies meanwhile. What happened in the meantime is found out and judged once, though no
//! event tells of it.

use std::collections::BTreeSet;

use super::*;
use crate::support::outage::{no_fact_is_there_twice, says_that_it_is_away, says_that_it_is_back};

/// An outage is said soon.
const SOON: &str = "[alerts]\nblind_grace = \"500ms\"\n";

/// How the engine ends.
#[derive(Clone, Copy)]
enum Ends {
    /// It stops its containers first, and says so.
    Stopped,
    /// Its containers are killed, and nobody hears of it.
    Killed,
}

/// The service `backend`, whose first start was declared and had nothing to do.
async fn deployed(stage: &Stage) -> ContainerId {
    let id = stage.up(
        ContainerSpec {
            restart: "always".to_owned(),
            ..app("backend", "true")
        },
        &[RUN, UP],
    );
    let nothing = |migration: &Migration| migration.outcome == Outcome::NothingToDo;
    let deploy = stage.migration("backend", 1, "had nothing to do", nothing).await;
    assert_eq!(deploy.judgement.verdict, Verdict::Expected);
    id
}

/// The engine ends, and with it what it runs.
fn goes_away(stage: &Stage, id: &ContainerId, ends: Ends) {
    stage.catch_up();
    match ends {
        Ends::Stopped => {
            stage.stop(id);
            stage.engine.down();
        }
        Ends::Killed => {
            stage.engine.down();
            stage.engine.die(id, 137);
        }
    }
}

/// The engine starts again, and what it ran too; this time there is something to do. It remembers no event of that.
fn comes_back(stage: &Stage, id: &ContainerId) {
    stage.catch_up();
    stage.starts(id, &[RUN, &step(HEAD, NEXT), UP]);
    comes_back_without_memory(stage);
}

/// What happened before it is up again is no event.
fn comes_back_without_memory(stage: &Stage) {
    stage.engine.down();
    stage.engine.up();
}

/// The migration that the engine's own start of `backend` ran, by its log.
async fn found(stage: &Stage) -> Migration {
    let applied = |migration: &Migration| migration.outcome == Outcome::Applied;
    let found = stage.migration("backend", 2, "is applied", applied).await;
    assert_eq!(judgement(&found), (Verdict::Unexpected, Rule::LeftArmed));
    assert_eq!(
        (found.steps.len(), found.attempts, found.history),
        (1, 1, false),
        "{found:#?}"
    );
    found
}

/// The deploy and one migration are all there is of `backend`, and of that the webhook was told one thing.
async fn once(mut stage: Stage, found: &Migration) {
    let told = stage.before_the_sentinel().await;
    let keys: BTreeSet<&str> = told.iter().map(Received::key).collect();
    let what: BTreeSet<String> = short(&told).into_iter().collect();
    assert_eq!(what, ["UnexpectedMigration(backend)".to_owned()].into());
    assert_eq!(keys.len(), 1, "{told:?}");
    let all = stage.migrations("backend").await;
    assert_eq!(all.len(), 2, "{all:#?}");
    assert_eq!(all[1].id, found.id);
    assert_eq!(stage.judged("backend", "unexpected").await, Some(1.0));
    stage.daemon.take().expect("it runs").stop().await;
    no_fact_is_there_twice(&stage.home);
}

async fn what_the_engine_starts_by_itself_is_found_and_judged_once(ends: Ends) {
    let stage = Stage::watch("explicit", SOON).await;
    let id = deployed(&stage).await;
    goes_away(&stage, &id, ends);
    says_that_it_is_away(stage.daemon()).await;
    comes_back(&stage, &id);
    says_that_it_is_back(stage.daemon()).await;
    let found = found(&stage).await;
    once(stage, &found).await;
}

#[tokio::test]
async fn an_engine_that_is_stopped_and_started_is_missed_and_what_it_started_is_found_and_judged_once() {
    what_the_engine_starts_by_itself_is_found_and_judged_once(Ends::Stopped).await;
}

#[tokio::test]
async fn an_engine_that_is_killed_and_started_is_missed_and_what_it_started_is_found_and_judged_once() {
    what_the_engine_starts_by_itself_is_found_and_judged_once(Ends::Killed).await;
}

#[tokio::test]
async fn killed_while_the_engine_is_away_and_started_after_it_is_back_it_finds_all_of_it_once() {
    let mut stage = Stage::watch("explicit", SOON).await;
    let id = deployed(&stage).await;
    goes_away(&stage, &id, Ends::Stopped);
    says_that_it_is_away(stage.daemon()).await;
    stage.kill().await;
    comes_back(&stage, &id);
    stage.start().await;
    let found = found(&stage).await;
    stage.kill().await;
    stage.start().await;
    says_that_it_is_back(stage.daemon()).await;
    once(stage, &found).await;
}

#[tokio::test]
async fn a_container_that_outlives_the_engine_and_fails_before_it_is_back_is_a_failed_migration() {
    let stage = Stage::watch("explicit", SOON).await;
    let id = stage.up(app("job", "true"), &[RUN, &step("", FIRST)]);
    let in_its_step = |migration: &Migration| migration.moved();
    stage.migration("job", 1, "is in its step", in_its_step).await;
    stage.engine.down();
    says_that_it_is_away(stage.daemon()).await;
    let running = stage.migration("job", 1, "is there", |_| true).await;
    assert_eq!(running.outcome, Outcome::Running, "{running:#?}");
    stage.catch_up();
    stage.engine.die(&id, 3);
    let clock: &dyn migwatch::model::time::Clock = &*stage.engine.clock();
    let before_it_is_back = clock.now();
    comes_back_without_memory(&stage);
    says_that_it_is_back(stage.daemon()).await;
    let failed = |migration: &Migration| migration.outcome == Outcome::Failed;
    let job = stage.migration("job", 1, "failed", failed).await;
    let reason = job.outcome_reason.as_deref().unwrap_or_default();
    assert!(reason.contains("exit code 3"), "{reason}");
    assert!(
        job.ended_at.is_some_and(|at| at <= before_it_is_back),
        "{job:#?} {before_it_is_back}"
    );
}
