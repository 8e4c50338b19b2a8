//! Why a migration failed: a closed set of classes, each with a remedy that a person can act on.

use serde::{Deserialize, Serialize};

/// The first error of a failed migration, as its log said it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// What kind of error.
    pub class: CauseClass,
    /// The database's or Alembic's error code (`1091`, `UndefinedObject`), if it has one.
    pub code: Option<String>,
    /// The error's sentence: redacted, at most 500 characters.
    pub message: String,
    /// The first line of the statement that failed (`[SQL: ...]`), redacted, at most 300 characters.
    pub statement: Option<String>,
}

/// The kinds of errors that migrations die of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseClass {
    /// MariaDB 1091, PostgreSQL `UndefinedObject`.
    DropMissing,
    /// MariaDB 1060, PostgreSQL `DuplicateColumn`.
    DuplicateColumn,
    /// MariaDB 1050, PostgreSQL `DuplicateTable`.
    TableExists,
    /// MariaDB 1062, PostgreSQL `UniqueViolation`.
    DuplicateEntry,
    /// MariaDB 1205, PostgreSQL `LockNotAvailable`.
    LockTimeout,
    /// MariaDB 2003, 2005, 2013; refused or timed-out connections.
    CannotConnect,
    /// MariaDB 1044, 1045, 1142; PostgreSQL `InsufficientPrivilege`, `InvalidPassword`.
    AccessDenied,
    /// `Can't locate revision identified by ...`
    UnknownRevision,
    /// `Multiple head revisions are present ...`, `Requested revision A overlaps ...`
    MultipleHeads,
    /// `Online migration expected to match one row ...`: two migrations at once.
    Race,
    /// Anything else.
    Other,
}

impl CauseClass {
    /// The word used in JSON and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DropMissing => "drop_missing",
            Self::DuplicateColumn => "duplicate_column",
            Self::TableExists => "table_exists",
            Self::DuplicateEntry => "duplicate_entry",
            Self::LockTimeout => "lock_timeout",
            Self::CannotConnect => "cannot_connect",
            Self::AccessDenied => "access_denied",
            Self::UnknownRevision => "unknown_revision",
            Self::MultipleHeads => "multiple_heads",
            Self::Race => "race",
            Self::Other => "other",
        }
    }

    /// What a person can do about it.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::DropMissing => {
                "The schema lacks the index or key that the revision drops. Compare the schema with the revision, guard the drop \
                 (IF EXISTS), and mind that on MariaDB the statements before it have stayed."
            }
            Self::DuplicateColumn | Self::TableExists => {
                "Part of this revision is already in the schema, often from an earlier attempt that failed half-way (MariaDB commits DDL \
                 at once). Find the first failure, remove or guard what it left, then run again."
            }
            Self::DuplicateEntry => {
                "A unique key meets rows that break it, or two migrations ran at once. Look for the duplicates, clean them, then run again."
            }
            Self::LockTimeout => {
                "Another session holds a lock on the table. Find it (SHOW FULL PROCESSLIST; pg_stat_activity), let it end or end it, then run again."
            }
            Self::CannotConnect => {
                "The database did not answer. Check that it is up and reachable from this container's network, then start the service again."
            }
            Self::AccessDenied => {
                "The database refused the user or a right. Check user, password and grants of the migration's account."
            }
            Self::UnknownRevision => {
                "The database stands at a revision that this image does not contain: an older image was started, or another branch migrated. \
                 Start the image that knows the revision; do not stamp over it."
            }
            Self::MultipleHeads => {
                "The scripts have several heads. Merge them (alembic merge heads) or name the target, then build a new image."
            }
            Self::Race => {
                "Two migrations ran on one version table. Make sure that only one replica migrates, check the schema, then run again."
            }
            Self::Other => "Read the error and the statement; the container's log has the whole traceback.",
        }
    }
}
