//! The schema as the edge reads it from real databases: what a change looks like, what is left out, and that nobody is in the way.

use std::sync::Arc;

use migwatch::database::{DatabaseUrl, Tables, Target};
use migwatch::model::database::DatabaseProblemKind as Kind;
use migwatch::model::schema::{Schema, diff};

use super::{PATIENT, TIMEOUT, assert_problem, named, sqlite, sqlite_url, target, version_table};
use crate::support::databases::{Schema as Database, encoded_password, mariadb, postgres};

/// Each changes one thing; the words that must come of it.
const CHANGES: [(&str, &[&str]); 9] = [
    (
        "CREATE TABLE notes (id INT PRIMARY KEY, owner INT NOT NULL)",
        &["table notes created"],
    ),
    (
        "ALTER TABLE notes ADD COLUMN text VARCHAR(20)",
        &["column notes.text added"],
    ),
    (
        "CREATE INDEX ix_text ON notes (text, owner)",
        &["index ix_text of notes added"],
    ),
    (
        "ALTER TABLE notes ADD CONSTRAINT fk_owner FOREIGN KEY (owner) REFERENCES users (id)",
        &["foreign key fk_owner of notes added"],
    ),
    (
        "ALTER TABLE notes DROP CONSTRAINT fk_owner",
        &["foreign key fk_owner of notes dropped"],
    ),
    (
        "CREATE TABLE other (id INT PRIMARY KEY)",
        &["table other created"],
    ),
    (
        "ALTER TABLE notes DROP COLUMN text",
        &["column notes.text dropped", "of notes"],
    ),
    ("DROP TABLE other", &["table other dropped"]),
    (
        "ALTER TABLE users ADD COLUMN first_of_all INT DEFAULT 7 NOT NULL",
        &["column users.first_of_all added"],
    ),
];

const BEFORE: &str = "CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(40) NOT NULL DEFAULT 'x');";

/// SQL for so many small tables.
pub(super) fn tables(count: usize) -> String {
    let tables = (0..count).map(|tenant| format!("CREATE TABLE t{tenant} (id INT);"));
    tables.collect::<Vec<_>>().concat()
}

async fn read(target: &Target) -> Arc<Schema> {
    migwatch::database::schema(target, PATIENT).await.unwrap()
}

fn words(before: &Schema, after: &Schema) -> Vec<String> {
    diff(before, after)
        .into_iter()
        .map(|change| change.words)
        .collect()
}

/// What `sql` changes, as the edge tells it.
async fn changed_by(database: &Database, target: &Target, sql: &str) -> Vec<String> {
    let before = read(target).await;
    database.execute(sql).await;
    let after = read(target).await;
    assert_eq!(
        read(target).await.fingerprint(),
        after.fingerprint(),
        "read twice after {sql}"
    );
    words(&before, &after)
}

#[tokio::test]
async fn every_change_of_a_table_is_seen_on_mariadb_and_postgresql() {
    for database in [mariadb().await, postgres().await] {
        database.execute(BEFORE).await;
        database.execute(&version_table("alembic_version", &["a1"])).await;
        let target = target(database.url(), Tables::Found);
        assert_eq!(read(&target).await.0.keys().collect::<Vec<_>>(), ["users"]);
        for (sql, expected) in CHANGES {
            let words = changed_by(&database, &target, sql).await;
            let foreign_keys_index =
                |it: &&String| !(it.contains("index fk_owner") || it.contains("index ix_text"));
            for expected in expected {
                assert!(words.iter().any(|it| it.contains(expected)), "{sql}: {words:?}");
            }
            // MariaDB makes an index for a foreign key, and PostgreSQL drops one with its column
            let others = words.iter().filter(foreign_keys_index).count();
            assert!(others <= 1, "{sql}: {words:?}");
        }
    }
}

#[tokio::test]
async fn a_changed_type_default_or_nullability_is_a_changed_column() {
    let (maria, postgres) = (mariadb().await, postgres().await);
    for database in [&maria, &postgres] {
        database.execute(BEFORE).await;
    }
    for sql in [
        "ALTER TABLE users MODIFY name VARCHAR(80) NOT NULL DEFAULT 'x'",
        "ALTER TABLE users MODIFY name VARCHAR(80) NULL DEFAULT 'x'",
        "ALTER TABLE users MODIFY name VARCHAR(80) NULL DEFAULT NULL",
        "ALTER TABLE users MODIFY name VARCHAR(80) NULL DEFAULT 'NULL'",
    ] {
        let words = changed_by(&maria, &target(maria.url(), Tables::Found), sql).await;
        assert_eq!(words, ["column users.name changed"], "{sql}");
    }
    for sql in [
        "ALTER TABLE users ALTER name TYPE VARCHAR(80)",
        "ALTER TABLE users ALTER name DROP NOT NULL",
        "ALTER TABLE users ALTER name SET DEFAULT 'y'",
        "ALTER TABLE users ALTER name DROP DEFAULT",
    ] {
        let words = changed_by(&postgres, &target(postgres.url(), Tables::Found), sql).await;
        assert_eq!(words, ["column users.name changed"], "{sql}");
    }
}

