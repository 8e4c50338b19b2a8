//! A world: an engine with containers, their logs, a database, one local process; and what really happened in it. Knows nothing of who
//! watches it. Everything is recorded with its time, so that any moment can be looked at afterwards.

use std::collections::BTreeMap;
use std::time::Duration;

use migwatch::judge::settings::{ServiceSettings, Settings};
use migwatch::lines::{Patterns, understand};
use migwatch::model::container::{ContainerLook, ContainerState, RestartPolicy, WatchLabels};
use migwatch::model::exec::{ExecId, MigrationCommand};
use migwatch::model::log::{LineKey, LogLine, Saying, Stream};
use migwatch::model::policy::Policy;
use migwatch::model::revision::{DatabaseId, Heads, Standing};
use migwatch::model::service::{ContainerId, Role, ServiceId};
use migwatch::model::time::Timestamp;

use super::plan::Switch;
use super::truth::Truth;
use crate::support::story::{
    BACKEND, BACKEND_TABLE, RAG, RAG_TABLE, armed, bare_command, disarmed, service_id, unset_means_true,
};

/// What the engine tells by an event.
#[derive(Clone, Debug)]
pub(super) enum What {
    Created,
    Started,
    Killed,
    Died(i32),
    Removed,
    ExecStarted(ExecId, MigrationCommand),
    ExecEnded(ExecId, i32),
}

/// One event of the engine.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) at: Timestamp,
    pub(super) container: ContainerId,
    pub(super) what: What,
}

/// A service as it is deployed now.
pub(super) struct Deployed {
    pub(super) id: ServiceId,
    pub(super) table: &'static str,
    pub(super) policy: Policy,
    /// Where its table stands: a number that stands for a revision.
    pub(super) head: u32,
    /// How its containers are switched.
    pub(super) switch: Switch,
    /// When the truth began that failed in its containers as they are, and when it had failed at last.
    pub(super) failed: Option<(Timestamp, Timestamp)>,
    /// Its containers by number.
    pub(super) replicas: BTreeMap<u32, ContainerId>,
    /// Whether the last container of a number was switched on by its environment, and when it was created.
    pub(super) armed: BTreeMap<u32, (bool, Timestamp)>,
}

/// The start of a container.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    pub(super) at: Timestamp,
    pub(super) until: Option<Timestamp>,
}

/// All of it.
pub(super) struct World {
    pub(super) now: Timestamp,
    /// When migwatch comes.
    pub(super) installed_at: Timestamp,
    pub(super) settings: Settings,
    pub(super) services: [Deployed; 2],
    pub(super) events: Vec<Event>,
    pub(super) looks: BTreeMap<ContainerId, Vec<(Timestamp, Option<ContainerLook>)>>,
    pub(super) starts: BTreeMap<ContainerId, Vec<Begun>>,
    pub(super) logs: BTreeMap<ContainerId, Vec<LogLine>>,
    /// What the local process writes, and where each line ends in its file.
    pub(super) file: Vec<(Timestamp, Saying, u64)>,
    pub(super) tables: BTreeMap<&'static str, Vec<(Timestamp, Standing)>>,
    pub(super) truths: Vec<Truth>,
    patterns: Patterns,
    made: u8,
    execs: u32,
}

/// The database of both services.
pub(super) fn database() -> DatabaseId {
    DatabaseId("mariadb:3306/coe".into())
}

/// The local process.
pub(super) fn process() -> ServiceId {
    ServiceId::new("local", "coe-backend")
}

pub(super) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The revision of a table that a number stands for.
pub(super) fn revision(table: &str, number: u32) -> String {
    let letter = if table == BACKEND_TABLE { 'b' } else { 'e' };
    format!("{letter}{number:03x}")
}

pub(super) fn heads(table: &str, number: u32) -> Heads {
    Heads::of([revision(table, number)])
}

