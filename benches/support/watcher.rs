//! The optimised program as a process of its own, asked over its unix socket; ended when this is dropped.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::socket;

/// How long the first full look may take on a busy host.
const READY: Duration = Duration::from_secs(60);

/// Between two questions whether something has come about.
pub(crate) const POLL: Duration = Duration::from_millis(20);

/// A running migwatch with a data folder of its own.
pub(crate) struct Watcher {
    process: Child,
    folder: TempDir,
}

impl Watcher {
    /// Starts it with `config` as its file, and waits for its first full look.
    pub(crate) async fn start(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let file = folder.path().join("migwatch.toml");
        fs::write(&file, config).expect("the temporary folder can be written");
        let log = File::create(folder.path().join("log")).expect("the temporary folder can be written");
        let process = Command::new(env!("CARGO_BIN_EXE_migwatch"))
            .arg("--config.file")
            .arg(&file)
            .arg("--data.dir")
            .arg(folder.path())
            .args(["--web.listen-address", "127.0.0.1:0"])
            .stdout(log.try_clone().expect("a file can be shared"))
            .stderr(log)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the program was built with the benchmark");
        let watcher = Self { process, folder };
        let ready = async {
            while watcher.ask("GET", "/-/ready", "").await.is_err() {
                sleep(POLL).await;
            }
        };
        let is_ready = timeout(READY, ready).await.is_ok();
        assert!(is_ready, "migwatch is not ready in time:\n{}", watcher.log());
        watcher
    }

    /// The answer to one request.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> std::io::Result<String> {
        socket::whole(&self.folder.path().join("migwatch.sock"), method, path, body).await
    }

    /// The answer to one GET as JSON.
    pub(crate) async fn json(&self, path: &str) -> serde_json::Value {
        let text = self.ask("GET", path, "").await;
        let text = text.unwrap_or_else(|error| panic!("{path}: {error}:\n{}", self.log()));
        serde_json::from_str(&text).expect("the API speaks JSON")
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Its folder in `/proc`.
    pub(crate) fn proc(&self) -> PathBuf {
        let id = self.process.id().expect("it runs");
        PathBuf::from(format!("/proc/{id}"))
    }
}
