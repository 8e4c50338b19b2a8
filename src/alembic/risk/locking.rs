//! Says who has to wait while an operation runs.
//!
//! Promises what the manuals say of the newest releases, and of older ones where that differs. Refuses to know how long a table is: on a
//! short one nobody notices.
//!
//! Sources of the facts: PostgreSQL 17, "Explicit Locking", "ALTER TABLE", "CREATE INDEX"; MySQL 8.0, "Online DDL Operations" and
//! "Metadata Locking"; MariaDB, "Online DDL Overview"; SQLite, "File Locking And Concurrency" and "ALTER TABLE"; Alembic,
//! "Running Batch Migrations for SQLite".

use crate::model::database::DatabaseKind;
use crate::model::script::Action;

const ALL_ROWS: &str = "every row stays locked until the transaction ends";

/// Who has to wait for `action`; nothing if nobody has to for long, or nothing is known.
pub(super) fn locking(action: &Action, kind: Option<DatabaseKind>) -> Option<&'static str> {
    if matches!(
        action,
        Action::Update { has_where: false, .. } | Action::Delete { has_where: false, .. }
    ) {
        return Some(if kind == Some(DatabaseKind::Sqlite) {
            sqlite::WHOLE
        } else {
            ALL_ROWS
        });
    }
    match (kind, action) {
        (Some(DatabaseKind::PostgreSql), Action::Statement { verb, .. }) => postgres::statement(verb),
        (Some(DatabaseKind::PostgreSql), _) => postgres::change(action),
        (Some(DatabaseKind::MySql), Action::Statement { verb, .. }) => mysql::statement(verb),
        (Some(DatabaseKind::MySql), _) => mysql::change(action),
        (Some(DatabaseKind::Sqlite), _) => sqlite::change(action),
        (None, _) => any(action),
    }
}

/// What holds in most databases.
fn any(action: &Action) -> Option<&'static str> {
    Some(match action {
        Action::AlterColumn { change, .. } if change.type_to.is_some() => {
            "others may have to wait while the table is copied"
        }
        Action::AlterColumn { change, .. } if change.nullable == Some(false) => {
            "others may have to wait while all rows are looked at"
        }
        Action::CreateIndex {
            concurrently: false, ..
        } => "writers may have to wait until the index is built",
        Action::AddConstraint { .. } => "writers may have to wait while all rows are checked",
        Action::DropTable { .. }
        | Action::RenameTable { .. }
        | Action::Truncate { .. }
        | Action::DropColumn { .. } => {
            "waits for everybody who uses the table, and everybody else waits behind it"
        }
        Action::Statement { verb, .. } if verb == "LOCK" => "keeps others out",
        _ => return None,
    })
}

/// A lock is kept until the transaction ends, and everybody queues behind whoever waits for one.
mod postgres {
    use super::Action;

    const SHORT: &str = "short, but readers and writers wait until it is committed (ACCESS EXCLUSIVE)";
    const OUTSIDE: &str = "keeps nobody out, but fails inside a transaction: it needs autocommit_block()";

    pub(super) fn change(action: &Action) -> Option<&'static str> {
        Some(match action {
            Action::AddColumn {
                has_default: true, ..
            } => {
                "short if the default is a constant; else readers and writers wait while the table is written anew"
            }
            Action::AlterColumn { change, .. } if change.type_to.is_some() => {
                "readers and writers wait while the table and its indexes are written anew, unless text only gets wider"
            }
            Action::AlterColumn { change, .. } if change.nullable == Some(false) => {
                "readers and writers wait while all rows are looked at (ACCESS EXCLUSIVE)"
            }
            Action::CreateIndex {
                concurrently: true, ..
            } => OUTSIDE,
            Action::CreateIndex { .. } => "writers wait until the index is built (SHARE)",
            Action::AddConstraint {
                refers_to: Some(_), ..
            } => {
                "writers of both tables wait while all rows are checked, unless NOT VALID (SHARE ROW EXCLUSIVE)"
            }
            Action::AddConstraint { .. } => {
                "readers and writers wait while all rows are checked (ACCESS EXCLUSIVE)"
            }
            Action::DropOther { what, .. } => match what.as_str() {
                "trigger" | "rule" | "policy" => SHORT,
                "database" => "fails inside a transaction, and while anybody is connected to it",
                _ => return None,
            },
            Action::DropTable { .. }
            | Action::RenameTable { .. }
            | Action::AddColumn { .. }
            | Action::DropColumn { .. }
            | Action::AlterColumn { .. }
            | Action::DropIndex { .. }
            | Action::DropConstraint { .. }
            | Action::Truncate { .. } => SHORT,
            _ => return None,
        })
    }

    pub(super) fn statement(verb: &str) -> Option<&'static str> {
        Some(match verb {
            "VACUUM FULL" => {
                "readers and writers wait while the whole table is written anew; fails inside a transaction"
            }
            "VACUUM" | "CREATE DATABASE" => "fails inside a transaction",
            "CLUSTER"
            | "ALTER TABLE SET LOGGED"
            | "ALTER TABLE SET UNLOGGED"
            | "ALTER TABLE SET TABLESPACE" => {
                "readers and writers wait while the whole table is written anew (ACCESS EXCLUSIVE)"
            }
            "REFRESH MATERIALIZED VIEW" => {
                "readers of the view wait while it is filled anew (ACCESS EXCLUSIVE)"
            }
            "REINDEX" => "writers wait until the indexes are built",
            "REINDEX CONCURRENTLY" => OUTSIDE,
            "LOCK" => "keeps others out until the transaction ends",
            "CREATE TRIGGER" => "short, but writers wait until it is committed (SHARE ROW EXCLUSIVE)",
            "ALTER TABLE VALIDATE CONSTRAINT" | "ALTER TABLE ATTACH PARTITION" => {
                "all rows are checked; readers and writers go on"
            }
            verb if verb.starts_with("ALTER TABLE") => SHORT,
            _ => return None,
        })
    }
}

