//! How a SQLite file is asked.
//!
//! Promises to open it read-only, never to make it, and to give way to its writers. Refuses to know when it is asked.

use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::target::TableName;
use crate::model::database::DatabaseProblemKind as Kind;

/// Tables whose only column is `version_num`, with an empty schema: it is the default one.
pub(super) const SEARCH: &str = "SELECT '' AS k, m.name AS v FROM sqlite_master m WHERE m.type = 'table' \
     AND (SELECT group_concat(c.name) FROM pragma_table_info(m.name) c) = 'version_num' ORDER BY v";

/// The ordinary tables: SQLite's own and those that an extension stores elsewhere are none.
pub(super) const TABLES: &str = "SELECT m.name FROM sqlite_master m WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
     AND m.sql NOT LIKE 'CREATE VIRTUAL%'";

/// What they are made of: kind, table, name, definition. A foreign key has no name here: its columns are.
pub(super) const PARTS: &str = "WITH t AS (SELECT m.name FROM sqlite_master m WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%') \
     SELECT 'c', t.name, c.name, concat_ws('|', c.type, c.\"notnull\", coalesce(c.dflt_value, ''), c.pk, c.hidden) \
     FROM t JOIN pragma_table_xinfo(t.name) c \
     UNION ALL SELECT 'i', t.name, i.name, concat_ws('|', printf('%03d', k.seqno), coalesce(k.name, ''), i.\"unique\", i.origin, i.partial) \
     FROM t JOIN pragma_index_list(t.name) i JOIN pragma_index_info(i.name) k \
     UNION ALL SELECT 'f', t.name, \
     (SELECT group_concat(n.\"from\", ', ') FROM pragma_foreign_key_list(t.name) n WHERE n.id = f.id), \
     concat_ws('|', printf('%03d', f.seq), f.\"table\", f.\"from\", coalesce(f.\"to\", ''), f.on_update, f.on_delete) \
     FROM t JOIN pragma_foreign_key_list(t.name) f";

/// Opens the file for reading.
pub(super) async fn open(path: &Path, timeout: Duration) -> sqlx::Result<SqliteConnection> {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .create_if_missing(false)
        .busy_timeout(timeout / 2) // so that SQLite's own word for a held lock comes before ours
        .disable_statement_logging()
        .connect()
        .await
}

/// One member of the statement that reads all version tables at once; `key` tells whose row it is.
pub(super) fn select(key: usize, table: &TableName) -> String {
    format!(
        "SELECT '{key}' AS k, CAST(version_num AS TEXT) AS v FROM {}",
        table.quoted('"')
    )
}

/// SQLite has one code for all errors of a statement: only its text tells them apart.
pub(super) fn is_no_such_table(message: &str) -> bool {
    message.starts_with("no such table") || message.starts_with("unknown database")
}

/// What a primary result code means. Source: SQLite's list of result codes.
pub(super) fn meaning(code: u32) -> Option<(Kind, &'static str)> {
    Some(match code & 0xff {
        5 | 6 => (Kind::Timeout, "something holds a lock on the file"),
        14 => (
            Kind::Connect,
            "check that the file exists and that migwatch may read it, its -wal and -shm files and its folder",
        ),
        3 | 8 | 23 => (Kind::AccessDenied, "let migwatch read the file and its folder"),
        11 | 26 => (Kind::Other, "the file is damaged or no SQLite database"),
        1 => (Kind::Other, "check the names under tables"),
        _ => return None,
    })
}
