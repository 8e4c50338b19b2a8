//! Opens an existing journal and reads all of it once, believing nothing that does not prove whole.
//!
//! Tells damage from a newer format and from a disk that refuses. Changes nothing in a file that it does not accept.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::folder::{beside, unusable};
use super::schema::{self, FactRow, HistoryRow};
use super::wal::{self, Log};
use super::{Journal, JournalError, Recovered};
use crate::model::fact::{FORMAT, Fact};

/// How long to wait for somebody who has the file open in the `sqlite3` shell.
const BUSY: Duration = Duration::from_secs(1);
/// What the write-ahead log is cut to after a checkpoint, in bytes.
const LOG_BYTES: i64 = 4 << 20;
/// Pages kept in memory, in KiB (negative by SQLite's convention): the journal is written, hardly ever read.
const CACHE_KIB: i64 = -256;

/// Why a journal is not accepted.
pub(super) enum Refusal {
    /// It is damaged: how, in one sentence.
    Damaged(String),
    /// Something else.
    Error(JournalError),
}

/// A whole journal.
pub(super) struct Found {
    connection: Connection,
    last: u64,
    covered: u64,
    recovered: Recovered,
}

impl Found {
    pub(super) fn into_journal(self, lock: File) -> (Journal, Recovered) {
        let Self {
            connection,
            last,
            covered,
            recovered,
        } = self;
        (
            Journal {
                connection,
                last,
                snapshot: covered,
                _lock: lock,
            },
            recovered,
        )
    }
}

/// Reads the journal at `path`.
pub(super) fn existing(path: &Path) -> Result<Found, Refusal> {
    // SQLite takes an empty file for a new database, and throws its log away.
    let length = path
        .metadata()
        .map_err(|source| Refusal::Error(unusable(path, source)))?
        .len();
    if length == 0 {
        return Err(Refusal::Damaged("it is empty".to_owned()));
    }
    let log = wal::inspect(&beside(path, "-wal")).map_err(|source| Refusal::Error(unusable(path, source)))?;
    let connection = connect(path).map_err(|error| judge(path, error))?;
    let format = format_of(&connection).map_err(|error| judge(path, error))?;
    if format > i64::from(FORMAT) {
        return Err(Refusal::Error(newer(path, format)));
    }
    if log == Log::Damaged {
        return Err(Refusal::Damaged(
            "its write-ahead log cannot be read to its end".to_owned(),
        ));
    }
    check(&connection, format).map_err(|error| error.refusal(path))?;
    let mut found = load(connection).map_err(|error| error.refusal(path))?;
    found.recovered.torn = log == Log::Torn;
    let accepted = found
        .connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
    accepted.map_err(|error| judge(path, error))?;
    Ok(found)
}

/// Something that stands in the way while reading.
enum Problem {
    Damaged(String),
    Newer(i64),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Problem {
    fn refusal(self, path: &Path) -> Refusal {
        match self {
            Self::Damaged(how) => Refusal::Damaged(how),
            Self::Newer(format) => Refusal::Error(newer(path, format)),
            Self::Sqlite(error) => judge(path, error),
        }
    }
}

fn newer(path: &Path, found: i64) -> JournalError {
    JournalError::Newer {
        path: path.to_owned(),
        found,
        known: FORMAT,
    }
}

/// A disk that refuses is no damage; everything else that SQLite finds wrong in a file of ours is.
fn judge(path: &Path, source: rusqlite::Error) -> Refusal {
    use ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, FileLockingProtocolFailed, NoLargeFileSupport,
        OutOfMemory, PermissionDenied, ReadOnly, SystemIoFailure,
    };
    let refused = match source.sqlite_error() {
        // A page that should be there is not.
        Some(failure) if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHORT_READ => false,
        Some(failure) => matches!(
            failure.code,
            CannotOpen
                | PermissionDenied
                | ReadOnly
                | DiskFull
                | SystemIoFailure
                | DatabaseBusy
                | DatabaseLocked
                | OutOfMemory
                | NoLargeFileSupport
                | FileLockingProtocolFailed
        ),
        None => false,
    };
    if refused {
        return Refusal::Error(JournalError::Open {
            path: path.to_owned(),
            source,
        });
    }
    Refusal::Damaged(source.to_string())
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // Until the file is accepted, closing it must not merge a log that may be what is damaged.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    Ok(connection)
}

