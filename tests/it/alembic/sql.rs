//! Our reading of SQL against a full parser's.
//!
//! Promises that wherever sqlparser takes a statement, it finds the same changes of the same tables, over the tables of the unit tests and
//! over generated statements; and that what it does not take is known by name, so that the comparison cannot fall silent.
//! Refuses to judge which reading is right: where sqlparser is wrong, the statement is named with the reason.

mod generated;
mod hostile;
mod reference;
mod table;

use migwatch::alembic::sql::statements;
use migwatch::model::script::{Action, Name};

use reference::Dialect;

fn name(name: &Name) -> &str {
    name.as_deref().unwrap_or("?")
}

/// What we say, in the words that both readings share.
fn ours(sql: &str) -> Vec<String> {
    statements(sql)
        .iter()
        .map(|statement| said(&statement.action))
        .collect()
}

fn said(action: &Action) -> String {
    let filter = |has_where: bool| if has_where { " where" } else { "" };
    match action {
        Action::CreateTable { table } => format!("create table {}", name(table)),
        Action::DropTable { table } => format!("drop table {}", name(table)),
        Action::RenameTable { table, to } => format!("rename table {} to {}", name(table), name(to)),
        Action::AddColumn {
            table,
            column,
            nullable,
            ..
        } => {
            let null = if *nullable == Some(false) { " not null" } else { "" };
            format!("add column {} of {}{null}", name(column), name(table))
        }
        Action::DropColumn { table, column } => format!("drop column {} of {}", name(column), name(table)),
        Action::AlterColumn {
            table,
            column,
            change,
        } => {
            let to = change
                .rename
                .as_ref()
                .map(|to| format!(" to {to}"))
                .unwrap_or_default();
            format!("alter column {} of {}{to}", name(column), name(table))
        }
        Action::CreateIndex { table, index, .. } => {
            format!("create index {} on {}", name(index), name(table))
        }
        Action::DropIndex { index, .. } => format!("drop index {}", name(index)),
        Action::AddConstraint { table, refers_to, .. } => {
            let to = refers_to
                .as_ref()
                .map(|to| format!(" to {to}"))
                .unwrap_or_default();
            format!("add constraint on {}{to}", name(table))
        }
        Action::DropConstraint { table, constraint } => {
            format!("drop constraint {} on {}", name(constraint), name(table))
        }
        Action::Insert { table } => format!("insert {}", name(table)),
        Action::Update { table, has_where } => format!("update {}{}", name(table), filter(*has_where)),
        Action::Delete { table, has_where } => format!("delete {}{}", name(table), filter(*has_where)),
        Action::Truncate { table } => format!("truncate {}", name(table)),
        Action::DropOther { what, name: which } => format!("drop {what} {}", name(which)),
        Action::Statement { .. } => "other".to_owned(),
        Action::Query => "query".to_owned(),
        Action::Unreadable { .. } => "unreadable".to_owned(),
    }
}

#[test]
fn the_tables_of_statements_are_read_as_a_parser_reads_them() {
    let mut compared = 0;
    let mut wrong = Vec::new();
    for (dialect, sql) in table::statements() {
        let is_named = table::is_named(&sql);
        match reference::theirs(dialect, &sql) {
            Some(theirs) if !is_named => {
                compared += 1;
                let ours = ours(&sql);
                if ours != theirs {
                    wrong.push(format!(
                        "{dialect:?} {sql}\n  ours:   {ours:?}\n  theirs: {theirs:?}"
                    ));
                }
            }
            Some(theirs) if ours(&sql) == theirs => wrong.push(format!("is named, but agrees: {sql}")),
            Some(_) => {}
            None if is_named => {}
            None => wrong.push(format!("is neither taken nor named: {sql}")),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        compared,
        wrong.join("\n")
    );
    assert!(
        compared >= table::COMPARED,
        "only {compared} statements were compared"
    );
}

#[test]
fn generated_statements_are_read_as_a_parser_reads_them() {
    generated::compare(|dialect: Dialect, sql: &str| {
        let theirs = reference::theirs(dialect, sql)?;
        let ours = ours(sql);
        assert_eq!(ours, theirs, "{dialect:?}: {sql}");
        Some(ours.len())
    });
}
