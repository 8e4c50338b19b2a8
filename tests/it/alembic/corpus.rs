//! The corpus: one script a shape that scripts are written in, and beside each, written by hand, what it says.
//! Refuses to know how that is found out.

use std::fmt::Write as _;

use migwatch::alembic::script;
use migwatch::model::script::{Action, Body, Guard, Name, Operation, Script, Unreadable};

use super::{on_a_large_stack, scripts};

#[test]
fn every_script_of_the_corpus_says_what_stands_beside_it() {
    let mut wrong = String::new();
    let scripts = scripts();
    assert!(scripts.len() >= 44, "only {} scripts", scripts.len());
    for path in scripts {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let source = std::fs::read(&path).expect("the script can be read");
        let expected = std::fs::read_to_string(path.with_extension("txt"))
            .unwrap_or_else(|_| panic!("{name} has no expectation: write {name} without .py, with .txt"));
        let said = on_a_large_stack(move || shown(script::read("x.py", &source)));
        if said != expected {
            let _ = write!(wrong, "\n{name} says\n{said}\nand not\n{expected}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn no_expectation_stands_alone() {
    let folder = scripts()
        .first()
        .and_then(|path| Some(path.parent()?.to_owned()))
        .expect("a corpus");
    for entry in std::fs::read_dir(folder).expect("the corpus can be listed") {
        let path = entry.expect("an entry").path();
        let is_expectation = path.extension().is_some_and(|e| e == "txt");
        assert!(
            !is_expectation || path.with_extension("py").exists(),
            "{} has no script",
            path.display()
        );
    }
}

/// One line for each thing that a script says.
fn shown(read: Result<Option<Script>, Unreadable>) -> String {
    let script = match read {
        Err(Unreadable { path, reason }) => {
            assert_eq!(path, "x.py");
            return format!("unreadable {reason}\n");
        }
        Ok(None) => return "no script\n".to_owned(),
        Ok(Some(script)) => script,
    };
    let mut lines = vec![format!("revision {}", script.revision)];
    let down: Vec<&str> = script
        .down_revisions
        .iter()
        .map(|revision| revision.0.as_str())
        .collect();
    lines.push(format!(
        "down {}",
        if down.is_empty() {
            "base".to_owned()
        } else {
            down.join(", ")
        }
    ));
    for (what, values) in [
        ("depends_on", &script.depends_on),
        ("branch_labels", &script.branch_labels),
    ] {
        if !values.is_empty() {
            lines.push(format!("{what} {}", values.join(", ")));
        }
    }
    lines.extend(script.title.map(|title| format!("title {title}")));
    for (name, body) in [("upgrade", &script.upgrade), ("downgrade", &script.downgrade)] {
        let how = match body {
            Body::Missing => " missing",
            Body::Stub => " stub",
            Body::Does(operations) if operations.is_empty() => " nothing",
            Body::Does(_) => "",
        };
        lines.push(format!("{name}{how}"));
        lines.extend(body.operations().iter().map(operation));
    }
    lines.join("\n") + "\n"
}

fn operation(operation: &Operation) -> String {
    let guard = match &operation.guard {
        None => String::new(),
        Some(Guard::Condition(condition)) => format!(" [if {condition}]"),
        Some(Guard::Exists) => " [exists]".to_owned(),
        Some(Guard::Caught) => " [caught]".to_owned(),
    };
    format!("  {} {}{guard}", operation.line, action(&operation.action))
}

/// A name, or that it is not known.
fn it(name: &Name) -> &str {
    name.as_deref().unwrap_or("?")
}

/// A word, if that is so.
fn with(condition: bool, word: &str) -> String {
    if condition {
        format!(" {word}")
    } else {
        String::new()
    }
}

/// What is done to a column.
fn on_column(action: &Action) -> Option<String> {
    Some(match action {
        Action::AddColumn {
            table,
            column,
            nullable,
            has_default,
        } => {
            let nullable = match nullable {
                None => "?",
                Some(true) => "null",
                Some(false) => "not null",
            };
            let default = with(*has_default, "default");
            format!("add_column {}.{} {nullable}{default}", it(table), it(column))
        }
        Action::DropColumn { table, column } => format!("drop_column {}.{}", it(table), it(column)),
        Action::AlterColumn {
            table,
            column,
            change,
        } => {
            let mut text = format!("alter_column {}.{}", it(table), it(column));
            for (what, value) in [
                ("rename", &change.rename),
                ("from", &change.type_from),
                ("to", &change.type_to),
            ] {
                if let Some(value) = value {
                    let _ = write!(text, " {what} {value}");
                }
            }
            match change.nullable {
                None => {}
                Some(true) => text.push_str(" null"),
                Some(false) => text.push_str(" not null"),
            }
            text + &with(change.default, "default")
        }
        _ => return None,
    })
}

fn action(action: &Action) -> String {
    if let Some(text) = on_column(action) {
        return text;
    }
    match action {
        Action::CreateTable { table } => format!("create_table {}", it(table)),
        Action::DropTable { table } => format!("drop_table {}", it(table)),
        Action::RenameTable { table, to } => format!("rename_table {} to {}", it(table), it(to)),
        Action::CreateIndex {
            table,
            index,
            concurrently,
        } => {
            format!(
                "create_index {} on {}{}",
                it(index),
                it(table),
                with(*concurrently, "concurrently")
            )
        }
        Action::DropIndex { table, index } => format!("drop_index {} on {}", it(index), it(table)),
        Action::AddConstraint {
            table,
            constraint,
            refers_to,
        } => {
            let refers = refers_to
                .as_ref()
                .map(|table| format!(" refers to {table}"))
                .unwrap_or_default();
            format!("add_constraint {} on {}{refers}", it(constraint), it(table))
        }
        Action::DropConstraint { table, constraint } => {
            format!("drop_constraint {} on {}", it(constraint), it(table))
        }
        Action::Insert { table } => format!("insert {}", it(table)),
        Action::Update { table, has_where } => format!("update {}{}", it(table), with(*has_where, "where")),
        Action::Delete { table, has_where } => format!("delete {}{}", it(table), with(*has_where, "where")),
        Action::Truncate { table } => format!("truncate {}", it(table)),
        Action::DropOther { what, name } => format!("drop {what} {}", it(name)),
        Action::Statement { verb, table } => {
            let table = table
                .as_ref()
                .map(|table| format!(" on {table}"))
                .unwrap_or_default();
            format!("statement {verb}{table}")
        }
        Action::Query => "query".to_owned(),
        Action::Unreadable { what } => format!("unreadable {what}"),
        other => panic!("{other:?} has no words"),
    }
}
