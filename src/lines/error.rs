//! Reads the key line of a failed migration: Alembic's, `SQLAlchemy`'s or the driver's.
//!
//! The shapes are those of `alembic.util.messaging.err`, of `SQLAlchemy`'s `StatementError._message` and of what each driver's
//! exceptions print: `(1091, "text")` from pymysql, mysqlclient, aiomysql and asyncmy; `1091 (42000): text` from mysql.connector;
//! the class as the code from psycopg and asyncpg.

use std::sync::LazyLock;

use regex::Regex;

use crate::model::cause::Cause;
use crate::model::redact::{redact, shorten};

use super::classify;
use super::text::unescape;

/// The drivers' modules.
const DRIVERS: &str = r"(?:pymysql(?:\.err)?|asyncmy(?:\.errors)?|MySQLdb(?:\._exceptions)?|mysql\.connector(?:\.errors)?|mariadb|psycopg2?(?:\.errors)?|asyncpg\.exceptions(?:\._base)?|sqlalchemy\.dialects\.[a-z]+\.[a-z]+|sqlite3|aiosqlite)";

/// Classes that name no condition.
const GENERIC: &[&str] = &[
    "OperationalError",
    "ProgrammingError",
    "IntegrityError",
    "InternalError",
    "DatabaseError",
    "DataError",
    "NotSupportedError",
    "InterfaceError",
    "Error",
    "PostgresError",
];

/// The longest sentence and statement kept, in characters; shortening adds one.
const LONGEST_SENTENCE: usize = 499;
const LONGEST_STATEMENT: usize = 299;

// Python's names are told from what stands before them by ASCII classes: `\w` knows every script, and the tables of one pattern that begins
// with it take 700 KiB.
static COMMAND: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^\s*FAILED: |(?:^|[^A-Za-z0-9_.])alembic\.util\.exc\.[A-Z][A-Za-z]*(?:Error|Exception): )([^\n]+)",
    )
});

static WRAPPED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:^|[^A-Za-z0-9_.])sqlalchemy\.exc\.([A-Z][A-Za-z0-9]*): ([^\n]*)"));

static IN_BRACKETS: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"\(({DRIVERS})\.([A-Z][A-Za-z0-9]*)\) ?([^\n]*)")));

static BARE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?:^|[^A-Za-z0-9_.'])({DRIVERS})\.([A-Z][A-Za-z0-9]*): ([^\n]+)"
    ))
});

/// `<class 'asyncpg.exceptions.UndefinedObjectError'>: text`, inside `SQLAlchemy`'s brackets.
static CLASS_FIRST: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^<class '[A-Za-z0-9_.]*\.([A-Z][A-Za-z0-9]*)'>: (.*)$"));

/// `(1091, "text")`, perhaps with more members.
static TUPLE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"^\(([0-9]+), (?:"((?:[^"\\]|\\.)*)"?|'((?:[^'\\]|\\.)*)'?)"#));

/// `1091 (42000): text`
static CONNECTOR: LazyLock<Regex> = LazyLock::new(|| pattern(r"^([0-9]+) \([0-9A-Z]{5}\): (.*)$"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of our own")
}

/// Whose error a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Command,
    Wrapper,
    Driver,
}

/// An error in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FoundError {
    /// What it says.
    pub(super) cause: Cause,
    origin: Origin,
}

impl FoundError {
    /// It is the driver's own: `SQLAlchemy`'s, with the statement, may follow.
    pub(super) fn is_drivers(&self) -> bool {
        self.origin == Origin::Driver
    }

    /// It says what the driver's error before it in the same chain says, and more.
    pub(super) fn replaces_drivers(&self) -> bool {
        self.origin == Origin::Wrapper
    }

    /// Whether lines behind it can say more.
    pub(super) fn may_grow(&self) -> bool {
        self.origin != Origin::Command && self.cause.statement.is_none()
    }

