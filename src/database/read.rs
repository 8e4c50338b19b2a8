//! Reads the version tables of one database.
//!
//! Promises that no operation outlives its timeout, that all tables are read by one statement and so show one moment, and that
//! no transaction stays open. Refuses to know when to read and what follows from it.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use super::connection::{Connection, Texts, within};
use super::problem::{Cause, Failure, Operation};
use super::target::{TableName, Tables, Target};
use crate::model::database::DatabaseProblem;
use crate::model::revision::{Heads, Revision, Standing};

/// The most rows that one statement may bring: far more than there are heads, far less than hurts.
const ROWS: usize = 1_000;

/// The most version tables that are found in one database: a schema per tenant may hold thousands, and each is a metric.
const TABLES: usize = 200;

/// A found list of version tables is used for so many readings before it is looked up again: the search costs the server more
/// than the reading, and a new version table is news of minutes unless something hurries.
const READINGS_PER_SEARCH: u32 = 4;

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
        let mut connection = self.connected().await?;
        let result = self.ask(&mut connection).await;
        self.done_with(connection, result.as_ref().err()).await;
        result
    }

    /// The open connection, or a new one.
    pub(super) async fn connected(&mut self) -> Result<Connection, Failure> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        let opening = Connection::open(&self.target, self.timeout);
        within(self.timeout, Operation::Connect, opening).await
    }

    /// Keeps the connection, or ends it, as its kind and what happened on it want.
    pub(super) async fn done_with(&mut self, connection: Connection, failure: Option<&Failure>) {
        match failure {
            None if connection.is_kept() => self.connection = Some(connection),
            Some(failure) if !failure.is_answer() => drop(connection),
            _ => connection.close().await,
        }
    }

    /// The tables that are read, by name or as found by the last search.
    pub(super) fn version_tables(&self) -> Vec<TableName> {
        match &self.target.tables {
            Tables::Named(names) if !names.is_empty() => {
                names.iter().map(|name| TableName::named(name)).collect()
            }
            Tables::Named(_) | Tables::Found => self.found.clone().unwrap_or_default(),
        }
    }

    /// How long each operation may take.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    async fn ask(&mut self, connection: &mut Connection) -> Result<Standings, Failure> {
        match &self.target.tables {
            Tables::Named(names) if !names.is_empty() => {
                read_all(connection, &self.version_tables(), self.timeout).await
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
    let named = |[schema, name]: Texts<2>| {
        Some(TableName {
            schema: schema.filter(|schema| !schema.is_empty()),
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
    for [key, revision] in rows {
        revisions
            .entry(key.unwrap_or_default())
            .or_default()
            .extend(revision.map(Revision));
    }
    let standing = |(key, table): (usize, &TableName)| {
        (
            table.to_string(),
            Standing::At(Heads(revisions.remove(&key.to_string()).unwrap_or_default())),
        )
    };
    Ok(tables.iter().enumerate().map(standing).collect())
}
