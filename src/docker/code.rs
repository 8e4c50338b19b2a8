//! The code of containers: reads the Alembic environments inside them, running or not, by the engine's archives. Nothing is run.
//!
//! Promises that containers of one image are read once, that what is mounted into a container is read again at each of its starts, when a
//! migration of its service seems under way, and now and then, that who asks is answered with what is there now, and that a container
//! whose code cannot be read keeps no other from being read. Refuses to know what the scripts mean for anybody.

mod archive;
mod asked;
mod due;
mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::endpoint::Endpoint;
use super::engine::{Engine, EngineError, whole};
use super::inspect;
use super::inventory::{CodePlace, Container};
use crate::alembic::paths;
use crate::model::observation::Observation;
use crate::model::script::Code;
use crate::model::service::{ContainerId, ServiceId};
use crate::model::time::Timestamp;

use asked::Waiting;
pub use asked::{Answer, Found};
use reading::Read;

/// What is mounted may change at any time, and nothing tells of it.
const MOUNTED_AGAIN: Duration = Duration::from_secs(300);
/// However much is going on, the code of a container is read no faster than this: each reading has the engine start processes. Soon enough
/// that what was new to it is known before anything is concluded from its absence.
const AT_LEAST: Duration = Duration::from_secs(5);
/// What could not be read is tried again after this time.
const AGAIN: Duration = Duration::from_secs(30);

/// The Alembic environments of one place, by name.
pub type Environments = BTreeMap<String, Arc<Code>>;

/// Whose code is to be read again.
#[derive(Debug)]
pub enum Again {
    /// A migration of the service seems under way: what is mounted into its containers.
    Mounted(ServiceId),
    /// Its database stands where its image's code does not know: somebody may have changed files in its containers.
    All(ServiceId),
    /// Somebody waits to hear what is in its newest container now.
    Asked(ServiceId, Answer),
}

/// Reads the code of every container that may migrate.
pub struct CodeReader {
    endpoint: Endpoint,
    inventory: watch::Receiver<Arc<Vec<Container>>>,
    hurry: mpsc::Receiver<Again>,
    inbox: mpsc::Sender<Observation>,
    /// By place, as if nothing were mounted.
    images: BTreeMap<CodePlace, Read>,
    told: BTreeMap<ContainerId, Told>,
    unreadable: BTreeMap<ContainerId, Unreadable>,
    /// When it began: what was never read is due since then.
    since: Instant,
    /// Containers that do not run, and since when that is known.
    resting: BTreeMap<ContainerId, Instant>,
    waiting: Vec<Waiting>,
}

/// A container whose code could not be read.
struct Unreadable {
    /// One sentence.
    reason: String,
    /// When that is tried again.
    again: Instant,
}

/// What was reported of a container.
struct Told {
    place: CodePlace,
    started_at: Option<Timestamp>,
    environments: Environments,
    /// It comes from what is mounted, or may differ from the image's for another reason.
    is_its_own: bool,
    /// When its reading began.
    at: Instant,
    /// When it is read again.
    due: Instant,
    /// It is to be read as it is now, whatever its image holds, and told even if it is the same.
    is_asked: bool,
}

impl CodeReader {
    /// Reads what `inventory` shows, and again what is on `hurry`. Reports to `inbox`.
    pub fn new(
        endpoint: Endpoint,
        inventory: watch::Receiver<Arc<Vec<Container>>>,
        hurry: mpsc::Receiver<Again>,
        inbox: mpsc::Sender<Observation>,
    ) -> Self {
        Self {
            endpoint,
            inventory,
            hurry,
            inbox,
            images: BTreeMap::new(),
            told: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            since: Instant::now(),
            resting: BTreeMap::new(),
            waiting: Vec::new(),
        }
    }

