//! What Python itself brings along: its built-in functions and its standard library.
//!
//! Promises to know which of it can do nothing to a schema. Refuses to know the rest: it is unknown like anything imported.

use crate::alembic::python::Expr;

use super::calls::attribute;
use super::reader::Reader;
use super::value::{Arguments, Value};

/// Modules of Python's own whose functions compute, tell or write to a log.
const HARMLESS_MODULES: [&str; 36] = [
    "abc",
    "base64",
    "binascii",
    "calendar",
    "collections",
    "contextlib",
    "copy",
    "csv",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "functools",
    "hashlib",
    "inspect",
    "io",
    "itertools",
    "json",
    "logging",
    "math",
    "operator",
    "pathlib",
    "platform",
    "pprint",
    "random",
    "re",
    "secrets",
    "string",
    "sys",
    "textwrap",
    "time",
    "traceback",
    "typing",
    "typing_extensions",
    "uuid",
    "warnings",
];
/// What is as harmless in `os`, which has more.
const HARMLESS_OF_OS: [&str; 4] = ["getenv", "environ", "path", "getcwd"];
/// Built-in functions and exceptions that do nothing to a schema.
const BUILT_IN: [&str; 50] = [
    "type",
    "bytearray",
    "slice",
    "input",
    "abs",
    "all",
    "any",
    "ascii",
    "bin",
    "bool",
    "bytes",
    "callable",
    "chr",
    "dict",
    "dir",
    "divmod",
    "enumerate",
    "filter",
    "float",
    "format",
    "frozenset",
    "hasattr",
    "hash",
    "hex",
    "id",
    "int",
    "isinstance",
    "issubclass",
    "iter",
    "len",
    "list",
    "map",
    "max",
    "min",
    "next",
    "object",
    "open",
    "ord",
    "pow",
    "print",
    "range",
    "repr",
    "reversed",
    "round",
    "set",
    "sorted",
    "str",
    "sum",
    "tuple",
    "zip",
];
/// A built-in function of that kind.
pub(super) fn is_built_in(name: &str) -> bool {
    BUILT_IN.contains(&name)
}

/// A function of the standard library of that kind, by its module, what is between, and its name.
pub(super) fn is_harmless(module: &str, inner: &str, name: &str) -> bool {
    let of_os = if inner.is_empty() { name } else { inner };
    HARMLESS_MODULES.contains(&module) || (module == "os" && HARMLESS_OF_OS.contains(&of_os))
}

impl<'t> Reader<'t> {
    pub(super) fn built_in(&mut self, expr: &'t Expr, name: &str, arguments: &Arguments<'t>) -> Value<'t> {
        let first = arguments.positional.first();
        match (name, first) {
            ("list" | "tuple" | "set" | "frozenset", Some(list @ Value::List(_))) => list.clone(),
            ("str", Some(text @ Value::Str(_))) => text.clone(),
            ("reversed", Some(Value::List(values))) => Value::list(values.iter().rev().cloned().collect()),
            ("sorted", Some(Value::List(values))) => sorted(values),
            ("enumerate", Some(Value::List(values))) => {
                let pair = |value: &Value<'t>| Value::list(vec![Value::Plain, value.clone()]);
                Value::list(values.iter().map(pair).collect())
            }
            ("getattr", Some(owner)) => match arguments.name(1, &[]) {
                Some(name) => attribute(owner.clone(), &name),
                None if matches!(owner, Value::Plain) => Value::Plain,
                None => Value::Unknown,
            },
            ("setattr", Some(owner)) => {
                self.set_attribute(expr.start, owner);
                Value::Plain
            }
            ("globals" | "locals" | "vars" | "super" | "__import__", _) => Value::Unknown,
            // What these make of an unknown thing is as unknown.
            ("list" | "tuple" | "iter" | "next" | "filter" | "map" | "zip", Some(Value::Unknown)) => {
                Value::Unknown
            }
            ("list" | "tuple", Some(rows @ (Value::Instances(_) | Value::Query { .. }))) => rows.clone(),
            ("next", Some(Value::Instances(table))) => Value::Instance(table.clone()),
            _ if is_built_in(name) || name.ends_with("Error") || name.ends_with("Exception") => Value::Plain,
            _ => self.unknown(expr, arguments),
        }
    }
}

fn sorted<'t>(values: &[Value<'t>]) -> Value<'t> {
    let names: Option<Vec<String>> = values.iter().map(Value::name).collect();
    names.map_or(Value::Plain, |mut names| {
        names.sort();
        Value::list(names.into_iter().map(Value::text).collect())
    })
}
