//! Recorded logs of Alembic 1.20 and `SQLAlchemy` 2.1 with `MariaDB` 10.11, `PostgreSQL` 15 and `SQLite`, and what each says.

use std::sync::Arc;

use migwatch::lines::{ExtraPatterns, Framing, Patterns, Scanner, understand};
use migwatch::model::log::Saying;

use super::wire::{framed, line, recorded};
use super::{heard, scanner, short, shorts};

const STEPS: [&str; 4] = [
    "Upgrade  -> 7456428295d9 | 사용자 표를 만든다",
    "Upgrade 7456428295d9 -> 2b2b2b2b2b2b | -",
    "Upgrade 7456428295d9 -> 18c18bf4111f | add items, first half",
    "Upgrade 18c18bf4111f+2b2b2b2b2b2b -> 3c3c3c3c3c3c | merge heads, again",
];

fn says(name: &str, expected: &[&str]) {
    let body = framed(&recorded(name));
    assert_eq!(
        shorts(&heard(Framing::Multiplexed, [&body[..]])),
        expected,
        "{name}"
    );
}

#[test]
fn a_run_that_applies_revisions_is_heard_from_its_announcement_to_the_application() {
    let [a, b, c, d] = STEPS;
    says(
        "mariadb_applied",
        &["running", "context MySQLImpl", a, b, c, d, "up"],
    );
}

#[test]
fn a_failed_statement_is_one_cause_with_its_statement() {
    says(
        "mariadb_drop_missing",
        &[
            "running",
            "context MySQLImpl",
            "Upgrade 3c3c3c3c3c3c -> 4d4d4d4d4d4d | drop an index that is not there",
            "failed drop_missing 1091 | Can't DROP INDEX `ix_items_missing`; check that it exists | DROP INDEX ix_items_missing ON items",
        ],
    );
    says(
        "mariadb_table_exists",
        &[
            "context MySQLImpl",
            "Upgrade 3c3c3c3c3c3c -> 5e5e5e5e5e5e | make a table twice",
            "failed table_exists 1050 | Table 'users' already exists | CREATE TABLE users (",
        ],
    );
    says(
        "postgres_drop",
        &[
            "context PostgresqlImpl",
            "Upgrade 3c3c3c3c3c3c -> 4d4d4d4d4d4d | drop an index that is not there",
            "failed drop_missing UndefinedObject | index \"ix_items_missing\" does not exist | DROP INDEX ix_items_missing",
        ],
    );
    says(
        "postgres_unique",
        &[
            "context PostgresqlImpl",
            "Upgrade 3c3c3c3c3c3c -> 707070707070 | unique rows",
            "failed duplicate_entry UniqueViolation | duplicate key value violates unique constraint \"users_name_key\" | insert into users values (2, 'a')",
        ],
    );
    let [a, b, c, d] = STEPS;
    let step = "Upgrade 3c3c3c3c3c3c -> 5e5e5e5e5e5e | make a table twice";
    let failed = "failed table_exists - | table users already exists | CREATE TABLE users (";
    says(
        "sqlite_table_exists",
        &["context SQLiteImpl", a, b, c, d, step, failed],
    );
}

#[test]
fn a_database_that_refuses_or_is_away_is_a_cause_without_statement() {
    says(
        "mariadb_refused",
        &[
            "failed cannot_connect 2003 | Can't connect to MySQL server on '127.0.0.1' ([Errno 111] Connection refused) | -",
        ],
    );
    says(
        "postgres_denied",
        &[
            "failed access_denied - | connection failed: connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  password authentication failed for user \"postgres\" | -",
        ],
    );
}

#[test]
fn alembics_own_refusals_are_causes() {
    says(
        "mariadb_heads",
        &[
            "running",
            "context MySQLImpl",
            "failed multiple_heads - | Multiple head revisions are present for given argument 'head'; please specify a specific target revision, '<branchname>@head' to narrow to a specific head, or 'heads' for all heads | -",
            "context MySQLImpl",
            "failed unknown_revision - | Can't locate revision identified by 'nonsense' | -",
            "context MySQLImpl",
        ],
    );
}

#[test]
fn downgrades_to_base_and_over_a_merge_and_stamps_are_steps() {
    says(
        "mariadb_downgrade",
        &[
            "context MySQLImpl",
            "Downgrade 3c3c3c3c3c3c -> 18c18bf4111f+2b2b2b2b2b2b | merge heads, again",
            "Downgrade 18c18bf4111f -> 7456428295d9 | add items, first half",
            "Downgrade 2b2b2b2b2b2b -> 7456428295d9 | -",
            "context MySQLImpl",
            "Downgrade 7456428295d9 ->  | 사용자 표를 만든다",
            "context MySQLImpl",
            "Stamp  -> 3c3c3c3c3c3c | -",
        ],
    );
}

#[test]
fn steps_that_are_only_printed_as_sql_are_not_said() {
    says("mariadb_offline", &["context MySQLImpl"]);
}

