//! Who waits to hear what a service's code is now: a plan and the checks before a deploy are about what would run, not about what was
//! there some minutes ago.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::super::engine::{EngineError, whole};
use super::super::inventory::Container;
use super::{CodeReader, Environments};
use crate::model::container::ArmedSource;
use crate::model::service::{ContainerId, Role, ServiceId};

/// However often somebody asks, a container is read no more often than this.
const AT_LEAST: Duration = Duration::from_secs(1);

/// What a service's newest container was found to hold, and was told of before; `None` if it has none that may migrate.
pub type Found = Option<(ContainerId, Environments)>;

/// Takes what was found, or one sentence why that could not be.
pub type Answer = oneshot::Sender<Result<Found, String>>;

/// Somebody who waits.
pub(super) struct Waiting {
    pub(super) container: ContainerId,
    /// What was read before this does not answer the question.
    since: Instant,
    answer: Answer,
}

impl CodeReader {
    /// The newest container of the service is read again soon.
    pub(super) fn ask(&mut self, containers: &[Container], service: &ServiceId, answer: Answer) {
        let own = containers.iter().filter(|container| {
            let look = &container.look;
            look.service == *service
                && look.role == Role::Replica
                && look.armed.source != ArmedSource::Nothing
        });
        let Some(newest) = own.max_by_key(|container| container.look.created_at) else {
            // Whoever asked may be gone: then nobody wants to know.
            let _ = answer.send(Ok(None));
            return;
        };
        let container = newest.look.id.clone();
        if let Some(told) = self.told.get_mut(&container) {
            told.is_asked = true;
            told.due = told.due.min(told.at + AT_LEAST);
        }
        self.waiting.push(Waiting {
            container,
            since: Instant::now(),
            answer,
        });
    }

    /// Answers whose container was read, or could not be, in the round that began at `began`.
    pub(super) fn answer(&mut self, began: Instant, away: Option<&EngineError>) {
        for waiting in std::mem::take(&mut self.waiting) {
            let told = self.told.get(&waiting.container);
            let answer = match (told, self.unreadable.get(&waiting.container)) {
                (Some(told), _) if told.at >= waiting.since => {
                    Ok(Some((waiting.container.clone(), told.environments.clone())))
                }
                // It was not tried since.
                _ if waiting.since > began => {
                    self.waiting.push(waiting);
                    continue;
                }
                (_, Some(unreadable)) => Err(unreadable.reason.clone()),
                _ if let Some(away) = away => Err(whole(away)),
                (Some(told), None) if told.due > began => {
                    self.waiting.push(waiting);
                    continue;
                }
                // It was removed.
                _ => Ok(None),
            };
            let _ = waiting.answer.send(answer);
        }
    }
}
