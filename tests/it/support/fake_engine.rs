//! A Docker engine on a unix socket, driven by the test.
//!
//! Promises the wire behaviour of the real one (measured on 20.10; Podman's shapes on demand) and a clock that moves only with
//! what the test does: one millisecond for every line and every event. Refuses to run anything.

pub(crate) mod containers;
mod events;
mod execs;
mod logs;
mod routes;
mod shapes;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use migwatch::model::log::Stream;
use migwatch::model::service::ContainerId;
use migwatch::model::time::{Clock, Timestamp};
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use containers::{Container, ContainerSpec, Containers, Cut, LogRequest};
use events::Events;

/// The engine; the socket and every connection go when it is dropped.
pub(crate) struct FakeEngine {
    shared: Arc<Shared>,
    folder: tempfile::TempDir,
    serving: Mutex<Option<JoinSet<()>>>,
}

/// What the connections see.
struct Shared {
    state: Mutex<State>,
    /// Counts changes of `state`, so that streams wake.
    changes: watch::Sender<u64>,
    clock: Arc<TestClock>,
}

/// Everything that the engine knows.
struct State {
    containers: Containers,
    execs: Vec<execs::Exec>,
    /// How often a container was inspected.
    inspections: usize,
    archives: Vec<(ContainerId, String)>,
    events: Events,
    versions: (u32, u32),
    podman: bool,
    chunks: Chunks,
    slow_inspect: Duration,
}

/// How log lines lie in the chunks of the answer.
#[derive(Clone, Copy)]
pub(crate) enum Chunks {
    /// A chunk for every line, as the real engine does.
    OnePerLine,
    /// Whatever lies ready, cut into pieces of so many bytes.
    Bytes(usize),
}

/// A clock that stands still between the engine's deeds.
pub(crate) struct TestClock(Mutex<Timestamp>);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("no test panics while it holds the clock")
    }
}

impl TestClock {
    pub(crate) fn advance(&self, by: Duration) {
        let mut now = self.0.lock().expect("no test panics while it holds the clock");
        *now = now.after(by);
    }

    fn tick(&self) -> Timestamp {
        self.advance(Duration::from_millis(1));
        self.now()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no test panics while it holds the state")
    }

    fn change<T>(&self, change: impl FnOnce(&mut State, &TestClock) -> T) -> T {
        let done = change(&mut self.state(), &self.clock);
        self.changes.send_modify(|changes| *changes += 1);
        done
    }
}

impl FakeEngine {
    /// An engine that speaks API 1.12 to 1.41 and is up.
    pub(crate) fn new() -> Self {
        let state = State {
            containers: Containers::default(),
            execs: Vec::new(),
            inspections: 0,
            archives: Vec::new(),
            events: Events::default(),
            versions: (12, 41),
            podman: false,
            chunks: Chunks::OnePerLine,
            slow_inspect: Duration::ZERO,
        };
        let clock = Arc::new(TestClock(Mutex::new(Timestamp::from_seconds(1_795_000_000))));
        let shared = Shared {
            state: Mutex::new(state),
            changes: watch::Sender::new(0),
            clock,
        };
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let engine = Self {
            shared: Arc::new(shared),
            folder,
            serving: Mutex::new(None),
        };
        engine.up();
        engine
    }

    /// Podman's shapes of events, states and log times from now on.
    pub(crate) fn podman(self) -> Self {
        self.shared.change(|state, _| state.podman = true);
        self
    }

    /// Accepts API `1.from` to `1.to` only.
    pub(crate) fn speaks(self, from: u32, to: u32) -> Self {
        self.shared.change(|state, _| state.versions = (from, to));
        self
    }

    pub(crate) fn chunks(self, chunks: Chunks) -> Self {
        self.shared.change(|state, _| state.chunks = chunks);
        self
    }

    pub(crate) fn clock(&self) -> Arc<TestClock> {
        Arc::clone(&self.shared.clock)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("docker.sock")
    }

