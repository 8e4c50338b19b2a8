//! Reads a column's definition: its type, and whether rows that are there already take it.
//!
//! Promises to find what stands outside of parentheses and expressions. Refuses to know which types there are.

use super::cursor::Cursor;
use super::lexer::Kind;
use crate::model::script::Name;

/// What ends a type. `CHARACTER` is told apart below: it begins types, too.
const BEHIND_TYPE: [&str; 27] = [
    "NOT",
    "NULL",
    "DEFAULT",
    "PRIMARY",
    "UNIQUE",
    "KEY",
    "CHECK",
    "REFERENCES",
    "CONSTRAINT",
    "COLLATE",
    "CHARSET",
    "COMMENT",
    "AUTO_INCREMENT",
    "AUTOINCREMENT",
    "GENERATED",
    "AS",
    "ON",
    "FIRST",
    "AFTER",
    "USING",
    "INVISIBLE",
    "VISIBLE",
    "STORED",
    "VIRTUAL",
    "PERSISTENT",
    "STORAGE",
    "COMPRESSION",
];
/// PostgreSQL's and MySQL's types that are numbered by the database and take no NULL.
const SERIAL: [&str; 6] = [
    "SERIAL",
    "BIGSERIAL",
    "SMALLSERIAL",
    "SERIAL4",
    "SERIAL8",
    "SERIAL2",
];
const NUMBERED: [&str; 5] = ["GENERATED", "AS", "IDENTITY", "AUTO_INCREMENT", "AUTOINCREMENT"];

/// What stands behind a column's name.
#[derive(Debug, Default)]
pub(super) struct Definition {
    /// Its type, as written.
    pub(super) of_type: Option<String>,
    /// It takes NULL; `None` if a part of the definition is computed and nothing else says so.
    pub(super) nullable: Option<bool>,
    /// The database fills it in.
    pub(super) has_default: bool,
    /// `DEFAULT` is written.
    pub(super) names_default: bool,
    /// The constraint and the table of `REFERENCES`.
    pub(super) refers_to: Option<(Name, Name)>,
}

impl Definition {
    pub(super) fn read(mut cursor: Cursor<'_, '_>) -> Self {
        let written = of_type(cursor);
        let is_serial = cursor.is_any(&SERIAL);
        let has_hole = cursor.has_hole();
        (0..written.tokens().len()).for_each(|_| cursor.bump());
        let mut definition = Self {
            of_type: written.written(),
            nullable: is_serial.then_some(false),
            has_default: is_serial,
            ..Self::default()
        };
        definition.attributes(cursor);
        if definition.nullable.is_none() && !has_hole {
            definition.nullable = Some(true);
        }
        definition
    }

    fn attributes(&mut self, mut cursor: Cursor<'_, '_>) {
        let mut constraint = None;
        while !cursor.is_empty() {
            if cursor.eat_all(&["NOT", "NULL"]) || cursor.eat_all(&["PRIMARY", "KEY"]) {
                self.nullable = Some(false);
            } else if cursor.eat("NULL") {
                self.nullable = self.nullable.or(Some(true));
            } else if cursor.eat("SET") {
                // ON DELETE SET NULL
                cursor.bump();
            } else if cursor.eat("DEFAULT") {
                self.names_default = true;
                self.has_default |= !cursor.is("NULL");
                cursor.bump();
            } else if cursor.eat("CONSTRAINT") {
                constraint = cursor.any_name();
            } else if cursor.eat("REFERENCES") {
                self.refers_to = Some((constraint.take(), cursor.any_name()));
            } else if cursor.eat_any(&NUMBERED) {
                self.has_default = true;
            } else if cursor.parens().is_none() {
                cursor.bump();
            }
        }
    }
}

/// The tokens of the type that stands here.
pub(super) fn of_type<'t, 'a>(cursor: Cursor<'t, 'a>) -> Cursor<'t, 'a> {
    let mut rest = cursor;
    let mut length = 0;
    while !rest.is_empty() {
        let is_set = rest.is_any(&["CHARACTER", "CHAR"]) && {
            let mut behind = rest;
            behind.bump();
            behind.is("SET")
        };
        if is_set || rest.is_any(&BEHIND_TYPE) || rest.peek() == Some(Kind::Symbol('=')) {
            break;
        }
        if rest.parens().is_none() {
            rest.bump();
        }
        length = cursor.tokens().len() - rest.tokens().len();
    }
    cursor.over(cursor.tokens().get(..length).unwrap_or_default())
}
