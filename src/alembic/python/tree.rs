//! The tree: as much of Python's syntax as reading a migration needs.
//!
//! Promises that every call stands in it somewhere, however unusual the syntax around it. Refuses to keep types, numbers beyond whole
//! ones, and how things were laid out.

use std::rc::Rc;

/// A statement.
pub(in crate::alembic) struct Stmt {
    /// Where it starts in the text, in bytes.
    pub(in crate::alembic) start: usize,
    pub(in crate::alembic) kind: StmtKind,
}

/// What a statement is.
pub(in crate::alembic) enum StmtKind {
    /// Names, each with the dotted name that it stands for.
    Import(Vec<(Rc<str>, Rc<str>)>),
    /// Plain and annotated.
    Assign(Vec<Expr>, Expr),
    /// `target += value`; the value of another operator than `+` is not kept as a sum.
    Augmented(Expr, Expr),
    Function(Rc<Function>),
    /// `global` and `nonlocal`: names that belong to the module, or to a function around.
    Outer(Vec<Rc<str>>, Scope),
    Class(Rc<str>, Vec<Stmt>),
    Return(Option<Expr>),
    Raise(Vec<Expr>),
    Expr(Expr),
    Pass,
    /// `break` and `continue`.
    Leave,
    /// Each branch with its condition; `else` has none.
    If(Vec<(Option<Expr>, Vec<Stmt>)>),
    While(Expr, Vec<Stmt>, Vec<Stmt>),
    For(Expr, Expr, Vec<Stmt>, Vec<Stmt>),
    Try(Box<Try>),
    /// Each context with the name that it is bound to.
    With(Vec<(Expr, Option<Expr>)>, Vec<Stmt>),
    /// The subject, and each case with its pattern as written.
    Match(Expr, Vec<(String, Vec<Stmt>)>),
    /// Anything else, with the expressions in it.
    Other(Vec<Expr>),
}

/// Whose names a function declares to be no names of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::alembic) enum Scope {
    /// `global`.
    Module,
    /// `nonlocal`.
    Around,
}

/// `try`.
pub(in crate::alembic) struct Try {
    pub(in crate::alembic) body: Vec<Stmt>,
    /// Each with what it catches, as written, and the name that the exception gets.
    pub(in crate::alembic) handlers: Vec<(String, Option<Rc<str>>, Vec<Stmt>)>,
    pub(in crate::alembic) orelse: Vec<Stmt>,
    pub(in crate::alembic) finally: Vec<Stmt>,
}

/// A function.
pub(in crate::alembic) struct Function {
    pub(in crate::alembic) name: Rc<str>,
    pub(in crate::alembic) is_async: bool,
    /// Those that may be given by position come first.
    pub(in crate::alembic) parameters: Vec<Parameter>,
    pub(in crate::alembic) body: Vec<Stmt>,
}

/// A parameter of a function.
pub(in crate::alembic) struct Parameter {
    pub(in crate::alembic) name: Rc<str>,
    pub(in crate::alembic) default: Option<Expr>,
    /// `*args` or `**kwargs`, which take what is left.
    pub(in crate::alembic) takes_rest: bool,
}

/// An expression.
pub(in crate::alembic) struct Expr {
    /// Where it starts and ends in the text, in bytes.
    pub(in crate::alembic) start: usize,
    pub(in crate::alembic) end: usize,
    pub(in crate::alembic) kind: Kind,
}

