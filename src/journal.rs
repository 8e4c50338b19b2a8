//! Edge: keeps facts on disk.
//!
//! Promises that what [`Journal::append`] acknowledged is there after any end of the process; that damage is noticed, said and set
//! aside, never read as if it were whole; and that a journal of a newer migwatch is left alone. Refuses to know what facts mean.
//!
//! One SQLite file (write-ahead log, synced at every commit) and a lock file. Facts come as rows with a number without gaps and a
//! sum over their content; a snapshot stands for all facts up to its number; settled migrations move to a history table.

mod folder;
mod read;
mod schema;
mod wal;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, params};

use crate::model::fact::Fact;
use crate::model::migration::Migration;
use crate::model::time::Timestamp;
use read::Refusal;

/// The open journal. Its calls block until the disk has answered.
#[derive(Debug)]
pub struct Journal {
    connection: Connection,
    /// The number of the last fact.
    last: u64,
    /// The number of the last fact that the snapshot stands for.
    snapshot: u64,
    /// Held as long as this journal is open.
    _lock: File,
}

/// What [`Journal::open`] found.
#[derive(Debug, Default)]
pub struct Recovered {
    /// The last snapshot.
    pub snapshot: Option<serde_json::Value>,
    /// The facts after it, in order.
    pub facts: Vec<Fact>,
    /// Where the old file lies now, because it was damaged.
    pub moved_aside: Option<PathBuf>,
    /// What was wrong with it: one sentence.
    pub damage: Option<String>,
    /// The write that was under way when the last process ended is incomplete and was left out. Nothing that was acknowledged
    /// is in it, unless the disk lost what it had promised to keep.
    pub torn: bool,
    /// This journal has just begun.
    pub fresh: bool,
}

/// Which settled migrations are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// Only of this compose project.
    pub project: Option<String>,
    /// Only of services of this name.
    pub service: Option<String>,
    /// Only those that began at this time or later.
    pub since: Option<Timestamp>,
    /// At most so many, the newest first.
    pub limit: usize,
}