#[tokio::test]
async fn rows_views_and_statistics_are_no_change() {
    for (database, analyze) in [
        (mariadb().await, "ANALYZE TABLE users"),
        (postgres().await, "ANALYZE users"),
    ] {
        database.execute(BEFORE).await;
        let target = target(database.url(), Tables::Found);
        for sql in [
            "INSERT INTO users VALUES (1, 'a'), (2, 'b')",
            "CREATE VIEW seen AS SELECT name FROM users",
            analyze,
        ] {
            assert!(changed_by(&database, &target, sql).await.is_empty(), "{sql}");
        }
    }
}

#[tokio::test]
async fn version_tables_are_no_part_of_a_schema_however_they_are_called() {
    for database in [mariadb().await, postgres().await] {
        database.execute(BEFORE).await;
        database
            .execute(&version_table("alembic_version_rag", &["a1"]))
            .await;
        database
            .execute("CREATE TABLE versions (version_num VARCHAR(32), note INT)")
            .await;
        let target = target(database.url(), named(&["versions"]));
        assert_eq!(read(&target).await.0.keys().collect::<Vec<_>>(), ["users"]);
    }
}

#[tokio::test]
async fn postgresql_schemas_that_hold_version_tables_are_read_and_partitions_are_left_out() {
    let database = postgres().await;
    database.execute(BEFORE).await;
    database
        .execute("CREATE SCHEMA \"it's\"; CREATE TABLE \"it's\".things (id INT); CREATE SCHEMA unseen; CREATE TABLE unseen.x (id INT)")
        .await;
    let target = target(database.url(), named(&["it's.alembic_version"]));
    let schema = read(&target).await;
    assert_eq!(schema.0.keys().collect::<Vec<_>>(), ["it's.things", "users"]);
    let words = changed_by(
        &database,
        &target,
        "CREATE TABLE log (at DATE) PARTITION BY RANGE (at); CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
    )
    .await;
    assert_eq!(words, ["table log created"]);
    let generated = "ALTER TABLE users ADD COLUMN twice INT GENERATED ALWAYS AS (id * 2) STORED; \
         CREATE INDEX ix_half ON users ((id / 2)) WHERE id > 7";
    let words = changed_by(&database, &target, generated).await;
    assert_eq!(
        words,
        ["column users.twice added", "index ix_half of users added"]
    );
}

#[tokio::test]
async fn postgresql_partitions_that_foreign_keys_refer_to_come_and_go_unseen() {
    let database = postgres().await;
    database.execute(BEFORE).await;
    let partitioned = "CREATE TABLE log (id INT PRIMARY KEY) PARTITION BY RANGE (id); \
         CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (1) TO (10); \
         CREATE TABLE refers (id INT REFERENCES log (id))";
    database.execute(partitioned).await;
    let target = target(database.url(), Tables::Found);
    let more = "CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM (10) TO (20)";
    assert!(changed_by(&database, &target, more).await.is_empty());
    let gone = "ALTER TABLE refers DROP CONSTRAINT refers_id_fkey";
    let words = changed_by(&database, &target, gone).await;
    assert_eq!(words, ["foreign key refers_id_fkey of refers dropped"]);
}

#[tokio::test]
async fn an_expression_that_another_statement_makes_again_is_the_same_in_postgresql() {
    let database = postgres().await;
    let made = "CREATE TABLE users (id INT, twice INT GENERATED ALWAYS AS (id * 2) STORED); \
         CREATE INDEX ix_half ON users ((id / 2)) WHERE id > 7";
    database.execute(made).await;
    let target = target(database.url(), Tables::Found);
    let again = "DROP TABLE users;     CREATE TABLE   users (id INT,   twice INT  GENERATED ALWAYS AS  (id  *  2) STORED); \
         CREATE  INDEX   ix_half ON   users  ((id   /   2)) WHERE   id  >  7";
    assert!(changed_by(&database, &target, again).await.is_empty());
    let other = "DROP INDEX ix_half; CREATE INDEX ix_half ON users ((id / 3)) WHERE id > 7";
    assert!(!changed_by(&database, &target, other).await.is_empty());
}

