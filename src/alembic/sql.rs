//! Says what SQL does to a database, as its keywords tell.
//!
//! Promises an answer for any text, in linear time, for MySQL, MariaDB, PostgreSQL and SQLite at once: whoever wrote a script knows the
//! dialect, its text does not say. Looks into blocks that run at once (`DO $$ … $$`, `BEGIN NOT ATOMIC`), not into routines that are
//! only created. Refuses to know whether a database would take the statement, and what a function does that a query calls: `SELECT`
//! is a query even with `INTO` or a function that writes.

mod block;
mod columns;
mod create;
mod cursor;
mod drops;
mod lexer;
mod others;
mod rows;
mod split;
mod table;
mod verbs;

use cursor::Cursor;

use crate::model::script::Action;

/// Stands for what a script computes inside of a text; a name that contains it is unknown.
pub const HOLE: &str = "migwatch_hole";

/// Longer texts are not read: a script is at most as long.
const LONGEST: usize = 1024 * 1024;
/// More statements than this are told as one that cannot be read.
const MOST_STATEMENTS: usize = 20_000;
/// How deep text may be executed inside of text, and statements may stand inside of statements.
const DEEPEST: u8 = 6;

/// One thing that SQL does; a statement may do several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What is done.
    pub action: Action,
    /// It may be left out without an error: `IF EXISTS`, `IF NOT EXISTS`, or in a block inside of `IF`, a loop, or with an `EXCEPTION`.
    pub guarded: bool,
}

/// Everything that `text` does, in its order.
pub fn statements(text: &str) -> Vec<Statement> {
    let mut found = Found::default();
    found.text(text);
    found.statements
}

/// What has been found, and under which conditions the reading goes on.
#[derive(Default)]
struct Found {
    statements: Vec<Statement>,
    depth: u8,
    guarded: bool,
}

impl Found {
    /// Reads SQL that is executed.
    fn text(&mut self, text: &str) {
        if text.len() > LONGEST {
            let what = format!("{} bytes of SQL", text.len());
            return self.push(Action::Unreadable { what }, false);
        }
        let tokens = lexer::tokens(text);
        let mut walk = block::Walk::outside();
        for statement in split::split(&tokens) {
            walk.statement(Cursor::new(text, statement), self);
        }
    }

    fn push(&mut self, action: Action, guarded: bool) {
        let guarded = guarded || self.guarded;
        if self.statements.len() < MOST_STATEMENTS {
            self.statements.push(Statement { action, guarded });
        } else if self.statements.len() == MOST_STATEMENTS {
            let what = format!("SQL behind the first {MOST_STATEMENTS} changes");
            self.statements.push(Statement {
                action: Action::Unreadable { what },
                guarded,
            });
        }
    }

    fn unreadable(&mut self, statement: Cursor<'_, '_>) {
        if self.statements.len() > MOST_STATEMENTS {
            return;
        }
        self.push(
            Action::Unreadable {
                what: statement.summary(),
            },
            false,
        );
    }

    /// Reads what stands inside of a statement or of a text that is executed; `whole` is told where that nests too deep.
    fn inside(&mut self, whole: Cursor<'_, '_>, guarded: bool, read: impl FnOnce(&mut Self)) {
        if self.depth >= DEEPEST {
            return self.unreadable(whole);
        }
        self.depth += 1;
        let outer = self.guarded;
        self.guarded |= guarded;
        read(self);
        self.guarded = outer;
        self.depth -= 1;
    }
}

#[cfg(test)]
mod tests;
