//! End to end on the real engine: the real binary watches a real compose stack and tells a real Alertmanager.
//!
//! Each test shows what it promises three times: by migwatch's facts, by its metrics, and by what Alertmanager holds. That
//! something is quiet is proved by a sentinel: a later migration on the same path, which must be heard.

mod crashes;
mod deploys;
mod endpoints;
mod failures;
mod tables;
mod verdicts;

use std::path::Path;

use migwatch::model::migration::{Grade, Migration, Outcome, Rule, Verdict};
use migwatch::model::service::ServiceId;
use migwatch::model::status::ServiceStatus;

use crate::support::alertmanager::{Alertmanager, Held, alertmanager};
use crate::support::daemon::{Daemon, Home};
use crate::support::judged::{from_to, is_confirmed, judgement, span};
use crate::support::stack::Stack;
use crate::support::waiting::until;

/// The host's own engine.
const ENGINE: &str = "/var/run/docker.sock";

/// Migrates at its start.
const RUN: (&str, &str) = ("RUN_MIGRATIONS", "true");

/// The backend's newest revision in its first release.
const BACKEND_HEAD: &str = "c8e94b1a7d35";

/// A stack, the daemon that watches it, and whom that tells.
struct Scene {
    stack: Stack,
    home: Home,
    /// None while it is dead.
    daemon: Option<Daemon>,
    alertmanager: &'static Alertmanager,
}

impl Scene {
    /// Starts to watch `stack`; `policy` is that of its project, `more` is added to the configuration.
    async fn watch(stack: Stack, policy: &str, more: &str) -> Self {
        let alertmanager = alertmanager().await;
        let (project, url) = (&stack.project, &alertmanager.url);
        let config = format!(
            "[alerts]\nhost = \"{project}\"\n[receiver.alertmanager.main]\nurl = \"{url}\"\n\
             [project.{project}]\nmigrations = \"{policy}\"\n\
             [project.{project}.service.sentinel]\nmigrations = \"deny\"\n{more}"
        );
        let home = Home::new(Path::new(ENGINE));
        home.configure(&config);
        let mut scene = Self {
            stack,
            home,
            daemon: None,
            alertmanager,
        };
        scene.start().await;
        scene
    }

    /// Starts migwatch (again), and waits until the engine was looked at: from then on nothing is history.
    async fn start(&mut self) {
        let daemon = self.daemon.insert(self.home.start().await);
        daemon.until_answers("/-/ready", 200).await;
    }

    /// Ends migwatch as a crash would.
    async fn kill(&mut self) {
        self.daemon.take().expect("it runs").kill().await;
    }

    fn daemon(&self) -> &Daemon {
        self.daemon.as_ref().expect("it runs")
    }

    /// The project's migrations, oldest first.
    async fn all_migrations(&self) -> Vec<Migration> {
        let path = format!("/api/v1/migrations?project={}", self.stack.project);
        let answered = self.daemon().get(&path).await;
        let mut all: Vec<Migration> =
            serde_json::from_str(&answered.body).expect("the API speaks the model's JSON");
        all.sort_by_key(|migration| migration.started_at);
        all
    }

    async fn metrics(&self) -> String {
        self.daemon().get("/metrics").await.body
    }

    /// The project's migrations of one service, oldest first.
    async fn migrations(&self, service: &str) -> Vec<Migration> {
        let mut all = self.all_migrations().await;
        all.retain(|migration| migration.service.service == service);
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
    async fn service(
        &self,
        name: &str,
        what: &str,
        is_such: impl Fn(&ServiceStatus) -> bool,
    ) -> ServiceStatus {
        let id = ServiceId::new(&self.stack.project, name);
        until(&format!("{name}: {what}"), async || {
            let services = self.daemon().status().await.services;
            let service = services.into_iter().find(|service| service.service == id);
            match service {
                Some(service) if is_such(&service) => Ok(service),
                other => Err(format!("{other:#?}")),
            }
        })
        .await
    }

    /// Waits until Alertmanager holds what `wanted` says, each as `AlertName(service)`, in any order, and gives them in that of names.
    async fn alerts(&self, wanted: &[&str]) -> Vec<Held> {
        let what = format!("Alertmanager holds {wanted:?}");
        until(&what, async || {
            let mut held = self.alertmanager.holds(&self.stack.project).await;
            held.retain(|alert| alert.label("project") == self.stack.project);
            held.sort_by_key(Held::short);
            let mut wanted = wanted.to_vec();
            wanted.sort_unstable();
            let short: Vec<String> = held.iter().map(Held::short).collect();
            if short == wanted {
                Ok(held)
            } else {
                let said: Vec<_> = held.iter().map(|alert| alert.annotation("description")).collect();
                Err(format!("it holds {short:?}, which say {said:#?}"))
            }
        })
        .await
    }

    /// A migration that nobody planned, of a service of its own, is heard; and with it Alertmanager holds `wanted` and nothing else.
    async fn heard_beside_the_sentinel(&self, wanted: &[&str]) -> Vec<Held> {
        self.stack.up("sentinel", &[RUN]).await;
        let wanted: Vec<&str> = wanted
            .iter()
            .copied()
            .chain(["UnexpectedMigration(sentinel)"])
            .collect();
        let mut held = self.alerts(&wanted).await;
        held.retain(|alert| alert.label("service") != "sentinel");
        held
    }

    /// The value of the one series `name` with the project's, the service's and these labels; `None` where there is none.
    async fn metric(&self, name: &str, service: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let own = [("project", self.stack.project.as_str()), ("service", service)];
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

impl Drop for Scene {
    /// A failed test is told with what migwatch thought of it.
    #[expect(clippy::print_stderr, reason = "the runner shows it with the failure")]
    fn drop(&mut self) {
        if let (true, Some(daemon)) = (std::thread::panicking(), &self.daemon) {
            let log = daemon.log();
            let of_project = log.iter().filter(|line| line.contains(&self.stack.project));
            eprintln!(
                "what migwatch logged of the project: {:#?}",
                of_project.collect::<Vec<_>>()
            );
        }
    }
}
