//! Looking at containers: one, or all of them.
//!
//! Promises that one container in trouble keeps no other from being seen. Refuses to remember containers; it remembers only which images
//! hold Alembic.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::engine::{Engine, EngineError};
use super::execs::ExecState;
use super::inspect::{self, Inspected};
use super::switch;
use crate::model::container::ArmedSource;
use crate::model::exec::ExecId;
use crate::model::service::{ContainerId, ServiceId};

/// How many containers a full look asks for at once: it is never urgent, and the engine has others to serve.
const AT_ONCE: usize = 4;

/// How long one container may keep a full look waiting: events wait for it too.
const LONGEST: Duration = Duration::from_secs(5);

/// What a look at one container found.
#[derive(Debug)]
pub(super) enum Seen {
    /// A compose container.
    Shown(Box<Inspected>),
    /// It is gone, or compose did not make it.
    Absent,
    /// The engine did not say, or not clearly: one sentence.
    Unreadable(String),
}

/// Image, working directory, service (which may mount its code): together they hold Alembic or not.
type Place = (String, String, ServiceId);

/// What is known of places; survives connections.
pub(super) type Places = Arc<Mutex<BTreeMap<Place, bool>>>;

/// Looks at containers of one engine.
#[derive(Clone)]
pub(super) struct Looker {
    engine: Engine,
    holds_alembic: Places,
}

impl Looker {
    pub(super) fn new(engine: Engine, holds_alembic: Places) -> Self {
        Self {
            engine,
            holds_alembic,
        }
    }

    /// Looks at one container.
    pub(super) async fn one(&self, id: &ContainerId) -> Seen {
        let json = match self.engine.inspect(id).await {
            Ok(json) => json,
            Err(error) if error.is_absent() => return Seen::Absent,
            Err(error) => return Seen::Unreadable(super::engine::whole(&error)),
        };
        match inspect::container(&json) {
            Ok(Some(mut inspected)) => {
                let look = &inspected.container.look;
                if look.armed.source == ArmedSource::Nothing && self.holds_alembic(&inspected).await {
                    inspected.container.look.armed = switch::image_can();
                }
                Seen::Shown(Box::new(inspected))
            }
            Ok(None) => Seen::Absent,
            Err(unreadable) => Seen::Unreadable(unreadable.to_string()),
        }
    }

    /// Lists and looks at every compose container.
    ///
    /// # Errors
    /// When the list cannot be had; a single container that cannot be read, or not soon, is [`Seen::Unreadable`].
    pub(super) async fn all(&self) -> Result<BTreeMap<ContainerId, Seen>, EngineError> {
        let ids = inspect::listed(&self.engine.list().await?);
        let looks = ids.into_iter().map(|id| async move {
            let late = |_| {
                Seen::Unreadable(format!(
                    "the engine did not show it within {} s",
                    LONGEST.as_secs()
                ))
            };
            let seen = timeout(LONGEST, self.one(&id)).await.unwrap_or_else(late);
            (id, seen)
        });
        Ok(futures_util::stream::iter(looks)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await)
    }

    /// Asks how a command stands; `None` if the engine is away.
    pub(super) async fn exec(&self, exec: &ExecId) -> Option<ExecState> {
        match self.engine.exec(exec).await {
            Ok(json) => Some(ExecState::of(&json)),
            Err(error) if error.is_absent() => Some(ExecState::Gone),
            Err(error) if error.is_refusal() => {
                tracing::debug!(%exec, %error, "the engine does not tell how a command stands");
                Some(ExecState::Untold)
            }
            Err(_) => None,
        }
    }

    async fn holds_alembic(&self, inspected: &Inspected) -> bool {
        let look = &inspected.container.look;
        let place = (
            inspected.container.code.image_id.clone(),
            inspected.container.code.working_dir.clone(),
            look.service.clone(),
        );
        let known = self
            .holds_alembic
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&place)
            .copied();
        if let Some(known) = known {
            return known;
        }
        for file in inspect::CONFIGS {
            let path = std::path::Path::new(&inspected.container.code.working_dir).join(file);
            match self.engine.holds(&look.id, &path.to_string_lossy()).await {
                Ok(false) => {}
                Ok(true) => return self.remember(place, true),
                // Not remembered: the engine may say it next time.
                Err(error) => {
                    tracing::debug!(container = %look.id, %error, "cannot see whether the image holds Alembic");
                    return false;
                }
            }
        }
        self.remember(place, false)
    }

    fn remember(&self, place: Place, holds: bool) -> bool {
        self.holds_alembic
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(place, holds);
        holds
    }
}
