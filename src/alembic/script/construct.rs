//! What SQLAlchemy makes: tables, columns, types, statements that are executed later, and the methods of those.
//!
//! Promises to know what reaches a schema or its rows; everything else that SQLAlchemy has only describes. Refuses to execute.

use std::rc::Rc;

use crate::alembic::python::Expr;
use crate::model::script::{Action, Name};

use super::reader::Reader;
use super::value::{Arguments, Column, Value};

impl<'t> Reader<'t> {
    /// A call of SQLAlchemy's own, by its name and that of its owner without `sqlalchemy.`.
    pub(super) fn construct(
        &mut self,
        expr: &'t Expr,
        (owner, name): (&str, &str),
        arguments: &Arguments<'t>,
    ) -> Value<'t> {
        let first = arguments.positional.first();
        let text = || first.cloned().unwrap_or(Value::Plain);
        match name {
            _ if owner == "event" => self.unknown(expr, arguments),
            _ if owner == "func" || owner == "sql.func" => Value::Plain,
            "text" | "DDL" | "quoted_name" | "conv" => text(),
            "table" | "Table" => Value::Table(arguments.table(0, &["name"], "schema")),
            "Column" | "mapped_column" => Value::Column(Rc::new(column(arguments))),
            "Identity" | "Computed" | "FetchedValue" => Value::Generated,
            "MetaData" => Value::Metadata,
            "select" | "exists" => Value::Query {
                table: first.and_then(Value::table),
                has_where: false,
            },
            "Enum" | "ENUM" | "DOMAIN" => {
                Value::Object("type", arguments.named(&["name"]).and_then(Value::name))
            }
            "Sequence" => Value::Object("sequence", arguments.table(0, &["name"], "schema")),
            "Index" => Value::Index {
                index: arguments.name(0, &["name"]),
                table: None,
            },
            "sessionmaker" | "scoped_session" | "Session" | "async_sessionmaker" | "AsyncSession"
            | "Connection" => Value::Bind,
            // A connection to whatever database.
            "create_engine" | "create_async_engine" | "engine_from_config" | "async_engine_from_config" => {
                self.unreadable(expr);
                Value::Bind
            }
            _ => match statement(name, first) {
                Some(action) => Value::statement(action),
                None => Value::Plain,
            },
        }
    }

    /// `alembic.context.…`, and the rest of Alembic.
    pub(super) fn context(
        &mut self,
        expr: &'t Expr,
        (owner, name): (&str, &str),
        arguments: &Arguments<'t>,
    ) -> Value<'t> {
        match (owner, name) {
            ("context", "execute") => self.execute(expr, arguments.get(0, &["sql"])),
            ("context", "get_bind") => Value::Bind,
            ("context", "get_context") => Value::imported("alembic.context"),
            ("context.impl", _) => self.unknown(expr, arguments),
            // Operations as values are invoked later, which is found then.
            _ if [
                "context",
                "operations",
                "autogenerate",
                "script",
                "config",
                "util",
            ]
            .iter()
            .any(|it| owner.starts_with(it)) =>
            {
                Value::Plain
            }
            _ => self.unknown(expr, arguments),
        }
    }

    pub(super) fn on_table(
        &mut self,
        expr: &'t Expr,
        table: &Name,
        method: &str,
        arguments: &Arguments<'t>,
    ) -> Value<'t> {
        let asks = arguments.is_true("checkfirst");
        let own = Value::Table(table.clone());
        match method {
            "create" => self.found_guarded(expr.start, Action::CreateTable { table: table.clone() }, asks),
            "drop" => self.found_guarded(expr.start, Action::DropTable { table: table.clone() }, asks),
            "select" => {
                return Value::Query {
                    table: table.clone(),
                    has_where: false,
                };
            }
            "alias" | "tometadata" | "to_metadata" => return own,
            _ => {
                if let Some(action) = statement(method, Some(&own)) {
                    return Value::statement(action);
                }
            }
        }
        Value::Plain
    }

    /// `create` and `drop` of a type, a sequence or an index.
    pub(super) fn on_object(
        &mut self,
        expr: &'t Expr,
        owner: &Value<'t>,
        method: &str,
        arguments: &Arguments<'t>,
    ) -> Value<'t> {
        let action = match (owner, method) {
            (Value::Object(what, _), "create") => Action::Statement {
                verb: format!("CREATE {}", what.to_uppercase()),
                table: None,
            },
            (Value::Object(what, name), "drop") => Action::DropOther {
                what: (*what).to_owned(),
                name: name.clone(),
            },
            (Value::Index { index, table }, "create") => Action::CreateIndex {
                table: table.clone(),
                index: index.clone(),
                concurrently: false,
            },
            (Value::Index { index, table }, "drop") => Action::DropIndex {
                table: table.clone(),
                index: index.clone(),
            },
            _ => return owner.clone(),
        };
        self.found_guarded(expr.start, action, arguments.is_true("checkfirst"));
        Value::Plain
    }
}

/// A statement that is built for later: `sa.delete(users)`, `CreateTable(users)`.
fn statement(name: &str, about: Option<&Value<'_>>) -> Option<Action> {
    let table = about.and_then(Value::table);
    let (object, index) = match about {
        Some(Value::Object(_, name)) => (name.clone(), None),
        Some(Value::Index { index, .. }) => (None, index.clone()),
        Some(other) => (other.name(), None),
        None => (None, None),
    };
    let other = |what: &str| Action::DropOther {
        what: what.to_owned(),
        name: object.clone(),
    };
    let verb = |verb: &str| Action::Statement {
        verb: verb.to_owned(),
        table: None,
    };
    Some(match name {
        "insert" => Action::Insert { table },
        "update" => Action::Update {
            table,
            has_where: false,
        },
        "delete" => Action::Delete {
            table,
            has_where: false,
        },
        "CreateTable" => Action::CreateTable { table },
        "DropTable" => Action::DropTable { table },
        "CreateIndex" => Action::CreateIndex {
            table: None,
            index,
            concurrently: false,
        },
        "DropIndex" => Action::DropIndex { table: None, index },
        "CreateSequence" => verb("CREATE SEQUENCE"),
        "DropSequence" => other("sequence"),
        "CreateSchema" => verb("CREATE SCHEMA"),
        "DropSchema" => other("schema"),
        "CreateEnumType" => verb("CREATE TYPE"),
        "DropEnumType" => other("type"),
        "AddConstraint" => Action::AddConstraint {
            table: None,
            constraint: None,
            refers_to: None,
        },
        "DropConstraint" => Action::DropConstraint {
            table: None,
            constraint: None,
        },
        _ => return None,
    })
}

fn column(arguments: &Arguments<'_>) -> Column {
    let is_key = match arguments.named(&["primary_key"]) {
        None | Some(Value::Bool(false)) => Some(false),
        Some(Value::Bool(true)) => Some(true),
        Some(_) => None,
    };
    let nullable = match arguments.named(&["nullable"]) {
        None => is_key.map(|is_key| !is_key),
        Some(Value::Bool(nullable)) => Some(*nullable),
        Some(_) => None,
    };
    let is_generated = arguments
        .positional
        .iter()
        .any(|value| matches!(value, Value::Generated));
    Column {
        name: arguments.name(0, &["name"]),
        nullable,
        has_default: is_generated
            || !matches!(arguments.named(&["server_default"]), None | Some(Value::Nothing)),
    }
}
