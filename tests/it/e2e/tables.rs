//! Two services, one schema, two version tables: nobody says which is whose.

use super::*;
use migwatch::model::fact::BindingProof;

#[tokio::test]
async fn two_version_tables_in_one_schema_are_kept_apart_without_being_configured() {
    let scene = Scene::watch(Stack::new().await, "deny", "").await;
    scene.stack.up("backend", &[]).await;
    scene.stack.up("ragpipeline", &[]).await;
    let mut databases = Vec::new();
    for service in ["backend", "ragpipeline"] {
        scene.stack.up(service, &[RUN]).await;
        scene.migration(service, 1, "is confirmed", is_confirmed).await;
    }
    for (service, table, head) in [
        ("backend", "alembic_version_backend", BACKEND_HEAD),
        ("ragpipeline", "alembic_version_rag", "4c7be1d95a02"),
    ] {
        let migration = scene.migration(service, 1, "stays confirmed", is_confirmed).await;
        let moved: Vec<&str> = migration
            .movements
            .iter()
            .map(|movement| movement.table.table.as_str())
            .collect();
        assert_eq!(moved, [table]);
        assert_eq!(span(&migration), from_to(&[], &[head]));
        let status = scene
            .service(service, "is bound", |service| !service.tables.is_empty())
            .await;
        let [bound] = status.tables.as_slice() else {
            panic!("bound to one table: {:?}", status.tables)
        };
        assert_eq!(
            (bound.table.table.as_str(), bound.proof),
            (table, BindingProof::EnvPy)
        );
        databases.push(bound.table.database.0.clone());
    }
    assert_eq!(databases[0], databases[1], "one schema is one database");
    assert!(!databases[0].contains("s3cret"), "{databases:?}");
    scene
        .alerts(&["UnexpectedMigration(backend)", "UnexpectedMigration(ragpipeline)"])
        .await;
    let metrics = scene.metrics().await;
    for (table, head) in [
        ("alembic_version_backend", BACKEND_HEAD),
        ("alembic_version_rag", "4c7be1d95a02"),
    ] {
        let info = format!(
            "migwatch_revision_info{{database=\"{}\",table=\"{table}\",revision=\"{head}\"}} 1",
            databases[0]
        );
        assert!(metrics.contains(&info), "{info} in\n{metrics}");
    }
}
