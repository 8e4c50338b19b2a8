//! Floor 4: all wiring. Channels are made here, edges are given what they need, one supervisor names every task.
//!
//! [`run`] reads as the life of the daemon: recover → bind → spawn → serve → drain. Refuses to know the command line.

pub mod clock;
mod keeper;
pub mod logging;
pub mod look;
mod monitor;
mod reload;
mod supervisor;
mod targets;
pub mod tls;
mod views;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, ConfigError};
use crate::database::Databases;
use crate::docker::{self, Docker, Endpoint};
use crate::http::{self, Http, HttpError};
use crate::journal::{Journal, JournalError};
use crate::judge::{Durable, State};
use crate::model::observation::Observation;
use crate::model::time::Clock;
use crate::probe::Probes;

use monitor::Monitor;
use reload::Reload;
use supervisor::Supervisor;

/// Observations under way to the judge: a burst of one compose restart, twenty services with their lines.
const INBOX: usize = 1024;

/// Commands of people under way.
const COMMANDS: usize = 16;

/// Services whose databases should be read now; more than these are read at the interval.
const HURRY: usize = 256;

/// How long the edges may take to end.
const EDGES_GRACE: Duration = Duration::from_millis(400);

/// How long what is owed to receivers is tried at the end.
const NOTIFY_GRACE: Duration = Duration::from_millis(1_000);

/// How long the last facts may take to be written.
const MONITOR_GRACE: Duration = Duration::from_millis(400);

/// How long open HTTP connections are waited for.
const HTTP_GRACE: Duration = Duration::from_millis(100);

/// What the daemon is started with.
#[derive(Debug)]
pub struct Options {
    /// The configuration as loaded.
    pub config: Config,
    /// Where it came from: read again at a reload.
    pub config_file: Option<PathBuf>,
    /// Flags win over the file, also at a reload.
    pub overrides: Overrides,
    /// Where the engine is.
    pub endpoint: Endpoint,
    /// Where the journal lives.
    pub data_dir: PathBuf,
    /// Version and revision of this build.
    pub build: http::Build,
}

/// What flags and environment say; wins over the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--web.listen-address`
    pub listen: Option<std::net::SocketAddr>,
    /// `--log.level`
    pub level: Option<String>,
    /// `--log.format`
    pub json: Option<bool>,
}

impl Overrides {
    /// Puts the flags over the file.
    pub fn apply(&self, config: &mut Config) {
        if let Some(listen) = self.listen {
            config.web.listen = listen;
        }
        if let Some(level) = &self.level {
            config.log.level.clone_from(level);
        }
        if let Some(json) = self.json {
            config.log.json = json;
        }
    }
}

