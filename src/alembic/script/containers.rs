//! Lists and dictionaries that are filled, and where names are bound.
//!
//! Promises that a name is never bound to a list or a dictionary that has grown meanwhile: what is followed is known, all else makes it
//! unknown, under every name that it is known to have. Refuses to follow two names of one list in one function.

use std::collections::HashMap;
use std::rc::Rc;

use crate::alembic::python::{Call, Expr, Kind, Scope};

use super::reader::{Given, Reader};
use super::value::{Arguments, Value};

/// What lists, sets and dictionaries have that changes them, those of `collections` too.
const CHANGING: [&str; 19] = [
    "append",
    "extend",
    "insert",
    "remove",
    "pop",
    "popitem",
    "clear",
    "update",
    "setdefault",
    "sort",
    "reverse",
    "add",
    "discard",
    "difference_update",
    "intersection_update",
    "symmetric_difference_update",
    "appendleft",
    "extendleft",
    "__setitem__",
];

/// The name of what a call changes: `groups` in `groups.setdefault(key, []).append(value)` and in `groups[key].append(value)`.
pub(super) fn changed(call: &Call) -> Option<&Rc<str>> {
    match &call.function.kind {
        Kind::Attribute(receiver, method) if CHANGING.contains(&&**method) => root(receiver),
        _ => None,
    }
}

/// The name that stands at the beginning.
pub(super) fn root(expr: &Expr) -> Option<&Rc<str>> {
    match &expr.kind {
        Kind::Name(name) => Some(name),
        Kind::Attribute(owner, _) | Kind::Subscript(owner, _) => root(owner),
        Kind::Call(call) => root(&call.function),
        _ => None,
    }
}

impl<'t> Reader<'t> {
    /// The frame in which a name is bound, here or around.
    fn place(&self, name: &str) -> Option<usize> {
        let mut index = self.frames.len().checked_sub(1)?;
        loop {
            let frame = self.frames.get(index)?;
            if frame.names.contains_key(name) {
                return Some(index);
            }
            // Towards the module, which is its own parent.
            index = Some(frame.parent).filter(|parent| *parent < index)?;
        }
    }

    /// What a name is bound to, here or around.
    pub(super) fn bound(&self, name: &str) -> Option<&Value<'t>> {
        self.frames.get(self.place(name)?)?.names.get(name)
    }

    /// `global` or `nonlocal`.
    pub(super) fn declare(&mut self, names: &[Rc<str>], scope: Scope) {
        for name in names {
            let place = match scope {
                Scope::Module => 0,
                Scope::Around => self.place(name).unwrap_or_default(),
            };
            if let Some(frame) = self.frames.last_mut() {
                frame.outer.insert(Rc::clone(name), place);
            }
        }
    }

    /// What a name is bound to became this, wherever the name belongs. Under the names that callers have for it, it is unknown: it may be
    /// something else by now that only has the parameter's name.
    pub(super) fn change(&mut self, name: &Rc<str>, value: Value<'t>) {
        let Some(mut index) = self.place(name) else {
            return;
        };
        let unsure = if value.acts() {
            Value::Unknown
        } else {
            Value::Plain
        };
        self.bind_in(index, name, value);
        let mut own = Rc::clone(name);
        while let Some((outer, name)) = self.frames.get(index).and_then(|frame| frame.given.get(&own)) {
            (index, own) = (*outer, Rc::clone(name));
            self.bind_in(index, &own, unsure.clone());
        }
    }

    /// These values were put somewhere into what the name is bound to, or something was taken out of it.
    pub(super) fn fill(&mut self, name: &Rc<str>, values: &[&Value<'t>]) {
        let acts = values.iter().any(|value| value.acts());
        let after = match self.bound(name) {
            Some(Value::List(_) | Value::Dict(_) | Value::Plain) if acts => Value::Unknown,
            Some(before @ (Value::List(_) | Value::Dict(_))) if before.holds_what_acts() => Value::Unknown,
            Some(Value::List(_) | Value::Dict(_)) => Value::Plain,
            _ => return,
        };
        self.change(name, after);
    }

    /// A method of a list. One that is changed is known as long as it has a name and only grows.
    pub(super) fn on_list(
        &mut self,
        call: &'t Call,
        values: &Rc<Vec<Value<'t>>>,
        method: &str,
        arguments: &Arguments<'t>,
    ) {
        let name = match &call.function.kind {
            Kind::Attribute(list, _) => match &list.kind {
                Kind::Name(name) => Some(name),
                _ => None,
            },
            _ => None,
        };
        let more = match (method, arguments.positional.as_slice()) {
            ("append", [value]) => std::slice::from_ref(value),
            ("extend", [Value::List(more)]) => more,
            _ => return self.on_container(call, arguments),
        };
        let Some(name) = name else {
            return self.on_container(call, arguments);
        };
        // Its length is paid for: growing copies it.
        if self.pay(call.function.start, 1 + (values.len() + more.len()) / 16) {
            let values = values.iter().chain(more).cloned();
            self.change(name, Value::list(values.collect()));
        }
    }

    /// A method that may change what stands before it.
    pub(super) fn on_container(&mut self, call: &'t Call, arguments: &Arguments<'t>) {
        if let Some(name) = changed(call) {
            let keywords = arguments.keywords.iter().map(|(_, value)| value);
            let values: Vec<&Value<'t>> = arguments.positional.iter().chain(keywords).collect();
            self.fill(name, &values);
        }
    }

    /// Which of a function's parameters are lists and dictionaries that have a name where it is called.
    pub(super) fn given(&self, call: &'t Expr, names: &HashMap<Rc<str>, Value<'t>>) -> Given {
        let arguments = call.inner();
        let mut known = HashMap::new();
        for name in arguments.iter().filter_map(|argument| root(argument)) {
            if let Some((place, value)) = self.place(name).zip(self.bound(name))
                && let Some(identity) = value.identity()
            {
                known.insert(identity, (place, Rc::clone(name)));
            }
        }
        let given = names.iter().filter_map(|(parameter, value)| {
            let given = known.get(&value.identity()?)?;
            Some((Rc::clone(parameter), given.clone()))
        });
        given.collect()
    }
}
