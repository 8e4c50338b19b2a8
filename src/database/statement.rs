//! The beginning of a foreign statement, as it may be shown: what it does to which table, never with which values.
//!
//! Promises that no literal and nothing that looks like a secret is left. Refuses to understand SQL.

use crate::model::redact::{redact, shorten};

/// The longest beginning, in characters.
const LONGEST: usize = 120;

/// Longer statements are cut before they are looked at: a dump's INSERT may have megabytes.
const LOOKED_AT: usize = 4_000;

/// What stands where a text literal was.
const LITERAL: &str = "'…'";

/// One line of at most 120 characters without literals. `is_text` tells whether double quotes make a text (MariaDB, MySQL) or a
/// name (PostgreSQL). `None` if nothing is left.
pub(super) fn head(statement: &str, is_text: bool) -> Option<String> {
    let mut plain = String::new();
    let mut rest = statement.chars().take(LOOKED_AT).peekable();
    while let Some(character) = rest.next() {
        match character {
            '\'' => skip_literal(&mut rest, '\'', &mut plain),
            '"' if is_text => skip_literal(&mut rest, '"', &mut plain),
            // PostgreSQL's $$text$$ and $tag$text$tag$; a parameter ($1) is none
            '$' if rest
                .peek()
                .is_some_and(|next| *next == '$' || next.is_alphabetic() || *next == '_') =>
            {
                plain.push_str(LITERAL);
                break;
            }
            character if character.is_whitespace() => plain.push(' '),
            character => plain.push(character),
        }
    }
    let line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let head = shorten(&redact(&line), LONGEST);
    (!head.is_empty()).then_some(head)
}

/// Both dialects double the quote inside; MariaDB and PostgreSQL's E'' know the backslash too. Taking it for an escape everywhere may
/// hide more than the literal, never less than it.
fn skip_literal(rest: &mut std::iter::Peekable<impl Iterator<Item = char>>, quote: char, plain: &mut String) {
    while let Some(character) = rest.next() {
        if character == '\\' {
            rest.next();
        } else if character == quote && rest.next_if_eq(&quote).is_none() {
            break;
        }
    }
    plain.push_str(LITERAL);
}

#[cfg(test)]
mod tests {
    use super::head;

    #[test]
    fn what_is_done_to_which_table_is_shown_and_no_value() {
        for (statement, is_text, shown) in [
            (
                "ALTER TABLE  chat_messages\n  DROP FOREIGN KEY fk_chat",
                true,
                "ALTER TABLE chat_messages DROP FOREIGN KEY fk_chat",
            ),
            (
                "UPDATE users SET name = 'o''brien s3cret', pin = \"s3cret\" WHERE id = 7",
                true,
                "UPDATE users SET name = '…', pin = '…' WHERE id = 7",
            ),
            (
                r#"ALTER TABLE "users" ADD COLUMN "age" int DEFAULT $1"#,
                false,
                r#"ALTER TABLE "users" ADD COLUMN "age" int DEFAULT $1"#,
            ),
            (r"SELECT 'a\' s3cret', 1", true, "SELECT '…', 1"),
            ("SELECT $tag$ s3cret $tag$", false, "SELECT '…'"),
            ("SELECT $$s3cret", false, "SELECT '…'"),
            ("INSERT INTO t VALUES ('s3cret", true, "INSERT INTO t VALUES ('…'"),
            (
                "CREATE USER a IDENTIFIED BY PASSWORD 's3cret'",
                true,
                "CREATE USER a IDENTIFIED BY PASSWORD ***",
            ),
        ] {
            let line = head(statement, is_text).unwrap();
            assert_eq!(line, shown);
            assert!(!line.contains("s3cret"));
        }
        assert_eq!(head(" \n", true), None);
    }

    #[test]
    fn a_long_statement_is_cut() {
        let line = head(
            &format!("INSERT INTO t VALUES ({})", "1, ".repeat(1_000_000)),
            true,
        )
        .unwrap();
        assert_eq!(line.chars().count(), 121);
    }
}
