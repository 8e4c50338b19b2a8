//! What SQLite takes.

use super::check;

#[test]
fn sqlite_has_few_words_of_its_own() {
    check(&[
        (
            "PRAGMA foreign_keys=OFF; PRAGMA table_info(users)",
            "PRAGMA; PRAGMA",
        ),
        (
            "CREATE TABLE \"new\" (id INTEGER PRIMARY KEY AUTOINCREMENT, n)",
            "create_table new",
        ),
        ("CREATE VIRTUAL TABLE ft USING fts5(body)", "create_table ft"),
        ("DROP TABLE 'users'", "drop_table users"),
        (
            "ALTER TABLE _alembic_tmp_users RENAME TO users",
            "rename_table _alembic_tmp_users -> users",
        ),
        ("ALTER TABLE users ADD COLUMN age", "add_column users.age null"),
        (
            "ALTER TABLE users ADD COLUMN age NOT NULL DEFAULT 0",
            "add_column users.age not null default",
        ),
        (
            "INSERT OR REPLACE INTO users VALUES (1)",
            "insert users; update users where",
        ),
        ("INSERT OR IGNORE INTO users VALUES (1)", "insert users"),
        (
            "UPDATE OR IGNORE users SET a = ? WHERE b = :b",
            "update users where",
        ),
        (
            "ATTACH DATABASE 'x.db' AS x; DETACH DATABASE x; REINDEX; VACUUM INTO 'y.db'",
            "ATTACH; DETACH; REINDEX; VACUUM",
        ),
        (
            "CREATE TRIGGER t AFTER DELETE ON users BEGIN DELETE FROM orders; SELECT CASE WHEN 1 THEN 2 END; END; DROP TABLE a",
            "CREATE TRIGGER on users; drop_table a",
        ),
        (
            "CREATE TABLE event (id int); DROP TABLE x; END",
            "create_table event; drop_table x; END",
        ),
    ]);
}
