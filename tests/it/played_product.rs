//! The whole product on the played engine: the real program, a webhook that listens, and what it is told. The same scenarios as on the
//! real engine in `e2e`. Silence is proved by a loud sentinel that comes later on the same path.

mod approving;

use std::time::Duration;

use migwatch::model::log::Stream;
use migwatch::model::migration::{Migration, Outcome, Verdict};
use migwatch::model::service::ContainerId;

use crate::support::clock::wall_clock;
use crate::support::daemon::{Daemon, Home};
use crate::support::fake_engine::FakeEngine;
use crate::support::fake_engine::containers::ContainerSpec;
use crate::support::receiver::{Received, Receiver};

const RUN: &str = "Running Alembic migrations...";
const UP: &str = "[INFO] Listening at: http://0.0.0.0:8000 (7)";

/// The played engine, whoever is told, and where migwatch lives.
struct Stage {
    engine: FakeEngine,
    receiver: Receiver,
    home: Home,
}

impl Stage {
    fn new(policy: &str) -> Self {
        Self::configured(policy, "")
    }

    /// With more in its configuration.
    fn configured(policy: &str, more: &str) -> Self {
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
        };
        stage.set_back(Duration::from_secs(30));
        stage
    }

    /// The engine's clock stands still between its deeds: from now on it is this machine's.
    fn catch_up(&self) {
        self.set_back(Duration::ZERO);
    }

    fn set_back(&self, by: Duration) {
        let clock = self.engine.clock();
        let engine: &dyn migwatch::model::time::Clock = &*clock;
        clock.advance(wall_clock().now().before(by).since(engine.now()));
    }

    async fn watched(&self) -> Daemon {
        let daemon = self.home.start().await;
        daemon.until_answers("/-/ready", 200).await;
        self.catch_up();
        daemon
    }

    fn created(&self, project: &str, armed: &str) -> ContainerId {
        let start =
            "if [ \"${RUN_MIGRATIONS:-true}\" = true ]; then alembic upgrade head; fi && gunicorn app";
        self.engine.create(ContainerSpec {
            command: ["sh", "-c", start].map(str::to_owned).to_vec(),
            environment: vec![format!("RUN_MIGRATIONS={armed}")],
            restart: "always".to_owned(),
            ..ContainerSpec::service(project, "backend")
        })
    }

    fn starts(&self, id: &ContainerId, lines: &[&str]) {
        self.engine.start(id);
        for line in lines {
            let stream = if line.starts_with("INFO") {
                Stream::Stderr
            } else {
                Stream::Stdout
            };
            self.engine.log(id, stream, line);
        }
    }

    /// Loud for certain: whatever should have been told before it would have been.
    async fn sentinel(&self) -> Vec<Received> {
        let id = self.created("sentinel", "true");
        self.starts(&id, &[RUN, &step("0", "1"), UP]);
        self.receiver
            .until("the sentinel is heard", |all| {
                all.iter().any(|one| project(one) == "sentinel")
            })
            .await
    }
}

fn step(from: &str, to: &str) -> String {
    format!("INFO  [alembic.runtime.migration] Running upgrade {from} -> {to}, 사용자 추가")
}

fn project(message: &Received) -> &str {
    message.body["alert"]["labels"]["project"]
        .as_str()
        .unwrap_or_default()
}

/// What was told about the project that is watched: alert names, in order, with their phase.
fn told(messages: &[Received]) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let about = messages.iter().filter(|message| project(message) == "shop");
    about
        .map(|message| (text(&message.body["alert"]["name"]), text(&message.body["phase"])))
        .collect()
}

async fn settled(daemon: &Daemon, count: usize) -> Vec<Migration> {
    let of_shop = |migrations: &[Migration]| -> Vec<Migration> {
        let shop = migrations
            .iter()
            .filter(|migration| migration.service.project == "shop");
        shop.filter(|migration| migration.outcome != Outcome::Running)
            .cloned()
            .collect()
    };
    let status = daemon
        .until("the migrations have ended", |status| {
            of_shop(&status.migrations).len() == count
        })
        .await;
    of_shop(&status.migrations)
}

#[tokio::test]
async fn a_skip_is_quiet() {
    let stage = Stage::new("deny");
    let daemon = stage.watched().await;
    let id = stage.created("shop", "false");
    stage.starts(&id, &["Skipping Alembic migrations (RUN_MIGRATIONS=false)", UP]);
    daemon
        .until("the skip is seen", |status| {
            let mut starts = status
                .services
                .iter()
                .filter_map(|service| service.last_start.as_ref());
            starts.any(|start| start.skipped)
        })
        .await;
    assert_eq!(told(&stage.sentinel().await), []);
}

#[tokio::test]
async fn a_denied_migration_is_told_once_with_its_steps() {
    let stage = Stage::new("deny");
    let daemon = stage.watched().await;
    let id = stage.created("shop", "true");
    stage.starts(&id, &[RUN, &step("a", "b"), &step("b", "c"), UP]);
    let migrations = settled(&daemon, 1).await;
    let migration = migrations.first().expect("one migration");
    assert_eq!(migration.outcome, Outcome::Applied);
    assert_eq!(migration.judgement.verdict, Verdict::Unexpected);
    assert_eq!(migration.steps.len(), 2);
    let fired = ("UnexpectedMigration".to_owned(), "firing".to_owned());
    assert_eq!(told(&stage.sentinel().await), [fired]);
}

