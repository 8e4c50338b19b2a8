//! What somebody does, done for real: by Compose's command line, by the engine's where Compose has no word for it, and by files.

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use migwatch::daemon::clock::SystemClock;
use migwatch::model::service::ServiceId;
use migwatch::model::time::{Clock as _, Timestamp};

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::Instant;

use super::application;
use super::ground::Ground;
use super::scene::Scene;
use crate::scenarios::row::{By, Deed, Start};
use crate::support::stack::{docker, docker_on};
use crate::support::waiting::until;

/// The rest of a line of an access log.
const FILLING: &str =
    "\"-\" \"kube-probe/1.31 (a client that says more of itself than anybody wants to know)\"";

/// What runs on for longer is taken as moving something; a machine that is busy takes as long for nothing.
const PRESUMED: Duration = Duration::from_millis(4_500);

impl Scene {
    pub(super) async fn does(&mut self, ground: &Ground, deed: &Deed) {
        match *deed {
            Deed::Up(start) => self.up(ground, start, &[]).await,
            Deed::Recreate(start) => self.up(ground, start, &["--force-recreate"]).await,
            Deed::Restart => self.again(ground, &["restart", "app"]).await,
            Deed::Start => self.again(ground, &["start", "app"]).await,
            Deed::Stop => {
                self.stack.compose(&["stop", "app"], &[]).await;
                self.service(ground, "is stopped", |service| {
                    let word = service.condition.word;
                    word == migwatch::model::status::ConditionWord::Stopped
                })
                .await;
            }
            Deed::Scale(count) => self.scales(ground, count).await,
            Deed::Roll(start) => self.rolls(ground, start).await,
            Deed::SecondUp(start) => {
                let second = self.second.as_ref().expect("the row says that there is one");
                second.write("docker-compose.yml", &self.compose_file(start, None));
                second.compose(&["up", "-d", "app"], &[]).await;
            }
            Deed::Release(revision) => {
                self.stack
                    .write(&format!("incoming/{revision}.py"), &application::script(revision));
            }
            Deed::Run(by, command) => self.runs(ground, by, command).await,
            Deed::Unwatched(by, command) => {
                ground.kill().await;
                self.runs(ground, by, command).await;
                ground.restart().await;
            }
            Deed::Begin(by, command) => {
                self.a_moment_passes(by).await;
                let child = self.begun_by(by, command).spawn().expect("it can be run");
                self.begun = Some((by, child));
                self.is_at_work(ground).await;
            }
            Deed::AtWork => self.is_at_work(ground).await,
            Deed::LetGo => {
                self.is_at_work(ground).await;
                self.stack.write("incoming/go", "");
                self.begun_ends().await;
            }
            Deed::KillIt => self.kills(ground).await,
            Deed::Says(line) => self.says(ground, line).await,
            Deed::Floods(count) => self.floods(ground, count).await,
            Deed::Checks(count) => self.checks(count).await,
            Deed::Restore(revision) => {
                self.schema.execute(application::NO_SCHEMA).await;
                self.stands(ground, None).await;
                self.schema.execute(&application::schema_at(revision)).await;
                self.stands(ground, Some(revision)).await;
            }
            Deed::Settled(count) => self.is_told(ground, count).await,
            Deed::Restarted => ground.restart().await,
        }
    }

    pub(super) async fn up(&mut self, ground: &Ground, start: Start, flags: &[&str]) {
        self.start = start;
        self.stack
            .write("docker-compose.yml", &self.compose_file(start, None));
        self.again(ground, &[&["up", "-d"], flags, &["app"]].concat())
            .await;
    }

    fn compose_file(&self, start: Start, hook: Option<&str>) -> String {
        application::compose_file(start, &self.url(), &self.incoming(), hook)
    }

    /// It starts (again); where it skips, that is heard.
    async fn again(&mut self, ground: &Ground, arguments: &[&str]) {
        self.stack.compose(arguments, &[]).await;
        if matches!(self.start, Start::Off | Start::Checked) {
            self.skips += 1;
            let skips = self.skips;
            self.service(ground, "its start skipped", |service| {
                service.counters.skips == skips
            })
            .await;
        }
    }

