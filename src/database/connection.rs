//! One session with a database of any kind.
//!
//! Promises that no operation outlives its timeout and that nothing of ours stays behind on the server. Refuses to know what is asked.

use std::future::Future;
use std::time::Duration;

use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, ColumnIndex, Connection as _, Decode, Row, Type};

use super::problem::{Cause, Failure, Operation};
use super::target::{TableName, Target};
use super::url::DatabaseUrl;
use super::{mysql, postgres, sqlite};

/// How long a server may take to hear a goodbye: it holds up our own stop.
const GOODBYE: Duration = Duration::from_millis(250);

/// One row of texts.
pub(super) type Texts<const N: usize> = [Option<String>; N];

/// Runs one operation within its limit.
pub(super) async fn within<T>(
    limit: Duration,
    operation: Operation,
    work: impl Future<Output = sqlx::Result<T>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result.map_err(|error| Failure {
            operation,
            cause: Cause::Sql(error),
        }),
        Err(_) => Err(Failure {
            operation,
            cause: Cause::Slow(limit),
        }),
    }
}

/// One session with a database.
pub(super) enum Connection {
    MySql(Box<MySqlConnection>),
    Postgres(Box<PgConnection>),
    Sqlite(Box<SqliteConnection>),
}

impl Connection {
    /// Logs in.
    pub(super) async fn open(target: &Target, timeout: Duration) -> sqlx::Result<Self> {
        let ca = target.ca.as_deref();
        Ok(match &target.url {
            DatabaseUrl::MySql(server) => Self::MySql(Box::new(mysql::open(server, ca, timeout).await?)),
            DatabaseUrl::Postgres(server) => Self::Postgres(Box::new(postgres::open(server, ca).await?)),
            DatabaseUrl::Sqlite(path) => Self::Sqlite(Box::new(sqlite::open(path, timeout).await?)),
        })
    }

    /// Whether the session stays open until the next reading. With MariaDB and MySQL it does: an idle session in autocommit is in
    /// nobody's way and saves both sides the login. PostgreSQL refuses `DROP DATABASE`, renames and use as a template
    /// while any session is open, and a monitor must not be why a restore fails. A SQLite file may be replaced by another of the
    /// same name, which only opening it shows.
    pub(super) fn is_kept(&self) -> bool {
        matches!(self, Self::MySql(_))
    }

    /// The statement that finds version tables.
    pub(super) fn search(&self) -> &'static str {
        match self {
            Self::MySql(_) => mysql::SEARCH,
            Self::Postgres(_) => postgres::SEARCH,
            Self::Sqlite(_) => sqlite::SEARCH,
        }
    }

    /// One member of the statement that reads version tables.
    pub(super) fn select(&self, key: usize, table: &TableName) -> String {
        match self {
            Self::MySql(_) => mysql::select(key, table),
            Self::Postgres(_) => postgres::select(key, table),
            Self::Sqlite(_) => sqlite::select(key, table),
        }
    }

    /// The first `N` text columns of each row. Unprepared: nothing of ours stays behind on the server.
    pub(super) async fn rows<const N: usize>(
        &mut self,
        statement: String,
        timeout: Duration,
    ) -> sqlx::Result<Vec<Texts<N>>> {
        match self {
            Self::MySql(connection) => {
                let rows = sqlx::raw_sql(AssertSqlSafe(statement))
                    .fetch_all(&mut **connection)
                    .await?;
                rows.iter().map(texts).collect()
            }
            Self::Postgres(connection) => {
                let rows = postgres::rows(connection, &statement, timeout).await?;
                rows.iter().map(texts).collect()
            }
            Self::Sqlite(connection) => {
                let rows = sqlx::raw_sql(AssertSqlSafe(statement))
                    .fetch_all(&mut **connection)
                    .await?;
                rows.iter().map(texts).collect()
            }
        }
    }

    /// Says goodbye.
    pub(super) async fn close(self) {
        let goodbye = async {
            match self {
                Self::MySql(connection) => connection.close().await,
                Self::Postgres(connection) => connection.close().await,
                Self::Sqlite(connection) => connection.close().await,
            }
        };
        // whether the server heard it changes nothing: the socket is closed either way
        let _ = tokio::time::timeout(GOODBYE, goodbye).await;
    }
}

fn texts<R, const N: usize>(row: &R) -> sqlx::Result<Texts<N>>
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> Option<String>: Decode<'r, R::Database> + Type<R::Database>,
{
    let mut texts = [const { None }; N];
    for (column, text) in texts.iter_mut().enumerate() {
        *text = row.try_get(column)?;
    }
    Ok(texts)
}
