//! Which floor may use which, and what the two lowest must not know.
//! Refuses to guess: a top-level module that stands on no floor is itself a violation.

use super::Violation;
use super::source::Source;
use super::tokens::{self, SpeltPath};

/// Every top-level module and its floor. `lib.rs` and `main.rs` stand on none and may use all.
const FLOORS: [(&str, u8); 15] = [
    ("model", 0),
    ("command", 1),
    ("lines", 1),
    ("alembic", 1),
    ("judge", 2),
    ("docker", EDGES),
    ("files", EDGES),
    ("probe", EDGES),
    ("database", EDGES),
    ("journal", EDGES),
    ("notify", EDGES),
    ("http", EDGES),
    ("config", 4),
    ("daemon", 5),
    ("cli", 6),
];

const EDGES: u8 = 3;

/// The floors from here down decide; they neither act nor look.
const HIGHEST_PURE: u8 = 2;

/// Crates that act or look: async, sockets, databases, logging.
const IMPURE_CRATES: [&str; 12] = [
    "tokio",
    "tokio_util",
    "futures_util",
    "bollard",
    "reqwest",
    "hyper",
    "hyper_util",
    "sqlx",
    "rusqlite",
    "tracing",
    "tracing_subscriber",
    "libc",
];

/// Parts of the standard library that act or look.
const IMPURE_STD: [&str; 5] = ["fs", "net", "process", "env", "thread"];

fn floor(module: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(name, _)| *name == module)
        .map(|(_, floor)| *floor)
}

/// Each floor uses only lower ones; two modules of one floor never use each other.
pub(super) fn uses(source: &Source) -> Vec<Violation> {
    let module = source.module();
    let Some(own) = module.first() else {
        return Vec::new();
    };
    let Some(own_floor) = floor(own) else {
        let what = format!("`{own}` stands on no floor: give it one in tests/it/floors/layers.rs");
        return vec![Violation::new(source, 1, what)];
    };
    let paths = tokens::paths(source.tokens());
    let used = paths
        .iter()
        .filter_map(|path| Some((path, used_module(path, &module)?)));
    let wrong = used.filter(|(_, used)| used != own);
    wrong
        .filter_map(|(path, used)| {
            Some(Violation::new(
                source,
                path.line,
                misuse((own, own_floor), &used)?,
            ))
        })
        .collect()
}

/// Why a module may not use another; nothing if it may.
fn misuse((own, own_floor): (&str, u8), used: &str) -> Option<String> {
    match floor(used) {
        Some(other) if other < own_floor => None,
        Some(EDGES) if own_floor == EDGES => Some(format!(
            "`{own}` uses `{used}`: edges never use each other, they report and the daemon wires them"
        )),
        Some(other) => Some(format!(
            "`{own}` (floor {own_floor}) uses `{used}` (floor {other}): each floor uses lower ones only"
        )),
        None => Some(format!(
            "`{own}` uses `crate::{used}`, which is no module of a floor: name the module it lives in"
        )),
    }
}

/// The top-level module that a path within the crate leads to.
fn used_module(path: &SpeltPath, file: &[String]) -> Option<String> {
    let mut segments = path.segments.iter();
    let first = segments.next()?;
    if first == "crate" {
        return segments.next().cloned();
    }
    let ups = path
        .segments
        .iter()
        .take_while(|segment| *segment == "super")
        .count();
    let depth = file.len() + path.inside.len();
    // Only a path that climbs to the top of the crate can lead to another top-level module.
    (ups > 0 && ups == depth)
        .then(|| path.segments.get(ups).cloned())
        .flatten()
}

/// The pure floors never act, look, log or ask the time: their answers follow from their arguments, and can be replayed.
pub(super) fn purity(source: &Source) -> Vec<Violation> {
    let module = source.module();
    let is_pure = module
        .first()
        .and_then(|own| floor(own))
        .is_some_and(|own| own <= HIGHEST_PURE);
    if !is_pure {
        return Vec::new();
    }
    let paths = tokens::paths(source.tokens());
    let impure = paths.iter().filter_map(|path| Some((path.line, impurity(path)?)));
    impure
        .map(|(line, what)| Violation::new(source, line, format!("{what}: model and judgement are pure")))
        .collect()
}

