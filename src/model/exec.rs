//! Commands that somebody starts inside a running container (`docker exec`), and what a command would do to a schema.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The engine's ID of one exec.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExecId(pub String);

impl fmt::Display for ExecId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.get(..12).unwrap_or(&self.0))
    }
}

/// What is known of an exec's command. Those of health checks, and those that move nothing, are not reported at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecCommand {
    /// It would move a schema.
    Migrates(MigrationCommand),
    /// The engine does not tell (Podman): only the database can.
    Untold,
}

/// A command that would move a schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrationCommand {
    /// The command as it was given: redacted, shortened, one line.
    pub text: String,
    /// What it would do.
    pub action: Action,
    /// The revision that it names (`head`, `ae10`, `+1`, `-1`, `base`); absent if the tool needs none.
    pub target: Option<String>,
    /// The Alembic environment that it selects: `-n NAME`, else the file of `-c FILE`.
    pub environment: Option<String>,
}

/// What a command would do to a version table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Go up.
    Upgrade,
    /// Go down.
    Downgrade,
    /// Set the version without steps.
    Stamp,
}

impl Action {
    /// The word used in evidence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upgrade => "upgrade",
            Self::Downgrade => "downgrade",
            Self::Stamp => "stamp",
        }
    }
}
