//! Reads one clause of `ALTER TABLE`.
//!
//! Promises an entry for every clause but for those that only say how the work is done. Refuses to look into a definition further than
//! its column needs.

use super::Altered;
use crate::alembic::sql::Found;
use crate::alembic::sql::columns::{Definition, of_type};
use crate::alembic::sql::cursor::{Cursor, is_hole};
use crate::model::script::{Action, ColumnChange, Name};

/// Say how the work is done, not what.
const MANNERS: [&str; 4] = ["ALGORITHM", "LOCK", "WAIT", "NOWAIT"];
/// Begin an index or a constraint without a name of its own before it.
const KEYS: [&str; 9] = [
    "PRIMARY", "FOREIGN", "UNIQUE", "CHECK", "EXCLUDE", "INDEX", "KEY", "FULLTEXT", "SPATIAL",
];
/// What MySQL calls the primary key.
const PRIMARY: &str = "PRIMARY";

impl Altered<'_, '_> {
    pub(super) fn clause(&self, clause: Cursor<'_, '_>, found: &mut Found) {
        let mut cursor = clause;
        cursor.bump();
        match clause.keyword().as_str() {
            "ADD" => self.add(clause, cursor, found),
            "DROP" => self.drop(clause, cursor, found),
            "MODIFY" => self.modify(cursor, false, found),
            "CHANGE" => self.modify(cursor, true, found),
            "ALTER" => self.alter(clause, cursor, found),
            "RENAME" => self.rename(clause, cursor, found),
            "SET" if cursor.eat("SCHEMA") => self.set_schema(cursor, found),
            "DISCARD" => self.gone("tablespace", found),
            keyword if MANNERS.contains(&keyword) => {}
            _ => self.option(clause, 2, found),
        }
    }

    /// Something else, told by its first words; what begins with something computed cannot be read.
    pub(super) fn option(&self, clause: Cursor<'_, '_>, words: usize, found: &mut Found) {
        let option = clause.capitals(words);
        if option.is_empty() {
            return found.unreadable(self.whole);
        }
        let verb = format!("ALTER TABLE {option}");
        found.push(
            Action::Statement {
                verb,
                table: self.table.clone(),
            },
            self.guarded,
        );
    }

    /// Something of the table goes that is not a column, an index or a constraint.
    fn gone(&self, what: &str, found: &mut Found) {
        let (what, name) = (what.to_owned(), self.table.clone());
        found.push(Action::DropOther { what, name }, self.guarded);
    }

    fn add(&self, clause: Cursor<'_, '_>, mut cursor: Cursor<'_, '_>, found: &mut Found) {
        if cursor.clone().eat_all(&["SYSTEM", "VERSIONING"]) || cursor.clone().eat_all(&["PERIOD", "FOR"]) {
            return self.option(clause, 3, found);
        }
        let is_column = cursor.eat("COLUMN");
        // MySQL adds several in one pair of parentheses.
        if let Some(inside) = cursor.parens() {
            for item in inside.clauses() {
                self.add_one(item, is_column, found);
            }
        } else {
            self.add_one(cursor, is_column, found);
        }
    }

    fn add_one(&self, mut cursor: Cursor<'_, '_>, is_column: bool, found: &mut Found) {
        if !is_column && cursor.eat("CONSTRAINT") {
            let guarded = cursor.exists();
            let name = if cursor.is_any(&KEYS) { None } else { cursor.name() };
            return self.add_key(cursor, name, guarded, found);
        }
        if !is_column && cursor.is_any(&KEYS) {
            return self.add_key(cursor, None, false, found);
        }
        let guarded = cursor.exists() || self.guarded;
        // Without COLUMN, what is computed may be the kind of what is added.
        let Some(column) = cursor.name().filter(|column| column.is_some() || is_column) else {
            return found.unreadable(self.whole);
        };
        let definition = Definition::read(cursor);
        found.push(
            Action::AddColumn {
                table: self.table.clone(),
                column,
                nullable: definition.nullable,
                has_default: definition.has_default,
            },
            guarded,
        );
        if let Some((constraint, refers_to)) = definition.refers_to {
            found.push(
                Action::AddConstraint {
                    table: self.table.clone(),
                    constraint,
                    refers_to,
                },
                guarded,
            );
        }
    }

    /// An index or a constraint; MySQL gives the name behind its kind.
    fn add_key(&self, mut cursor: Cursor<'_, '_>, name: Option<Name>, guarded: bool, found: &mut Found) {
        let is_index = cursor.is_any(&["INDEX", "KEY", "FULLTEXT", "SPATIAL"]);
        let is_primary = cursor.is("PRIMARY");
        if !cursor.is_any(&KEYS) {
            return found.unreadable(self.whole);
        }
        let is_check = cursor.is_any(&["CHECK", "EXCLUDE"]);
        let refers_to = cursor
            .behind(&["REFERENCES"])
            .and_then(|mut behind| behind.any_name());
        cursor.bump();
        cursor.eat_any(&["INDEX", "KEY"]);
        let guarded = cursor.exists() || guarded || self.guarded;
        let is_named = !is_check && !cursor.is_any(&["USING", "NULLS"]);
        let name = name.unwrap_or_else(|| if is_named { cursor.any_name() } else { None });
        let table = self.table.clone();
        let action = if is_index {
            Action::CreateIndex {
                table,
                index: name,
                concurrently: false,
            }
        } else {
            let constraint = if is_primary {
                name.or_else(|| Some(PRIMARY.to_owned()))
            } else {
                name
            };
            Action::AddConstraint {
                table,
                constraint,
                refers_to,
            }
        };
        found.push(action, guarded);
    }

