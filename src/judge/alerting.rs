//! Alerts: what should fire is computed from the state; the difference to what fires becomes facts; receivers are owed transitions.

mod databases;
mod expecting;
mod occurrence;
mod revisions;
mod stuck;
mod undecided;
pub mod wanted;
mod words;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::State;
use super::settings::Settings;
use crate::model::alert::{Alert, Fingerprint, Outbox, Resolution, Transition};
use crate::model::fact::Fact;
use crate::model::migration::{Acknowledgement, MigrationId};
use crate::model::observation::Observation;
use crate::model::time::Timestamp;

use wanted::Wanted;

/// Resolved alerts kept for the page.
const KEEP_RESOLVED: usize = 50;

/// Transitions kept for receivers that are away. Beyond it the oldest leave: an alert every minute for a week.
const KEEP_TRANSITIONS: usize = 10_000;

/// A condition that lasts longer than this after its acknowledgement is said again.
const KEEP_ACKNOWLEDGED: Duration = Duration::from_secs(7 * 24 * 3600);

/// The durable part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Alerts {
    /// What fires.
    pub firing: BTreeMap<Fingerprint, Arc<Alert>>,
    /// What was resolved lately, oldest first.
    pub resolved: VecDeque<Arc<Alert>>,
    /// Firing ones that a person has closed: quiet until their condition is over.
    pub acknowledged: BTreeMap<Fingerprint, Acknowledgement>,
    /// The transitions that receivers may still be owed, oldest first.
    pub transitions: VecDeque<Transition>,
    /// The number of the last transition.
    pub last_number: u64,
    /// Per receiver the number of the last transition that it took.
    pub delivered: BTreeMap<String, u64>,
}

impl Alerts {
    pub(super) fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::AlertFired { alert } => {
                let alert = Arc::new(alert.clone());
                self.firing.insert(alert.fingerprint(), Arc::clone(&alert));
                self.transition(alert);
            }
            Fact::AlertEnriched { alert } => {
                self.firing.insert(alert.fingerprint(), Arc::new(alert.clone()));
            }
            Fact::AlertResolved {
                fingerprint,
                resolution,
            } => {
                if let Some(mut alert) = self.firing.remove(fingerprint) {
                    Arc::make_mut(&mut alert).resolved = Some(resolution.clone());
                    self.transition(Arc::clone(&alert));
                    self.resolved.push_back(alert);
                    let surplus = self.resolved.len().saturating_sub(KEEP_RESOLVED);
                    self.resolved.drain(..surplus);
                } else {
                    // Closed by a person before, and now over: its next occurrence is heard again.
                    self.acknowledged.remove(fingerprint);
                }
            }
            Fact::AlertAcknowledged {
                fingerprint,
                acknowledgement,
            } => {
                self.acknowledged
                    .insert(fingerprint.clone(), acknowledgement.clone());
            }
            Fact::Notified { receiver, up_to } => {
                let position = self.delivered.entry(receiver.clone()).or_default();
                *position = (*position).max(*up_to);
                self.drop_delivered();
            }
            Fact::ReceiverRemoved { receiver } => {
                self.delivered.remove(receiver);
                self.drop_delivered();
            }
            _ => {}
        }
    }

    fn transition(&mut self, alert: Arc<Alert>) {
        self.last_number = self.last_number.saturating_add(1);
        self.transitions.push_back(Transition {
            number: self.last_number,
            alert,
        });
        let surplus = self.transitions.len().saturating_sub(KEEP_TRANSITIONS);
        self.transitions.drain(..surplus);
    }

    /// What every receiver has is owed to nobody.
    fn drop_delivered(&mut self) {
        let everybody_has = self.delivered.values().min().copied().unwrap_or(self.last_number);
        self.transitions
            .retain(|transition| transition.number > everybody_has);
    }

    /// Without receivers nothing is owed; an acknowledgement does not silence a condition for ever.
    pub(super) fn forget(&mut self, now: Timestamp) {
        self.acknowledged
            .retain(|_, closed| now.since(closed.at) < KEEP_ACKNOWLEDGED);
        if self.delivered.is_empty() {
            self.transitions.clear();
        }
    }

    /// What the receivers work from.
    pub fn outbox(&self) -> Outbox {
        Outbox {
            firing: self.firing.values().cloned().collect(),
            transitions: self.transitions.iter().cloned().collect(),
            delivered: self.delivered.clone(),
        }
    }
}

/// A person closes an alert, by its fingerprint. Decided before [`decide`], so that it is quiet at once.
pub(super) fn acknowledge(
    state: &State,
    _: &Settings,
    now: Timestamp,
    observation: &Observation,
) -> Vec<Fact> {
    let Observation::Acknowledged { id, by, note } = observation else {
        return Vec::new();
    };
    let acknowledgement = Acknowledgement {
        at: now,
        by: by.clone(),
        note: note.clone(),
    };
    acknowledged(state, id, acknowledgement).into_iter().collect()
}

