//! Which lines are worth a look: the literals that chunks are searched for, and the patterns from config.
//!
//! Promises that a line that says anything contains one of the literals. Compiled once and shared.

use std::fmt;

use aho_corasick::{AhoCorasick, packed};
use regex::Regex;

use super::literal;

/// Literals of lines that matter at any time. They begin behind the first letter where that may be of either case.
const TRIGGERS: &[&str] = &[
    "unning upgrade ",
    "unning downgrade ",
    "unning stamp_revision ",
    "lembic upgrade",
    "igration",
    "IGRATION",
    "마이그레이션",
    // The same word as Python's JSON writes it.
    r"\ub9c8\uc774\uadf8",
    "ontext impl ",
    "FAILED: ",
    "sqlalchemy.exc.",
    "alembic.util.exc.",
    "pymysql.err.",
    "asyncmy.errors.",
    "MySQLdb.",
    "mysql.connector.",
    "(mariadb.",
    "psycopg.",
    "psycopg2.",
    "asyncpg.exceptions.",
    "sqlite3.",
];

/// Literals of lines that matter only after an announcement, or at the start.
const AFTERWARDS: &[&str] = &[
    "enerating static SQL",
    "istening at",
    "istening on",
    "ooting worker with pid",
    "pplication startup complete",
    "unning on http",
    "unning on all addresses",
    "tarting development server at",
    "erving on http",
    " ready.",
    "pawned uWSGI worker",
];

/// Regular expressions from config, added to the built-in ones. Each must contain a literal of at least four bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtraPatterns {
    /// Lines that announce a run.
    pub running: Vec<String>,
    /// Lines that say that a run is skipped.
    pub skipped: Vec<String>,
    /// Lines that say that a run is finished.
    pub finished: Vec<String>,
    /// Lines that say that the application serves.
    pub application_up: Vec<String>,
}

/// A pattern from config that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("patterns.{list}[{index}]: {sentence}")]
pub struct PatternProblem {
    /// The list it stands in, as config calls it.
    pub list: &'static str,
    /// Its place in the list, from 0.
    pub index: usize,
    /// What is wrong and what to do.
    pub sentence: String,
}

/// Everything that lines are matched with.
#[derive(Debug)]
pub struct Patterns {
    pub(super) triggers: Literals,
    pub(super) while_attentive: Literals,
    pub(super) running: Vec<Regex>,
    pub(super) skipped: Vec<Regex>,
    pub(super) finished: Vec<Regex>,
    pub(super) application_up: Vec<Regex>,
}

impl Patterns {
    /// The built-in patterns alone.
    pub fn builtin() -> Self {
        Self::of(Compiled::default(), [(); 3].map(|()| Compiled::default()))
    }

    /// The built-in patterns and `extra`.
    ///
    /// # Errors
    /// All patterns that cannot be used, in the order of the lists.
    pub fn with(extra: &ExtraPatterns) -> Result<Self, Vec<PatternProblem>> {
        let mut problems = Vec::new();
        let mut compile = |list, patterns: &[String]| {
            let mut compiled = Compiled::default();
            for (index, pattern) in patterns.iter().enumerate() {
                if let Err(sentence) = compiled.add(pattern) {
                    problems.push(PatternProblem {
                        list,
                        index,
                        sentence,
                    });
                }
            }
            compiled
        };
        let running = compile("running", &extra.running);
        let skipped = compile("skipped", &extra.skipped);
        let finished = compile("finished", &extra.finished);
        let application_up = compile("application_up", &extra.application_up);
        if problems.is_empty() {
            Ok(Self::of(application_up, [running, skipped, finished]))
        } else {
            Err(problems)
        }
    }

    fn of(application_up: Compiled, [running, skipped, finished]: [Compiled; 3]) -> Self {
        let mut literals: Vec<Vec<u8>> = TRIGGERS
            .iter()
            .map(|literal| literal.as_bytes().to_vec())
            .collect();
        literals.extend(
            [&running, &skipped, &finished]
                .into_iter()
                .flat_map(|list| list.literals.iter().cloned()),
        );
        let triggers = Literals::new(&literals);
        literals.extend(AFTERWARDS.iter().map(|literal| literal.as_bytes().to_vec()));
        literals.extend(application_up.literals);
        Self {
            triggers,
            while_attentive: Literals::new(&literals),
            running: running.regexes,
            skipped: skipped.regexes,
            finished: finished.regexes,
            application_up: application_up.regexes,
        }
    }
}

/// One list from config.
#[derive(Default)]
struct Compiled {
    regexes: Vec<Regex>,
    literals: Vec<Vec<u8>>,
}

impl Compiled {
    fn add(&mut self, pattern: &str) -> Result<(), String> {
        let regex = Regex::new(pattern)
            .map_err(|error| format!("{pattern:?} is no regular expression: {}", gist(&error)))?;
        let hir = regex_syntax::parse(pattern)
            .map_err(|error| format!("{pattern:?} is no regular expression: {}", gist(&error)))?;
        let literals = literal::required(&hir).ok_or_else(|| {
            format!(
                "{pattern:?} has no literal of {} or more bytes that every match contains; write one out (with its case: (?i) hides \
                 literals), for logs are searched for literals first",
                literal::SHORTEST
            )
        })?;
        self.regexes.push(regex);
        self.literals.extend(literals);
        Ok(())
    }
}

/// The error of a regular expression in one line, without the pattern and the arrow under it.
pub(crate) fn gist(error: &impl fmt::Display) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

/// A set of literals, searched for all at once.
#[derive(Debug)]
pub(super) enum Literals {
    /// With the processor's vector instructions.
    Packed(packed::Searcher),
    /// Where there are too many literals for these, or no such instructions.
    Automaton(AhoCorasick),
}

impl Literals {
    fn new(literals: &[Vec<u8>]) -> Self {
        match packed::Searcher::new(literals) {
            Some(searcher) => Self::Packed(searcher),
            None => Self::Automaton(
                AhoCorasick::new(literals)
                    .expect("a few hundred short literals are far below the automaton's limit"),
            ),
        }
    }

    /// Where the first literal begins.
    pub(super) fn find(&self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Packed(searcher) => searcher.find(bytes).map(|found| found.start()),
            Self::Automaton(automaton) => automaton.find(bytes).map(|found| found.start()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ExtraPatterns, Literals, Patterns};

    #[test]
    fn every_pattern_that_cannot_be_used_is_named_with_its_place() {
        let extra = ExtraPatterns {
            running: vec!["schema bring-up".into(), "(".into()],
            application_up: vec!["(?i)serving".into()],
            ..ExtraPatterns::default()
        };
        let problems = Patterns::with(&extra).unwrap_err();
        let places: Vec<_> = problems
            .iter()
            .map(|problem| (problem.list, problem.index))
            .collect();
        assert_eq!(places, [("running", 1), ("application_up", 0)]);
        assert!(
            problems[0]
                .to_string()
                .starts_with("patterns.running[1]: \"(\" is no regular expression")
        );
        assert!(problems[1].sentence.contains("has no literal of 4 or more bytes"));
    }

    #[test]
    fn more_literals_than_the_vector_search_takes_are_found_all_the_same() {
        let literals: Vec<_> = (0..500)
            .map(|number| format!("literal {number:03}").into_bytes())
            .collect();
        let literals = Literals::new(&literals);
        assert!(matches!(literals, Literals::Automaton(_)));
        assert_eq!(literals.find(b"a literal 499"), Some(2));
        assert_eq!(literals.find(b"a literal 500"), None);
    }
}