    /// The socket is there and answers; containers are as they were.
    pub(crate) fn up(&self) {
        let listener = UnixListener::bind(self.socket()).expect("the socket is free");
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, Arc::clone(&self.shared)));
        *self
            .serving
            .lock()
            .expect("no test panics while it starts or stops") = Some(serving);
    }

    /// The socket and all connections are gone, and with them the memory of events.
    pub(crate) fn down(&self) {
        *self
            .serving
            .lock()
            .expect("no test panics while it starts or stops") = None;
        remove(&self.socket());
        self.shared.change(|state, _| state.events.forget());
    }

    /// Every inspect takes this long.
    pub(crate) fn slow_inspect(&self, by: Duration) {
        self.shared.change(|state, _| state.slow_inspect = by);
    }

    /// How often a container was inspected so far.
    pub(crate) fn inspections(&self) -> usize {
        self.shared.state().inspections
    }

    /// Every path of which an archive was asked for so far, and of which container.
    pub(crate) fn archives(&self) -> Vec<(ContainerId, String)> {
        self.shared.state().archives.clone()
    }

    /// Somebody changes a file in a container.
    pub(crate) fn write(&self, id: &ContainerId, path: &str, content: &str) {
        self.shared.change(|state, clock| {
            let container = state.containers.get(id);
            container.spec.files.insert(path.to_owned(), content.into());
            let seconds = clock.now().as_nanos() / 1_000_000_000;
            container.written.insert(path.to_owned(), seconds);
        });
    }

    /// The event streams break off.
    pub(crate) fn cut_events(&self) {
        self.shared.change(|state, _| state.events.cut());
    }

    /// The next `count` events do not reach who listens.
    pub(crate) fn lose_next_events(&self, count: usize) {
        self.shared.change(|state, _| state.events.lose_next(count));
    }

    /// `create`
    pub(crate) fn create(&self, spec: ContainerSpec) -> ContainerId {
        let id = self
            .shared
            .change(|state, clock| state.containers.create(spec, clock.tick()));
        self.event(&id, "create", &[]);
        id
    }

    /// `start`; a second start of a container that restarts by policy counts as a restart.
    pub(crate) fn start(&self, id: &ContainerId) {
        self.shared
            .change(|state, clock| state.containers.get(id).start(clock.tick()));
        self.event(id, "start", &[]);
    }

    /// `die`
    pub(crate) fn die(&self, id: &ContainerId, code: i32) {
        let podman = self.shared.change(|state, clock| {
            state.containers.get(id).die(code, clock.tick());
            state.podman
        });
        let attribute = if podman { "containerExitCode" } else { "exitCode" };
        self.event(id, "die", &[(attribute, &code.to_string())]);
    }

    /// `destroy`, Podman's `remove`
    pub(crate) fn remove(&self, id: &ContainerId) {
        let action = if self.shared.state().podman {
            "remove"
        } else {
            "destroy"
        };
        self.event(id, action, &[]);
        self.shared.change(|state, _| state.containers.remove(id));
    }

    /// `kill`
    pub(crate) fn kill(&self, id: &ContainerId, signal: i32) {
        self.event(id, "kill", &[("signal", &signal.to_string())]);
    }

    /// `oom`; what dies later has `OOMKilled`.
    pub(crate) fn out_of_memory(&self, id: &ContainerId) {
        self.shared
            .change(|state, _| state.containers.get(id).oom_killed = true);
        self.event(id, "oom", &[]);
    }

    /// `rename`
    pub(crate) fn rename(&self, id: &ContainerId, name: &str) {
        let old = self
            .shared
            .change(|state, _| std::mem::replace(&mut state.containers.get(id).spec.name, name.to_owned()));
        self.event(id, "rename", &[("oldName", &format!("/{old}"))]);
    }

    /// `health_status: STATUS`, Podman's bare `health_status`
    pub(crate) fn health(&self, id: &ContainerId, status: &str) {
        let podman = self.shared.change(|state, _| {
            state.containers.get(id).health = Some(status.to_owned());
            state.podman
        });
        let action = if podman {
            "health_status".to_owned()
        } else {
            format!("health_status: {status}")
        };
        self.event(id, &action, &[]);
    }

    /// Any event of a container, such as `exec_create: CMD` with its `execID`.
    pub(crate) fn event(&self, id: &ContainerId, action: &str, attributes: &[(&str, &str)]) {
        self.shared.change(|state, clock| {
            let event = shapes::event(state.containers.get(id), action, attributes, clock.tick());
            state.events.push(event);
        });
    }

    /// A line of the container, without its newline.
    pub(crate) fn log(&self, id: &ContainerId, stream: Stream, text: &str) {
        self.shared.change(|state, clock| {
            state
                .containers
                .get(id)
                .log(stream, text.as_bytes(), clock.tick());
        });
    }

    /// The log streams open now end in this way.
    pub(crate) fn cut_logs(&self, id: &ContainerId, cut: Cut) {
        self.shared.change(|state, _| state.containers.cut_logs(id, cut));
    }

    /// The log streams open now stay open and give nothing more.
    pub(crate) fn stall_logs(&self, id: &ContainerId) {
        self.shared.change(|state, _| state.containers.stall_logs(id));
    }

    /// The log is rotated: who follows gets the next `lines` lines twice.
    pub(crate) fn rotate(&self, id: &ContainerId, lines: usize) {
        self.shared
            .change(|state, _| state.containers.get(id).twice = lines);
    }

    /// The oldest file is removed: all lines up to now are gone for who did not read them.
    pub(crate) fn forget_lines(&self, id: &ContainerId) {
        self.shared
            .change(|state, _| state.containers.get(id).forget_lines());
    }

    /// From now on reading the log ends in an error of the engine's own (a frame of type 3); `None` heals it.
    pub(crate) fn log_error(&self, id: &ContainerId, text: Option<&str>) {
        self.shared
            .change(|state, _| state.containers.get(id).log_error = text.map(str::to_owned));
    }

    /// What was asked of the container's log so far.
    pub(crate) fn log_requests(&self, id: &ContainerId) -> watch::Receiver<Vec<LogRequest>> {
        self.shared
            .change(|state, _| state.containers.get(id).requests.subscribe())
    }
}

impl State {
    fn container(&self, id: &str) -> Option<&Container> {
        self.containers.find(id)
    }
}

fn remove(socket: &Path) {
    if socket.exists() {
        std::fs::remove_file(socket).expect("the socket is ours");
    }
}

async fn serve(listener: UnixListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let service = service_fn(move |request| routes::answer(request, Arc::clone(&shared)));
            // A stream that is cut on purpose ends its connection with an error.
            drop(
                http1::Builder::new()
                    .auto_date_header(false) // its clock is not the host's
                    .serve_connection(TokioIo::new(socket), service)
                    .await,
            );
        });
        while connections.try_join_next().is_some() {}
    }
}
