//! Alembic's operations: `op.…` and `batch_op.…`.
//!
//! Promises what each of them does as Alembic 1.20 documents it; one that is not known is found as unreadable. Refuses to know SQL: what
//! is executed as text goes to [`crate::alembic::sql`].

use crate::alembic::python::{Expr, Kind};
use crate::alembic::sql::{self, HOLE};
use crate::model::script::{Action, ColumnChange, Name};

use super::reader::{Reader, shown};
use super::value::{Arguments, Value, in_schema};

/// The arguments of an operation; in a batch the table is known already and is not among them.
struct Given<'a, 't> {
    arguments: &'a Arguments<'t>,
    batch: Option<&'a Name>,
}

impl Given<'_, '_> {
    /// The table, which stands at this position if this is no batch.
    fn table(&self, position: usize, names: &[&str], schema: &str) -> Name {
        match self.batch {
            Some(table) => table.clone(),
            None => self.arguments.table(position, names, schema),
        }
    }

    /// What stands behind the table.
    fn after(&self, position: usize, names: &[&str]) -> Option<&Value<'_>> {
        let position = if self.batch.is_some() {
            position.saturating_sub(1)
        } else {
            position
        };
        self.arguments.get(position, names)
    }

    fn name_after(&self, position: usize, names: &[&str]) -> Name {
        self.after(position, names)?.name()
    }

    fn asks(&self) -> bool {
        self.arguments.is_true("if_exists") || self.arguments.is_true("if_not_exists")
    }
}

impl<'t> Reader<'t> {
    pub(super) fn operation(
        &mut self,
        expr: &'t Expr,
        name: &str,
        arguments: &Arguments<'t>,
        batch: Option<&Name>,
    ) -> Value<'t> {
        let given = Given { arguments, batch };
        if let Some(action) = on_table(name, &given).or_else(|| on_constraint(name, &given)) {
            let table = match &action {
                Action::CreateTable { table } => Value::Table(table.clone()),
                _ => Value::Plain,
            };
            self.found_guarded(expr.start, action, given.asks());
            return table;
        }
        match name {
            "alter_column" => self.alter_column(expr, &given),
            "execute" => return self.execute(expr, arguments.get(0, &["sqltext"])),
            "bulk_insert" => {
                let table = arguments.get(0, &["table"]).and_then(Value::table);
                self.found(expr.start, Action::Insert { table });
            }
            "get_bind" => return Value::Bind,
            "get_context" => return Value::imported("alembic.context"),
            "f" | "inline_literal" => {
                return arguments
                    .get(0, &["name", "value"])
                    .cloned()
                    .unwrap_or(Value::Plain);
            }
            "batch_alter_table" => return Value::Batch(arguments.table(0, &["table_name"], "schema")),
            "run_async" => return self.run_with_bind(expr, arguments),
            _ => self.unreadable(expr),
        }
        Value::Unknown
    }

    fn alter_column(&mut self, expr: &'t Expr, given: &Given<'_, 't>) {
        let arguments = given.arguments;
        let renames = arguments.named(&["new_column_name", "name"]);
        let rename = renames.and_then(Value::name);
        if rename.is_none() && !matches!(renames, None | Some(Value::Nothing)) {
            return self.unreadable(expr);
        }
        let written = |name: &str| {
            let Kind::Call(call) = &expr.kind else {
                return None;
            };
            let (_, value) = call
                .keywords
                .iter()
                .find(|(keyword, _)| keyword.as_deref() == Some(name))?;
            let is_none = matches!(value.kind, Kind::None);
            (!is_none).then(|| shown(&self.module.written(value)))
        };
        let change = ColumnChange {
            rename,
            nullable: match arguments.named(&["nullable"]) {
                Some(Value::Bool(nullable)) => Some(*nullable),
                _ => None,
            },
            type_to: written("type_"),
            type_from: written("existing_type"),
            default: !matches!(
                arguments.named(&["server_default"]),
                None | Some(Value::Bool(false))
            ),
        };
        let table = given.table(0, &["table_name"], "schema");
        let column = given.name_after(1, &["column_name"]);
        self.found(
            expr.start,
            Action::AlterColumn {
                table,
                column,
                change,
            },
        );
    }

    /// A function of this script that is run with a connection: `op.run_async(work)`.
    pub(super) fn run_with_bind(&mut self, expr: &'t Expr, arguments: &Arguments<'t>) -> Value<'t> {
        let Some(Value::Function(function, parent)) = arguments.positional.first() else {
            self.unreadable(expr);
            return Value::Unknown;
        };
        let rest = arguments.positional.iter().skip(1).cloned();
        let own = Arguments {
            positional: [Value::Bind].into_iter().chain(rest).collect(),
            keywords: arguments.keywords.clone(),
        };
        self.follow(expr, (function, *parent), &own)
    }

    /// A statement is executed.
    pub(super) fn execute(&mut self, expr: &'t Expr, statement: Option<&Value<'t>>) -> Value<'t> {
        match statement {
            Some(Value::Str(text)) if !text.trim_start().starts_with(HOLE) => {
                let text = text.clone();
                if self.pay(expr.start, 1 + text.len() / 16) {
                    self.sql(expr, &text);
                }
            }
            Some(Value::Statement(action)) => self.found(expr.start, (**action).clone()),
            Some(Value::Query { table, .. }) => {
                self.found(expr.start, Action::Query);
                return Value::Instances(table.clone());
            }
            _ => self.unreadable(expr),
        }
        Value::Plain
    }

    fn sql(&mut self, expr: &'t Expr, text: &str) {
        for statement in sql::statements(text) {
            let action = match statement.action {
                Action::Unreadable { what } => Action::Unreadable {
                    what: shown(&what.replace(HOLE, "{…}")),
                },
                Action::Statement { verb, .. } if verb.contains(HOLE) => Action::Unreadable {
                    what: shown(&self.module.written(expr)),
                },
                action => action,
            };
            self.found_guarded(expr.start, action, statement.guarded);
        }
    }
}

