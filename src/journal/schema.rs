//! The tables, and rows as they are written and checked.
//!
//! Every row carries a sum over its content, because SQLite notices damage to its own structure but not inside a value.

use rusqlite::Row;
use serde::Deserialize;

use crate::model::fact::{FORMAT, Fact};
use crate::model::fnv::Fnv;
use crate::model::migration::Migration;

/// `mgwt`: marks the file as ours.
pub(super) const APPLICATION_ID: i64 = 0x6d67_7774;

/// `AUTOINCREMENT` keeps the highest number ever given beside the table, so that lost rows at its end are noticed too.
pub(super) const CREATE: &str = "
CREATE TABLE facts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, kind TEXT NOT NULL, version INTEGER NOT NULL,
    body TEXT NOT NULL, sum INTEGER NOT NULL
) STRICT;
CREATE TABLE snapshot (
    id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, at TEXT NOT NULL, body TEXT NOT NULL, sum INTEGER NOT NULL
) STRICT;
CREATE TABLE history (
    id TEXT PRIMARY KEY, project TEXT NOT NULL, service TEXT NOT NULL, started_at TEXT NOT NULL, body TEXT NOT NULL,
    sum INTEGER NOT NULL
) STRICT;
CREATE INDEX history_by_time ON history (started_at DESC);
";

pub(super) const INSERT_FACT: &str =
    "INSERT INTO facts (seq, at, kind, version, body, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
pub(super) const SELECT_FACTS: &str = "SELECT seq, at, kind, version, body, sum FROM facts ORDER BY seq";
pub(super) const DELETE_FACTS: &str = "DELETE FROM facts WHERE seq <= ?1";
pub(super) const HIGHEST_FACT: &str = "SELECT seq FROM sqlite_sequence WHERE name = 'facts'";
pub(super) const REPLACE_SNAPSHOT: &str =
    "INSERT OR REPLACE INTO snapshot (id, seq, at, body, sum) VALUES (1, ?1, ?2, ?3, ?4)";
pub(super) const SELECT_SNAPSHOT: &str = "SELECT seq, at, body, sum FROM snapshot";
pub(super) const UPSERT_HISTORY: &str = "INSERT OR REPLACE INTO history (id, project, service, started_at, body, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
pub(super) const SELECT_HISTORY: &str = "SELECT id, project, service, started_at, body, sum FROM history
    WHERE (?1 IS NULL OR project = ?1) AND (?2 IS NULL OR service = ?2) AND (?3 IS NULL OR started_at >= ?3)
    ORDER BY started_at DESC, id LIMIT ?4";

/// A fact as written.
#[derive(Debug)]
pub(super) struct FactRow {
    pub(super) kind: String,
    pub(super) version: i64,
    pub(super) body: String,
}

#[derive(Deserialize)]
struct Tag {
    kind: String,
}

impl FactRow {
    pub(super) fn of(fact: &Fact) -> serde_json::Result<Self> {
        let body = serde_json::to_string(fact)?;
        let Tag { kind } = serde_json::from_str(&body)?;
        Ok(Self {
            kind,
            version: i64::from(FORMAT),
            body,
        })
    }

    pub(super) fn sum(&self, number: u64, at: &str) -> i64 {
        sum(&[
            &number.to_string(),
            at,
            &self.kind,
            &self.version.to_string(),
            &self.body,
        ])
    }
}

/// A settled migration as written.
#[derive(Debug)]
pub(super) struct HistoryRow {
    pub(super) id: String,
    pub(super) project: String,
    pub(super) service: String,
    pub(super) started_at: String,
    pub(super) body: String,
}

impl HistoryRow {
    pub(super) fn of(migration: &Migration) -> serde_json::Result<Self> {
        Ok(Self {
            id: migration.id.0.clone(),
            project: migration.service.project.clone(),
            service: migration.service.service.clone(),
            started_at: migration.started_at.to_string(),
            body: serde_json::to_string(migration)?,
        })
    }

    /// From the columns of [`SELECT_HISTORY`], with the sum that was written.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<(Self, i64)> {
        let [id, project, service, started_at, body] =
            [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
        Ok((
            Self {
                id,
                project,
                service,
                started_at,
                body,
            },
            row.get(5)?,
        ))
    }

    pub(super) fn sum(&self) -> i64 {
        sum(&[
            &self.id,
            &self.project,
            &self.service,
            &self.started_at,
            &self.body,
        ])
    }

    /// The migration, if the row is what was written.
    pub(super) fn migration(&self, sum: i64) -> Option<Migration> {
        if self.sum() != sum {
            return None;
        }
        serde_json::from_str(&self.body).ok()
    }
}

/// FNV-1a over the parts and their ends: any single changed byte changes it.
pub(super) fn sum(parts: &[&str]) -> i64 {
    Fnv::of(parts.iter().copied()).cast_signed()
}

/// A fact's number as SQLite keeps it; it would take ages to count so far.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
