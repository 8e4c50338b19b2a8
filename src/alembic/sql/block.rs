//! Reads statements one after another, outside and inside of blocks: what is behind a condition, and what is executed as text.
//!
//! Promises that a statement behind `IF`, in a loop, or in a block that catches exceptions counts as guarded. Refuses to evaluate
//! anything: all branches are read, and a text that is put together is known only where it is literal.
//!
//! Sources of the facts: PostgreSQL's "PL/pgSQL", MariaDB's "Programmatic & Compound Statements".

use super::HOLE;
use super::cursor::{Cursor, is_word};
use super::lexer::{self, Escaping, Kind};
use super::{Found, split, verbs};
use crate::model::script::Action;

/// What a block says that touches no table.
const HARMLESS: [&str; 13] = [
    "NULL", "RETURN", "RAISE", "EXIT", "CONTINUE", "GET", "OPEN", "CLOSE", "ASSERT", "LEAVE", "ITERATE",
    "SIGNAL", "RESIGNAL",
];
/// What is closed by an `END …` of its own.
const OPENING: [&str; 3] = ["IF", "CASE", "REPEAT"];
const LOOPS: [&str; 3] = ["LOOP", "WHILE", "FOR"];
/// Behind these, the text of `EXECUTE` is over.
const BEHIND_TEXT: [&str; 2] = ["INTO", "USING"];

/// A walk along statements.
pub(super) struct Walk {
    /// How many conditions and loops are open.
    conditions: usize,
    /// It is between `DECLARE` and `BEGIN`.
    is_declaring: bool,
    place: Place,
}

/// Where statements stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Script,
    /// PostgreSQL's block: one `DECLARE` before `BEGIN`.
    PlPgSql,
    /// MariaDB's block: statements that begin with `DECLARE`, behind `BEGIN`.
    Compound,
}

impl Walk {
    /// Along the statements of a script.
    pub(super) fn outside() -> Self {
        Self::at(Place::Script)
    }

    fn at(place: Place) -> Self {
        Self {
            conditions: 0,
            is_declaring: false,
            place,
        }
    }

    fn is_block(&self) -> bool {
        self.place != Place::Script
    }

    pub(super) fn statement(&mut self, mut cursor: Cursor<'_, '_>, found: &mut Found) {
        if !self.is_block() && cursor.clone().eat_all(&["BEGIN", "NOT"]) {
            return block(cursor, Place::Compound, found);
        }
        self.control(&mut cursor);
        if cursor.is_empty() || self.is_declaring {
            return;
        }
        let outer = found.guarded;
        found.guarded |= self.conditions > 0;
        if cursor.is("EXECUTE") {
            execute(cursor, found);
        } else if self.is_block() && (cursor.is_any(&HARMLESS) || is_assignment(cursor)) {
            // Nothing is done to a table.
        } else if self.is_block() && cursor.is("PERFORM") {
            found.push(Action::Query, false);
        } else {
            verbs::read(cursor, found);
        }
        found.guarded = outer;
    }

    /// Takes the words away that only say whether what follows is done.
    fn control(&mut self, cursor: &mut Cursor<'_, '_>) {
        loop {
            if self.is_block() && cursor.is_symbol('<') {
                // <<label>>
                let length = cursor
                    .position(|kind| kind == Kind::Symbol('>'))
                    .unwrap_or_default();
                (0..length.saturating_add(2)).for_each(|_| cursor.bump());
            } else if cursor.is("END") && (self.is_block() || self.conditions > 0) {
                cursor.bump();
                let closes = cursor.is_any(&OPENING) || cursor.is_any(&LOOPS);
                self.conditions = self.conditions.saturating_sub(usize::from(closes));
                cursor.finish();
            } else if cursor.is_any(&LOOPS) {
                self.conditions += 1;
                skip_behind(cursor, &["LOOP", "DO"]);
            } else if cursor.is_any(&OPENING) && !is_function(*cursor) {
                let opens_directly = cursor.is("REPEAT");
                self.conditions += 1;
                cursor.bump();
                if !opens_directly {
                    skip_behind(cursor, &["THEN"]);
                }
            } else if cursor.is_any(&["ELSIF", "ELSEIF", "WHEN"]) {
                skip_behind(cursor, &["THEN"]);
            } else if self.is_block() && cursor.is("DECLARE") {
                self.is_declaring = self.place == Place::PlPgSql;
                cursor.finish();
            } else if self.is_block() && cursor.is("BEGIN") {
                self.is_declaring = false;
                cursor.bump();
                cursor.eat_all(&["NOT", "ATOMIC"]);
            } else if !(cursor.eat("ELSE") || (self.is_block() && cursor.eat("EXCEPTION"))) {
                return;
            }
        }
    }
}

/// `REPEAT('x', 3)` and `IF(a, b, c)` begin no statement, but `IF (a) THEN` does.
fn is_function(cursor: Cursor<'_, '_>) -> bool {
    !cursor.is("REPEAT") && !cursor.has("THEN")
}

