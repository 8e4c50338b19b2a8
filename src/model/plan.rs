//! What a migration would do: the revisions that are pending, what each does and what that risks.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::database::DatabaseKind;
use super::revision::{Heads, Revision, VersionTable};
use super::script::Guard;
use super::service::ServiceId;

/// What `migwatch plan` shows of one version table, or of a folder of scripts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Where it would run.
    pub scene: PlanScene,
    /// The Alembic environment.
    pub environment: String,
    /// Its configuration file.
    pub config: String,
    /// The image that has the code, or nothing for a folder.
    pub image: Option<String>,
    /// What the upgrade would be asked for: `heads` unless somebody says otherwise.
    pub target: String,
    /// What `alembic heads` shows.
    pub heads: Vec<Revision>,
    /// What is wrong with the scripts, a sentence each.
    pub problems: Vec<String>,
    /// Why Alembic would refuse, and run nothing.
    pub refusal: Option<String>,
    /// Rows of the version table that the code does not know.
    pub unknown: Vec<Revision>,
    /// Who on the host knows them.
    pub known_by: Vec<String>,
    /// What would run, in its order.
    pub pending: Vec<PlannedRevision>,
}

/// Where a migration would run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanScene {
    /// Whose; nobody's where only a folder is looked at.
    pub service: Option<ServiceId>,
    /// The version table; unknown where the service is bound to none.
    pub table: Option<VersionTable>,
    /// What kind of database it is in.
    pub kind: Option<DatabaseKind>,
    /// What stands in the table; `None` where it was not read, and everything counts as pending.
    pub current: Option<Heads>,
    /// Tables of the database, by the name by which they are compared, with the services whose scripts create them.
    pub owners: BTreeMap<String, BTreeSet<ServiceId>>,
}

/// One revision that would run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedRevision {
    /// Which.
    pub revision: Revision,
    /// Its title.
    pub title: Option<String>,
    /// Its file.
    pub path: String,
    /// What it does, in the order of its text.
    pub operations: Vec<PlannedOperation>,
    /// Whether there is a way back.
    pub downgrade: Downgrade,
}

impl PlannedRevision {
    /// Something of it takes away what no downgrade brings back.
    pub fn is_destructive(&self) -> bool {
        self.operations
            .iter()
            .any(|operation| operation.destructive.is_some())
    }

    /// Something of it cannot be known without running it.
    pub fn is_uncertain(&self) -> bool {
        self.operations
            .iter()
            .any(|operation| operation.uncertain.is_some())
    }

    /// The tables of other services that it touches, with their owners.
    pub fn foreign(&self) -> impl Iterator<Item = (&PlannedOperation, &BTreeSet<ServiceId>)> {
        let operations = self.operations.iter();
        operations
            .map(|operation| (operation, &operation.owners))
            .filter(|(_, owners)| !owners.is_empty())
    }
}

/// One operation, with what it risks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedOperation {
    /// The line of the script.
    pub line: u32,
    /// What is done, in words: `drop column users.name`.
    pub what: String,
    /// It is done only under a condition.
    pub guard: Option<Guard>,
    /// Why it is destructive.
    pub destructive: Option<String>,
    /// Why it cannot be told whether it is.
    pub uncertain: Option<String>,
    /// What of the running code it breaks.
    pub breaking: Option<String>,
    /// What it locks, and for how long.
    pub locking: Option<String>,
    /// Other services whose scripts create the table that it touches; empty if it is the service's own or nobody's.
    pub owners: BTreeSet<ServiceId>,
}

/// Whether a revision can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Downgrade {
    /// `downgrade()` does something.
    Present,
    /// It does nothing, or says that it cannot be done.
    Stub,
    /// There is none.
    Missing,
}

impl Downgrade {
    /// The word used on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Stub => "a stub",
            Self::Missing => "missing",
        }
    }
}
