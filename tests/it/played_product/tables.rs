//! Two services, one schema, two version tables: nobody says which is whose.

use super::*;
use migwatch::model::fact::BindingProof;

/// Each service with its table, its first revision and its head.
const BOTH: [(&str, &str, &str, &str); 2] = [
    ("backend", "alembic_version_backend", FIRST, HEAD),
    (
        "ragpipeline",
        "alembic_version_rag",
        "1f0e9d8c7b6a",
        "4c7be1d95a02",
    ),
];

#[tokio::test]
async fn two_version_tables_in_one_schema_are_kept_apart_without_being_configured() {
    let file = SqliteFile::new();
    let stage = Stage::watch(
        "deny",
        &file.configured("coe", PROJECT, &["backend", "ragpipeline"]),
    )
    .await;
    let mut containers = BOTH.map(|(service, ..)| stage.up(app(service, "false"), &[SKIP, UP]));
    for (service, ..) in BOTH {
        stage
            .service(service, "skipped", |service| service.counters.skips == 1)
            .await;
    }
    // Both at once, step by step: each table moves while both services are at it.
    for (container, (service, ..)) in containers.iter_mut().zip(BOTH) {
        *container = stage.recreate(Compose::Two, container, app(service, "true"), &[RUN]);
    }
    for (container, (_, table, first, _)) in containers.iter().zip(BOTH) {
        stage.says(container, &step("", first));
        file.stands_at(table, first);
    }
    for (container, (_, table, first, head)) in containers.iter().zip(BOTH) {
        stage.says(container, &step(first, head));
        file.stands_at(table, head);
    }
    for container in &containers {
        stage.says(container, UP);
    }
    for (service, table, _, head) in BOTH {
        let at_head =
            |migration: &Migration| is_confirmed(migration) && span(migration) == from_to(&[], &[head]);
        let migration = stage
            .migration(service, 1, "is confirmed at its head", at_head)
            .await;
        let is_own = |name: &str| name == format!("coe:{table}");
        let mut movements = migration.movements.iter();
        assert!(
            movements.all(|movement| is_own(&movement.table.to_string())),
            "{migration:#?}"
        );
        let status = stage
            .service(service, "is bound", |service| !service.tables.is_empty())
            .await;
        let [bound] = status.tables.as_slice() else {
            panic!("bound to one table: {:?}", status.tables)
        };
        assert!(is_own(&bound.table.to_string()), "{bound:?}");
        assert_eq!(bound.proof, BindingProof::Learned);
        let stands = [("database", "coe"), ("table", table), ("revision", head)];
        let info = stage.daemon().series("migwatch_revision_info", &stands).await;
        assert_eq!(info, Some(1.0));
    }
    let wanted = ["UnexpectedMigration(backend)", "UnexpectedMigration(ragpipeline)"];
    assert_eq!(sorted(&stage.before_the_sentinel().await), wanted);
}