/// Tables, columns and indexes.
fn on_table(name: &str, given: &Given<'_, '_>) -> Option<Action> {
    let arguments = given.arguments;
    let table = |position| given.table(position, &["table_name", "tablename"], "schema");
    let index = || arguments.name(0, &["index_name", "name"]);
    Some(match name {
        "create_table" => Action::CreateTable { table: table(0) },
        "drop_table" => Action::DropTable { table: table(0) },
        "rename_table" => Action::RenameTable {
            table: arguments.table(0, &["old_table_name"], "schema"),
            to: arguments.table(1, &["new_table_name"], "schema"),
        },
        "add_column" => {
            let column = match given.after(1, &["column"]) {
                Some(Value::Column(column)) => Some(column),
                _ => None,
            };
            Action::AddColumn {
                table: table(0),
                column: column.and_then(|column| column.name.clone()),
                nullable: column.and_then(|column| column.nullable),
                has_default: column.is_some_and(|column| column.has_default),
            }
        }
        "drop_column" => Action::DropColumn {
            table: table(0),
            column: given.name_after(1, &["column_name"]),
        },
        "create_index" => Action::CreateIndex {
            table: table(1),
            index: index(),
            concurrently: arguments.is_true("postgresql_concurrently"),
        },
        "drop_index" => Action::DropIndex {
            table: table(1),
            index: index(),
        },
        "create_table_comment" | "drop_table_comment" => Action::Statement {
            verb: "COMMENT".to_owned(),
            table: table(0),
        },
        _ => return None,
    })
}

fn on_constraint(name: &str, given: &Given<'_, '_>) -> Option<Action> {
    let arguments = given.arguments;
    let constraint = arguments.name(0, &["constraint_name", "name"]);
    let add = |table, refers_to| Action::AddConstraint {
        table,
        constraint: constraint.clone(),
        refers_to,
    };
    Some(match name {
        "create_foreign_key" => {
            let referent = given.name_after(2, &["referent_table", "referent"]);
            let table = given.table(1, &["source_table", "source"], "source_schema");
            add(table, in_schema(referent, arguments.named(&["referent_schema"])))
        }
        "create_unique_constraint"
        | "create_check_constraint"
        | "create_primary_key"
        | "create_exclude_constraint" => add(given.table(1, &["table_name", "source"], "schema"), None),
        "drop_constraint" => Action::DropConstraint {
            table: given.table(1, &["table_name", "tablename"], "schema"),
            constraint,
        },
        _ => return None,
    })
}
