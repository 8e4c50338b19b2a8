//! Who waits for whom, on real servers with real locks.

use std::time::Duration;

use migwatch::database::{DatabaseUrl, Tables, Target};
use migwatch::model::lock::LockWait;
use migwatch::model::time::Timestamp;
use sqlx::{AssertSqlSafe, Connection, MySqlConnection, PgConnection};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{PATIENT, sqlite, sqlite_url, target, version_table};
use crate::support::databases::{Schema, encoded_password, mariadb, postgres};

const TABLES: &str =
    "CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(40)); INSERT INTO users VALUES (1, 'a'), (2, 'b');";

/// What the server must never show: it stands in statements of both sessions.
const SECRET: &str = "s3cret";

fn now() -> Timestamp {
    Timestamp::from_seconds(1_000_000)
}

/// Looks until somebody waits.
async fn waits(target: &Target) -> Vec<LockWait> {
    let until = Instant::now() + Duration::from_mins(1);
    loop {
        let waits = migwatch::database::lock_waits(target, PATIENT, now())
            .await
            .unwrap();
        if !waits.is_empty() {
            return waits;
        }
        assert!(Instant::now() < until, "nobody waits");
    }
}

/// Runs a statement that will have to wait, in a session of its own.
pub(super) fn start_waiting(database: &Schema, sql: &str) -> JoinSet<()> {
    let user = if database.address().ends_with(":3306") {
        "root"
    } else {
        "postgres"
    };
    let url = database.url_as(user, encoded_password(), database.address());
    let sql = sql.to_owned();
    let mut waiting = JoinSet::new();
    waiting.spawn(async move {
        let sql = AssertSqlSafe(sql);
        if user == "root" {
            let mut session = MySqlConnection::connect(&url).await.unwrap();
            let _ = sqlx::raw_sql(sql).execute(&mut session).await;
        } else {
            let mut session = PgConnection::connect(&url).await.unwrap();
            let _ = sqlx::raw_sql(sql).execute(&mut session).await;
        }
    });
    waiting
}

fn assert_no_secret(waits: &[LockWait]) {
    let shown = format!("{waits:?}");
    assert!(!shown.contains(SECRET), "{shown}");
}

#[tokio::test]
async fn on_mariadb_an_alter_that_waits_for_an_open_transaction_is_seen_with_its_likely_holder() {
    let database = mariadb().await;
    database.execute(TABLES).await;
    let url = database.url_as("root", encoded_password(), database.address());
    let mut holder = MySqlConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("BEGIN; UPDATE users SET name = 's3cret' WHERE id = 1")
        .execute(&mut holder)
        .await
        .unwrap();
    let id: i64 = sqlx::query_scalar("SELECT CAST(CONNECTION_ID() AS SIGNED)")
        .fetch_one(&mut holder)
        .await
        .unwrap();
    let alter = "ALTER TABLE users ADD COLUMN token VARCHAR(40) DEFAULT 's3cret'";
    let _waiting = start_waiting(&database, alter);
    let seen = waits(&target(database.url(), Tables::Found)).await;
    assert_eq!(seen.len(), 1, "{seen:?}");
    let statement = seen[0].waiting.statement.as_deref().unwrap();
    assert!(
        statement.starts_with("ALTER TABLE users ADD COLUMN token"),
        "{statement}"
    );
    let held_by = seen[0].holder.as_ref().unwrap();
    assert_eq!(
        (held_by.id, held_by.user.as_str(), held_by.idle),
        (id, "root", true)
    );
    assert!(seen[0].probably && held_by.since.unwrap() <= now());
    assert!(
        !held_by.host.is_empty() && !held_by.host.contains(':'),
        "{}",
        held_by.host
    );
    assert_no_secret(&seen);
}

#[tokio::test]
async fn on_mariadb_who_waits_for_a_row_is_seen_with_who_holds_it() {
    let database = mariadb().await;
    database.execute(&version_table("alembic_version", &["a1"])).await;
    let url = database.url_as("root", encoded_password(), database.address());
    let mut holder = MySqlConnection::connect(&url).await.unwrap();
    let update = "UPDATE alembic_version SET version_num = 's3cret'";
    sqlx::raw_sql(AssertSqlSafe(format!("BEGIN; {update}")))
        .execute(&mut holder)
        .await
        .unwrap();
    let _waiting = start_waiting(&database, update);
    let seen = waits(&target(database.url(), Tables::Found)).await;
    assert!(seen[0].holder.is_some() && !seen[0].probably, "{seen:?}");
    assert!(
        seen[0]
            .waiting
            .statement
            .as_deref()
            .unwrap()
            .contains("version_num")
    );
    assert_no_secret(&seen);
}

