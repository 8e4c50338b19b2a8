//! Reads what touches rows: `INSERT`, `UPDATE`, `DELETE`, `MERGE`, `TRUNCATE` and their like, also inside of `WITH`.
//!
//! Promises the table whose rows change, behind its alias, and whether all of them do as far as there is a `WHERE` to see. Refuses to
//! evaluate a condition: only `WHERE true` and `WHERE 1 = 1` count as none.

use std::collections::BTreeMap;

use super::cursor::{Cursor, is_word};
use super::lexer::Kind;
use super::{Found, verbs};
use crate::model::script::{Action, Name};

const INSERT_MODIFIERS: [&str; 5] = ["LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "IGNORE", "OVERWRITE"];
const MODIFIERS: [&str; 3] = ["LOW_PRIORITY", "QUICK", "IGNORE"];
/// What may stand behind a table instead of its alias.
const NO_ALIAS: [&str; 17] = [
    "WHERE",
    "SET",
    "USING",
    "JOIN",
    "INNER",
    "LEFT",
    "RIGHT",
    "CROSS",
    "FULL",
    "NATURAL",
    "STRAIGHT_JOIN",
    "ON",
    "ORDER",
    "LIMIT",
    "RETURNING",
    "PARTITION",
    "FOR",
];

/// `INSERT` and `REPLACE`; what takes the place of rows that are there changes those.
pub(super) fn insert(mut cursor: Cursor<'_, '_>, found: &mut Found) {
    let whole = cursor;
    let mut changes = cursor.is("REPLACE");
    cursor.bump();
    while cursor.eat_any(&INSERT_MODIFIERS) {}
    if cursor.eat("OR") {
        changes |= cursor.is("REPLACE");
        cursor.bump();
    }
    cursor.eat("INTO");
    cursor.eat("TABLE");
    let Some(table) = cursor.name() else {
        return found.unreadable(whole);
    };
    changes |= cursor.has_all(&["KEY", "UPDATE"]) || cursor.has_all(&["DO", "UPDATE"]);
    found.push(Action::Insert { table: table.clone() }, false);
    if changes {
        found.push(
            Action::Update {
                table,
                has_where: true,
            },
            false,
        );
    }
}

pub(super) fn update(mut cursor: Cursor<'_, '_>, found: &mut Found) {
    let whole = cursor;
    cursor.bump();
    while cursor.eat_any(&MODIFIERS) {}
    if cursor.eat("OR") {
        cursor.bump();
    }
    cursor.eat("ONLY");
    let tables = aliases(cursor.until(|kind| is_word(kind, &["SET"])));
    let (Some(first), Some(mut set)) = (cursor.name(), cursor.behind(&["SET"])) else {
        return found.unreadable(whole);
    };
    // In a join, the first column that is set says whose rows change.
    let owner = set
        .any_name()
        .and_then(|column| Some(column.rsplit_once('.')?.0.to_owned()));
    let table = owner
        .and_then(|owner| tables.get(&owner).cloned())
        .unwrap_or(first);
    found.push(
        Action::Update {
            table,
            has_where: has_where(cursor),
        },
        false,
    );
}

pub(super) fn delete(mut cursor: Cursor<'_, '_>, found: &mut Found) {
    let whole = cursor;
    cursor.bump();
    while cursor.eat_any(&MODIFIERS) {}
    let has_where = has_where(cursor);
    let begins_with_from = cursor.eat("FROM");
    cursor.eat("ONLY");
    // MySQL: DELETE a, b FROM … and DELETE FROM a, b USING …; else USING only joins.
    let (targets, sources) = if begins_with_from {
        let targets = cursor.until(|kind| is_word(kind, &["USING", "WHERE", "ORDER", "LIMIT", "RETURNING"]));
        (targets, cursor.behind(&["USING"]))
    } else {
        (
            cursor.until(|kind| is_word(kind, &["FROM"])),
            cursor.behind(&["FROM"]),
        )
    };
    let tables = sources.map(aliases).unwrap_or_default();
    for mut target in targets.clauses() {
        let Some(name) = target.name() else {
            found.unreadable(whole);
            continue;
        };
        let table = name.and_then(|name| tables.get(&name).cloned().unwrap_or(Some(name)));
        found.push(Action::Delete { table, has_where }, false);
    }
}

/// Which table each alias of a list of tables stands for; a table stands for itself.
fn aliases(list: Cursor<'_, '_>) -> BTreeMap<String, Name> {
    let mut aliases = BTreeMap::new();
    let mut rest = list.until(|kind| is_word(kind, &["WHERE"]));
    let mut expects_table = true;
    while !rest.is_empty() {
        if rest.is_symbol('(') {
            rest.parens();
            continue;
        }
        if !expects_table {
            expects_table = rest.is_symbol(',') || rest.is_any(&["JOIN", "STRAIGHT_JOIN"]);
            rest.bump();
            continue;
        }
        expects_table = false;
        let Some(table) = rest.name() else {
            rest.bump();
            continue;
        };
        rest.eat("AS");
        let alias = if rest.is_any(&NO_ALIAS) {
            None
        } else {
            rest.clone().any_name()
        };
        aliases.extend(alias.map(|alias| (alias, table.clone())));
        aliases.extend(table.clone().map(|name| (name, table)));
    }
    aliases
}

fn has_where(cursor: Cursor<'_, '_>) -> bool {
    let Some(condition) = cursor.behind(&["WHERE"]) else {
        return false;
    };
    let texts: Vec<String> = condition
        .tokens()
        .iter()
        .take(4)
        .map(|token| condition.text_of(token).to_lowercase())
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    !matches!(texts.as_slice(), ["true" | "1"] | ["1", "=", "1"])
}

/// Everything that a `MERGE` may do.
pub(super) fn merge(mut cursor: Cursor<'_, '_>, found: &mut Found) {
    let whole = cursor;
    cursor.bump();
    cursor.eat("INTO");
    cursor.eat("ONLY");
    let Some(table) = cursor.name() else {
        return found.unreadable(whole);
    };
    let does = |verb: &str| cursor.has_all(&["THEN", verb]);
    if does("UPDATE") {
        found.push(
            Action::Update {
                table: table.clone(),
                has_where: true,
            },
            false,
        );
    }
    if does("DELETE") {
        found.push(
            Action::Delete {
                table: table.clone(),
                has_where: true,
            },
            false,
        );
    }
    if does("INSERT") {
        found.push(Action::Insert { table }, false);
    }
}

/// `WITH`: PostgreSQL's parts may change rows, too.
pub(super) fn with(mut cursor: Cursor<'_, '_>, found: &mut Found) {
    let whole = cursor;
    cursor.bump();
    cursor.eat("RECURSIVE");
    loop {
        cursor.any_name();
        cursor.parens();
        let names_part = cursor.eat("AS");
        cursor.eat("NOT");
        cursor.eat("MATERIALIZED");
        let Some(part) = cursor.parens().filter(|_| names_part) else {
            return found.unreadable(whole);
        };
        if !part.is("SELECT") {
            found.inside(whole, false, |found| verbs::read(part, found));
        }
        // PostgreSQL's SEARCH and CYCLE
        let next = cursor.position(|kind| {
            kind == Kind::Symbol(',')
                || is_word(
                    kind,
                    &[
                        "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "VALUES", "TABLE",
                    ],
                )
        });
        cursor = cursor.over(
            cursor
                .tokens()
                .get(next.unwrap_or_default()..)
                .unwrap_or_default(),
        );
        if !cursor.eat_symbol(',') {
            break;
        }
    }
    found.inside(whole, false, |found| verbs::read(cursor, found));
}

/// `TRUNCATE [TABLE] a, b`; PostgreSQL may empty several.
pub(super) fn truncate(mut cursor: Cursor<'_, '_>, found: &mut Found) {
    let whole = cursor;
    cursor.bump();
    cursor.eat("TABLE");
    for mut clause in cursor.clauses() {
        clause.eat("ONLY");
        match clause.name() {
            Some(table) => found.push(Action::Truncate { table }, false),
            None => found.unreadable(whole),
        }
    }
}

/// PostgreSQL's `COPY t FROM …` adds rows, `COPY … TO` reads them.
pub(super) fn copy(mut cursor: Cursor<'_, '_>, found: &mut Found) {
    cursor.bump();
    let table = cursor.any_name();
    let action = if cursor.has("FROM") {
        Action::Insert { table }
    } else {
        Action::Query
    };
    found.push(action, false);
}

/// MySQL's `LOAD DATA … INTO TABLE t`; PostgreSQL loads libraries.
pub(super) fn load(cursor: Cursor<'_, '_>, found: &mut Found) {
    let table = cursor
        .behind(&["INTO"])
        .and_then(|mut behind| behind.eat("TABLE").then(|| behind.any_name()));
    let action = match table {
        Some(table) => Action::Insert { table },
        None => Action::Statement {
            verb: "LOAD".to_owned(),
            table: None,
        },
    };
    found.push(action, false);
}
