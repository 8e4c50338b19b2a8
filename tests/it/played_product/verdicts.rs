//! One start each: what runs, what skips, and who is told under which policy.

use super::*;

#[tokio::test]
async fn a_start_that_skips_is_quiet() {
    let stage = Stage::watch("deny", "").await;
    stage.up(app("ledger", "false"), &[SKIP, UP]);
    let ledger = stage
        .service("ledger", "skipped", |service| {
            service.last_start.as_ref().is_some_and(|start| start.skipped)
        })
        .await;
    assert_eq!(ledger.counters.skips, 1);
    let skips = stage
        .metric("migwatch_migration_skips_total", "ledger", &[])
        .await;
    assert_eq!(skips, Some(1.0));
    let disarmed = [("state", "disarmed")];
    assert_eq!(
        stage.metric("migwatch_armed", "ledger", &disarmed).await,
        Some(1.0)
    );
    stage.heard_before_the_sentinel(&[]).await;
    assert_eq!(stage.migrations("ledger").await, []);
    assert_eq!(stage.counted("ledger", "applied").await, Some(0.0));
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
    let file = SqliteFile::new();
    let stage = Stage::watch("deny", &file.configured("shop", PROJECT, &["backend"])).await;
    let steps = [
        step("", FIRST),
        step(FIRST, "a31f0c9be842"),
        step(FIRST, "b92e5d7c1f06"),
        step("a31f0c9be842, b92e5d7c1f06", HEAD),
    ];
    let id = stage.up(app("backend", "true"), &[RUN]);
    for step in &steps {
        stage.says(&id, step);
    }
    file.stands_at("alembic_version_backend", HEAD);
    stage.says(&id, UP);
    let migration = stage.migration("backend", 1, "is confirmed", is_confirmed).await;
    assert_eq!(judgement(&migration), (Verdict::Unexpected, Rule::DenyEverything));
    assert_eq!(span(&migration), from_to(&[], &[HEAD]));
    assert_eq!(migration.steps.len(), 4, "{migration:#?}");
    let [movement] = migration.movements.as_slice() else {
        panic!("one table moved: {migration:#?}")
    };
    assert_eq!(movement.table.to_string(), "shop:alembic_version_backend");

    let told = stage.told(&["UnexpectedMigration(backend)"]).await;
    assert_eq!(told[0].body["alert"]["severity"], "critical");
    assert_eq!(label(&told[0], "migration"), migration.id.0);
    assert!(words(&told[0]).contains("deny_everything"), "{told:?}");
    let alerts = stage.daemon().status().await.alerts;
    assert!(
        alerts[0].summary.contains(&format!("(base -> {HEAD})")),
        "{alerts:?}"
    );

    stage.recreate(compose, &id, app("backend", "false"), &[SKIP, UP]);
    let backend = stage
        .service("backend", "was made anew and skipped", |service| {
            service.counters.skips == 1 && service.containers.len() == 1
        })
        .await;
    assert_eq!(backend.containers[0].number, Some(1));
    stage
        .heard_before_the_sentinel(&["UnexpectedMigration(backend)"])
        .await;
    assert_eq!(stage.migrations("backend").await.len(), 1);
    assert_eq!(stage.counted("backend", "applied").await, Some(1.0));
    assert_eq!(stage.judged("backend", "unexpected").await, Some(1.0));
    let open = stage.metric("migwatch_unexpected_migrations_open", "backend", &[]);
    assert_eq!(open.await, Some(1.0));
}

#[tokio::test]
async fn under_allow_a_migration_is_expected_and_quiet() {
    let stage = Stage::watch("allow", "").await;
    stage.up(app("reports", "true"), &[RUN, &step("", FIRST), UP]);
    let applied = |migration: &Migration| migration.outcome == Outcome::Applied;
    let migration = stage.migration("reports", 1, "is applied", applied).await;
    assert_eq!(judgement(&migration), (Verdict::Expected, Rule::AllowEverything));
    stage.heard_before_the_sentinel(&[]).await;
    assert_eq!(stage.counted("reports", "applied").await, Some(1.0));
    assert_eq!(stage.judged("reports", "expected").await, Some(1.0));
    assert_eq!(stage.judged("reports", "unexpected").await, Some(0.0));
}