/// What an expression is.
pub(in crate::alembic) enum Kind {
    Str(Rc<str>),
    Int(i64),
    Bool(bool),
    None,
    /// `...`.
    Ellipsis,
    FString(Vec<Part>),
    Name(Rc<str>),
    Attribute(Box<Expr>, Rc<str>),
    Call(Box<Call>),
    /// A tuple, a list or a set.
    List(Vec<Expr>),
    /// No key: `**value`.
    Dict(Vec<(Option<Expr>, Expr)>),
    /// `a + b + c`.
    Sum(Vec<Expr>),
    /// `text % values`.
    Percent(Box<Expr>, Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    /// Condition, value, value otherwise.
    Ternary(Box<[Expr; 3]>),
    Subscript(Box<Expr>, Box<Expr>),
    Starred(Box<Expr>),
    /// `name := value`.
    Named(Box<Expr>, Box<Expr>),
    Comprehension(Box<Comprehension>),
    /// A function without a name.
    Lambda(Box<Expr>),
    /// Anything else, with the expressions in it.
    Other(Vec<Expr>),
}

/// A piece of an f-string.
pub(in crate::alembic) enum Part {
    Literal(String),
    /// A value as `str()` shows it.
    Plain(Expr),
    /// A value that is shown in another way.
    Formatted(Expr),
}

/// A call.
pub(in crate::alembic) struct Call {
    pub(in crate::alembic) function: Expr,
    /// By position.
    pub(in crate::alembic) arguments: Vec<Expr>,
    /// By name; no name: `**value`.
    pub(in crate::alembic) keywords: Vec<(Option<Rc<str>>, Expr)>,
}

/// `[element for target in items if condition]`; the element of a dictionary's is its key and value.
pub(in crate::alembic) struct Comprehension {
    pub(in crate::alembic) elements: Vec<Expr>,
    /// The last one is the innermost loop.
    pub(in crate::alembic) loops: Vec<Loop>,
}

/// One `for` of a comprehension.
pub(in crate::alembic) struct Loop {
    pub(in crate::alembic) target: Expr,
    pub(in crate::alembic) items: Expr,
    pub(in crate::alembic) conditions: Vec<Expr>,
}

/// Every expression in these statements, those inside others too, in the order of their text.
pub(in crate::alembic) fn exprs<'t>(body: &'t [Stmt], see: &mut impl FnMut(&'t Expr)) {
    for stmt in body {
        for expr in stmt.own() {
            expr.each(see);
        }
        for block in stmt.blocks() {
            exprs(block, see);
        }
    }
}

impl Stmt {
    /// The expressions that stand in it directly.
    fn own(&self) -> Vec<&Expr> {
        match &self.kind {
            StmtKind::Assign(targets, value) => targets.iter().chain([value]).collect(),
            StmtKind::Augmented(target, value) => vec![target, value],
            StmtKind::Return(value) => value.iter().collect(),
            StmtKind::Expr(value) | StmtKind::While(value, ..) | StmtKind::Match(value, _) => vec![value],
            StmtKind::For(target, items, ..) => vec![target, items],
            StmtKind::If(branches) => branches.iter().filter_map(|(test, _)| test.as_ref()).collect(),
            StmtKind::With(items, _) => items
                .iter()
                .flat_map(|(what, name)| [what].into_iter().chain(name))
                .collect(),
            StmtKind::Raise(values) | StmtKind::Other(values) => values.iter().collect(),
            StmtKind::Function(function) => {
                let parameters = function.parameters.iter();
                parameters
                    .filter_map(|parameter| parameter.default.as_ref())
                    .collect()
            }
            StmtKind::Import(_)
            | StmtKind::Outer(..)
            | StmtKind::Class(..)
            | StmtKind::Pass
            | StmtKind::Leave
            | StmtKind::Try(_) => Vec::new(),
        }
    }

    /// The blocks of statements in it.
    pub(in crate::alembic) fn blocks(&self) -> Vec<&[Stmt]> {
        match &self.kind {
            StmtKind::Function(function) => vec![&function.body],
            StmtKind::Class(_, body) | StmtKind::With(_, body) => vec![body],
            StmtKind::If(branches) => branches.iter().map(|(_, body)| body.as_slice()).collect(),
            StmtKind::While(_, body, orelse) | StmtKind::For(_, _, body, orelse) => vec![body, orelse],
            StmtKind::Match(_, cases) => cases.iter().map(|(_, body)| body.as_slice()).collect(),
            StmtKind::Try(parts) => {
                let handlers = parts.handlers.iter().map(|(_, _, body)| body.as_slice());
                let last: [&[Stmt]; 2] = [&parts.orelse, &parts.finally];
                [parts.body.as_slice()]
                    .into_iter()
                    .chain(handlers)
                    .chain(last)
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Expr {
    /// It and every expression in it.
    fn each<'t>(&'t self, see: &mut impl FnMut(&'t Expr)) {
        see(self);
        for inner in self.inner() {
            inner.each(see);
        }
    }

    /// The expressions that stand in it directly.
    pub(in crate::alembic) fn inner(&self) -> Vec<&Expr> {
        match &self.kind {
            Kind::Str(_) | Kind::Int(_) | Kind::Bool(_) | Kind::None | Kind::Ellipsis | Kind::Name(_) => {
                Vec::new()
            }
            Kind::Attribute(inner, _) | Kind::Starred(inner) | Kind::Lambda(inner) | Kind::Not(inner) => {
                vec![inner]
            }
            Kind::Subscript(one, other) | Kind::Percent(one, other) | Kind::Named(one, other) => {
                vec![one, other]
            }
            Kind::Ternary(three) => three.iter().collect(),
            Kind::List(all) | Kind::Sum(all) | Kind::And(all) | Kind::Or(all) | Kind::Other(all) => {
                all.iter().collect()
            }
            Kind::Dict(items) => items
                .iter()
                .flat_map(|(key, value)| key.iter().chain([value]))
                .collect(),
            Kind::FString(parts) => parts.iter().filter_map(Part::expr).collect(),
            Kind::Call(call) => {
                let keywords = call.keywords.iter().map(|(_, value)| value);
                [&call.function]
                    .into_iter()
                    .chain(&call.arguments)
                    .chain(keywords)
                    .collect()
            }
            Kind::Comprehension(it) => {
                let loops = it
                    .loops
                    .iter()
                    .flat_map(|it| [&it.target, &it.items].into_iter().chain(&it.conditions));
                loops.chain(&it.elements).collect()
            }
        }
    }
}

impl Part {
    fn expr(&self) -> Option<&Expr> {
        match self {
            Self::Literal(_) => None,
            Self::Plain(expr) | Self::Formatted(expr) => Some(expr),
        }
    }
}

impl Expr {
    /// The name that it is, if it is one.
    pub(in crate::alembic) fn as_name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Name(name) => Some(name),
            _ => None,
        }
    }
}
