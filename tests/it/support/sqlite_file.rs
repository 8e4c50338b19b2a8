//! A SQLite file of the host, as an application with Alembic uses it: the test moves its version tables as migrations would. Refuses to
//! know who reads it.

use std::path::PathBuf;

use rusqlite::{Connection, params};
use tempfile::TempDir;

/// Gone with its folder when it is dropped.
pub(crate) struct SqliteFile(TempDir);

impl SqliteFile {
    /// With a table of the application, and no version table yet.
    pub(crate) fn new() -> Self {
        let file = Self(tempfile::tempdir().expect("a temporary folder can be made"));
        file.is_restored();
        file
    }

    /// The section `[database.NAME]` of a configuration: who uses it, and not which table is whose.
    pub(crate) fn configured(&self, name: &str, project: &str, services: &[&str]) -> String {
        format!(
            "[database.{name}]\nurl = \"sqlite:///{}\"\nproject = \"{project}\"\nservices = {services:?}\n",
            self.path().display()
        )
    }

    /// From now on `table` stands at `revision`, as Alembic's last statement of a step leaves it.
    pub(crate) fn stands_at(&self, table: &str, revision: &str) {
        let mut connection = self.open();
        let step = connection.transaction().expect("nobody holds a lock");
        step.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS {table} (version_num VARCHAR(32) NOT NULL PRIMARY KEY); DELETE FROM {table};"
        ))
        .expect("the table is ours");
        step.execute(&format!("INSERT INTO {table} VALUES (?1)"), params![revision])
            .expect("the table is ours");
        step.commit().expect("readers give way");
    }

    /// Every table is gone.
    pub(crate) fn is_emptied(&self) {
        let drop = "BEGIN; DROP TABLE items; DROP TABLE alembic_version; COMMIT";
        self.open().execute_batch(drop).expect("the tables are ours");
    }

    /// The application's own table is there (again), as it was in the beginning.
    pub(crate) fn is_restored(&self) {
        let create = "CREATE TABLE items (id INTEGER PRIMARY KEY)";
        self.open().execute_batch(create).expect("it is a database");
    }

    /// The application's own table gets a column, or loses the last one that it got.
    pub(crate) fn widens(&self, wider: bool) {
        let mut columns = self.columns();
        let next = format!("c{columns}");
        if !wider {
            columns -= 1;
        }
        let sql = if wider {
            format!("ALTER TABLE items ADD COLUMN {next} INTEGER")
        } else {
            format!("ALTER TABLE items DROP COLUMN c{columns}")
        };
        self.open().execute_batch(&sql).expect("the table is ours");
    }

    fn columns(&self) -> i64 {
        let count = "SELECT count(*) FROM pragma_table_info('items')";
        let connection = self.open();
        connection
            .query_row(count, [], |row| row.get(0))
            .expect("the table is ours")
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("app.db")
    }

    fn open(&self) -> Connection {
        Connection::open(self.path()).expect("the folder takes files")
    }
}