    async fn scales(&mut self, ground: &Ground, count: u32) {
        let before = self
            .stack
            .compose(&["ps", "-q", "app"], &[])
            .await
            .lines()
            .count();
        let scale = format!("app={count}");
        self.stack
            .compose(&["up", "-d", "--no-recreate", "--scale", &scale, "app"], &[])
            .await;
        let count = usize::try_from(count).expect("a few");
        self.skips += u64::try_from(count.saturating_sub(before)).expect("a few");
        let skips = self.skips;
        self.service(ground, "so many replicas are seen", |service| {
            service.containers.len() == count && service.counters.skips == skips
        })
        .await;
    }

    /// A new replica beside the old ones; once it has done what the row says, they go one after the other.
    async fn rolls(&mut self, ground: &Ground, start: Start) {
        let old = self.stack.compose(&["ps", "-q", "app"], &[]).await;
        let old: Vec<&str> = old.lines().collect();
        self.stack
            .write("docker-compose.yml", &self.compose_file(start, None));
        let scale = format!("app={}", old.len() + 1);
        let up = ["up", "-d", "--no-recreate", "--scale", &scale, "app"];
        self.stack.compose(&up, &[]).await;
        self.is_told(ground, self.case.row.told.len()).await;
        for id in old {
            docker(&["stop", "--time", "1", id]).await;
            docker(&["rm", id]).await;
        }
        self.service(ground, "the new replica is alone", |service| {
            service.containers.len() == 1
        })
        .await;
    }

    /// An engine may lose lines when it rotates a log faster than it serves it: that a good part of them came is enough.
    async fn floods(&self, ground: &Ground, count: usize) {
        let before = self.log_bytes(ground).await;
        let write = format!(
            "i=0; while [ $i -lt {count} ]; do i=$((i+1)); echo $i 'GET /health 200 {FILLING}'; done >/proc/1/fd/1"
        );
        docker(&["exec", &self.stack.container("app").await, "sh", "-c", &write]).await;
        let bytes = u64::try_from(count / 10 * FILLING.len()).expect("some");
        self.service(ground, "a good part of the lines is read", |service| {
            service.counters.log_bytes >= before + bytes
        })
        .await;
    }

    async fn checks(&self, count: usize) {
        let id = self.stack.container("app").await;
        until(&format!("{}: {count} health checks", self.case), async || {
            let log = docker(&["inspect", "--format", "{{len .State.Health.Log}}", &id]).await;
            let passed = log.parse::<usize>().is_ok_and(|passed| passed >= count);
            passed.then_some(()).ok_or(log)
        })
        .await;
    }

    /// A project's `./run.sh`, whose output is a file.
    async fn runs_beside(&self, command: &str) {
        let log = std::fs::OpenOptions::new()
            .append(true)
            .open(self.stack.path("run.log"));
        let mut log = log.expect("it is there");
        writeln!(log, "⬆️ Alembic 마이그레이션 적용 중...").expect("it takes lines");
        let mut run = self.begun_by(By::Elsewhere, command);
        let output = || Stdio::from(log.try_clone().expect("it is open"));
        run.stdout(output()).stderr(output());
        if run.status().await.expect("it can be run").success() {
            writeln!(log, "✅ Alembic 마이그레이션 완료!").expect("it takes lines");
        }
    }

    async fn runs(&mut self, ground: &Ground, by: By, command: &'static str) {
        if by == By::PostStart {
            let file = self.compose_file(Start::Off, Some(command));
            self.stack.write("docker-compose.yml", &file);
            return self.again(ground, &["up", "-d", "app"]).await;
        }
        if by == By::Process {
            return self.runs_beside(command).await;
        }
        self.a_moment_passes(by).await;
        let began = Instant::now();
        let ended = self.begun_by(by, command).output().await.expect("it can be run");
        if by != By::Elsewhere && began.elapsed() > PRESUMED {
            self.presumed += 1;
        }
        // What the row says of it tells more than its exit code.
        drop(ended);
    }

    /// A person needs longer than Compose's hooks from the container's start to a command in it.
    async fn a_moment_passes(&self, by: By) {
        if !matches!(by, By::Exec | By::ExecAtTerminal) {
            return;
        }
        let id = self.stack.container("app").await;
        let started = docker(&["inspect", "--format", "{{.State.StartedAt}}", &id]).await;
        let started: Timestamp = started.trim().parse().expect("the engine tells when");
        until("a moment has passed since the start", async || {
            let passed = SystemClock.now().since(started);
            let is_over = passed > Duration::from_millis(1_100);
            is_over.then_some(()).ok_or_else(|| format!("{passed:?}"))
        })
        .await;
    }

