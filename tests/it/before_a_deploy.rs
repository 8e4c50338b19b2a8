//! What the code in real containers would do, seen before it does it: by `plan` and `preflight`, in the metrics and on the page. Real
//! Compose, a real MariaDB, real Alembic, the real program.

use std::path::Path;
use std::process::Output;

use migwatch::model::alert::AlertName;
use migwatch::model::service::ServiceId;
use migwatch::model::status::{ConditionWord, ServiceStatus, StandingWord, Status, TableCode};
use serde_json::Value;

use crate::support::daemon::{Daemon, Home};
use crate::support::stack::{Stack, docker};
use crate::support::waiting::until;

/// The backend's newest revision in its first release.
const BACKEND_HEAD: &str = "c8e94b1a7d35";

/// Drops a table of the other service, and a column of its own.
const DROPS: &str = r#""""남의 테이블을 지운다"""
from alembic import op

revision = "d00d00000001"
down_revision = "c8e94b1a7d35"


def upgrade():
    op.drop_table("rag_chunks")
    op.drop_column("coe_projects", "name")


def downgrade():
    pass
"#;

/// Harmless, after [`DROPS`] was taken away again.
const ADDS: &str = r#""""add a nickname"""
import sqlalchemy as sa
from alembic import op

revision = "add000000001"
down_revision = "c8e94b1a7d35"


def upgrade():
    op.add_column("coe_projects", sa.Column("nickname", sa.String(50)))


def downgrade():
    op.drop_column("coe_projects", "nickname")
"#;

struct Scene {
    stack: Stack,
    home: Home,
    daemon: Daemon,
}

impl Scene {
    /// Both services on one MariaDB, at head and not armed; what is `incoming` is mounted into the backend.
    async fn new() -> Self {
        let stack = Stack::new().await;
        let services = std::fs::read_to_string(stack.path("docker-compose.yml")).expect("it was written");
        let mounted = services.replace(
            "    working_dir: /srv/backend\n",
            "    working_dir: /srv/backend\n    volumes: [\"./incoming:/srv/backend/dbmig/incoming\"]\n",
        );
        assert_ne!(services, mounted, "the backend's place in compose.yml is known");
        stack.write("docker-compose.yml", &mounted);
        std::fs::create_dir(stack.path("incoming")).expect("the folder is ours");
        let home = Home::new(Path::new("/var/run/docker.sock"));
        home.configure(&format!(
            "[databases]\ninterval = \"2s\"\n[project.{}]\nmigrations = \"allow\"\n",
            stack.project
        ));
        let daemon = home.start().await;
        for service in ["backend", "ragpipeline"] {
            stack.up(service, &[("RUN_MIGRATIONS", "true")]).await;
            stack.healthy(service).await;
            stack.recreate(service, &[("RUN_MIGRATIONS", "false")]).await;
            stack.healthy(service).await;
        }
        Self { stack, home, daemon }
    }

    fn service(&self, name: &str) -> String {
        format!("{}/{name}", self.stack.project)
    }

    async fn status(&self) -> Status {
        self.daemon.status().await
    }

    /// Waits until the version table of a service stands to its code as is wanted.
    async fn stands(&self, service: &str, what: &str, is_such: impl Fn(&TableCode) -> bool) {
        let id = ServiceId::new(&self.stack.project, service);
        until(&format!("{id}: {what}"), async || {
            let services = self.status().await.services;
            let own = services.into_iter().find(|known| known.service == id);
            let tables = |own: &ServiceStatus| {
                own.code
                    .iter()
                    .flat_map(|code| code.tables.clone())
                    .collect::<Vec<_>>()
            };
            let found = own.as_ref().map(tables).unwrap_or_default();
            found
                .iter()
                .any(&is_such)
                .then_some(())
                .ok_or_else(|| format!("{own:#?}"))
        })
        .await;
    }

