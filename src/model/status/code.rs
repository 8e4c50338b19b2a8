//! What the code of a service says about its database.

use serde::{Deserialize, Serialize};

use crate::model::revision::{Revision, VersionTable};

/// One Alembic environment in the code of a service, as its newest container has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeStatus {
    /// Its name: `default`, or what labels call it.
    pub environment: String,
    /// Its configuration file in the container.
    pub config: String,
    /// The image that the container runs, as configured.
    pub image: String,
    /// How many revisions it has.
    pub revisions: u64,
    /// What `alembic heads` shows.
    pub heads: Vec<Revision>,
    /// What is wrong with its scripts, a sentence each: duplicates, missing ones, cycles, what cannot be read.
    pub problems: Vec<String>,
    /// How its version tables stand to it.
    pub tables: Vec<TableCode>,
}

/// How a version table stands to the code of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableCode {
    /// Which.
    pub table: VersionTable,
    /// In one word.
    pub word: StandingWord,
    /// The revisions that `alembic upgrade heads` would run, in its order.
    pub pending: Vec<PendingRevision>,
    /// Rows that this code does not know.
    pub unknown: Vec<Revision>,
    /// Who on this host knows all of those rows: services whose containers are there, and images.
    pub known_by: Vec<String>,
    /// Why nothing can be said, where nothing can.
    pub reason: Option<String>,
}

/// How a version table stands to code, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandingWord {
    /// Everything has run.
    AtHead,
    /// Something has not run.
    Behind,
    /// No row is known to the code: the database was migrated by newer or by other code.
    Unknown,
    /// Some rows are known and some are not.
    Diverged,
    /// Nothing can be said: the scripts cannot be put in order.
    Unreadable,
}

impl StandingWord {
    /// The word used on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AtHead => "at head",
            Self::Behind => "behind",
            Self::Unknown => "unknown",
            Self::Diverged => "diverged",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A revision that has not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRevision {
    /// Which.
    pub revision: Revision,
    /// Its title.
    pub title: Option<String>,
    /// It takes something away that no downgrade brings back.
    pub destructive: bool,
}
