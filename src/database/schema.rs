//! Reads the schema of one database: names, and hashes of definitions.
//!
//! Promises two short statements that read catalogues only, and that what differs between two readings differs in the database:
//! nothing is hashed that a server changes by itself. Refuses to know when it is read and who changed it.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::connection::{Connection, Texts, within};
use super::problem::{Cause, Failure, Operation};
use super::read::Reader;
use super::target::TableName;
use super::{mysql, postgres, sqlite};
use crate::model::database::DatabaseProblem;
use crate::model::fnv::Fnv;
use crate::model::schema::{Definitions, MOST_TABLES, Schema, TableShape};

/// The most rows of columns, indexes and foreign keys: far more than two thousand ordinary tables have.
const ROWS: usize = 100_000;

/// The one column of a version table.
const VERSION: &str = "version_num";

impl Reader {
    /// The schema now, without the version tables: those that are read, and those that look like one.
    pub(super) async fn schema(&mut self) -> Result<Arc<Schema>, DatabaseProblem> {
        // as with version tables: a driver may panic over foreign bytes
        let reading = AssertUnwindSafe(self.schema_once()).catch_unwind().await;
        let gibberish = || Failure {
            operation: Operation::Schema,
            cause: Cause::Gibberish,
        };
        reading
            .unwrap_or_else(|_| Err(gibberish()))
            .map(Arc::new)
            .map_err(|failure| failure.problem(self.target()))
    }

    async fn schema_once(&mut self) -> Result<Schema, Failure> {
        let versions = self.version_tables();
        let timeout = self.timeout();
        let mut connection = self.connected().await?;
        let result = read(&mut connection, &versions, timeout).await;
        self.done_with(connection, result.as_ref().err()).await;
        result
    }
}

async fn read(
    connection: &mut Connection,
    versions: &[TableName],
    timeout: Duration,
) -> Result<Schema, Failure> {
    let (tables, parts) = connection.schema_statements(versions);
    let statement = format!("{tables} LIMIT {}", MOST_TABLES + 1);
    let rows: Vec<Texts<1>> = within(timeout, Operation::Schema, connection.rows(statement, timeout)).await?;
    if rows.len() > MOST_TABLES {
        return Err(too_many("tables", MOST_TABLES));
    }
    let statement = format!("{parts} LIMIT {}", ROWS + 1);
    let parts: Vec<Texts<4>> =
        within(timeout, Operation::Schema, connection.rows(statement, timeout)).await?;
    if parts.len() > ROWS {
        return Err(too_many("columns, indexes and foreign keys", ROWS));
    }
    let there = rows.into_iter().filter_map(|[name]| name);
    let mut tables: BTreeMap<String, Parts> = there.map(|name| (name, Parts::default())).collect();
    for [kind, table, name, definition] in parts {
        if let (Some(kind), Some(table), Some(name)) = (kind, table, name)
            && let Some(parts) = tables.get_mut(&table)
        {
            parts.take(&kind, name, definition.unwrap_or_default());
        }
    }
    let read_as_versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
    let shapes = tables.into_iter().map(|(name, parts)| (name, parts.shape()));
    let is_other =
        |(name, shape): &(String, TableShape)| !read_as_versions.contains(name) && !is_version_table(shape);
    Ok(Schema(shapes.filter(is_other).collect()))
}

/// One that just went has no columns any more: the next reading will not name it.
fn is_version_table(shape: &TableShape) -> bool {
    let mut columns = shape.columns.keys();
    columns.next().is_none_or(|only| only == VERSION) && columns.next().is_none()
}

fn too_many(what: &'static str, most: usize) -> Failure {
    Failure {
        operation: Operation::Schema,
        cause: Cause::TooLarge { what, most },
    }
}

/// The definitions of one table while its rows come in.
#[derive(Default)]
struct Parts {
    columns: BTreeMap<String, Vec<String>>,
    indexes: BTreeMap<String, Vec<String>>,
    foreign_keys: BTreeMap<String, Vec<String>>,
}

impl Parts {
    /// Kinds are `c`, `i` and `f`; an index or key of several columns has a row for each.
    fn take(&mut self, kind: &str, name: String, definition: String) {
        let parts = match kind {
            "c" => &mut self.columns,
            "i" => &mut self.indexes,
            _ => &mut self.foreign_keys,
        };
        parts.entry(name).or_default().push(definition);
    }

    fn shape(self) -> TableShape {
        TableShape {
            columns: hashed(self.columns),
            indexes: hashed(self.indexes),
            foreign_keys: hashed(self.foreign_keys),
        }
    }
}

/// Rows carry their place where it matters, so that the order in which they come does not.
fn hashed(parts: BTreeMap<String, Vec<String>>) -> Definitions {
    let hash = |(name, mut rows): (String, Vec<String>)| {
        rows.sort_unstable();
        (name, Fnv::of(rows.iter().map(String::as_str)))
    };
    parts.into_iter().map(hash).collect()
}

impl Connection {
    /// The statement for the tables' names, and the one for kind, table, name and definition of all that they are made of.
    fn schema_statements(&self, versions: &[TableName]) -> (String, String) {
        match self {
            Self::MySql(_) => (mysql::TABLES.to_owned(), mysql::PARTS.to_owned()),
            Self::Postgres(_) => {
                let schemas = versions.iter().filter_map(|table| table.schema.as_deref());
                postgres::schema_statements(schemas)
            }
            Self::Sqlite(_) => (sqlite::TABLES.to_owned(), sqlite::PARTS.to_owned()),
        }
    }
}
