//! Operations in words, as plans and pages show them.

use std::fmt;

use super::{Action, ColumnChange, Guard, Name};

/// A name, or that it is computed.
struct Named<'a>(&'a Name);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or("(computed)"))
    }
}

impl Action {
    /// The table that it is about, if it is about one whose name is known.
    pub fn table(&self) -> Option<&str> {
        match self {
            Self::CreateTable { table }
            | Self::DropTable { table }
            | Self::RenameTable { table, .. }
            | Self::AddColumn { table, .. }
            | Self::DropColumn { table, .. }
            | Self::AlterColumn { table, .. }
            | Self::CreateIndex { table, .. }
            | Self::DropIndex { table, .. }
            | Self::AddConstraint { table, .. }
            | Self::DropConstraint { table, .. }
            | Self::Insert { table }
            | Self::Update { table, .. }
            | Self::Delete { table, .. }
            | Self::Truncate { table }
            | Self::Statement { table, .. } => table.as_deref(),
            Self::DropOther { .. } | Self::Query | Self::Unreadable { .. } => None,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateTable { table } => write!(f, "create table {}", Named(table)),
            Self::DropTable { table } => write!(f, "drop table {}", Named(table)),
            Self::RenameTable { table, to } => write!(f, "rename table {} to {}", Named(table), Named(to)),
            Self::AddColumn {
                table,
                column,
                nullable,
                has_default,
            } => {
                write!(f, "add column {}.{}", Named(table), Named(column))?;
                if *nullable == Some(false) {
                    f.write_str(if *has_default {
                        " NOT NULL"
                    } else {
                        " NOT NULL without a default"
                    })?;
                }
                Ok(())
            }
            Self::DropColumn { table, column } => {
                write!(f, "drop column {}.{}", Named(table), Named(column))
            }
            Self::AlterColumn {
                table,
                column,
                change,
            } => write!(f, "alter column {}.{}{change}", Named(table), Named(column)),
            Self::CreateIndex { table, index, .. } => {
                write!(f, "create index {} on {}", Named(index), Named(table))
            }
            Self::DropIndex { table, index } => on(f, "drop index", index, table),
            Self::AddConstraint {
                table,
                constraint,
                refers_to,
            } => {
                write!(f, "add constraint {} to {}", Named(constraint), Named(table))?;
                refers_to
                    .as_ref()
                    .map_or(Ok(()), |table| write!(f, ", referring to {table}"))
            }
            Self::DropConstraint { table, constraint } => on(f, "drop constraint", constraint, table),
            Self::Insert { table } => write!(f, "insert into {}", Named(table)),
            Self::Update { table, has_where } => {
                let rows = if *has_where { "rows" } else { "every row" };
                write!(f, "update {rows} of {}", Named(table))
            }
            Self::Delete { table, has_where } => {
                let rows = if *has_where { "rows" } else { "every row" };
                write!(f, "delete {rows} of {}", Named(table))
            }
            Self::Truncate { table } => write!(f, "empty table {}", Named(table)),
            Self::DropOther { what, name } => write!(f, "drop {what} {}", Named(name)),
            Self::Statement { verb, table } => {
                f.write_str(verb)?;
                table.as_ref().map_or(Ok(()), |table| write!(f, " ({table})"))
            }
            Self::Query => f.write_str("read rows"),
            Self::Unreadable { what } => write!(f, "cannot be read: {what}"),
        }
    }
}

impl fmt::Display for ColumnChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(to) = &self.rename {
            write!(f, ", renamed {to}")?;
        }
        match (&self.type_from, &self.type_to) {
            (Some(from), Some(to)) => write!(f, ", {from} to {to}")?,
            (None, Some(to)) => write!(f, ", type {to}")?,
            _ => {}
        }
        match self.nullable {
            Some(true) => f.write_str(", NULL")?,
            Some(false) => f.write_str(", NOT NULL")?,
            None => {}
        }
        if self.default {
            f.write_str(", its default")?;
        }
        Ok(())
    }
}

/// MySQL's and SQLite's indexes, and dropped constraints, need not name their table.
fn on(f: &mut fmt::Formatter<'_>, what: &str, name: &Name, table: &Name) -> fmt::Result {
    write!(f, "{what} {}", Named(name))?;
    table.as_ref().map_or(Ok(()), |table| write!(f, " of {table}"))
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Condition(condition) => write!(f, "only if {condition}"),
            Self::Exists => f.write_str("only if it is there"),
            Self::Caught => f.write_str("its failure is caught"),
        }
    }
}