    async fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let Output {
            status,
            stdout,
            stderr,
        } = self.home.run(arguments).await;
        let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
        (status.code(), text)
    }

    async fn checks(&self, flags: &[&str]) -> (Option<i32>, Value) {
        let service = self.service("backend");
        let arguments = [&["preflight", service.as_str(), "--output", "json"], flags].concat();
        let (code, text) = self.run(&arguments).await;
        (
            code,
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")),
        )
    }

    async fn is_cleared_by_a_review_and_a_backup(&self) {
        let id = ServiceId::new(&self.stack.project, "backend");
        until("the backend is up", async || {
            let services = self.status().await.services;
            let own = services.into_iter().find(|known| known.service == id);
            let is_up = own
                .as_ref()
                .is_some_and(|own| own.condition.word == ConditionWord::Up);
            is_up.then_some(()).ok_or_else(|| format!("{own:#?}"))
        })
        .await;
        self.stack.write("backup.sql", "-- all of it");
        let backup = self.stack.path("backup.sql");
        let backup = backup.to_str().expect("it is text");
        let flags = ["--allow-destructive", "d00d00000001", "--backup", backup];
        let (code, checks) = self.checks(&flags).await;
        assert_eq!(
            (code, result(&checks, "backup").as_str()),
            (Some(0), "pass"),
            "{checks:#}"
        );
        let (code, checks) = self
            .checks(&[&flags[..], &["--rehearsed-in", "nowhere"]].concat())
            .await;
        assert_eq!(
            (code, result(&checks, "rehearsed").as_str()),
            (Some(1), "fail"),
            "{checks:#}"
        );
    }

    async fn metric(&self, name: &str, service: &str) -> Option<f64> {
        let metrics = self.daemon.get("/metrics").await.body;
        let service = format!("service=\"{service}\"");
        let project = format!("project=\"{}\"", self.stack.project);
        let line = metrics.lines().find(|line| {
            line.starts_with(&format!("{name}{{")) && line.contains(&service) && line.contains(&project)
        })?;
        line.rsplit_once(' ')?.1.parse().ok()
    }

    async fn fires(&self, name: AlertName) -> bool {
        let alerts = self.status().await.alerts;
        alerts.iter().any(|alert| {
            alert.name == name
                && alert.resolved.is_none()
                && alert.labels.get("project") == Some(&self.stack.project)
        })
    }
}

fn result(checks: &Value, name: &str) -> String {
    let all = checks["checks"].as_array().expect("there are checks");
    let check = all.iter().find(|check| check["name"] == name);
    check.map_or_else(
        || format!("{name} is not there"),
        |check| check["result"].as_str().unwrap_or("?").to_owned(),
    )
}

#[tokio::test]
async fn what_is_destructive_and_whose_table_it_is_shows_before_it_runs() {
    let scene = Scene::new().await;
    let at_head = |code: &TableCode| code.word == StandingWord::AtHead;
    scene.stands("backend", "is at head", at_head).await;
    scene.stands("ragpipeline", "is at head", at_head).await;
    let (code, checks) = scene.checks(&[]).await;
    assert_eq!(code, Some(0), "{checks:#}");
    assert_eq!(result(&checks, "pending"), "pass");

    scene.stack.write("incoming/d00d00000001_drops.py", DROPS);
    // Nothing tells of a file in a folder: it is in the first answer all the same.
    let (code, checks) = scene.checks(&[]).await;
    assert_eq!(
        (code, result(&checks, "pending").as_str()),
        (Some(1), "fail"),
        "{checks:#}"
    );
    scene
        .stands("backend", "has a destructive revision pending", |code| {
            code.word == StandingWord::Behind && code.pending.iter().any(|pending| pending.destructive)
        })
        .await;
    let (code, plan) = scene.run(&["plan", &scene.service("backend")]).await;
    assert_eq!(code, Some(0), "{plan}");
    for said in [
        "d00d00000001  남의 테이블을 지운다",
        "drop table rag_chunks",
        "drop column coe_projects.name",
        "destructive: the table goes, with its rows",
        "MariaDB/MySQL",
    ] {
        assert!(plan.contains(said), "{said} is not in {plan}");
    }
    let whose = format!(
        "ANOTHER SERVICE'S TABLE: {} made it",
        scene.service("ragpipeline")
    );
    assert!(plan.contains(&whose), "{plan}");
    let (code, checks) = scene.checks(&[]).await;
    assert_eq!(code, Some(1), "{checks:#}");
    assert_eq!(result(&checks, "pending"), "fail");
    assert_eq!(
        scene.metric("migwatch_revisions_pending", "backend").await,
        Some(1.0)
    );
    assert_eq!(
        scene
            .metric("migwatch_revisions_pending_destructive", "backend")
            .await,
        Some(1.0)
    );
    assert_eq!(
        scene.metric("migwatch_revision_at_head", "backend").await,
        Some(0.0)
    );
    assert_eq!(
        scene.metric("migwatch_revision_at_head", "ragpipeline").await,
        Some(1.0)
    );
    let page = scene.daemon.get("/").await.body;
    assert!(
        page.contains("1 destructive") && page.contains("남의 테이블을 지운다"),
        "{page}"
    );

    scene.is_cleared_by_a_review_and_a_backup().await;
}

