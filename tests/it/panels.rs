//! The shipped dashboard shows something in every panel: a real migwatch watches containers that skip, migrate and fail, a real
//! Prometheus scrapes it, and each panel's query is answered.
//!
//! Refuses to know whether the numbers are right: the tests of each subject do.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use migwatch::model::alert::AlertName;
use migwatch::model::migration::{Outcome, Verdict};
use migwatch::model::status::{ServiceStatus, Status};
use rusqlite::Connection;

use crate::support::daemon::{Daemon, Home};
use crate::support::dashboard;
use crate::support::prometheus::RealPrometheus;
use crate::support::real_container::RealContainer;
use crate::support::receiver::{Down, Receiver};

/// Skips, as the guide's start command does.
const SKIPPING: &str = r"
echo 'Skipping Alembic migrations (RUN_MIGRATIONS=false)'
exec sleep infinity
";

/// Migrates, and serves after it.
const MIGRATING: &str = r"
echo 'Running Alembic migrations...'
echo 'INFO  [alembic.runtime.migration] Running upgrade 7456428295d9 -> 18c18bf4111f, 초기 리비전' >&2
sleep 0.3
echo '[2026-11-23 09:31:06 +0000] [1] [INFO] Listening at: http://0.0.0.0:8000 (1)' >&2
exec sleep infinity
";

/// Fails, and is started again.
const FAILING: &str = r#"
echo 'Running Alembic migrations...'
echo 'sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (1091, "Can'"'"'t DROP INDEX `x`; check that it exists")' >&2
exit 1
"#;

/// What the daemon of this test watches, besides whatever else runs on the host's engine.
struct Stack {
    project: String,
    containers: Vec<RealContainer>,
}

impl Stack {
    fn new() -> Self {
        Self {
            project: format!("panels-{}", std::process::id()),
            containers: Vec::new(),
        }
    }

    async fn start(&mut self, service: &str, options: &[&str], script: &str) {
        let labels = [
            ("project", self.project.as_str()),
            ("service", service),
            ("container-number", "1"),
            ("oneoff", "False"),
        ]
        .map(|(key, value)| format!("--label=com.docker.compose.{key}={value}"));
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let container =
            RealContainer::create(&[&labels[..], &["--network=none"], options].concat(), script).await;
        container.start().await;
        self.containers.push(container);
    }

    async fn start_all(&mut self) {
        let healthy = [
            "--env=RUN_MIGRATIONS=false",
            "--health-cmd=true",
            "--health-interval=1s",
        ];
        self.start("skipping", &healthy, SKIPPING).await;
        self.start("migrating", &["--env=RUN_MIGRATIONS=true"], MIGRATING)
            .await;
        let looping = ["--env=RUN_MIGRATIONS=true", "--restart=always"];
        self.start("failing", &looping, FAILING).await;
    }

    fn service<'a>(&self, status: &'a Status, service: &str) -> Option<&'a ServiceStatus> {
        let mut services = status.services.iter();
        services.find(|it| it.service.project == self.project && it.service.service == service)
    }

    /// Everything that shall be seen in a panel has happened.
    fn has_happened(&self, status: &Status) -> bool {
        let settled = |service: &str, outcome| {
            let service = self.service(status, service);
            service.is_some_and(|service| service.counters.migrations.contains_key(&outcome))
        };
        let skipped = self.service(status, "skipping");
        let unexpected = status.migrations.iter().any(|migration| {
            migration.service.project == self.project && migration.judgement.verdict == Verdict::Unexpected
        });
        let is_told = status
            .alerts
            .iter()
            .any(|alert| alert.name == AlertName::UnexpectedMigration);
        let delivered = status.receivers.iter().all(|receiver| receiver.delivered > 0);
        skipped.is_some_and(|service| service.counters.skips > 0)
            && settled("migrating", Outcome::Applied)
            && settled("failing", Outcome::Failed)
            && status.databases.iter().any(|database| database.up)
            && status.probes.len() >= 2
            && unexpected
            && is_told
            && delivered
    }
}

fn a_database(folder: &Path) -> String {
    let path = folder.join("shop.db");
    let database = Connection::open(&path).expect("the folder takes files");
    database
        .execute_batch(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY); \
             INSERT INTO alembic_version VALUES ('18c18bf4111f');",
        )
        .expect("it is a database");
    format!("sqlite:///{}", path.display())
}

fn configuration(stack: &Stack, database: &str, receiver: &Receiver, nobody: &str) -> String {
    let project = &stack.project;
    let hook = receiver.url("/hook");
    let health = receiver.url("/health");
    format!(
        r#"
[project.{project}]
migrations = "deny"
[receiver.webhook.test]
url = "{hook}"
[probe.good]
project = "{project}"
service = "skipping"
http = "{health}"
interval = "1s"
timeout = "1s"
[probe.bad]
project = "{project}"
service = "failing"
http = "{nobody}"
interval = "1s"
timeout = "1s"
[database.shop]
url = "{database}"
project = "{project}"
services = ["migrating"]
"#
    )
}

async fn promtool_accepts(daemon: &Daemon) {
    let metrics = daemon.get("/metrics").await.body;
    let run = ["run", "--rm", "--interactive", "--network=none"];
    let mut check = Command::new("docker")
        .args(run)
        .args([
            "--entrypoint=promtool",
            "migwatch-demo-prometheus",
            "check",
            "metrics",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("docker is installed");
    let mut stdin = check.stdin.take().expect("it is piped");
    stdin
        .write_all(metrics.as_bytes())
        .expect("promtool reads to the end");
    drop(stdin);
    let output = check.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{output:?}\n{metrics}");
}

#[tokio::test]
async fn every_query_of_the_dashboard_has_an_answer_in_a_real_prometheus() {
    let (receiver, nobody) = (Receiver::start(), Down::reserve());
    let mut stack = Stack::new();
    let home = Home::new(Path::new("/var/run/docker.sock"));
    let database = a_database(home.path());
    home.configure(&configuration(
        &stack,
        &database,
        &receiver,
        &nobody.url("/health"),
    ));
    let daemon = home.start().await;
    daemon
        .until("the engine is seen", |status| status.engine.up)
        .await;
    // A rate needs a scrape before the event.
    let prometheus = RealPrometheus::start(daemon.address).await;
    stack.start_all().await;
    daemon
        .until("all of it has happened", |status| stack.has_happened(status))
        .await;
    let queries = [dashboard::queries(), dashboard::variables()].concat();
    let unanswered = prometheus.until_answered(queries).await;
    assert!(
        unanswered.is_empty(),
        "these queries show nothing: {unanswered:#?}"
    );
    promtool_accepts(&daemon).await;
    daemon.stop().await;
}
