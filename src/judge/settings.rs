//! What the judge is told by the configuration.

mod windows;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::model::policy::Policy;
use crate::model::probe::ProbeId;
use crate::model::revision::DatabaseId;
use crate::model::service::ServiceId;

pub use windows::{Day, LONGEST, Opening, Scope, Times, Window, Windows};

/// The judge's settings; the defaults are those of the shipped configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The host's name on alerts; empty leaves the label out.
    pub host: String,
    /// The policy where nothing else says.
    pub policy: Policy,
    /// Policies of projects.
    pub projects: BTreeMap<String, Policy>,
    /// What is configured about single services.
    pub services: BTreeMap<ServiceId, ServiceSettings>,
    /// Times at which migrations are expected. Where a policy is a window's name, it stands here, and the policy is `deny`.
    pub windows: Windows,
    /// The app that a project is a part of: services of one name in the projects of one app are one deployment.
    pub apps: BTreeMap<String, String>,
    /// Databases that other hosts migrate too.
    pub moved_by_anywhere: BTreeSet<DatabaseId>,
    /// The receivers' names: who is owed transitions.
    pub receivers: Vec<String>,
    /// How long the alert of an occurrence stays if nobody closes it.
    pub keep: Duration,
    /// How long a container may stay armed before it is said.
    pub armed_after: Duration,
    /// How long a database may be behind the code before it is said.
    pub behind_after: Duration,
    /// How long a migration may show no progress before it is said.
    pub max_duration: Duration,
    /// How long a database may be away before it is said.
    pub database_grace: Duration,
    /// How long migwatch may be blind before it is said.
    pub blind_grace: Duration,
    /// How many failed probes in a row are a failure.
    pub failures: u32,
    /// How many exits nobody asked for make a restart loop ...
    pub restarts: usize,
    /// ... within this time.
    pub restarts_within: Duration,
    /// The configured probes; others were discovered and must have succeeded once before they can fail.
    pub configured_probes: BTreeSet<ProbeId>,
}

/// What is configured about one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceSettings {
    /// Its policy.
    pub policy: Option<Policy>,
    /// It must be there, even if somebody stopped it.
    pub required: Option<bool>,
    /// The database it migrates.
    pub database: Option<DatabaseId>,
    /// The version table it migrates.
    pub table: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            host: String::new(),
            policy: Policy::Explicit,
            projects: BTreeMap::new(),
            services: BTreeMap::new(),
            windows: Windows::default(),
            apps: BTreeMap::new(),
            moved_by_anywhere: BTreeSet::new(),
            receivers: Vec::new(),
            keep: Duration::from_secs(24 * 3600),
            armed_after: Duration::from_secs(3600),
            behind_after: Duration::from_secs(600),
            max_duration: Duration::from_secs(300),
            database_grace: Duration::from_secs(60),
            blind_grace: Duration::from_secs(60),
            failures: 3,
            restarts: 3,
            restarts_within: Duration::from_secs(600),
            configured_probes: BTreeSet::new(),
        }
    }
}

/// The policy in force for a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling<'a> {
    /// One of the three words; `deny` where it is a window.
    pub policy: Policy,
    /// The window outside of which it denies.
    pub window: Option<&'a str>,
}

impl Settings {
    /// The policy in force for a service: its label, else the service's, the project's, the default one.
    pub fn policy_of(&self, service: &ServiceId, label: Option<Policy>) -> Policy {
        self.ruling(service, label, None).policy
    }

    /// The same, where the label may be a window's name; one that no window has says nothing.
    pub fn ruling(&self, service: &ServiceId, label: Option<Policy>, window: Option<&str>) -> Ruling<'_> {
        let windows = &self.windows;
        let by_label = window.and_then(|name| windows.named.get_key_value(name));
        let configured = self.services.get(service).and_then(|settings| settings.policy);
        let by_service = windows.services.get(service);
        let project = self.projects.get(&service.project).copied();
        let by_project = windows.projects.get(&service.project);
        let asked = [
            (by_label.map(|(name, _)| name), label),
            (by_service, configured),
            (by_project, project),
            (windows.everywhere.as_ref(), Some(self.policy)),
        ];
        let found = asked
            .into_iter()
            .find(|(window, policy)| window.is_some() || policy.is_some());
        let (window, policy) = found.unwrap_or_default();
        Ruling {
            policy: if window.is_some() {
                Policy::Deny
            } else {
                policy.unwrap_or(self.policy)
            },
            window: window.map(String::as_str),
        }
    }

    /// The services that must be there as the configuration says, whether they were ever seen or not.
    pub fn required(&self) -> impl Iterator<Item = &ServiceId> {
        let required = self
            .services
            .iter()
            .filter(|(_, service)| service.required == Some(true));
        required.map(|(id, _)| id)
    }

    /// Whether the service must be there: its label, else the configuration, else no.
    pub fn is_required(&self, service: &ServiceId, label: Option<bool>) -> bool {
        let configured = || self.services.get(service).and_then(|settings| settings.required);
        label.or_else(configured).unwrap_or(false)
    }
}
