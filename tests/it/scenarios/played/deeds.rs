//! What somebody does, as both generations of Compose and the engine would make it look.

use migwatch::model::service::ContainerId;
use migwatch::model::status::ConditionWord;

use super::play::{Play, Runner, SECOND};
use crate::played_product::{PROJECT, app};
use crate::scenarios::row::{By, Deed, Start};
use crate::support::fake_engine::containers::ContainerSpec;
use crate::support::stack::Compose;
use crate::support::waiting::until;

impl Play {
    pub(super) async fn does(&mut self, deed: &Deed) {
        match *deed {
            Deed::Up(start) | Deed::Recreate(start) => self.up(start).await,
            Deed::Restart => {
                self.stops();
                self.starts().await;
            }
            Deed::Start => self.starts().await,
            Deed::Stop => {
                self.stops();
                self.service("is stopped", |service| {
                    service.condition.word == ConditionWord::Stopped
                })
                .await;
            }
            Deed::Scale(count) => self.scales(count).await,
            Deed::Roll(start) => self.rolls(start).await,
            Deed::SecondUp(start) => {
                let before = std::mem::replace(&mut self.start, start);
                let id = self.stage.up(self.spec(SECOND, 1), &[]);
                self.start_script(id).await;
                self.start = before;
            }
            Deed::Release(revision) => self.world.releases(revision),
            Deed::Run(by, command) | Deed::Begin(by, command) => self.runs(by, command).await,
            Deed::Unwatched(by, command) => {
                self.a_moment_passes().await;
                self.stage.kill().await;
                // It is down already.
                let restarts = std::mem::replace(&mut self.case.restarts, false);
                self.runs(by, command).await;
                self.case.restarts = restarts;
                self.stage.start().await;
            }
            // It waits for that whenever it begins.
            Deed::AtWork => {}
            Deed::LetGo => {
                let (runner, rest) = self.begun.take().expect("it has begun");
                self.goes_on(runner, rest).await;
            }
            Deed::KillIt => self.kills(),
            Deed::Says(line) => self.says(line).await,
            Deed::Floods(count) => self.floods(count).await,
            Deed::Checks(count) => self.checks(count),
            Deed::Restore(revision) => {
                self.world.is_emptied();
                self.stands(None).await;
                self.world.is_restored(revision);
                self.stands(Some(revision)).await;
            }
            Deed::Settled(count) => self.is_told(count).await,
            Deed::Restarted => {
                self.stage.kill().await;
                self.stage.start().await;
            }
        }
    }

    /// `compose up`: a container that is there is made anew.
    pub(super) async fn up(&mut self, start: Start) {
        let id = self.up_anew(start);
        self.start_script(id).await;
    }

    fn up_anew(&mut self, start: Start) -> ContainerId {
        self.start = start;
        let spec = self.spec(PROJECT, 1);
        let id = match self.containers.pop() {
            Some(old) => self.stage.recreate(self.case.compose, &old, spec, &[]),
            None => self.stage.up(spec, &[]),
        };
        self.containers.push(id.clone());
        id
    }

    fn stops(&self) {
        for id in &self.containers {
            self.stage.stop(id);
        }
    }

    async fn starts(&mut self) {
        self.stage.catch_up();
        for id in self.containers.clone() {
            self.stage.engine.start(&id);
            self.start_script(id).await;
        }
    }

    async fn scales(&mut self, count: u32) {
        let wanted = usize::try_from(count).expect("a few");
        while self.containers.len() > wanted {
            let id = self.containers.pop().expect("it is counted");
            self.stage.stop(&id);
            self.stage.engine.remove(&id);
        }
        while self.containers.len() < wanted {
            let number = u32::try_from(self.containers.len() + 1).expect("a few");
            let id = self.stage.up(self.spec(PROJECT, number), &[]);
            self.containers.push(id.clone());
            self.start_script(id).await;
        }
        self.service("so many replicas are seen", |service| {
            service.containers.len() == wanted
        })
        .await;
    }

    async fn runs(&mut self, by: By, command: &str) {
        let runner = match by {
            By::Exec | By::ExecAtTerminal => {
                self.a_moment_passes().await;
                let id = self.containers.last().expect("the application runs");
                Runner::Exec(self.stage.engine.exec(id, &words(command)))
            }
            By::OneOff | By::OneOffAtTerminal => Runner::Own(self.alone(self.one_off(by, command)).await),
            By::PostStart => return self.hooked(command).await,
            By::PreStart => Runner::Own(self.alone(Self::hook(command)).await),
            By::Process => {
                self.writes("⬆️ Alembic 마이그레이션 적용 중...");
                Runner::Process
            }
            By::Elsewhere => Runner::Nobody,
        };
        let acts = self.world.acts(command);
        self.goes_on(runner, acts).await;
    }

