//! The single writer: takes observations, lets the judge decide, writes the facts, and only then shows them.
//!
//! Promises one order of events for the whole daemon, one journal transaction a batch, and that nobody sees a fact before it is
//! written, except while the disk refuses: then facts live in a bounded buffer, are shown as unwritten, and alerts still go out.

mod commands;

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::Published;
use crate::config::Config;
use crate::docker::Again;
use crate::http::{Command, Reply};
use crate::journal::{Journal, JournalError};
use crate::judge::{self, State, containers};
use crate::model::alert::Outbox;
use crate::model::container::ArmedSource;
use crate::model::fact::Fact;
use crate::model::log::Saying;
use crate::model::observation::Observation;
use crate::model::revision::Heads;
use crate::model::service::ServiceId;
use crate::model::time::{Clock, Timestamp};

/// Observations judged in one journal transaction: enough to amortise a sync, few enough to stay prompt.
const BATCH: usize = 256;

/// Facts kept while the disk refuses; beyond it the oldest leave, and that is said.
const UNWRITTEN: usize = 10_000;

/// How soon a refusing disk is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// The longest sleep: a deadline that was computed wrongly costs this much, never more.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// What changes nothing but times and counts is shown this late at most: showing copies the state.
const SHOW_WITHIN: Duration = Duration::from_secs(1);

/// Facts after which a snapshot is written.
const COMPACT_AFTER: u64 = 2_000;

/// Whom evidence hurries. A full queue is no loss: the interval comes.
pub(super) struct Hurry {
    /// Reads version tables.
    pub(super) databases: mpsc::Sender<ServiceId>,
    /// Reads code.
    pub(super) code: mpsc::Sender<Again>,
}

impl Hurry {
    fn service(&self, service: &ServiceId) {
        let _ = self.databases.try_send(service.clone());
        let _ = self.code.try_send(Again::Mounted(service.clone()));
    }
}

/// Owns the state.
pub(super) struct Monitor {
    pub(super) state: State,
    pub(super) config: watch::Receiver<Arc<Config>>,
    pub(super) journal: Arc<Mutex<Journal>>,
    pub(super) published: watch::Sender<Arc<Published>>,
    pub(super) outbox: watch::Sender<Arc<Outbox>>,
    pub(super) hurry: Hurry,
    pub(super) migrating: watch::Sender<Arc<BTreeSet<ServiceId>>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) own: Own,
}

/// What the monitor keeps for itself.
#[derive(Default)]
pub(super) struct Own {
    /// Facts that the disk has refused so far.
    unwritten: VecDeque<Fact>,
    /// The judge's next deadline.
    deadline: Option<Timestamp>,
    /// When the state was last shown.
    shown_at: Timestamp,
    /// Something came since then.
    is_behind: bool,
    /// What the code of services did not know when it was last looked at.
    puzzles: BTreeSet<(ServiceId, Heads)>,
}

