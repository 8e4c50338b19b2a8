//! The tables of statements: each with what whoever knows its dialect would say that it does.

mod blocks;
mod hostile;
mod mysql;
mod postgres;
mod sqlite;
mod texts;

use std::fmt::Write as _;

use super::{Statement, statements};
use crate::model::script::{Action, ColumnChange, Name};

fn name(name: &Name) -> &str {
    name.as_deref().unwrap_or("?")
}

fn changed(change: &ColumnChange) -> String {
    let mut text = String::new();
    if let Some(to) = &change.rename {
        let _ = write!(text, " -> {to}");
    }
    if let Some(to) = &change.type_to {
        let _ = write!(text, " type {to}");
    }
    if let Some(nullable) = change.nullable {
        text += if nullable { " null" } else { " not null" };
    }
    if change.default {
        text += " default";
    }
    text
}

/// What is done to a part of a table.
fn said_of_parts(action: &Action) -> String {
    match action {
        Action::AddColumn {
            table,
            column,
            nullable,
            has_default,
        } => {
            let nullable = match nullable {
                Some(true) => " null",
                Some(false) => " not null",
                None => " null?",
            };
            let default = if *has_default { " default" } else { "" };
            format!("add_column {}.{}{nullable}{default}", name(table), name(column))
        }
        Action::DropColumn { table, column } => format!("drop_column {}.{}", name(table), name(column)),
        Action::AlterColumn {
            table,
            column,
            change,
        } => {
            format!("alter_column {}.{}{}", name(table), name(column), changed(change))
        }
        Action::CreateIndex {
            table,
            index,
            concurrently,
        } => {
            let concurrently = if *concurrently { " concurrently" } else { "" };
            format!("create_index {} on {}{concurrently}", name(index), name(table))
        }
        Action::DropIndex { table, index } => format!("drop_index {} on {}", name(index), name(table)),
        Action::AddConstraint {
            table,
            constraint,
            refers_to,
        } => {
            let refers_to = refers_to
                .as_ref()
                .map(|table| format!(" to {table}"))
                .unwrap_or_default();
            format!(
                "add_constraint {} on {}{refers_to}",
                name(constraint),
                name(table)
            )
        }
        Action::DropConstraint { table, constraint } => {
            format!("drop_constraint {} on {}", name(constraint), name(table))
        }
        other => format!("{other:?}"),
    }
}

/// `drop_column users.age if`: `?` stands for what is not known, `if` for guarded.
fn said(statement: &Statement) -> String {
    let text = match &statement.action {
        Action::CreateTable { table } => format!("create_table {}", name(table)),
        Action::DropTable { table } => format!("drop_table {}", name(table)),
        Action::RenameTable { table, to } => format!("rename_table {} -> {}", name(table), name(to)),
        Action::Insert { table } => format!("insert {}", name(table)),
        Action::Update { table, has_where } => {
            format!("update {}{}", name(table), if *has_where { " where" } else { "" })
        }
        Action::Delete { table, has_where } => {
            format!("delete {}{}", name(table), if *has_where { " where" } else { "" })
        }
        Action::Truncate { table } => format!("truncate {}", name(table)),
        Action::DropOther { what, name: which } => format!("drop {what} {}", name(which)),
        Action::Statement { verb, table } => {
            let table = table
                .as_ref()
                .map(|table| format!(" on {table}"))
                .unwrap_or_default();
            format!("{verb}{table}")
        }
        Action::Query => "query".to_owned(),
        Action::Unreadable { what } => format!("unreadable {what}"),
        part => said_of_parts(part),
    };
    if statement.guarded {
        format!("{text} if")
    } else {
        text
    }
}

fn all(text: &str) -> String {
    statements(text)
        .iter()
        .map(said)
        .collect::<Vec<String>>()
        .join("; ")
}

/// All rows at once, so that one look shows which are wrong.
fn check(rows: &[(&str, &str)]) {
    let wrong: Vec<String> = rows
        .iter()
        .map(|(text, expected)| (text, expected, all(text)))
        .filter(|(_, expected, said)| said != *expected)
        .map(|(text, expected, said)| format!("\n{text}\n  expected: {expected}\n  said:     {said}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.concat());
}
