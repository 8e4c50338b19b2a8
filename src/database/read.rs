//! Reads the version tables of one database.
//!
//! Promises that no operation outlives its timeout, that all tables are read by one statement and so show one moment, and that
//! no transaction stays open. Refuses to know when to read and what follows from it.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, ColumnIndex, Connection as _, Decode, Row, Type};

use super::problem::{Cause, Failure, Operation};
use super::target::{TableName, Tables, Target};
use super::url::DatabaseUrl;
use super::{mysql, postgres, sqlite};
use crate::model::database::DatabaseProblem;
use crate::model::revision::{Heads, Revision, Standing};

/// The most rows that one statement may bring: far more than there are heads, far less than hurts.
const ROWS: usize = 1_000;

/// The most version tables that are found in one database: a schema per tenant may hold thousands, and each is a metric.
const TABLES: usize = 200;

/// A found list of version tables is used for so many readings before it is looked up again: the search costs the server more
/// than the reading, and a new version table is news of minutes unless something hurries.
const READINGS_PER_SEARCH: u32 = 4;

/// How long a server may take to hear a goodbye: it holds up our own stop.
const GOODBYE: Duration = Duration::from_millis(250);

/// Version tables by name and what stands in each.
pub(super) type Standings = BTreeMap<String, Standing>;

/// Reads one database again and again.
pub(super) struct Reader {
    target: Target,
    timeout: Duration,
    connection: Option<Connection>,
    found: Option<Vec<TableName>>,
    readings: u32,
}

impl Reader {
    /// A reader that has not connected yet; `timeout` is for each single operation.
    pub(super) fn new(target: Target, timeout: Duration) -> Self {
        Self {
            target,
            timeout,
            connection: None,
            found: None,
            readings: 0,
        }
    }

    /// What is read.
    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Reads `target` from now on; connects and searches anew if it is reached or read otherwise.
    pub(super) async fn retarget(&mut self, target: Target) {
        if (&target.url, &target.ca, &target.tables)
            != (&self.target.url, &self.target.ca, &self.target.tables)
        {
            self.close().await;
            self.found = None;
        }
        self.target = target;
    }

    /// All version tables now. With `search` found tables are looked up again first.
    pub(super) async fn read(&mut self, search: bool) -> Result<Standings, DatabaseProblem> {
        if search {
            self.found = None;
        }
        // a driver may panic over foreign bytes: that must not end the daemon
        let reading = AssertUnwindSafe(self.read_or_reconnect()).catch_unwind().await;
        let gibberish = || Failure {
            operation: Operation::Connect,
            cause: Cause::Gibberish,
        };
        reading
            .unwrap_or_else(|_| Err(gibberish()))
            .map_err(|failure| failure.problem(&self.target))
    }

    /// Says goodbye, so that the server does not log an aborted connection.
    pub(super) async fn close(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.close().await;
        }
    }

    /// An open connection may have died unnoticed since the last reading (a restart, an idle limit): that is no problem of the
    /// database, so a new one is tried before anything is said.
    async fn read_or_reconnect(&mut self) -> Result<Standings, Failure> {
        let was_open = self.connection.is_some();
        match self.read_once().await {
            Err(failure) if was_open && !failure.is_answer() => self.read_once().await,
            result => result,
        }
    }

    async fn read_once(&mut self) -> Result<Standings, Failure> {
        let timeout = self.timeout;
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                within(
                    timeout,
                    Operation::Connect,
                    Connection::open(&self.target, timeout),
                )
                .await?
            }
        };
        let result = self.ask(&mut connection).await;
        match &result {
            Ok(_) if connection.is_kept() => self.connection = Some(connection),
            Err(failure) if !failure.is_answer() => drop(connection),
            _ => connection.close().await,
        }
        result
    }

    async fn ask(&mut self, connection: &mut Connection) -> Result<Standings, Failure> {
        match &self.target.tables {
            Tables::Named(names) if !names.is_empty() => {
                let tables: Vec<TableName> = names.iter().map(|name| TableName::named(name)).collect();
                read_all(connection, &tables, self.timeout).await
            }
            Tables::Named(_) | Tables::Found => self.ask_found(connection).await,
        }
    }

    /// A found table that is gone makes a new search; what is not found again is simply not in the answer.
    async fn ask_found(&mut self, connection: &mut Connection) -> Result<Standings, Failure> {
        self.readings = self.readings.wrapping_add(1);
        if !self.readings.is_multiple_of(READINGS_PER_SEARCH)
            && let Some(tables) = self.found.take()
        {
            let standings = read_all(connection, &tables, self.timeout).await?;
            if !standings.values().any(|standing| *standing == Standing::Missing) {
                self.found = Some(tables);
                return Ok(standings);
            }
        }
        let tables = search(connection, self.timeout).await?;
        let mut standings = read_all(connection, &tables, self.timeout).await?;
        standings.retain(|_, standing| *standing != Standing::Missing);
        self.found = Some(tables).filter(|tables| !tables.is_empty());
        Ok(standings)
    }
}

