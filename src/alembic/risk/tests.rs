//! What operations risk, by database.

use super::{Risks, risks};
use crate::alembic::sql::statements;
use crate::model::database::DatabaseKind;
use crate::model::script::{Action, ColumnChange};

const KINDS: [Option<DatabaseKind>; 4] = [
    None,
    Some(DatabaseKind::MySql),
    Some(DatabaseKind::PostgreSql),
    Some(DatabaseKind::Sqlite),
];

/// The risks of the first thing that `sql` does.
fn of(sql: &str, kind: Option<DatabaseKind>) -> Risks {
    let statements = statements(sql);
    let first = statements.first().expect("a statement");
    risks(&first.action, kind)
}

/// `destructive`, `unclear`, `breaking`: which are said, whatever the words.
fn grades(risks: &Risks) -> String {
    let said = [
        ("destructive", &risks.destructive),
        ("unclear", &risks.unclear),
        ("breaking", &risks.breaking),
    ];
    let said: Vec<&str> = said
        .iter()
        .filter(|(_, why)| why.is_some())
        .map(|(grade, _)| *grade)
        .collect();
    said.join(" ")
}

#[test]
fn what_is_lost_is_lost_in_every_database() {
    for (sql, expected) in [
        ("DROP TABLE t", "destructive"),
        ("DROP TABLE IF EXISTS t", "destructive"),
        ("ALTER TABLE t DROP COLUMN a", "destructive"),
        ("TRUNCATE t", "destructive"),
        ("DELETE FROM t", "destructive"),
        ("DELETE FROM t WHERE a = 1", "destructive"),
        ("UPDATE t SET a = 1", "destructive"),
        ("UPDATE t SET a = 1 WHERE b = 2", ""),
        ("INSERT INTO t VALUES (1)", ""),
        ("DROP SCHEMA s", "destructive"),
        ("DROP DATABASE s", "destructive"),
        ("DROP TYPE s", "destructive"),
        ("DROP SEQUENCE s", "destructive"),
        ("DROP VIEW s", "destructive"),
        ("DROP OWNED BY s", "destructive"),
        ("ALTER TABLE t DROP PARTITION p", "destructive"),
        ("ALTER TABLE t TRUNCATE PARTITION p", "destructive"),
        ("ALTER TABLE t DISCARD TABLESPACE", "destructive"),
        ("ALTER TYPE t DROP ATTRIBUTE a", "destructive"),
        ("ALTER TABLE t ADD a INT NOT NULL", "destructive"),
        ("ALTER TABLE t ADD a INT NOT NULL DEFAULT 0", ""),
        ("ALTER TABLE t ADD a INT", ""),
        ("ALTER TABLE t ADD a migwatch_hole", "unclear"),
        ("ALTER TABLE t ALTER a SET NOT NULL", "destructive"),
        ("ALTER TABLE t ALTER a DROP NOT NULL", ""),
        ("ALTER TABLE t ALTER a SET DEFAULT 1", ""),
        ("ALTER TABLE t ALTER a TYPE varchar(20)", "unclear"),
        (
            "ALTER TABLE t MODIFY a VARCHAR(20) NOT NULL",
            "destructive unclear",
        ),
        ("ALTER TABLE t CHANGE a b VARCHAR(20)", "unclear breaking"),
        ("ALTER TABLE t RENAME TO u", "breaking"),
        ("ALTER TABLE t SET SCHEMA u", "breaking"),
        ("ALTER TABLE t RENAME COLUMN a TO b", "breaking"),
        ("ALTER SCHEMA a RENAME TO b", "breaking"),
        ("ALTER TABLE t CONVERT TO CHARACTER SET latin1", "unclear"),
        ("ALTER TABLE t DROP INDEX i", ""),
        ("ALTER TABLE t DROP CONSTRAINT c", ""),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (a)", ""),
        ("CREATE TABLE t (a int)", ""),
        ("CREATE INDEX i ON t (a)", ""),
        ("CREATE VIEW v AS SELECT 1", ""),
        ("SELECT 1", ""),
        ("CALL p()", "unclear"),
        ("migwatch_hole", "unclear"),
    ] {
        for kind in KINDS {
            assert_eq!(grades(&of(sql, kind)), expected, "{sql} {kind:?}");
        }
    }
}

#[test]
fn a_narrowing_names_both_types_and_only_its_own_grade() {
    let change = |from: Option<&str>, to: &str| {
        let change = ColumnChange {
            type_from: from.map(str::to_owned),
            type_to: Some(to.to_owned()),
            ..ColumnChange::default()
        };
        risks(
            &Action::AlterColumn {
                table: None,
                column: None,
                change,
            },
            None,
        )
    };
    let narrowed = change(Some("VARCHAR(255)"), "VARCHAR(20)");
    assert_eq!(
        narrowed.destructive.as_deref(),
        Some("VARCHAR(20) does not hold every value of VARCHAR(255)")
    );
    assert_eq!(grades(&narrowed), "destructive");
    assert_eq!(grades(&change(Some("VARCHAR(20)"), "VARCHAR(255)")), "");
    assert_eq!(grades(&change(Some("hstore"), "jsonb")), "unclear");
    assert_eq!(grades(&change(None, "jsonb")), "unclear");
}

fn check_locks(kind: Option<DatabaseKind>, rows: &[(&str, Option<&str>)]) {
    for (sql, expected) in rows {
        let said = of(sql, kind).locking;
        let fits = match (said.as_deref(), expected) {
            (Some(said), Some(expected)) => said.contains(expected),
            (said, expected) => said.is_none() && expected.is_none(),
        };
        assert!(fits, "{sql}: {said:?} instead of {expected:?}");
    }
}

