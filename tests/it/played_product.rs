//! The whole product on the played engine: the real program, a webhook that listens, and what it is told. The scenarios are those of the
//! real engine (`e2e`, `engine_away`), by the same names; a house rule compares the lists.
//!
//! Each test shows what it promises three times: by migwatch's facts, by its metrics, and by what the webhook was told, in order.
//! That something is quiet is proved by a sentinel: a later migration on the same path, which must be heard.

mod approving;
mod crashes;
mod deploys;
mod endpoints;
mod engine_away;
mod failures;
mod replicas;
mod tables;
mod verdicts;

use std::time::Duration;

use migwatch::model::log::Stream;
use migwatch::model::migration::{Grade, Migration, Outcome, Rule, Verdict};
use migwatch::model::service::{ContainerId, ServiceId};
use migwatch::model::status::ServiceStatus;

use crate::support::clock::wall_clock;
use crate::support::daemon::{Daemon, Home};
use crate::support::fake_engine::FakeEngine;
use crate::support::fake_engine::containers::ContainerSpec;
use crate::support::judged::{from_to, is_confirmed, judgement, span};
use crate::support::receiver::{Received, Receiver};
use crate::support::sqlite_file::SqliteFile;
use crate::support::stack::Compose;
use crate::support::waiting::until;

/// The project that is watched.
pub(crate) const PROJECT: &str = "shop";

/// What a start script says, and the application behind it.
pub(crate) const RUN: &str = "Running Alembic migrations...";
pub(crate) const SKIP: &str = "Skipping Alembic migrations (RUN_MIGRATIONS=false)";
pub(crate) const UP: &str = "[INFO] Listening at: http://0.0.0.0:8000 (7)";

/// Revisions of the backend: its first one, its head, and the next release's.
const FIRST: &str = "7456428295d9";
const HEAD: &str = "c8e94b1a7d35";
const NEXT: &str = "e1b7a90c42f6";

/// The played engine, the daemon that watches it, and whom that tells.
pub(crate) struct Stage {
    pub(crate) engine: FakeEngine,
    pub(crate) receiver: Receiver,
    pub(crate) home: Home,
    /// None while it is dead.
    daemon: Option<Daemon>,
}

impl Stage {
    /// An engine that nobody watches yet; `policy` is that of the project, `more` is added to the configuration.
    fn new(policy: &str, more: &str) -> Self {
        let engine = FakeEngine::new();
        let receiver = Receiver::start();
        let home = Home::new(&engine.socket());
        home.configure(&format!(
            "[policy]\nmigrations = \"{policy}\"\n[project.sentinel]\nmigrations = \"deny\"\n\
             [receiver.webhook.test]\nurl = \"{}\"\n{more}",
            receiver.url("/")
        ));
        let stage = Self {
            engine,
            receiver,
            home,
            daemon: None,
        };
        // What is created before the watch must have been there before it.
        stage.set_back(Duration::from_secs(30));
        stage
    }

    /// An engine without containers that is watched.
    pub(crate) async fn watch(policy: &str, more: &str) -> Self {
        let mut stage = Self::new(policy, more);
        stage.start().await;
        stage
    }

    /// Starts migwatch (again), and waits until the engine was looked at: from then on nothing is history.
    pub(crate) async fn start(&mut self) {
        let daemon = self.daemon.insert(self.home.start().await);
        daemon.until_answers("/-/ready", 200).await;
        self.catch_up();
    }

    /// Ends migwatch as a crash would.
    pub(crate) async fn kill(&mut self) {
        self.daemon.take().expect("it runs").kill().await;
    }

    pub(crate) fn daemon(&self) -> &Daemon {
        self.daemon.as_ref().expect("it runs")
    }

    /// The engine's clock stands still between its deeds: from now on it is this machine's.
    pub(crate) fn catch_up(&self) {
        self.set_back(Duration::ZERO);
    }

