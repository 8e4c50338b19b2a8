//! The checklist before a deploy, as checks with a result each.

use serde::{Deserialize, Serialize};

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Which.
    pub name: CheckName,
    /// How it came out.
    pub result: CheckResult,
    /// Why, in one sentence.
    pub reason: String,
    /// More, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// Nobody asked for it, as its flag was not given: then that it cannot be told is no obstacle.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unasked: bool,
}

impl Check {
    /// A check that came out so.
    pub fn new(name: CheckName, result: CheckResult, reason: impl Into<String>) -> Self {
        Self {
            name,
            result,
            reason: reason.into(),
            details: Vec::new(),
            unasked: false,
        }
    }

    /// A check that needs a flag that was not given.
    pub fn unasked(name: CheckName, reason: impl Into<String>) -> Self {
        Self {
            unasked: true,
            ..Self::new(name, CheckResult::CannotTell, reason)
        }
    }

    /// With these lines.
    pub fn with(self, details: Vec<String>) -> Self {
        Self { details, ..self }
    }

    /// Whether it stands in the way of the deploy.
    pub fn is_obstacle(&self) -> bool {
        match self.result {
            CheckResult::Pass => false,
            CheckResult::Fail => true,
            CheckResult::CannotTell => !self.unasked,
        }
    }
}

/// The checks that there are, in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckName {
    /// The database was backed up lately.
    Backup,
    /// The scripts hold together and have one head.
    Graph,
    /// The code knows the revision that the database stands at.
    Revision,
    /// What is pending is known, and what of it destroys something is allowed by name.
    Pending,
    /// It ran elsewhere before.
    Rehearsed,
    /// There is a way back.
    Rollback,
    /// Nobody else migrates, and nothing waits for a lock.
    Alone,
    /// The service and those that share its database are healthy.
    Healthy,
    /// No container is left armed.
    Armed,
}

impl CheckName {
    /// Every check.
    pub const ALL: [Self; 9] = [
        Self::Backup,
        Self::Graph,
        Self::Revision,
        Self::Pending,
        Self::Rehearsed,
        Self::Rollback,
        Self::Alone,
        Self::Healthy,
        Self::Armed,
    ];

    /// The word in JSON and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Graph => "graph",
            Self::Revision => "revision",
            Self::Pending => "pending",
            Self::Rehearsed => "rehearsed",
            Self::Rollback => "rollback",
            Self::Alone => "alone",
            Self::Healthy => "healthy",
            Self::Armed => "armed",
        }
    }
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    /// Good.
    Pass,
    /// Not good.
    Fail,
    /// What would tell is not known.
    CannotTell,
}

impl CheckResult {
    /// The words for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::CannotTell => "cannot tell",
        }
    }
}