    /// Compose runs the hook at once after the start, whatever the application says meanwhile.
    async fn hooked(&mut self, command: &str) {
        let id = self.up_anew(Start::Off);
        self.skips_at(&id);
        let exec = self.stage.engine.exec(&id, &words(command));
        let acts = self.world.acts(command);
        self.goes_on(Runner::Exec(exec), acts).await;
        self.skip_is_heard().await;
    }

    /// A container of its own: it is looked at once it is made, and lives long enough for its log to be opened.
    async fn alone(&self, spec: ContainerSpec) -> ContainerId {
        let before = self.stage.engine.inspections();
        let id = self.stage.engine.create(spec);
        until(&format!("{}: it is looked at", self.case), async || {
            let looked = self.stage.engine.inspections() > before;
            looked.then_some(()).ok_or_else(String::new)
        })
        .await;
        self.stage.engine.start(&id);
        let asked = self.stage.engine.log_requests(&id);
        until(&format!("{}: its log is opened", self.case), async || {
            let is_opened = !asked.borrow().is_empty();
            is_opened.then_some(()).ok_or_else(String::new)
        })
        .await;
        id
    }

    /// A new replica beside the old ones; once it serves they go, one after the other.
    async fn rolls(&mut self, start: Start) {
        let old = std::mem::take(&mut self.containers);
        self.start = start;
        let number = u32::try_from(old.len() + 1).expect("a few");
        let id = self.stage.up(self.spec(PROJECT, number), &[]);
        self.containers.push(id.clone());
        self.start_script(id).await;
        self.is_told(self.case.row.told.len()).await;
        for id in old {
            self.middle().await;
            self.stage.stop(&id);
            self.stage.engine.remove(&id);
        }
        self.service("the new replica is alone", |service| {
            service.containers.len() == 1
        })
        .await;
    }

    async fn floods(&self, count: usize) {
        let id = self.containers.last().expect("the application runs");
        let before = self
            .stage
            .service("app", "is known", |_| true)
            .await
            .counters
            .log_bytes;
        let line = "GET /health 200";
        for number in 0..count {
            if number % 500 == 0 {
                self.stage.engine.rotate(id, 1);
            }
            self.stage.says(id, line);
        }
        let bytes = u64::try_from(count * line.len()).expect("some");
        self.service("all lines are read", |service| {
            service.counters.log_bytes >= before + bytes
        })
        .await;
    }

    fn checks(&self, count: usize) {
        let id = self.containers.last().expect("the application runs");
        for _ in 0..count {
            let check = self.stage.engine.exec(id, &["alembic", "current"]);
            self.stage.engine.exec_ends(&check, 0);
        }
        self.stage.engine.health(id, "healthy");
    }

    /// As `compose run` makes a container.
    fn one_off(&self, by: By, command: &str) -> ContainerSpec {
        let spec = ContainerSpec::service(PROJECT, "app");
        let (name, auto_remove) = match self.case.compose {
            Compose::One => (format!("{PROJECT}_app_run_0123456789ab"), false),
            Compose::Two => (format!("{PROJECT}-app-run-0123456789ab"), true),
        };
        let mut labels = spec.labels.clone();
        labels.remove("com.docker.compose.container-number");
        labels.insert("com.docker.compose.oneoff".to_owned(), "True".to_owned());
        ContainerSpec {
            name,
            labels,
            auto_remove,
            tty: by == By::OneOffAtTerminal,
            command: words(command).into_iter().map(str::to_owned).collect(),
            environment: app("app", "false").environment,
            ..spec
        }
    }

    /// As Compose 5.3 makes a container for what runs before the application's.
    fn hook(command: &str) -> ContainerSpec {
        let spec = ContainerSpec::service(PROJECT, "app");
        let mut labels = spec.labels.clone();
        labels.remove("com.docker.compose.container-number");
        labels.remove("com.docker.compose.oneoff");
        labels.insert("com.docker.compose.hook".to_owned(), "pre_start".to_owned());
        ContainerSpec {
            name: format!("{PROJECT}-app-pre_start-0"),
            labels,
            command: words(command).into_iter().map(str::to_owned).collect(),
            environment: app("app", "false").environment,
            ..spec
        }
    }

    fn kills(&mut self) {
        let (runner, _) = self.begun.take().expect("it has begun");
        if let Runner::Start(id) | Runner::Own(id) = &runner {
            self.stage.engine.kill(id, 9);
        }
        self.ends(&runner, 137);
    }

    async fn says(&self, line: &str) {
        let id = self.containers.last().expect("the application runs");
        let before = self
            .stage
            .service("app", "is known", |_| true)
            .await
            .counters
            .log_bytes;
        self.stage.says(id, line);
        let length = u64::try_from(line.len()).expect("a line");
        self.service("the line is read", |service| {
            service.counters.log_bytes >= before + length
        })
        .await;
    }
}

/// The words of a command as a shell splits it; the only quotes are single ones.
fn words(command: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for (number, part) in command.split('\'').enumerate() {
        if number % 2 == 1 {
            words.push(part);
        } else {
            words.extend(part.split_whitespace());
        }
    }
    words
}