    /// Runs until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let _ = stop.run_until_cancelled(self.read_for_ever()).await;
        stop.cancelled().await;
    }

    /// Ends only when nobody shows containers any more.
    async fn read_for_ever(&mut self) {
        let mut can_hurry = true;
        loop {
            let containers = Arc::clone(&self.inventory.borrow_and_update());
            let began = Instant::now();
            self.notice(&containers, began);
            let read = self.read_all(&containers, began).await;
            self.answer(began, read.as_ref().err());
            let next = match read {
                Ok(()) => self.next(&containers),
                Err(_) => Instant::now() + AGAIN, // the watch says that the engine is away
            };
            tokio::select! {
                changed = self.inventory.changed() => if changed.is_err() { return },
                again = self.hurry.recv(), if can_hurry => match again {
                    Some(again) => self.hurry(&containers, again),
                    None => can_hurry = false,
                },
                () = tokio::time::sleep_until(next) => {}
            }
        }
    }

    /// What changed about the containers.
    fn notice(&mut self, containers: &[Container], now: Instant) {
        let is_there = |id: &ContainerId| containers.iter().any(|container| container.look.id == *id);
        self.unreadable.retain(|id, _| is_there(id));
        self.told.retain(|id, _| is_there(id));
        self.resting.retain(|id, _| is_there(id));
        self.images.retain(|image, _| {
            containers
                .iter()
                .any(|container| container.code.image() == *image)
        });
        for container in containers {
            let look = &container.look;
            if due::runs(look.state) {
                self.resting.remove(&look.id);
            } else {
                self.resting.entry(look.id.clone()).or_insert(now);
            }
            if let Some(told) = self.told.get_mut(&look.id)
                && look.started_at > told.started_at
            {
                told.started_at = look.started_at;
                told.due = told.due.min(told.at + AT_LEAST);
            }
        }
    }

    fn hurry(&mut self, containers: &[Container], again: Again) {
        let (service, is_all) = match again {
            Again::Mounted(service) => (service, false),
            Again::All(service) => (service, true),
            Again::Asked(service, answer) => return self.ask(containers, &service, answer),
        };
        for container in containers
            .iter()
            .filter(|container| container.look.service == service)
        {
            if let Some(told) = self.told.get_mut(&container.look.id) {
                told.is_asked |= is_all && due::runs(container.look.state);
                told.due = told.due.min(told.at + AT_LEAST);
            }
        }
    }

    /// Reads what is due by `now`, what somebody waits for first. An error where the engine is away.
    async fn read_all(&mut self, containers: &[Container], now: Instant) -> Result<(), EngineError> {
        let is_due = |container: &&Container| self.is_due(container, now);
        let mut due: Vec<&Container> = containers.iter().filter(is_due).collect();
        if due.is_empty() {
            return Ok(());
        }
        due.sort_by_key(|container| !self.is_asked(&container.look.id));
        let engine = Engine::connect(&self.endpoint).await?;
        for container in due {
            self.read(&engine, container).await;
            while let Ok(again) = self.hurry.try_recv() {
                self.hurry(containers, again);
            }
            let is_urgent =
                |other: &Container| self.is_asked(&other.look.id) && self.is_due(other, Instant::now());
            // That one goes first; the rest stays due.
            if containers.iter().any(is_urgent) {
                break;
            }
        }
        Ok(())
    }

    async fn read(&mut self, engine: &Engine, container: &Container) {
        let (id, place) = (&container.look.id, &container.code);
        let began = Instant::now();
        let shared = shared(&self.images, place);
        let told = self.told.get_mut(id).filter(|told| told.place == *place);
        let (mut is_read_again, mut is_asked) = (false, false);
        if let Some(told) = told {
            (is_read_again, is_asked) = (told.is_read_again(), told.is_asked);
            told.is_asked = false; // not over and over, if it cannot be read
        }
        let (environments, is_its_own) = match shared {
            Some(shared) if !is_read_again => (shared.environments.clone(), false),
            shared => match reading::environments(engine, id, place).await {
                Ok(read) => {
                    let is_mounted = is_mounted(place, &read.from);
                    let differs = match shared {
                        Some(shared) => shared.environments != read.environments,
                        // What stands for the whole image must be the image's.
                        None => is_changed(container, &read),
                    };
                    let environments = read.environments.clone();
                    if !is_mounted && !differs {
                        self.images.insert(place.image(), read);
                    }
                    (environments, is_mounted || differs)
                }
                Err(error) => return self.cannot_read(id, &error, began),
            },
        };
        self.unreadable.remove(id);
        let environments = self.as_before(id, environments);
        let before = self.told.get(id);
        // Whoever has it looked at wants to hear that it is the same, too.
        let is_news = is_asked || before.is_none_or(|told| told.environments != environments);
        let told = Told {
            place: place.clone(),
            started_at: container.look.started_at,
            environments: environments.clone(),
            is_its_own,
            at: began,
            due: began + MOUNTED_AGAIN,
            is_asked: false,
        };
        self.told.insert(id.clone(), told);
        if is_news {
            let container = id.clone();
            let observation = Observation::Code {
                container,
                environments,
            };
            // A closed inbox means that the daemon stops.
            let _ = self.inbox.send(observation).await;
        }
    }

    fn cannot_read(&mut self, id: &ContainerId, error: &EngineError, now: Instant) {
        let reason = whole(error);
        // It may just be gone.
        if !error.is_absent() && !self.unreadable.contains_key(id) {
            tracing::warn!(container = %id, reason, "cannot read the code of a container; it is tried again");
        }
        let again = now + AGAIN;
        self.unreadable.insert(id.clone(), Unreadable { reason, again });
    }

    /// What was read again and is the same is kept once.
    fn as_before(&self, id: &ContainerId, mut environments: Environments) -> Environments {
        let before = self.told.get(id);
        for (name, code) in &mut environments {
            if let Some(same) = before
                .and_then(|told| told.environments.get(name))
                .filter(|same| *same == code)
            {
                *code = Arc::clone(same);
            }
        }
        environments
    }
}

