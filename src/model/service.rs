//! Who is watched: compose services and their containers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A compose service: `project/service`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ServiceId {
    /// The compose project.
    pub project: String,
    /// The service's name inside the project.
    pub service: String,
}

impl ServiceId {
    /// The service `service` of the project `project`.
    pub fn new(project: impl Into<String>, service: impl Into<String>) -> Self {
        Self {
            project: project.into(),
            service: service.into(),
        }
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.project, self.service)
    }
}

/// The engine's full ID of a container. Names change during a recreate; this does not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContainerId(pub String);

impl ContainerId {
    /// The first twelve characters, as `docker ps` shows them.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}

/// What a container is to its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// One of the service's regular containers.
    Replica,
    /// Made by `compose run`.
    OneOff,
    /// A `pre_start` hook of Compose 5.3 and later.
    Hook,
    /// No container: a local process that is watched through its log file.
    Process,
}

impl Role {
    /// Whether it is there for as long as its service is: a regular container, or a local process.
    pub fn is_regular(self) -> bool {
        matches!(self, Self::Replica | Self::Process)
    }
}
