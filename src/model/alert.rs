//! Alerts, in Alertmanager's words.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fnv::Fnv;
use super::time::Timestamp;

/// The alerts that exist; a closed set, each with a runbook page of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each has its page in docs/runbooks")]
pub enum AlertName {
    UnexpectedMigration,
    MigrationFailed,
    MigrationHalfApplied,
    MigrationInterrupted,
    ForeignSchemaChange,
    MigrationStuck,
    MigrationNothingApplied,
    ConcurrentMigrations,
    MigrationArmed,
    ExpectedMigrationMissing,
    RevisionBehind,
    RevisionUnknown,
    MultipleHeads,
    RevisionGraphBroken,
    ServiceDown,
    ServiceUnhealthy,
    EndpointDown,
    ProxyDown,
    RestartLoop,
    DatabaseUnreachable,
    SchemaDrift,
    DatabaseReplaced,
    WatcherBlind,
}

impl AlertName {
    /// Every alert that migwatch itself raises.
    pub const ALL: [Self; 23] = [
        Self::UnexpectedMigration,
        Self::MigrationFailed,
        Self::MigrationHalfApplied,
        Self::MigrationInterrupted,
        Self::ForeignSchemaChange,
        Self::MigrationStuck,
        Self::MigrationNothingApplied,
        Self::ConcurrentMigrations,
        Self::MigrationArmed,
        Self::ExpectedMigrationMissing,
        Self::RevisionBehind,
        Self::RevisionUnknown,
        Self::MultipleHeads,
        Self::RevisionGraphBroken,
        Self::ServiceDown,
        Self::ServiceUnhealthy,
        Self::EndpointDown,
        Self::ProxyDown,
        Self::RestartLoop,
        Self::DatabaseUnreachable,
        Self::SchemaDrift,
        Self::DatabaseReplaced,
        Self::WatcherBlind,
    ];

    /// The name as Alertmanager shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnexpectedMigration => "UnexpectedMigration",
            Self::MigrationFailed => "MigrationFailed",
            Self::MigrationHalfApplied => "MigrationHalfApplied",
            Self::MigrationInterrupted => "MigrationInterrupted",
            Self::ForeignSchemaChange => "ForeignSchemaChange",
            Self::MigrationStuck => "MigrationStuck",
            Self::MigrationNothingApplied => "MigrationNothingApplied",
            Self::ConcurrentMigrations => "ConcurrentMigrations",
            Self::MigrationArmed => "MigrationArmed",
            Self::ExpectedMigrationMissing => "ExpectedMigrationMissing",
            Self::RevisionBehind => "RevisionBehind",
            Self::RevisionUnknown => "RevisionUnknown",
            Self::MultipleHeads => "MultipleHeads",
            Self::RevisionGraphBroken => "RevisionGraphBroken",
            Self::ServiceDown => "ServiceDown",
            Self::ServiceUnhealthy => "ServiceUnhealthy",
            Self::EndpointDown => "EndpointDown",
            Self::ProxyDown => "ProxyDown",
            Self::RestartLoop => "RestartLoop",
            Self::DatabaseUnreachable => "DatabaseUnreachable",
            Self::SchemaDrift => "SchemaDrift",
            Self::DatabaseReplaced => "DatabaseReplaced",
            Self::WatcherBlind => "WatcherBlind",
        }
    }

    /// Whether each occurrence is an alert of its own, closed by a person or by time.
    pub fn is_per_occurrence(self) -> bool {
        matches!(
            self,
            Self::UnexpectedMigration
                | Self::MigrationFailed
                | Self::MigrationHalfApplied
                | Self::MigrationInterrupted
                | Self::MigrationNothingApplied
                | Self::ConcurrentMigrations
                | Self::ForeignSchemaChange
        )
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the field's words")]
pub enum Severity {
    Warning,
    Critical,
}

impl Severity {
    /// Every severity.
    pub const ALL: [Self; 2] = [Self::Warning, Self::Critical];

    /// The label value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// An alert's identity: a hash of its labels, 16 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub String);

impl Fingerprint {
    /// That of an alert with this name and these labels, which come in the order of their keys.
    pub fn of<'a>(name: AlertName, labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut hash = Fnv::default();
        hash.eat(name.as_str());
        for (key, value) in labels {
            hash.eat(key);
            hash.eat(value);
        }
        let hash = hash.hash();
        Self(format!("{hash:016x}"))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Which.
    pub name: AlertName,
    /// How bad.
    pub severity: Severity,
    /// Its labels beside `alertname` and `severity`: `project`, `service`, `migration`, `database`, `host`, ...
    pub labels: BTreeMap<String, String>,
    /// One line for the pager.
    pub summary: String,
    /// What was seen, when and by which witness, and what to do.
    pub description: String,
    /// When it began to fire.
    pub starts_at: Timestamp,
    /// When the evidence that raised it had arrived here (our clock); for the detection histogram.
    pub observed_at: Timestamp,
    /// When and why it was resolved.
    pub resolved: Option<Resolution>,
}

/// When and why an alert ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// When.
    pub at: Timestamp,
    /// One clause: `acknowledged by kim`, `the service is up`.
    pub reason: String,
}

impl Alert {
    /// The identity: FNV-1a over name and labels (severity left out, so that a change of severity is the same alert).
    pub fn fingerprint(&self) -> Fingerprint {
        let labels = self.labels.iter();
        Fingerprint::of(
            self.name,
            labels.map(|(key, value)| (key.as_str(), value.as_str())),
        )
    }

    /// Where the page about this alert is.
    pub fn runbook(&self) -> String {
        format!("docs/runbooks/{}.md", self.name.as_str())
    }

    /// What a person types to close it: the migration's ID where there is one, else the fingerprint.
    pub fn ack_command(&self) -> String {
        match self.labels.get("migration") {
            Some(migration) => format!("migwatch ack {migration}"),
            None => format!("migwatch ack {}", self.fingerprint()),
        }
    }
}

/// A change of an alert that receivers are told of, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// Counts up by one over the journal's whole life.
    pub number: u64,
    /// The alert as it was after the change; `resolved` tells which way it went. Shared: many may wait for a receiver that is away.
    pub alert: Arc<Alert>,
}

impl Transition {
    /// The same for every repeat of the same message: `<fingerprint>-<firing|resolved>-<number>`.
    pub fn key(&self) -> String {
        format!("{}-{}-{}", self.alert.fingerprint(), self.phase(), self.number)
    }

    /// `firing` or `resolved`.
    pub fn phase(&self) -> &'static str {
        if self.alert.resolved.is_some() {
            "resolved"
        } else {
            "firing"
        }
    }
}

/// What the receivers work from: a view of the state, newest value only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    /// The present level: every alert that fires now.
    pub firing: Vec<Arc<Alert>>,
    /// The transitions that at least one receiver has not taken yet, oldest first.
    pub transitions: Vec<Transition>,
    /// Per receiver the number of the last transition it took.
    pub delivered: BTreeMap<String, u64>,
}
