//! Calls: who is called, and whether it can reach the schema.
//!
//! Promises that a call of which nothing is known is found as unreadable, unless it can do nothing: a type or a default among an
//! operation's arguments. Refuses to know what the operations mean.

use std::rc::Rc;

use crate::alembic::python::{Call, Expr, Kind};
use crate::model::script::{Action, Name};

use super::built_in::{is_built_in, is_harmless};
use super::format;
use super::reader::Reader;
use super::value::{Arguments, Value};

/// Methods of loggers, texts and dictionaries, whatever else has them.
const HARMLESS_METHODS: [&str; 22] = [
    "debug",
    "info",
    "warning",
    "warn",
    "error",
    "exception",
    "critical",
    "items",
    "keys",
    "values",
    "strip",
    "split",
    "lower",
    "upper",
    "format",
    "encode",
    "decode",
    "startswith",
    "endswith",
    "isoformat",
    "hexdigest",
    "rstrip",
];
/// Methods that ask whom they get: `inspector.has_table(bind, name)`.
const ASKING: [&str; 4] = ["has_", "get_", "reflect", "from_engine"];

impl<'t> Reader<'t> {
    pub(super) fn call(&mut self, expr: &'t Expr, call: &'t Call) -> Value<'t> {
        let Kind::Attribute(receiver, method) = &call.function.kind else {
            let function = self.eval(&call.function);
            return self.call_value(expr, call, function);
        };
        match self.eval(receiver) {
            Value::Imported(owner) if reads_directly(&owner) => self.imported(expr, call, (&owner, method)),
            owner @ (Value::Imported(_) | Value::Function(..)) => {
                let function = attribute(owner, method);
                self.call_value(expr, call, function)
            }
            owner => self.method(expr, call, &owner, method),
        }
    }

    fn call_value(&mut self, expr: &'t Expr, call: &'t Call, function: Value<'t>) -> Value<'t> {
        if let Value::Imported(name) = &function {
            let (owner, name) = name.rsplit_once('.').unwrap_or(("", name));
            return self.imported(expr, call, (owner, name));
        }
        let arguments = self.arguments(call);
        match function {
            Value::Function(function, parent) => self.follow(expr, (function, parent), &arguments),
            // A class that is mapped to a table makes rows; a maker of sessions makes sessions.
            Value::Table(table) => Value::Instance(table),
            Value::Bind => Value::Bind,
            Value::Unknown => self.unknown(expr, &arguments),
            _ => self.plain(expr, "", &arguments),
        }
    }

    /// A call of something by the dotted name of its owner and its own.
    fn imported(&mut self, expr: &'t Expr, call: &'t Call, (owner, name): (&str, &str)) -> Value<'t> {
        if owner == "alembic.op" {
            let arguments = self.quietly(call);
            return self.operation(expr, name, &arguments, None);
        }
        let (module, inner) = owner.split_once('.').unwrap_or((owner, ""));
        if module == "sqlalchemy" || module == "sqlmodel" {
            let arguments = self.quietly(call);
            return self.construct(expr, (inner, name), &arguments);
        }
        let arguments = self.arguments(call);
        match module {
            "alembic" => self.context(expr, (inner, name), &arguments),
            "builtins" if is_built_in(inner) => self.plain(expr, name, &arguments),
            "builtins" if inner.is_empty() => self.built_in(expr, name, &arguments),
            "textwrap" => arguments.positional.first().cloned().unwrap_or(Value::Plain),
            "importlib" => Value::Unknown,
            _ if is_harmless(module, inner, name) => Value::Plain,
            _ => self.unknown_method(expr, name, &arguments),
        }
    }

    /// The arguments of an operation: what is called there makes types and defaults.
    fn quietly(&mut self, call: &'t Call) -> Arguments<'t> {
        self.quiet += 1;
        let arguments = self.arguments(call);
        self.quiet -= 1;
        arguments
    }

    /// A method of something of which nothing is known.
    fn unknown_method(&mut self, expr: &'t Expr, method: &str, arguments: &Arguments<'t>) -> Value<'t> {
        if HARMLESS_METHODS.contains(&method) && !arguments.reach_schema() {
            // What is in it is as unknown.
            let takes_out = matches!(method, "items" | "values");
            return if takes_out { Value::Unknown } else { Value::Plain };
        }
        self.unknown(expr, arguments)
    }

    /// Nobody knows what this call does.
    pub(super) fn unknown(&mut self, expr: &'t Expr, arguments: &Arguments<'t>) -> Value<'t> {
        if self.quiet == 0 || arguments.reach_schema() {
            self.unreadable(expr);
        }
        Value::Unknown
    }

    /// A call of something that cannot reach the schema, unless it is given the means.
    fn plain(&mut self, expr: &'t Expr, method: &str, arguments: &Arguments<'t>) -> Value<'t> {
        let asks = ASKING.iter().any(|asking| method.starts_with(asking));
        let moves_all = matches!(method, "create_all" | "drop_all");
        if moves_all || (arguments.reach_schema() && !asks) {
            self.unreadable(expr);
        }
        Value::Plain
    }

    fn method(&mut self, expr: &'t Expr, call: &'t Call, owner: &Value<'t>, method: &str) -> Value<'t> {
        if let Value::Batch(table) = owner {
            let arguments = self.quietly(call);
            return self.operation(expr, method, &arguments, Some(table));
        }
        let arguments = self.arguments(call);
        match owner {
            Value::Bind => self.on_bind(expr, method, &arguments),
            Value::Unknown => self.unknown_method(expr, method, &arguments),
            Value::Table(table) => self.on_table(expr, table, method, &arguments),
            Value::Query { table, has_where } => self.on_query(expr, (table, *has_where), method),
            Value::Instances(table) => on_rows(table, method),
            Value::Statement(action) => on_statement(action, method),
            Value::Object(..) | Value::Index { .. } => self.on_object(expr, owner, method, &arguments),
            Value::Str(text) => {
                let made = format::of_text(text, method, &arguments);
                self.priced(expr, made)
            }
            Value::Dict(items) => {
                let value = format::of_dict(items, owner, method, &arguments);
                self.on_container(call, &arguments);
                value
            }
            Value::List(values) => {
                self.on_list(call, values, method, &arguments);
                Value::Plain
            }
            _ => {
                self.on_container(call, &arguments);
                self.plain(expr, method, &arguments)
            }
        }
    }
}

