//! The house rules, checked over the repository's own files: which floor may use which, what the pure floors must not know,
//! how long things may get, and what no committed file may hold. Each rule is a function of one file's path and text, and is
//! shown to bite on planted sources beside it.
//! Refuses to know what the sources do.

mod layers;
mod shape;
mod source;
mod tests_run;
mod tokens;
mod twins;

use std::fmt;
use std::fmt::Write as _;

use source::Source;

/// One place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    /// Path within the repository.
    path: String,
    /// Counted from 1.
    line: usize,
    /// The rule, what broke it, and why it is a rule.
    what: String,
}

impl Violation {
    fn new(source: &Source, line: usize, what: impl Into<String>) -> Self {
        Self {
            path: source.path.clone(),
            line,
            what: what.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// Applies one rule to every one of the sources and lists all that break it.
fn hold(rule: impl Fn(&Source) -> Vec<Violation>, sources: &[Source]) {
    assert!(
        !sources.is_empty(),
        "found no file to check: is this the repository?"
    );
    let violations: Vec<Violation> = sources.iter().flat_map(rule).collect();
    let mut list = String::new();
    for violation in &violations {
        let _ = writeln!(list, "  {violation}");
    }
    assert!(
        violations.is_empty(),
        "{} places break a house rule:\n{list}",
        violations.len()
    );
}

#[test]
fn each_floor_uses_only_lower_floors() {
    hold(layers::uses, &source::rust("src"));
}

#[test]
fn the_pure_floors_know_no_clock_no_io_and_no_logging() {
    hold(layers::purity, &source::rust("src"));
}

#[test]
fn every_source_file_opens_with_its_promise() {
    hold(shape::opening, &source::rust("src"));
    hold(shape::opening, &source::rust("tests/it"));
}

#[test]
fn files_and_functions_stay_short() {
    hold(shape::length, &source::rust("src"));
    hold(shape::length, &source::rust("tests/it"));
}

#[test]
fn a_module_lies_beside_its_folder_and_never_in_mod_rs() {
    hold(shape::module_file, &source::rust("src"));
    hold(shape::module_file, &source::rust("tests/it"));
}

#[test]
fn lints_are_expected_with_a_reason_and_never_allowed() {
    hold(shape::allowed_lints, &source::rust("src"));
}

#[test]
fn every_test_runs() {
    hold(tests_run::ignored, &source::rust("src"));
    hold(tests_run::ignored, &source::rust("tests/it"));
}

#[test]
fn no_test_sleeps() {
    hold(tests_run::sleeping, &source::rust("src"));
    hold(tests_run::sleeping, &source::rust("tests/it"));
}

#[test]
fn every_scenario_of_the_real_engine_is_played_too() {
    let played = twins::names(&source::rust("tests/it/played_product"));
    hold(
        |real| twins::missing(real, &played),
        &source::rust("tests/it/e2e"),
    );
    hold(
        |real| twins::missing(real, &played),
        &source::rust("tests/it/engine_away.rs"),
    );
}

#[test]
fn no_file_names_the_machine_it_was_written_on() {
    hold(source::machine_paths, &source::all());
}

#[test]
fn a_violation_names_file_line_and_rule() {
    let violation = Violation::new(&Source::planted("src/judge.rs", ""), 7, "too long");
    assert_eq!(violation.to_string(), "src/judge.rs:7: too long");
}

#[test]
#[should_panic(expected = "2 places break a house rule:\n  src/a.rs:1: opens")]
fn all_violations_are_listed_at_once() {
    let sources = [
        Source::planted("src/a.rs", "fn a() {}"),
        Source::planted("src/b.rs", "fn b() {}"),
    ];
    hold(shape::opening, &sources);
}
