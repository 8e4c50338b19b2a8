//! Alembic's revisions and the tables that hold them.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// An Alembic revision identifier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub String);

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The set of revisions in a version table. Several are legal; none means base (or a broken table).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Heads(pub BTreeSet<Revision>);

impl Heads {
    /// From revision identifiers.
    pub fn of<I: IntoIterator<Item = S>, S: Into<String>>(revisions: I) -> Self {
        Self(
            revisions
                .into_iter()
                .map(|revision| Revision(revision.into()))
                .collect(),
        )
    }
}

impl fmt::Display for Heads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("base");
        }
        for (index, revision) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{revision}")?;
        }
        Ok(())
    }
}

/// What a version table says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The table does not exist: never migrated.
    Missing,
    /// The table's rows; an empty set means stamped to base, or broken.
    At(Heads),
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("no version table"),
            Self::At(heads) => heads.fmt(f),
        }
    }
}

/// A database as shown to people: a configured name, or `host:port/schema` without credentials (container-local hosts qualified by project).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DatabaseId(pub String);

impl fmt::Display for DatabaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The unit that migrates: one Alembic version table in one database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct VersionTable {
    /// The database.
    pub database: DatabaseId,
    /// The table's name, with its schema if that is not the default one.
    pub table: String,
}

impl fmt::Display for VersionTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.database, self.table)
    }
}