#[tokio::test]
async fn a_second_unexpected_migration_is_heard_while_the_first_is_open() {
    let stage = Stage::watch("deny", "").await;
    let applied = |migration: &Migration| migration.outcome == Outcome::Applied;
    let halfway = stage.up(app("backend", "true"), &[RUN, &step("", FIRST), UP]);
    let first = stage.migration("backend", 1, "is applied", applied).await;
    stage.told(&["UnexpectedMigration(backend)"]).await;
    let rest = [RUN, &step(FIRST, HEAD), UP];
    stage.recreate(Compose::Two, &halfway, app("backend", "true"), &rest);
    let second = stage.migration("backend", 2, "is applied", applied).await;
    assert_eq!(span(&first), from_to(&[], &[FIRST]));
    assert_eq!(span(&second), from_to(&[FIRST], &[HEAD]));
    let told = stage
        .heard_before_the_sentinel(&["UnexpectedMigration(backend)"; 2])
        .await;
    let of: Vec<&str> = told.iter().map(|message| label(message, "migration")).collect();
    assert_eq!(of, [first.id.0.as_str(), second.id.0.as_str()]);
    assert_ne!(first.id, second.id);
    assert_ne!(
        told[0].key(),
        told[1].key(),
        "no receiver takes one for the other"
    );
    let open = stage.metric("migwatch_unexpected_migrations_open", "backend", &[]);
    assert_eq!(open.await, Some(2.0));
    assert_eq!(stage.judged("backend", "unexpected").await, Some(2.0));
}

#[tokio::test]
async fn a_terminal_service_is_heard_as_any_other() {
    let stage = Stage::watch("deny", "").await;
    let terminal = ContainerSpec {
        tty: true,
        ..app("terminal", "true")
    };
    stage.up(terminal, &[RUN, &step("", FIRST), &step(FIRST, HEAD), UP]);
    let applied = |migration: &Migration| migration.outcome == Outcome::Applied;
    let migration = stage.migration("terminal", 1, "is applied", applied).await;
    assert_eq!(
        migration.grade,
        Grade::Witnessed,
        "nobody configured its database"
    );
    assert_eq!(span(&migration), from_to(&[], &[HEAD]));
    let titles: Vec<&str> = migration
        .steps
        .iter()
        .filter_map(|timed| timed.step.title.as_deref())
        .collect();
    assert_eq!(titles, ["사용자 추가"; 2], "without the terminal's line end");
    stage
        .heard_before_the_sentinel(&["UnexpectedMigration(terminal)"])
        .await;
}

#[tokio::test]
async fn a_sqlite_file_on_the_host_confirms_what_its_service_migrated() {
    let file = SqliteFile::new();
    let stage = Stage::watch("deny", &file.configured("ledger", PROJECT, &["ledger"])).await;
    let id = stage.up(app("ledger", "true"), &[RUN, &step("", FIRST)]);
    file.stands_at("alembic_version", FIRST);
    stage.says(&id, UP);
    let migration = stage.migration("ledger", 1, "is confirmed", is_confirmed).await;
    assert_eq!(span(&migration), from_to(&[], &[FIRST]));
    assert_eq!(migration.movements[0].table.to_string(), "ledger:alembic_version");
    stage
        .heard_before_the_sentinel(&["UnexpectedMigration(ledger)"])
        .await;
    let ledger = ("database", "ledger");
    let up = stage.daemon().series("migwatch_database_up", &[ledger]).await;
    assert_eq!(up, Some(1.0));
    let stands = [ledger, ("table", "alembic_version"), ("revision", FIRST)];
    let info = stage.daemon().series("migwatch_revision_info", &stands).await;
    assert_eq!(info, Some(1.0));
}
