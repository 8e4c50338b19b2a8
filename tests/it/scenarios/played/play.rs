//! One row played: its engine, its database, and how it is acted from its beginning to its sentinel.

use std::io::Write as _;
use std::time::Duration;

use migwatch::model::migration::Migration;
use migwatch::model::revision::{Heads, Standing};
use migwatch::model::service::ContainerId;
use migwatch::model::status::{ServiceStatus, Status};
use migwatch::model::time::{Clock, Timestamp};

use super::world::{Act, World};
use crate::played_product::{PROJECT, SKIP, Stage, UP, app, step};
use crate::scenarios::case::Case;
use crate::scenarios::row::{Begins, HEAD, NEXT, Sentinel, Start};
use crate::scenarios::{check, told};
use crate::support::fake_engine::containers::ContainerSpec;
use crate::support::sqlite_file::SqliteFile;
use crate::support::waiting::until;
use tempfile::TempDir;

/// What the start script says before it migrates.
const RUN: &str = crate::played_product::RUN;

/// The project beside it.
pub(super) const SECOND: &str = "shop-second";

/// A row with all that is its own.
pub(super) struct Play {
    pub(super) case: Case,
    pub(super) stage: Stage,
    pub(super) world: World,
    folder: TempDir,
    /// The sentinel's database.
    elsewhere: SqliteFile,
    /// The application's containers.
    pub(super) containers: Vec<ContainerId>,
    /// What the application starts with now.
    pub(super) start: Start,
    /// What has begun and waits: who runs it, where, and what is still to come.
    pub(super) begun: Option<(Runner, Vec<Act>)>,
    /// Starts that skipped so far.
    pub(super) skips: u64,
    /// When a container of it last started, by the engine's clock.
    pub(super) started_at: Timestamp,
}

/// Who says what a command does, and with what it ends.
pub(super) enum Runner {
    /// A start of the application's own container.
    Start(ContainerId),
    /// A container of its own.
    Own(ContainerId),
    /// A command inside a container.
    Exec(migwatch::model::exec::ExecId),
    /// Somebody beside the containers, whose output is a file.
    Process,
    /// Nobody whom the engine knows.
    Nobody,
}

impl Play {
    pub(super) async fn new(case: Case) -> Self {
        let (Begins::ServingAt(revision) | Begins::Before(revision)) = case.row.begins;
        let world = World::new(case.database, revision);
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let log = folder.path().join("run.log");
        std::fs::write(&log, "").expect("the folder takes files");
        let elsewhere = SqliteFile::new();
        elsewhere.stands_at("alembic_version", HEAD);
        let services = ["app", &format!("{SECOND}/app")];
        let more = format!(
            "[databases]\ninterval = \"1s\"\n{}{}{}",
            world.file.configured("shop", PROJECT, &services),
            elsewhere.configured("elsewhere", "sentinel", &["sentinel"]),
            case.configured(PROJECT, SECOND, &log)
        );
        let stage = Stage::watch("explicit", &more).await;
        Self {
            case,
            stage,
            world,
            folder,
            elsewhere,
            containers: Vec::new(),
            start: Start::Off,
            begun: None,
            skips: 0,
            started_at: Timestamp::default(),
        }
    }

    /// Acts the row and checks all that is told of it.
    pub(super) async fn act(mut self) {
        let row = self.case.row;
        if let Begins::ServingAt(revision) = row.begins {
            self.up(Start::Off).await;
            self.stands(Some(revision)).await;
        }
        self.expects().await;
        for deed in row.deeds {
            self.middle().await;
            self.stage.catch_up();
            self.does(deed).await;
        }
        self.is_told(row.told.len()).await;
        self.silence_is_proved().await;
        self.is_told(row.told.len()).await;
    }

    async fn expects(&self) {
        let Some(approve) = self.case.approval(PROJECT) else {
            return;
        };
        let approve: Vec<&str> = approve.iter().map(String::as_str).collect();
        let output = self.stage.home.run(&approve).await;
        assert!(output.status.success(), "{}: {output:?}", self.case);
    }

