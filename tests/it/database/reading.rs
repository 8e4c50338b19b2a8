//! What a healthy database shows.

use migwatch::database::Tables;
use migwatch::model::revision::Standing;

use super::{at, check, named, sqlite, sqlite_url, version_table};
use crate::support::databases::{mariadb, postgres};

/// Looks like a version table and is none.
const DECOYS: &str = "CREATE TABLE other (id INT); CREATE TABLE wider (version_num VARCHAR(32), note INT); \
     CREATE VIEW seen AS SELECT version_num FROM alembic_version_backend;";

#[tokio::test]
async fn two_version_tables_in_one_mariadb_schema_are_found_and_kept_apart() {
    let schema = mariadb().await;
    schema
        .execute(&version_table("alembic_version_backend", &["a1", "b2"]))
        .await;
    schema
        .execute(&version_table("alembic_version_rag", &["7456428295d9"]))
        .await;
    schema
        .execute("CREATE TABLE `한 \"table\"` (version_num VARCHAR(32) CHARACTER SET latin1 PRIMARY KEY)")
        .await;
    schema.execute(DECOYS).await;
    let expected = at(&[
        ("alembic_version_backend", &["a1", "b2"]),
        ("alembic_version_rag", &["7456428295d9"]),
        ("한 \"table\"", &[]),
    ]);
    assert_eq!(check(schema.url(), Tables::Found).await, Ok(expected));
}

#[tokio::test]
async fn a_named_mariadb_table_is_missing_then_empty_then_at_its_heads() {
    let schema = mariadb().await;
    let other = mariadb().await;
    other.execute(&version_table("elsewhere", &["z9"])).await;
    let elsewhere = format!("{}.elsewhere", other.name);
    let tables = named(&["alembic_version", &elsewhere]);
    let mut expected = at(&[(&elsewhere, &["z9"])]);
    expected.insert("alembic_version".to_owned(), Standing::Missing);
    assert_eq!(check(schema.url(), tables.clone()).await, Ok(expected));
    schema.execute(&version_table("alembic_version", &[])).await;
    assert_eq!(
        check(schema.url(), tables.clone()).await,
        Ok(at(&[("alembic_version", &[]), (&elsewhere, &["z9"])]))
    );
    schema
        .execute("INSERT INTO alembic_version VALUES ('a1'), ('b2')")
        .await;
    assert_eq!(
        check(schema.url(), tables).await,
        Ok(at(&[("alembic_version", &["a1", "b2"]), (&elsewhere, &["z9"])]))
    );
}

#[tokio::test]
async fn version_tables_of_all_ordinary_postgresql_schemas_are_found() {
    let database = postgres().await;
    database
        .execute(&version_table("alembic_version_backend", &["a1", "b2"]))
        .await;
    database.execute(DECOYS).await;
    database.execute(r#"CREATE SCHEMA "odd ""one""#).await;
    database
        .execute(&version_table(r#""odd ""one"."Versions""#, &["c3"]))
        .await;
    database.execute("ALTER TABLE wider DROP COLUMN note").await;
    let found = at(&[
        ("alembic_version_backend", &["a1", "b2"]),
        ("odd \"one.Versions", &["c3"]),
        ("wider", &[]),
    ]);
    assert_eq!(check(database.url(), Tables::Found).await, Ok(found));
    let mut named_ones = at(&[("odd \"one.Versions", &["c3"])]);
    for missing in ["alembic_version", "no_schema.alembic_version"] {
        named_ones.insert(missing.to_owned(), Standing::Missing);
    }
    let tables = named(&[
        "odd \"one.Versions",
        "alembic_version",
        "no_schema.alembic_version",
    ]);
    assert_eq!(check(database.url(), tables).await, Ok(named_ones));
}

#[tokio::test]
async fn a_sqlite_file_is_read_like_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    sqlite(&path, &version_table("alembic_version_backend", &["a1", "b2"])).await;
    sqlite(&path, &version_table("\"q\"\"uoted\"", &[])).await;
    sqlite(&path, DECOYS).await;
    let found = at(&[("alembic_version_backend", &["a1", "b2"]), ("q\"uoted", &[])]);
    assert_eq!(check(sqlite_url(&path), Tables::Found).await, Ok(found));
    let mut expected = at(&[("alembic_version_backend", &["a1", "b2"])]);
    expected.insert("alembic_version".to_owned(), Standing::Missing);
    let tables = named(&["alembic_version", "alembic_version_backend"]);
    assert_eq!(check(sqlite_url(&path), tables).await, Ok(expected));
}

#[tokio::test]
async fn a_database_without_version_tables_is_no_problem() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    sqlite(&path, "CREATE TABLE other (id INT)").await;
    for url in [sqlite_url(&path), mariadb().await.url(), postgres().await.url()] {
        assert_eq!(check(url, Tables::Found).await, Ok(at(&[])));
    }
}

#[tokio::test]
async fn hundreds_of_version_tables_are_read_by_one_statement() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenants.db");
    let tables: String = (0..300)
        .map(|tenant| version_table(&format!("v{tenant:03}"), &["a1"]))
        .collect();
    sqlite(&path, &format!("BEGIN; {tables} COMMIT")).await;
    let standings = check(sqlite_url(&path), Tables::Found).await.unwrap();
    assert_eq!(standings.len(), 200);
    assert!(
        standings
            .values()
            .all(|standing| at(&[("v", &["a1"])]).get("v") == Some(standing))
    );
}