    fn set_back(&self, by: Duration) {
        let clock = self.engine.clock();
        let engine: &dyn migwatch::model::time::Clock = &*clock;
        clock.advance(wall_clock().now().before(by).since(engine.now()));
    }

    /// A new container that starts and says these lines.
    pub(crate) fn up(&self, spec: ContainerSpec, lines: &[&str]) -> ContainerId {
        let id = self.engine.create(spec);
        self.starts(&id, lines);
        id
    }

    /// A start, and what it says. Alembic logs to the standard error, scripts print.
    fn starts(&self, id: &ContainerId, lines: &[&str]) {
        self.engine.start(id);
        for line in lines {
            self.says(id, line);
        }
    }

    pub(crate) fn says(&self, id: &ContainerId, line: &str) {
        let is_logged = line.starts_with("INFO") || line.starts_with("sqlalchemy.exc");
        let stream = if is_logged { Stream::Stderr } else { Stream::Stdout };
        self.engine.log(id, stream, line);
    }

    /// As `compose stop`: the process does not mind the signal and is killed when the grace is over.
    pub(crate) fn stop(&self, id: &ContainerId) {
        self.catch_up();
        self.engine.kill(id, 15);
        self.engine.kill(id, 9);
        self.engine.die(id, 137);
        self.engine.event(id, "stop", &[]);
    }

    /// As `compose restart`.
    fn restart(&self, id: &ContainerId, lines: &[&str]) {
        self.stop(id);
        self.starts(id, lines);
    }

    /// As this Compose makes a container anew: `lines` is what the new one says.
    pub(crate) fn recreate(
        &self,
        compose: Compose,
        old: &ContainerId,
        spec: ContainerSpec,
        lines: &[&str],
    ) -> ContainerId {
        let name = spec.name.clone();
        let temporary = format!("{}_{name}", old.short());
        match compose {
            Compose::One => {
                self.stop(old);
                self.engine.rename(old, &temporary);
                let new = self.up(spec, lines);
                self.engine.remove(old);
                new
            }
            Compose::Two => {
                self.catch_up();
                let new = self.engine.create(ContainerSpec {
                    name: temporary,
                    ..spec
                });
                self.stop(old);
                self.engine.remove(old);
                self.engine.rename(&new, &name);
                self.starts(&new, lines);
                new
            }
        }
    }

    /// The project's migrations of one service, oldest first.
    pub(crate) async fn migrations(&self, service: &str) -> Vec<Migration> {
        let id = ServiceId::new(PROJECT, service);
        let mut all = self.daemon().status().await.migrations;
        all.retain(|migration| migration.service == id);
        all.sort_by_key(|migration| migration.started_at);
        all
    }

    /// Waits until the service's newest migration is such, being the `count`th.
    async fn migration(
        &self,
        service: &str,
        count: usize,
        what: &str,
        is_such: impl Fn(&Migration) -> bool,
    ) -> Migration {
        let what = format!("migration {count} of {service}: {what}");
        until(&what, async || {
            let all = self.migrations(service).await;
            let is_there = all.len() == count && all.last().is_some_and(&is_such);
            let newest = all.last().cloned();
            newest.filter(|_| is_there).ok_or_else(|| format!("{all:#?}"))
        })
        .await
    }

    /// Waits until the service is such.
    pub(crate) async fn service(
        &self,
        name: &str,
        what: &str,
        is_such: impl Fn(&ServiceStatus) -> bool,
    ) -> ServiceStatus {
        let id = ServiceId::new(PROJECT, name);
        let is_there = |service: &&ServiceStatus| service.service == id && is_such(service);
        let wanted = format!("{name}: {what}");
        let status = self
            .daemon()
            .until(&wanted, |status| {
                status.services.iter().any(|service| is_there(&service))
            })
            .await;
        let found = status.services.iter().find(is_there);
        found.cloned().expect("it was waited for")
    }

    /// Waits until the webhook was told just this of the project, and gives the messages.
    async fn told(&self, wanted: &[&str]) -> Vec<Received> {
        let what = format!("told is {wanted:?}");
        let all = self
            .receiver
            .until(&what, |all| short(&of_project(all)) == wanted)
            .await;
        of_project(&all)
    }