    /// Waits until migwatch knows that the database stands there, or that there is no version table.
    pub(super) async fn stands(&self, revision: Option<&str>) {
        let is_there = |standing: &Standing| match (standing, revision) {
            (Standing::At(heads), Some(revision)) => *heads == Heads::of([revision]),
            (Standing::Missing, None) => true,
            _ => false,
        };
        let stands = |status: &Status| {
            let mut all = status
                .databases
                .iter()
                .filter(|database| database.database.0 == "shop");
            all.any(|database| database.up && database.tables.values().any(is_there))
        };
        let what = format!("{}: its database is read at {revision:?}", self.case);
        self.stage.daemon().until(&what, stands).await;
    }

    /// Here migwatch may be killed.
    pub(super) async fn middle(&mut self) {
        if self.case.restarts {
            self.stage.kill().await;
            self.stage.start().await;
        }
    }

    async fn migrations(&self) -> Vec<Migration> {
        let mut all = self.stage.daemon().status().await.migrations;
        all.retain(|migration| [PROJECT, SECOND].contains(&migration.service.project.as_str()));
        all
    }

    /// Waits until the first `count` migrations are told as the row says.
    pub(super) async fn is_told(&self, count: usize) {
        until("what is told is what the row says", async || {
            let all = self.migrations().await;
            check::migrations(&self.case, &all, count, false)
        })
        .await;
    }

    /// Waits until the application is such.
    pub(super) async fn service(&self, what: &str, is_such: impl Fn(&ServiceStatus) -> bool) {
        self.stage
            .service("app", &format!("{}: {what}", self.case), is_such)
            .await;
    }

    /// Something loud comes last, on the same path; by then the webhook was told all that the row says, and no more.
    async fn silence_is_proved(&self) {
        let wanted = self.case.alerts();
        let own = [PROJECT, SECOND, "shop"];
        let (heard, receiver) = (
            |all: &[_]| told::about(all, &own).len() >= wanted.len(),
            &self.stage.receiver,
        );
        receiver.until(&format!("{}: {wanted:?}", self.case), heard).await;
        self.stage.catch_up();
        let sentinel = ContainerSpec {
            command: app("sentinel", "true").command,
            environment: app("sentinel", "true").environment,
            ..ContainerSpec::service("sentinel", "sentinel")
        };
        match self.case.row.sentinel {
            Sentinel::Log => {
                self.stage.up(sentinel, &[RUN, &step("0", "1"), UP]);
            }
            Sentinel::Database => {
                self.stage.up(sentinel, &[]);
                self.elsewhere.stands_at("alembic_version", NEXT);
            }
            Sentinel::Exec => {
                let id = self.stage.up(sentinel, &[]);
                self.stage.engine.exec(&id, &["alembic", "upgrade", "head"]);
            }
        }
        let is_heard = |all: &[_]| !told::about(all, &["sentinel"]).is_empty();
        let all = receiver
            .until(&format!("{}: its sentinel", self.case), is_heard)
            .await;
        let mut told = told::about(&all, &own);
        told::forget_what_was_corrected(&mut told);
        if self.case.restarts {
            // What was under way when migwatch was killed may be repeated, with its own key.
            told.dedup();
            let mut wanted = wanted.clone();
            wanted.dedup();
            assert_eq!(told, wanted, "{}", self.case);
        } else {
            assert_eq!(told, wanted, "{}", self.case);
        }
    }

    /// The application's container, as it starts now.
    pub(super) fn spec(&self, project: &str, number: u32) -> ContainerSpec {
        let switch = match self.start {
            Start::Off | Start::Checked | Start::Despite(_) => Some("false"),
            Start::On | Start::OnTo(_) => Some("true"),
            Start::Unset | Start::Bare(_) => None,
        };
        let guide = app("app", switch.unwrap_or_default());
        let command = match self.start {
            Start::Bare(alembic) | Start::Despite(alembic) => {
                ["sh", "-c", &format!("{alembic} && gunicorn app")]
                    .map(str::to_owned)
                    .to_vec()
            }
            _ => guide.command,
        };
        ContainerSpec {
            command,
            healthcheck: (self.start == Start::Checked)
                .then(|| ["CMD", "alembic", "current"].map(str::to_owned).to_vec()),
            environment: switch
                .map(|switch| format!("RUN_MIGRATIONS={switch}"))
                .into_iter()
                .collect(),
            ..ContainerSpec::replica(project, "app", number)
        }
    }

