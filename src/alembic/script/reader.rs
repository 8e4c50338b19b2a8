//! The state of a reading: which names are bound, under which conditions we are, and what was found.
//!
//! Promises that a reading ends: every step costs, and what cannot be paid is said to be unreadable. Refuses to know what statements and
//! expressions mean.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::alembic::python::{Expr, Function, Kind, Module, Stmt, StmtKind};
use crate::model::redact::{redact, shorten};
use crate::model::script::{Action, Body, Guard, Operation};

use super::value::Value;

/// The longest text of a condition or a call that is kept, in characters.
pub(super) const SHOWN: usize = 80;
/// What one function may cost: a step is a statement or an expression. Ordinary ones need hundreds.
const STEPS: usize = 200_000;
/// What an operation costs more than a step: it is kept.
const KEPT: usize = 10;
/// How deep expressions and statements may stand within each other over all calls of helper functions.
const DEEPEST: usize = 400;

/// Why what follows may not be done.
#[derive(Clone)]
pub(super) enum Doubt<'t> {
    /// All of these hold.
    If(Vec<&'t Expr>),
    /// None of these holds.
    Unless(Vec<&'t Expr>),
    /// The subject matches this pattern.
    Case(&'t Expr, &'t str),
    /// This exception came.
    Except(&'t str),
    /// It did not come.
    NoException(&'t str),
    /// It may fail.
    Caught,
}

/// The names of a function that is being walked through, or of the module.
pub(super) struct Frame<'t> {
    pub(super) names: HashMap<Rc<str>, Value<'t>>,
    /// Where names are looked up next.
    pub(super) parent: usize,
    pub(super) function: Option<&'t Rc<Function>>,
    /// What it returned so far.
    pub(super) returned: Option<Value<'t>>,
    /// Where it was called again while it ran.
    pub(super) recursion: Option<&'t Expr>,
    /// What it declares `global` or `nonlocal`, with the frames that those names belong to.
    pub(super) outer: HashMap<Rc<str>, usize>,
    /// Parameters that were given a list or a dictionary which has a name where the function was called: its frame, and that name.
    pub(super) given: Given,
}

/// A parameter's name, and which name's value it was given.
pub(super) type Given = HashMap<Rc<str>, (usize, Rc<str>)>;

impl<'t> Frame<'t> {
    fn new(function: Option<&'t Rc<Function>>, parent: usize, names: HashMap<Rc<str>, Value<'t>>) -> Self {
        Self {
            names,
            parent,
            function,
            returned: None,
            recursion: None,
            outer: HashMap::new(),
            given: Given::new(),
        }
    }
}

/// What a branch bound: frame, name, value.
pub(super) type Changes<'t> = Vec<(usize, Rc<str>, Value<'t>)>;

pub(super) struct Reader<'t> {
    pub(super) module: &'t Module,
    pub(super) frames: Vec<Frame<'t>>,
    pub(super) doubts: Vec<Doubt<'t>>,
    /// Names that some function declares `global` or `nonlocal`: who calls it when is not followed, so that no such flag is ever known.
    shared: HashSet<Rc<str>>,
    /// Unknown functions that only make an argument of an operation are its types and defaults.
    pub(super) quiet: usize,
    operations: Vec<Operation>,
    /// Where in the text the last unreadable call starts: `f().g()` is one.
    unread: Option<usize>,
    /// What names were bound to before branches that are open, and how many of those there are.
    before: Vec<(usize, Rc<str>, Option<Value<'t>>)>,
    branches: usize,
    steps: usize,
    depth: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(module: &'t Module) -> Self {
        Self {
            module,
            frames: vec![Frame::new(None, 0, HashMap::new())],
            shared: shared(&module.body),
            doubts: Vec::new(),
            quiet: 0,
            operations: Vec::new(),
            unread: None,
            before: Vec::new(),
            branches: 0,
            steps: STEPS,
            depth: 0,
        }
    }

    /// Binds the names of the module. What is done while it is imported is no part of a migration.
    pub(super) fn module_level(&mut self) {
        self.block(&self.module.body);
        self.restart();
    }

    /// What the function of this name does.
    pub(super) fn body(&mut self, name: &str) -> Body {
        let (function, frame) = match self.frames.first().and_then(|frame| frame.names.get(name)) {
            None => return Body::Missing,
            Some(Value::Function(function, frame)) => (*function, *frame),
            Some(_) => {
                return self.unreadable_body(0, format!("{name}, which is no function of this script"));
            }
        };
        if let (true, Some(first)) = (function.is_async, function.body.first()) {
            return self.unreadable_body(
                first.start,
                format!("async def {name}, for which Alembic does not wait"),
            );
        }
        if function.body.iter().all(is_stub) {
            return Body::Stub;
        }
        // What it does to the module's names is undone: the other function runs at another time.
        drop(self.branch(|reader| reader.enter(function, frame, (HashMap::new(), Given::new()))));
        let does = std::mem::take(&mut self.operations);
        self.restart();
        Body::Does(does)
    }

    fn unreadable_body(&self, at: usize, what: String) -> Body {
        Body::Does(vec![self.placed(at, Action::Unreadable { what }, None)])
    }

    fn placed(&self, at: usize, action: Action, guard: Option<Guard>) -> Operation {
        let line = self.module.line(at);
        Operation { line, action, guard }
    }

    fn restart(&mut self) {
        self.operations.clear();
        self.unread = None;
        self.doubts.clear();
        self.steps = STEPS;
    }

    /// Pays for a step; `false` if there is nothing left to pay with, which is found then as the last operation.
    pub(super) fn pay(&mut self, at: usize, cost: usize) -> bool {
        if self.steps == 0 {
            return false;
        }
        self.steps = self.steps.saturating_sub(cost);
        if self.steps == 0 {
            let what = "more than can be followed".to_owned();
            let last = self.placed(at, Action::Unreadable { what }, None);
            self.operations.push(last);
        }
        self.steps > 0
    }

    /// Goes one level down, if that is not too deep.
    pub(super) fn deeper<T>(&mut self, at: usize, walk: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth == DEEPEST {
            self.steps = self.steps.min(1);
        }
        if !self.pay(at, 1) {
            return None;
        }
        self.depth += 1;
        let value = walk(self);
        self.depth -= 1;
        Some(value)
    }

    /// An operation is found.
    pub(super) fn found(&mut self, at: usize, action: Action) {
        self.found_guarded(at, action, false);
    }

    /// An operation is found, which asks by itself whether there is something to do.
    pub(super) fn found_guarded(&mut self, at: usize, action: Action, asks: bool) {
        if self.pay(at, KEPT) {
            let guard = self.guard().or(asks.then_some(Guard::Exists));
            let operation = self.placed(at, action, guard);
            self.operations.push(operation);
            self.unread = None;
        }
    }

    /// A row's object is changed; its session writes all changes at once.
    pub(super) fn found_change(&mut self, at: usize, action: Action) {
        if self.operations.last().is_none_or(|last| last.action != action) {
            self.found(at, action);
        }
    }

    /// A call is found that cannot be read.
    pub(super) fn unreadable(&mut self, expr: &Expr) {
        if self.unread == Some(expr.start) {
            self.operations.pop();
        }
        let what = shown(&self.module.written(expr));
        self.found(expr.start, Action::Unreadable { what });
        self.unread = Some(expr.start);
    }

    fn guard(&self) -> Option<Guard> {
        let all = |exprs: &[&Expr], show: &dyn Fn(&Expr) -> String| {
            exprs
                .iter()
                .map(|expr| show(expr))
                .collect::<Vec<_>>()
                .join(" and ")
        };
        let condition = match self.doubts.last()? {
            Doubt::Caught => return Some(Guard::Caught),
            Doubt::If(exprs) if exprs.len() > 1 => all(exprs, &|expr| match expr.kind {
                Kind::Or(_) | Kind::Ternary(_) => format!("({})", self.module.written(expr)),
                _ => self.module.written(expr),
            }),
            Doubt::If(exprs) => all(exprs, &|expr| self.module.written(expr)),
            Doubt::Unless(exprs) => all(exprs, &|expr| match &expr.kind {
                Kind::Not(inner) => self.module.written(inner),
                _ => format!("not ({})", self.module.written(expr)),
            }),
            Doubt::Case(subject, pattern) => format!("{} is {pattern}", self.module.written(subject)),
            Doubt::Except(what) => format!("except {what}").trim_end().to_owned(),
            Doubt::NoException(what) => format!("not (except {what})"),
        };
        Some(Guard::Condition(shown(&condition)))
    }

    /// Walks under a doubt.
    pub(super) fn doubting<T>(&mut self, doubt: Option<Doubt<'t>>, walk: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.doubts.len();
        self.doubts.extend(doubt);
        let value = walk(self);
        self.doubts.truncate(before);
        value
    }

    pub(super) fn bind(&mut self, name: &Rc<str>, value: Value<'t>) {
        let own = self.frames.len().saturating_sub(1);
        let outer = self.frames.last().and_then(|frame| frame.outer.get(name));
        self.bind_in(outer.copied().unwrap_or(own), name, value);
    }

    pub(super) fn bind_in(&mut self, index: usize, name: &Rc<str>, value: Value<'t>) {
        let value = if self.shared.contains(name) {
            value.unsure()
        } else {
            value
        };
        if let Some(frame) = self.frames.get_mut(index) {
            let before = frame.names.insert(Rc::clone(name), value);
            if self.branches > 0 {
                self.before.push((index, Rc::clone(name), before));
            }
        }
    }

    /// Walks through a branch that may not be taken, and undoes what it bound.
    pub(super) fn branch<T>(&mut self, walk: impl FnOnce(&mut Self) -> T) -> (T, Changes<'t>) {
        let mark = self.before.len();
        self.branches += 1;
        let value = walk(self);
        self.branches -= 1;
        let mut changes: HashMap<(usize, Rc<str>), Value<'t>> = HashMap::new();
        while self.before.len() > mark {
            let Some((index, name, before)) = self.before.pop() else {
                break;
            };
            let Some(frame) = self.frames.get_mut(index) else {
                continue;
            };
            let after = match before {
                Some(before) => frame.names.insert(Rc::clone(&name), before),
                None => frame.names.remove(&name),
            };
            if let Some(after) = after {
                changes.entry((index, name)).or_insert(after);
            }
        }
        (
            value,
            changes
                .into_iter()
                .map(|((index, name), value)| (index, name, value))
                .collect(),
        )
    }

    /// One of these branches was taken, or none.
    pub(super) fn join(&mut self, branches: Vec<Changes<'t>>, is_exhaustive: bool) {
        let mut values: HashMap<(usize, Rc<str>), (usize, Value<'t>)> = HashMap::new();
        let count = branches.len();
        for (index, name, value) in branches.into_iter().flatten() {
            let entry = values.entry((index, name));
            entry
                .and_modify(|(times, known)| {
                    *times += 1;
                    *known = std::mem::replace(known, Value::Plain).or(&value);
                })
                .or_insert((1, value));
        }
        for ((index, name), (times, value)) in values {
            let before = self.frames.get(index).and_then(|frame| frame.names.get(&name));
            let value = match before {
                Some(before) if times < count || !is_exhaustive => value.or(before),
                _ => value,
            };
            self.bind_in(index, &name, value);
        }
    }

    /// Walks through a function; its value is what it returns.
    pub(super) fn enter(
        &mut self,
        function: &'t Rc<Function>,
        parent: usize,
        (names, given): (HashMap<Rc<str>, Value<'t>>, Given),
    ) -> Value<'t> {
        // A function may outlive the one that it was defined in, whose names are gone then.
        let parent = if parent < self.frames.len() { parent } else { 0 };
        self.frames.push(Frame {
            given,
            ..Frame::new(Some(function), parent, names)
        });
        let found = self.operations.len();
        let (doubts, quiet) = (self.doubts.len(), std::mem::take(&mut self.quiet));
        let mark = self.before.len();
        let flow = self.block(&function.body);
        self.doubts.truncate(doubts);
        self.quiet = quiet;
        let frame = self.frames.pop();
        let own = self.frames.len();
        let kept = self
            .before
            .split_off(mark)
            .into_iter()
            .filter(|(index, ..)| *index != own);
        self.before.extend(kept.collect::<Vec<_>>());
        // A function that does nothing to a schema does nothing however often it is called.
        if let Some(again) = frame.as_ref().and_then(|frame| frame.recursion)
            && self.operations.len() > found
        {
            self.unreadable(again);
        }
        match frame.and_then(|frame| frame.returned) {
            Some(value) if flow.goes_on() => value.or(&Value::Nothing),
            Some(value) => value,
            None => Value::Nothing,
        }
    }
}

/// Foreign text as it is kept: without secrets, and short.
pub(super) fn shown(text: &str) -> String {
    shorten(&redact(text), SHOWN)
}

/// What functions in these statements declare `global` or `nonlocal`.
fn shared(body: &[Stmt]) -> HashSet<Rc<str>> {
    let mut names = HashSet::new();
    for stmt in body {
        if let StmtKind::Outer(outer, _) = &stmt.kind {
            names.extend(outer.iter().cloned());
        }
        names.extend(stmt.blocks().into_iter().flat_map(shared));
    }
    names
}

/// It does nothing, or says that it cannot be done.
fn is_stub(stmt: &Stmt) -> bool {
    match &stmt.kind {
        StmtKind::Pass | StmtKind::Raise(_) | StmtKind::Return(None) => true,
        StmtKind::Expr(value) | StmtKind::Return(Some(value)) => {
            matches!(
                value.kind,
                Kind::Str(_) | Kind::Ellipsis | Kind::None | Kind::Bool(_)
            )
        }
        _ => false,
    }
}
