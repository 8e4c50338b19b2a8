//! What gets a name: imports, classes, and the left side of `=`.
//!
//! Promises that a name whose value is not known does not keep an old one. Refuses to know types.

use std::rc::Rc;

use crate::alembic::python::{Expr, Kind, Stmt, StmtKind};

use super::containers::root;
use super::reader::Reader;
use super::value::{Value, in_schema};

impl<'t> Reader<'t> {
    pub(super) fn import(&mut self, bindings: &[(Rc<str>, Rc<str>)]) {
        for (name, what) in bindings {
            self.bind(name, Value::Imported(Rc::clone(what)));
        }
    }

    /// A class that names its table is mapped to it; of others nothing is known.
    pub(super) fn class(&mut self, name: &Rc<str>, body: &'t [Stmt]) {
        let mut table = None;
        let mut schema = None;
        for stmt in body {
            if let StmtKind::Assign(targets, value) = &stmt.kind {
                match targets.first().and_then(Expr::as_name) {
                    Some("__tablename__" | "__table__") => table = Some(self.eval(value)),
                    Some("__table_args__") => schema = self.schema_argument(value),
                    _ => {}
                }
            }
        }
        let value = match table {
            Some(Value::Table(name)) => Value::Table(name),
            Some(table) => Value::Table(in_schema(table.name(), schema.as_ref())),
            None => Value::Unknown,
        };
        self.bind(name, value);
    }

    /// `{"schema": "billing"}`, alone or at the end of a tuple.
    fn schema_argument(&mut self, value: &'t Expr) -> Option<Value<'t>> {
        let options = match &value.kind {
            Kind::List(values) => values.last()?,
            _ => value,
        };
        let Value::Dict(items) = self.eval(options) else {
            return None;
        };
        let mut items = items.iter();
        items
            .find(|(key, _)| key.name().as_deref() == Some("schema"))
            .map(|(_, value)| value.clone())
    }

    /// Binds what stands to the left of `=`, or behind `for`.
    pub(super) fn assign(&mut self, target: &'t Expr, value: Value<'t>) {
        match &target.kind {
            Kind::Name(name) => self.bind(name, value),
            Kind::Starred(target) => self.assign(target, Value::Plain),
            Kind::List(targets) => match value {
                Value::List(values) if values.len() == targets.len() => {
                    for (target, value) in targets.iter().zip(values.iter()) {
                        self.assign(target, value.clone());
                    }
                }
                value => {
                    let part = Value::Plain.or(&value);
                    for target in targets {
                        self.assign(target, part.clone());
                    }
                }
            },
            Kind::Attribute(owner, _) => {
                let owner = self.eval(owner);
                self.set_attribute(target.start, &owner);
            }
            // What is set inside a list or a dictionary makes the whole unknown.
            Kind::Subscript(owner, index) => {
                drop(self.eval(index));
                drop(self.eval(owner));
                if let Some(name) = root(owner) {
                    self.fill(name, &[&value]);
                }
            }
            _ => {}
        }
    }
}
