//! The arguments of a call, and how a helper function takes them.
//!
//! Promises each argument's value where it is known. Refuses to guess how an unknown `*values` is spread.

use std::collections::HashMap;
use std::rc::Rc;

use crate::alembic::python::{Call, Expr, Function, Kind};

use super::reader::{Frame, Reader};
use super::value::{Arguments, Value};

/// How deep helper functions are followed.
const DEEPEST_CALLS: usize = 9;

impl<'t> Reader<'t> {
    pub(super) fn arguments(&mut self, call: &'t Call) -> Arguments<'t> {
        let mut arguments = Arguments {
            positional: Vec::new(),
            keywords: Vec::new(),
        };
        let mut is_known = true;
        for argument in &call.arguments {
            if let Kind::Starred(inner) = &argument.kind {
                match self.eval(inner) {
                    Value::List(values) if is_known => arguments.positional.extend(values.iter().cloned()),
                    _ => is_known = false,
                }
                continue;
            }
            let value = self.eval(argument);
            if is_known {
                arguments.positional.push(value);
            }
        }
        for (name, value) in &call.keywords {
            let value = self.eval(value);
            match (name, value) {
                (Some(name), value) => arguments.keywords.push((Rc::clone(name), value)),
                (None, Value::Dict(items)) => {
                    let named = items
                        .iter()
                        .filter_map(|(key, value)| Some((key.name()?.into(), value.clone())));
                    arguments.keywords.extend(named);
                }
                (None, _) => {}
            }
        }
        arguments
    }

    /// Follows a function of this script.
    pub(super) fn follow(
        &mut self,
        expr: &'t Expr,
        (function, parent): (&'t Rc<Function>, usize),
        arguments: &Arguments<'t>,
    ) -> Value<'t> {
        let runs = |frame: &&mut Frame<'t>| frame.function.is_some_and(|it| Rc::ptr_eq(it, function));
        if let Some(frame) = self.frames.iter_mut().find(runs) {
            frame.recursion = Some(expr);
            return Value::Plain;
        }
        if self.frames.len() > DEEPEST_CALLS {
            self.unreadable(expr);
            return Value::Unknown;
        }
        let names = self.parameters(function, arguments);
        let given = self.given(expr, &names);
        self.enter(function, parent, (names, given))
    }

    fn parameters(
        &mut self,
        function: &'t Function,
        arguments: &Arguments<'t>,
    ) -> HashMap<Rc<str>, Value<'t>> {
        let mut names = HashMap::new();
        for (position, parameter) in function.parameters.iter().enumerate() {
            let given = arguments.get(position, &[&parameter.name]).cloned();
            let value = match (given, &parameter.default) {
                _ if parameter.takes_rest => Value::Unknown,
                (Some(given), _) => given,
                (None, Some(default)) => self.eval(default),
                (None, None) => Value::Plain,
            };
            names.insert(Rc::clone(&parameter.name), value);
        }
        names
    }
}
