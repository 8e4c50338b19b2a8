//! The real binary as a daemon, on a free port and a data folder of its own; it can be killed and started again on the same folder.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::LazyLock;

use migwatch::model::migration::Migration;
use migwatch::model::status::Status;
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::waiting::until;

/// How much of its log a failed wait shows, in lines.
const SHOWN: usize = 200;

/// A daemon that runs until it is dropped.
pub(crate) struct Daemon {
    folder: TempDir,
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub(crate) url: String,
    starts: u32,
}

impl Daemon {
    /// Starts with the configuration `config`, and waits until it listens.
    pub(crate) async fn start(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("migwatch.toml"), config).expect("the folder is ours");
        let child = spawn(&folder, 0);
        let mut daemon = Self {
            folder,
            child,
            url: String::new(),
            starts: 0,
        };
        daemon.url = daemon.listens().await;
        daemon
    }

    /// SIGKILL, as a crash would be; waits until it is gone.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.expect("it runs");
    }

    /// Starts again on the same data folder.
    pub(crate) async fn start_again(&mut self) {
        self.starts += 1;
        self.child = spawn(&self.folder, self.starts);
        self.url = self.listens().await;
    }

    async fn listens(&self) -> String {
        until("migwatch listens", async || {
            let log = self.log();
            let page = log
                .split_once("page=\"")
                .and_then(|(_, rest)| rest.split_once("/\""));
            page.map(|(url, _)| url.to_owned()).ok_or(log.clone())
        })
        .await
    }

    /// What it logged since its last start.
    pub(crate) fn log(&self) -> String {
        let bytes = std::fs::read(log_file(&self.folder, self.starts)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn end_of_log(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(SHOWN)..].join("\n")
    }

    /// Everything that it knows.
    pub(crate) async fn status(&self) -> Status {
        self.json("/api/v1/status").await
    }

    /// The migrations of a project, oldest first.
    pub(crate) async fn migrations(&self, project: &str) -> Vec<Migration> {
        let mut migrations: Vec<Migration> =
            self.json(&format!("/api/v1/migrations?project={project}")).await;
        migrations.sort_by_key(|migration| migration.started_at);
        migrations
    }

    /// The metrics as served.
    pub(crate) async fn metrics(&self) -> String {
        get(&format!("{}/metrics", self.url))
            .await
            .expect("migwatch answers")
    }

    async fn json<T: DeserializeOwned>(&self, path: &str) -> T {
        get_json(&format!("{}{path}", self.url))
            .await
            .unwrap_or_else(|error| panic!("{path}: {error}\n{}", self.end_of_log()))
    }

    /// Waits until `see` finds what it looks for; else it says what is there instead, and the log is shown.
    pub(crate) async fn until<T>(&self, what: &str, see: impl AsyncFn(&Self) -> Result<T, String>) -> T {
        until(what, async || see(self).await).await
    }
}

impl Drop for Daemon {
    /// A failed test is told with what the daemon thought of it.
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the end of the log of migwatch:\n{}", self.end_of_log());
        }
    }
}

fn spawn(folder: &TempDir, starts: u32) -> Child {
    let log = File::create(log_file(folder, starts)).expect("the folder is ours");
    Command::new(env!("CARGO_BIN_EXE_migwatch"))
        .arg("--config.file")
        .arg(folder.path().join("migwatch.toml"))
        .arg("--data.dir")
        .arg(folder.path().join("data"))
        .args(["--web.listen-address", "127.0.0.1:0", "--log.format", "text"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .expect("the binary was built with this test")
}

fn log_file(folder: &TempDir, starts: u32) -> PathBuf {
    folder.path().join(format!("log-{starts}.txt"))
}

/// GET; `Err` says what came instead of a 200.
pub(crate) async fn get(url: &str) -> Result<String, String> {
    let answer = CLIENT.get(url).send().await.map_err(|error| error.to_string())?;
    let status = answer.status();
    let body = answer.text().await.map_err(|error| error.to_string())?;
    if status.is_success() {
        Ok(body)
    } else {
        Err(format!("{status}: {body}"))
    }
}

/// GET of a JSON document.
pub(crate) async fn get_json<T: DeserializeOwned>(url: &str) -> Result<T, String> {
    let body = get(url).await?;
    serde_json::from_str(&body).map_err(|error| format!("{error}: {body}"))
}

/// No connection is kept: every test has a runtime of its own, and a kept one would belong to another's.
static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
    migwatch::daemon::tls::install_provider();
    let builder = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
    builder.build().expect("nothing is asked of it that it cannot do")
});
