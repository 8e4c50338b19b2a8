//! Loops: each round over values that are known, one round over those that are not.
//!
//! Promises that a name which a round binds is not taken for known in a later one. Refuses to count the rounds of others.

use crate::alembic::python::{Expr, Kind, Stmt, StmtKind, exprs};

use super::containers::{changed, root};
use super::flow::{End, Flow};
use super::reader::{Doubt, Reader};
use super::value::Value;

/// Loops over more known values are walked through once, with an unknown one.
pub(super) const ROUNDS: usize = 64;

/// What a loop goes over.
pub(super) enum Items<'t> {
    Known(Vec<Value<'t>>),
    /// An unknown number of unknown ones, each of this kind.
    Each(Value<'t>),
}

impl<'t> Reader<'t> {
    pub(super) fn repeat(&mut self, test: &'t Expr, body: &'t [Stmt], orelse: &'t [Stmt]) -> Flow<'t> {
        self.forget(body);
        let truth = self.truth(test);
        if truth == Some(false) {
            return self.block(orelse);
        }
        let doubt = truth.is_none().then(|| Doubt::If(vec![test]));
        let (flow, changes) = self.branch(|reader| reader.doubting(doubt, |reader| reader.block(body)));
        self.join(vec![changes], false);
        let mut flow = flow.of_loop();
        flow.end = End::GoesOn;
        self.then(flow, orelse)
    }

    /// `else` behind a loop.
    pub(super) fn then(&mut self, flow: Flow<'t>, orelse: &'t [Stmt]) -> Flow<'t> {
        let doubt = flow.doubt.as_ref().map(|(doubt, _)| doubt.clone());
        let last = self.doubting(doubt, |reader| reader.block(orelse));
        Flow {
            end: last.end,
            doubt: last.doubt.or(flow.doubt),
        }
    }

    /// A loop's body for each of the items; once if they are not known.
    pub(super) fn rounds(&mut self, items: Items<'t>, target: &'t Expr, body: &'t [Stmt]) -> Flow<'t> {
        let items = match items {
            Items::Known(items) => items,
            Items::Each(item) => {
                self.forget(body);
                let (flow, changes) = self.branch(|reader| {
                    reader.assign(target, item);
                    reader.block(body)
                });
                self.join(vec![changes], false);
                let mut flow = flow.of_loop();
                flow.end = End::GoesOn;
                return flow;
            }
        };
        let mut last = Flow::of(End::GoesOn);
        for item in items {
            self.assign(target, item);
            let flow = self.block(body).of_loop();
            last.doubt = flow.doubt.or(last.doubt);
            if flow.end != End::GoesOn {
                last.end = flow.end;
                break;
            }
        }
        last
    }

    /// What a loop's body binds or changes is unknown from its second round on.
    fn forget(&mut self, body: &'t [Stmt]) {
        let mut seen = self.forget_bound(body);
        exprs(body, &mut |expr| {
            seen += 1;
            match &expr.kind {
                Kind::Call(call) => {
                    if let Some(name) = changed(call) {
                        self.fill(name, &[]);
                    }
                }
                Kind::Named(target, _) => self.assign_unknown(target),
                _ => {}
            }
        });
        // What is skipped in every round is looked through in every round all the same.
        self.pay(body.first().map_or(0, |stmt| stmt.start), seen / 16);
    }

    /// How many statements there are.
    fn forget_bound(&mut self, body: &'t [Stmt]) -> usize {
        let mut seen = body.len();
        for stmt in body {
            match &stmt.kind {
                StmtKind::Assign(targets, _) => targets.iter().for_each(|target| self.assign_unknown(target)),
                StmtKind::Augmented(target, _) | StmtKind::For(target, ..) => self.assign_unknown(target),
                _ => {}
            }
            if !matches!(stmt.kind, StmtKind::Function(_) | StmtKind::Class(..)) {
                for block in stmt.blocks() {
                    seen += self.forget_bound(block);
                }
            }
        }
        seen
    }

    fn assign_unknown(&mut self, target: &'t Expr) {
        match &target.kind {
            Kind::Name(name) => {
                let before = self.bound(name).cloned().unwrap_or(Value::Plain);
                self.bind(name, Value::Plain.or(&before));
            }
            Kind::List(targets) => targets.iter().for_each(|target| self.assign_unknown(target)),
            Kind::Subscript(owner, _) => {
                if let Some(name) = root(owner) {
                    self.fill(name, &[]);
                }
            }
            _ => {}
        }
    }
}
