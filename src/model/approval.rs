//! Approvals: somebody said beforehand that a migration is to run. Who, why, from when until when, and to which revision.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::migration::{MigrationId, Trigger};
use super::revision::{Heads, Revision};
use super::service::ServiceId;
use super::time::Timestamp;

/// Identifies an approval: `ap-<time in milliseconds, base 36>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApprovalId(pub String);

impl fmt::Display for ApprovalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How an approval came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalKind {
    /// `migwatch approve`: it ends by time.
    Approve,
    /// `migwatch deploy`: it ends with the command that it was opened for, at the latest by time.
    Deploy,
}

impl ApprovalKind {
    /// The word used in JSON and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deploy => "deploy",
        }
    }
}

/// Somebody's leave for one migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Its identity.
    pub id: ApprovalId,
    /// Whose migration may run: this service's, and those of its name in the other projects of its app.
    pub service: ServiceId,
    /// Who gave it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// From when on (our clock).
    pub from: Timestamp,
    /// Until when at the latest: a migration that begins then is no longer covered.
    pub until: Timestamp,
    /// The one revision that it covers; `None` covers any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Revision>,
    /// The triggers that it covers; none covers all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub triggers: BTreeSet<Trigger>,
    /// The database may be replaced as well: a backup is put back, or all begins anew.
    #[serde(default)]
    pub restore: bool,
    /// How it came about.
    pub kind: ApprovalKind,
}

/// Why an approval is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum ApprovalEnd {
    /// Its time is over.
    Expired,
    /// Somebody took it back.
    Revoked {
        /// Who.
        by: String,
    },
    /// The command of `migwatch deploy` ended.
    CommandEnded,
    /// The migration that it was given for came through.
    UsedUp,
}

impl fmt::Display for ApprovalEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired => f.write_str("expired"),
            Self::Revoked { by } => write!(f, "revoked by {by}"),
            Self::CommandEnded => f.write_str("its command ended"),
            Self::UsedUp => f.write_str("used up"),
        }
    }
}

/// An approval with what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRecord {
    /// As it was given.
    #[serde(flatten)]
    pub approval: Approval,
    /// The migrations that moved something under it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used_by: Vec<MigrationId>,
    /// When and why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// When and why something ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// Why.
    #[serde(flatten)]
    pub why: ApprovalEnd,
}

impl ApprovalRecord {
    /// Just given.
    pub fn new(approval: Approval) -> Self {
        Self {
            approval,
            used_by: Vec::new(),
            ended: None,
        }
    }

    /// Whether it still covers what begins now.
    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// From when on it covered nothing any more.
    pub fn over_at(&self) -> Timestamp {
        let until = self.approval.until;
        self.ended.as_ref().map_or(until, |ended| ended.at.min(until))
    }
}

impl Heads {
    /// Whether a version table with these heads stands at `revision`; `base` means that it is empty.
    pub fn hold(&self, revision: &Revision) -> bool {
        if revision.is_base() {
            self.0.is_empty()
        } else {
            self.0.contains(revision)
        }
    }
}

impl Revision {
    /// Alembic's word for no revision at all.
    pub fn is_base(&self) -> bool {
        self.0 == "base"
    }
}

/// What somebody asks to be approved, before it has its identity and its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalRequest {
    /// Whose migration.
    pub service: ServiceId,
    /// Who asks.
    pub by: String,
    /// Why.
    pub reason: String,
    /// For how long.
    pub lasts: Duration,
    /// The one revision to be covered.
    pub to: Option<Revision>,
    /// The triggers to be covered; none is all.
    pub triggers: BTreeSet<Trigger>,
    /// The database may be replaced as well.
    pub restore: bool,
    /// How it came about.
    pub kind: ApprovalKind,
}

impl ApprovalRequest {
    /// The approval, given at `from`.
    pub fn given(self, id: ApprovalId, from: Timestamp) -> Approval {
        Approval {
            id,
            service: self.service,
            by: self.by,
            reason: self.reason,
            from,
            until: from.after(self.lasts),
            to: self.to,
            triggers: self.triggers,
            restore: self.restore,
            kind: self.kind,
        }
    }
}
