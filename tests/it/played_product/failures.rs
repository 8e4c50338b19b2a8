//! Migrations that fail, with what MariaDB says where it keeps the first half and PostgreSQL where it takes it back.

use super::*;
use migwatch::model::cause::CauseClass;

/// What a revision fails with, first and when it is tried again on what it left behind.
const DROP_MISSING: &str = "sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (1091, \"Can't DROP FOREIGN KEY `fk_chat`; check that it exists\")";
const DUPLICATE: &str =
    "sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (1060, \"Duplicate column name 'tag'\")";

/// The same on a database that leaves nothing behind.
const UNDEFINED: &str = "sqlalchemy.exc.ProgrammingError: (psycopg.errors.UndefinedObject) constraint \"fk_runs_schedule\" of relation \"runs\" does not exist";

#[tokio::test]
async fn on_mariadb_a_failing_revision_is_one_failure_with_its_first_cause_though_the_container_restarts_for_ever()
 {
    let stage = Stage::watch("explicit", "").await;
    let id = stage.engine.create(ContainerSpec {
        restart: "always".to_owned(),
        ..app("backend", "true")
    });
    for (attempt, error) in (1..).zip([DROP_MISSING, DUPLICATE, DUPLICATE]) {
        stage.starts(&id, &[RUN, &step(HEAD, NEXT), error]);
        stage.engine.die(&id, 1);
        // The engine's own back-off between two starts.
        stage.engine.clock().advance(Duration::from_secs(1));
        let failed =
            |migration: &Migration| migration.attempts == attempt && migration.outcome == Outcome::Failed;
        let what = format!("failed {attempt} times");
        stage.migration("backend", 1, &what, failed).await;
    }
    let wanted = ["MigrationFailed(backend)", "RestartLoop(backend)"];
    stage.told(&wanted).await;
    let told = stage.heard_before_the_sentinel(&wanted).await;
    let migrations = stage.migrations("backend").await;
    let [migration] = migrations.as_slice() else {
        panic!("one migration: {migrations:#?}")
    };
    let cause = migration.cause.as_ref().expect("an error was logged");
    assert_eq!(
        (cause.class, cause.code.as_deref()),
        (CauseClass::DropMissing, Some("1091"))
    );
    assert_eq!(judgement(migration), (Verdict::Expected, Rule::DeclaredDeploy));
    for message in &told {
        let words = words(message);
        assert!(
            words.contains("Can't DROP FOREIGN KEY") && !words.contains("Duplicate column"),
            "{words}"
        );
    }
    assert_eq!(label(&told[0], "migration"), migration.id.0);
    assert_eq!(stage.counted("backend", "failed").await, Some(1.0));
    let up = stage.metric("migwatch_service_up", "backend", &[]).await;
    assert_eq!(up, Some(0.0));
}

#[tokio::test]
async fn on_postgresql_a_failing_revision_is_taken_back_and_is_a_failure_all_the_same() {
    let file = SqliteFile::new();
    let stage = Stage::watch("explicit", &file.configured("reports", PROJECT, &["reports"])).await;
    let first = stage.up(app("reports", "true"), &[RUN, &step("", FIRST)]);
    file.stands_at("alembic_version", FIRST);
    stage.says(&first, UP);
    let deploy = stage.migration("reports", 1, "is confirmed", is_confirmed).await;
    assert_eq!(span(&deploy), from_to(&[], &[FIRST]));
    assert_eq!(deploy.movements[0].table.table, "alembic_version");

    let second = stage.recreate(Compose::Two, &first, app("reports", "false"), &[SKIP, UP]);
    stage
        .service("reports", "skipped", |service| service.counters.skips == 1)
        .await;
    let lines = [RUN, &step(FIRST, NEXT), UNDEFINED];
    let third = stage.recreate(Compose::Two, &second, app("reports", "true"), &lines);
    stage.engine.die(&third, 1);
    let is_failed = |migration: &Migration| migration.outcome == Outcome::Failed;
    let failed = stage.migration("reports", 2, "failed", is_failed).await;
    let cause = failed.cause.as_ref().expect("an error was logged");
    assert_eq!(
        (cause.class, cause.code.as_deref()),
        (CauseClass::DropMissing, Some("UndefinedObject"))
    );
    assert_eq!(failed.movements, [], "the database took it back");
    let told = stage.before_the_sentinel().await;
    assert_eq!(
        sorted(&told),
        ["MigrationFailed(reports)", "ServiceDown(reports)"]
    );
    let mut all = told.iter().map(words);
    assert!(
        all.any(|words| words.contains("\"fk_runs_schedule\"")),
        "{told:?}"
    );
    assert_eq!(stage.counted("reports", "applied").await, Some(1.0));
    assert_eq!(stage.counted("reports", "failed").await, Some(1.0));
}
