//! Python's syntax: text to a small tree of our own.
//!
//! Promises a tree of at most [`DEEPEST`] levels, so that whoever walks it may recurse, and one sentence with a line where the text is no
//! Python. The only module that names the parser's crates, which are pinned because they promise no stable interface. Refuses to know
//! Alembic.

mod convert;
mod nesting;
mod source;
mod tree;

use ruff_source_file::LineIndex;
use ruff_text_size::TextSize;

use convert::Converter;
use source::Text;

pub(super) use tree::{
    Call, Comprehension, Expr, Function, Kind, Loop, Part, Scope, Stmt, StmtKind, Try, exprs,
};

/// How deep expressions and statements may be nested. Revision scripts need some ten levels.
const DEEPEST: usize = 200;

/// A module as it was parsed, with its text.
pub(super) struct Module {
    /// `module.__doc__`.
    pub(super) docstring: Option<String>,
    pub(super) body: Vec<Stmt>,
    text: String,
    lines: LineIndex,
}

impl Module {
    /// The line of a place in the text, from 1.
    pub(super) fn line(&self, place: usize) -> u32 {
        u32::try_from(place).map_or(u32::MAX, |place| line(&self.lines, place.into()))
    }

    /// An expression as written, in one line.
    pub(super) fn written(&self, expr: &Expr) -> String {
        let text = self.text.get(expr.start..expr.end).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// The module that a file's bytes are.
///
/// # Errors
///
/// One sentence, with the line where there is one: not UTF-8, no Python, too long or too deeply nested.
pub(super) fn parse(source: &[u8]) -> Result<Module, String> {
    let text = source::decode(source)?;
    nesting::check(&text)?;
    let parsed = ruff_python_parser::parse_module(&text).map_err(|error| {
        let line = line(&LineIndex::from_source_text(&text), error.location.start());
        source::complaint(&text, line, &error.error.to_string())
    })?;
    let lines = LineIndex::from_source_text(&text);
    let body = Converter::new(&text, &lines).block(parsed.suite(), 0)?;
    Ok(Module {
        docstring: docstring(&body),
        body,
        text: Text::into_owned(text),
        lines,
    })
}

fn docstring(body: &[Stmt]) -> Option<String> {
    match &body.first()?.kind {
        StmtKind::Expr(Expr {
            kind: Kind::Str(text),
            ..
        }) => Some(text.to_string()),
        _ => None,
    }
}

/// The line of a place in the text, from 1.
fn line(index: &LineIndex, place: TextSize) -> u32 {
    u32::try_from(index.line_index(place).get()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