/// What receivers have taken.
pub(super) fn deliveries(
    state: &State,
    settings: &Settings,
    _: Timestamp,
    observation: &Observation,
) -> Vec<Fact> {
    let mut facts = receivers(state, settings);
    if let Observation::Delivered { receiver, up_to, .. } = observation
        && settings.receivers.contains(receiver)
    {
        facts.extend(notified(&state.durable.alerts, receiver, *up_to));
    }
    facts
}

/// Nobody has more than there is, and nobody gives anything back.
fn notified(alerts: &Alerts, receiver: &str, up_to: u64) -> Option<Fact> {
    let up_to = up_to.min(alerts.last_number);
    let position = alerts.delivered.get(receiver).copied();
    (up_to > position.unwrap_or(alerts.last_number)).then(|| Fact::Notified {
        receiver: receiver.to_owned(),
        up_to,
    })
}

/// A receiver that is new is owed what comes from now on; one that was taken out of the configuration nothing.
fn receivers(state: &State, settings: &Settings) -> Vec<Fact> {
    let alerts = &state.durable.alerts;
    let new = settings
        .receivers
        .iter()
        .filter(|name| !alerts.delivered.contains_key(*name));
    let gone = alerts
        .delivered
        .keys()
        .filter(|name| !settings.receivers.contains(name));
    new.map(|name| Fact::Notified {
        receiver: name.clone(),
        up_to: alerts.last_number,
    })
    .chain(gone.map(|name| Fact::ReceiverRemoved {
        receiver: name.clone(),
    }))
    .collect()
}

/// By fingerprint: an occurrence closes its migration, a condition is quiet until it is over.
fn acknowledged(state: &State, id: &str, acknowledgement: Acknowledgement) -> Option<Fact> {
    let fingerprint = Fingerprint(id.to_owned());
    let alert = state.durable.alerts.firing.get(&fingerprint)?;
    match alert.labels.get("migration") {
        Some(migration) => Some(Fact::MigrationAcknowledged {
            id: MigrationId(migration.clone()),
            acknowledgement,
        }),
        None => Some(Fact::AlertAcknowledged {
            fingerprint,
            acknowledgement,
        }),
    }
}

/// The difference between what should fire and what does. Alerts of migrations of which `concluded` says nothing stay as they are
/// worded.
pub(super) fn decide(state: &State, settings: &Settings, now: Timestamp, concluded: &[Fact]) -> Vec<Fact> {
    let alerts = &state.durable.alerts;
    let touched = concluded.iter().filter_map(Fact::migration).collect();
    let mut wanted = wanted::wanted(state, settings, now, &touched);
    let mut facts = Vec::new();
    for (fingerprint, closed) in &alerts.acknowledged {
        let is_there = wanted.remove(fingerprint).is_some();
        if alerts.firing.contains_key(fingerprint) {
            facts.push(resolved(fingerprint, now, words::by_whom("acknowledged", closed)));
        } else if !is_there && !is_undecided_still(state, settings, fingerprint, now) {
            facts.push(resolved(fingerprint, now, "it is over".to_owned()));
        }
    }
    for (fingerprint, firing) in &alerts.firing {
        if alerts.acknowledged.contains_key(fingerprint) {
            continue;
        }
        match wanted.remove(fingerprint) {
            None if undecided::is_undecided(state, settings, firing, now) => {}
            None => facts.push(resolved(fingerprint, now, words::why_resolved(state, firing))),
            Some(Wanted::AsItIs) => {}
            Some(Wanted::Worded(mut alert)) => {
                alert.starts_at = firing.starts_at;
                alert.observed_at = firing.observed_at;
                if alert != **firing {
                    facts.push(Fact::AlertEnriched { alert });
                }
            }
        }
    }
    facts.extend(wanted.into_values().filter_map(|wanted| match wanted {
        Wanted::Worded(alert) => Some(Fact::AlertFired { alert }),
        Wanted::AsItIs => None,
    }));
    facts
}

fn resolved(fingerprint: &Fingerprint, at: Timestamp, reason: String) -> Fact {
    Fact::AlertResolved {
        fingerprint: fingerprint.clone(),
        resolution: Resolution { at, reason },
    }
}

/// Whether the condition that a person has closed may still last.
fn is_undecided_still(state: &State, settings: &Settings, fingerprint: &Fingerprint, now: Timestamp) -> bool {
    let mut closed = state.durable.alerts.resolved.iter().rev();
    closed
        .find(|alert| alert.fingerprint() == *fingerprint)
        .is_some_and(|alert| undecided::is_undecided(state, settings, alert, now))
}
