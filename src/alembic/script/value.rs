//! What an expression of a script is worth, as far as it can be told without running it.
//!
//! Promises to tell apart what is merely unknown ([`Value::Plain`]: a row, a number, an answer) and what may reach the schema and is
//! unknown too ([`Value::Unknown`]). Refuses to know where values come from.

use std::rc::Rc;

use crate::alembic::python::Function;
use crate::alembic::sql::HOLE;
use crate::model::script::{Action, Name};

/// How many values are looked at to tell whether a list holds a connection.
const LOOKED_INTO: usize = 1_000;

/// A value.
#[derive(Clone)]
pub(super) enum Value<'t> {
    /// Unknown, but it cannot reach the schema, nor can its parts and methods.
    Plain,
    /// Unknown, and calling it or its methods may do anything.
    Unknown,
    Nothing,
    Bool(bool),
    Int(i64),
    /// Text, with [`HOLE`] for every part that is not known.
    Str(Rc<str>),
    List(Rc<Vec<Value<'t>>>),
    Dict(Rc<Vec<(Value<'t>, Value<'t>)>>),
    /// What was imported or is built in, by its dotted name: `alembic.op`, `builtins.print`.
    Imported(Rc<str>),
    /// A function of this script, and the frame in which it was defined.
    Function(&'t Rc<Function>, usize),
    /// A connection, an engine, a session or a cursor: what is executed here reaches the database.
    Bind,
    /// `batch_op` of this table.
    Batch(Name),
    Metadata,
    /// A table, or a class that is mapped to one.
    Table(Name),
    /// A row as an object of a mapped class: what is set on it is written by its session.
    Instance(Name),
    /// Many of those.
    Instances(Name),
    /// `session.query(...)`.
    Query {
        table: Name,
        has_where: bool,
    },
    /// A statement that SQLAlchemy builds, not yet executed.
    Statement(Rc<Action>),
    Column(Rc<Column>),
    /// A column's value that the database makes: `sa.Identity()`.
    Generated,
    /// A type, a sequence or the like, which has `create` and `drop`: what it is, and its name.
    Object(&'static str, Name),
    Index {
        index: Name,
        table: Name,
    },
}

/// What matters of `sa.Column(...)`.
pub(super) struct Column {
    pub(super) name: Name,
    pub(super) nullable: Option<bool>,
    pub(super) has_default: bool,
}

impl Value<'_> {
    pub(super) fn text(text: impl Into<Rc<str>>) -> Self {
        Self::Str(text.into())
    }

    pub(super) fn list(values: Vec<Self>) -> Self {
        Self::List(Rc::new(values))
    }

    pub(super) fn imported(name: impl Into<Rc<str>>) -> Self {
        Self::Imported(name.into())
    }

    pub(super) fn statement(action: Action) -> Self {
        Self::Statement(Rc::new(action))
    }

    /// A name, if all of it is known.
    pub(super) fn name(&self) -> Name {
        match self {
            Self::Str(text) if !text.is_empty() && !text.contains(HOLE) => Some(text.to_string()),
            _ => None,
        }
    }

    /// How it stands in a text; nothing if all of it is unknown.
    pub(super) fn shown(&self) -> Option<String> {
        match self {
            Self::Str(text) => Some(text.to_string()),
            Self::Int(value) => Some(value.to_string()),
            _ => None,
        }
    }

    /// Whoever gets it can reach the schema.
    pub(super) fn reaches_schema(&self) -> bool {
        match self {
            Self::Imported(name) => name.starts_with("alembic"),
            Self::Bind | Self::Batch(_) | Self::Metadata => true,
            Self::List(_) => self.reaches_within(&mut { LOOKED_INTO }),
            _ => false,
        }
    }

    /// A list that holds another twice, which holds another twice, is too long to be looked through.
    fn reaches_within(&self, left: &mut usize) -> bool {
        let Self::List(values) = self else {
            return self.reaches_schema();
        };
        values.iter().any(|value| {
            *left = left.saturating_sub(1);
            *left == 0 || value.reaches_within(left)
        })
    }

    /// To call it or what it has is to do something, so that it must not get lost unseen.
    pub(super) fn acts(&self) -> bool {
        matches!(
            self,
            Self::Unknown
                | Self::Imported(_)
                | Self::Function(..)
                | Self::Bind
                | Self::Batch(_)
                | Self::Metadata
                | Self::Query { .. }
        )
    }

    /// Something like that is in this list or dictionary.
    pub(super) fn holds_what_acts(&self) -> bool {
        match self {
            Self::List(values) => values.iter().any(Self::acts),
            Self::Dict(items) => items.iter().any(|(_, value)| value.acts()),
            _ => false,
        }
    }

    /// As much of it as is sure where others may set it too.
    pub(super) fn unsure(self) -> Self {
        if self.may_do_anything() {
            self
        } else if self.holds_what_acts() {
            Self::Unknown
        } else {
            Self::Plain
        }
    }

    /// The table that is meant where SQLAlchemy takes a table or a class.
    pub(super) fn table(&self) -> Name {
        match self {
            Self::Table(name) | Self::Instance(name) | Self::Instances(name) => name.clone(),
            _ => None,
        }
    }

    /// What it is after branches of which one ran: nobody knows which.
    pub(super) fn or(self, other: &Self) -> Self {
        if self.is(other) {
            return self;
        }
        match (&self, other) {
            // What is called of it, is called of the one that is not None.
            (Self::Nothing, other) if other.may_do_anything() => return other.clone(),
            (_, Self::Nothing) if self.may_do_anything() => return self,
            (
                Self::Query { table, has_where },
                Self::Query {
                    table: same,
                    has_where: narrowed,
                },
            ) if table == same => {
                return Self::Query {
                    table: table.clone(),
                    has_where: *has_where && *narrowed,
                };
            }
            _ => {}
        }
        if self.may_do_anything() || other.may_do_anything() {
            return Self::Unknown;
        }
        Self::Plain
    }

    /// Nothing is known of a value that was one of those, whose calls were not harmless.
    fn may_do_anything(&self) -> bool {
        !matches!(
            self,
            Self::Plain
                | Self::Nothing
                | Self::Bool(_)
                | Self::Int(_)
                | Self::Str(_)
                | Self::List(_)
                | Self::Dict(_)
                | Self::Column(_)
                | Self::Generated
        )
    }

    /// Which list or dictionary it is, among those that there are now.
    pub(super) fn identity(&self) -> Option<usize> {
        match self {
            Self::List(values) => Some(Rc::as_ptr(values).addr()),
            Self::Dict(items) => Some(Rc::as_ptr(items).addr()),
            _ => None,
        }
    }

    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Plain, Self::Plain)
            | (Self::Nothing, Self::Nothing)
            | (Self::Bind, Self::Bind)
            | (Self::Metadata, Self::Metadata) => true,
            (Self::Bool(one), Self::Bool(two)) => one == two,
            (Self::Int(one), Self::Int(two)) => one == two,
            (Self::Str(one), Self::Str(two)) | (Self::Imported(one), Self::Imported(two)) => one == two,
            (Self::Function(one, _), Self::Function(two, _)) => Rc::ptr_eq(one, two),
            (Self::List(one), Self::List(two)) => Rc::ptr_eq(one, two),
            (Self::Dict(one), Self::Dict(two)) => Rc::ptr_eq(one, two),
            (Self::Statement(one), Self::Statement(two)) => one == two,
            (Self::Table(one), Self::Table(two)) | (Self::Batch(one), Self::Batch(two)) => one == two,
            _ => false,
        }
    }
}