impl Monitor {
    pub(super) async fn run(
        mut self,
        mut inbox: mpsc::Receiver<Observation>,
        mut commands: mpsc::Receiver<(Command, Reply)>,
        stop: CancellationToken,
    ) {
        let mut batch = Vec::with_capacity(BATCH);
        self.tell_who_migrates();
        self.tick();
        loop {
            let sleep = self.sleep();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some((command, reply)) = commands.recv() => self.on_command(command, reply),
                _ = inbox.recv_many(&mut batch, BATCH) => drop(self.take(&mut batch)),
                Ok(()) = self.config.changed() => self.tick(),
                () = tokio::time::sleep(sleep) => self.tick(),
            }
        }
        while let Ok(observation) = inbox.try_recv() {
            batch.push(observation);
        }
        let _ = self.take(&mut batch);
        self.finish();
    }

    fn tick(&mut self) {
        let _ = self.take(&mut vec![Observation::Tick]);
    }

    fn sleep(&self) -> Duration {
        let now = self.clock.now();
        let to_show = self.own.is_behind.then(|| self.own.shown_at.after(SHOW_WITHIN));
        let moments = [self.own.deadline, to_show];
        let next = moments.into_iter().flatten().min();
        let sleep = next
            .map_or(LONGEST_SLEEP, |next| next.since(now))
            .min(LONGEST_SLEEP);
        if self.own.unwritten.is_empty() {
            sleep
        } else {
            sleep.min(RETRY)
        }
    }

    /// Judges a batch, writes, shows.
    fn take(&mut self, batch: &mut Vec<Observation>) -> Vec<Fact> {
        let now = self.clock.now();
        let config = Arc::clone(&self.config.borrow());
        // However busy the inbox is, time goes on.
        let is_ticking = batch.contains(&Observation::Tick);
        let is_due = is_ticking || self.own.deadline.is_some_and(|deadline| now >= deadline);
        if is_due && !is_ticking {
            batch.push(Observation::Tick);
        }
        let before = self.state.live.changes;
        let mut facts = Vec::new();
        for observation in batch.drain(..) {
            facts.extend(judge::decide(
                &mut self.state,
                &config.settings,
                now,
                &observation,
            ));
            self.hurry(&observation);
        }
        self.write(&facts, now);
        let is_news = !facts.is_empty() || self.state.live.changes != before;
        if is_news || is_due {
            self.own.deadline = self.state.deadline(&config.settings, now);
        }
        self.owe(&facts);
        if is_news {
            self.puzzle();
        }
        if !facts.is_empty() {
            self.tell_who_migrates();
        }
        self.show(is_news, now);
        for fact in &facts {
            log(fact);
        }
        self.compact(now);
        facts
    }

    /// Written before believed.
    fn write(&mut self, facts: &[Fact], now: Timestamp) {
        if facts.is_empty() && self.own.unwritten.is_empty() {
            return;
        }
        let written = {
            let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
            if !self.own.unwritten.is_empty() {
                self.own.unwritten.extend(facts.iter().cloned());
            }
            let kept = self.own.unwritten.make_contiguous();
            let pending = if kept.is_empty() { facts } else { kept };
            tokio::task::block_in_place(|| journal.append(pending, now))
        };
        match written {
            Ok(_) => self.on_written(),
            Err(error) => {
                if self.own.unwritten.is_empty() {
                    self.own.unwritten.extend(facts.iter().cloned());
                }
                self.on_refused(&error, now);
            }
        }
    }

    fn on_written(&mut self) {
        self.own.unwritten.clear();
        if let Some((count, since)) = self.state.live.unwritten.take() {
            tracing::info!(count, %since, "the journal takes facts again");
        }
    }

    fn on_refused(&mut self, error: &JournalError, now: Timestamp) {
        let surplus = self.own.unwritten.len().saturating_sub(UNWRITTEN);
        self.own.unwritten.drain(..surplus);
        let count = u64::try_from(self.own.unwritten.len()).unwrap_or(u64::MAX);
        let since = if let Some((_, since)) = self.state.live.unwritten {
            since
        } else {
            tracing::error!(error = %error, "the journal refuses facts: they are kept in memory and tried again");
            now
        };
        self.state.live.unwritten = Some((count, since));
    }

    /// Believed before told.
    fn owe(&self, facts: &[Fact]) {
        let changes_outbox = |fact: &Fact| {
            matches!(
                fact,
                Fact::AlertFired { .. }
                    | Fact::AlertEnriched { .. }
                    | Fact::AlertResolved { .. }
                    | Fact::Notified { .. }
                    | Fact::ReceiverRemoved { .. }
            )
        };
        if facts.iter().any(changes_outbox) {
            self.outbox
                .send_replace(Arc::new(self.state.durable.alerts.outbox()));
        }
    }

    /// The databases of services that migrate are looked at more closely.
    fn tell_who_migrates(&self) {
        let now = self.state.durable.migrations.migrating();
        self.migrating.send_if_modified(|before| {
            let changed = **before != now;
            if changed {
                *before = Arc::new(now);
            }
            changed
        });
    }

    /// Believed before shown. Receivers were told first: the copy is the readers' cost.
    fn show(&mut self, is_news: bool, now: Timestamp) {
        let shown_for = now.since(self.own.shown_at);
        self.own.is_behind = !is_news && shown_for < SHOW_WITHIN && now >= self.own.shown_at;
        if self.own.is_behind {
            return;
        }
        self.own.shown_at = now;
        self.published.send_replace(Arc::new(Published {
            state: self.state.clone(),
        }));
    }

    /// A revision that the code of an image does not know hurries a look into the containers themselves; once for each.
    fn puzzle(&mut self) {
        let puzzles = judge::code::puzzles(&self.state);
        for (service, _) in puzzles.difference(&self.own.puzzles) {
            let _ = self.hurry.code.try_send(Again::All(service.clone()));
        }
        self.own.puzzles = puzzles;
    }

    /// Evidence hurries the polls.
    fn hurry(&self, observation: &Observation) {
        let known = |container| self.state.durable.containers.known.get(container);
        let service = match observation {
            Observation::ProcessLine { process, line, .. } if line.saying != Saying::Skipped => Some(process),
            // What it says of itself is enough.
            Observation::ExecStarted { container, .. } | Observation::ExecEnded { container, .. } => {
                known(container).map(|known| &known.service)
            }
            Observation::Line { line, .. } if line.saying == Saying::Skipped => None,
            Observation::Line { container, .. }
            | Observation::Started { container, .. }
            | Observation::Died { container, .. } => known(container)
                .filter(|known| known.armed.source != ArmedSource::Nothing)
                .map(|known| &known.service),
            _ => None,
        };
        if let Some(service) = service {
            self.hurry.service(service);
        }
    }

    fn compact(&mut self, now: Timestamp) {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        if journal.facts_since_snapshot() < COMPACT_AFTER || !self.own.unwritten.is_empty() {
            return;
        }
        let mut durable = self.state.durable.clone();
        let left = durable.forget(now);
        let snapshot = match serde_json::to_value(&durable) {
            Ok(snapshot) => snapshot,
            Err(error) => {
                tracing::error!(error = %error, "the state cannot be written as a snapshot");
                return;
            }
        };
        match tokio::task::block_in_place(|| journal.compact(&snapshot, &left, now)) {
            Ok(()) => self.state.durable = durable,
            Err(error) => {
                tracing::error!(error = %error, "the journal could not be compacted; it grows until it can");
            }
        }
    }

    /// The last positions, so that nothing is read twice at the next start.
    fn finish(&mut self) {
        let now = self.clock.now();
        let positions = containers::unwritten_positions(&self.state);
        for fact in &positions {
            self.state.apply(fact);
        }
        self.write(&positions, now);
        if !self.own.unwritten.is_empty() {
            tracing::error!(
                facts = self.own.unwritten.len(),
                "ends with facts that the disk refused"
            );
        }
    }
}

