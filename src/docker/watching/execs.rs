//! Commands inside containers: told as started once the container is known, and as ended in any case.

use std::time::Duration;

use super::super::execs::{ExecStart, ExecState, MADE_UP, Open, Seen};
use super::super::memory::Waiting;
use super::{Done, Watching};
use crate::model::container::{ArmedSource, ContainerState};
use crate::model::exec::{ExecCommand, ExecId};
use crate::model::observation::Observation;
use crate::model::service::ContainerId;
use crate::model::time::Timestamp;

/// The engine tells by no event that a command could not be started: it is asked so much later. Events take 0.1 s at most.
const ASK_AFTER: Duration = Duration::from_secs(1);

impl Watching<'_> {
    /// A command began that may migrate.
    pub(super) async fn exec_started(&mut self, id: &ContainerId, at: Timestamp, start: Box<ExecStart>) {
        let Some(known) = self.memory.known.get_mut(id) else {
            // Its creation was not heard.
            self.memory
                .known
                .entry(id.clone())
                .or_default()
                .hold(Waiting::Exec(at, start));
            return self.look_at(id);
        };
        if !known.reported {
            return known.hold(Waiting::Exec(at, start));
        }
        let Some(inspected) = known.inspected.as_ref().filter(|_| known.enabled) else {
            return;
        };
        let can_migrate = inspected.container.look.armed.source != ArmedSource::Nothing;
        let is_told = match start.command {
            ExecCommand::Migrates(_) => true,
            ExecCommand::Untold => can_migrate,
        };
        if inspected.health_check == Some(start.fingerprint) || !is_told {
            return;
        }
        let askable = start.exec.is_some();
        let exec = start
            .exec
            .unwrap_or_else(|| ExecId(format!("{MADE_UP}{}", at.as_nanos())));
        let open = Open::new(id.clone(), exec.clone(), at, askable);
        if let Some(oldest) = self.memory.execs.begin(open) {
            self.tell_end(oldest, self.wiring.clock.now(), None).await;
        }
        self.send(Observation::ExecStarted {
            container: id.clone(),
            exec: exec.clone(),
            at,
            command: start.command,
        })
        .await;
        if askable {
            self.ask(exec, ASK_AFTER);
        }
    }

    /// A command ended; Podman does not tell which, so that it may be another.
    pub(super) async fn exec_ended(
        &mut self,
        id: &ContainerId,
        at: Timestamp,
        exec: Option<ExecId>,
        exit_code: i32,
    ) {
        let execs = &mut self.memory.execs;
        let told = exec.and_then(|exec| execs.end(&exec)).map(|open| (open, true));
        if let Some((open, is_sure)) = told.or_else(|| execs.end_any(id)) {
            self.tell_end(open, at, is_sure.then_some(exit_code)).await;
        }
    }

    /// The container ended, and with it whatever ran in it.
    pub(super) async fn execs_ended(&mut self, id: &ContainerId, at: Timestamp) {
        for open in self.memory.execs.end_all(id, at) {
            self.tell_end(open, at, None).await;
        }
    }

    /// Tells what waited for the container's first look.
    pub(super) async fn tell_waiting(&mut self, id: &ContainerId, waiting: Vec<Waiting>) {
        for waiting in waiting {
            match waiting {
                Waiting::Told(observation) => self.send(observation).await,
                Waiting::Exec(at, start) => Box::pin(self.exec_started(id, at, start)).await,
            }
        }
    }

    /// After a full look: commands whose container ended are over, the others are asked for.
    pub(super) async fn ask_for_execs(&mut self) {
        let now = self.wiring.clock.now();
        for open in self.memory.execs.all().to_vec() {
            let known = self.memory.known.get(&open.container);
            let look = known.and_then(|known| Some(&known.inspected.as_ref()?.container.look));
            let runs = look.is_some_and(|look| {
                let running = matches!(look.state, ContainerState::Running | ContainerState::Paused);
                running && look.started_at.is_none_or(|started| started <= open.at)
            });
            if runs && open.askable {
                self.ask(open.exec, Duration::ZERO);
            } else if !(runs && open.heard) {
                self.memory.execs.end(&open.exec);
                self.tell_end(open, now, None).await;
            }
        }
    }

    fn ask(&mut self, exec: ExecId, after: Duration) {
        let (looker, permits) = (self.connection.looker.clone(), self.permits.clone());
        self.looks.spawn(async move {
            tokio::time::sleep(after).await;
            let _permit = permits.acquire().await;
            let state = looker.exec(&exec).await;
            Done::Exec(exec, state)
        });
    }

    /// The engine said how a command stands.
    pub(super) async fn asked(&mut self, exec: &ExecId, state: Option<ExecState>) {
        let Some(open) = self.memory.execs.get_mut(exec) else {
            return; // its end was heard meanwhile
        };
        let exit_code = match state {
            None => return,
            Some(ExecState::Running) => {
                open.seen = Seen::Started;
                return;
            }
            // As long as every event is heard, its end will be. Its client may have gone away, and the command goes on.
            Some(ExecState::Over { exit_code: None }) if open.heard => {
                open.seen = Seen::Started;
                return;
            }
            Some(ExecState::Gone) if open.heard && open.seen == Seen::Started => return,
            Some(ExecState::Untold) if open.heard => return,
            Some(ExecState::NeverStarted { exit_code } | ExecState::Over { exit_code }) => exit_code,
            Some(ExecState::Gone | ExecState::Untold) => None,
        };
        let may_be_on_its_way = open.heard && open.seen != Seen::Over;
        if may_be_on_its_way {
            open.seen = Seen::Over;
            return self.ask(exec.clone(), ASK_AFTER);
        }
        if let Some(open) = self.memory.execs.end(exec) {
            self.tell_end(open, self.wiring.clock.now(), exit_code).await;
        }
    }

    async fn tell_end(&mut self, open: Open, at: Timestamp, exit_code: Option<i32>) {
        self.send(Observation::ExecEnded {
            container: open.container,
            exec: open.exec,
            at,
            exit_code,
        })
        .await;
    }
}
