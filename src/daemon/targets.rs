//! From the inventory and the configuration to what is probed and which databases are read. The one place where containers'
//! addresses meet the edges that use them.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::database::{self, Tables, found as databases};
use crate::docker::{Choice, Choose, Container};
use crate::files;
use crate::model::container::{ArmedSource, ContainerState, FollowLogs};
use crate::model::service::Role;
use crate::probe::{self, found as probes};

/// How found endpoints are asked.
const PACE: probes::Pace = probes::Pace {
    interval: Duration::from_secs(15),
    timeout: Duration::from_secs(5),
};

/// What config and labels want for a container; a label wins.
pub(super) fn choose(config: watch::Receiver<Arc<Config>>) -> Choose {
    Arc::new(move |look| {
        let configured = config.borrow().follow.get(&look.service).copied();
        let by_label = Choice::of_labels(&look.labels);
        let is_migrating = look.labels.migrations.is_some()
            || look.labels.window.is_some()
            || look.labels.db_table.is_some()
            || !look.labels.env_tables.is_empty()
            || !look.labels.env_dirs.is_empty()
            || config
                .borrow()
                .settings
                .services
                .get(&look.service)
                .is_some_and(|service| {
                    service.policy.is_some() || service.table.is_some() || service.database.is_some()
                });
        Choice {
            enabled: by_label.enabled,
            logs: look.labels.logs.or(configured).unwrap_or(FollowLogs::Always),
            can_migrate: is_migrating.then_some(true),
        }
    })
}

/// Keeps targets in step with inventory and configuration.
pub(super) struct Deriver {
    pub(super) config: watch::Receiver<Arc<Config>>,
    pub(super) inventory: watch::Receiver<Arc<Vec<Container>>>,
    pub(super) probes: watch::Sender<Arc<Vec<probe::Target>>>,
    pub(super) databases: watch::Sender<Arc<Vec<database::Target>>>,
    pub(super) processes: watch::Sender<Arc<Vec<files::Process>>>,
    pub(super) warnings: Arc<Mutex<Vec<String>>>,
}

impl Deriver {
    pub(super) async fn run(mut self, stop: CancellationToken) {
        loop {
            self.derive();
            tokio::select! {
                () = stop.cancelled() => return,
                Ok(()) = self.config.changed() => {}
                Ok(()) = self.inventory.changed() => {}
                else => {
                    stop.cancelled().await;
                    return;
                }
            }
        }
    }

    fn derive(&mut self) {
        let config = Arc::clone(&self.config.borrow_and_update());
        let containers = Arc::clone(&self.inventory.borrow_and_update());
        let targets = derive(&config, &containers);
        self.processes.send_if_modified(|known| {
            let is_new = **known != config.processes;
            if is_new {
                *known = Arc::new(config.processes.clone());
            }
            is_new
        });
        self.probes.send_replace(Arc::new(targets.probes));
        self.databases.send_replace(Arc::new(targets.databases));
        *self.warnings.lock().unwrap_or_else(PoisonError::into_inner) = targets.warnings;
    }
}

/// What is probed and read.
#[derive(Debug)]
pub struct Targets {
    /// Endpoints.
    pub probes: Vec<probe::Target>,
    /// Databases.
    pub databases: Vec<database::Target>,
    /// One sentence for everything that could not be used.
    pub warnings: Vec<String>,
}

/// From configuration and containers to targets.
pub(super) fn derive(config: &Config, containers: &[Container]) -> Targets {
    let mut warnings = Vec::new();
    let probes = probe_targets(config, containers, &mut warnings);
    let databases = database_targets(config, containers, &mut warnings);
    warnings.sort();
    warnings.dedup();
    Targets {
        probes,
        databases,
        warnings,
    }
}

fn probe_targets(
    config: &Config,
    containers: &[Container],
    warnings: &mut Vec<String>,
) -> Vec<probe::Target> {
    let seen: Vec<probes::Seen<'_>> = containers
        .iter()
        .map(|container| probes::Seen {
            look: &container.look,
            healthcheck: container.healthcheck.as_deref(),
            address: address(container),
        })
        .collect();
    let found = probes::targets(&seen, PACE);
    warnings.extend(found.warnings);
    let mut targets = config.probes.clone();
    for target in found.targets {
        let is_configured = config
            .probes
            .iter()
            .any(|known| known.id.service == target.id.service && known.id.via == target.id.via);
        if !is_configured {
            targets.push(target);
        }
    }
    targets
}

/// An address of a running container as it is seen from this host.
fn address(container: &Container) -> Option<IpAddr> {
    if container.host_network {
        return Some(IpAddr::from([127, 0, 0, 1]));
    }
    container.networks.first().map(|network| network.ip)
}

fn database_targets(
    config: &Config,
    containers: &[Container],
    warnings: &mut Vec<String>,
) -> Vec<database::Target> {
    let mut targets: Vec<database::Target> = config.databases.clone();
    for target in &mut targets {
        let project = target.services.first().map(|service| service.project.clone());
        let host = target.url.server().map(|server| server.host.clone());
        if let (Some(project), Some(host)) = (project, host)
            && let Some(address) = resolve(containers, &project, &host)
        {
            target.url = target.url.clone().at(address);
        }
    }
    if !config.use_found_databases {
        return targets;
    }
    for container in containers.iter().filter(|container| may_use(container)) {
        let service = &container.look.service;
        if config
            .databases
            .iter()
            .any(|target| target.services.contains(service))
        {
            continue;
        }
        let get = |name: &str| container.environment.get(name).map(str::to_owned);
        let Some(found) = databases::from_environment(&get) else {
            continue;
        };
        warnings.extend(found.warning().map(|warning| format!("{service}: {warning}")));
        let hosts = |name: &str| match name {
            "localhost" | "127.0.0.1" | "::1" => address(container),
            name => resolve(containers, &service.project, name),
        };
        let Some(resolved) = databases::resolve(&found, &service.project, &hosts) else {
            continue;
        };
        match targets.iter_mut().find(|target| target.id == resolved.id) {
            Some(known) if known.services.contains(service) => {}
            Some(known) => known.services.push(service.clone()),
            None => targets.push(database::Target {
                id: resolved.id,
                services: vec![service.clone()],
                url: resolved.url,
                tables: Tables::Found,
                ca: None,
            }),
        }
    }
    targets
}

/// Only a service that can migrate, and whose labels do not forbid it, has its credentials used.
fn may_use(container: &Container) -> bool {
    let look = &container.look;
    look.role == Role::Replica
        && look
            .labels
            .db_enable
            .unwrap_or(look.armed.source != ArmedSource::Nothing)
}

/// The address of the container that a name means inside a project.
fn resolve(containers: &[Container], project: &str, name: &str) -> Option<IpAddr> {
    let in_project = containers.iter().filter(|container| {
        container.look.service.project == project && container.look.state == ContainerState::Running
    });
    let mut addresses = in_project.flat_map(|container| {
        let is_called = container.look.service.service == name || container.look.name == name;
        container
            .networks
            .iter()
            .filter(move |network| is_called || network.aliases.iter().any(|alias| alias == name))
            .map(|network| network.ip)
    });
    addresses.next()
}
