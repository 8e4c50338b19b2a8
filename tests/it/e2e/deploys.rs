//! The guide's rule, `explicit`: a deploy that declares itself, what is left of it afterwards, and what was before the watch.

use super::*;

/// The backend's revision of its release `next`.
const NEXT: &str = "e1b7a90c42f6";

/// How often the log of a stack that runs for weeks says that it migrates.
const WEEKS: &str = "i=0; while [ $i -lt 500 ]; do i=$((i+1));
    echo 'Running Alembic migrations...' >/proc/1/fd/1;
    echo 'INFO  [alembic.runtime.migration] Running upgrade 7456428295d9 -> a31f0c9be842, again' >/proc/1/fd/2; done";

#[tokio::test]
async fn a_declared_deploy_is_quiet_and_a_later_restart_that_moves_a_revision_is_heard() {
    let scene = Scene::watch(Stack::new().await, "explicit", "").await;
    scene.stack.up("backend", &[RUN]).await;
    let deploy = scene.migration("backend", 1, "is confirmed", is_confirmed).await;
    assert_eq!(judgement(&deploy), (Verdict::Expected, Rule::DeclaredDeploy));
    scene.heard_beside_the_sentinel(&[]).await;
    assert_eq!(
        scene
            .metric("migwatch_armed", "backend", &[("state", "armed")])
            .await,
        Some(1.0)
    );

    scene.stack.exec("backend", &["release", "next"]).await;
    scene.stack.restart("backend").await;
    let left = scene.migration("backend", 2, "is confirmed", is_confirmed).await;
    assert_eq!(judgement(&left), (Verdict::Unexpected, Rule::LeftArmed));
    assert_eq!(span(&left), from_to(&[BACKEND_HEAD], &[NEXT]));
    let alerts = scene
        .alerts(&["UnexpectedMigration(backend)", "UnexpectedMigration(sentinel)"])
        .await;
    assert_eq!(alerts[0].label("migration"), left.id.0);
    assert_eq!(scene.judged("backend", "expected").await, Some(1.0));
    assert_eq!(scene.judged("backend", "unexpected").await, Some(1.0));
}

#[tokio::test]
async fn a_run_at_head_has_nothing_to_do_and_pages_nobody() {
    let scene = Scene::watch(Stack::new().await, "explicit", "").await;
    scene.stack.up("backend", &[RUN]).await;
    scene.migration("backend", 1, "is confirmed", is_confirmed).await;
    scene.stack.restart("backend").await;
    let nothing = |migration: &Migration| migration.outcome == Outcome::NothingToDo;
    let again = scene
        .migration("backend", 2, "found nothing to do", nothing)
        .await;
    assert_eq!(again.judgement.rule, Rule::LeftArmed);
    assert_eq!(
        (again.moved_at, again.steps.len(), again.movements.len()),
        (None, 0, 0)
    );
    scene.heard_beside_the_sentinel(&[]).await;
    assert_eq!(scene.counted("backend", "nothing_to_do").await, Some(1.0));
    assert_eq!(scene.counted("backend", "applied").await, Some(1.0));
    assert_eq!(scene.judged("backend", "unexpected").await, Some(0.0));
}

#[tokio::test]
async fn installed_on_a_stack_that_runs_for_weeks_it_shows_the_history_and_pages_nobody() {
    let stack = Stack::new().await;
    stack.up("ledger", &[RUN]).await;
    stack.healthy("ledger").await;
    stack.restart("ledger").await;
    stack.healthy("ledger").await;
    stack.exec("ledger", &["sh", "-c", WEEKS]).await;
    let scene = Scene::watch(stack, "deny", "").await;
    let of_history = |service: &ServiceStatus| service.log.following == 1;
    scene.service("ledger", "its log is followed", of_history).await;
    scene.heard_beside_the_sentinel(&[]).await;
    let history = scene.migrations("ledger").await;
    assert!(
        !history.is_empty() && history.iter().all(|migration| migration.history),
        "{history:#?}"
    );
    assert!(
        history
            .iter()
            .all(|migration| migration.judgement.rule == Rule::Baseline)
    );
    assert_eq!(scene.counted("ledger", "applied").await, Some(0.0));
    assert_eq!(scene.judged("ledger", "unexpected").await, Some(0.0));
    assert_eq!(scene.judged("ledger", "undetermined").await, Some(0.0));

    // From now on it is no history.
    scene.stack.exec("ledger", &["release", "next"]).await;
    scene.stack.restart("ledger").await;
    scene
        .alerts(&["UnexpectedMigration(ledger)", "UnexpectedMigration(sentinel)"])
        .await;
}