impl World {
    /// Both services run and skipped their migrations, long before anybody watched.
    pub(super) fn new(policies: [Policy; 2], configured: bool) -> Self {
        let mut settings = Settings {
            receivers: vec!["pager".into()],
            ..Settings::default()
        };
        let names = [(BACKEND, BACKEND_TABLE), (RAG, RAG_TABLE)];
        for ((name, table), policy) in names.into_iter().zip(policies) {
            let of_service = ServiceSettings {
                policy: Some(policy),
                table: configured.then(|| table.to_owned()),
                ..ServiceSettings::default()
            };
            settings.services.insert(service_id(name), of_service);
        }
        settings.projects.insert("local".into(), policies[0]);
        let deployed = |index: usize| Deployed {
            id: service_id(names[index].0),
            table: names[index].1,
            policy: policies[index],
            head: 64,
            switch: Switch::Off,
            failed: None,
            replicas: BTreeMap::new(),
            armed: BTreeMap::new(),
        };
        let mut world = Self {
            now: "2026-11-23T08:00:00Z".parse().unwrap(),
            installed_at: Timestamp::default(),
            settings,
            services: [deployed(0), deployed(1)],
            events: Vec::new(),
            looks: BTreeMap::new(),
            starts: BTreeMap::new(),
            logs: BTreeMap::new(),
            file: Vec::new(),
            tables: BTreeMap::new(),
            truths: Vec::new(),
            patterns: Patterns::builtin(),
            made: 0,
            execs: 0,
        };
        for index in 0..2 {
            let (table, head) = (world.services[index].table, world.services[index].head);
            world.stands(table, Standing::At(heads(table, head)));
            let container = world.creates_replica(index, 1, Switch::Off);
            world.starts_now(&container);
        }
        world.passes(ms(3_600_000));
        world.installed_at = world.now;
        world
    }

    pub(super) fn passes(&mut self, by: Duration) {
        self.now = self.now.after(by);
    }

    fn tells(&mut self, container: &ContainerId, what: What) {
        self.events.push(Event {
            at: self.now,
            container: container.clone(),
            what,
        });
    }

    /// Where a table stands from now on.
    pub(super) fn stands(&mut self, table: &'static str, standing: Standing) {
        self.tables.entry(table).or_default().push((self.now, standing));
    }

    /// A service's table moves to this number.
    pub(super) fn moves_to(&mut self, index: usize, head: u32) {
        self.services[index].head = head;
        let table = self.services[index].table;
        self.stands(table, Standing::At(heads(table, head)));
    }

    /// The engine creates a container.
    pub(super) fn creates(
        &mut self,
        service: &ServiceId,
        switch: Switch,
        number: Option<u32>,
    ) -> ContainerId {
        self.passes(ms(40));
        self.made += 1;
        let id = ContainerId(format!("{:02x}", self.made).repeat(32));
        let look = ContainerLook {
            id: id.clone(),
            name: format!("{}-{}", service.service, self.made),
            service: service.clone(),
            role: if number.is_some() {
                Role::Replica
            } else {
                Role::OneOff
            },
            number,
            image: "coe:latest".into(),
            created_at: self.now,
            state: ContainerState::Created,
            started_at: None,
            finished_at: None,
            exit_code: 0,
            oom_killed: false,
            restart_count: 0,
            restart_policy: RestartPolicy::UnlessStopped,
            health: None,
            tty: false,
            armed: match switch {
                Switch::On => armed(),
                Switch::Off => disarmed(),
                Switch::Unset => unset_means_true(),
                Switch::Bare => bare_command(),
            },
            runs: None,
            labels: WatchLabels::default(),
        };
        self.looks.insert(id.clone(), vec![(self.now, Some(look))]);
        self.tells(&id, What::Created);
        id
    }

    /// A replica of a service, beside the one that it is to replace.
    pub(super) fn creates_replica(&mut self, index: usize, number: u32, switch: Switch) -> ContainerId {
        let service = self.services[index].id.clone();
        let id = self.creates(&service, switch, Some(number));
        let now = self.now;
        let deployed = &mut self.services[index];
        deployed.replicas.insert(number, id.clone());
        deployed.armed.insert(number, (switch == Switch::On, now));
        id
    }

    /// Changes what the engine shows of a container from now on.
    pub(super) fn shows(&mut self, container: &ContainerId, change: impl FnOnce(&mut ContainerLook)) {
        let history = self.looks.get_mut(container).unwrap();
        let mut look = history.last().unwrap().1.clone().expect("it is there");
        change(&mut look);
        history.push((self.now, Some(look)));
    }

