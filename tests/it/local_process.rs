//! A program outside containers through the whole product: its log file, the database that it moves, the webhook that is told; over a
//! rotation, a crash of migwatch and a reload.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use migwatch::model::migration::{Grade, Migration, Outcome, Trigger, Verdict};
use migwatch::model::service::ServiceId;

use crate::support::daemon::{Daemon, Home};
use crate::support::fake_engine::FakeEngine;
use crate::support::sqlite_file::SqliteFile;
use crate::support::waiting::until;

const TABLE: &str = "alembic_version_backend";

struct Scene {
    home: Home,
    database: SqliteFile,
    _engine: FakeEngine,
}

impl Scene {
    fn new() -> Self {
        let engine = FakeEngine::new();
        let home = Home::new(&engine.socket());
        let database = SqliteFile::new();
        database.stands_at(TABLE, "a1");
        let scene = Self {
            home,
            database,
            _engine: engine,
        };
        scene.write("");
        scene.configure("[process.backend]\nlog = \"run*.log\"\n");
        scene
    }

    fn configure(&self, process: &str) {
        let database = self.database.configured("shop", "local", &["backend"]);
        let bound = format!("[project.local.service.backend]\ndatabase = \"shop\"\ntable = \"{TABLE}\"\n");
        self.home.configure(&format!("{database}{bound}{process}"));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn write(&self, text: &str) {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path("run.log"));
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// As `./run.sh` does it: announces, moves, and says that it is done.
    fn migrates(&self, from: &str, to: &str) {
        self.write(&format!(
            "⬆️ Alembic 마이그레이션 적용 중...\nINFO  [alembic.runtime.migration] Running upgrade {from} -> {to}, title\n"
        ));
        self.database.stands_at(TABLE, to);
        self.write("✅ Alembic 마이그레이션 완료!\nINFO:     Application startup complete.\n");
    }
}

async fn confirmed(daemon: &Daemon, count: usize) -> Vec<Migration> {
    until(
        &format!("{count} migrations of the process, confirmed"),
        async || {
            let mut all = daemon.status().await.migrations;
            all.sort_by_key(|migration| migration.started_at);
            let is_confirmed = |migration: &Migration| {
                migration.trigger == Trigger::Process
                    && migration.grade == Grade::Confirmed
                    && migration.outcome == Outcome::Applied
            };
            let is_done = all.len() == count && all.iter().all(is_confirmed);
            is_done.then(|| all.clone()).ok_or_else(|| format!("{all:#?}"))
        },
    )
    .await
}

/// The process's log is followed and its table was read: from now on it is told from what was before.
async fn ready(daemon: &Daemon) {
    daemon
        .until("the process is bound to its table", |status| {
            let service = ServiceId::new("local", "backend");
            let known = status.services.iter().find(|known| known.service == service);
            known.is_some_and(|known| !known.tables.is_empty() && known.log.following > 0)
        })
        .await;
}

#[tokio::test]
async fn runs_of_a_local_process_are_heard_once_each_over_a_rotation_and_a_crash_of_migwatch() {
    let scene = Scene::new();
    let daemon = scene.home.start().await;
    ready(&daemon).await;
    scene.migrates("a1", "b2");
    let first = confirmed(&daemon, 1).await;
    assert_eq!(first[0].judgement.verdict, Verdict::Unexpected);
    std::fs::rename(scene.path("run.log"), scene.path("old-1")).unwrap();
    scene.migrates("b2", "c3");
    confirmed(&daemon, 2).await;
    daemon.kill().await;
    scene.migrates("c3", "d4");
    let daemon = scene.home.start().await;
    let all = confirmed(&daemon, 3).await;
    let mut ids: Vec<_> = all.iter().map(|migration| &migration.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn a_process_comes_and_goes_with_a_reload() {
    let scene = Scene::new();
    scene.configure("");
    let daemon = scene.home.start().await;
    scene.configure("[process.backend]\nlog = \"run.log\"\n");
    daemon.signal("HUP").await;
    ready(&daemon).await;
    scene.migrates("a1", "b2");
    confirmed(&daemon, 1).await;
    scene.configure("");
    daemon.signal("HUP").await;
    daemon
        .until("the process is gone", |status| {
            let service = ServiceId::new("local", "backend");
            let known = status.services.iter().find(|known| known.service == service);
            known.is_none_or(|known| known.removed_at.is_some())
        })
        .await;
}

#[tokio::test]
async fn a_check_names_the_log_of_a_process_and_what_is_wrong_with_it() {
    let scene = Scene::new();
    let said = |output: std::process::Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let good = said(scene.home.run(&["check"]).await);
    assert!(
        good.contains("log of local/backend") && good.contains("can be read"),
        "{good}"
    );
    scene.configure("[process.backend]\nlog = \"nowhere/run.log\"\n");
    let bad = said(scene.home.run(&["check"]).await);
    assert!(
        bad.contains("PROBLEM") && bad.contains("there is no file"),
        "{bad}"
    );
}