/// What is called of it is looked up by its name alone: nothing of it is a value that we know.
fn reads_directly(owner: &str) -> bool {
    owner == "alembic.op" || owner.starts_with("sqlalchemy")
}

/// What stands behind a dot.
pub(super) fn attribute<'t>(owner: Value<'t>, name: &str) -> Value<'t> {
    match (owner, name) {
        (Value::Imported(owner), _) if &*owner == "alembic.context" => match name {
            "bind" | "connection" => Value::Bind,
            "dialect" | "config" | "opts" | "as_sql" => Value::Plain,
            _ => Value::imported(format!("alembic.context.{name}")),
        },
        (Value::Table(_) | Value::Imported(_) | Value::Unknown | Value::Plain, "metadata")
        | (Value::Metadata, "tables") => Value::Metadata,
        (owner @ Value::Table(_), "__table__" | "__mapper__") => owner,
        (Value::Table(table), "query") => Value::Query {
            table,
            has_where: false,
        },
        (Value::Imported(_) | Value::Unknown | Value::Plain, "__table__") => Value::Table(None),
        (Value::Imported(owner), name) => Value::imported(format!("{owner}.{name}")),
        (
            Value::Bind,
            "connection" | "engine" | "bind" | "sync_connection" | "sync_session" | "driver_connection",
        ) => Value::Bind,
        (Value::Bind, "dialect" | "info" | "rowcount" | "url" | "closed" | "is_active") => Value::Plain,
        (Value::Unknown | Value::Bind | Value::Batch(_) | Value::Function(..), _) => Value::Unknown,
        _ => Value::Plain,
    }
}

/// Rows that were read: all of them, or one.
fn on_rows<'t>(table: &Name, method: &str) -> Value<'t> {
    match method {
        "all" | "scalars" | "fetchall" | "unique" | "mappings" | "yield_per" | "partitions" => {
            Value::Instances(table.clone())
        }
        "first" | "one" | "one_or_none" | "scalar" | "scalar_one" | "scalar_one_or_none" | "fetchone" => {
            Value::Instance(table.clone())
        }
        _ => Value::Plain,
    }
}

/// A statement that is built on.
fn on_statement<'t>(action: &Rc<Action>, method: &str) -> Value<'t> {
    let narrows = matches!(method, "where" | "filter" | "filter_by");
    match (&**action, method) {
        (_, "compile") => Value::Plain,
        (Action::Update { table, .. }, _) if narrows => Value::statement(Action::Update {
            table: table.clone(),
            has_where: true,
        }),
        (Action::Delete { table, .. }, _) if narrows => Value::statement(Action::Delete {
            table: table.clone(),
            has_where: true,
        }),
        _ => Value::Statement(Rc::clone(action)),
    }
}
