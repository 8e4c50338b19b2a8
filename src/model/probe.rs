//! What a health probe is asked and what came back.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::service::ServiceId;
use super::time::Timestamp;

/// Which way a probe goes to its service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// Through the proxy in front.
    Edge,
    /// To the service itself.
    #[default]
    Direct,
}

impl Via {
    /// The word used in metrics and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Direct => "direct",
        }
    }
}

/// A probe's identity: its name is unique.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProbeId {
    /// The service that the probe is about.
    pub service: ServiceId,
    /// The configured name, or `health` for a discovered one.
    pub name: String,
    /// Which way it goes.
    pub via: Via,
}

/// What one probe found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeResult {
    /// When it ended.
    pub at: Timestamp,
    /// How long each phase took, in the order in which they happened.
    pub phases: Vec<(Phase, Duration)>,
    /// The HTTP status, if one came back.
    pub http_status: Option<u16>,
    /// When the server's certificate ends, if there was one.
    pub certificate_until: Option<Timestamp>,
    /// `None` means success.
    pub failure: Option<ProbeFailure>,
}

/// The phases of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Name resolution.
    Resolve,
    /// TCP connect.
    Connect,
    /// TLS handshake.
    Tls,
    /// From the request sent to the response's head.
    Response,
    /// Reading the body.
    Body,
}

impl Phase {
    /// The word used as metric label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Response => "response",
            Self::Body => "body",
        }
    }
}

/// Why a probe failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeFailure {
    /// The closed word.
    pub reason: FailureReason,
    /// One sentence for people, without secrets: `answered 502, expected 200`.
    pub detail: String,
}

/// The closed set of failure reasons, also metric labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words explain themselves and stand in the README")]
pub enum FailureReason {
    Dns,
    Connect,
    Tls,
    Timeout,
    Status,
    Body,
    Protocol,
}

impl FailureReason {
    /// Every reason, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::Status,
        Self::Body,
        Self::Protocol,
    ];

    /// The word used as metric label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Status => "status",
            Self::Body => "body",
            Self::Protocol => "protocol",
        }
    }
}
