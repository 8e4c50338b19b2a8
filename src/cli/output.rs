//! Printing: tables and JSON on stdout, errors with their causes on stderr.

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::CliError;
use crate::model::time::Timestamp;

/// An error with its causes, each on a line of its own.
#[expect(clippy::print_stderr, reason = "this is where the command line speaks")]
pub(super) fn error(error: &dyn std::error::Error) {
    eprintln!("migwatch: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        eprintln!("  caused by: {inner}");
        cause = inner.source();
    }
}

/// What we say beside the output of a command that is not ours.
#[expect(clippy::print_stderr, reason = "this is where the command line speaks")]
pub(super) fn aside(text: &str) {
    eprintln!("migwatch: {text}");
}

/// A time to the second.
pub(super) fn seconds(at: Timestamp) -> String {
    at.to_string().chars().take(19).collect::<String>() + "Z"
}

/// One line.
#[expect(clippy::print_stdout, reason = "this is where the command line speaks")]
pub(super) fn line(text: &str) {
    println!("{text}");
}

/// A value as JSON.
pub(super) fn json<T: Serialize>(value: &T) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value).map_err(CliError::Json)?;
    line(&text);
    Ok(())
}

/// A table for people.
pub(super) fn table(header: &[&str], rows: Vec<Vec<String>>) {
    if rows.is_empty() {
        return;
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    line(&table.to_string());
}
