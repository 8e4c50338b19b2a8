//! Blocks that run at once, and text that is executed.

use super::check;

#[test]
fn a_do_block_does_what_is_in_it() {
    check(&[
        ("DO $$ BEGIN DROP TABLE a; END $$", "drop_table a"),
        (
            "DO $$ BEGIN DROP TABLE a; END $$ LANGUAGE plpgsql; DROP TABLE b",
            "drop_table a; drop_table b",
        ),
        ("DO LANGUAGE plpgsql 'BEGIN DROP TABLE a; END'", "drop_table a"),
        (
            "DO LANGUAGE plpython3u $$ import os $$",
            "unreadable DO LANGUAGE plpython3u '…'",
        ),
        (
            "DO $$ DECLARE n int; x text := 'DROP TABLE no'; BEGIN n := 1; RAISE NOTICE 'DROP TABLE no'; PERFORM f(); DELETE FROM t; RETURN; END $$",
            "query; delete t",
        ),
        (
            "DO $body$ <<l>> DECLARE a int; BEGIN NULL; DECLARE b int; BEGIN DROP TABLE t; END; END l $body$",
            "drop_table t",
        ),
    ]);
}

#[test]
fn what_is_behind_a_condition_of_a_block_is_guarded() {
    check(&[
        (
            "DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_tables WHERE x) THEN DROP TABLE a; ELSIF b THEN ALTER TABLE t DROP c; ELSE DELETE FROM u; END IF; DROP TABLE z; END $$",
            "drop_table a if; drop_column t.c if; delete u if; drop_table z",
        ),
        (
            "DO $$ BEGIN IF a THEN IF b THEN DROP TABLE x; END IF; DROP TABLE y; END IF; DROP TABLE z; END $$",
            "drop_table x if; drop_table y if; drop_table z",
        ),
        (
            "DO $$ DECLARE r record; BEGIN FOR r IN SELECT 1 LOOP DELETE FROM t; END LOOP; DELETE FROM u; END $$",
            "delete t if; delete u",
        ),
        (
            "DO $$ BEGIN CREATE TYPE m AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN null; END $$",
            "CREATE TYPE if",
        ),
        (
            "DO $$ BEGIN CASE x WHEN 1 THEN DROP TABLE a; WHEN 2 THEN DROP TABLE b; END CASE; DROP TABLE c; END $$",
            "drop_table a if; drop_table b if; drop_table c",
        ),
        (
            "IF EXISTS (SELECT 1) THEN DROP TABLE a; END IF; DROP TABLE b",
            "drop_table a if; drop_table b",
        ),
        (
            "BEGIN NOT ATOMIC DECLARE a INT; DECLARE b INT; IF a THEN DROP TABLE x; END IF; WHILE a DO DELETE FROM t; END WHILE; DROP TABLE y; END; DROP TABLE z",
            "drop_table x if; delete t if; drop_table y; drop_table z",
        ),
    ]);
}

#[test]
fn text_is_read_as_far_as_it_is_literal() {
    check(&[
        (
            "DO $$ BEGIN EXECUTE 'DROP TABLE a; DELETE FROM ''b'''; END $$",
            "drop_table a; delete b",
        ),
        (
            "DO $$ BEGIN EXECUTE 'DROP TABLE ' || quote_ident(r.t) || ' CASCADE'; END $$",
            "drop_table ?",
        ),
        (
            "DO $$ BEGIN EXECUTE format('ALTER TABLE %I.%I DROP COLUMN old', s, t); END $$",
            "drop_column ?.old",
        ),
        (
            "DO $$ BEGIN EXECUTE format('DELETE FROM t WHERE a LIKE ''%%x''') USING 1; END $$",
            "delete t where",
        ),
        ("DO $$ BEGIN EXECUTE sql; END $$", "unreadable EXECUTE sql"),
        (
            "DO $$ BEGIN EXECUTE sql || ' CASCADE'; END $$",
            "unreadable … CASCADE",
        ),
        (
            "DO $$ BEGIN IF a THEN EXECUTE ('DROP TABLE x') INTO y; END IF; END $$",
            "drop_table x if",
        ),
        ("EXECUTE IMMEDIATE 'DROP TABLE a'", "drop_table a"),
        ("EXECUTE IMMEDIATE @sql", "unreadable EXECUTE IMMEDIATE @ sql"),
    ]);
}

#[test]
fn text_inside_of_text_ends_somewhere() {
    let mut sql = "DROP TABLE a".to_owned();
    for _ in 0..4 {
        sql = format!("EXECUTE IMMEDIATE '{}'", sql.replace('\'', "''"));
    }
    check(&[(&sql, "drop_table a")]);
    for _ in 0..4 {
        sql = format!("EXECUTE IMMEDIATE '{}'", sql.replace('\'', "''"));
    }
    check(&[(&sql, "unreadable EXECUTE IMMEDIATE '…'")]);
}
