//! Commands that somebody runs inside containers, as far as they may migrate.
//!
//! Promises that every such command that is told as started is told as ended too, whatever events are lost, and that what does not migrate
//! (health checks above all, three events each, every few seconds) is dropped before it costs or is kept anywhere. Refuses to keep the
//! text of a command that does not migrate.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::Value;

use super::OpenExec;
use crate::command::{self, Reading};
use crate::model::exec::{ExecCommand, ExecId};
use crate::model::service::ContainerId;
use crate::model::time::Timestamp;

/// What the ID of a command begins with for which the engine has none.
pub(super) const MADE_UP: &str = "untold-";

/// How many are followed at once: people start them by hand.
const MOST: usize = 256;

/// A command that began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExecStart {
    /// Which; Podman does not tell.
    pub(super) exec: Option<ExecId>,
    /// What it may do.
    pub(super) command: ExecCommand,
    /// Tells whether it is the container's health check.
    pub(super) fingerprint: Fingerprint,
}

/// Stands for a command's whole text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint(u64);

impl Fingerprint {
    /// Of the text as the engine tells it.
    pub(super) fn of(text: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        text.trim().hash(&mut hasher);
        Self(hasher.finish())
    }

    /// Of the health check `test` of a container, whose `shell` runs it: what the engine will tell of each of its execs.
    pub(super) fn of_health_check(test: &[String], shell: &[String]) -> Option<Self> {
        let (kind, words) = test.split_first()?;
        match kind.as_str() {
            "CMD" => Some(Self::of(&words.join(" "))),
            "CMD-SHELL" if shell.is_empty() => Some(Self::of(&format!("/bin/sh -c {}", words.join(" ")))),
            "CMD-SHELL" => Some(Self::of(&format!("{} {}", shell.join(" "), words.join(" ")))),
            _ => None,
        }
    }
}

/// Lets only those commands through that may migrate, and the ends of those that it let through.
#[derive(Debug, Default)]
pub(super) struct Sieve {
    open: Vec<ExecId>,
    /// The engine does not tell which command began (Podman), so that any end may be one of those.
    podman: bool,
}

impl Sieve {
    /// `open`: those that were let through before and have not ended.
    pub(super) fn new(open: Vec<ExecId>, podman: bool) -> Self {
        Self { open, podman }
    }

    /// A command began of which the engine tells `text`.
    pub(super) fn started(&mut self, exec: Option<ExecId>, text: &str) -> Option<Box<ExecStart>> {
        let command = match command::of_exec(text) {
            Reading::Migrates(command) => ExecCommand::Migrates(command),
            Reading::Perhaps => ExecCommand::Untold,
            Reading::Harmless => return None,
        };
        if let Some(exec) = exec.as_ref().filter(|exec| !self.open.contains(exec)) {
            if self.open.len() >= MOST {
                self.open.remove(0);
            }
            self.open.push(exec.clone());
        }
        let fingerprint = Fingerprint::of(text);
        Some(Box::new(ExecStart {
            exec,
            command,
            fingerprint,
        }))
    }

    /// A command began of which the engine tells nothing.
    pub(super) fn untold(exec: Option<ExecId>) -> ExecStart {
        ExecStart {
            exec,
            command: ExecCommand::Untold,
            fingerprint: Fingerprint(0),
        }
    }

    /// A command ended; whether that is of interest.
    pub(super) fn ended(&mut self, exec: Option<&ExecId>) -> bool {
        let at = self.open.iter().position(|open| Some(open) == exec);
        if let Some(at) = at {
            self.open.remove(at);
        }
        at.is_some() || self.podman
    }
}

/// A command that was told as started and not yet as ended.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) container: ContainerId,
    pub(super) exec: ExecId,
    /// When it began.
    pub(super) at: Timestamp,
    /// The engine knows it by this ID: it can be asked.
    pub(super) askable: bool,
    /// No events were lost since it began: its end will be heard, if it has begun at all.
    pub(super) heard: bool,
    /// What the engine said when it was last asked.
    pub(super) seen: Seen,
}