/// What can go wrong with a journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The data directory cannot be made or written.
    #[error(
        "the data directory {path} cannot be written by user {user}: run `chown -R {user} {path}`, or mount a volume there that this user owns"
    )]
    Directory {
        /// The directory, or the file in it.
        path: PathBuf,
        /// The number of the user that migwatch runs as.
        user: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another migwatch has the data directory.
    #[error("{holder} keeps its journal in {path} already: end it, or give this one another --data.dir")]
    Locked {
        /// The directory.
        path: PathBuf,
        /// `process 123`.
        holder: String,
    },
    /// A newer migwatch wrote it.
    #[error(
        "the journal {path} has format {found}, this migwatch knows {known}: start the newer migwatch again, or move the file away to begin anew"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// Ours.
        known: u32,
    },
    /// The file cannot be opened or made, and that is no damage.
    #[error("cannot open the journal {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// A damaged file cannot be set aside.
    #[error("the journal {path} is damaged ({damage}) and cannot be renamed: move it away")]
    MoveAside {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        damage: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Facts were not written.
    #[error("cannot append to the journal")]
    Append(#[source] rusqlite::Error),
    /// A snapshot was not written.
    #[error("cannot compact the journal")]
    Compact(#[source] rusqlite::Error),
    /// The history cannot be read.
    #[error("cannot read the history in the journal")]
    History(#[source] rusqlite::Error),
    /// A row of the history is not what was written.
    #[error(
        "the history of migration {id} in the journal is damaged: start migwatch again, it will set the journal aside"
    )]
    DamagedHistory {
        /// The migration.
        id: String,
    },
    /// A value has no JSON form.
    #[error("a value for the journal has no JSON form")]
    Encode(#[source] serde_json::Error),
}

impl JournalError {
    /// Whether it may pass by itself: a full disk, a file system that became read-only, an I/O error, a busy file.
    pub fn is_transient(&self) -> bool {
        let (Self::Append(source)
        | Self::Compact(source)
        | Self::History(source)
        | Self::Open { source, .. }) = self
        else {
            return false;
        };
        matches!(
            source.sqlite_error_code(),
            Some(
                ErrorCode::DiskFull
                    | ErrorCode::ReadOnly
                    | ErrorCode::SystemIoFailure
                    | ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::CannotOpen
                    | ErrorCode::OutOfMemory
            )
        )
    }
}

impl Journal {
    /// Opens the journal in `dir`, which is made if it is missing, or begins one. `now` only names a file that is set aside.
    ///
    /// # Errors
    /// The directory cannot be written, another process has it, the journal is of a newer format, or the disk refuses.
    pub fn open(dir: &Path, now: Timestamp) -> Result<(Self, Recovered), JournalError> {
        folder::make(dir)?;
        let lock = folder::lock(dir)?;
        let path = dir.join(folder::FILE);
        let damage = if folder::exists(&path) {
            match read::existing(&path) {
                Ok(found) => return Ok(found.into_journal(lock)),
                Err(Refusal::Error(error)) => return Err(error),
                Err(Refusal::Damaged(damage)) => Some(damage),
            }
        } else {
            folder::has_orphans(&path).then(|| "its write-ahead log is there without it".to_owned())
        };
        let mut recovered = Recovered {
            fresh: true,
            ..Recovered::default()
        };
        if let Some(damage) = damage {
            recovered.moved_aside = Some(folder::move_aside(&path, now, &damage)?);
            recovered.damage = Some(damage);
        }
        folder::begin(&path)?;
        match read::existing(&path) {
            Ok(found) => Ok((found.into_journal(lock).0, recovered)),
            Err(Refusal::Error(error)) => Err(error),
            Err(Refusal::Damaged(_)) => {
                let source = rusqlite::Error::SqliteFailure(
                    rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR),
                    None,
                );
                Err(JournalError::Open { path, source })
            }
        }
    }

    /// Writes facts in one transaction; they are durable when this returns the number of the last one.
    ///
    /// # Errors
    /// The disk refuses (see [`JournalError::is_transient`]): then none of them is written, and the call may be repeated.
    pub fn append(&mut self, facts: &[Fact], now: Timestamp) -> Result<u64, JournalError> {
        if facts.is_empty() {
            return Ok(self.last);
        }
        let rows = facts
            .iter()
            .map(schema::FactRow::of)
            .collect::<Result<Vec<_>, _>>()
            .map_err(JournalError::Encode)?;
        self.last = self.write_facts(&rows, now).map_err(JournalError::Append)?;
        Ok(self.last)
    }

    fn write_facts(&mut self, rows: &[schema::FactRow], now: Timestamp) -> rusqlite::Result<u64> {
        let (mut number, at) = (self.last, now.to_string());
        let transaction = self.connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(schema::INSERT_FACT)?;
            for row in rows {
                number += 1;
                let sum = row.sum(number, &at);
                insert.execute(params![
                    schema::signed(number),
                    at,
                    row.kind,
                    row.version,
                    row.body,
                    sum
                ])?;
            }
        }
        transaction.commit()?;
        Ok(number)
    }

    /// Lets `snapshot` stand for every fact appended so far, and puts `migrations` into the history, all in one transaction.
    ///
    /// # Errors
    /// The disk refuses: then nothing has changed.
    pub fn compact(
        &mut self,
        snapshot: &serde_json::Value,
        migrations: &[Migration],
        now: Timestamp,
    ) -> Result<(), JournalError> {
        let rows = migrations
            .iter()
            .map(schema::HistoryRow::of)
            .collect::<Result<Vec<_>, _>>();
        let rows = rows.map_err(JournalError::Encode)?;
        self.write_snapshot(&snapshot.to_string(), &rows, now)
            .map_err(JournalError::Compact)?;
        self.snapshot = self.last;
        // Gives the log's space back; if a reader is in the way, the next one will.
        let _ = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        Ok(())
    }

    fn write_snapshot(
        &mut self,
        body: &str,
        rows: &[schema::HistoryRow],
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let (number, at) = (schema::signed(self.last), now.to_string());
        let transaction = self.connection.transaction()?;
        let sum = schema::sum(&[&self.last.to_string(), &at, body]);
        transaction.execute(schema::REPLACE_SNAPSHOT, params![number, at, body, sum])?;
        transaction.execute(schema::DELETE_FACTS, params![number])?;
        for row in rows {
            transaction
                .prepare_cached(schema::UPSERT_HISTORY)?
                .execute(params![
                    row.id,
                    row.project,
                    row.service,
                    row.started_at,
                    row.body,
                    row.sum()
                ])?;
        }
        transaction.commit()
    }

    /// Settled migrations that compaction has moved to the history, newest first.
    ///
    /// # Errors
    /// The disk refuses, or a row is damaged.
    pub fn history(&self, filter: &HistoryFilter) -> Result<Vec<Migration>, JournalError> {
        let since = filter.since.map(|since| since.to_string());
        let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
        let mut select = self
            .connection
            .prepare_cached(schema::SELECT_HISTORY)
            .map_err(JournalError::History)?;
        let rows = select
            .query_map(
                params![filter.project, filter.service, since, limit],
                schema::HistoryRow::read,
            )
            .map_err(JournalError::History)?;
        rows.map(|row| {
            let (row, sum) = row.map_err(JournalError::History)?;
            row.migration(sum)
                .ok_or(JournalError::DamagedHistory { id: row.id })
        })
        .collect()
    }

    /// How many facts the next start would have to replay.
    pub fn facts_since_snapshot(&self) -> u64 {
        self.last.saturating_sub(self.snapshot)
    }
}