    /// Whether `line` goes on with this error: details of its sentence, or the chain to the error that it caused.
    pub(super) fn goes_on_with(&self, line: &str) -> bool {
        const DETAILS: &[&str] = &[
            "LINE ",
            "DETAIL:",
            "HINT:",
            "CONTEXT:",
            "connection to server at ",
        ];
        const CHAIN: &[&str] = &[
            "Traceback (most recent call last)",
            "The above exception was",
            "During handling of the above",
        ];
        let begins = |with: &[&str]| with.iter().any(|words| line.starts_with(words));
        line.trim().is_empty()
            || line.starts_with([' ', '\t'])
            || begins(DETAILS)
            || self.is_drivers() && begins(CHAIN)
    }
}

/// The error whose key line is in `message`; its statement too if that stands behind it.
pub(super) fn find(message: &str) -> Option<FoundError> {
    let (origin, class, detail) = key_line(message)?;
    let (code, sentence) = code_and_sentence(class, detail.trim());
    let statement = message.split_once("[SQL: ").map(|(_, rest)| rest.trim_start());
    Some(FoundError {
        cause: Cause {
            class: classify::class(code.as_deref(), &sentence),
            code,
            message: shorten(&redact(&sentence), LONGEST_SENTENCE),
            statement: statement
                .and_then(|statement| statement.lines().next())
                .map(clean_statement),
        },
        origin,
    })
}

/// Whose error it is, the driver's or `SQLAlchemy`'s class, and what it says.
fn key_line(message: &str) -> Option<(Origin, Option<&str>, &str)> {
    if let Some(found) = COMMAND.captures(message) {
        return Some((Origin::Command, None, found.get(1)?.as_str()));
    }
    if let Some(found) = WRAPPED.captures(message) {
        let class = found.get(1)?.as_str();
        if class.ends_with("Warning") || is_code(message, found.get(0)?.start()) {
            return None;
        }
        let detail = found.get(2)?.as_str();
        return match IN_BRACKETS.captures(detail) {
            Some(inner) => Some((
                Origin::Wrapper,
                Some(inner.get(2)?.as_str()),
                inner.get(3)?.as_str(),
            )),
            None => Some((Origin::Wrapper, None, detail)),
        };
    }
    let (found, origin) = match IN_BRACKETS.captures(message) {
        Some(found) => (found, Origin::Wrapper),
        None => (BARE.captures(message)?, Origin::Driver),
    };
    let class = found.get(2)?.as_str();
    let is_error = !class.ends_with("Warning") && !is_code(message, found.get(0)?.start());
    is_error.then_some((origin, Some(class), found.get(3)?.as_str()))
}

/// Whether the name at `start` stands in a line of code that a traceback quotes.
fn is_code(message: &str, start: usize) -> bool {
    let before = message.get(..start).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default().trim();
    line.starts_with("except") || line.starts_with("raise") || line.starts_with("with ")
}

fn code_and_sentence(class: Option<&str>, detail: &str) -> (Option<String>, String) {
    if let Some(found) = TUPLE.captures(detail) {
        let text = found
            .get(2)
            .or_else(|| found.get(3))
            .map_or("", |text| text.as_str());
        return (found.get(1).map(|code| code.as_str().to_owned()), unescape(text));
    }
    if let (Some(code), Some(text)) = two(&CONNECTOR, detail) {
        return (Some(code.to_owned()), text.to_owned());
    }
    let (class, sentence) = match two(&CLASS_FIRST, detail) {
        (Some(class), Some(text)) => (Some(class), text),
        _ => (class, detail),
    };
    let code = class.filter(|class| !GENERIC.contains(class));
    (
        code.map(|class| class.strip_suffix("Error").unwrap_or(class).to_owned()),
        sentence.to_owned(),
    )
}

fn two<'a>(regex: &Regex, text: &'a str) -> (Option<&'a str>, Option<&'a str>) {
    let found = regex.captures(text);
    let group = |index| {
        found
            .as_ref()
            .and_then(|found| found.get(index))
            .map(|group| group.as_str())
    };
    (group(1), group(2))
}

/// What stands behind `[SQL:` in `line`; empty if the statement begins on the next line.
pub(super) fn statement_line(line: &str) -> Option<&str> {
    line.split_once("[SQL:").map(|(_, statement)| statement.trim())
}

/// The first line of a statement as it is kept.
pub(super) fn clean_statement(statement: &str) -> String {
    let statement = statement.trim();
    let statement = statement.strip_suffix(']').unwrap_or(statement);
    shorten(&redact(statement), LONGEST_STATEMENT)
}
