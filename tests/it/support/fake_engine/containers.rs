//! The engine's containers and what they wrote. Knows nothing of HTTP.

use std::collections::BTreeMap;
use std::net::IpAddr;

use migwatch::model::log::Stream;
use migwatch::model::service::ContainerId;
use migwatch::model::time::Timestamp;
use tokio::sync::watch;

/// Longer lines are stored in pieces.
const LONGEST_PIECE: usize = 16 * 1024;

/// What a container is made from.
#[derive(Clone, Default)]
pub(crate) struct ContainerSpec {
    pub(crate) name: String,
    pub(crate) image: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) entrypoint: Vec<String>,
    pub(crate) command: Vec<String>,
    pub(crate) environment: Vec<String>,
    pub(crate) working_dir: String,
    pub(crate) tty: bool,
    /// Empty is `json-file`.
    pub(crate) log_driver: String,
    /// Empty is `no`.
    pub(crate) restart: String,
    pub(crate) auto_remove: bool,
    pub(crate) healthcheck: Option<Vec<String>>,
    /// In its project's network; none without.
    pub(crate) address: Option<IpAddr>,
    /// Files that can be read out of it, by absolute path.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Symbolic links among them, with what they lead to.
    pub(crate) links: BTreeMap<String, String>,
    /// Paths that are mounted from elsewhere.
    pub(crate) mounts: Vec<String>,
}

impl ContainerSpec {
    /// The only replica of a compose service.
    pub(crate) fn service(project: &str, service: &str) -> Self {
        Self::replica(project, service, 1)
    }

    /// One of several.
    pub(crate) fn replica(project: &str, service: &str, number: u32) -> Self {
        let name = format!("{project}-{service}-{number}");
        let number = number.to_string();
        let labels = [
            ("project", project),
            ("service", service),
            ("container-number", &number),
            ("oneoff", "False"),
        ];
        let labels = labels.map(|(key, value)| (format!("com.docker.compose.{key}"), value.to_owned()));
        Self {
            name,
            image: "app:1".to_owned(),
            labels: labels.into(),
            ..Self::default()
        }
    }
}

/// What was asked of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogRequest {
    pub(crate) tail: String,
    pub(crate) follow: bool,
    pub(crate) query: String,
}

/// How a log stream ends before its container does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Between two lines, the connection broken.
    BetweenLines,
    /// In the middle of the next line, the connection broken.
    InsideTheNextLine,
    /// Between two lines, the answer ended as if it were complete.
    InGoodOrder,
}

/// A stored piece of a log: a line, or 16 KiB of one.
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    pub(crate) stream: Stream,
    pub(crate) text: Vec<u8>,
    /// Who follows gets it twice.
    pub(crate) twice: bool,
}

pub(crate) struct Container {
    pub(crate) id: ContainerId,
    pub(crate) spec: ContainerSpec,
    pub(crate) created_at: Timestamp,
    pub(crate) running: bool,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) exit_code: i32,
    pub(crate) oom_killed: bool,
    pub(crate) health: Option<String>,
    /// How long the log was at the end of each start.
    pub(crate) ends: Vec<usize>,
    pub(crate) entries: Vec<Entry>,
    /// So many of the first entries were rotated away.
    pub(crate) forgotten: usize,
    /// So many of the next lines are delivered twice.
    pub(crate) twice: usize,
    pub(crate) log_error: Option<String>,
    pub(crate) requests: watch::Sender<Vec<LogRequest>>,
    /// Log streams with a smaller number are cut.
    pub(crate) cut: Option<(u64, Cut)>,
    /// Log streams with a smaller number give nothing.
    pub(crate) stalled: u64,
    /// When files were written since it was made, in seconds; the others are of its image.
    pub(crate) written: BTreeMap<String, i64>,
}

impl Container {
    /// How often it was started.
    pub(crate) fn starts(&self) -> usize {
        self.ends.len() + usize::from(self.running)
    }

    pub(crate) fn start(&mut self, at: Timestamp) {
        assert!(!self.running, "{} runs already", self.spec.name);
        self.running = true;
        self.started_at = Some(at);
        self.oom_killed = false;
    }

    pub(crate) fn die(&mut self, code: i32, at: Timestamp) {
        assert!(self.running, "{} does not run", self.spec.name);
        self.running = false;
        self.finished_at = Some(at);
        self.exit_code = code;
        self.ends.push(self.entries.len());
    }

    pub(crate) fn log(&mut self, stream: Stream, text: &[u8], at: Timestamp) {
        assert!(self.running, "{} does not run", self.spec.name);
        let line_end: &[u8] = if self.spec.tty { b"\r\n" } else { b"\n" };
        let twice = self.twice > 0;
        self.twice = self.twice.saturating_sub(1);
        let line = [text, line_end].concat();
        for piece in line.chunks(LONGEST_PIECE) {
            self.entries.push(Entry {
                at,
                stream,
                text: piece.to_vec(),
                twice,
            });
        }
    }

    pub(crate) fn forget_lines(&mut self) {
        self.forgotten = self.entries.len();
    }
}

#[derive(Default)]
pub(crate) struct Containers {
    all: Vec<Container>,
    /// Removed ones: who had opened their logs reads them to the end.
    gone: Vec<Container>,
    created: u64,
    streams: u64,
}

impl Containers {
    pub(crate) fn all(&self) -> &[Container] {
        &self.all
    }

    pub(crate) fn create(&mut self, spec: ContainerSpec, at: Timestamp) -> ContainerId {
        self.created += 1;
        let half = self.created.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let id = ContainerId(format!("{half:016x}{:048x}", self.created));
        self.all.push(Container {
            id: id.clone(),
            spec,
            created_at: at,
            running: false,
            started_at: None,
            finished_at: None,
            exit_code: 0,
            oom_killed: false,
            health: None,
            ends: Vec::new(),
            entries: Vec::new(),
            forgotten: 0,
            twice: 0,
            log_error: None,
            requests: watch::Sender::new(Vec::new()),
            cut: None,
            stalled: 0,
            written: BTreeMap::new(),
        });
        id
    }

    pub(crate) fn get(&mut self, id: &ContainerId) -> &mut Container {
        self.all
            .iter_mut()
            .find(|container| container.id == *id)
            .expect("the test names a container that is there")
    }

    /// By full ID, a beginning of it, or name.
    pub(crate) fn find(&self, id: &str) -> Option<&Container> {
        let short = id.len() >= 12;
        self.all
            .iter()
            .find(|container| (short && container.id.0.starts_with(id)) || container.spec.name == id)
    }

    pub(crate) fn remove(&mut self, id: &ContainerId) {
        let gone = self.all.extract_if(.., |container| container.id == *id);
        self.gone.extend(gone.map(|container| Container {
            running: false,
            ..container
        }));
    }

    /// Whose log somebody has opened, removed or not.
    pub(crate) fn opened(&self, id: &ContainerId) -> Option<&Container> {
        let mut all = self.all.iter().chain(&self.gone);
        all.find(|container| container.id == *id)
    }

    /// Numbers a log stream and writes down what it asked for.
    pub(crate) fn open_log(&mut self, id: &ContainerId, request: LogRequest) -> u64 {
        self.streams += 1;
        self.get(id)
            .requests
            .send_modify(|requests| requests.push(request));
        self.streams
    }

    pub(crate) fn cut_logs(&mut self, id: &ContainerId, cut: Cut) {
        let next = self.streams + 1;
        self.get(id).cut = Some((next, cut));
    }

    pub(crate) fn stall_logs(&mut self, id: &ContainerId) {
        let next = self.streams + 1;
        self.get(id).stalled = next;
    }
}
