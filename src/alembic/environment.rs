//! `env.py`: which table holds the versions.
//!
//! Promises what `version_table` and `version_table_schema` are given literally, or under a name that the module literally assigns once.
//! Refuses to compute: two different values are none.

use std::collections::HashMap;

use crate::alembic::python::{self, Expr, Kind, Stmt, StmtKind};
use crate::model::script::Unreadable;

/// What `context.configure(...)` is told of the version table; `None` if nothing, or nothing literal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `version_table`.
    pub version_table: Option<String>,
    /// `version_table_schema`.
    pub version_table_schema: Option<String>,
}

/// What an `env.py` says. Like [`super::script::read`] it needs a thread with a stack of [`super::script::STACK`] bytes.
///
/// # Errors
///
/// The file cannot be read: it is too long, not UTF-8, or no Python.
pub fn read(path: &str, source: &[u8]) -> Result<Environment, Unreadable> {
    let module = python::parse(source).map_err(|reason| Unreadable {
        path: path.to_owned(),
        reason,
    })?;
    let constants = constants(&module.body);
    let [mut table, mut schema] = [Vec::new(), Vec::new()];
    python::exprs(&module.body, &mut |expr| {
        for (name, value) in options(expr) {
            let given = match name {
                "version_table" => &mut table,
                "version_table_schema" => &mut schema,
                _ => continue,
            };
            given.push(literal(value, &constants));
        }
    });
    Ok(Environment {
        version_table: agreed(&table),
        version_table_schema: agreed(&schema),
    })
}

/// Named values: the keywords of a call, the items of a dictionary.
fn options(expr: &Expr) -> Vec<(&str, &Expr)> {
    match &expr.kind {
        Kind::Call(call) => {
            let keywords = call.keywords.iter();
            keywords
                .filter_map(|(name, value)| Some((name.as_deref()?, value)))
                .collect()
        }
        Kind::Dict(items) => items
            .iter()
            .filter_map(|(key, value)| match key.as_ref().map(|key| &key.kind) {
                Some(Kind::Str(name)) => Some((&**name, value)),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// The texts that the module assigns; `None` for a name that is assigned twice or anything else.
fn constants(body: &[Stmt]) -> HashMap<&str, Option<&str>> {
    let mut constants = HashMap::new();
    for stmt in body {
        let StmtKind::Assign(targets, value) = &stmt.kind else {
            continue;
        };
        let text = match &value.kind {
            Kind::Str(text) => Some(&**text),
            _ => None,
        };
        for name in targets.iter().filter_map(Expr::as_name) {
            constants
                .entry(name)
                .and_modify(|known| *known = None)
                .or_insert(text);
        }
    }
    constants
}

fn literal<'t>(value: &'t Expr, constants: &HashMap<&str, Option<&'t str>>) -> Option<&'t str> {
    match &value.kind {
        Kind::Str(text) => Some(text),
        Kind::Name(name) => constants.get(&**name).copied().flatten(),
        _ => None,
    }
}

/// Offline and online mode are configured apart; they should say the same.
fn agreed(given: &[Option<&str>]) -> Option<String> {
    let first = given.first().copied().flatten()?;
    given
        .iter()
        .all(|other| *other == Some(first))
        .then(|| first.to_owned())
}

#[cfg(test)]
mod tests;
