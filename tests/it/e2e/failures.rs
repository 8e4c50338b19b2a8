//! Migrations that fail, on a database that keeps the first half and on one that takes it back.

use super::*;
use migwatch::model::cause::CauseClass;

/// The next release, and the one on top of it that fails half-way.
const BROKEN: (&str, &str) = ("RELEASES", "next broken");

/// Brings a container back whenever it exits.
const FOR_EVER: (&str, &str) = ("RESTART", "always");

fn is_failed(migration: &Migration) -> bool {
    migration.outcome == Outcome::Failed
}

#[tokio::test]
async fn on_mariadb_a_failing_revision_is_one_failure_with_its_first_cause_though_the_container_restarts_for_ever()
 {
    let scene = Scene::watch(Stack::new().await, "explicit", "").await;
    scene.stack.up("backend", &[RUN, BROKEN, FOR_EVER]).await;
    let alerts = scene
        .alerts(&["MigrationFailed(backend)", "RestartLoop(backend)"])
        .await;
    let later = |migration: &Migration| is_failed(migration) && migration.attempts >= 3;
    let migration = scene.migration("backend", 1, "failed three times", later).await;
    let retried = scene.stack.compose(&["logs", "backend"], &[]).await;
    assert!(
        retried.contains("(1091,") && retried.contains("(1060,"),
        "{retried}"
    );
    let cause = migration.cause.as_ref().expect("an error was logged");
    assert_eq!(
        (cause.class, cause.code.as_deref()),
        (CauseClass::DropMissing, Some("1091"))
    );
    assert_eq!(judgement(&migration), (Verdict::Expected, Rule::DeclaredDeploy));
    for alert in &alerts {
        let text = format!(
            "{} {}",
            alert.annotation("summary"),
            alert.annotation("description")
        );
        assert!(
            text.contains("Can't DROP FOREIGN KEY") && !text.contains("Duplicate column"),
            "{text}"
        );
    }
    let beside = scene
        .heard_beside_the_sentinel(&["MigrationFailed(backend)", "RestartLoop(backend)"])
        .await;
    assert_eq!(beside[0].label("migration"), migration.id.0);
    assert_eq!(scene.counted("backend", "failed").await, Some(1.0));
    assert_eq!(
        scene.metric("migwatch_service_up", "backend", &[]).await,
        Some(0.0)
    );
}

#[tokio::test]
async fn on_postgresql_a_failing_revision_is_taken_back_and_is_a_failure_all_the_same() {
    let scene = Scene::watch(Stack::new().await, "explicit", "").await;
    scene.stack.up("reports", &[RUN]).await;
    let deploy = scene.migration("reports", 1, "is confirmed", is_confirmed).await;
    assert_eq!(span(&deploy), from_to(&[], &["c40e1d87f5b3"]));
    assert_eq!(deploy.movements[0].table.table, "alembic_version");

    scene.stack.up("reports", &[("RUN_MIGRATIONS", "false")]).await;
    scene
        .service("reports", "skipped", |service| service.counters.skips == 1)
        .await;
    scene.stack.up("reports", &[RUN, BROKEN]).await;
    let failed = scene.migration("reports", 2, "failed", is_failed).await;
    let cause = failed.cause.as_ref().expect("an error was logged");
    assert_eq!(
        (cause.class, cause.code.as_deref()),
        (CauseClass::DropMissing, Some("UndefinedObject"))
    );
    assert_eq!(failed.movements, [], "PostgreSQL took it back");
    let beside = scene
        .heard_beside_the_sentinel(&["MigrationFailed(reports)", "ServiceDown(reports)"])
        .await;
    let summary = beside[0].annotation("summary");
    assert!(
        summary.contains("\"fk_runs_schedule\"") || summary.contains("does not exist"),
        "{summary}"
    );
    assert_eq!(scene.counted("reports", "applied").await, Some(1.0));
    assert_eq!(scene.counted("reports", "failed").await, Some(1.0));
}
