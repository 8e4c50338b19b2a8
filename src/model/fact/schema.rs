//! What was concluded about the schema of a database. Each carries the patch from the schema known before, so that the facts alone
//! give the schema again; the words are for people.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::migration::MigrationId;
use crate::model::revision::{DatabaseId, VersionTable};
use crate::model::schema::{Patch, Schema};
use crate::model::service::ServiceId;
use crate::model::time::Timestamp;

/// A version table still stands where it stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSeen {
    /// Which.
    pub table: VersionTable,
    /// When the reading was made.
    pub at: Timestamp,
}

/// The first sight of a schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaBaselined {
    /// Of which database.
    pub database: DatabaseId,
    /// When it was read.
    pub at: Timestamp,
    /// All of it.
    pub schema: Arc<Schema>,
}

/// The schema was read again and is the known one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaSeen {
    /// Of which database.
    pub database: DatabaseId,
    /// When it was read.
    pub at: Timestamp,
}

/// A change that no migration explains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaDrifted {
    /// Of which database.
    pub database: DatabaseId,
    /// When it was last seen as it was before.
    pub since: Timestamp,
    /// When it was first seen as it is now.
    pub at: Timestamp,
    /// From the known schema to the present one.
    pub patch: Patch,
    /// The same in words.
    pub changes: Vec<String>,
    /// migwatch did not run when it happened: found after the fact.
    #[serde(default)]
    pub late: bool,
}

/// The end of a drift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaSettled {
    /// Of which database.
    pub database: DatabaseId,
    /// When it was read.
    pub at: Timestamp,
    /// From the known schema to the present one; empty if the present one was accepted.
    #[serde(default)]
    pub patch: Patch,
    /// Why it is over.
    pub reason: String,
}

/// A migration changed the schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrationSchemaChanged {
    /// Which migration.
    pub id: MigrationId,
    /// Whose: it owns the tables that were created.
    pub service: ServiceId,
    /// Of which database.
    pub database: DatabaseId,
    /// When it was last seen as it was before.
    pub since: Timestamp,
    /// When it was first seen as it is now.
    pub at: Timestamp,
    /// From the known schema to the present one.
    pub patch: Patch,
    /// The same in words.
    pub changes: Vec<String>,
    /// Which of the changes are to tables that another service's migrations had made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign: Vec<ForeignChange>,
    /// Tables that were dropped or altered and of which nobody knows who made them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ownerless: Vec<String>,
    /// There was no table before it.
    #[serde(default)]
    pub fresh: bool,
    /// migwatch did not run when it happened: found after the fact.
    #[serde(default)]
    pub late: bool,
}

/// A table of one service that a migration of another one changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ForeignChange {
    /// The table.
    pub table: String,
    /// Whose it is.
    pub owner: ServiceId,
    /// It is gone; otherwise a part of it changed.
    pub dropped: bool,
}

/// A change while migrations of several services ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaChangeShared {
    /// Of which database.
    pub database: DatabaseId,
    /// When it was last seen as it was before.
    pub since: Timestamp,
    /// When it was first seen as it is now.
    pub at: Timestamp,
    /// From the known schema to the present one.
    pub patch: Patch,
    /// The same in words.
    pub changes: Vec<String>,
    /// The migrations of which one did it.
    pub among: Vec<MigrationId>,
}

/// Tables vanished or came back wholesale. A second one soon after belongs to the same replacement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseReplaced {
    /// Which database.
    pub database: DatabaseId,
    /// When that was first seen.
    pub at: Timestamp,
    /// From the known schema to the present one; the present one is a new baseline.
    #[serde(default)]
    pub patch: Patch,
    /// What vanished or came back, in words.
    pub changes: Vec<String>,
    /// Somebody had approved a restore: nobody is told.
    #[serde(default)]
    pub approved: bool,
}