/// To behind the first of `keywords`, or to the end.
fn skip_behind(cursor: &mut Cursor<'_, '_>, keywords: &[&str]) {
    match cursor.behind(keywords) {
        Some(behind) => *cursor = behind,
        None => cursor.finish(),
    }
}

/// `x := …`, `x = …` or `x.y := …`.
fn is_assignment(mut cursor: Cursor<'_, '_>) -> bool {
    cursor.name().is_some() && (cursor.eat_symbol('=') || (cursor.eat_symbol(':') && cursor.eat_symbol('=')))
}

/// `DO`: PostgreSQL's block that runs at once. MySQL's evaluates an expression.
pub(super) fn anonymous(mut cursor: Cursor<'_, '_>, found: &mut Found) {
    let whole = cursor;
    let mut body = None;
    let mut is_known = true;
    cursor.bump();
    loop {
        match cursor.peek() {
            Some(Kind::Text(inside, escaping)) if body.is_none() => body = Some(decoded(inside, escaping)),
            Some(Kind::Word(word)) if word.eq_ignore_ascii_case("language") => {
                cursor.bump();
                is_known = cursor.is_any(&["plpgsql", "sql"])
                    || matches!(cursor.peek(), Some(Kind::Text("plpgsql", _)));
            }
            _ => break,
        }
        cursor.bump();
    }
    match body {
        Some(body) if is_known => found.inside(whole, false, |found| {
            let tokens = lexer::tokens(&body);
            block(Cursor::new(&body, &tokens), Place::PlPgSql, found);
        }),
        Some(_) => found.unreadable(whole),
        None if whole.has_hole() => found.unreadable(whole),
        None => found.push(Action::Query, false),
    }
}

/// The statements of a block. What catches exceptions catches those of every statement before it, and which those are is not looked at.
fn block(cursor: Cursor<'_, '_>, place: Place, found: &mut Found) {
    let tokens = cursor.tokens();
    let catches = tokens.windows(2).any(|pair| {
        matches!(pair, [first, second] if is_word(first.kind, &["EXCEPTION"]) && is_word(second.kind, &["WHEN"]))
    });
    let mut walk = Walk::at(place);
    found.inside(cursor, catches, |found| {
        for statement in split::split_all(tokens) {
            walk.statement(cursor.over(statement), found);
        }
    });
}

/// `EXECUTE` of a text: `'…' || x`, `format('…', x)`. Of a prepared statement, nothing says what it does.
fn execute(cursor: Cursor<'_, '_>, found: &mut Found) {
    let mut text = cursor;
    text.bump();
    text.eat("IMMEDIATE");
    let text = text.until(|kind| is_word(kind, &BEHIND_TEXT));
    match literal(text) {
        Some(sql) => found.inside(cursor, false, |found| found.text(&sql)),
        None => found.unreadable(cursor),
    }
}

/// The text that an expression gives, with holes for what is not literal; none if nothing is.
fn literal(mut cursor: Cursor<'_, '_>) -> Option<String> {
    let mut text = String::new();
    let mut has_literal = false;
    let outer = cursor.tokens().len();
    if let Some(inside) = cursor
        .parens()
        .filter(|inside| inside.tokens().len() + 2 == outer)
    {
        cursor = inside;
    }
    while !cursor.is_empty() {
        let is_format = cursor.eat("FORMAT");
        let mut part = if is_format { cursor.parens()? } else { cursor };
        if let Some(Kind::Text(inside, escaping)) = part.peek() {
            has_literal = true;
            let decoded = decoded(inside, escaping);
            text.push_str(&if is_format { filled(&decoded) } else { decoded });
            part.bump();
        } else {
            text.push_str(HOLE);
        }
        // To behind the next `||`.
        let rest = if is_format { cursor } else { part };
        let operator = rest.position(|kind| kind == Kind::Symbol('|'));
        cursor = operator.map_or(rest.over(&[]), |at| {
            rest.over(rest.tokens().get(at + 2..).unwrap_or_default())
        });
    }
    has_literal.then_some(text)
}

/// The template of PostgreSQL's `format()` with holes for `%s`, `%I`, `%L` and `%1$I`.
fn filled(template: &str) -> String {
    let mut pieces = template.split('%');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    while let Some(piece) = pieces.next() {
        if piece.is_empty() {
            // %% is one percent sign.
            text.push('%');
            text.push_str(pieces.next().unwrap_or_default());
            continue;
        }
        let behind =
            piece.trim_start_matches(|letter: char| letter.is_ascii_digit() || matches!(letter, '$' | '-'));
        text.push_str(HOLE);
        text.push_str(behind.strip_prefix(['s', 'I', 'L']).unwrap_or(behind));
    }
    text
}

/// What a string says.
fn decoded(inside: &str, escaping: Escaping) -> String {
    let mut text = String::with_capacity(inside.len());
    let mut letters = inside.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, escaping) {
            (_, Escaping::Never) => text.push(letter),
            ('\'', _) => {
                letters.next_if_eq(&'\'');
                text.push('\'');
            }
            ('\\', Escaping::Backslash) => text.push(match letters.next() {
                Some('n' | 't' | 'r') | None => ' ',
                Some(other) => other,
            }),
            _ => text.push(letter),
        }
    }
    text
}
