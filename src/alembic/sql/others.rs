//! Reads what changes neither tables nor rows: rights, settings, transactions, upkeep.
//!
//! Promises the first words, and the table if the statement names one in a place where only a table can stand. Refuses to know what a
//! setting does to the statements behind it.

use super::Found;
use super::cursor::Cursor;
use super::drops::object;
use crate::model::script::{Action, Name};

/// The first words of all of these. What is called or prepared runs code that is not here: that cannot be read.
pub(super) const VERBS: [&str; 42] = [
    "ABORT",
    "ANALYZE",
    "ATTACH",
    "BEGIN",
    "CACHE",
    "CHANGE",
    "CHECKPOINT",
    "CLUSTER",
    "COMMENT",
    "COMMIT",
    "DEALLOCATE",
    "DELIMITER",
    "DETACH",
    "DISCARD",
    "END",
    "FLUSH",
    "GRANT",
    "IMPORT",
    "INSTALL",
    "KILL",
    "LISTEN",
    "LOCK",
    "NOTIFY",
    "OPTIMIZE",
    "PRAGMA",
    "PURGE",
    "REASSIGN",
    "REFRESH",
    "REINDEX",
    "RELEASE",
    "REPAIR",
    "RESET",
    "REVOKE",
    "ROLLBACK",
    "SAVEPOINT",
    "SECURITY",
    "SET",
    "START",
    "UNINSTALL",
    "UNLISTEN",
    "UNLOCK",
    "USE",
];
/// `VACUUM` has a first word that matters.
const VACUUM_OPTIONS: [&str; 4] = ["FULL", "FREEZE", "VERBOSE", "ANALYZE"];
/// What rights may be on besides tables.
const NO_TABLES: [&str; 15] = [
    "ALL",
    "DATABASE",
    "DOMAIN",
    "FOREIGN",
    "FUNCTION",
    "LANGUAGE",
    "LARGE",
    "PARAMETER",
    "PROCEDURE",
    "ROUTINE",
    "SCHEMA",
    "SEQUENCE",
    "TABLESPACE",
    "TYPE",
    "PACKAGE",
];

/// What a statement does that begins with one of [`VERBS`].
pub(super) fn read(cursor: Cursor<'_, '_>, found: &mut Found) {
    let mut behind = cursor;
    behind.bump();
    let first = cursor.keyword();
    let (verb, table) = match first.as_str() {
        "GRANT" | "REVOKE" => (first, granted(behind)),
        "COMMENT" => commented(behind),
        "LOCK" | "ANALYZE" | "OPTIMIZE" | "REPAIR" | "CLUSTER" => upkeep(first, behind),
        "REINDEX" => reindexed(behind),
        "REFRESH" => refreshed(cursor),
        "IMPORT" | "SECURITY" | "START" | "REASSIGN" | "UNLOCK" => (cursor.capitals(2), None),
        _ => (first, None),
    };
    found.push(Action::Statement { verb, table }, false);
}

/// `VACUUM [FULL] [t]`
pub(super) fn vacuum(mut cursor: Cursor<'_, '_>, found: &mut Found) {
    cursor.bump();
    let mut is_full = cursor
        .parens()
        .is_some_and(|options| options.clauses().iter().any(|option| option.is("FULL")));
    while cursor.is_any(&VACUUM_OPTIONS) {
        is_full |= cursor.is("FULL");
        cursor.bump();
    }
    let verb = if is_full { "VACUUM FULL" } else { "VACUUM" };
    // SQLite writes a copy: VACUUM INTO 'file'.
    let table = if cursor.is("INTO") {
        None
    } else {
        cursor.any_name()
    };
    found.push(
        Action::Statement {
            verb: verb.to_owned(),
            table,
        },
        false,
    );
}

/// `ALTER` of anything but a table: what loses something, and the rest by its first words.
pub(super) fn alter(whole: Cursor<'_, '_>, found: &mut Found) {
    let mut cursor = whole;
    cursor.bump();
    while cursor.eat("DEFINER") {
        cursor.eat_symbol('=');
        cursor.any_name();
        if cursor.eat_symbol('@') {
            cursor.any_name();
        }
    }
    let Some(what) = object(&mut cursor) else {
        return found.unreadable(whole);
    };
    let guarded = cursor.exists();
    let name = cursor.any_name();
    if what == "TYPE" {
        for mut clause in cursor.clauses() {
            if clause.eat_all(&["DROP", "ATTRIBUTE"]) {
                let guarded = clause.exists() || guarded;
                let attribute = name
                    .as_deref()
                    .zip(clause.any_name())
                    .map(|(name, attribute)| format!("{name}.{attribute}"));
                found.push(
                    Action::DropOther {
                        what: "attribute".to_owned(),
                        name: attribute,
                    },
                    guarded,
                );
            }
        }
    }
    let renames = if cursor.eat("RENAME") && cursor.is("TO") {
        " RENAME"
    } else {
        ""
    };
    found.push(
        Action::Statement {
            verb: format!("ALTER {what}{renames}"),
            table: None,
        },
        guarded,
    );
}

fn granted(cursor: Cursor<'_, '_>) -> Name {
    let mut on = cursor.behind(&["ON"])?;
    if !on.eat("TABLE") && on.is_any(&NO_TABLES) {
        return None;
    }
    let table = on.any_name();
    // MySQL: ON billing.* TO
    table.filter(|_| !on.is_symbol('.'))
}

/// `COMMENT ON TABLE t IS …`, `COMMENT ON COLUMN t.c IS …`
fn commented(mut cursor: Cursor<'_, '_>) -> (String, Name) {
    cursor.eat("ON");
    let what = object(&mut cursor).unwrap_or_default();
    let name = cursor.any_name();
    let table = match what.as_str() {
        "TABLE" => name,
        "COLUMN" => name.and_then(|column| Some(column.rsplit_once('.')?.0.to_owned())),
        _ => None,
    };
    (format!("COMMENT ON {what}").trim_end().to_owned(), table)
}

fn upkeep(verb: String, mut cursor: Cursor<'_, '_>) -> (String, Name) {
    cursor.parens();
    cursor.eat_any(&["VERBOSE", "NO_WRITE_TO_BINLOG", "LOCAL"]);
    cursor.eat_any(&["TABLE", "TABLES"]);
    cursor.eat("ONLY");
    (verb, cursor.any_name())
}

fn reindexed(mut cursor: Cursor<'_, '_>) -> (String, Name) {
    cursor.parens();
    let what = cursor.capitals(1);
    let kinds = ["TABLE", "INDEX", "SCHEMA", "DATABASE", "SYSTEM"];
    if !cursor.eat_any(&kinds) {
        return ("REINDEX".to_owned(), None);
    }
    let verb = if cursor.eat("CONCURRENTLY") {
        "REINDEX CONCURRENTLY"
    } else {
        "REINDEX"
    };
    (verb.to_owned(), cursor.any_name().filter(|_| what == "TABLE"))
}

fn refreshed(cursor: Cursor<'_, '_>) -> (String, Name) {
    let words = if cursor.has("CONCURRENTLY") { 4 } else { 3 };
    (cursor.capitals(words), None)
}
