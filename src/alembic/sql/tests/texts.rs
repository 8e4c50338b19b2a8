//! Strings, comments, delimiters and what a script computes.

use super::check;

#[test]
fn quotes_of_any_dialect_hide_what_is_in_them() {
    check(&[
        ("INSERT INTO t VALUES ('; DROP TABLE a; ''')", "insert t"),
        (
            r"INSERT INTO t VALUES ('it\'s; DROP TABLE a'); SELECT 1",
            "insert t; query",
        ),
        (
            r"INSERT INTO t VALUES ('C:\'); DROP TABLE a",
            "insert t; drop_table a",
        ),
        (
            r"INSERT INTO t VALUES (E'it\'s; DROP TABLE a'); DROP TABLE b",
            "insert t; drop_table b",
        ),
        (
            r"INSERT INTO t VALUES ('C:\', 1::int); DROP TABLE a; INSERT INTO t VALUES ('D:\', 1)",
            "insert t; drop_table a; insert t",
        ),
        (r#"SELECT ";" ; SELECT `;`; SELECT N';'"#, "query; query; query"),
        (
            "SELECT $$; DROP TABLE a; $$, $x$ $$ ; $x$; DROP TABLE b",
            "query; drop_table b",
        ),
        ("SELECT $1; SELECT a$b", "query; query"),
        ("DROP TABLE `a``b`", "drop_table a`b"),
    ]);
}

#[test]
fn comments_are_no_code_unless_mysql_executes_them() {
    check(&[
        ("-- DROP TABLE a;\nSELECT 1 -- ; DROP TABLE b", "query"),
        (
            "# DROP TABLE a;\nDROP TABLE b # the old one; DROP TABLE c",
            "drop_table b",
        ),
        (
            "SELECT a #>> '{b}', c #- '{d}' FROM t; DROP TABLE x",
            "query; drop_table x",
        ),
        ("/* DROP TABLE a; */ DROP /* b, */ TABLE c", "drop_table c"),
        (
            "/* a /* DROP TABLE b; */ DROP TABLE c; */ DROP TABLE d",
            "drop_table d",
        ),
        ("/* a /* DROP TABLE b; */ DROP TABLE c", "drop_table c"),
        (
            "/*!40101 SET NAMES utf8 */; /*!50003 DROP TABLE a */; /*M!100301 DROP TABLE b */",
            "SET; drop_table a; drop_table b",
        ),
        (
            "CREATE TABLE t (a INT) /*!50100 PARTITION BY HASH (a) */; DROP TABLE a",
            "create_table t; drop_table a",
        ),
        ("/*+ hint */ SELECT /*+ MAX_EXECUTION_TIME(1) */ 1", "query"),
        ("-- only a comment", ""),
        (" ; ;; ", ""),
    ]);
}

#[test]
fn a_delimiter_ends_statements_until_the_next_one() {
    check(&[
        (
            "DELIMITER //\nCREATE PROCEDURE p()\nBEGIN\n  DELETE FROM t;\n  IF a THEN DELETE FROM u; END IF;\nEND//\nDROP TABLE x//\nDELIMITER ;\nDROP TABLE y; DROP TABLE z",
            "CREATE PROCEDURE; drop_table x; drop_table y; drop_table z",
        ),
        (
            "delimiter $$\nCREATE TRIGGER t BEFORE INSERT ON u FOR EACH ROW BEGIN SET NEW.a = 1; END$$\ndelimiter ;\nDROP TABLE a",
            "CREATE TRIGGER on u; drop_table a",
        ),
        (
            "DELIMITER |\nDROP TABLE a; DROP TABLE b|",
            "drop_table a; drop_table b",
        ),
    ]);
}

#[test]
fn a_body_ends_where_its_last_block_ends() {
    check(&[
        (
            "CREATE PROCEDURE p() BEGIN DECLARE x INT; CASE x WHEN 1 THEN SELECT 1; ELSE BEGIN END; END CASE; WHILE x DO SELECT 1; END WHILE; END; DROP TABLE a",
            "CREATE PROCEDURE; drop_table a",
        ),
        (
            "CREATE PROCEDURE p() l:BEGIN DELETE FROM t; END l; DROP TABLE a",
            "CREATE PROCEDURE; drop_table a",
        ),
        (
            "CREATE DEFINER=`a`@`%` EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM t; END; DROP TABLE a",
            "CREATE EVENT; drop_table a",
        ),
        // A body that never ends hides nothing.
        (
            "CREATE PROCEDURE p() BEGIN SELECT 1; DROP TABLE a; DROP TABLE b",
            "CREATE PROCEDURE; drop_table a; drop_table b",
        ),
    ]);
}

#[test]
fn what_a_script_computes_stays_unknown() {
    check(&[
        ("DROP TABLE migwatch_hole", "drop_table ?"),
        (
            "DROP TABLE old_migwatch_hole, `migwatch_hole`, b",
            "drop_table ?; drop_table ?; drop_table b",
        ),
        (
            "ALTER TABLE migwatch_hole.users DROP COLUMN migwatch_hole",
            "drop_column ?.?",
        ),
        ("ALTER TABLE t ADD COLUMN a migwatch_hole", "add_column t.a null?"),
        (
            "ALTER TABLE t ADD COLUMN a VARCHAR(migwatch_hole) NOT NULL",
            "add_column t.a not null",
        ),
        (
            "ALTER TABLE t MODIFY a VARCHAR(migwatch_hole)",
            "alter_column t.a type VARCHAR(…)",
        ),
        ("ALTER TABLE t migwatch_hole", "unreadable ALTER TABLE t …"),
        (
            "ALTER TABLE t DROP migwatch_hole",
            "unreadable ALTER TABLE t DROP …",
        ),
        (
            "ALTER TABLE t ADD migwatch_hole INT",
            "unreadable ALTER TABLE t ADD … INT",
        ),
        (
            "ALTER TABLE t RENAME COLUMN a TO migwatch_hole",
            "unreadable ALTER TABLE t RENAME COLUMN a TO …",
        ),
        ("DROP migwatch_hole x", "unreadable DROP … x"),
        (
            "migwatch_hole TABLE x; DROP TABLE y",
            "unreadable … TABLE x; drop_table y",
        ),
        (
            "DELETE FROM :t WHERE a = %(a)s; UPDATE %s SET a = ?",
            "delete ? where; update ?",
        ),
        ("INSERT INTO t VALUES (:a, %s, $1)", "insert t"),
        (r"UPDATE t SET a = b\:\:int WHERE c = :c", "update t where"),
        ("CREATE INDEX ix_migwatch_hole ON t (a)", "create_index ? on t"),
        ("foo bar 'secret' \"also\"", "unreadable foo bar '…' '…'"),
        ("123", "unreadable 123"),
    ]);
}

#[test]
fn names_are_taken_in_any_script() {
    check(&[
        ("DROP TABLE 사용자", "drop_table 사용자"),
        (
            "ALTER TABLE `주문` DROP COLUMN `합계 금액`",
            "drop_column 주문.합계 금액",
        ),
        ("DROP TABLE 2fa_tokens", "drop_table 2fa_tokens"),
        ("DROP TABLE a.b.c", "drop_table a.b.c"),
    ]);
}
