//! The parser's tree to ours.
//!
//! Promises to go down [`super::DEEPEST`] levels and no further, and to lose no expression that may hold a call. Refuses to judge what
//! anything means.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use ruff_python_ast as ast;
use ruff_source_file::LineIndex;
use ruff_text_size::{Ranged, TextRange};

use super::nesting::TOO_DEEP;
use super::tree::{
    Call, Comprehension, Expr, Function, Kind, Loop, Parameter, Part, Scope, Stmt, StmtKind, Try,
};

mod expressions;

type Converted<T> = Result<T, String>;

pub(super) struct Converter<'s> {
    text: &'s str,
    lines: &'s LineIndex,
    /// Names stand again and again in a script: each is kept once.
    names: RefCell<HashSet<Rc<str>>>,
}

impl<'s> Converter<'s> {
    pub(super) fn new(text: &'s str, lines: &'s LineIndex) -> Self {
        Self {
            text,
            lines,
            // Some hundred different ones are usual.
            names: RefCell::new(HashSet::with_capacity(128)),
        }
    }

    fn name(&self, name: &str) -> Rc<str> {
        let mut names = self.names.borrow_mut();
        if let Some(known) = names.get(name) {
            return Rc::clone(known);
        }
        let new: Rc<str> = name.into();
        names.insert(Rc::clone(&new));
        new
    }

    /// One level further down.
    fn deeper(&self, level: usize, range: TextRange) -> Converted<usize> {
        if level < super::DEEPEST {
            return Ok(level + 1);
        }
        let line = super::line(self.lines, range.start());
        Err(format!("line {line}: {TOO_DEEP}"))
    }

    pub(super) fn block(&self, body: &[ast::Stmt], level: usize) -> Converted<Vec<Stmt>> {
        all(body, |stmt| self.stmt(stmt, level))
    }

