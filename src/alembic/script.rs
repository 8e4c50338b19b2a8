//! A revision script's bytes to what it says.
//!
//! Promises one answer for any bytes, in bounded time, memory and depth. Whoever calls it does so on a thread with a stack of
//! [`STACK`] bytes: parsing Python goes down by recursion. Refuses to run anything, to open files, and to know other scripts.

mod arguments;
mod bind;
mod built_in;
mod calls;
mod construct;
mod containers;
mod database;
mod evaluate;
mod flow;
mod format;
mod loops;
mod metadata;
mod operations;
mod reader;
mod value;

use crate::alembic::python::{self, Module};
use crate::model::redact::{redact, shorten};
use crate::model::script::{Body, Script, Unreadable};

use reader::Reader;

/// The stack that a thread needs on which scripts are read, in bytes. Far more than any script was seen to need, unoptimised too.
pub const STACK: usize = 64 * 1024 * 1024;

/// What the script says that a file holds; `None` if the file holds Python, but no revision script.
///
/// # Errors
///
/// The file cannot be read: it is too long, not UTF-8, no Python, or its revision is computed when it runs.
pub fn read(path: &str, source: &[u8]) -> Result<Option<Script>, Unreadable> {
    let unreadable = |reason| Unreadable {
        path: path.to_owned(),
        reason,
    };
    let module = python::parse(source).map_err(unreadable)?;
    let Some(metadata) = metadata::read(&module, named_by(path)).map_err(unreadable)? else {
        return Ok(None);
    };
    let [upgrade, downgrade] = bodies(&module);
    Ok(Some(Script {
        path: path.to_owned(),
        revision: metadata.revision,
        down_revisions: metadata.down_revisions,
        depends_on: metadata.depends_on,
        branch_labels: metadata.branch_labels,
        title: title(&module),
        upgrade,
        downgrade,
    }))
}

/// Alembic 0.1 had the revision in the file's name alone, and Alembic still reads those.
fn named_by(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?.strip_suffix(".py")?;
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (!name.is_empty() && name.bytes().all(is_hex)).then_some(name)
}

/// The longest title that is kept, in characters.
const TITLE: usize = 200;

/// Alembic logs the docstring up to its first empty line; here it is the first line.
fn title(module: &Module) -> Option<String> {
    let first = module.docstring.as_deref()?.trim().lines().next()?.trim();
    Some(shorten(&redact(first), TITLE))
}

fn bodies(module: &Module) -> [Body; 2] {
    let mut reader = Reader::new(module);
    reader.module_level();
    ["upgrade", "downgrade"].map(|name| reader.body(name))
}

#[cfg(test)]
mod tests;