async fn search(connection: &mut Connection, timeout: Duration) -> Result<Vec<TableName>, Failure> {
    let statement = format!("{} LIMIT {TABLES}", connection.search());
    let rows = within(timeout, Operation::Search, connection.rows(statement, timeout)).await?;
    let named = |(schema, name): (String, Option<String>)| {
        Some(TableName {
            schema: Some(schema).filter(|schema| !schema.is_empty()),
            name: name?,
        })
    };
    Ok(rows.into_iter().filter_map(named).collect())
}

/// All tables by one statement; only if one of them does not exist each by its own, to tell which.
async fn read_all(
    connection: &mut Connection,
    tables: &[TableName],
    timeout: Duration,
) -> Result<Standings, Failure> {
    match read_some(connection, tables, timeout).await {
        Err(failure) if failure.is_no_such_table() => {}
        result => return result,
    }
    let mut standings = Standings::new();
    for table in tables {
        match read_some(connection, std::slice::from_ref(table), timeout).await {
            Ok(standing) => standings.extend(standing),
            Err(failure) if failure.is_no_such_table() => {
                standings.insert(table.to_string(), Standing::Missing);
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(standings)
}

async fn read_some(
    connection: &mut Connection,
    tables: &[TableName],
    timeout: Duration,
) -> Result<Standings, Failure> {
    if tables.is_empty() {
        return Ok(Standings::new());
    }
    let members: Vec<String> = tables
        .iter()
        .enumerate()
        .map(|(key, table)| connection.select(key, table))
        .collect();
    let statement = format!("{} LIMIT {}", members.join(" UNION ALL "), ROWS + 1);
    let rows = within(timeout, Operation::Read, connection.rows(statement, timeout)).await?;
    if rows.len() > ROWS {
        return Err(Failure {
            operation: Operation::Read,
            cause: Cause::TooMany(ROWS),
        });
    }
    let mut revisions: BTreeMap<String, BTreeSet<Revision>> = BTreeMap::new();
    for (key, revision) in rows {
        revisions.entry(key).or_default().extend(revision.map(Revision));
    }
    let standing = |(key, table): (usize, &TableName)| {
        (
            table.to_string(),
            Standing::At(Heads(revisions.remove(&key.to_string()).unwrap_or_default())),
        )
    };
    Ok(tables.iter().enumerate().map(standing).collect())
}

async fn within<T>(
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
enum Connection {
    MySql(Box<MySqlConnection>),
    Postgres(Box<PgConnection>),
    Sqlite(Box<SqliteConnection>),
}

impl Connection {
    async fn open(target: &Target, timeout: Duration) -> sqlx::Result<Self> {
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
    fn is_kept(&self) -> bool {
        matches!(self, Self::MySql(_))
    }

    fn search(&self) -> &'static str {
        match self {
            Self::MySql(_) => mysql::SEARCH,
            Self::Postgres(_) => postgres::SEARCH,
            Self::Sqlite(_) => sqlite::SEARCH,
        }
    }

    fn select(&self, key: usize, table: &TableName) -> String {
        match self {
            Self::MySql(_) => mysql::select(key, table),
            Self::Postgres(_) => postgres::select(key, table),
            Self::Sqlite(_) => sqlite::select(key, table),
        }
    }

    /// The two text columns of each row. Unprepared: nothing of ours stays behind on the server.
    async fn rows(
        &mut self,
        statement: String,
        timeout: Duration,
    ) -> sqlx::Result<Vec<(String, Option<String>)>> {
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

    async fn close(self) {
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

fn texts<R>(row: &R) -> sqlx::Result<(String, Option<String>)>
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Option<String>: Decode<'r, R::Database> + Type<R::Database>,
{
    Ok((row.try_get(0)?, row.try_get(1)?))
}