/// What the engine said of an open command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It was not asked yet.
    Nothing,
    /// It was started.
    Started,
    /// It is over, and its end was not heard yet.
    Over,
}

impl Open {
    /// One that just began.
    pub(super) fn new(container: ContainerId, exec: ExecId, at: Timestamp, askable: bool) -> Self {
        Self {
            container,
            exec,
            at,
            askable,
            heard: true,
            seen: Seen::Nothing,
        }
    }
}

/// The open commands of all containers; survive connections.
#[derive(Debug, Default)]
pub(super) struct Execs {
    open: Vec<Open>,
}

impl Execs {
    /// Takes up what began before this process.
    pub(super) fn resume(&mut self, open: Vec<OpenExec>) {
        let open = open.into_iter().map(|it| Open {
            heard: false,
            ..Open::new(it.container, it.exec, it.at, true)
        });
        self.open.extend(open.take(MOST));
    }

    /// Remembers a command; gives back the oldest where there are too many.
    pub(super) fn begin(&mut self, open: Open) -> Option<Open> {
        // Told again by a new subscription.
        self.open.retain(|known| known.exec != open.exec);
        let oldest = (self.open.len() >= MOST).then(|| self.open.remove(0));
        self.open.push(open);
        oldest
    }

    /// The open command of this ID.
    pub(super) fn get_mut(&mut self, exec: &ExecId) -> Option<&mut Open> {
        self.open.iter_mut().find(|open| open.exec == *exec)
    }

    /// Takes a command that ended.
    pub(super) fn end(&mut self, exec: &ExecId) -> Option<Open> {
        let at = self.open.iter().position(|open| open.exec == *exec)?;
        Some(self.open.remove(at))
    }

    /// Takes the oldest of a container's commands that the engine has no ID for, and says whether it was the only one.
    pub(super) fn end_any(&mut self, container: &ContainerId) -> Option<(Open, bool)> {
        let is_one = |open: &Open| open.container == *container && !open.askable;
        let only = self.open.iter().filter(|open| is_one(open)).count() == 1;
        let at = self.open.iter().position(is_one)?;
        Some((self.open.remove(at), only))
    }

    /// Takes all commands of a container that began before its end.
    pub(super) fn end_all(&mut self, container: &ContainerId, at: Timestamp) -> Vec<Open> {
        let ends = |open: &mut Open| open.container == *container && open.at <= at;
        self.open.extract_if(.., ends).collect()
    }

    /// Events were lost: any of them may have ended unheard.
    pub(super) fn lost(&mut self) {
        self.open.iter_mut().for_each(|open| open.heard = false);
    }

    /// All of them.
    pub(super) fn all(&self) -> &[Open] {
        &self.open
    }

    /// Those that the engine can be asked about.
    pub(super) fn askable(&self) -> Vec<ExecId> {
        let askable = self.open.iter().filter(|open| open.askable);
        askable.map(|open| open.exec.clone()).collect()
    }
}

/// What the engine says of a command when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExecState {
    /// It runs.
    Running,
    /// It could not be started.
    NeverStarted { exit_code: Option<i32> },
    /// It ended, or its client went away and it goes on: then the engine says 126 too (seen on 20.10).
    Over { exit_code: Option<i32> },
    /// The engine knows it no more: it forgets what ended, and within minutes also what lost its client.
    Gone,
    /// The engine does not say, or a proxy before it.
    Untold,
}

impl ExecState {
    /// From the engine's answer.
    pub(super) fn of(json: &Value) -> Self {
        let number = |key: &str| json.get(key).and_then(Value::as_i64);
        let exit_code = number("ExitCode").and_then(|code| i32::try_from(code).ok());
        match (json.get("Running").and_then(Value::as_bool), number("Pid")) {
            (None, _) => Self::Untold,
            (Some(true), _) => Self::Running,
            (Some(false), Some(0)) => Self::NeverStarted { exit_code },
            (Some(false), _) => Self::Over {
                exit_code: exit_code.filter(|code| *code != CLIENT_WENT_AWAY),
            },
        }
    }
}