/// Why the daemon does not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The HTTP side.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal's snapshot is not one of this program.
    #[error(
        "the snapshot in {dir}/journal.db cannot be read as this version's state: move the file away to begin anew, or use the version that wrote it"
    )]
    Snapshot {
        /// The data folder.
        dir: PathBuf,
        /// What does not fit.
        #[source]
        source: serde_json::Error,
    },
    /// The configuration, at a reload.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A client cannot be made.
    #[error("cannot make the HTTP client for receivers")]
    Client(#[source] reqwest::Error),
    /// A metric cannot be registered.
    #[error("cannot register the metrics")]
    Metrics(#[source] prometheus::Error),
    /// A task ended by itself: a bug.
    #[error("the task {0} ended by itself; this is a bug: please report it with the log above")]
    TaskEnded(String),
}

/// The part of the state that others read, newest value only.
pub(crate) struct Published {
    state: State,
}

/// Runs until `stop` is cancelled. `bound` is told the address once everything listens.
///
/// # Errors
/// When it cannot start, or when one of its tasks ends by itself.
pub async fn run(
    options: Options,
    clock: Arc<dyn Clock>,
    reload: mpsc::Receiver<()>,
    stop: CancellationToken,
    bound: impl FnOnce(Option<std::net::SocketAddr>),
) -> Result<(), DaemonError> {
    let config = Arc::new(options.config.clone());
    let (journal, durable) = recover(&options.data_dir, &*clock)?;
    let http = Http::bind(http_config(&config, &options.data_dir)).await?;
    let address = http.address();
    let journal = Arc::new(Mutex::new(journal));
    let state = State {
        durable,
        ..State::default()
    };
    let metrics = views::Metrics::register().map_err(DaemonError::Metrics)?;

    let (inbox, observations) = mpsc::channel(INBOX);
    let (commands, asked) = mpsc::channel(COMMANDS);
    let (hurry, hurried) = mpsc::channel(HURRY);
    let (published, state_view) = watch::channel(Arc::new(Published { state: state.clone() }));
    let (outbox, outbox_view) = watch::channel(Arc::new(state.durable.alerts.outbox()));
    let (config_sender, config_view) = watch::channel(Arc::clone(&config));
    let (inventory, inventory_view) = watch::channel(Arc::new(Vec::new()));
    let (probe_targets, probe_view) = watch::channel(Arc::new(Vec::new()));
    let (database_targets, database_view) = watch::channel(Arc::new(Vec::new()));
    let warnings = Arc::new(Mutex::new(Vec::new()));

    let stops = Stops::default();
    let mut edges = Supervisor::new("edges");
    let mut last = Supervisor::new("judge and receivers");
    let mut served = Supervisor::new("http");

    let (reloader, monitor_asked) = Reload::new(&options, config_sender, asked, reload);
    let reload_status = reloader.status();
    last.spawn(
        "monitor",
        Monitor {
            state,
            config: config_view.clone(),
            journal: Arc::clone(&journal),
            published,
            outbox,
            hurry,
            clock: Arc::clone(&clock),
            unwritten: std::collections::VecDeque::new(),
        }
        .run(observations, monitor_asked, stops.monitor.clone()),
    );
    edges.spawn("reload", reloader.run(stops.edges.clone()));
    let wiring = keeper::Wiring {
        outbox: outbox_view,
        inbox: inbox.clone(),
        clock: Arc::clone(&clock),
        handed: metrics.handed(),
    };
    let client = tls::client().map_err(DaemonError::Client)?;
    last.spawn(
        "notify",
        keeper::run(config_view.clone(), wiring, client, stops.notify.clone()),
    );
    edges.spawn(
        "targets",
        targets::Deriver {
            config: config_view.clone(),
            inventory: inventory_view,
            probes: probe_targets,
            databases: database_targets,
            warnings: Arc::clone(&warnings),
        }
        .run(stops.edges.clone()),
    );
    edges.spawn(
        "probe",
        Probes::new(probe_view, tls::config(), inbox.clone(), Arc::clone(&clock)).run(stops.edges.clone()),
    );
    edges.spawn(
        "database",
        Databases::new(
            config.reading,
            database_view,
            hurried,
            inbox.clone(),
            Arc::clone(&clock),
        )
        .run(stops.edges.clone()),
    );
    let docker = docker(&options, &config_view, &state_view, inventory, inbox, &clock);
    edges.spawn("docker", docker.run(stops.edges.clone()));
    let views = views::Views {
        published: state_view,
        config: config_view,
        reload: reload_status,
        journal,
        warnings,
        clock,
        build: options.build,
    };
    served.spawn(
        "http",
        http.serve(views.into_http(metrics.registry), commands, stops.http.clone()),
    );
    bound(address);

    let ended = tokio::select! {
        () = stop.cancelled() => None,
        name = edges.next_ended() => Some(name),
        name = last.next_ended() => Some(name),
        name = served.next_ended() => Some(name),
    };
    stops.edges.cancel();
    edges.finish(EDGES_GRACE).await;
    stops.notify.cancel();
    last.finish_one("notify", NOTIFY_GRACE).await;
    stops.monitor.cancel();
    last.finish(MONITOR_GRACE).await;
    stops.http.cancel();
    served.finish(HTTP_GRACE).await;
    match ended {
        None => Ok(()),
        Some(name) => Err(DaemonError::TaskEnded(name)),
    }
}

/// The stops, in the order in which they are pulled.
#[derive(Default)]
struct Stops {
    edges: CancellationToken,
    notify: CancellationToken,
    monitor: CancellationToken,
    http: CancellationToken,
}

fn http_config(config: &Config, data_dir: &Path) -> http::Config {
    http::Config {
        listen: Some(config.web.listen),
        socket: Some(
            config
                .web
                .socket
                .clone()
                .unwrap_or_else(|| data_dir.join("migwatch.sock")),
        ),
        token: config.web.token.clone(),
    }
}

/// The state as the journal tells it.
fn recover(dir: &Path, clock: &dyn Clock) -> Result<(Journal, Durable), DaemonError> {
    let (journal, recovered) = Journal::open(dir, clock.now())?;
    if let Some(path) = &recovered.moved_aside {
        let damage = recovered.damage.clone().unwrap_or_default();
        tracing::error!(moved_to = %path.display(), damage, "the journal was damaged: it was moved aside and a new watch begins");
    }
    if recovered.torn {
        tracing::warn!("the end of the journal was torn off; what was in it is looked for again");
    }
    let mut durable = match recovered.snapshot {
        None => Durable::default(),
        Some(snapshot) => serde_json::from_value(snapshot).map_err(|source| DaemonError::Snapshot {
            dir: dir.to_owned(),
            source,
        })?,
    };
    for fact in &recovered.facts {
        durable.apply(fact);
    }
    tracing::info!(
        facts = recovered.facts.len(),
        fresh = recovered.fresh,
        dir = %dir.display(),
        "journal open"
    );
    Ok((journal, durable))
}

fn docker(
    options: &Options,
    config: &watch::Receiver<Arc<Config>>,
    state: &watch::Receiver<Arc<Published>>,
    inventory: watch::Sender<Arc<Vec<docker::Container>>>,
    inbox: mpsc::Sender<Observation>,
    clock: &Arc<dyn Clock>,
) -> Docker {
    let state = state.clone();
    let resume: docker::Resume =
        Arc::new(move |container, created_at| state.borrow().state.resume_from(container, created_at));
    let wiring = docker::Wiring {
        inbox,
        inventory,
        clock: Arc::clone(clock),
        choose: targets::choose(config.clone()),
        resume,
        patterns: Arc::new(options.config.compile_patterns()),
    };
    Docker::new(
        docker::Config {
            endpoint: options.endpoint.clone(),
            resync: options.config.resync,
        },
        wiring,
    )
}