fn impurity(path: &SpeltPath) -> Option<String> {
    let first = path.segments.first()?;
    let second = path.segments.get(1);
    if IMPURE_CRATES.contains(&first.as_str()) {
        return Some(format!("mentions `{first}`"));
    }
    if let Some(part) = second.filter(|part| first == "std" && IMPURE_STD.contains(&part.as_str())) {
        return Some(format!("mentions `std::{part}`"));
    }
    let asks_the_time =
        path.segments.last().is_some_and(|last| last == "now") && path.arguments.as_deref() == Some("");
    asks_the_time.then(|| "calls `now()`, but time is an argument".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rule: fn(&Source) -> Vec<Violation>, path: &str, text: &str) -> Vec<String> {
        rule(&Source::planted(path, text))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_floor_that_looks_up_is_found() {
        let said = found(uses, "src/judge/verdict.rs", "\nuse crate::docker::Engine;");
        assert_eq!(
            said,
            [
                "src/judge/verdict.rs:2: `judge` (floor 2) uses `docker` (floor 3): each floor uses lower ones only"
            ]
        );
    }

    #[test]
    fn edges_that_use_each_other_are_found_however_they_spell_it() {
        for text in [
            "use crate::probe::Probe;",
            "use crate::{model::Time, probe::Probe};",
            "use super::super::probe;",
            "fn f() { crate::probe::ask() }",
            "fn f() { format!(\"{}\", crate::probe::NAME) }",
            "mod tests { use super::super::super::probe; }",
        ] {
            let said = found(uses, "src/docker/tail.rs", text);
            assert_eq!(said.len(), 1, "{text}: {said:?}");
            assert!(said[0].contains("edges never use each other"), "{said:?}");
        }
    }

    #[test]
    fn lower_floors_and_the_own_module_may_be_used() {
        for text in [
            "use crate::model::Time;",
            "use crate::docker::labels;",
            "use super::labels;",
            "use crate::lines::Said;",
        ] {
            assert!(found(uses, "src/docker/tail.rs", text).is_empty(), "{text}");
        }
        assert!(found(uses, "src/main.rs", "use crate::cli;").is_empty());
        assert!(found(uses, "src/daemon/clock.rs", "use crate::{config, docker};").is_empty());
    }

    #[test]
    fn a_glob_of_the_whole_crate_and_an_unknown_module_are_found() {
        assert_eq!(found(uses, "src/docker.rs", "use crate::*;").len(), 1);
        assert_eq!(found(uses, "src/docker.rs", "use super::*;").len(), 1);
        assert_eq!(found(uses, "src/docker.rs", "use crate::helpers::x;").len(), 1);
        assert_eq!(found(uses, "src/helpers.rs", "").len(), 1);
    }

    #[test]
    fn impure_words_in_a_pure_floor_are_found() {
        for text in [
            "use tokio::time::Instant;",
            "use std::{collections, fs};",
            "fn f() { std::net::lookup() }",
            "fn f() { tracing::info!(\"x\"); }",
            "fn f() { Timestamp::now() }",
            "fn f(c: &dyn Clock) { c.now() }",
            "#[cfg(test)] mod tests { #[tokio::test] async fn t() {} }",
        ] {
            assert_eq!(found(purity, "src/model/time.rs", text).len(), 1, "{text}");
            assert!(
                found(purity, "src/docker.rs", text).is_empty(),
                "{text}: an edge may"
            );
        }
    }

    #[test]
    fn pure_code_passes() {
        let text = "//! No tokio, no now().\nuse std::time::Duration; trait Clock { fn now(&self) -> u64; } fn decide(now: u64) {}";
        assert!(found(purity, "src/judge.rs", text).is_empty());
    }
}