    /// A person needs longer than Compose's hooks from the container's start to a command in it.
    pub(super) async fn a_moment_passes(&self) {
        until("a moment has passed since the start", async || {
            self.stage.catch_up();
            let passed = self.stage.engine.clock().now().since(self.started_at);
            (passed > Duration::from_millis(1_100))
                .then_some(())
                .ok_or_else(|| format!("{passed:?}"))
        })
        .await;
    }

    /// What a container says and does once it has started.
    pub(super) async fn start_script(&mut self, id: ContainerId) {
        self.started_at = self.stage.engine.clock().now();
        let command = match self.start {
            Start::Off | Start::Checked => {
                self.skips_at(&id);
                return self.skip_is_heard().await;
            }
            Start::On | Start::Unset => "alembic upgrade head",
            Start::OnTo(alembic) | Start::Bare(alembic) | Start::Despite(alembic) => alembic,
        };
        if !matches!(self.start, Start::Bare(_) | Start::Despite(_)) {
            self.stage.says(&id, RUN);
        }
        let acts = self.world.acts(command);
        self.goes_on(Runner::Start(id), acts).await;
    }

    /// Its start script skips.
    pub(super) fn skips_at(&mut self, id: &ContainerId) {
        self.stage.says(id, SKIP);
        self.stage.says(id, UP);
        self.skips += 1;
    }

    /// Every start that skipped is heard of.
    pub(super) async fn skip_is_heard(&self) {
        let skips = self.skips;
        self.service("its start skipped", |service| service.counters.skips == skips)
            .await;
    }

    /// What a command does, until it ends or has to wait.
    pub(super) async fn goes_on(&mut self, runner: Runner, acts: Vec<Act>) {
        let mut acts = acts.into_iter();
        while let Some(act) = acts.next() {
            match act {
                Act::Says(line) => match &runner {
                    Runner::Start(id) | Runner::Own(id) => self.stage.says(id, &line),
                    Runner::Process => self.writes(&line),
                    Runner::Exec(_) | Runner::Nobody => {}
                },
                Act::Leaves(column) => self.world.leaves(column),
                Act::Moves(to) => {
                    self.middle().await;
                    self.world.moves(&to);
                }
                Act::Waits => {
                    self.begun = Some((runner, acts.collect()));
                    return self.is_at_work().await;
                }
                Act::Exits(code) => self.ends(&runner, code),
            }
        }
    }

    /// Its process ends so.
    pub(super) fn ends(&self, runner: &Runner, code: i32) {
        let engine = &self.stage.engine;
        match runner {
            Runner::Start(id) if code == 0 => self.stage.says(id, UP),
            Runner::Start(id) => engine.die(id, code),
            Runner::Own(id) => {
                engine.die(id, code);
                engine.remove(id);
            }
            Runner::Exec(exec) => engine.exec_ends(exec, code),
            Runner::Process if code == 0 => self.writes("✅ Alembic 마이그레이션 완료!"),
            Runner::Process | Runner::Nobody => {}
        }
    }

    /// Into the log file of what runs beside the containers.
    pub(super) fn writes(&self, line: &str) {
        let log = std::fs::OpenOptions::new()
            .append(true)
            .open(self.folder.path().join("run.log"));
        writeln!(log.expect("it is there"), "{line}").expect("it takes lines");
    }

    /// The slow step has begun, and migwatch knows that something moves.
    async fn is_at_work(&mut self) {
        until(&format!("{}: it is in its slow step", self.case), async || {
            let all = self.migrations().await;
            let is_known = all.iter().any(migwatch::model::migration::Migration::moved);
            is_known.then_some(()).ok_or_else(|| format!("{all:#?}"))
        })
        .await;
        self.middle().await;
    }
}