/// The arguments of a call, as far as they are known.
pub(super) struct Arguments<'t> {
    /// Those by position; after an unknown `*values` none is known.
    pub(super) positional: Vec<Value<'t>>,
    pub(super) keywords: Vec<(Rc<str>, Value<'t>)>,
}

impl<'t> Arguments<'t> {
    /// The argument at this position, or of one of these names.
    pub(super) fn get(&self, position: usize, names: &[&str]) -> Option<&Value<'t>> {
        self.positional.get(position).or_else(|| self.named(names))
    }

    /// The argument of one of these names.
    pub(super) fn named(&self, names: &[&str]) -> Option<&Value<'t>> {
        let mut keywords = self.keywords.iter();
        keywords
            .find(|(name, _)| names.contains(&&**name))
            .map(|(_, value)| value)
    }

    /// The name that is given here.
    pub(super) fn name(&self, position: usize, names: &[&str]) -> Name {
        self.get(position, names)?.name()
    }

    /// The argument is given as `True`.
    pub(super) fn is_true(&self, name: &str) -> bool {
        matches!(self.named(&[name]), Some(Value::Bool(true)))
    }

    /// A table's name with the schema that stands beside it in an argument of this name.
    pub(super) fn table(&self, position: usize, names: &[&str], schema: &str) -> Name {
        in_schema(self.name(position, names), self.named(&[schema]))
    }

    /// Somebody who can reach the schema is among them.
    pub(super) fn reach_schema(&self) -> bool {
        let keywords = self.keywords.iter().map(|(_, value)| value);
        self.positional.iter().chain(keywords).any(Value::reaches_schema)
    }
}

/// A table's name with its schema; unknown if the schema is.
pub(super) fn in_schema(table: Name, schema: Option<&Value<'_>>) -> Name {
    match schema {
        None | Some(Value::Nothing) => table,
        Some(schema) => Some(format!("{}.{}", schema.name()?, table?)),
    }
}