/// Tables in the usual engine. Every change of a table needs its metadata lock for a moment.
mod mysql {
    use super::Action;

    const SHORT: &str =
        "short, but waits for every open transaction on the table, and everybody else waits behind it";
    const COPY: &str = "writers wait while the whole table is copied (MariaDB lets them go on from 11.2)";
    const REBUILT: &str = "the table is rebuilt; readers and writers go on meanwhile";

    pub(super) fn change(action: &Action) -> Option<&'static str> {
        let is_primary = matches!(
            action,
            Action::AddConstraint { constraint: Some(name), .. } | Action::DropConstraint { constraint: Some(name), .. }
                if name == "PRIMARY"
        );
        Some(match action {
            Action::AddColumn { .. } => {
                "short from MySQL 8.0.12 and MariaDB 10.3 on; the table is rebuilt before, or for AUTO_INCREMENT"
            }
            Action::DropColumn { .. } => {
                "short from MySQL 8.0.29 and MariaDB 10.4 on; the table is rebuilt before"
            }
            Action::AlterColumn { change, .. } if change.type_to.is_some() => {
                "writers wait while the whole table is copied, unless the type is the same or a VARCHAR that only grows"
            }
            Action::AlterColumn { change, .. } if change.nullable.is_some() => REBUILT,
            Action::CreateIndex { .. } => {
                "readers and writers go on while it is built; a FULLTEXT or SPATIAL index keeps writers out"
            }
            Action::AddConstraint {
                refers_to: Some(_), ..
            } => "writers wait while the table is copied and checked, unless foreign_key_checks is off",
            Action::AddConstraint { .. } if is_primary => REBUILT,
            Action::AddConstraint { .. } => {
                "a UNIQUE key is built while others go on; for a CHECK writers wait while the table is copied"
            }
            Action::DropConstraint { .. } if is_primary => COPY,
            Action::DropOther { what, .. }
                if !matches!(what.as_str(), "partition" | "rows of partition" | "trigger") =>
            {
                return None;
            }
            Action::DropTable { .. }
            | Action::RenameTable { .. }
            | Action::AlterColumn { .. }
            | Action::DropIndex { .. }
            | Action::DropConstraint { .. }
            | Action::DropOther { .. }
            | Action::Truncate { .. } => SHORT,
            _ => return None,
        })
    }

    pub(super) fn statement(verb: &str) -> Option<&'static str> {
        Some(match verb {
            "LOCK" => "keeps others out until the tables are unlocked",
            "OPTIMIZE" | "ALTER TABLE ENGINE" | "ALTER TABLE FORCE" | "ALTER TABLE ROW_FORMAT" => REBUILT,
            "ALTER TABLE CONVERT TO"
            | "ALTER TABLE PARTITION BY"
            | "ALTER TABLE REMOVE PARTITIONING"
            | "ALTER TABLE ORDER BY" => COPY,
            verb if verb == "CREATE TRIGGER" || verb.starts_with("ALTER TABLE") => SHORT,
            _ => return None,
        })
    }
}

/// One writer at a time, whatever table it writes.
mod sqlite {
    use super::Action;
    use crate::model::script::ColumnChange;

    pub(super) const WHOLE: &str = "all other writers wait: SQLite locks the whole database";

    pub(super) fn change(action: &Action) -> Option<&'static str> {
        Some(match action {
            Action::AlterColumn { change, .. } if !only_renames(change) => BATCH,
            Action::AddConstraint { .. } | Action::DropConstraint { .. } => BATCH,
            Action::DropColumn { .. } => "all rows are written anew, and all other writers wait",
            Action::CreateIndex { .. } => "all other writers wait until the index is built",
            Action::CreateTable { .. }
            | Action::DropTable { .. }
            | Action::RenameTable { .. }
            | Action::AddColumn { .. }
            | Action::AlterColumn { .. }
            | Action::DropIndex { .. } => WHOLE,
            Action::Statement { verb, .. } if verb == "REINDEX" => WHOLE,
            Action::Statement { verb, .. } if verb == "VACUUM" => {
                "the whole database is written anew; fails inside a transaction"
            }
            _ => return None,
        })
    }

    const BATCH: &str =
        "SQLite cannot do it in place: batch mode copies the table, and all other writers wait";

    fn only_renames(change: &ColumnChange) -> bool {
        change.rename.is_some() && change.nullable.is_none() && change.type_to.is_none() && !change.default
    }
}
