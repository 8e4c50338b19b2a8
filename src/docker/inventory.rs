//! What the daemon may know about each container beyond its look: addresses, ports, environment.
//!
//! Promises the newest state of every watched container, published on each change. It holds secrets, so it is no observation and is never
//! written. Refuses to know what is done with it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::environment::Environment;
use crate::model::container::{Armed, ArmedSource, ArmedState, ContainerLook, FollowLogs, WatchLabels};

/// One watched container.
#[derive(Clone, Debug, PartialEq)]
pub struct Container {
    /// What is observed of it.
    pub look: ContainerLook,
    /// The environment it was created with.
    pub environment: Environment,
    /// Where it is reachable on the engine's networks; empty while it is stopped.
    pub networks: Vec<NetworkAddress>,
    /// It shares the engine's own network: its ports are the host's.
    pub host_network: bool,
    /// The ports published on the host.
    pub published: Vec<PublishedPort>,
    /// The TCP ports that image or service say it listens on.
    pub exposed_ports: Vec<u16>,
    /// The container health check's argv (`["CMD-SHELL", "curl -f http://localhost/health"]`).
    pub healthcheck: Option<Vec<String>>,
    /// Where its code lies.
    pub code: CodePlace,
    /// Whether its log is followed.
    pub follow: Follow,
}

/// Where a container's code lies, as far as its inspection tells: containers that have all of it in common have the same code.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CodePlace {
    /// The image's ID.
    pub image_id: String,
    /// Where Alembic would start: where the container's commands do, or where its command goes first.
    pub working_dir: String,
    /// The paths in the container that are mounted from elsewhere: what lies there is no part of the image.
    pub mounts: Vec<String>,
    /// Alembic's configuration files, or the folders that they lie in, by environment, as labels or the command name them.
    pub configs: BTreeMap<String, String>,
    /// The section of the configuration that the command names.
    pub section: Option<String>,
}

impl CodePlace {
    /// The place as if nothing were mounted into it.
    pub(super) fn image(&self) -> Self {
        Self {
            mounts: Vec::new(),
            ..self.clone()
        }
    }
}

/// An address of a container on one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkAddress {
    /// The network's name.
    pub network: String,
    /// The container's address in it.
    pub ip: IpAddr,
    /// The names that resolve to it there.
    pub aliases: Vec<String>,
}

/// A port published on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedPort {
    /// The port inside.
    pub container_port: u16,
    /// The host's address; unspecified (`0.0.0.0`, `::`) means all.
    pub host_ip: IpAddr,
    /// The port on the host.
    pub host_port: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
}

/// Whether a container's log is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Follow {
    /// It is.
    Yes,
    /// It is not.
    No {
        /// One clause: by choice, or because nothing says that it can migrate.
        reason: String,
    },
}

/// What config and labels together want for a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// `false`: it is as if it did not exist.
    pub enabled: bool,
    /// When its log is followed.
    pub logs: FollowLogs,
    /// What config or label say about it; `None` leaves it to what environment, command and image show.
    pub can_migrate: Option<bool>,
}

/// Decides for a container; the daemon merges config and labels in it.
pub type Choose = Arc<dyn Fn(&ContainerLook) -> Choice + Send + Sync>;

impl Choice {
    /// What the labels alone want.
    pub fn of_labels(labels: &WatchLabels) -> Self {
        Self {
            enabled: labels.enable.unwrap_or(true),
            logs: labels.logs.unwrap_or_default(),
            can_migrate: None,
        }
    }

    /// Whether to follow the log of a container that is armed so.
    pub(super) fn follow(self, armed: &Armed) -> Follow {
        let no = |reason: &str| Follow::No {
            reason: reason.to_owned(),
        };
        match (self.logs, self.can_migrate) {
            (FollowLogs::Never, _) => no("by choice: logs = \"never\""),
            (_, Some(false)) => no("by choice: it does not migrate"),
            (_, None) if armed.source == ArmedSource::Nothing => no("nothing says that it can migrate"),
            _ => Follow::Yes,
        }
    }

    /// A container of which only config or label say that it migrates is neither armed nor disarmed.
    pub(super) fn refine(self, armed: Armed) -> Armed {
        match (self.can_migrate, &armed.source) {
            (Some(true), ArmedSource::Nothing) => Armed {
                state: ArmedState::Unknown,
                source: ArmedSource::Image,
            },
            _ => armed,
        }
    }
}