/// Whether somebody changed files in the container: an image's are older than its containers, to the second.
fn is_changed(container: &Container, read: &Read) -> bool {
    read.written.after(Duration::from_secs(1)) > container.look.created_at
}

/// What was read of the place's image, if what is mounted leaves it as it is.
fn shared<'a>(images: &'a BTreeMap<CodePlace, Read>, place: &CodePlace) -> Option<&'a Read> {
    let read = images.get(&place.image());
    read.filter(|read| !is_mounted(place, &read.from))
}

/// Whether some of these paths come from what is mounted.
fn is_mounted(place: &CodePlace, from: &BTreeSet<String>) -> bool {
    let is_mounted = |path: &String| {
        let mut mounts = place.mounts.iter();
        mounts.any(|mount| paths::is_within(path, mount) || paths::is_within(mount, path))
    };
    from.iter().any(is_mounted)
}

impl Told {
    /// Its image alone does not tell what it holds.
    fn is_read_again(&self) -> bool {
        self.is_its_own || self.is_asked
    }
}

/// The Alembic environments in an image, by name: a container is created from it, read, and removed again. It is never started. `configs`
/// are the configuration files of those that are known already.
///
/// # Errors
/// When the engine does not answer, has no such image, or refuses.
pub async fn of_image(
    endpoint: &Endpoint,
    image: &str,
    configs: BTreeMap<String, String>,
) -> Result<Environments, EngineError> {
    let engine = Engine::connect(endpoint).await?;
    let id = engine.create(image).await?;
    let read = async {
        let working_dir = inspect::working_dir(&engine.inspect(&id).await?);
        let place = CodePlace {
            working_dir,
            configs,
            ..CodePlace::default()
        };
        reading::environments(&engine, &id, &place).await
    };
    let read = read.await;
    let removed = engine.remove(&id).await;
    let read = read?;
    removed?;
    Ok(read.environments)
}
