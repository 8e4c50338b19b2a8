//! Floor 5: all wiring. Channels are made here, edges are given what they need, one supervisor names every task.
//!
//! [`run`] reads as the life of the daemon: recover → bind → spawn → serve → drain. Refuses to know the command line.

pub mod clock;
mod keeper;
pub mod logging;
pub mod look;
pub mod memory;
mod monitor;
mod options;
mod reload;
mod supervisor;
mod targets;
pub mod tls;
mod views;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::database::{self, Databases};
use crate::docker::{self, CodeReader, Docker};
use crate::files::{self, Files};
use crate::http::{self, Http};
use crate::journal::Journal;
use crate::judge::{Durable, State};
use crate::model::observation::Observation;
use crate::model::service::ServiceId;
use crate::model::time::Clock;
use crate::probe::Probes;

use monitor::Monitor;
pub use options::{DaemonError, Options, Overrides};
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
    let (journal, durable) = recover(&options.data_dir, &*clock)?;
    let http = Http::bind(http_config(&options.config, &options.data_dir)).await?;
    let address = http.address();
    let parts = Parts {
        metrics: views::Metrics::register().map_err(DaemonError::Metrics)?,
        client: tls::client().map_err(DaemonError::Client)?,
        state: State {
            durable,
            ..State::default()
        },
        journal: Arc::new(Mutex::new(journal)),
        options,
        clock,
    };
    let mut tasks = parts.spawn(http, reload);
    bound(address);
    let ended = tokio::select! {
        () = stop.cancelled() => None,
        name = tasks.edges.next_ended() => Some(name),
        name = tasks.core.next_ended() => Some(name),
        name = tasks.served.next_ended() => Some(name),
    };
    tasks.drain().await;
    match ended {
        None => Ok(()),
        Some(name) => Err(DaemonError::TaskEnded(name)),
    }
}

/// What the tasks are made of.
struct Parts {
    metrics: views::Metrics,
    client: reqwest::Client,
    state: State,
    journal: Arc<Mutex<Journal>>,
    options: Options,
    clock: Arc<dyn Clock>,
}

impl Parts {
    /// Makes the channels and starts every task.
    fn spawn(self, http: Http, signals: mpsc::Receiver<()>) -> Tasks {
        let mut tasks = Tasks::new();
        let (inbox, observations) = mpsc::channel(INBOX);
        let (commands, asked) = mpsc::channel(COMMANDS);
        let (databases, databases_hurried) = mpsc::channel(HURRY);
        let (code, code_hurried) = mpsc::channel(HURRY);
        let (migrating, migrating_view) = watch::channel(Arc::default());
        let published = Arc::new(Published {
            state: self.state.clone(),
        });
        let (published, state_view) = watch::channel(published);
        let (outbox, outbox_view) = watch::channel(Arc::new(self.state.durable.alerts.outbox()));
        let (config, config_view) = watch::channel(Arc::new(self.options.config.clone()));
        let (reloader, handed_on) = Reload::new(&self.options, config, asked, signals);
        let reload = reloader.status();
        tasks
            .edges
            .spawn("reload", reloader.run(tasks.stops.edges.clone()));
        let monitor = Monitor {
            state: self.state,
            config: config_view.clone(),
            journal: Arc::clone(&self.journal),
            published,
            outbox,
            hurry: monitor::Hurry { databases, code },
            migrating,
            clock: Arc::clone(&self.clock),
            own: monitor::Own::default(),
        };
        let code = monitor.hurry.code.clone();
        tasks.core.spawn(
            "monitor",
            monitor.run(observations, handed_on, tasks.stops.monitor.clone()),
        );
        let wiring = keeper::Wiring {
            outbox: outbox_view,
            inbox: inbox.clone(),
            clock: Arc::clone(&self.clock),
            handed: self.metrics.handed(),
        };
        let stop = tasks.stops.notify.clone();
        let notify = keeper::run(config_view.clone(), wiring, self.client, stop);
        tasks.core.spawn("notify", notify);
        let edges = Edges {
            options: &self.options,
            config: &config_view,
            inbox,
            clock: &self.clock,
        };
        let hurries = (databases_hurried, code_hurried, migrating_view);
        let warnings = edges.spawn(&mut tasks, &state_view, hurries);
        let views = views::Views {
            published: state_view,
            code,
            config: config_view,
            reload,
            journal: self.journal,
            warnings,
            clock: self.clock,
            build: self.options.build,
        };
        tasks.serve(http, views.into_http(self.metrics.registry), commands);
        tasks
            .edges
            .spawn("memory", memory::keep_small(tasks.stops.edges.clone()));
        tasks
    }
}

/// Everything that runs, in the groups in which it ends.
struct Tasks {
    edges: Supervisor,
    core: Supervisor,
    served: Supervisor,
    stops: Stops,
}

