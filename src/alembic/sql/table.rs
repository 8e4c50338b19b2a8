//! Reads `ALTER TABLE` and `RENAME TABLE`: one entry a clause.
//!
//! Promises that a clause which takes something away is found behind any other. What only changes an option of the table is told by its
//! first words. Refuses to know which dialect takes which clause.
//!
//! Sources of the facts: "ALTER TABLE" in the manuals of MySQL, MariaDB, PostgreSQL and SQLite.

mod clauses;
mod partitions;

use super::Found;
use super::cursor::Cursor;
use super::lexer::Kind;
use crate::model::script::{Action, Name};

/// A table that is altered.
struct Altered<'t, 'a> {
    whole: Cursor<'t, 'a>,
    table: Name,
    guarded: bool,
}

/// `ALTER TABLE`; the cursor stands behind these words.
pub(super) fn alter(whole: Cursor<'_, '_>, mut cursor: Cursor<'_, '_>, found: &mut Found) {
    if cursor.is("ALL") && cursor.clone().eat_all(&["ALL", "IN", "TABLESPACE"]) {
        let verb = "ALTER TABLE ALL IN TABLESPACE".to_owned();
        return found.push(Action::Statement { verb, table: None }, false);
    }
    let guarded = cursor.exists();
    cursor.eat("ONLY");
    let Some(table) = cursor.name() else {
        return found.unreadable(whole);
    };
    cursor.eat_symbol('*');
    if cursor.eat("WAIT") {
        cursor.bump();
    }
    cursor.eat("NOWAIT");
    let altered = Altered {
        whole,
        table,
        guarded,
    };
    loop {
        if partitions::read(&altered, cursor, found) {
            return;
        }
        let clause = cursor.until(|kind| kind == Kind::Symbol(','));
        altered.clause(clause, found);
        match cursor.tokens().get(clause.tokens().len() + 1..) {
            Some(behind) => cursor = cursor.over(behind),
            None => return,
        }
    }
}

/// `RENAME TABLE a TO b, c TO d`; MySQL renames users as well.
pub(super) fn rename_tables(mut cursor: Cursor<'_, '_>, found: &mut Found) {
    let whole = cursor;
    cursor.bump();
    if !cursor.eat_any(&["TABLE", "TABLES"]) {
        let verb = whole.capitals(2);
        return match verb.as_str() {
            "RENAME USER" => found.push(Action::Statement { verb, table: None }, false),
            _ => found.unreadable(whole),
        };
    }
    let guarded = cursor.exists();
    for mut clause in cursor.clauses() {
        let table = clause.name();
        let to = clause.behind(&["TO"]).and_then(|mut behind| behind.name());
        match (table, to) {
            (Some(table), Some(to)) => found.push(Action::RenameTable { table, to }, guarded),
            _ => found.unreadable(whole),
        }
    }
}