    /// What was told by the time at which the sentinel is heard is `wanted`, nothing else.
    async fn heard_before_the_sentinel(&self, wanted: &[&str]) -> Vec<Received> {
        let before = self.before_the_sentinel().await;
        assert_eq!(short(&before), wanted);
        before
    }

    /// A migration that nobody planned, in a project of its own, is heard; gives what was told of the project before.
    async fn before_the_sentinel(&self) -> Vec<Received> {
        self.catch_up();
        let spec = ContainerSpec {
            command: app("sentinel", "true").command,
            environment: app("sentinel", "true").environment,
            ..ContainerSpec::service("sentinel", "sentinel")
        };
        self.up(spec, &[RUN, &step("0", "1"), UP]);
        let is_sentinel = |message: &Received| label(message, "project") == "sentinel";
        let all = self
            .receiver
            .until("the sentinel is heard", |all| all.iter().any(is_sentinel))
            .await;
        of_project(&all)
    }

    /// The value of the one series `name` with the project's, the service's and these labels; `None` where there is none.
    async fn metric(&self, name: &str, service: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let own = [("project", PROJECT), ("service", service)];
        self.daemon().series(name, &[&own, labels].concat()).await
    }

    /// Settled migrations with an outcome as counted.
    async fn counted(&self, service: &str, outcome: &str) -> Option<f64> {
        self.metric("migwatch_migrations_total", service, &[("outcome", outcome)])
            .await
    }

    /// Verdicts on startups as counted.
    async fn judged(&self, service: &str, verdict: &str) -> Option<f64> {
        let labels = [("trigger", "startup"), ("verdict", verdict)];
        self.metric("migwatch_migration_verdicts_total", service, &labels)
            .await
    }
}

/// A service of the project; `switch` is what its environment says of migrations.
pub(crate) fn app(service: &str, switch: &str) -> ContainerSpec {
    const START: &str =
        "if [ \"${RUN_MIGRATIONS:-true}\" = true ]; then alembic upgrade head; fi && gunicorn app";
    ContainerSpec {
        command: ["sh", "-c", START].map(str::to_owned).to_vec(),
        environment: vec![format!("RUN_MIGRATIONS={switch}")],
        ..ContainerSpec::service(PROJECT, service)
    }
}

/// What Alembic logs before it carries a step out; `from` nothing is base.
pub(crate) fn step(from: &str, to: &str) -> String {
    format!("INFO  [alembic.runtime.migration] Running upgrade {from} -> {to}, 사용자 추가")
}

/// The messages about the project, in the order in which they came.
fn of_project(messages: &[Received]) -> Vec<Received> {
    let about = messages
        .iter()
        .filter(|message| label(message, "project") == PROJECT);
    about.cloned().collect()
}

/// Each message as `AlertName(service)`, with what became of the alert unless it began to fire.
fn short(messages: &[Received]) -> Vec<String> {
    let text = |message: &Received| {
        let name = message.body["alert"]["name"].as_str().unwrap_or_default();
        let what = format!("{name}({})", label(message, "service"));
        match message.body["phase"].as_str() {
            Some("firing") => what,
            phase => format!("{what} {}", phase.unwrap_or("in no phase")),
        }
    };
    messages.iter().map(text).collect()
}

/// The same in the order of names: logs and events of the engine are read beside each other.
fn sorted(messages: &[Received]) -> Vec<String> {
    let mut short = short(messages);
    short.sort_unstable();
    short
}

fn label<'message>(message: &'message Received, name: &str) -> &'message str {
    message.body["alert"]["labels"][name].as_str().unwrap_or_default()
}

/// Summary and description.
fn words(message: &Received) -> String {
    let words = &message.body["alert"]["annotations"];
    let text = |name: &str| words[name].as_str().unwrap_or_default();
    format!("{} {}", text("summary"), text("description"))
}
