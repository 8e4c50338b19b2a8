//! The guide's rule, `explicit`: a deploy that declares itself, what is left of it afterwards, and what was before the watch.

use super::*;

#[tokio::test]
async fn a_declared_deploy_is_quiet_and_a_later_restart_that_moves_a_revision_is_heard() {
    let stage = Stage::watch("explicit", "").await;
    let applied = |migration: &Migration| migration.outcome == Outcome::Applied;
    let id = stage.up(app("backend", "true"), &[RUN, &step("", HEAD), UP]);
    let deploy = stage.migration("backend", 1, "is applied", applied).await;
    assert_eq!(judgement(&deploy), (Verdict::Expected, Rule::DeclaredDeploy));
    stage.heard_before_the_sentinel(&[]).await;
    let armed = [("state", "armed")];
    assert_eq!(stage.metric("migwatch_armed", "backend", &armed).await, Some(1.0));

    stage.restart(&id, &[RUN, &step(HEAD, NEXT), UP]);
    let left = stage.migration("backend", 2, "is applied", applied).await;
    assert_eq!(judgement(&left), (Verdict::Unexpected, Rule::LeftArmed));
    assert_eq!(span(&left), from_to(&[HEAD], &[NEXT]));
    let told = stage.told(&["UnexpectedMigration(backend)"]).await;
    assert_eq!(label(&told[0], "migration"), left.id.0);
    assert_eq!(stage.judged("backend", "expected").await, Some(1.0));
    assert_eq!(stage.judged("backend", "unexpected").await, Some(1.0));
}

#[tokio::test]
async fn a_run_at_head_has_nothing_to_do_and_pages_nobody() {
    let stage = Stage::watch("explicit", "").await;
    let applied = |migration: &Migration| migration.outcome == Outcome::Applied;
    let id = stage.up(app("backend", "true"), &[RUN, &step("", HEAD), UP]);
    stage.migration("backend", 1, "is applied", applied).await;
    stage.restart(&id, &[RUN, UP]);
    let nothing = |migration: &Migration| migration.outcome == Outcome::NothingToDo;
    let again = stage
        .migration("backend", 2, "found nothing to do", nothing)
        .await;
    assert_eq!(again.judgement.rule, Rule::LeftArmed);
    assert_eq!(
        (again.moved_at, again.steps.len(), again.movements.len()),
        (None, 0, 0)
    );
    stage.heard_before_the_sentinel(&[]).await;
    assert_eq!(stage.counted("backend", "nothing_to_do").await, Some(1.0));
    assert_eq!(stage.counted("backend", "applied").await, Some(1.0));
    assert_eq!(stage.judged("backend", "unexpected").await, Some(0.0));
}

#[tokio::test]
async fn installed_on_a_stack_that_runs_for_weeks_it_shows_the_history_and_pages_nobody() {
    let mut stage = Stage::new("deny", "");
    let id = stage.up(app("ledger", "true"), &[RUN, &step("", FIRST), UP]);
    stage.engine.die(&id, 1);
    stage.starts(&id, &[RUN, UP]);
    for _ in 0..500 {
        stage.says(&id, RUN);
        stage.says(&id, &step(FIRST, "a31f0c9be842"));
    }
    stage.start().await;
    let is_read = |service: &ServiceStatus| service.log.following == 1;
    stage.service("ledger", "its log is followed", is_read).await;
    stage.heard_before_the_sentinel(&[]).await;
    let history = stage.migrations("ledger").await;
    assert!(
        !history.is_empty() && history.iter().all(|migration| migration.history),
        "{history:#?}"
    );
    let is_baseline = |migration: &Migration| migration.judgement.rule == Rule::Baseline;
    assert!(history.iter().all(is_baseline), "{history:#?}");
    assert_eq!(stage.counted("ledger", "applied").await, Some(0.0));
    assert_eq!(stage.judged("ledger", "unexpected").await, Some(0.0));
    assert_eq!(stage.judged("ledger", "undetermined").await, Some(0.0));

    // From now on it is no history.
    stage.restart(&id, &[RUN, &step(FIRST, NEXT), UP]);
    stage.told(&["UnexpectedMigration(ledger)"]).await;
}