    fn stmt(&self, stmt: &ast::Stmt, level: usize) -> Converted<Stmt> {
        let level = self.deeper(level, stmt.range())?;
        Ok(Stmt {
            start: stmt.range().start().into(),
            kind: match stmt {
                ast::Stmt::FunctionDef(it) => StmtKind::Function(Rc::new(self.function(it, level)?)),
                ast::Stmt::ClassDef(it) => StmtKind::Class(self.name(&it.name), self.block(&it.body, level)?),
                ast::Stmt::If(it) => self.branches(it, level)?,
                ast::Stmt::Try(it) => StmtKind::Try(Box::new(self.r#try(it, level)?)),
                ast::Stmt::Match(it) => self.cases(it, level)?,
                ast::Stmt::For(it) => StmtKind::For(
                    self.expr(&it.target, level)?,
                    self.expr(&it.iter, level)?,
                    self.block(&it.body, level)?,
                    self.block(&it.orelse, level)?,
                ),
                ast::Stmt::While(it) => StmtKind::While(
                    self.expr(&it.test, level)?,
                    self.block(&it.body, level)?,
                    self.block(&it.orelse, level)?,
                ),
                ast::Stmt::With(it) => {
                    let item = |item: &ast::WithItem| {
                        let name = item.optional_vars.as_deref();
                        Ok((self.expr(&item.context_expr, level)?, self.option(name, level)?))
                    };
                    let items: Converted<_> = all(&it.items, item);
                    StmtKind::With(items?, self.block(&it.body, level)?)
                }
                _ => self.simple(stmt, level)?,
            },
        })
    }

    /// A statement that has no block.
    fn simple(&self, stmt: &ast::Stmt, level: usize) -> Converted<StmtKind> {
        Ok(match stmt {
            ast::Stmt::Import(it) => StmtKind::Import(it.names.iter().map(imported).collect()),
            ast::Stmt::ImportFrom(it) => StmtKind::Import(imported_from(it)),
            ast::Stmt::Assign(it) => {
                StmtKind::Assign(self.exprs(&it.targets, level)?, self.expr(&it.value, level)?)
            }
            ast::Stmt::AnnAssign(it) => match &it.value {
                Some(value) => {
                    StmtKind::Assign(vec![self.expr(&it.target, level)?], self.expr(value, level)?)
                }
                None => StmtKind::Pass,
            },
            ast::Stmt::AugAssign(it) => {
                let value = self.expr(&it.value, level)?;
                let value = match it.op {
                    ast::Operator::Add => value,
                    _ => Expr {
                        start: value.start,
                        end: value.end,
                        kind: Kind::Other(vec![value]),
                    },
                };
                StmtKind::Augmented(self.expr(&it.target, level)?, value)
            }
            ast::Stmt::Return(it) => StmtKind::Return(self.option(it.value.as_deref(), level)?),
            ast::Stmt::Raise(it) => {
                let values = it.exc.iter().chain(&it.cause);
                StmtKind::Raise(
                    values
                        .map(|value| self.expr(value, level))
                        .collect::<Converted<_>>()?,
                )
            }
            ast::Stmt::Expr(it) => StmtKind::Expr(self.expr(&it.value, level)?),
            ast::Stmt::Break(_) | ast::Stmt::Continue(_) => StmtKind::Leave,
            ast::Stmt::Assert(it) => {
                let values = [&it.test].into_iter().chain(&it.msg);
                StmtKind::Other(
                    values
                        .map(|value| self.expr(value, level))
                        .collect::<Converted<_>>()?,
                )
            }
            ast::Stmt::Global(it) => self.outer(&it.names, Scope::Module),
            ast::Stmt::Nonlocal(it) => self.outer(&it.names, Scope::Around),
            ast::Stmt::Delete(it) => StmtKind::Other(self.exprs(&it.targets, level)?),
            _ => StmtKind::Pass,
        })
    }

    fn outer(&self, names: &[ast::Identifier], scope: Scope) -> StmtKind {
        StmtKind::Outer(names.iter().map(|name| self.name(name)).collect(), scope)
    }

    fn function(&self, it: &ast::StmtFunctionDef, level: usize) -> Converted<Function> {
        Ok(Function {
            name: self.name(&it.name),
            is_async: it.is_async,
            parameters: self.parameters(&it.parameters, level)?,
            body: self.block(&it.body, level)?,
        })
    }

    fn parameters(&self, it: &ast::Parameters, level: usize) -> Converted<Vec<Parameter>> {
        let named = |it: &ast::ParameterWithDefault| {
            Ok(Parameter {
                name: self.name(&it.parameter.name),
                default: self.option(it.default.as_deref(), level)?,
                takes_rest: false,
            })
        };
        let rest = |it: &ast::Parameter| {
            Ok(Parameter {
                name: self.name(&it.name),
                default: None,
                takes_rest: true,
            })
        };
        let positional = it.posonlyargs.iter().chain(&it.args).map(named);
        positional
            .chain(it.vararg.as_deref().map(rest))
            .chain(it.kwonlyargs.iter().map(named))
            .chain(it.kwarg.as_deref().map(rest))
            .collect()
    }

    fn branches(&self, it: &ast::StmtIf, level: usize) -> Converted<StmtKind> {
        let mut branches = vec![(Some(self.expr(&it.test, level)?), self.block(&it.body, level)?)];
        for clause in &it.elif_else_clauses {
            branches.push((
                self.option(clause.test.as_ref(), level)?,
                self.block(&clause.body, level)?,
            ));
        }
        Ok(StmtKind::If(branches))
    }

    fn r#try(&self, it: &ast::StmtTry, level: usize) -> Converted<Try> {
        let handler = |ast::ExceptHandler::ExceptHandler(it): &ast::ExceptHandler| {
            let what = it.type_.as_ref().map(|what| self.written(what.range()));
            let name = it.name.as_ref().map(|name| self.name(name));
            Ok((what.unwrap_or_default(), name, self.block(&it.body, level)?))
        };
        Ok(Try {
            body: self.block(&it.body, level)?,
            handlers: it.handlers.iter().map(handler).collect::<Converted<_>>()?,
            orelse: self.block(&it.orelse, level)?,
            finally: self.block(&it.finalbody, level)?,
        })
    }

    fn cases(&self, it: &ast::StmtMatch, level: usize) -> Converted<StmtKind> {
        let case = |case: &ast::MatchCase| {
            let guard = case
                .guard
                .as_ref()
                .map(|guard| format!(" if {}", self.written(guard.range())));
            let pattern = self.written(case.pattern.range()) + &guard.unwrap_or_default();
            Ok((pattern, self.block(&case.body, level)?))
        };
        let cases: Converted<_> = all(&it.cases, case);
        Ok(StmtKind::Match(self.expr(&it.subject, level)?, cases?))
    }

    fn written(&self, range: TextRange) -> String {
        let text = self.text.get(range.start().into()..range.end().into());
        text.unwrap_or_default()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// `import a.b` binds `a`; `import a.b as c` binds `c` to `a.b`.
fn imported(alias: &ast::Alias) -> (Rc<str>, Rc<str>) {
    if let Some(name) = &alias.asname {
        return (name.as_str().into(), alias.name.as_str().into());
    }
    let first = alias.name.split('.').next().unwrap_or_default();
    (first.into(), first.into())
}

/// A relative import's dotted name starts with dots, and is nobody's that we know.
fn imported_from(it: &ast::StmtImportFrom) -> Vec<(Rc<str>, Rc<str>)> {
    let dots = ".".repeat(usize::try_from(it.level.min(9)).unwrap_or_default());
    let module = it.module.as_deref().unwrap_or_default();
    let bind = |alias: &ast::Alias| {
        let name = alias.asname.as_ref().unwrap_or(&alias.name);
        (
            name.as_str().into(),
            format!("{dots}{module}.{}", alias.name).into(),
        )
    };
    it.names.iter().map(bind).collect()
}

/// Converts each; unlike `collect` it knows how many there are.
fn all<'a, T, U>(from: &'a [T], convert: impl Fn(&'a T) -> Converted<U>) -> Converted<Vec<U>> {
    let mut converted = Vec::with_capacity(from.len());
    for one in from {
        converted.push(convert(one)?);
    }
    Ok(converted)
}