impl Tasks {
    fn new() -> Self {
        Self {
            edges: Supervisor::new("edges"),
            core: Supervisor::new("judge and receivers"),
            served: Supervisor::new("http"),
            stops: Stops::default(),
        }
    }

    fn serve(
        &mut self,
        http: Http,
        views: http::Views,
        commands: mpsc::Sender<(http::Command, http::Reply)>,
    ) {
        let served = http.serve(views, commands, self.stops.http.clone());
        self.served.spawn("http", served);
    }

    /// Edges first, so that nothing new comes; then what is owed; then the last facts; pages to the end.
    async fn drain(mut self) {
        self.stops.edges.cancel();
        self.edges.finish(EDGES_GRACE).await;
        self.stops.notify.cancel();
        self.core.finish_one("notify", NOTIFY_GRACE).await;
        self.stops.monitor.cancel();
        self.core.finish(MONITOR_GRACE).await;
        self.stops.http.cancel();
        self.served.finish(HTTP_GRACE).await;
    }
}

/// Services whose databases are to be read now, those whose mounted code is to be read again, and those that migrate.
type Hurries = (
    mpsc::Receiver<ServiceId>,
    mpsc::Receiver<docker::Again>,
    database::Migrating,
);

/// What the edges are wired with.
struct Edges<'a> {
    options: &'a Options,
    config: &'a watch::Receiver<Arc<Config>>,
    inbox: mpsc::Sender<Observation>,
    clock: &'a Arc<dyn Clock>,
}

impl Edges<'_> {
    /// Starts them; gives where warnings about found settings are read.
    fn spawn(
        self,
        tasks: &mut Tasks,
        state: &watch::Receiver<Arc<Published>>,
        (databases_hurried, code_hurried, migrating): Hurries,
    ) -> Arc<Mutex<Vec<String>>> {
        let stop = &tasks.stops.edges;
        let (inventory, inventory_view) = watch::channel(Arc::new(Vec::new()));
        let code_inventory = inventory_view.clone();
        let (probe_targets, probe_view) = watch::channel(Arc::new(Vec::new()));
        let (database_targets, database_view) = watch::channel(Arc::new(Vec::new()));
        let (processes, process_view) = watch::channel(Arc::new(Vec::new()));
        let warnings = Arc::new(Mutex::new(Vec::new()));
        let deriver = targets::Deriver {
            config: self.config.clone(),
            inventory: inventory_view,
            probes: probe_targets,
            databases: database_targets,
            processes,
            warnings: Arc::clone(&warnings),
        };
        tasks.edges.spawn("targets", deriver.run(stop.clone()));
        let probes = Probes::new(
            probe_view,
            tls::config(),
            self.inbox.clone(),
            Arc::clone(self.clock),
        );
        tasks.edges.spawn("probe", probes.run(stop.clone()));
        let reading = self.options.config.reading;
        let inbox = self.inbox.clone();
        let clock = Arc::clone(self.clock);
        let databases = Databases::new(reading, database_view, databases_hurried, inbox, clock)
            .while_migrating(migrating);
        tasks.edges.spawn("database", databases.run(stop.clone()));
        let code = CodeReader::new(
            self.options.endpoint.clone(),
            code_inventory,
            code_hurried,
            self.inbox.clone(),
        );
        tasks.edges.spawn("code", code.run(stop.clone()));
        let files = Files::new(process_view, self.files(state));
        tasks.edges.spawn("files", files.run(stop.clone()));
        let docker = self.docker(state, inventory);
        tasks.edges.spawn("docker", docker.run(stop.clone()));
        warnings
    }

    fn files(&self, state: &watch::Receiver<Arc<Published>>) -> files::Wiring {
        let state = state.clone();
        files::Wiring {
            inbox: self.inbox.clone(),
            clock: Arc::clone(self.clock),
            patterns: Arc::new(self.options.config.compile_patterns()),
            resume: Arc::new(move |process, file| state.borrow().state.file_position(process, file)),
        }
    }

    fn docker(
        self,
        state: &watch::Receiver<Arc<Published>>,
        inventory: watch::Sender<Arc<Vec<docker::Container>>>,
    ) -> Docker {
        let published = state.borrow().clone();
        let open = published.state.open_execs();
        let execs = open.map(|(container, exec, at)| docker::OpenExec { container, exec, at });
        let execs = execs.collect();
        let state = state.clone();
        let resume: docker::Resume =
            Arc::new(move |container, created_at| state.borrow().state.resume_from(container, created_at));
        let wiring = docker::Wiring {
            inbox: self.inbox,
            inventory,
            clock: Arc::clone(self.clock),
            choose: targets::choose(self.config.clone()),
            resume,
            execs,
            patterns: Arc::new(self.options.config.compile_patterns()),
        };
        let config = docker::Config {
            endpoint: self.options.endpoint.clone(),
            resync: self.options.config.resync,
        };
        Docker::new(config, wiring)
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
