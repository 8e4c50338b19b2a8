//! The engine goes away and comes back, or migwatch dies meanwhile: with the real program on an engine of the test's own.
//!
//! What happened in the meantime is found out and judged once. That nothing more comes is known when something that happened later has
//! come the same way: the sentinel, a service whose migration is always told.

use std::collections::BTreeSet;

use migwatch::model::migration::{Migration, Outcome, Rule, Verdict};
use migwatch::model::service::{ContainerId, ServiceId};
use migwatch::model::status::Status;

use crate::support::clock::wall_clock;
use crate::support::daemon::{Daemon, Home};
use crate::support::outage::{no_fact_is_there_twice, says_that_it_is_away, says_that_it_is_back};
use crate::support::own_engine::OwnEngine;
use crate::support::receiver::{Received, Receiver};

/// A service that migrates at every start and finds something to do at one of them (`MOVES_AT`, counted from 0). It takes its
/// time as Alembic and gunicorn do: the engine stamps the two streams up to some milliseconds out of order.
const SERVICE: &str = r#"
starts=$(cat /starts 2>/dev/null || echo 0)
echo $((starts + 1)) > /starts
if [ "${RUN_MIGRATIONS:-true}" = true ]; then
  echo 'Running Alembic migrations...'
  echo 'INFO  [alembic.runtime.migration] Context impl MySQLImpl.' >&2
  echo 'INFO  [alembic.runtime.migration] Will assume non-transactional DDL.' >&2
  sleep 0.3
  if [ "$starts" = "$MOVES_AT" ]; then
    echo 'INFO  [alembic.runtime.migration] Running upgrade 7456428295d9 -> 18c18bf4111f, 초기 리비전' >&2
  fi
else
  echo 'Skipping Alembic migrations (RUN_MIGRATIONS=false)'
fi
sleep 0.3
echo '[2026-11-23 09:31:06 +0000] [1] [INFO] Listening at: http://0.0.0.0:8000 (1)' >&2
exec sleep infinity
"#;

/// A migration that ends badly when it is told to.
const FAILING: &str = r"
echo 'Running Alembic migrations...'
echo 'INFO  [alembic.runtime.migration] Running upgrade 7456428295d9 -> 18c18bf4111f, 초기 리비전' >&2
until [ -e /signals/end ]; do sleep 0.05; done
exit 3
";

/// An engine, a migwatch for it and somebody who is told.
struct Scene {
    engine: OwnEngine,
    home: Home,
    webhook: Receiver,
}

impl Scene {
    async fn new() -> Self {
        let engine = OwnEngine::start().await;
        let home = Home::new(&engine.socket());
        let webhook = Receiver::start();
        home.configure(&format!(
            "[alerts]\nblind_grace = \"500ms\"\n[project.sentinel]\nmigrations = \"deny\"\n[receiver.webhook.test]\nurl = \"{}\"\n",
            webhook.url("/hook")
        ));
        Self {
            engine,
            home,
            webhook,
        }
    }

    /// A service that migrates at its start number `moves_at`, and is always there.
    async fn serve(&self, service: &str, moves_at: u32) -> ContainerId {
        let labels = labels(service);
        let moves_at = format!("MOVES_AT={moves_at}");
        let options = [
            "--restart=always",
            "--env=RUN_MIGRATIONS=true",
            "--env",
            &moves_at,
        ];
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        self.engine.run(&[&options, &labels[..]].concat(), SERVICE).await
    }

    /// The service `backend`, whose first start was declared and had nothing to do; its next one will move the schema.
    async fn deployed(&self, daemon: &Daemon) {
        daemon
            .until("the engine is seen", |status| status.engine.up)
            .await;
        self.serve("backend", 1).await;
        daemon
            .until("the deploy is judged", |status| {
                let [deploy] = &migrations(status, "backend")[..] else {
                    return false;
                };
                deploy.outcome == Outcome::NothingToDo && deploy.judgement.verdict == Verdict::Expected
            })
            .await;
    }

    /// The migration that the engine's own start of `backend` ran, by its log.
    async fn found(&self, daemon: &Daemon) -> Migration {
        let status = daemon
            .until("the migration of the engine's start is judged", |status| {
                let all = migrations(status, "backend");
                all.iter().any(|migration| migration.outcome == Outcome::Applied)
            })
            .await;
        let found = migrations(&status, "backend").into_iter().next();
        let found = found.expect("the newest is the first");
        assert_eq!(found.outcome, Outcome::Applied, "{found:#?}");
        assert_eq!(found.judgement.verdict, Verdict::Unexpected, "{found:#?}");
        assert_eq!(found.judgement.rule, Rule::LeftArmed, "{found:#?}");
        assert_eq!(
            (found.steps.len(), found.attempts, found.history),
            (1, 1, false),
            "{found:#?}"
        );
        found.clone()
    }

