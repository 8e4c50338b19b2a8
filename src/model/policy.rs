//! Whether a service's migrations may run without being announced.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The migration policy of a project or service, from strict to lax: `deny` < `explicit` < `allow`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Nothing is expected.
    Deny,
    /// Only a deploy that declares itself is expected.
    #[default]
    Explicit,
    /// Everything is expected.
    Allow,
}

impl Policy {
    /// The word used in config, labels and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Explicit => "explicit",
            Self::Allow => "allow",
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
