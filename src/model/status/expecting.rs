//! What expects migrations now, as it is shown.

use serde::{Deserialize, Serialize};

use crate::model::revision::Revision;
use crate::model::service::ServiceId;
use crate::model::time::Timestamp;

/// A window that is open now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenWindow {
    /// Its name.
    pub name: String,
    /// Since when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// The known services that it covers.
    pub services: Vec<ServiceId>,
    /// The one revision that it covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Revision>,
}

/// How many expectations are open for a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectationsOpen {
    /// Approvals.
    pub approvals: u32,
    /// Windows.
    pub windows: u32,
}
