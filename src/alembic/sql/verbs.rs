//! Tells statements apart by their first words.
//!
//! Promises an answer for every statement: what begins with a word that is not known, or that is computed, cannot be read. Refuses to
//! check whether the rest of a statement makes sense.

use super::cursor::{Cursor, is_hole};
use super::{Found, block, create, drops, others, rows, table};
use crate::model::script::Action;

/// What may stand between `ALTER` and `TABLE`.
const ALTER_MODIFIERS: [&str; 3] = ["ONLINE", "OFFLINE", "IGNORE"];
/// What only reads. `VALUES` and `TABLE` stand for a query too.
const READS: [&str; 14] = [
    "SELECT", "VALUES", "TABLE", "SHOW", "DESCRIBE", "DESC", "HANDLER", "HELP", "FETCH", "MOVE", "DECLARE",
    "CLOSE", "CHECKSUM", "CHECK",
];

/// What a statement does.
pub(super) fn read(mut cursor: Cursor<'_, '_>, found: &mut Found) {
    let whole = cursor;
    // (SELECT …) UNION …
    while cursor.eat_symbol('(') {}
    let verb = cursor.keyword();
    if is_hole(cursor.word().unwrap_or_default()) {
        return found.unreadable(whole);
    }
    match verb.as_str() {
        "DO" => block::anonymous(cursor, found),
        "EXPLAIN" => explain(cursor, found),
        "ANALYZE" if executes(cursor) => explain(cursor, found),
        "ALTER" => alter(cursor, found),
        "CREATE" => create::read(cursor, found),
        "DROP" => drops::read(cursor, found),
        "RENAME" => table::rename_tables(cursor, found),
        "TRUNCATE" => rows::truncate(cursor, found),
        "INSERT" | "REPLACE" => rows::insert(cursor, found),
        "UPDATE" => rows::update(cursor, found),
        "DELETE" => rows::delete(cursor, found),
        "MERGE" => rows::merge(cursor, found),
        "WITH" => rows::with(cursor, found),
        "COPY" => rows::copy(cursor, found),
        "LOAD" => rows::load(cursor, found),
        "VACUUM" => others::vacuum(cursor, found),
        verb if READS.contains(&verb) => found.push(Action::Query, false),
        verb if others::VERBS.contains(&verb) => others::read(cursor, found),
        _ => found.unreadable(whole),
    }
}

fn alter(mut cursor: Cursor<'_, '_>, found: &mut Found) {
    let whole = cursor;
    cursor.bump();
    while cursor.eat_any(&ALTER_MODIFIERS) {}
    if cursor.eat("TABLE") {
        table::alter(whole, cursor, found);
    } else {
        others::alter(whole, found);
    }
}

/// `EXPLAIN` plans a statement, and does it only with `ANALYZE`, which MariaDB writes alone.
fn explain(mut cursor: Cursor<'_, '_>, found: &mut Found) {
    let whole = cursor;
    let does = {
        let mut behind = cursor;
        let first = behind.eat("ANALYZE");
        behind.bump();
        let options = behind.parens();
        first
            || behind.is("ANALYZE")
            || options.is_some_and(|options| options.is("ANALYZE") || has_analyze(options))
    };
    if !does {
        return found.push(Action::Query, false);
    }
    while !cursor.is_empty() && !starts_rows(cursor) {
        cursor.bump();
    }
    if cursor.is_empty() {
        return found.push(Action::Query, false);
    }
    found.inside(whole, false, |found| read(cursor, found));
}

fn has_analyze(options: Cursor<'_, '_>) -> bool {
    options.clauses().iter().any(|option| option.is("ANALYZE"))
}

/// MariaDB's `ANALYZE UPDATE …` does the update; `ANALYZE TABLE t` does not.
fn executes(mut cursor: Cursor<'_, '_>) -> bool {
    cursor.bump();
    if cursor.eat("FORMAT") {
        cursor.eat_symbol('=');
        cursor.bump();
    }
    starts_rows(cursor)
}

fn starts_rows(cursor: Cursor<'_, '_>) -> bool {
    cursor.is_any(&[
        "SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "MERGE", "WITH", "CREATE",
    ])
}
