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

#[tokio::test]
async fn under_allow_a_migration_is_expected_and_quiet() {
    let scene = Scene::watch(Stack::new().await, "allow", "").await;
    scene.stack.up("reports", &[RUN]).await;
    let migration = scene.migration("reports", 1, "is confirmed", is_confirmed).await;
    assert_eq!(judgement(&migration), (Verdict::Expected, Rule::AllowEverything));
    scene.heard_beside_the_sentinel(&[]).await;
    assert_eq!(scene.counted("reports", "applied").await, Some(1.0));
    assert_eq!(scene.judged("reports", "expected").await, Some(1.0));
    assert_eq!(scene.judged("reports", "unexpected").await, Some(0.0));
}

#[tokio::test]
async fn a_second_unexpected_migration_is_heard_while_the_first_is_open() {
    let scene = Scene::watch(Stack::new().await, "deny", "").await;
    let halfway = ("ALEMBIC_TARGET", "7456428295d9");
    scene.stack.up("backend", &[RUN, halfway]).await;
    let first = scene.migration("backend", 1, "is confirmed", is_confirmed).await;
    scene.alerts(&["UnexpectedMigration(backend)"]).await;
    scene.stack.up("backend", &[RUN]).await;
    let second = scene.migration("backend", 2, "is confirmed", is_confirmed).await;
    assert_eq!(span(&first), from_to(&[], &["7456428295d9"]));
    assert_eq!(span(&second), from_to(&["7456428295d9"], &[BACKEND_HEAD]));
    let alerts = scene.alerts(&["UnexpectedMigration(backend)"; 2]).await;
    let mut of: Vec<&str> = alerts.iter().map(|alert| alert.label("migration")).collect();
    of.sort_unstable();
    let mut wanted = [first.id.0.as_str(), second.id.0.as_str()];
    wanted.sort_unstable();
    assert_eq!(of, wanted);
    assert_eq!(
        scene
            .metric("migwatch_unexpected_migrations_open", "backend", &[])
            .await,
        Some(2.0)
    );
    assert_eq!(scene.judged("backend", "unexpected").await, Some(2.0));
}

#[tokio::test]
async fn a_terminal_service_is_heard_as_any_other() {
    let scene = Scene::watch(Stack::new().await, "deny", "").await;
    scene.stack.up("terminal", &[RUN]).await;
    let applied = |migration: &Migration| migration.outcome == Outcome::Applied;
    let migration = scene.migration("terminal", 1, "is applied", applied).await;
    assert_eq!(
        migration.grade,
        Grade::Witnessed,
        "its database is a file within: nobody else reads it"
    );
    assert_eq!(span(&migration), from_to(&[], &["c40e1d87f5b3"]));
    let titles: Vec<&str> = migration
        .steps
        .iter()
        .filter_map(|timed| timed.step.title.as_deref())
        .collect();
    assert!(
        titles.iter().all(|title| !title.contains('\r')) && titles.len() == 2,
        "{titles:?}"
    );
    scene.alerts(&["UnexpectedMigration(terminal)"]).await;
}

#[tokio::test]
async fn a_sqlite_file_on_the_host_confirms_what_its_service_migrated() {
    let stack = Stack::new().await;
    let (project, file) = (&stack.project, stack.data().join("ledger.db"));
    let database = format!(
        "[database.ledger]\nurl = \"sqlite:///{}\"\nproject = \"{project}\"\nservices = [\"ledger\"]\n",
        file.display()
    );
    let scene = Scene::watch(stack, "deny", &database).await;
    scene.stack.up("ledger", &[RUN]).await;
    let migration = scene.migration("ledger", 1, "is confirmed", is_confirmed).await;
    assert_eq!(span(&migration), from_to(&[], &["c40e1d87f5b3"]));
    assert_eq!(migration.movements[0].table.to_string(), "ledger:alembic_version");
    scene.alerts(&["UnexpectedMigration(ledger)"]).await;
    let metrics = scene.metrics().await;
    assert!(
        metrics.contains("migwatch_database_up{database=\"ledger\"} 1"),
        "{metrics}"
    );
    let info =
        "migwatch_revision_info{database=\"ledger\",table=\"alembic_version\",revision=\"c40e1d87f5b3\"} 1";
    assert!(metrics.contains(info), "{metrics}");
}
