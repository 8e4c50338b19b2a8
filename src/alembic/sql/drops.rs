//! Reads `DROP`.
//!
//! Promises one entry a thing that goes. Refuses to know what goes with it (`CASCADE`).

use super::Found;
use super::cursor::Cursor;
use crate::model::script::{Action, Name};

/// Kinds of things whose name has two words or more; the second word alone is none of them.
const WORDY: [&[&str]; 20] = [
    &["MATERIALIZED", "VIEW"],
    &["FOREIGN", "TABLE"],
    &["FOREIGN", "DATA", "WRAPPER"],
    &["EVENT", "TRIGGER"],
    &["ACCESS", "METHOD"],
    &["OPERATOR", "CLASS"],
    &["OPERATOR", "FAMILY"],
    &["USER", "MAPPING"],
    &["PROCEDURAL", "LANGUAGE"],
    &["PACKAGE", "BODY"],
    &["RESOURCE", "GROUP"],
    &["LOGFILE", "GROUP"],
    &["UNDO", "TABLESPACE"],
    &["SPATIAL", "REFERENCE", "SYSTEM"],
    &["TEXT", "SEARCH", "CONFIGURATION"],
    &["TEXT", "SEARCH", "DICTIONARY"],
    &["TEXT", "SEARCH", "PARSER"],
    &["TEXT", "SEARCH", "TEMPLATE"],
    &["DEFAULT", "CONVERSION"],
    &["DEFAULT", "PRIVILEGES"],
];

/// What a statement that begins with `DROP` does.
pub(super) fn read(mut cursor: Cursor<'_, '_>, found: &mut Found) {
    let whole = cursor;
    cursor.bump();
    let is_temporary = cursor.eat("TEMPORARY");
    if cursor.eat_any(&["TABLE", "TABLES"]) {
        return tables(whole, cursor, is_temporary, found);
    }
    if cursor.eat("INDEX") {
        return indexes(whole, cursor, found);
    }
    if cursor.eat("PREPARE") {
        return found.push(
            Action::Statement {
                verb: "DROP PREPARE".to_owned(),
                table: None,
            },
            false,
        );
    }
    if cursor.eat_all(&["OWNED", "BY"]) {
        let name = cursor.any_name();
        return found.push(
            Action::DropOther {
                what: "owned".to_owned(),
                name,
            },
            false,
        );
    }
    let Some(what) = object(&mut cursor) else {
        return found.unreadable(whole);
    };
    let guarded = cursor.exists();
    let what = what.to_lowercase();
    for clause in cursor.clauses() {
        let name = thing(clause, &what);
        found.push(
            Action::DropOther {
                what: what.clone(),
                name,
            },
            guarded,
        );
    }
}

/// The kind of thing that stands here, in capitals: `MATERIALIZED VIEW`.
pub(super) fn object(cursor: &mut Cursor<'_, '_>) -> Option<String> {
    if let Some(words) = WORDY.iter().find(|words| cursor.eat_all(words)) {
        return Some(words.join(" "));
    }
    let word = Some(cursor.capitals(1)).filter(|word| !word.is_empty())?;
    cursor.bump();
    Some(word)
}

/// Which thing goes. An operator and a cast have no name; a user has a host.
fn thing(mut clause: Cursor<'_, '_>, what: &str) -> Name {
    match what {
        "cast" | "operator" | "transform" => None,
        "user mapping" => {
            clause.eat("FOR");
            clause.any_name()
        }
        _ => {
            let name = clause.any_name()?;
            if clause.eat_symbol('@') {
                return Some(format!("{name}@{}", clause.any_name()?));
            }
            Some(name)
        }
    }
}

fn tables(whole: Cursor<'_, '_>, mut cursor: Cursor<'_, '_>, is_temporary: bool, found: &mut Found) {
    let guarded = cursor.exists();
    for mut clause in cursor.clauses() {
        let Some(table) = clause.name() else {
            found.unreadable(whole);
            continue;
        };
        let action = if is_temporary {
            // MySQL then drops no other.
            Action::Statement {
                verb: "DROP TEMPORARY TABLE".to_owned(),
                table,
            }
        } else {
            Action::DropTable { table }
        };
        found.push(action, guarded);
    }
}

fn indexes(whole: Cursor<'_, '_>, mut cursor: Cursor<'_, '_>, found: &mut Found) {
    cursor.eat("CONCURRENTLY");
    let guarded = cursor.exists();
    // MySQL says of which table, PostgreSQL may name several indexes.
    let table = cursor.behind(&["ON"]).and_then(|mut behind| behind.any_name());
    for mut clause in cursor.clauses() {
        match clause.name() {
            Some(index) => found.push(
                Action::DropIndex {
                    table: table.clone(),
                    index,
                },
                guarded,
            ),
            None => found.unreadable(whole),
        }
    }
}
