//! Reads what `ALTER TABLE` does to partitions, with whose rows a partition goes.
//!
//! Promises one entry a partition that goes. Refuses to know how a table is partitioned.

use super::Altered;
use crate::alembic::sql::Found;
use crate::alembic::sql::cursor::Cursor;
use crate::model::script::{Action, Name};

/// What MySQL and MariaDB do to partitions. Such a clause is the last: its commas are its own.
const VERBS: [&str; 14] = [
    "ADD",
    "DROP",
    "TRUNCATE",
    "COALESCE",
    "REORGANIZE",
    "EXCHANGE",
    "ANALYZE",
    "CHECK",
    "OPTIMIZE",
    "REBUILD",
    "REPAIR",
    "DISCARD",
    "IMPORT",
    "CONVERT",
];

/// Reads the rest of a statement if it is about partitions, or if its commas are no clauses' for another reason.
pub(super) fn read(altered: &Altered<'_, '_>, mut cursor: Cursor<'_, '_>, found: &mut Found) -> bool {
    let clause = cursor;
    if cursor.eat_all(&["PARTITION", "BY"]) || cursor.eat_all(&["ORDER", "BY"]) {
        altered.option(clause, 2, found);
        return true;
    }
    if !cursor.eat_any(&VERBS) || !cursor.eat("PARTITION") || cursor.is_empty() {
        return false;
    }
    let is_of_column = clause.is_any(&["ADD", "DROP"]) && is_column(cursor, clause.is("ADD"));
    if is_of_column {
        return false;
    }
    if clause.is_any(&["DROP", "TRUNCATE", "DISCARD"]) {
        gone(altered, clause, cursor, found);
    } else {
        altered.option(clause, 2, found);
    }
    true
}

/// PostgreSQL and SQLite take `partition` for a column's name.
fn is_column(mut behind: Cursor<'_, '_>, is_added: bool) -> bool {
    if is_added {
        let is_partition =
            behind.is_symbol('(') || behind.is_any(&["IF", "PARTITIONS", "NO_WRITE_TO_BINLOG", "LOCAL"]);
        return !is_partition;
    }
    behind.is_symbol(',') || behind.eat_any(&["CASCADE", "RESTRICT"])
}

fn gone(altered: &Altered<'_, '_>, clause: Cursor<'_, '_>, mut cursor: Cursor<'_, '_>, found: &mut Found) {
    let guarded = cursor.exists() || altered.guarded;
    let is_truncated = clause.is("TRUNCATE");
    if is_truncated && cursor.is("ALL") {
        return found.push(
            Action::Truncate {
                table: altered.table.clone(),
            },
            guarded,
        );
    }
    for mut partition in cursor.clauses() {
        let name = of_table(altered, partition.any_name());
        let what = if is_truncated {
            "rows of partition"
        } else {
            "partition"
        };
        found.push(
            Action::DropOther {
                what: what.to_owned(),
                name,
            },
            guarded,
        );
    }
}

/// `orders.p0`: a partition's name alone says little.
fn of_table(altered: &Altered<'_, '_>, partition: Name) -> Name {
    Some(format!("{}.{}", altered.table.as_deref()?, partition?))
}