/// Each fact is logged once, here: what a person would want to read at `info`, the rest at `debug`.
fn log(fact: &Fact) {
    let text = || serde_json::to_string(fact).unwrap_or_default();
    match fact {
        Fact::MigrationOpened { history: false, .. }
        | Fact::MigrationSettled { .. }
        | Fact::MigrationConfirmed { .. }
        | Fact::MigrationErred { .. }
        | Fact::MigrationRejudged { .. }
        | Fact::MigrationAcknowledged { .. }
        | Fact::ApprovalOpened { .. }
        | Fact::ApprovalUsed { .. }
        | Fact::ApprovalClosed { .. }
        | Fact::TableMoved { .. }
        | Fact::SchemaDrifted(_)
        | Fact::SchemaSettled(_)
        | Fact::MigrationSchemaChanged(_)
        | Fact::SchemaChangeShared(_)
        | Fact::DatabaseReplaced(_)
        | Fact::LogLost { .. } => tracing::info!(fact = text(), "concluded"),
        Fact::AlertFired { alert } => {
            tracing::warn!(alert = alert.name.as_str(), summary = alert.summary, fingerprint = %alert.fingerprint(), "fires");
        }
        Fact::AlertResolved {
            fingerprint,
            resolution,
        } => {
            tracing::info!(fingerprint = %fingerprint, reason = resolution.reason, "resolved");
        }
        _ => tracing::debug!(fact = text(), "concluded"),
    }
}