#[tokio::test]
async fn every_change_of_a_table_is_seen_in_a_sqlite_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    sqlite(&path, BEFORE).await;
    sqlite(&path, &version_table("alembic_version", &["a1"])).await;
    let target = target(sqlite_url(&path), Tables::Found);
    for (sql, expected) in [
        (
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, owner INT REFERENCES users (id), UNIQUE (owner))",
            vec!["table notes created"],
        ),
        (
            "ALTER TABLE notes ADD COLUMN text",
            vec!["column notes.text added"],
        ),
        (
            "CREATE INDEX ix_text ON notes (text, owner)",
            vec!["index ix_text of notes added"],
        ),
        (
            "ALTER TABLE notes ADD COLUMN other INT REFERENCES users (id) ON DELETE CASCADE",
            vec!["column notes.other added", "foreign key other of notes added"],
        ),
        ("DROP INDEX ix_text", vec!["index ix_text of notes dropped"]),
        (
            "CREATE VIEW seen AS SELECT * FROM notes; INSERT INTO users VALUES (1, 'a')",
            vec![],
        ),
        ("DROP VIEW seen; DROP TABLE notes", vec!["table notes dropped"]),
    ] {
        let before = read(&target).await;
        sqlite(&path, sql).await;
        assert_eq!(words(&before, &*read(&target).await), expected, "{sql}");
    }
}

/// As the guide says it: this user is enough.
#[tokio::test]
async fn a_user_that_may_only_select_sees_the_whole_schema() {
    let database = mariadb().await;
    let user = format!("schema_{}", database.name);
    let all = format!(
        "{BEFORE} CREATE TABLE notes (id INT PRIMARY KEY, owner INT, KEY ix_owner (owner), \
         CONSTRAINT fk_owner FOREIGN KEY (owner) REFERENCES users (id) ON DELETE CASCADE); \
         CREATE USER {user}@'%' IDENTIFIED BY 'pw'; GRANT SELECT ON {}.* TO {user}@'%'",
        database.name
    );
    database.execute(&all).await;
    let url = DatabaseUrl::parse(&database.url_as(&user, "pw", database.address())).unwrap();
    let (theirs, ours) = (
        read(&target(url, Tables::Found)).await,
        read(&target(database.url(), Tables::Found)).await,
    );
    // MariaDB does not show what happens ON DELETE to whoever may only select
    assert_eq!(words(&ours, &theirs), ["foreign key fk_owner of notes changed"]);

    let database = postgres().await;
    let user = format!("schema_{}", database.name);
    database
        .execute(&format!("{BEFORE} CREATE ROLE {user} LOGIN PASSWORD 'pw'"))
        .await;
    let url = DatabaseUrl::parse(&database.url_as(&user, "pw", database.address())).unwrap();
    let schema = read(&target(url, Tables::Found)).await;
    assert!(schema.0["users"].indexes.contains_key("users_pkey"), "{schema:?}");
}

/// A migration holds its tables: reading the schema must neither wait for it nor make it wait.
#[tokio::test]
async fn a_table_that_a_migration_holds_does_not_keep_the_schema_from_being_read() {
    use sqlx::Connection;
    let database = postgres().await;
    database
        .execute("CREATE TABLE users (id INT PRIMARY KEY, name TEXT DEFAULT 'x', twice INT GENERATED ALWAYS AS (id * 2) STORED); CREATE INDEX ix_half ON users ((id / 2))")
        .await;
    let url = database.url_as("postgres", encoded_password(), database.address());
    let mut locker = sqlx::PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        .execute(&mut locker)
        .await
        .unwrap();
    let read = migwatch::database::schema(&target(database.url(), Tables::Found), TIMEOUT).await;
    assert_eq!(read.unwrap().0.len(), 1);

    let database = mariadb().await;
    database.execute(BEFORE).await;
    let url = database.url_as("root", encoded_password(), database.address());
    let mut locker = sqlx::MySqlConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("LOCK TABLES users WRITE")
        .execute(&mut locker)
        .await
        .unwrap();
    let read = migwatch::database::schema(&target(database.url(), Tables::Found), TIMEOUT).await;
    assert_eq!(read.unwrap().0.len(), 1);
}

#[tokio::test]
async fn more_than_two_thousand_tables_are_not_fingerprinted_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenants.db");
    sqlite(&path, &format!("BEGIN; {} COMMIT", tables(2_001))).await;
    let problem = migwatch::database::schema(&target(sqlite_url(&path), Tables::Found), PATIENT)
        .await
        .unwrap_err();
    assert_problem(
        &problem,
        Kind::Other,
        &[
            "cannot read the schema of",
            "more than 2000 tables",
            "not watched",
        ],
    );
    sqlite(&path, "DROP TABLE t0").await;
    assert_eq!(
        read(&target(sqlite_url(&path), Tables::Found)).await.0.len(),
        2_000
    );
}
