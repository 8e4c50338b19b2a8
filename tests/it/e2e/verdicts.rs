//! One start each: what runs, what skips, and who is told under which policy.

use super::*;
use crate::support::stack::Compose;

#[tokio::test]
async fn a_start_that_skips_is_quiet() {
    let stack = Stack::new().await;
    let scene = Scene::watch(stack, "deny", "").await;
    scene.stack.up("ledger", &[]).await;
    let ledger = scene
        .service("ledger", "skipped", |service| {
            service.last_start.as_ref().is_some_and(|start| start.skipped)
        })
        .await;
    assert_eq!(ledger.counters.skips, 1);
    assert_eq!(
        scene
            .metric("migwatch_migration_skips_total", "ledger", &[])
            .await,
        Some(1.0)
    );
    assert_eq!(
        scene
            .metric("migwatch_armed", "ledger", &[("state", "disarmed")])
            .await,
        Some(1.0)
    );
    scene.heard_beside_the_sentinel(&[]).await;
    assert_eq!(scene.migrations("ledger").await, []);
    assert_eq!(scene.counted("ledger", "applied").await, Some(0.0));
}

#[tokio::test]
async fn with_compose_1_a_migration_under_deny_is_heard_with_where_it_went_and_a_recreate_is_quiet() {
    a_migration_under_deny_is_heard(Compose::One).await;
}

#[tokio::test]
async fn with_compose_2_a_migration_under_deny_is_heard_with_where_it_went_and_a_recreate_is_quiet() {
    a_migration_under_deny_is_heard(Compose::Two).await;
}

async fn a_migration_under_deny_is_heard(compose: Compose) {
    let scene = Scene::watch(Stack::with(compose).await, "deny", "").await;
    scene.stack.up("backend", &[RUN]).await;
    let migration = scene.migration("backend", 1, "is confirmed", is_confirmed).await;
    assert_eq!(judgement(&migration), (Verdict::Unexpected, Rule::DenyEverything));
    assert_eq!(span(&migration), from_to(&[], &[BACKEND_HEAD]));
    let revisions: Vec<String> = migration
        .steps
        .iter()
        .flat_map(|timed| &timed.step.to)
        .map(ToString::to_string)
        .collect();
    // The two branches between have no order of their own.
    let [first, _, _, last] = revisions.as_slice() else {
        panic!("four steps: {revisions:?}")
    };
    assert_eq!([first, last], ["7456428295d9", BACKEND_HEAD]);
    let [movement] = migration.movements.as_slice() else {
        panic!("one table moved: {migration:#?}")
    };
    assert_eq!(movement.table.table, "alembic_version_backend");

    let alerts = scene.alerts(&["UnexpectedMigration(backend)"]).await;
    assert_eq!(alerts[0].label("severity"), "critical");
    assert_eq!(alerts[0].label("migration"), migration.id.0);
    assert!(
        alerts[0]
            .annotation("summary")
            .contains(&format!("(base -> {BACKEND_HEAD})")),
        "{alerts:?}"
    );
    assert!(
        alerts[0].annotation("description").contains("deny_everything"),
        "{alerts:?}"
    );

    scene.stack.recreate("backend", &[]).await;
    let backend = scene
        .service("backend", "was made anew and skipped", |service| {
            service.counters.skips == 1 && service.containers.len() == 1
        })
        .await;
    assert_eq!(backend.containers[0].number, Some(1));
    scene
        .heard_beside_the_sentinel(&["UnexpectedMigration(backend)"])
        .await;
    assert_eq!(scene.migrations("backend").await.len(), 1);
    assert_eq!(scene.counted("backend", "applied").await, Some(1.0));
    assert_eq!(scene.judged("backend", "unexpected").await, Some(1.0));
    assert_eq!(
        scene
            .metric("migwatch_unexpected_migrations_open", "backend", &[])
            .await,
        Some(1.0)
    );
}