    pub(super) fn starts_now(&mut self, container: &ContainerId) {
        let now = self.now;
        self.shows(container, |look| {
            look.state = ContainerState::Running;
            look.started_at = Some(now);
        });
        let starts = self.starts.entry(container.clone()).or_default();
        starts.push(Begun { at: now, until: None });
        self.passes(ms(2));
        self.tells(container, What::Started);
    }

    /// A start by the engine's restart policy.
    pub(super) fn restarts_by_policy(&mut self, container: &ContainerId) {
        self.passes(ms(500));
        self.shows(container, |look| look.restart_count += 1);
        self.starts_now(container);
    }

    pub(super) fn dies(&mut self, container: &ContainerId, exit_code: i32) {
        self.passes(ms(30));
        let now = self.now;
        self.shows(container, |look| {
            look.state = ContainerState::Exited;
            look.finished_at = Some(now);
            look.exit_code = exit_code;
        });
        let starts = self.starts.get_mut(container).unwrap();
        starts.last_mut().unwrap().until = Some(now);
        self.passes(ms(2));
        self.tells(container, What::Died(exit_code));
    }

    /// Somebody stops it through the API, if it runs.
    pub(super) fn stops(&mut self, container: &ContainerId) {
        let is_running = |look: &ContainerLook| look.state == ContainerState::Running;
        if self.look(container, self.now).is_some_and(is_running) {
            self.tells(container, What::Killed);
            self.passes(ms(900));
            self.dies(container, 137);
        }
    }

    pub(super) fn removes(&mut self, container: &ContainerId) {
        self.passes(ms(60));
        self.looks.get_mut(container).unwrap().push((self.now, None));
        self.tells(container, What::Removed);
    }

    /// A line of a container's log, now.
    pub(super) fn says(&mut self, container: &ContainerId, text: &str) {
        self.passes(ms(15));
        let saying = understand(&self.patterns, text);
        let saying = saying.unwrap_or_else(|| panic!("a line that is understood: {text}"));
        let log = self.logs.entry(container.clone()).or_default();
        let key = LineKey {
            at: self.now,
            stream: Stream::Stdout,
            hash: u64::try_from(log.len()).unwrap(),
            ordinal: 0,
        };
        log.push(LogLine { key, saying });
    }

    /// A line of the local process's file, now.
    pub(super) fn writes(&mut self, text: &str) {
        self.passes(ms(15));
        let saying = understand(&self.patterns, text).expect("a line that is understood");
        let end = self.file.last().map_or(0, |line| line.2) + u64::try_from(text.len()).unwrap() + 1;
        self.file.push((self.now, saying, end));
    }

    pub(super) fn exec_starts(&mut self, container: &ContainerId, command: MigrationCommand) -> ExecId {
        self.execs += 1;
        let exec = ExecId(format!("exec-{}", self.execs));
        self.tells(container, What::ExecStarted(exec.clone(), command));
        exec
    }

    pub(super) fn exec_ends(&mut self, container: &ContainerId, exec: ExecId, exit_code: i32) {
        self.tells(container, What::ExecEnded(exec, exit_code));
    }

    /// When an exec ended, and how.
    pub(super) fn exec_end(&self, exec: &ExecId) -> Option<(Timestamp, i32)> {
        self.events.iter().find_map(|event| match &event.what {
            What::ExecEnded(ended, exit_code) if ended == exec => Some((event.at, *exit_code)),
            _ => None,
        })
    }

    /// What the engine shows of a container at a moment.
    pub(super) fn look(&self, container: &ContainerId, at: Timestamp) -> Option<&ContainerLook> {
        let history = self.looks.get(container)?;
        let latest = history.iter().rfind(|(since, _)| *since <= at)?;
        latest.1.as_ref()
    }

    /// What it shows of all.
    pub(super) fn full_look(&self, at: Timestamp) -> Vec<ContainerLook> {
        let all = self.looks.keys().filter_map(|id| self.look(id, at));
        all.cloned().collect()
    }

    /// What stands in the database at a moment.
    pub(super) fn standings(&self, at: Timestamp) -> BTreeMap<String, Standing> {
        let standing = |history: &Vec<(Timestamp, Standing)>| {
            let latest = history.iter().rfind(|(since, _)| *since <= at);
            latest.map(|(_, standing)| standing.clone())
        };
        let all = self.tables.iter();
        all.filter_map(|(table, history)| Some(((*table).to_owned(), standing(history)?)))
            .collect()
    }
}
