//! Reads `CREATE`.
//!
//! Promises to tell tables and indexes from everything else, which is told by its kind alone. Refuses to look at what is created: into
//! definitions, bodies and the query behind `AS`.

use super::Found;
use super::cursor::Cursor;
use super::drops::object;
use crate::model::script::Action;

/// What may stand between `CREATE` and the kind of thing.
const MODIFIERS: [&str; 16] = [
    "TEMP",
    "TEMPORARY",
    "GLOBAL",
    "LOCAL",
    "UNLOGGED",
    "UNIQUE",
    "FULLTEXT",
    "SPATIAL",
    "VECTOR",
    "RECURSIVE",
    "VIRTUAL",
    "CONSTRAINT",
    "TRUSTED",
    "FORCE",
    "ONLINE",
    "OFFLINE",
];

/// What a statement that begins with `CREATE` does.
pub(super) fn read(mut cursor: Cursor<'_, '_>, found: &mut Found) {
    let whole = cursor;
    cursor.bump();
    let replaces = modifiers(&mut cursor);
    if cursor.eat_all(&["FOREIGN", "TABLE"]) || cursor.eat("TABLE") {
        return table(whole, cursor, replaces, found);
    }
    if cursor.eat("INDEX") {
        return index(cursor, found);
    }
    let Some(what) = object(&mut cursor) else {
        return found.unreadable(whole);
    };
    let guarded = cursor.exists();
    let on = match what.as_str() {
        "TRIGGER" | "POLICY" => cursor.behind(&["ON"]),
        "RULE" => cursor.behind(&["TO"]),
        "STATISTICS" => cursor.behind(&["FROM"]),
        _ => None,
    };
    let table = on.and_then(|mut on| on.any_name());
    found.push(
        Action::Statement {
            verb: format!("CREATE {what}"),
            table,
        },
        guarded,
    );
}

/// Steps over what stands before the kind of thing; whether it replaces what is there.
fn modifiers(cursor: &mut Cursor<'_, '_>) -> bool {
    let mut replaces = false;
    loop {
        if cursor.eat_all(&["OR", "REPLACE"]) {
            replaces = true;
        } else if cursor.eat("DEFINER") {
            cursor.eat_symbol('=');
            cursor.any_name();
            if cursor.eat_symbol('@') {
                cursor.any_name();
            }
            cursor.parens();
        } else if cursor.eat("ALGORITHM") {
            cursor.eat_symbol('=');
            cursor.bump();
        } else if cursor.eat_all(&["SQL", "SECURITY"]) {
            cursor.bump();
        } else if !cursor.eat_any(&MODIFIERS) {
            return replaces;
        }
    }
}

/// MariaDB's `CREATE OR REPLACE TABLE` drops the table that is there.
fn table(whole: Cursor<'_, '_>, mut cursor: Cursor<'_, '_>, replaces: bool, found: &mut Found) {
    let guarded = cursor.exists();
    let Some(table) = cursor.name() else {
        return found.unreadable(whole);
    };
    if replaces {
        found.push(Action::DropTable { table: table.clone() }, true);
    }
    found.push(Action::CreateTable { table }, guarded);
}

fn index(mut cursor: Cursor<'_, '_>, found: &mut Found) {
    let concurrently = cursor.eat("CONCURRENTLY");
    let guarded = cursor.exists();
    // PostgreSQL makes up a name if there is none.
    let index = if cursor.is("ON") { None } else { cursor.any_name() };
    let table = cursor.behind(&["ON"]).and_then(|mut behind| {
        behind.eat("ONLY");
        behind.any_name()
    });
    found.push(
        Action::CreateIndex {
            table,
            index,
            concurrently,
        },
        guarded,
    );
}
