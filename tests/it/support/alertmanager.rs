//! A real Alertmanager, one a test process. Tests keep apart in it by their `host` label.
//!
//! Its container ends when the pipe to it closes, also when the process is killed, and removes itself.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};

use serde::Deserialize;
use tokio::sync::OnceCell;

use super::stack::docker;
use super::waiting::until;

static ALERTMANAGER: OnceCell<Alertmanager> = OnceCell::const_new();

/// Notifies nobody: what it holds is asked for.
const CONFIG: &str = "route: { receiver: nobody, group_wait: 0s }\nreceivers: [{ name: nobody }]";

/// A running Alertmanager.
pub(crate) struct Alertmanager {
    /// `http://ADDRESS:9093`
    pub(crate) url: String,
    _lifeline: Child,
}

/// An alert that it holds.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Held {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
}

impl Held {
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    pub(crate) fn annotation(&self, name: &str) -> &str {
        self.annotations.get(name).map_or("", String::as_str)
    }

    /// `AlertName(service)`
    pub(crate) fn short(&self) -> String {
        format!("{}({})", self.label("alertname"), self.label("service"))
    }
}

/// This process's Alertmanager.
pub(crate) async fn alertmanager() -> &'static Alertmanager {
    ALERTMANAGER.get_or_init(Alertmanager::start).await
}

impl Alertmanager {
    async fn start() -> Self {
        let name = format!("migwatch-test-alertmanager-{}", std::process::id());
        let script = format!(
            "printf '%s' '{CONFIG}' >/tmp/config.yml
             prometheus-alertmanager --config.file=/tmp/config.yml --storage.path=/tmp --cluster.listen-address= & server=$!
             cat >/dev/null; kill $server"
        );
        let lifeline = Command::new("docker")
            .args([
                "run",
                "--rm",
                "--interactive",
                "--name",
                &name,
                "--entrypoint",
                "/bin/sh",
            ])
            .args(["migwatch-demo-alertmanager", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker is installed");
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let url = until(
            "Alertmanager has an address (else run \"make images\")",
            async || {
                let listed = docker(&["ps", "--quiet", "--filter", &format!("name={name}")]).await;
                if listed.is_empty() {
                    return Err(format!("{name} does not run"));
                }
                match docker(&["inspect", "--format", format, &listed]).await.as_str() {
                    "" => Err("no address yet".to_owned()),
                    address => Ok(format!("http://{address}:9093")),
                }
            },
        )
        .await;
        let started = Self {
            url,
            _lifeline: lifeline,
        };
        until("Alertmanager answers", async || started.ask("nobody").await).await;
        started
    }

    /// What it holds for this host label now: all that fires, nothing that ended.
    pub(crate) async fn holds(&self, host: &str) -> Vec<Held> {
        self.ask(host).await.expect("Alertmanager stays")
    }

    async fn ask(&self, host: &str) -> Result<Vec<Held>, String> {
        let url = format!("{}/api/v2/alerts?filter=host%3D%22{host}%22", self.url);
        super::get::json(&url).await
    }
}