    /// The command as its user types it.
    fn begun_by(&self, by: By, command: &str) -> Command {
        let (url, incoming) = (self.url(), self.incoming());
        let words = shell_words(command);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut began = match by {
            By::Exec => self.stack.command(&[&["exec", "-T", "app"], &words[..]].concat()),
            By::OneOff => self
                .stack
                .command(&[&["run", "--rm", "-T", "app"], &words[..]].concat()),
            By::ExecAtTerminal => self.stack.at_terminal(&format!("exec app {command}")),
            By::OneOffAtTerminal => self.stack.at_terminal(&format!("run --rm app {command}")),
            By::Elsewhere => {
                let (url, mounted) = (
                    format!("DATABASE_URL={url}"),
                    format!("{}:/srv/reports/dbmig/incoming", incoming.display()),
                );
                let run = [
                    "run",
                    "--rm",
                    "--workdir",
                    "/srv/reports",
                    "--env",
                    &url,
                    "--volume",
                    &mounted,
                ];
                docker_on(&[&run[..], &["migwatch-demo-app"], &words].concat())
            }
            By::PostStart | By::PreStart | By::Process => panic!("{by:?} is not begun by itself"),
        };
        began
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        began
    }

    /// The slow step has begun, and migwatch knows that something moves.
    async fn is_at_work(&self, ground: &Ground) {
        let sign = self.incoming().join("at_work");
        until(&format!("{}: it is in its slow step", self.case), async || {
            let all = ground.migrations(&[self.project()]).await;
            let is_known = all.iter().any(migwatch::model::migration::Migration::moved);
            (sign.exists() && is_known)
                .then_some(())
                .ok_or_else(|| format!("{all:#?}"))
        })
        .await;
    }

    async fn begun_ends(&mut self) {
        if let Some((_, mut child)) = self.begun.take() {
            child.wait().await.expect("it runs");
        }
    }

    async fn kills(&mut self, ground: &Ground) {
        self.is_at_work(ground).await;
        match self.begun.as_ref().map(|(by, _)| *by) {
            None => {
                self.stack.compose(&["kill", "app"], &[]).await;
            }
            Some(By::Exec | By::ExecAtTerminal) => {
                let kill = "for of in /proc/[0-9]*; do if grep -q '[a]lembic' $of/cmdline; then kill -KILL ${of#/proc/}; fi; done";
                docker(&["exec", &self.stack.container("app").await, "sh", "-c", kill]).await;
            }
            Some(_) => {
                let project = format!("label=com.docker.compose.project={}", self.project());
                let one_off = "label=com.docker.compose.oneoff=True";
                let id = docker(&["ps", "--quiet", "--filter", &project, "--filter", one_off]).await;
                docker(&["kill", &id]).await;
            }
        }
        self.begun_ends().await;
    }

    /// Through the first process's own output, as if it had written it.
    async fn says(&self, ground: &Ground, line: &str) {
        let id = self.stack.container("app").await;
        let before = self.log_bytes(ground).await;
        let mut tee = docker_on(&["exec", "--interactive", &id, "tee", "/proc/1/fd/1"]);
        let mut tee = tee
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("docker is installed");
        let mut input = tee.stdin.take().expect("it is piped");
        input
            .write_all(format!("{line}\n").as_bytes())
            .await
            .expect("it reads");
        drop(input);
        assert!(tee.wait().await.expect("it ends").success(), "{line}");
        let length = u64::try_from(line.len()).expect("a line");
        self.service(ground, "the line is read", |service| {
            service.counters.log_bytes >= before + length
        })
        .await;
    }

    async fn log_bytes(&self, ground: &Ground) -> u64 {
        let app = ServiceId::new(self.project(), "app");
        let service = ground.service(&app, "is known", |_| true).await;
        service.counters.log_bytes
    }
}

/// The words of a command as a shell splits it; the only quotes are single ones.
fn shell_words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (number, part) in command.split('\'').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
