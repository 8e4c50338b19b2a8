//! Expressions: what they are worth, and the calls in them.
//!
//! Promises to come upon every call that runs, in the order in which Python runs them. Refuses to compute with anything but text.

use std::rc::Rc;

use crate::alembic::python::{Comprehension, Expr, Kind, Loop, Part};
use crate::alembic::sql::HOLE;
use crate::model::script::Action;

use super::calls::attribute;
use super::format;
use super::loops::{Items, ROUNDS};
use super::reader::{Doubt, Reader};
use super::value::Value;

impl<'t> Reader<'t> {
    pub(super) fn eval(&mut self, expr: &'t Expr) -> Value<'t> {
        let value = self.deeper(expr.start, |reader| reader.value(expr));
        value.unwrap_or(Value::Unknown)
    }

    fn all(&mut self, exprs: impl IntoIterator<Item = &'t Expr>) -> Vec<Value<'t>> {
        exprs.into_iter().map(|expr| self.eval(expr)).collect()
    }

    fn value(&mut self, expr: &'t Expr) -> Value<'t> {
        match &expr.kind {
            Kind::Str(text) => Value::Str(Rc::clone(text)),
            Kind::Int(value) => Value::Int(*value),
            Kind::Bool(value) => Value::Bool(*value),
            Kind::None => Value::Nothing,
            Kind::Ellipsis => Value::Plain,
            Kind::Name(name) => match self.bound(name) {
                Some(value) => value.clone(),
                None => Value::imported(format!("builtins.{name}")),
            },
            Kind::Attribute(owner, name) => {
                let owner = self.eval(owner);
                attribute(owner, name)
            }
            Kind::Call(call) => self.call(expr, call),
            Kind::FString(parts) => self.f_string(parts),
            Kind::List(values) => self.list(values),
            Kind::Dict(items) => self.dict(items),
            Kind::Sum(values) => {
                let values = self.all(values);
                self.priced(expr, format::sum(values))
            }
            Kind::Percent(text, values) => {
                let (text, values) = (self.eval(text), self.eval(values));
                self.priced(expr, format::percent(&text, &values))
            }
            Kind::And(values) => self.chain(values, Doubt::If),
            Kind::Or(values) => self.chain(values, Doubt::Unless),
            Kind::Not(value) => match self.truth(value) {
                Some(truth) => Value::Bool(!truth),
                None => Value::Plain,
            },
            Kind::Ternary(parts) => self.ternary(parts),
            Kind::Subscript(owner, index) => {
                let (owner, index) = (self.eval(owner), self.eval(index));
                subscript(&owner, &index)
            }
            Kind::Starred(value) => {
                drop(self.eval(value));
                Value::Plain
            }
            Kind::Named(target, value) => {
                let value = self.eval(value);
                self.assign(target, value.clone());
                value
            }
            Kind::Comprehension(it) => {
                let mut values = Some(Vec::new());
                self.comprehension(it, &it.loops, &mut values);
                values.map_or(Value::Plain, Value::list)
            }
            Kind::Lambda(_) => Value::Unknown,
            Kind::Other(values) => {
                drop(self.all(values));
                Value::Plain
            }
        }
    }

    /// Long texts cost what they are long, so that no loop doubles them for ever.
    pub(super) fn priced(&mut self, expr: &Expr, value: Value<'t>) -> Value<'t> {
        match &value {
            Value::Str(text) if !self.pay(expr.start, 1 + text.len() / 64) => Value::Plain,
            _ => value,
        }
    }

    /// Whether it counts as true; `None` if that shows only when it runs.
    pub(super) fn truth(&mut self, expr: &'t Expr) -> Option<bool> {
        match self.eval(expr) {
            Value::Bool(value) => Some(value),
            Value::Int(value) => Some(value != 0),
            Value::Nothing => Some(false),
            Value::Str(text) if !text.contains(HOLE) => Some(!text.is_empty()),
            // One that is empty is there to be filled, by whom is not always followed.
            Value::List(values) => (!values.is_empty()).then_some(true),
            // Imports for type checkers only; no doubt if anything else is there.
            Value::Imported(name) if name.ends_with("typing.TYPE_CHECKING") => Some(false),
            _ => None,
        }
    }

    fn f_string(&mut self, parts: &'t [Part]) -> Value<'t> {
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Plain(expr) => text.push_str(self.eval(expr).shown().as_deref().unwrap_or(HOLE)),
                Part::Formatted(expr) => {
                    drop(self.eval(expr));
                    text.push_str(HOLE);
                }
            }
            if text.len() > format::LONGEST {
                return Value::Plain;
            }
        }
        Value::text(text)
    }

    fn list(&mut self, exprs: &'t [Expr]) -> Value<'t> {
        let mut values = Vec::new();
        for expr in exprs {
            match &expr.kind {
                Kind::Starred(inner) => match self.eval(inner) {
                    Value::List(inner) => values.extend(inner.iter().cloned()),
                    _ => return Value::Plain,
                },
                _ => values.push(self.eval(expr)),
            }
        }
        Value::list(values)
    }

    fn dict(&mut self, items: &'t [(Option<Expr>, Expr)]) -> Value<'t> {
        let mut known = Some(Vec::new());
        for (key, value) in items {
            let value = self.eval(value);
            match (key, &mut known) {
                (Some(key), Some(known)) => known.push((self.eval(key), value)),
                (Some(key), None) => drop(self.eval(key)),
                (None, _) => known = None,
            }
        }
        known.map_or(Value::Plain, |items| Value::Dict(Rc::new(items)))
    }

    /// `a and b`, `a or b`: what comes later is reached only if what came before lets it.
    fn chain(&mut self, exprs: &'t [Expr], doubt: fn(Vec<&'t Expr>) -> Doubt<'t>) -> Value<'t> {
        let mut before = Vec::new();
        let mut values = Vec::new();
        for expr in exprs {
            let why = (!before.is_empty()).then(|| doubt(before.clone()));
            values.push(self.doubting(why, |reader| reader.eval(expr)));
            before.push(expr);
        }
        let last = values.pop().unwrap_or(Value::Plain);
        values.iter().fold(last, Value::or)
    }

    fn ternary(&mut self, [test, value, otherwise]: &'t [Expr; 3]) -> Value<'t> {
        match self.truth(test) {
            Some(true) => return self.eval(value),
            Some(false) => return self.eval(otherwise),
            None => {}
        }
        let value = self.doubting(Some(Doubt::If(vec![test])), |reader| reader.eval(value));
        let otherwise = self.doubting(Some(Doubt::Unless(vec![test])), |reader| reader.eval(otherwise));
        value.or(&otherwise)
    }

    /// What `for` goes over.
    pub(super) fn items(&mut self, expr: &'t Expr) -> Items<'t> {
        let each = match self.eval(expr) {
            Value::List(values) if (1..=ROUNDS).contains(&values.len()) => {
                return Items::Known(values.to_vec());
            }
            Value::Dict(items) if (1..=ROUNDS).contains(&items.len()) => {
                return Items::Known(items.iter().map(|(key, _)| key.clone()).collect());
            }
            Value::Query { table, .. } => {
                self.found(expr.start, Action::Query);
                Value::Instance(table)
            }
            Value::Instances(table) => Value::Instance(table),
            Value::Unknown | Value::Imported(_) => Value::Unknown,
            _ => Value::Plain,
        };
        Items::Each(each)
    }

    /// Its elements, as long as all are known.
    fn comprehension(
        &mut self,
        it: &'t Comprehension,
        loops: &'t [Loop],
        values: &mut Option<Vec<Value<'t>>>,
    ) {
        let Some((first, rest)) = loops.split_first() else {
            let element = self.all(&it.elements).pop().unwrap_or(Value::Plain);
            match values {
                Some(known) if it.elements.len() == 1 && known.len() < ROUNDS => known.push(element),
                _ => *values = None,
            }
            return;
        };
        let (items, is_known) = match self.items(&first.items) {
            Items::Known(items) => (items, true),
            Items::Each(item) => (vec![item], false),
        };
        for item in items {
            self.assign(&first.target, item);
            let truths: Vec<Option<bool>> = first.conditions.iter().map(|test| self.truth(test)).collect();
            if truths.contains(&Some(false)) {
                continue;
            }
            let is_sure = truths.iter().all(Option::is_some);
            let doubt = (!is_sure).then(|| Doubt::If(first.conditions.iter().collect()));
            self.doubting(doubt, |reader| reader.comprehension(it, rest, values));
            if !is_sure || !is_known {
                *values = None;
            }
        }
        if !is_known {
            *values = None;
        }
    }
}

fn subscript<'t>(owner: &Value<'t>, index: &Value<'t>) -> Value<'t> {
    match (owner, index) {
        (Value::List(values), Value::Int(index)) => {
            let index = usize::try_from(*index).ok();
            index
                .and_then(|index| values.get(index))
                .cloned()
                .unwrap_or(Value::Plain)
        }
        (Value::Dict(_), Value::Str(_)) => format::item(owner, index).unwrap_or(Value::Plain),
        // `metadata.tables["users"]`
        (Value::Metadata, index) => Value::Table(index.name()),
        (Value::Instances(table), _) => Value::Instance(table.clone()),
        (Value::Unknown | Value::Imported(_), _) => Value::Unknown,
        _ => Value::Plain,
    }
}
