//! A container of the host's own engine, made for one test and removed with it, through the `docker` command.

use std::process::Stdio;

use migwatch::model::service::ContainerId;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Holds a shell and little else; it is built with the demo's images.
const IMAGE: &str = "migwatch-demo-base";

pub(crate) struct RealContainer {
    pub(crate) id: ContainerId,
}

impl RealContainer {
    /// Creates a container that runs `script` once it is started; `options` are those of `docker create`.
    pub(crate) async fn create(options: &[&str], script: &str) -> Self {
        let label = ["create", "--label", "migwatch.test=logs"];
        let command = [IMAGE, "sh", "-c", script];
        let id = docker(&[&label, options, &command].concat()).await;
        Self { id: ContainerId(id) }
    }

    pub(crate) async fn start(&self) {
        docker(&["start", &self.id.0]).await;
    }

    /// Its starts and exits, from its creation on.
    pub(crate) async fn events(&self) -> RealEvents {
        let created = docker(&["inspect", "--format", "{{.Created}}", &self.id.0]).await;
        let container = format!("container={}", self.id.0);
        let mut watching = Command::new("docker")
            .args([
                "events",
                "--since",
                &created,
                "--format",
                "{{.Action}}",
                "--filter",
                &container,
            ])
            .args(["--filter", "event=start", "--filter", "event=die"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the docker command is installed");
        let lines = BufReader::new(watching.stdout.take().expect("stdout is piped")).lines();
        RealEvents {
            _watching: watching,
            lines,
        }
    }
}

impl Drop for RealContainer {
    fn drop(&mut self) {
        let mut remove = std::process::Command::new("docker");
        let removed = remove.args(["rm", "--force", "--volumes", &self.id.0]).output();
        let removed = removed.is_ok_and(|output| output.status.success());
        assert!(
            removed || std::thread::panicking(),
            "container {} could not be removed",
            self.id.0
        );
    }
}

pub(crate) struct RealEvents {
    _watching: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl RealEvents {
    /// `start` or `die`
    pub(crate) async fn next(&mut self) -> String {
        self.lines
            .next_line()
            .await
            .expect("the events can be read")
            .expect("the engine stays")
    }
}

async fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker")
        .args(arguments)
        .output()
        .await
        .expect("the docker command is installed");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "docker {arguments:?}: {error}; does the engine run, is {IMAGE} built?"
    );
    String::from_utf8(output.stdout)
        .expect("docker prints text")
        .trim()
        .to_owned()
}
