//! Floor 1: reads a command as a shell user would, and says what it would do to a schema.
//!
//! Promises one reader for start commands, one-offs, hooks and execs: it unwraps shells, environments and runners, knows Alembic's own
//! options and those of its sisters in Flask and Django, and answers for any text in bounded time. Refuses to run anything and to read
//! the scripts that a command names: of those it says at most that they may migrate.

mod answer;
mod condition;
mod expansion;
mod flattened;
mod options;
mod script;
mod shells;
mod tools;
mod walk;

use crate::model::exec::MigrationCommand;
use crate::model::redact::{redact, shorten};

pub(crate) use answer::{Asked, Found, Reads, Tri, Variables};
pub(crate) use script::{Piece, Token, tokens};

use tools::Invocation;
use walk::Walk;

/// The longest text of a command that is kept, in characters.
const SHOWN: usize = 200;
/// The longest name of a revision or an environment that is kept, in characters.
const NAME: usize = 100;

/// What a command would do to a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// It would move one.
    Migrates(MigrationCommand),
    /// Nothing readable says: a shell that is open for whatever is typed, or a script that is called after migrations.
    Perhaps,
    /// It moves none.
    Harmless,
}

/// Where a command has Alembic look for its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The folder that it runs in, relative to where the container's commands begin or absolute; empty if it is that.
    pub(crate) folder: String,
    /// The configuration that it names; that of Flask-Migrate lies in the folder that is named.
    pub(crate) config: Option<String>,
    /// The section that it names.
    pub(crate) section: Option<String>,
}

/// What the container command `argv` would do with this environment.
pub fn of_argv(argv: &[String], environment: &dyn Fn(&str) -> Option<String>) -> Reading {
    let found = found(argv, Variables::Known(environment));
    reading(&found, || argv.join(" "))
}

/// What an exec would do of which the engine tells `text`: its argv joined by blanks, so that quotes are lost. Its environment is not known.
pub fn of_exec(text: &str) -> Reading {
    let Some(argv) = flattened::argv(text) else {
        return Reading::Harmless;
    };
    reading(&found(&argv, Variables::Unknown), || text.to_owned())
}

/// Every command in `argv` that may be of interest, in order.
pub(crate) fn found(argv: &[String], variables: Variables<'_>) -> Vec<Found> {
    let mut walk = Walk::new(variables);
    walk.argv(argv);
    walk.found
}

/// Where the command `argv` has Alembic look for its configuration whenever it migrates; `None` if it never does, or where nobody knows.
pub(crate) fn place(argv: &[String], environment: &dyn Fn(&str) -> Option<String>) -> Option<Place> {
    let found = found(argv, Variables::Known(environment));
    let (invocation, found) = [Tri::Yes, Tri::Perhaps, Tri::No]
        .into_iter()
        .find_map(|runs| migrating(&found, runs))?;
    let in_folder = invocation
        .folder
        .as_ref()
        .map(|folder| format!("{folder}/alembic.ini"));
    Some(Place {
        folder: found.folder.clone()?,
        config: invocation.config.clone().or(in_folder),
        section: invocation.section.clone(),
    })
}

/// Of several commands that run as `runs` says, the last says where the schema ends.
fn migrating(found: &[Found], runs: Tri) -> Option<(&Invocation, &Found)> {
    let mut last = found.iter().rev().filter(|found| found.runs == runs);
    last.find_map(|found| match &found.reads {
        Reads::Migrates(invocation) => Some((invocation, found)),
        _ => None,
    })
}

fn reading(found: &[Found], whole: impl Fn() -> String) -> Reading {
    if let Some((invocation, own)) = migrating(found, Tri::Yes).or_else(|| migrating(found, Tri::Perhaps)) {
        return Reading::Migrates(command(invocation, &own.text, &whole()));
    }
    let perhaps = |found: &Found| found.runs != Tri::No && found.reads == Reads::Perhaps;
    if found.iter().any(perhaps) {
        return Reading::Perhaps;
    }
    Reading::Harmless
}

/// The whole command is shown if it is short, else the part that migrates.
fn command(invocation: &Invocation, own: &str, whole: &str) -> MigrationCommand {
    let whole = one_line(whole);
    let text = if whole.chars().count() > SHOWN {
        one_line(own)
    } else {
        whole
    };
    let named = invocation.section.as_ref();
    let named = named
        .or(invocation.config.as_ref())
        .or(invocation.folder.as_ref());
    let name = |name: Option<&String>| name.map(|name| shorten(&redact(name), NAME));
    MigrationCommand {
        text: shorten(&text, SHOWN),
        action: invocation.action,
        target: name(invocation.target.as_ref()),
        environment: name(named),
    }
}

/// Without secrets, line ends and runs of blanks.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    redact(&words.join(" "))
}

#[cfg(test)]
mod tests;
