//! Statements: which of them run, and under which condition.
//!
//! Promises to walk through everything that may run, once, and through a loop over known values once for each. Refuses to know
//! operations.

use crate::alembic::python::{Expr, Kind, Stmt, StmtKind, Try};

use super::reader::{Doubt, Reader};
use super::value::Value;

/// How a statement or a block ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    GoesOn,
    /// `break` or `continue`.
    Leaves,
    Returns,
    /// The migration fails, so that what follows needs no guard.
    Raises,
}

/// What a statement or a block does to what follows.
pub(super) struct Flow<'t> {
    pub(super) end: End,
    /// It may have left or returned: what follows is done only if it did not.
    pub(super) doubt: Option<(Doubt<'t>, End)>,
}

impl Flow<'_> {
    pub(super) const fn of(end: End) -> Self {
        Self { end, doubt: None }
    }

    pub(super) fn goes_on(&self) -> bool {
        self.end == End::GoesOn
    }

    /// The same behind a loop, which keeps to itself that it was left.
    pub(super) fn of_loop(self) -> Self {
        Self {
            end: if self.end == End::Leaves {
                End::GoesOn
            } else {
                self.end
            },
            doubt: self.doubt.filter(|(_, end)| *end == End::Returns),
        }
    }
}

impl<'t> Reader<'t> {
    pub(super) fn block(&mut self, body: &'t [Stmt]) -> Flow<'t> {
        let doubts = self.doubts.len();
        let mut flow = Flow::of(End::GoesOn);
        for stmt in body {
            let Some(next) = self.deeper(stmt.start, |reader| reader.stmt(stmt)) else {
                break;
            };
            if let Some(doubt) = next.doubt {
                self.doubts.push(doubt.0.clone());
                flow.doubt = Some(doubt);
            }
            if next.end != End::GoesOn {
                flow.end = next.end;
                break;
            }
        }
        self.doubts.truncate(doubts);
        flow
    }

    fn stmt(&mut self, stmt: &'t Stmt) -> Flow<'t> {
        match &stmt.kind {
            StmtKind::Import(bindings) => self.import(bindings),
            StmtKind::Assign(targets, value) => {
                let value = self.eval(value);
                for target in targets {
                    self.assign(target, value.clone());
                }
            }
            StmtKind::Augmented(target, value) => {
                let (before, added) = (self.eval(target), self.eval(value));
                let is_list = matches!(before, Value::List(_));
                let sum = super::format::sum(vec![before, added]);
                match &target.kind {
                    // It stays the same list under every name that it has.
                    Kind::Name(name) if is_list => self.change(name, sum),
                    _ => self.assign(target, sum),
                }
            }
            StmtKind::Function(function) => {
                let frame = self.frames.len().saturating_sub(1);
                self.bind(&function.name, Value::Function(function, frame));
            }
            StmtKind::Outer(names, scope) => self.declare(names, *scope),
            StmtKind::Class(name, body) => self.class(name, body),
            StmtKind::Return(value) => {
                let value = value.as_ref().map_or(Value::Nothing, |value| self.eval(value));
                if let Some(frame) = self.frames.last_mut() {
                    let before = frame.returned.take();
                    frame.returned = Some(match before {
                        Some(before) => before.or(&value),
                        None => value,
                    });
                }
                return Flow::of(End::Returns);
            }
            StmtKind::Raise(_) => return Flow::of(End::Raises),
            StmtKind::Leave => return Flow::of(End::Leaves),
            StmtKind::Expr(value) => drop(self.eval(value)),
            StmtKind::Other(values) => values.iter().for_each(|value| drop(self.eval(value))),
            StmtKind::Pass => {}
            StmtKind::If(branches) => return self.branches(branches),
            StmtKind::While(test, body, orelse) => return self.repeat(test, body, orelse),
            StmtKind::For(target, items, body, orelse) => {
                let items = self.items(items);
                let mut flow = self.rounds(items, target, body);
                if flow.end == End::GoesOn {
                    flow = self.then(flow, orelse);
                }
                return flow;
            }
            StmtKind::Try(parts) => return self.r#try(parts),
            StmtKind::With(items, body) => return self.with(items, body),
            StmtKind::Match(subject, cases) => return self.cases(subject, cases),
        }
        Flow::of(End::GoesOn)
    }

    fn branches(&mut self, branches: &'t [(Option<Expr>, Vec<Stmt>)]) -> Flow<'t> {
        let mut refused = Vec::new();
        let mut walked = Vec::new();
        let mut is_exhaustive = false;
        for (test, body) in branches {
            let truth = test
                .as_ref()
                .map(|test| self.doubting(unless(&refused), |reader| reader.truth(test)));
            if truth == Some(Some(false)) {
                continue;
            }
            let doubt = match (test, truth) {
                (Some(test), Some(None)) => Some(Doubt::If(vec![test])),
                _ => unless(&refused),
            };
            let (flow, changes) = self.branch(|reader| reader.doubting(doubt, |reader| reader.block(body)));
            walked.push((test.as_ref(), flow, changes));
            let (Some(test), Some(None)) = (test, truth) else {
                is_exhaustive = true;
                break;
            };
            refused.push(test);
        }
        self.after(walked, is_exhaustive)
    }

    /// What follows branches of which one was taken.
    fn after(
        &mut self,
        walked: Vec<(Option<&'t Expr>, Flow<'t>, super::reader::Changes<'t>)>,
        is_exhaustive: bool,
    ) -> Flow<'t> {
        let goes_on = |flow: &Flow<'_>| flow.end == End::GoesOn;
        let ended = |flow: &Flow<'_>| matches!(flow.end, End::Leaves | End::Returns);
        let mut after = Flow::of(End::GoesOn);
        let stopped: Vec<End> = walked
            .iter()
            .map(|(_, flow, _)| flow.end)
            .filter(|end| *end != End::GoesOn)
            .collect();
        if is_exhaustive && stopped.len() == walked.len() {
            // If one of them leaves the loop, what follows the loop is reached.
            after.end = stopped
                .iter()
                .copied()
                .find(|end| *end == End::Leaves)
                .or(stopped.first().copied())
                .unwrap_or(End::GoesOn);
        } else if let Some(end) = walked
            .iter()
            .find(|(_, flow, _)| ended(flow))
            .map(|(_, flow, _)| flow.end)
        {
            let tests = |which: &dyn Fn(&Flow<'_>) -> bool| -> Vec<&'t Expr> {
                walked
                    .iter()
                    .filter(|(_, flow, _)| which(flow))
                    .filter_map(|(test, ..)| *test)
                    .collect()
            };
            let refused = tests(&ended);
            let doubt = if refused.is_empty() {
                Doubt::If(tests(&goes_on))
            } else {
                Doubt::Unless(refused)
            };
            after.doubt = Some((doubt, end));
        }
        let mut changes = Vec::new();
        for (_, flow, bound) in walked {
            if flow.end == End::GoesOn {
                changes.push(bound);
                after.doubt = after.doubt.or(flow.doubt);
            }
        }
        self.join(changes, is_exhaustive);
        after
    }

    fn r#try(&mut self, parts: &'t Try) -> Flow<'t> {
        let raises_again =
            |body: &[Stmt]| matches!(body.last().map(|stmt| &stmt.kind), Some(StmtKind::Raise(_)));
        let is_caught = parts.handlers.iter().any(|(_, _, body)| !raises_again(body));
        let doubt = is_caught.then_some(Doubt::Caught);
        let (mut flow, changes) =
            self.branch(|reader| reader.doubting(doubt, |reader| reader.block(&parts.body)));
        let mut walked = vec![changes.clone()];
        let mut after: Option<(Doubt<'t>, End)> = None;
        for (what, name, body) in &parts.handlers {
            let doubt = Some(Doubt::Except(what));
            let so_far = changes.clone();
            let (handled, changes) = self.branch(|reader| {
                // Some of the body ran.
                reader.join(vec![so_far], false);
                if let Some(name) = name {
                    reader.bind(name, Value::Plain);
                }
                reader.doubting(doubt, |reader| reader.block(body))
            });
            match handled.end {
                End::GoesOn => {
                    walked.push(changes);
                    // The body is through, unless this exception came.
                    if flow.end != End::GoesOn {
                        after = Some((Doubt::Except(what), flow.end));
                    }
                }
                End::Raises => {}
                end => after = Some((Doubt::NoException(what), end)),
            }
        }
        if is_caught && after.is_some() && flow.end != End::GoesOn {
            flow.end = End::GoesOn;
        }
        flow.doubt = after.or(flow.doubt);
        self.join(walked, true);
        if flow.end == End::GoesOn {
            flow = self.then(flow, &parts.orelse);
        }
        let last = self.block(&parts.finally);
        if last.end != End::GoesOn {
            flow.end = last.end;
        }
        flow
    }

    fn with(&mut self, items: &'t [(Expr, Option<Expr>)], body: &'t [Stmt]) -> Flow<'t> {
        let mut doubt = None;
        for (item, name) in items {
            let value = self.eval(item);
            if self.is_suppression(item) {
                doubt = Some(Doubt::Caught);
            }
            if let Some(name) = name {
                self.assign(name, value);
            }
        }
        self.doubting(doubt, |reader| reader.block(body))
    }

    /// `contextlib.suppress(...)`.
    fn is_suppression(&mut self, item: &'t Expr) -> bool {
        let Kind::Call(call) = &item.kind else {
            return false;
        };
        matches!(self.eval(&call.function), Value::Imported(name) if &*name == "contextlib.suppress")
    }

    fn cases(&mut self, subject: &'t Expr, cases: &'t [(String, Vec<Stmt>)]) -> Flow<'t> {
        drop(self.eval(subject));
        let mut changes = Vec::new();
        let mut doubt = None;
        let mut ends = Vec::new();
        for (pattern, body) in cases {
            let case = Some(Doubt::Case(subject, pattern));
            let (flow, bound) = self.branch(|reader| reader.doubting(case, |reader| reader.block(body)));
            ends.push(flow.end);
            if flow.end == End::GoesOn {
                changes.push(bound);
            }
            doubt = doubt.or(flow.doubt);
        }
        let is_exhaustive = cases.last().is_some_and(|(pattern, _)| pattern == "_");
        self.join(changes, is_exhaustive);
        let all_end = is_exhaustive && ends.iter().all(|end| *end != End::GoesOn);
        Flow {
            end: ends.first().copied().filter(|_| all_end).unwrap_or(End::GoesOn),
            doubt,
        }
    }
}

fn unless<'t>(refused: &[&'t Expr]) -> Option<Doubt<'t>> {
    (!refused.is_empty()).then(|| Doubt::Unless(refused.to_vec()))
}