    /// The deploy and one migration are all there is of `backend`, and of that the webhook was told once.
    async fn once(&self, daemon: &Daemon, found: &Migration) {
        self.serve("sentinel", 0).await;
        let received = self
            .webhook
            .until("the sentinel's alert", |all| {
                all.iter().any(|received| is_of(received, "sentinel"))
            })
            .await;
        let status = daemon.status().await;
        assert_eq!(migrations(&status, "backend").len(), 2, "{status:#?}");
        let told: BTreeSet<&str> = received
            .iter()
            .filter(|received| is_of(received, "backend"))
            .map(Received::key)
            .collect();
        assert_eq!(told.len(), 1, "{received:#?}");
        let metrics = daemon.get("/metrics").await.body;
        let counted = r#"migwatch_migration_verdicts_total{project="shop",service="backend",trigger="startup",verdict="unexpected"} 1"#;
        assert!(metrics.lines().any(|line| line == counted), "{metrics}");
        assert_eq!(migrations(&status, "backend")[0].id, found.id);
    }
}

fn labels(service: &str) -> Vec<String> {
    let project = if service == "sentinel" { "sentinel" } else { "shop" };
    [
        ("project", project),
        ("service", service),
        ("container-number", "1"),
        ("oneoff", "False"),
    ]
    .map(|(key, value)| format!("--label=com.docker.compose.{key}={value}"))
    .into()
}

/// Newest first.
fn migrations<'a>(status: &'a Status, service: &str) -> Vec<&'a Migration> {
    let service = ServiceId::new("shop", service);
    let of = status.migrations.iter();
    of.filter(|migration| migration.service == service).collect()
}

/// Whether a message tells of an unexpected migration of this service.
fn is_of(received: &Received, service: &str) -> bool {
    let alert = &received.body["alert"];
    alert["name"] == "UnexpectedMigration" && alert["labels"]["service"] == service
}

async fn what_the_engine_starts_by_itself_is_found_and_judged_once(signal: &str) {
    let mut scene = Scene::new().await;
    let daemon = scene.home.start().await;
    scene.deployed(&daemon).await;
    scene.engine.end(signal).await;
    says_that_it_is_away(&daemon).await;
    scene.engine.start_again(&[]).await;
    says_that_it_is_back(&daemon).await;
    let found = scene.found(&daemon).await;
    scene.once(&daemon, &found).await;
    daemon.stop().await;
    no_fact_is_there_twice(&scene.home);
}

#[tokio::test]
async fn an_engine_that_is_stopped_and_started_is_missed_and_what_it_started_is_found_and_judged_once() {
    what_the_engine_starts_by_itself_is_found_and_judged_once("TERM").await;
}

#[tokio::test]
async fn an_engine_that_is_killed_and_started_is_missed_and_what_it_started_is_found_and_judged_once() {
    what_the_engine_starts_by_itself_is_found_and_judged_once("KILL").await;
}

#[tokio::test]
async fn killed_while_the_engine_is_away_and_started_after_it_is_back_it_finds_all_of_it_once() {
    let mut scene = Scene::new().await;
    let daemon = scene.home.start().await;
    scene.deployed(&daemon).await;
    scene.engine.end("TERM").await;
    says_that_it_is_away(&daemon).await;
    daemon.kill().await;
    scene.engine.start_again(&[]).await;
    let daemon = scene.home.start().await;
    let found = scene.found(&daemon).await;
    daemon.kill().await;
    let daemon = scene.home.start().await;
    says_that_it_is_back(&daemon).await;
    scene.once(&daemon, &found).await;
    daemon.stop().await;
    no_fact_is_there_twice(&scene.home);
}

#[tokio::test]
async fn a_container_that_outlives_the_engine_and_fails_before_it_is_back_is_a_failed_migration() {
    let mut scene = Scene::new().await;
    scene.engine.end("TERM").await;
    scene.engine.start_again(&["--live-restore"]).await;
    let daemon = scene.home.start().await;
    let signals = tempfile::tempdir().expect("a temporary folder can be made");
    let volume = format!("--volume={}:/signals", signals.path().display());
    let labels = labels("job");
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let options = [&["--env=RUN_MIGRATIONS=true", &volume], &labels[..]].concat();
    let container = scene.engine.run(&options, FAILING).await;
    daemon
        .until("the migration is in its step", |status| {
            migrations(status, "job")
                .iter()
                .any(|migration| migration.moved())
        })
        .await;
    let process = scene.engine.process(&container).await;
    scene.engine.end("TERM").await;
    says_that_it_is_away(&daemon).await;
    let status = daemon.status().await;
    assert_eq!(
        migrations(&status, "job")[0].outcome,
        Outcome::Running,
        "{status:#?}"
    );
    std::fs::write(signals.path().join("end"), "").expect("the folder takes files");
    scene.engine.ended(&process).await;
    let before_it_is_back = wall_clock().now();
    scene.engine.start_again(&["--live-restore"]).await;
    says_that_it_is_back(&daemon).await;
    let status = daemon
        .until("the end of the job is found", |status| {
            migrations(status, "job")
                .iter()
                .any(|migration| migration.outcome == Outcome::Failed)
        })
        .await;
    let [job] = &migrations(&status, "job")[..] else {
        panic!("one migration: {status:#?}");
    };
    let reason = job.outcome_reason.as_deref().unwrap_or_default();
    assert!(reason.contains("exit code 3"), "{reason}");
    assert!(
        job.ended_at.is_some_and(|at| at <= before_it_is_back),
        "{job:#?} {before_it_is_back}"
    );
    daemon.stop().await;
}