#[test]
fn postgresql_locks_as_its_manual_says() {
    check_locks(
        Some(DatabaseKind::PostgreSql),
        &[
            ("CREATE TABLE t (a int)", None),
            ("DROP TABLE t", Some("ACCESS EXCLUSIVE")),
            ("ALTER TABLE t ADD a int", Some("short")),
            ("ALTER TABLE t ADD a int DEFAULT 1", Some("constant")),
            ("ALTER TABLE t DROP a", Some("short")),
            ("ALTER TABLE t ALTER a TYPE bigint", Some("written anew")),
            (
                "ALTER TABLE t ALTER a SET NOT NULL",
                Some("all rows are looked at"),
            ),
            ("ALTER TABLE t ALTER a SET DEFAULT 1", Some("short")),
            ("CREATE INDEX i ON t (a)", Some("(SHARE)")),
            ("CREATE INDEX CONCURRENTLY i ON t (a)", Some("autocommit_block()")),
            ("DROP INDEX i", Some("short")),
            (
                "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u",
                Some("SHARE ROW EXCLUSIVE"),
            ),
            ("ALTER TABLE t ADD UNIQUE (a)", Some("ACCESS EXCLUSIVE")),
            ("ALTER TABLE t DROP CONSTRAINT c", Some("short")),
            ("ALTER TABLE t VALIDATE CONSTRAINT c", Some("go on")),
            ("ALTER TABLE t OWNER TO x", Some("short")),
            ("UPDATE t SET a = 1", Some("every row")),
            ("UPDATE t SET a = 1 WHERE b", None),
            ("VACUUM FULL t", Some("fails inside a transaction")),
            ("REINDEX TABLE CONCURRENTLY t", Some("autocommit_block()")),
            ("REFRESH MATERIALIZED VIEW v", Some("readers of the view")),
            ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", None),
            (
                "CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f()",
                Some("SHARE ROW EXCLUSIVE"),
            ),
            ("DROP TRIGGER g ON t", Some("short")),
            ("DROP TYPE x", None),
            ("LOCK TABLE t", Some("keeps others out")),
            ("SELECT 1", None),
        ],
    );
}

#[test]
fn mysql_and_mariadb_lock_as_their_manuals_say() {
    check_locks(
        Some(DatabaseKind::MySql),
        &[
            ("CREATE TABLE t (a int)", None),
            ("DROP TABLE t", Some("waits for every open transaction")),
            ("RENAME TABLE t TO u", Some("waits for every open transaction")),
            ("ALTER TABLE t ADD a INT", Some("8.0.12")),
            ("ALTER TABLE t DROP a", Some("8.0.29")),
            ("ALTER TABLE t MODIFY a BIGINT", Some("copied")),
            ("ALTER TABLE t ALTER a SET NOT NULL", Some("rebuilt")),
            ("ALTER TABLE t ALTER a SET DEFAULT 1", Some("short")),
            ("ALTER TABLE t RENAME COLUMN a TO b", Some("short")),
            ("CREATE INDEX i ON t (a)", Some("go on")),
            ("DROP INDEX i ON t", Some("short")),
            (
                "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (a)",
                Some("foreign_key_checks"),
            ),
            ("ALTER TABLE t ADD PRIMARY KEY (a)", Some("rebuilt")),
            ("ALTER TABLE t DROP PRIMARY KEY", Some("copied")),
            ("ALTER TABLE t ADD UNIQUE (a)", Some("UNIQUE")),
            ("ALTER TABLE t DROP FOREIGN KEY f", Some("short")),
            ("ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4", Some("copied")),
            ("ALTER TABLE t ENGINE=InnoDB", Some("rebuilt")),
            ("ALTER TABLE t DROP PARTITION p", Some("short")),
            ("DROP VIEW v", None),
            ("DELETE FROM t", Some("every row")),
            ("LOCK TABLES t WRITE", Some("keeps others out")),
            ("SET a = 1", None),
        ],
    );
}

#[test]
fn sqlite_locks_the_whole_database() {
    check_locks(
        Some(DatabaseKind::Sqlite),
        &[
            ("CREATE TABLE t (a int)", Some("whole database")),
            ("ALTER TABLE t ADD a INT", Some("whole database")),
            ("ALTER TABLE t RENAME a TO b", Some("whole database")),
            ("ALTER TABLE t ALTER a TYPE int", Some("batch mode")),
            ("ALTER TABLE t ADD CHECK (a)", Some("batch mode")),
            ("ALTER TABLE t DROP a", Some("written anew")),
            ("CREATE INDEX i ON t (a)", Some("until the index is built")),
            ("UPDATE t SET a = 1", Some("whole database")),
            ("UPDATE t SET a = 1 WHERE b", None),
            ("VACUUM", Some("fails inside a transaction")),
            ("PRAGMA x", None),
        ],
    );
}

#[test]
fn an_unknown_database_is_told_what_holds_in_most() {
    check_locks(
        None,
        &[
            ("ALTER TABLE t ALTER a TYPE int", Some("may have to wait")),
            ("ALTER TABLE t ALTER a SET NOT NULL", Some("may have to wait")),
            ("CREATE INDEX i ON t (a)", Some("may have to wait")),
            ("CREATE INDEX CONCURRENTLY i ON t (a)", None),
            ("ALTER TABLE t ADD UNIQUE (a)", Some("may have to wait")),
            ("DROP TABLE t", Some("waits for everybody")),
            ("DELETE FROM t", Some("every row")),
            ("ALTER TABLE t ADD a int", None),
        ],
    );
}

#[test]
fn a_query_risks_nothing() {
    for kind in KINDS {
        assert!(of("SELECT 1", kind).is_none());
        assert!(!of("DROP TABLE t", kind).is_none());
    }
}
