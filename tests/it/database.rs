//! The database edge on real MariaDB, PostgreSQL and SQLite.

mod changes;
mod locks;
mod manners;
mod reading;
mod schema;
mod trouble;
mod watching;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use migwatch::database::{DatabaseUrl, Tables, Target};
use migwatch::model::database::{DatabaseProblem, DatabaseProblemKind};
use migwatch::model::revision::{Heads, Standing};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

/// As in operation.
const TIMEOUT: Duration = Duration::from_secs(2);

/// For readings that must succeed on a busy machine.
const PATIENT: Duration = Duration::from_secs(30);

fn target(url: DatabaseUrl, tables: Tables) -> Target {
    Target {
        id: url.id(),
        services: Vec::new(),
        url,
        tables,
        ca: None,
    }
}

fn named(tables: &[&str]) -> Tables {
    Tables::Named(tables.iter().map(|name| (*name).to_owned()).collect())
}

async fn check(url: DatabaseUrl, tables: Tables) -> Result<BTreeMap<String, Standing>, DatabaseProblem> {
    migwatch::database::check(&target(url, tables), PATIENT).await
}

/// Table, revisions.
fn at(standings: &[(&str, &[&str])]) -> BTreeMap<String, Standing> {
    standings
        .iter()
        .map(|(table, heads)| {
            (
                (*table).to_owned(),
                Standing::At(Heads::of(heads.iter().copied())),
            )
        })
        .collect()
}

#[track_caller]
fn assert_problem(problem: &DatabaseProblem, kind: DatabaseProblemKind, words: &[&str]) {
    assert_eq!(problem.kind, kind, "{}", problem.detail);
    for word in words {
        assert!(
            problem.detail.contains(word),
            "{word:?} is not in: {}",
            problem.detail
        );
    }
}

fn sqlite_url(path: &Path) -> DatabaseUrl {
    DatabaseUrl::parse(&format!("sqlite:///{}", path.display())).unwrap()
}

/// Runs statements in a SQLite file, which is made if need be.
async fn sqlite(path: &Path, sql: &str) {
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", path.display()))
        .await
        .unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// SQL for a version table with these rows.
fn version_table(table: &str, revisions: &[&str]) -> String {
    let rows = revisions
        .iter()
        .map(|revision| format!("INSERT INTO {table} VALUES ('{revision}');"));
    format!(
        "CREATE TABLE {table} (version_num VARCHAR(32) NOT NULL PRIMARY KEY);{}",
        rows.collect::<String>()
    )
}
