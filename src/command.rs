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

/// Of several commands that would run, the last says where the schema ends.
fn reading(found: &[Found], whole: impl Fn() -> String) -> Reading {
    let may_run = |runs| found.iter().rev().filter(move |found| found.runs == runs);
    let migrating = |runs| {
        may_run(runs).find_map(|found| match &found.reads {
            Reads::Migrates(invocation) => Some((invocation, &found.text)),
            _ => None,
        })
    };
    if let Some((invocation, own)) = migrating(Tri::Yes).or_else(|| migrating(Tri::Perhaps)) {
        return Reading::Migrates(command(invocation, own, &whole()));
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
    let name = |name: &Option<String>| name.as_deref().map(|name| shorten(&redact(name), NAME));
    MigrationCommand {
        text: shorten(&text, SHOWN),
        action: invocation.action,
        target: name(&invocation.target),
        environment: name(&invocation.environment),
    }
}

/// Without secrets, line ends and runs of blanks.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    redact(&words.join(" "))
}

#[cfg(test)]
mod tests;
