//! How a service is known to migrate a version table.

use serde::{Deserialize, Serialize};

/// What proves that a service migrates a version table, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BindingProof {
    /// Config or label says so.
    Configured,
    /// The `env.py` in its code names it.
    EnvPy,
    /// It is the only version table of the service's database.
    OnlyTable,
    /// A logged `-> b` equalled the table's new row.
    Learned,
}

impl BindingProof {
    /// The word used on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configured => "configured",
            Self::EnvPy => "env_py",
            Self::OnlyTable => "only_table",
            Self::Learned => "learned",
        }
    }
}
