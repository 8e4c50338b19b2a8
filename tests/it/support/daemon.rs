//! The real program in a folder of its own: the daemon with its journal, and the command line that talks to it.
//!
//! Promises that nothing of this machine is used: no port but a free one, no configuration, engine or data but the test's. A daemon
//! that is dropped is killed. Refuses to know what is watched.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};

use migwatch::model::status::Status;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::receiver::PATIENCE;

/// How often a status is asked for while it is not yet as it should be.
const PACE: std::time::Duration = std::time::Duration::from_millis(25);

/// What outlives a daemon: its folder and how it is started. Start, kill and start again as often as you like.
pub(crate) struct Home {
    folder: TempDir,
    engine: PathBuf,
    flags: Vec<String>,
    variables: Vec<(String, String)>,
}

impl Home {
    /// For the engine at this socket, whether it is there or not.
    pub(crate) fn new(engine: &Path) -> Self {
        let home = Self {
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
            engine: engine.to_owned(),
            flags: Vec::new(),
            variables: Vec::new(),
        };
        home.configure("");
        home
    }

    /// One more flag for every command.
    pub(crate) fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self
    }

    /// One more environment variable for every command.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Replaces the configuration; a running daemon reads it at its next reload.
    pub(crate) fn configure(&self, text: &str) {
        std::fs::write(self.config_file(), text).expect("the folder takes files");
    }

    /// No file is named: one is looked for in the usual places, of which [`Home::usual_config_file`] is the first.
    pub(crate) fn unconfigured(self) -> Self {
        std::fs::remove_file(self.config_file()).expect("a new home has a file");
        self
    }

    /// Where a configuration is looked for when none is named.
    pub(crate) fn usual_config_file(&self) -> PathBuf {
        self.folder.path().join(".config/migwatch/migwatch.toml")
    }

    /// The configuration; secret files may lie beside it.
    pub(crate) fn config_file(&self) -> PathBuf {
        self.folder.path().join("migwatch.toml")
    }

    /// Where journal and socket are, unless a flag, a variable or the configuration says otherwise.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.folder.path().join("state/migwatch")
    }

    /// The folder in which all of this lies.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a command of the command line to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        let run = self.command(arguments).output();
        let output = tokio::time::timeout(PATIENCE, run).await;
        output
            .unwrap_or_else(|_| panic!("migwatch {arguments:?} did not end"))
            .expect("the program can be run")
    }

    /// Starts a command of the command line, whose end is waited for elsewhere.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().expect("the program can be run")
    }

    /// Starts the daemon; back when it says that it watches.
    pub(crate) async fn start(&self) -> Daemon {
        let listen = ["--web.listen-address", "127.0.0.1:0"];
        self.start_with(&listen).await
    }

    /// Starts the daemon with these flags beside the home's.
    pub(crate) async fn start_with(&self, flags: &[&str]) -> Daemon {
        let mut command = self.command(&[&["--log.format", "json"], flags].concat());
        let mut child = command.spawn().expect("the program can be run");
        let (log, lines) = watch::channel(Vec::new());
        let mut reading = JoinSet::new();
        reading.spawn(keep(child.stderr.take().expect("it is piped"), log));
        let mut daemon = Daemon {
            child,
            address: ([127, 0, 0, 1], 0).into(),
            socket: self.data_dir().join("migwatch.sock"),
            log: lines,
            _reading: reading,
        };
        let line = daemon.logged("migwatch watches").await;
        let page = line["fields"]["page"].as_str().unwrap_or_default();
        let address = page.trim_start_matches("http://").trim_end_matches('/');
        daemon.address = address.parse().expect("it logs its page's address");
        daemon
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_migwatch"));
        let named = self.config_file().exists();
        command
            .args(arguments)
            .args(&self.flags)
            .env_clear()
            .env("DOCKER_HOST", format!("unix://{}", self.engine.display()))
            .env("HOME", self.folder.path())
            .env("XDG_STATE_HOME", self.folder.path().join("state"))
            .envs(named.then(|| ("MIGWATCH_CONFIG_FILE", self.config_file())))
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

/// One run of the daemon.
pub(crate) struct Daemon {
    child: Child,
    /// Where it serves.
    pub(crate) address: SocketAddr,
    socket: PathBuf,
    log: watch::Receiver<Vec<String>>,
    _reading: JoinSet<()>,
}

/// What it answered over HTTP.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Daemon {
    /// `GET` over TCP.
    pub(crate) async fn get(&self, path: &str) -> Answered {
        let client = client(reqwest::Client::builder());
        answered(client.get(format!("http://{}{path}", self.address))).await
    }

    /// `POST` over TCP, with a token if there is one.
    pub(crate) async fn post(&self, path: &str, token: Option<&str>) -> Answered {
        let client = client(reqwest::Client::builder());
        let request = client.post(format!("http://{}{path}", self.address));
        answered(match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
        .await
    }

    /// `POST` over the unix socket, as the command line does.
    pub(crate) async fn post_as_owner(&self, path: &str) -> Answered {
        let client = client(reqwest::Client::builder().unix_socket(self.socket.as_path()));
        answered(client.post(format!("http://migwatch{path}"))).await
    }

    /// What it shows of everything.
    pub(crate) async fn status(&self) -> Status {
        let answered = self.get("/api/v1/status").await;
        serde_json::from_str(&answered.body).expect("the API speaks the model's JSON")
    }

    /// The value of the one series `name` that has these labels; `None` where there is none.
    pub(crate) async fn series(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let text = self.get("/metrics").await.body;
        let wanted: Vec<String> = labels
            .iter()
            .map(|(label, value)| format!("{label}=\"{value}\""))
            .collect();
        let mut values = text.lines().filter_map(|line| {
            let (series, value) = line.strip_prefix(name)?.strip_prefix('{')?.split_once("} ")?;
            wanted
                .iter()
                .all(|label| series.contains(label.as_str()))
                .then(|| value.parse().ok())?
        });
        let value = values.next();
        assert_eq!(values.next(), None, "{name} {wanted:?} is one series");
        value
    }

    /// Waits until the status is as `wanted` (`what`, for the failure's text), and gives it.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&Status) -> bool) -> Status {
        let mut pace = tokio::time::interval(PACE);
        let mut last = None;
        let asking = async {
            loop {
                pace.tick().await;
                let status = last.insert(self.status().await);
                if wanted(status) {
                    return;
                }
            }
        };
        let came = tokio::time::timeout(PATIENCE, asking).await;
        match (came, last) {
            (Ok(()), Some(status)) => status,
            (_, last) => panic!("never came: {what}; last seen: {last:#?}\nlog: {:#?}", self.log()),
        }
    }

    /// Waits until a `GET` answers with this status.
    pub(crate) async fn until_answers(&self, path: &str, status: u16) -> Answered {
        let mut pace = tokio::time::interval(PACE);
        let asking = async {
            loop {
                pace.tick().await;
                let answered = self.get(path).await;
                if answered.status == status {
                    return answered;
                }
            }
        };
        let came = tokio::time::timeout(PATIENCE, asking).await;
        came.unwrap_or_else(|_| panic!("{path} never answered {status}\nlog: {:#?}", self.log()))
    }

    /// What it logged so far: a JSON object a line.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.borrow().clone()
    }

    /// Waits for the first log line whose message this is.
    pub(crate) async fn logged(&self, message: &str) -> Value {
        let find = |lines: &Vec<String>| {
            let values = lines
                .iter()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok());
            values
                .into_iter()
                .find(|line| line["fields"]["message"] == message)
        };
        let mut log = self.log.clone();
        let waiting = log.wait_for(|lines| find(lines).is_some());
        let came = tokio::time::timeout(PATIENCE, waiting).await;
        let found = match came {
            Ok(Ok(lines)) => find(&lines),
            Ok(Err(_)) | Err(_) => None,
        };
        found.unwrap_or_else(|| panic!("never logged {message:?}: {:#?}", self.log.borrow()))
    }

    /// Sends it a signal: `HUP`, `TERM`, `INT`.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs");
        // The shell's own, which is everywhere.
        let kill = Command::new("sh")
            .arg("-c")
            .arg(format!("kill -{name} {id}"))
            .status();
        assert!(kill.await.expect("there is a shell").success(), "kill -{name}");
    }

    /// Ends it as a person would: how it ended, and all that it logged.
    pub(crate) async fn stop(mut self) -> (ExitStatus, Vec<String>) {
        self.signal("TERM").await;
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let status = ended
            .unwrap_or_else(|_| panic!("SIGTERM did not end it: {:#?}", self.log()))
            .expect("it can be waited for");
        self.whole_log(status).await
    }

    /// Ends it at whatever it is doing.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("it runs");
    }

    /// The log to its last line: it ends with the process.
    async fn whole_log(mut self, status: ExitStatus) -> (ExitStatus, Vec<String>) {
        let ended = async { while self.log.changed().await.is_ok() {} };
        tokio::time::timeout(PATIENCE, ended)
            .await
            .expect("the log ends with the process");
        let log = self.log();
        (status, log)
    }
}

async fn keep(stderr: ChildStderr, log: watch::Sender<Vec<String>>) {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        log.send_modify(|log| log.push(line));
    }
}

fn client(builder: reqwest::ClientBuilder) -> reqwest::Client {
    migwatch::daemon::tls::install_provider();
    // It speaks to loopback alone: reading the certificates of this machine for each question takes longer than the question.
    let builder = builder.no_proxy().tls_certs_only(std::iter::empty());
    builder.build().expect("a client")
}

async fn answered(request: reqwest::RequestBuilder) -> Answered {
    let response = request.timeout(PATIENCE).send().await.expect("it answers");
    let status = response.status().as_u16();
    let body = response.text().await.expect("the answer has an end");
    Answered { status, body }
}