#[tokio::test]
async fn a_revision_that_no_running_code_knows_is_heard_and_a_rolling_deploy_is_not() {
    let scene = Scene::new().await;
    scene
        .stands("backend", "is at head", |code| code.word == StandingWord::AtHead)
        .await;
    scene.stack.write("incoming/add000000001_adds.py", ADDS);
    // A new replica beside the old one migrates; the old one's image knows less, and nobody minds.
    let up = ["up", "-d", "--no-recreate", "--scale", "backend=2", "backend"];
    scene.stack.compose(&up, &[("RUN_MIGRATIONS", "true")]).await;
    scene
        .stands("backend", "is at the new head", |code| {
            code.word == StandingWord::AtHead && code.pending.is_empty()
        })
        .await;
    until("the table has moved", async || {
        let databases = scene.status().await.databases;
        let moved = databases.iter().any(|database| {
            database.database.0.starts_with(&scene.stack.project)
                && database
                    .tables
                    .values()
                    .any(|standing| standing.to_string() == "add000000001")
        });
        moved.then_some(()).ok_or_else(|| format!("{databases:#?}"))
    })
    .await;
    assert!(!scene.fires(AlertName::RevisionUnknown).await);

    // Somebody stamps what nobody knows.
    let stamp = "UPDATE alembic_version_backend SET version_num = 'beef00000001'";
    let mariadb = scene.stack.container("mariadb").await;
    docker(&[
        "exec", &mariadb, "mariadb", "-uroot", "-proot", "coe", "-e", stamp,
    ])
    .await;
    scene
        .stands("backend", "is unknown", |code| {
            code.word == StandingWord::Unknown && code.unknown.iter().any(|row| row.0 == "beef00000001")
        })
        .await;
    until("RevisionUnknown fires", async || {
        let fires = scene.fires(AlertName::RevisionUnknown).await;
        fires.then_some(()).ok_or_else(|| "it does not".to_owned())
    })
    .await;
    assert_eq!(
        scene.metric("migwatch_revision_unknown", "backend").await,
        Some(1.0)
    );
    let (code, plan) = scene.run(&["plan", &scene.service("backend")]).await;
    assert_eq!(code, Some(1), "{plan}");
    assert!(plan.contains("this code does not know beef00000001"), "{plan}");
    let (code, checks) = scene.checks(&[]).await;
    assert_eq!(
        (code, result(&checks, "revision").as_str()),
        (Some(1), "fail"),
        "{checks:#}"
    );
}

#[tokio::test]
async fn a_folder_and_an_image_are_planned_without_a_container_of_theirs() {
    let home = Home::new(Path::new("/var/run/docker.sock"));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/app/backend/dbmig");
    let folder = folder.to_str().expect("it is text");
    let output = home.run(&["plan", "--dir", folder, "--output", "markdown"]).await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains(&format!("### `{BACKEND_HEAD}`")) && text.contains("| line | operation | notes |"),
        "{text}"
    );
    let nothing = home.run(&["plan", "--dir", "/proc/self/fd"]).await;
    assert_eq!(nothing.status.code(), Some(2));

    let scene = Scene::new().await;
    scene
        .stands("ragpipeline", "is at head", |code| {
            code.word == StandingWord::AtHead
        })
        .await;
    let (code, plan) = scene
        .run(&[
            "plan",
            &scene.service("ragpipeline"),
            "--from-image",
            "migwatch-demo-app",
        ])
        .await;
    assert_eq!(code, Some(0), "{plan}");
    assert!(
        plan.contains("alembic_version_rag") && plan.contains("nothing is pending"),
        "{plan}"
    );
    let other = [
        "plan",
        &scene.service("ragpipeline"),
        "--from-image",
        "migwatch-demo-nginx",
    ];
    let (code, plan) = scene.run(&other).await;
    assert_eq!(code, Some(1), "{plan}");
    assert!(
        plan.contains("there is no Alembic configuration in the container"),
        "{plan}"
    );
    let left = docker(&[
        "ps",
        "--all",
        "--quiet",
        "--filter",
        "label=migwatch.enable=false",
    ])
    .await;
    assert_eq!(left, "", "what was created to be read is gone");
}
