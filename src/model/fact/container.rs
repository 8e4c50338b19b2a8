//! What was concluded from the first sight of a container, and what is remembered of it when it is gone.

use serde::{Deserialize, Serialize};

use crate::model::container::{Armed, RestartPolicy};
use crate::model::policy::Policy;
use crate::model::service::{ContainerId, Role, ServiceId};
use crate::model::time::Timestamp;

/// A container was seen for the first time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerDiscovered {
    /// Its ID.
    pub container: ContainerId,
    /// Its service.
    pub service: ServiceId,
    /// Its role.
    pub role: Role,
    /// Its name then.
    pub name: String,
    /// Compose's number.
    pub number: Option<u32>,
    /// When the engine created it.
    pub created_at: Timestamp,
    /// Whether its next start would migrate.
    pub armed: Armed,
    /// It existed before migwatch watched it: everything up to this time is history.
    pub history_until: Option<Timestamp>,
    /// The policy that its label asks for: remembered after it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// The window that its label names as its policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// The app that its label makes it a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// Whether its label says that its service must be there: remembered after it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// Whether the engine starts it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart_policy: Option<RestartPolicy>,
}