    fn drop(&self, clause: Cursor<'_, '_>, mut cursor: Cursor<'_, '_>, found: &mut Found) {
        let table = self.table.clone();
        if cursor.eat_all(&["PRIMARY", "KEY"]) {
            let constraint = Some(PRIMARY.to_owned());
            return found.push(Action::DropConstraint { table, constraint }, self.guarded);
        }
        if cursor.eat_all(&["SYSTEM", "VERSIONING"]) {
            return self.gone("history", found);
        }
        if cursor.eat_all(&["PERIOD", "FOR"]) {
            return self.option(clause, 3, found);
        }
        let kind = cursor;
        let has_kind = cursor.eat_all(&["FOREIGN", "KEY"])
            || cursor.eat_any(&["CONSTRAINT", "CHECK", "INDEX", "KEY", "COLUMN"]);
        // A column may be called `key` where that is no keyword.
        let has_kind = has_kind && !cursor.is_empty();
        if !has_kind {
            cursor = kind;
        }
        let guarded = cursor.exists() || self.guarded;
        let Some(name) = cursor.name().filter(|name| name.is_some() || has_kind) else {
            return found.unreadable(self.whole);
        };
        let action = if has_kind && kind.is_any(&["FOREIGN", "CONSTRAINT", "CHECK"]) {
            Action::DropConstraint {
                table,
                constraint: name,
            }
        } else if has_kind && kind.is_any(&["INDEX", "KEY"]) {
            Action::DropIndex { table, index: name }
        } else {
            Action::DropColumn { table, column: name }
        };
        found.push(action, guarded);
    }

    /// `MODIFY` and, with a new name, `CHANGE`.
    fn modify(&self, mut cursor: Cursor<'_, '_>, renames: bool, found: &mut Found) {
        cursor.eat("COLUMN");
        let guarded = cursor.exists() || self.guarded;
        let Some(column) = cursor.name() else {
            return found.unreadable(self.whole);
        };
        let mut change = ColumnChange::default();
        if renames {
            match cursor.name() {
                Some(Some(name)) => change.rename = Some(name).filter(|name| Some(name) != column.as_ref()),
                _ => return found.unreadable(self.whole),
            }
        }
        let definition = Definition::read(cursor);
        change.nullable = definition.nullable;
        change.type_to = definition.of_type;
        change.default = definition.names_default;
        self.change(column, change, guarded, found);
    }

    fn change(&self, column: Name, change: ColumnChange, guarded: bool, found: &mut Found) {
        let table = self.table.clone();
        found.push(
            Action::AlterColumn {
                table,
                column,
                change,
            },
            guarded,
        );
    }

    fn alter(&self, clause: Cursor<'_, '_>, mut cursor: Cursor<'_, '_>, found: &mut Found) {
        if cursor.is_any(&["INDEX", "CONSTRAINT", "CHECK"]) {
            return self.option(clause, 2, found);
        }
        cursor.eat("COLUMN");
        let guarded = cursor.exists() || self.guarded;
        let Some(column) = cursor.name() else {
            return found.unreadable(self.whole);
        };
        let mut change = ColumnChange::default();
        if cursor.eat_all(&["SET", "NOT", "NULL"]) {
            change.nullable = Some(false);
        } else if cursor.eat_all(&["DROP", "NOT", "NULL"]) {
            change.nullable = Some(true);
        } else if cursor.eat_all(&["SET", "DEFAULT"]) || cursor.eat_all(&["DROP", "DEFAULT"]) {
            change.default = true;
        } else if cursor.eat("TYPE") || cursor.eat_all(&["SET", "DATA", "TYPE"]) {
            change.type_to = of_type(cursor).written();
        } else if is_hole(cursor.word().unwrap_or_default()) || cursor.is_empty() {
            return found.unreadable(self.whole);
        } else {
            let verb = format!("ALTER TABLE ALTER COLUMN {}", cursor.capitals(2));
            return found.push(
                Action::Statement {
                    verb,
                    table: self.table.clone(),
                },
                guarded,
            );
        }
        self.change(column, change, guarded, found);
    }

    fn rename(&self, clause: Cursor<'_, '_>, mut cursor: Cursor<'_, '_>, found: &mut Found) {
        if cursor.is_any(&["INDEX", "KEY", "CONSTRAINT"]) && cursor.has("TO") {
            return self.option(clause, 2, found);
        }
        let says_table = cursor.eat_any(&["TO", "AS"]) || cursor.eat_symbol('=');
        if says_table || !cursor.has("TO") {
            return match cursor.name().filter(|to| to.is_some() || says_table) {
                Some(to) => found.push(
                    Action::RenameTable {
                        table: self.table.clone(),
                        to,
                    },
                    self.guarded,
                ),
                None => found.unreadable(self.whole),
            };
        }
        cursor.eat("COLUMN");
        let guarded = cursor.exists() || self.guarded;
        let column = cursor.any_name();
        let to = cursor.behind(&["TO"]).and_then(|mut behind| behind.any_name());
        match to {
            Some(to) => self.change(
                column,
                ColumnChange {
                    rename: Some(to),
                    ..ColumnChange::default()
                },
                guarded,
                found,
            ),
            None => found.unreadable(self.whole),
        }
    }

    /// The table moves into another schema.
    fn set_schema(&self, mut cursor: Cursor<'_, '_>, found: &mut Found) {
        let schema = cursor.any_name();
        let own = self
            .table
            .as_deref()
            .map(|table| table.rsplit('.').next().unwrap_or(table));
        let to = schema.zip(own).map(|(schema, own)| format!("{schema}.{own}"));
        found.push(
            Action::RenameTable {
                table: self.table.clone(),
                to,
            },
            self.guarded,
        );
    }
}
