//! One tail with its inbox, as the tests hold it.

use std::sync::Arc;
use std::time::Duration;

use migwatch::docker::endpoint::Endpoint;
use migwatch::docker::engine::ApiVersion;
use migwatch::docker::logs::{Ended, Tail, follow};
use migwatch::lines::Patterns;
use migwatch::model::container::FollowLogs;
use migwatch::model::log::{LineKey, ResumeFrom, Saying};
use migwatch::model::observation::{LogStatus, Observation};
use migwatch::model::service::ContainerId;
use migwatch::model::time::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::support::fake_engine::FakeEngine;

/// With paused time none of it passes, unless nothing else is left to happen.
const PATIENCE: Duration = Duration::from_mins(10);

pub(super) struct Watched {
    inbox: mpsc::Receiver<Observation>,
    pub(super) running: watch::Sender<bool>,
    pub(super) stop: CancellationToken,
    tail: JoinSet<Ended>,
}

/// A tail of `id` on the played engine; `set` changes what is not usual.
pub(super) fn watch(engine: &FakeEngine, id: &ContainerId, set: impl FnOnce(&mut Tail)) -> Watched {
    watch_at(Endpoint::Unix(engine.socket()), id, 64, set)
}

/// The same for any engine and any size of the inbox.
pub(super) fn watch_at(
    endpoint: Endpoint,
    id: &ContainerId,
    room: usize,
    set: impl FnOnce(&mut Tail),
) -> Watched {
    let (sender, inbox) = mpsc::channel(room);
    let (running, runs) = watch::channel(true);
    let stop = CancellationToken::new();
    let mut tail = Tail {
        endpoint,
        api: ApiVersion { major: 1, minor: 41 },
        container: id.clone(),
        tty: false,
        logs: FollowLogs::Always,
        resume: ResumeFrom::Everything,
        patterns: Arc::new(Patterns::builtin()),
        inbox: sender,
        running: runs,
        looked: watch::channel(true).1,
        stop: stop.clone(),
    };
    set(&mut tail);
    let mut tails = JoinSet::new();
    tails.spawn(follow(tail));
    Watched {
        inbox,
        running,
        stop,
        tail: tails,
    }
}

/// A line that says `Running upgrade  -> REVISION`.
pub(super) fn step(revision: &str) -> String {
    format!("INFO  [alembic.runtime.migration] Running upgrade  -> {revision}, title")
}

impl Watched {
    pub(super) async fn next(&mut self) -> Observation {
        let next = timeout(PATIENCE, self.inbox.recv()).await;
        next.expect("an observation comes").expect("the tail still tells")
    }

    /// Waits for an observation that `pick` takes, passing over others.
    pub(super) async fn until<T>(&mut self, mut pick: impl FnMut(Observation) -> Option<T>) -> T {
        loop {
            if let Some(picked) = pick(self.next().await) {
                return picked;
            }
        }
    }

    /// The next step's revision with its line's identity.
    pub(super) async fn keyed_step(&mut self) -> (String, LineKey) {
        self.until(|observation| match observation {
            Observation::Line { line, .. } => match line.saying {
                Saying::Step(step) => step.to.first().map(|revision| (revision.to_string(), line.key)),
                _ => None,
            },
            _ => None,
        })
        .await
    }

    pub(super) async fn step(&mut self) -> String {
        self.keyed_step().await.0
    }

    /// The revisions of all steps up to and with `last`.
    pub(super) async fn steps_to(&mut self, last: &str) -> Vec<String> {
        let mut steps = Vec::new();
        while steps.last().is_none_or(|step| step != last) {
            steps.push(self.step().await);
        }
        steps
    }

    pub(super) async fn status(&mut self) -> LogStatus {
        self.until(|observation| match observation {
            Observation::LogStatus { status, .. } => Some(status),
            _ => None,
        })
        .await
    }

    pub(super) async fn unreadable(&mut self) -> String {
        match self.status().await {
            LogStatus::Unreadable { reason } => reason,
            other => panic!("unreadable was expected, not {other:?}"),
        }
    }

    pub(super) async fn position(&mut self) -> Option<Timestamp> {
        self.until(|observation| match observation {
            Observation::LogProgress { position, .. } => Some(position),
            _ => None,
        })
        .await
    }

    /// What is still told, and how the tail ended.
    pub(super) async fn rest(mut self) -> (Vec<Observation>, Ended) {
        let mut rest = Vec::new();
        while let Some(observation) = timeout(PATIENCE, self.inbox.recv()).await.expect("the tail ends") {
            rest.push(observation);
        }
        let ended = self.tail.join_next().await.expect("there is a tail");
        (rest, ended.expect("the tail does not panic"))
    }

    /// How the tail ended; takes no notice of what it still tells.
    pub(super) async fn ended(self) -> Ended {
        self.rest().await.1
    }
}

/// The steps among `observations`, each with its line's identity.
pub(super) fn keyed_steps(observations: &[Observation]) -> Vec<(LineKey, String)> {
    let step = |observation: &Observation| match observation {
        Observation::Line { line, .. } => match &line.saying {
            Saying::Step(step) => step
                .to
                .first()
                .map(|revision| (line.key.clone(), revision.to_string())),
            _ => None,
        },
        _ => None,
    };
    observations.iter().filter_map(step).collect()
}

/// The revisions of the steps among `observations`.
pub(super) fn steps(observations: &[Observation]) -> Vec<String> {
    keyed_steps(observations)
        .into_iter()
        .map(|(_, revision)| revision)
        .collect()
}