#[test]
fn wrapped_and_decorated_lines_say_the_same() {
    let patterns = Patterns::builtin();
    let step = understand(&patterns, "Running upgrade a1 -> b2, title");
    assert!(matches!(step, Some(Saying::Step(_))));
    for text in [
        r#"{"level": "info", "message": "Running upgrade a1 -> b2, title"}"#,
        r#"{"msg":"Running upgrade a1 -\u003e b2, title","logger":"alembic"}"#,
        "\x1b[32mINFO\x1b[0m Running upgrade \x1b[1ma1\x1b[0m -> b2, title",
        r#"time=09:31 level=info msg="Running upgrade a1 -> b2, title" logger=alembic"#,
    ] {
        assert_eq!(understand(&patterns, text), step, "{text}");
    }
    let escaped = r#"{"message": "\u2705 Alembic \ub9c8\uc774\uadf8\ub808\uc774\uc158 \uc644\ub8cc!"}"#;
    assert_eq!(understand(&patterns, escaped), Some(Saying::Finished));
}

#[test]
fn a_request_that_quotes_an_announcement_says_nothing() {
    let patterns = Patterns::builtin();
    for text in [
        r#"172.18.0.1 - - [23/Nov/2026:09:31:06 +0000] "GET /?q=Running Alembic migrations... HTTP/1.1" 200 5"#,
        r#"{"level":"info","request":"Running Alembic migrations...","message":"served"}"#,
        r#"INFO: 10.0.0.1:1 - "POST /search?q=Running upgrade a -> b HTTP/1.1" 200 OK"#,
    ] {
        assert_eq!(understand(&patterns, text), None, "{text}");
    }
}

#[test]
fn every_drivers_shape_of_an_error_is_read() {
    let patterns = Patterns::builtin();
    for (text, class, code) in [
        (
            "MySQLdb.OperationalError: (1045, \"Access denied for user 'a'@'b'\")",
            "access_denied",
            Some("1045"),
        ),
        (
            "sqlalchemy.exc.OperationalError: (MySQLdb._exceptions.OperationalError) (2002, 'Can\\'t connect')",
            "cannot_connect",
            Some("2002"),
        ),
        (
            "sqlalchemy.exc.ProgrammingError: (mysql.connector.errors.ProgrammingError) 1091 (42000): Can't DROP",
            "drop_missing",
            Some("1091"),
        ),
        (
            "(asyncmy.errors.OperationalError) (1205, 'Lock wait timeout exceeded')",
            "lock_timeout",
            Some("1205"),
        ),
        (
            "sqlalchemy.exc.ProgrammingError: (sqlalchemy.dialects.postgresql.asyncpg.ProgrammingError) <class 'asyncpg.exceptions.DuplicateColumnError'>: column \"x\" exists",
            "duplicate_column",
            Some("DuplicateColumn"),
        ),
        (
            "asyncpg.exceptions.LockNotAvailableError: canceling statement",
            "lock_timeout",
            Some("LockNotAvailable"),
        ),
        (
            "(psycopg2.errors.DuplicateTable) relation \"x\" already exists",
            "table_exists",
            Some("DuplicateTable"),
        ),
        (
            "psycopg2.OperationalError: could not translate host name \"db\" to address",
            "cannot_connect",
            None,
        ),
        (
            "alembic.util.exc.CommandError: Can't locate revision identified by 'x'",
            "unknown_revision",
            None,
        ),
    ] {
        let Some(Saying::Failed(cause)) = understand(&patterns, text) else {
            panic!("{text} says nothing")
        };
        assert_eq!(
            (cause.class.as_str(), cause.code.as_deref()),
            (class, code),
            "{text}"
        );
    }
    for text in [
        "    except sqlalchemy.exc.OperationalError: retry",
        "sqlalchemy.exc.SAWarning: relationship X",
        "12 tests FAILED: see above",
    ] {
        assert_eq!(understand(&patterns, text), None, "{text}");
    }
}

#[test]
fn a_json_line_brings_its_error_and_statement_at_once() {
    let text = r#"{"message":"boom","exc_info":"Traceback (most recent call last):\n  x\nsqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (1060, \"Duplicate column name 'a'\")\n[SQL: ALTER TABLE t ADD a INT]"}"#;
    let body = framed(&[line(0, text)]);
    let mut heard = Vec::new();
    scanner(Framing::Multiplexed).feed(&body, &mut |line| heard.push(short(&line)));
    assert_eq!(
        heard,
        ["failed duplicate_column 1060 | Duplicate column name 'a' | ALTER TABLE t ADD a INT"]
    );
}

#[test]
fn secrets_in_errors_are_redacted() {
    let text = "sqlalchemy.exc.ArgumentError: Could not parse mysql://root:s3cret@db/app password=hunter2";
    let Some(Saying::Failed(cause)) = understand(&Patterns::builtin(), text) else {
        panic!("says nothing")
    };
    assert!(
        !cause.message.contains("s3cret") && !cause.message.contains("hunter2"),
        "{}",
        cause.message
    );
}

#[test]
fn patterns_from_config_are_heard_like_the_built_in_ones() {
    let extra = ExtraPatterns {
        running: vec!["^flyway: migrating".into()],
        application_up: vec!["ticket office (?:is )?open".into()],
        ..ExtraPatterns::default()
    };
    let patterns = Arc::new(Patterns::with(&extra).unwrap());
    let mut scanner = Scanner::new(patterns, Framing::Multiplexed);
    let mut heard = Vec::new();
    for text in [
        "ticket office open",
        "ticket office is open",
        "flyway: migrating",
        "ticket office is open",
    ] {
        scanner.feed(&framed(&[line(0, text)]), &mut |line| heard.push(short(&line)));
    }
    // The second opening comes when nothing is listened for any longer.
    assert_eq!(heard, ["up", "running", "up"]);
}