#[cfg(test)]
mod tests {
    use super::Journal;
    use crate::model::fact::Fact;
    use crate::model::time::Timestamp;

    #[test]
    fn a_full_disk_is_transient_and_loses_nothing_but_what_it_refused() {
        let dir = tempfile::TempDir::new().unwrap();
        let now = Timestamp::from_seconds(1);
        let (mut journal, _) = Journal::open(dir.path(), now).unwrap();
        let small = [Fact::WatchStarted { at: now }];
        let large = [Fact::ReceiverRemoved {
            receiver: "x".repeat(100_000),
        }];
        assert_eq!(journal.append(&small, now).unwrap(), 1);
        journal
            .connection
            .pragma_update_and_check(None, "max_page_count", 20, |_| Ok(()))
            .unwrap();
        let error = journal.append(&large, now).unwrap_err();
        assert!(error.is_transient(), "{error:?}");
        assert!(
            journal
                .compact(&serde_json::json!("x".repeat(100_000)), &[], now)
                .unwrap_err()
                .is_transient()
        );
        assert_eq!(
            journal.append(&small, now).unwrap(),
            2,
            "what fits is still written"
        );
        journal
            .connection
            .pragma_update_and_check(None, "max_page_count", 10_000, |_| Ok(()))
            .unwrap();
        assert_eq!(journal.append(&large, now).unwrap(), 3);
        drop(journal);
        let (_, recovered) = Journal::open(dir.path(), now).unwrap();
        assert_eq!(recovered.facts, [&small[..], &small, &large].concat());
    }

    #[test]
    fn a_disk_that_became_read_only_is_transient() {
        let dir = tempfile::TempDir::new().unwrap();
        let now = Timestamp::from_seconds(1);
        let (mut journal, _) = Journal::open(dir.path(), now).unwrap();
        journal
            .connection
            .pragma_update(None, "query_only", true)
            .unwrap();
        let error = journal
            .append(&[Fact::WatchStarted { at: now }], now)
            .unwrap_err();
        assert!(error.is_transient(), "{error:?}");
    }
}
