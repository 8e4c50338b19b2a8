//! Text that nobody meant to be read.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::super::{DEEPEST, LONGEST, MOST_STATEMENTS};
use super::{all, statements};
use crate::model::script::Action;

/// Pieces that open, close, hide or nest something.
const PIECES: [&str; 44] = [
    "'",
    "\"",
    "`",
    "\\",
    "\\'",
    "''",
    "$$",
    "$a$",
    "/*",
    "*/",
    "/*!40000 ",
    "/*M!",
    "--",
    "#",
    "\n",
    ";",
    "(",
    ")",
    "[",
    "]",
    ",",
    ".",
    ":x",
    "%s",
    "%(",
    "||",
    " DO ",
    " BEGIN ",
    " END ",
    " CASE ",
    " IF ",
    " THEN ",
    " LOOP ",
    " EXECUTE ",
    " WITH a AS ",
    " ALTER TABLE t ",
    " DROP ",
    " ADD ",
    " CREATE PROCEDURE ",
    " DELIMITER ",
    " FORMAT(",
    " migwatch_hole ",
    " é",
    " DECLARE ",
];

proptest! {
    #[test]
    fn any_text_is_read_to_its_end(text in "\\PC{0,200}", pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..120)) {
        for text in [text.clone(), pieces.concat(), format!("{text}{}", pieces.concat())] {
            let found = statements(&text);
            prop_assert!(found.len() <= text.len() + 1);
        }
    }

    #[test]
    fn what_is_dropped_behind_a_whole_statement_is_found(pieces in prop::collection::vec(prop::sample::select(vec!["a", "(", ")", "1", ",", "'x'", "\"y\"", "/* z */", ":p", " THEN ", " "]), 0..30)) {
        let text = format!("SELECT {}; DROP TABLE last", pieces.concat());
        let said = all(&text);
        prop_assert!(said.ends_with("drop_table last"), "{text}: {said}");
    }
}

#[test]
fn names_are_copied_only_as_long_as_databases_take_them() {
    let long = "x".repeat(100_000);
    assert_eq!(
        all(&format!("DROP TABLE {long}, b")),
        "drop_table ?; drop_table b"
    );
    assert_eq!(
        all(&format!("DROP TABLE {}", "y".repeat(64))),
        format!("drop_table {}", "y".repeat(64))
    );
}

#[test]
fn more_than_can_be_kept_is_told_once() {
    let said = statements(&"DROP TABLE a;".repeat(MOST_STATEMENTS + 5));
    assert_eq!(said.len(), MOST_STATEMENTS + 1);
    assert!(matches!(said.last(), Some(statement) if matches!(statement.action, Action::Unreadable { .. })));
    assert_eq!(
        all(&" ".repeat(LONGEST + 1)),
        format!("unreadable {} bytes of SQL", LONGEST + 1)
    );
}

#[test]
fn statements_inside_of_statements_are_read_to_a_limit() {
    let mut text = "DELETE FROM t".to_owned();
    for _ in 0..100 {
        text = format!("WITH a AS ({text}) SELECT 1");
    }
    let said = statements(&text);
    assert!(
        said.iter()
            .any(|statement| matches!(statement.action, Action::Unreadable { .. }))
    );
    assert!(said.len() <= 2 * usize::from(DEEPEST) + 1);
    let mut block = String::new();
    for depth in 0..1_000 {
        let _ = write!(block, "IF a{depth} THEN ");
    }
    assert_eq!(
        all(&format!("DO $$ BEGIN {block} DROP TABLE x; END $$")),
        "drop_table x if"
    );
}