#[tokio::test]
async fn a_deploy_that_declares_itself_is_quiet_and_its_later_restart_is_not() {
    let stage = Stage::new("explicit");
    let daemon = stage.watched().await;
    let id = stage.created("shop", "true");
    stage.starts(&id, &[RUN, &step("a", "b"), UP]);
    let deploy = settled(&daemon, 1).await;
    assert!(
        deploy
            .iter()
            .all(|migration| migration.judgement.verdict == Verdict::Expected)
    );
    stage.catch_up();
    stage.engine.kill(&id, 15);
    stage.engine.die(&id, 143);
    stage.starts(&id, &[RUN, &step("b", "c"), UP]);
    settled(&daemon, 2).await;
    let fired = ("UnexpectedMigration".to_owned(), "firing".to_owned());
    assert_eq!(told(&stage.sentinel().await), [fired]);
}

#[tokio::test]
async fn what_is_allowed_and_what_finds_nothing_to_do_is_quiet() {
    for (policy, lines) in [("allow", vec![RUN, UP]), ("deny", vec![RUN, UP])] {
        let stage = Stage::new(policy);
        let daemon = stage.watched().await;
        let id = stage.created("shop", "true");
        let moved = step("a", "b");
        let mut lines = lines;
        if policy == "allow" {
            lines.insert(1, &moved);
        }
        stage.starts(&id, &lines);
        settled(&daemon, 1).await;
        assert_eq!(told(&stage.sentinel().await), [], "{policy}");
    }
}

#[tokio::test]
async fn a_restart_loop_is_one_failure_with_its_first_cause() {
    let stage = Stage::new("explicit");
    let daemon = stage.watched().await;
    let id = stage.created("shop", "true");
    let codes = [
        "1091, \"Can't DROP INDEX",
        "1060, \"Duplicate column",
        "1060, \"Duplicate column",
    ];
    for (attempts, code) in (1..).zip(codes) {
        let error = format!("sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) ({code} `x`\")");
        stage.starts(&id, &[RUN, &step("a", "b"), &error]);
        stage.engine.die(&id, 1);
        // The engine's own back-off between two starts.
        stage.engine.clock().advance(Duration::from_secs(1));
        daemon
            .until("the attempt has failed", |status| {
                let mut shop = status
                    .migrations
                    .iter()
                    .filter(|one| one.service.project == "shop");
                shop.any(|one| one.attempts == attempts && one.outcome == Outcome::Failed)
            })
            .await;
    }
    stage
        .receiver
        .until("the loop is told", |all| {
            told(all).iter().any(|(name, _)| name == "RestartLoop")
        })
        .await;
    let failed = settled(&daemon, 1).await;
    let cause = failed
        .first()
        .and_then(|migration| migration.cause.as_ref())
        .expect("a cause");
    assert_eq!(cause.code.as_deref(), Some("1091"));
    let told = told(&stage.sentinel().await);
    let failures = told
        .iter()
        .filter(|(name, phase)| name == "MigrationFailed" && phase == "firing");
    assert_eq!(failures.count(), 1, "{told:?}");
}

#[tokio::test]
async fn what_was_logged_before_the_watch_is_history() {
    let stage = Stage::new("deny");
    let id = stage.created("shop", "true");
    for number in 0..5 {
        stage.starts(
            &id,
            &[RUN, &step(&number.to_string(), &(number + 1).to_string()), UP],
        );
        stage.engine.die(&id, 1);
    }
    stage.starts(&id, &[RUN, UP]);
    let daemon = stage.watched().await;
    daemon
        .until("the history is read", |status| {
            status.migrations.iter().any(|migration| migration.history)
        })
        .await;
    let all = stage.sentinel().await;
    assert!(
        told(&all).iter().all(|(name, _)| !name.contains("Migration")),
        "{:?}",
        told(&all)
    );
}

#[tokio::test]
async fn killed_and_started_again_it_tells_nothing_twice() {
    let stage = Stage::new("deny");
    let daemon = stage.watched().await;
    let id = stage.created("shop", "true");
    stage.starts(&id, &[RUN, &step("a", "b")]);
    stage
        .receiver
        .until("it is told", |all| !told(all).is_empty())
        .await;
    daemon.kill().await;
    stage.engine.log(&id, Stream::Stderr, &step("b", "c"));
    stage.engine.log(&id, Stream::Stdout, UP);
    let daemon = stage.watched().await;
    let migrations = settled(&daemon, 1).await;
    assert_eq!(migrations.first().map(|migration| migration.steps.len()), Some(2));
    let all = stage.sentinel().await;
    let mut keys: Vec<&str> = all
        .iter()
        .filter(|one| project(one) == "shop")
        .map(Received::key)
        .collect();
    assert!(keys.len() <= 2, "at most one repeat: {keys:?}");
    keys.dedup();
    assert_eq!(keys.len(), 1, "a repeat has the same key");
}
