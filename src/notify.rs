//! The edge that tells people: one task a receiver, each working from the outbox at its own pace.
//!
//! Promises each transition to each receiver at least once, a webhook's in their order; a repeat (only after a crash, or where
//! the answer got lost) carries the same key. Nothing is lost while a receiver is down. Refuses to know when an alert fires:
//! that is in the outbox or it is not.

mod alertmanager;
mod courier;
mod message;
mod post;
mod webhook;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::model::alert::{Alert, Outbox};
use crate::model::observation::Observation;
use crate::model::time::{Clock, Timestamp};
use courier::Courier;

/// How receivers are treated.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// How often the alerts that fire are sent to an Alertmanager again.
    pub resend: Duration,
    /// The longest that one delivery may take.
    pub timeout: Duration,
}

/// Who is told.
#[derive(Clone)]
pub enum Receiver {
    /// An Alertmanager, through its API v2.
    Alertmanager {
        /// The configured name, unique among all receivers.
        name: String,
        /// Where it is, with its route prefix if it has one.
        url: Url,
    },
    /// Any HTTP server that takes a POST for each transition.
    Webhook {
        /// The configured name, unique among all receivers.
        name: String,
        /// Where to; often a secret as a whole.
        url: SecretString,
        /// What the body looks like.
        format: Format,
    },
}

/// The body of a webhook's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The whole transition, for programs.
    Json,
    /// `{"text": ...}`, for Slack, Mattermost, Rocket.Chat and the like.
    Slack,
}

impl Receiver {
    /// The configured name.
    pub fn name(&self) -> &str {
        match self {
            Self::Alertmanager { name, .. } | Self::Webhook { name, .. } => name,
        }
    }
}

impl PartialEq for Receiver {
    fn eq(&self, other: &Self) -> bool {
        let parts = |receiver: &Self| match receiver {
            Self::Alertmanager { url, .. } => (url.to_string(), None),
            Self::Webhook { url, format, .. } => (url.expose_secret().to_owned(), Some(*format)),
        };
        self.name() == other.name() && parts(self) == parts(other)
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receiver({})", self.name())
    }
}

/// Called once for each firing transition, when the first receiver has taken it: with the alert and the time of the answer.
pub type Handed = Arc<dyn Fn(&Alert, Timestamp) + Send + Sync>;

/// What the daemon hands in.
#[derive(Clone)]
pub struct Wiring {
    /// The newest view of what is owed to whom.
    pub outbox: watch::Receiver<Arc<Outbox>>,
    /// Made by the daemon, **with `redirect::Policy::none()`**: a followed redirect turns a POST into a GET, and what answers
    /// that with 200 has not taken anything.
    pub client: reqwest::Client,
    /// Where deliveries and failures are reported.
    pub inbox: mpsc::Sender<Observation>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// For the detection histogram.
    pub handed: Handed,
}

/// What was done for each receiver, by its name: whoever takes up the work after [`Notify::run`] goes on from there.
#[derive(Default)]
pub struct Done(BTreeMap<String, courier::Done>);

/// All receivers.
pub struct Notify {
    couriers: Vec<Courier>,
}

impl Notify {
    /// Nothing is sent before [`run`](Self::run), and what is `done` not again.
    pub fn new(config: Config, receivers: Vec<Receiver>, wiring: &Wiring, mut done: Done) -> Self {
        let sent = done.0.values().map(|done| done.sent).max();
        let first_handed = Arc::new(AtomicU64::new(sent.unwrap_or(0)));
        let courier = |receiver: Receiver| {
            let done = done.0.remove(receiver.name()).unwrap_or_default();
            Courier::new(receiver, config, wiring.clone(), Arc::clone(&first_handed), done)
        };
        Self {
            couriers: receivers.into_iter().map(courier).collect(),
        }
    }

    /// Delivers until `stop`, and then what is still owed for at most one second.
    pub async fn run(self, stop: CancellationToken) -> Done {
        let mut tasks = JoinSet::new();
        for courier in self.couriers {
            tasks.spawn(courier.run(stop.clone()));
        }
        let mut all = Done::default();
        while let Some(ended) = tasks.join_next().await {
            match ended {
                Ok((receiver, done)) => drop(all.0.insert(receiver, done)),
                // A courier's panic goes on here: the supervisor names the task.
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
        // Without receivers there is nothing to do, which is no reason to end before being told.
        stop.cancelled().await;
        all
    }
}