fn format_of(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Whether it is ours, SQLite finds its structure whole, and it can be written as it must be.
fn check(connection: &Connection, format: i64) -> Result<(), Problem> {
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application != schema::APPLICATION_ID || format < 1 {
        return Err(Problem::Damaged("it is no journal of migwatch".to_owned()));
    }
    let verdict: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(Problem::Damaged(verdict));
    }
    if connection.is_readonly("main")? {
        let readonly = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY);
        return Err(Problem::Sqlite(rusqlite::Error::SqliteFailure(
            readonly,
            Some("it is read-only".to_owned()),
        )));
    }
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(Problem::Damaged(format!(
            "its journal mode is {mode}, which a migwatch never sets"
        )));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES, |_| Ok(()))?;
    Ok(())
}

fn load(connection: Connection) -> Result<Found, Problem> {
    let mut recovered = Recovered::default();
    let mut covered = 0;
    if let Some((number, snapshot)) = snapshot(&connection)? {
        covered = number;
        recovered.snapshot = Some(snapshot);
    }
    recovered.facts = facts(&connection, covered)?;
    let last = covered + recovered.facts.len() as u64;
    if highest(&connection)? != last {
        return Err(Problem::Damaged(format!("facts after number {last} are missing")));
    }
    whole_history(&connection)?;
    Ok(Found {
        connection,
        last,
        covered,
        recovered,
    })
}

/// The highest number that a fact ever had; 0 before the first.
fn highest(connection: &Connection) -> Result<u64, Problem> {
    let mut select = connection.prepare(schema::HIGHEST_FACT)?;
    let numbers: Vec<i64> = select
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    match numbers.as_slice() {
        [] => Ok(0),
        [number] if *number > 0 => Ok(number.unsigned_abs()),
        _ => Err(Problem::Damaged(
            "it does not know how many facts there were".to_owned(),
        )),
    }
}

fn snapshot(connection: &Connection) -> Result<Option<(u64, serde_json::Value)>, Problem> {
    let mut select = connection.prepare(schema::SELECT_SNAPSHOT)?;
    let mut rows = select.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (number, at, body, sum): (i64, String, String, i64) =
        (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
    let snapshot = serde_json::from_str(&body).ok();
    match (u64::try_from(number), snapshot) {
        (Ok(covered), Some(snapshot)) if schema::sum(&[&covered.to_string(), &at, &body]) == sum => {
            Ok(Some((covered, snapshot)))
        }
        _ => Err(Problem::Damaged(
            "its snapshot is not what was written".to_owned(),
        )),
    }
}

/// Every fact after number `covered`, without a gap.
fn facts(connection: &Connection, covered: u64) -> Result<Vec<Fact>, Problem> {
    let mut select = connection.prepare(schema::SELECT_FACTS)?;
    let mut rows = select.query([])?;
    let mut facts = Vec::new();
    let mut expected = covered;
    while let Some(row) = rows.next()? {
        expected += 1;
        let (number, at): (i64, String) = (row.get(0)?, row.get(1)?);
        let fact = FactRow {
            kind: row.get(2)?,
            version: row.get(3)?,
            body: row.get(4)?,
        };
        let sum: i64 = row.get(5)?;
        if number != schema::signed(expected) {
            return Err(Problem::Damaged(format!("fact {expected} is missing")));
        }
        if fact.sum(expected, &at) != sum {
            return Err(Problem::Damaged(format!(
                "fact {expected} is not what was written"
            )));
        }
        if fact.version > i64::from(FORMAT) {
            return Err(Problem::Newer(fact.version));
        }
        let kind = &fact.kind;
        let read = serde_json::from_str(&fact.body);
        facts.push(
            read.map_err(|error| {
                Problem::Damaged(format!("fact {expected} ({kind}) is unreadable: {error}"))
            })?,
        );
    }
    Ok(facts)
}

fn whole_history(connection: &Connection) -> Result<(), Problem> {
    let mut select = connection.prepare(schema::SELECT_HISTORY)?;
    let everything = rusqlite::params![None::<&str>, None::<&str>, None::<&str>, i64::MAX];
    let rows = select.query_map(everything, HistoryRow::read)?;
    for row in rows {
        let (row, sum) = row?;
        if row.migration(sum).is_none() {
            return Err(Problem::Damaged(format!(
                "the history of migration {} is not what was written",
                row.id
            )));
        }
    }
    Ok(())
}
