//! Logs as the engine sends them, read by the scanner: real ones by what they say, made-up ones by what must not matter.
//! Refuses to know the engine: bytes come from [`wire`].

mod damage;
mod logs;
mod pieces;
mod wire;

use std::sync::Arc;

use migwatch::lines::{Framing, Patterns, Scanner};
use migwatch::model::log::{LogLine, Saying};

/// A scanner with the built-in patterns.
fn scanner(framing: Framing) -> Scanner {
    Scanner::new(Arc::new(Patterns::builtin()), framing)
}

/// What a log says that comes in these pieces and then ends.
fn heard<'a>(framing: Framing, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<LogLine> {
    let mut scanner = scanner(framing);
    let mut heard = Vec::new();
    for piece in pieces {
        scanner.feed(piece, &mut |line| heard.push(line));
    }
    scanner.end(&mut |line| heard.push(line));
    heard
}

/// A saying as one short text.
fn short(line: &LogLine) -> String {
    let join = |revisions: &[_]| {
        revisions
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("+")
    };
    match &line.saying {
        Saying::Running => "running".into(),
        Saying::Skipped => "skipped".into(),
        Saying::Finished => "finished".into(),
        Saying::ApplicationUp => "up".into(),
        Saying::Context { dialect } => format!("context {dialect}"),
        Saying::Step(step) => {
            let title = step.title.as_deref().unwrap_or("-");
            format!(
                "{:?} {} -> {} | {title}",
                step.kind,
                join(&step.from),
                join(&step.to)
            )
        }
        Saying::Failed(cause) => {
            let [code, statement] =
                [&cause.code, &cause.statement].map(|part| part.as_deref().unwrap_or("-").to_owned());
            format!(
                "failed {} {code} | {} | {statement}",
                cause.class.as_str(),
                cause.message
            )
        }
    }
}

fn shorts(lines: &[LogLine]) -> Vec<String> {
    lines.iter().map(short).collect()
}
