//! What one look into a database shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::revision::{DatabaseId, Standing};
use super::schema::Schema;
use super::service::ServiceId;
use super::time::Timestamp;

/// What kind of database it is: what a statement locks and costs differs between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DatabaseKind {
    /// MySQL and MariaDB.
    MySql,
    /// PostgreSQL.
    PostgreSql,
    /// SQLite.
    Sqlite,
}

impl DatabaseKind {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MySql => "MariaDB/MySQL",
            Self::PostgreSql => "PostgreSQL",
            Self::Sqlite => "SQLite",
        }
    }
}

/// One reading of all version tables of one database, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseReading {
    /// The database.
    pub database: DatabaseId,
    /// What kind it is.
    pub kind: DatabaseKind,
    /// The services that use it, as config or their environment says.
    pub services: Vec<ServiceId>,
    /// When the statement was sent: what it shows is not older than this.
    pub at: Timestamp,
    /// Table name (with schema if not the default one) to what stands in it; or the problem.
    pub tables: Result<BTreeMap<String, Standing>, DatabaseProblem>,
}

/// One reading of the schema of one database, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaReading {
    /// The database.
    pub database: DatabaseId,
    /// The services that use it, as config or their environment says.
    pub services: Vec<ServiceId>,
    /// When the statement was sent: what it shows is not older than this.
    pub at: Timestamp,
    /// Its tables without version tables and views; or the problem.
    pub schema: Result<Arc<Schema>, DatabaseProblem>,
}

/// Why a database could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseProblem {
    /// The closed word.
    pub kind: DatabaseProblemKind,
    /// One sentence for people: the operation, the object and what to do; no secrets.
    pub detail: String,
}

/// The kinds of database problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseProblemKind {
    /// Refused, unreachable or an unknown host.
    Connect,
    /// No answer in time.
    Timeout,
    /// User, password or a right refused.
    AccessDenied,
    /// The schema or database does not exist.
    NoSuchDatabase,
    /// TLS could not be agreed on.
    Tls,
    /// Anything else.
    Other,
}

impl DatabaseProblemKind {
    /// The word used on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::AccessDenied => "access_denied",
            Self::NoSuchDatabase => "no_such_database",
            Self::Tls => "tls",
            Self::Other => "other",
        }
    }
}
