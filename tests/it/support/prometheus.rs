//! A real Prometheus in a container that scrapes one program of this machine each second, and answers queries.
//!
//! It shares the host's network, so that both need to listen on loopback only; its port is a free one. Refuses to know what is asked.

use std::net::SocketAddr;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use super::receiver::PATIENCE;

const IMAGE: &str = "migwatch-demo-prometheus";

/// How often something is asked that tells no one when it changes.
const PACE: Duration = Duration::from_millis(250);

pub(crate) struct RealPrometheus {
    container: String,
    url: String,
}

impl RealPrometheus {
    /// Back when it has scraped `target` for the first time.
    pub(crate) async fn start(target: SocketAddr) -> Self {
        let known = docker(&["image", "inspect", IMAGE]);
        assert!(
            known.status.success(),
            "the image {IMAGE} is missing: run \"make images\" first"
        );
        let config = format!(
            "{{global: {{scrape_interval: 1s}}, scrape_configs: [{{job_name: migwatch, static_configs: [{{targets: [\"{target}\"]}}]}}]}}"
        );
        let script = format!(
            "echo '{config}' > /tmp/prometheus.yml && exec /usr/bin/prometheus --config.file=/tmp/prometheus.yml \
             --storage.tsdb.path=/tmp/data --web.listen-address=127.0.0.1:0"
        );
        let run = [
            "run",
            "--detach",
            "--network",
            "host",
            "--entrypoint",
            "sh",
            IMAGE,
        ];
        let started = docker(&[&run[..], &["-c", &script]].concat());
        assert!(started.status.success(), "docker {run:?}: {started:?}");
        let mut prometheus = Self {
            container: text(&started.stdout),
            url: String::new(),
        };
        prometheus.url = prometheus.address().await;
        let up = prometheus.until_answered(vec![("up".to_owned(), "up == 1".to_owned())]);
        assert_eq!(up.await, [], "{target} is not scraped");
        prometheus
    }

    /// Asks each query (name, `PromQL`) again and again until all have an answer; those that never got one.
    pub(crate) async fn until_answered(&self, queries: Vec<(String, String)>) -> Vec<(String, String)> {
        let mut open = queries;
        let mut pace = tokio::time::interval(PACE);
        let asking = async {
            while !open.is_empty() {
                pace.tick().await;
                let mut still = Vec::new();
                for query in std::mem::take(&mut open) {
                    if !self.has_answer(&query.1).await {
                        still.push(query);
                    }
                }
                open = still;
            }
        };
        // What is open then has no answer.
        let _ = tokio::time::timeout(PATIENCE, asking).await;
        open
    }

    /// Whether there is a number: a quantile of nothing is none.
    async fn has_answer(&self, query: &str) -> bool {
        let mut url = url::Url::parse(&self.url).expect("its address is one");
        url.set_path("/api/v1/query");
        url.query_pairs_mut().append_pair("query", query);
        let client = client();
        let response = client.get(url).send().await.expect("Prometheus answers");
        let answer: Value = response.json().await.expect("it speaks JSON");
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        let result = answer["data"]["result"].as_array().cloned().unwrap_or_default();
        result.iter().any(|series| series["value"][1] != "NaN")
    }

    /// It takes a free port and says which.
    async fn address(&self) -> String {
        let mut pace = tokio::time::interval(PACE);
        let reading = async {
            loop {
                pace.tick().await;
                let log = text(&docker(&["logs", &self.container]).stderr);
                let said = log.lines().find(|line| line.contains("\"Listening on\""));
                if let Some((_, address)) = said.and_then(|line| line.split_once("address=")) {
                    return format!("http://{address}");
                }
            }
        };
        let came = tokio::time::timeout(PATIENCE, reading).await;
        came.unwrap_or_else(|_| panic!("no address: {:?}", docker(&["logs", &self.container])))
    }
}

impl Drop for RealPrometheus {
    fn drop(&mut self) {
        let removed = docker(&["rm", "--force", "--volumes", &self.container]);
        assert!(
            removed.status.success() || std::thread::panicking(),
            "container {} stays",
            self.container
        );
    }
}

fn client() -> reqwest::Client {
    migwatch::daemon::tls::install_provider();
    let builder = reqwest::Client::builder().no_proxy().timeout(PATIENCE);
    builder.build().expect("a client")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

fn docker(arguments: &[&str]) -> Output {
    Command::new("docker")
        .args(arguments)
        .output()
        .expect("docker is installed")
}