/// What the engine answers for a command whose client went away, whatever became of it.
const CLIENT_WENT_AWAY: i32 = 126;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ExecCommand, ExecId, ExecState, Execs, Fingerprint, MOST, Open, Sieve};
    use crate::model::service::ContainerId;
    use crate::model::time::Timestamp;

    fn id(number: usize) -> ExecId {
        ExecId(format!("e{number}"))
    }

    #[test]
    fn only_what_may_migrate_passes_with_its_end() {
        let mut sieve = Sieve::default();
        assert_eq!(
            sieve.started(Some(id(1)), "curl -f http://localhost/health"),
            None
        );
        assert!(!sieve.ended(Some(&id(1))));
        assert!(sieve.started(Some(id(2)), "alembic upgrade head").is_some());
        let shell = sieve.started(Some(id(3)), "bash ").unwrap();
        assert_eq!(shell.command, ExecCommand::Untold);
        assert!(sieve.ended(Some(&id(2))) && !sieve.ended(Some(&id(2))));
        let mut later = Sieve::new(vec![id(3)], false);
        assert!(later.ended(Some(&id(3))) && !later.ended(None) && !later.ended(Some(&id(4))));
        let mut podman = Sieve::new(Vec::new(), true);
        assert!(podman.ended(None) && podman.ended(Some(&id(4))));
    }

    #[test]
    fn commands_that_never_end_do_not_grow_the_memory() {
        let mut sieve = Sieve::default();
        let mut execs = Execs::default();
        for number in 0..3 * MOST {
            sieve.started(Some(id(number)), "alembic upgrade head");
            let (container, at) = (ContainerId("c".to_owned()), Timestamp::from_seconds(1));
            execs.begin(Open::new(container, id(number), at, true));
        }
        assert_eq!((sieve.open.len(), execs.all().len()), (MOST, MOST));
        assert!(execs.get_mut(&id(3 * MOST - 1)).is_some() && execs.get_mut(&id(0)).is_none());
    }

    #[test]
    fn a_health_check_is_known_by_what_the_engine_tells_of_it() {
        let texts = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let of = |test: &[&str], shell: &[&str]| Fingerprint::of_health_check(&texts(test), &texts(shell));
        let told = |text: &str| Some(Fingerprint::of(text));
        assert_eq!(of(&["CMD", "healthy"], &[]), told("healthy "));
        assert_eq!(
            of(&["CMD", "alembic", "-c", "a b.ini"], &[]),
            told("alembic -c a b.ini")
        );
        assert_eq!(
            of(&["CMD-SHELL", "a || exit 1"], &[]),
            told("/bin/sh -c a || exit 1")
        );
        assert_eq!(
            of(&["CMD-SHELL", "a"], &["/bin/bash", "-c"]),
            told("/bin/bash -c a")
        );
        assert_eq!((of(&["NONE"], &[]), of(&[], &[])), (None, None));
    }

    #[test]
    fn the_engines_answers_are_told_apart_as_it_was_seen_to_give_them() {
        let of = |running, code: serde_json::Value, pid| {
            ExecState::of(&json!({ "Running": running, "ExitCode": code, "Pid": pid }))
        };
        assert_eq!(of(true, json!(null), 4711), ExecState::Running);
        assert_eq!(of(true, json!(null), 0), ExecState::Running);
        assert_eq!(
            of(false, json!(126), 0),
            ExecState::NeverStarted { exit_code: Some(126) }
        );
        assert_eq!(of(false, json!(3), 4711), ExecState::Over { exit_code: Some(3) });
        assert_eq!(of(false, json!(126), 4711), ExecState::Over { exit_code: None });
        assert_eq!(ExecState::of(&json!({ "message": "no" })), ExecState::Untold);
    }
}