#[tokio::test]
async fn a_mariadb_user_without_the_right_process_sees_its_own_waits_and_no_holder() {
    let database = mariadb().await;
    let user = format!("locks_{}", database.name);
    database
        .execute(&format!(
            "{TABLES} CREATE USER {user}@'%' IDENTIFIED BY 'pw'; GRANT ALL ON {}.* TO {user}@'%'",
            database.name
        ))
        .await;
    let root = database.url_as("root", encoded_password(), database.address());
    let mut holder = MySqlConnection::connect(&root).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT * FROM users")
        .execute(&mut holder)
        .await
        .unwrap();
    let url = database.url_as(&user, "pw", database.address());
    let mut waiting = JoinSet::new();
    let theirs = url.clone();
    waiting.spawn(async move {
        let mut session = MySqlConnection::connect(&theirs).await.unwrap();
        let _ = sqlx::raw_sql("ALTER TABLE users ADD COLUMN age INT")
            .execute(&mut session)
            .await;
    });
    let seen = waits(&target(DatabaseUrl::parse(&url).unwrap(), Tables::Found)).await;
    assert_eq!((seen.len(), &seen[0].holder), (1, &None), "{seen:?}");
}

#[tokio::test]
async fn on_postgresql_an_alter_that_waits_is_seen_with_who_is_in_its_way() {
    let database = postgres().await;
    database.execute(TABLES).await;
    let url = database.url_as("postgres", encoded_password(), database.address());
    let mut holder = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("BEGIN; UPDATE users SET name = 's3cret' WHERE id = 1")
        .execute(&mut holder)
        .await
        .unwrap();
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut holder)
        .await
        .unwrap();
    let alter = "ALTER TABLE users ADD COLUMN token VARCHAR(40) DEFAULT 's3cret'";
    let _waiting = start_waiting(&database, alter);
    let seen = waits(&target(database.url(), Tables::Found)).await;
    assert_eq!(seen.len(), 1, "{seen:?}");
    let (waiting, holder) = (&seen[0].waiting, seen[0].holder.as_ref().unwrap());
    assert!(
        waiting
            .statement
            .as_deref()
            .unwrap()
            .starts_with("ALTER TABLE users ADD COLUMN token")
    );
    assert!(waiting.connected_at.unwrap() <= now());
    assert_eq!(
        (holder.id, holder.user.as_str(), holder.idle),
        (i64::from(pid), "postgres", true)
    );
    assert!(!seen[0].probably && holder.since.unwrap() <= now());
    assert_no_secret(&seen);
}

#[tokio::test]
async fn a_postgresql_user_without_further_rights_sees_who_waits_and_not_what() {
    let database = postgres().await;
    let user = format!("locks_{}", database.name);
    database
        .execute(&format!("{TABLES} CREATE ROLE {user} LOGIN PASSWORD 'pw'"))
        .await;
    let root = database.url_as("postgres", encoded_password(), database.address());
    let mut holder = PgConnection::connect(&root).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT * FROM users")
        .execute(&mut holder)
        .await
        .unwrap();
    let _waiting = start_waiting(&database, "ALTER TABLE users ADD COLUMN age INT");
    let url = DatabaseUrl::parse(&database.url_as(&user, "pw", database.address())).unwrap();
    let seen = waits(&target(url, Tables::Found)).await;
    let holder = seen[0].holder.as_ref().unwrap();
    assert_eq!(
        (holder.user.as_str(), &holder.statement),
        ("postgres", &None),
        "{seen:?}"
    );
    assert_eq!(seen[0].waiting.statement, None);
}

#[tokio::test]
async fn nobody_waits_where_nothing_is_locked_and_a_sqlite_file_shows_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    sqlite(&path, "CREATE TABLE users (id INT)").await;
    for url in [mariadb().await.url(), postgres().await.url(), sqlite_url(&path)] {
        let target = target(url, Tables::Found);
        let seen = migwatch::database::lock_waits(&target, PATIENT, now()).await;
        assert_eq!(seen, Ok(Vec::new()));
    }
}
