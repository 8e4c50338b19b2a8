//! When the edge reads schemas and looks for locks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use migwatch::database::{Tables, Target};
use migwatch::model::database::{DatabaseProblemKind as Kind, SchemaReading};
use migwatch::model::lock::LockWaits;
use migwatch::model::observation::Observation;
use sqlx::Connection;

use super::watching::{Edge, backend};
use super::{assert_problem, sqlite, sqlite_url, target, version_table};
use crate::support::databases::{encoded_password, mariadb, postgres};

/// The next report of a schema.
async fn schema(edge: &mut Edge) -> SchemaReading {
    loop {
        if let Observation::Schema(reading) = edge.report().await {
            return reading;
        }
    }
}

/// The next report of who waits.
async fn locks(edge: &mut Edge) -> LockWaits {
    loop {
        if let Observation::LockWaits(waits) = edge.report().await {
            return waits;
        }
    }
}

fn tables(reading: &SchemaReading) -> Vec<&str> {
    let schema = reading.schema.as_ref().expect("it can be read");
    schema.0.keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_schema_is_read_at_the_first_connection_and_then_only_when_something_hints_at_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    sqlite(&path, &version_table("alembic_version", &["a1"])).await;
    let ours = Target {
        services: vec![backend()],
        ..target(sqlite_url(&path), Tables::Found)
    };
    let mut edge = Edge::at_rest(vec![ours.clone()]);
    let reading = schema(&mut edge).await;
    assert_eq!((&reading.database, &reading.services), (&ours.id, &ours.services));
    assert!(tables(&reading).is_empty());
    sqlite(&path, "CREATE TABLE users (id INT)").await;
    edge.hurry(&backend()).await;
    assert_eq!(tables(&schema(&mut edge).await), ["users"]);
    // once more when it is calm: what was done in the last moments shows by then
    sqlite(&path, "CREATE TABLE notes (id INT)").await;
    assert_eq!(tables(&schema(&mut edge).await), ["notes", "users"]);
}

#[tokio::test]
async fn a_version_table_that_moves_brings_a_reading_of_the_schema() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    sqlite(&path, &version_table("alembic_version", &["a1"])).await;
    let mut edge = Edge::every(
        Duration::from_millis(50),
        vec![target(sqlite_url(&path), Tables::Found)],
    );
    assert!(tables(&schema(&mut edge).await).is_empty());
    sqlite(
        &path,
        "CREATE TABLE users (id INT); UPDATE alembic_version SET version_num = 'b2'",
    )
    .await;
    assert_eq!(tables(&schema(&mut edge).await), ["users"]);
}

#[tokio::test]
async fn a_schema_that_cannot_be_read_is_reported_and_the_version_tables_are_read_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenants.db");
    let many = super::schema::tables(2_001);
    let versions = version_table("alembic_version", &["a1"]);
    sqlite(&path, &format!("BEGIN; {many} {versions} COMMIT")).await;
    let mut edge = Edge::every(
        Duration::from_millis(50),
        vec![target(sqlite_url(&path), Tables::Found)],
    );
    let problem = schema(&mut edge).await.schema.unwrap_err();
    assert_problem(&problem, Kind::Other, &["more than 2000 tables"]);
    edge.reading().await.tables.unwrap();
}

#[tokio::test]
async fn while_a_migration_runs_its_databases_are_read_every_second_and_asked_who_waits() {
    for database in [mariadb().await, postgres().await] {
        database
            .execute("CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(40))")
            .await;
        database.execute(&version_table("alembic_version", &["a1"])).await;
        let ours = Target {
            services: vec![backend()],
            ..target(database.url(), Tables::Found)
        };
        let mut edge = Edge::at_rest(vec![ours]);
        schema(&mut edge).await;
        let is_maria = database.address().ends_with(":3306");
        let user = if is_maria { "root" } else { "postgres" };
        let url = database.url_as(user, encoded_password(), database.address());
        edge.migrating.send_replace(Arc::new(BTreeSet::from([backend()])));
        for _ in 0..3 {
            edge.reading().await.tables.unwrap();
        }
        let alter = "ALTER TABLE users ADD COLUMN age INT";
        let release: Box<dyn FnOnce() + Send> = if is_maria {
            let mut holder = sqlx::MySqlConnection::connect(&url).await.unwrap();
            sqlx::raw_sql("BEGIN; SELECT * FROM users")
                .execute(&mut holder)
                .await
                .unwrap();
            Box::new(move || drop(holder))
        } else {
            let mut holder = sqlx::PgConnection::connect(&url).await.unwrap();
            sqlx::raw_sql("BEGIN; SELECT * FROM users")
                .execute(&mut holder)
                .await
                .unwrap();
            Box::new(move || drop(holder))
        };
        let waiting = super::locks::start_waiting(&database, alter);
        let seen = locks(&mut edge).await;
        assert_eq!(seen.waits.len(), 1, "{seen:?}");
        assert!(seen.waits[0].holder.is_some(), "{seen:?}");
        release();
        waiting.join_all().await;
        let over = loop {
            let seen = locks(&mut edge).await;
            if seen.waits.is_empty() {
                break seen;
            }
        };
        assert_eq!(over.waits, []);
    }
}

#[tokio::test]
async fn once_no_migration_runs_any_more_nobody_is_said_to_wait() {
    let database = mariadb().await;
    database.execute("CREATE TABLE users (id INT PRIMARY KEY)").await;
    let url = database.url_as("root", encoded_password(), database.address());
    let mut holder = sqlx::MySqlConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT * FROM users")
        .execute(&mut holder)
        .await
        .unwrap();
    let _waiting = super::locks::start_waiting(&database, "ALTER TABLE users ADD COLUMN age INT");
    let ours = Target {
        services: vec![backend()],
        ..target(database.url(), Tables::Found)
    };
    let mut edge = Edge::at_rest(vec![ours]);
    edge.migrating.send_replace(Arc::new(BTreeSet::from([backend()])));
    assert_eq!(locks(&mut edge).await.waits.len(), 1);
    edge.migrating.send_replace(Arc::new(BTreeSet::new()));
    let over = loop {
        let seen = locks(&mut edge).await;
        if seen.waits.is_empty() {
            break seen;
        }
    };
    assert_eq!(over.waits, []);
}
