//! The questions put to the engine: version, list, inspect, events, a file's presence. All are GETs, so a read-only socket proxy is enough.
//!
//! Promises a time limit on each and the version that both sides speak in every path. Refuses to interpret the answers beyond JSON.
//! A typed client is not used here: it sends no version, its closed enums end on a word they do not know, and it needs a second HTTP
//! path beside the one of the log stream.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::Response;
use serde_json::Value;

use super::endpoint::Endpoint;
use super::wire::{self, Body, Question, WireError};
use crate::model::exec::ExecId;
use crate::model::service::ContainerId;
use crate::model::time::Timestamp;

mod files;

/// The newest API version whose answers are known to be understood. An engine that speaks a newer one still accepts this.
const NEWEST: ApiVersion = ApiVersion { major: 1, minor: 51 };
/// How long one answer may take as a whole. A container in trouble holds its lock for long; others must not wait for it.
const ANSWER: Duration = Duration::from_secs(20);
/// The most that one answer may hold: a list of some ten thousand containers.
const ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Stands before the version of an engine that is Podman.
const PODMAN: &str = "Podman ";

/// A version of the engine's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion {
    /// 1 so far.
    pub major: u16,
    /// Counts up.
    pub minor: u16,
}

impl ApiVersion {
    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.trim().trim_start_matches('v').split_once('.')?;
        Some(Self {
            major: major.parse().ok()?,
            minor: minor.parse().ok()?,
        })
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A question that got no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// No answer, or a refusal: what failed and what to do.
    #[error("{sentence}")]
    Asked {
        /// The whole sentence with its causes.
        sentence: String,
        /// The HTTP status of a refusal.
        status: Option<u16>,
    },
    /// The answer began and did not end in time.
    #[error("the engine's answer to {path} did not end within {} s", ANSWER.as_secs())]
    Slow {
        /// What was asked.
        path: String,
    },
    /// The answer broke off or was too long.
    #[error("the engine's answer to {path} broke off or was longer than {} MiB", ANSWER_BYTES >> 20)]
    Broken {
        /// What was asked.
        path: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer is no JSON.
    #[error("the engine's answer to {path} is not JSON; is this an engine at all?")]
    NotJson {
        /// What was asked.
        path: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// Something else answers there.
    #[error("{endpoint} answered, but without an API version; is this a Docker or Podman engine?")]
    NoEngine {
        /// Where.
        endpoint: String,
    },
}

impl EngineError {
    /// It answered and refused: it is there, and asking again gives the same.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Asked { status: Some(_), .. })
    }

    /// The engine says that there is no such thing (any more).
    pub fn is_absent(&self) -> bool {
        matches!(
            self,
            Self::Asked {
                status: Some(404),
                ..
            }
        )
    }
}

/// GETs, with a failed connection explained.
async fn get(endpoint: &Endpoint, path: &str) -> Result<Response<Body>, EngineError> {
    explained(endpoint, wire::get(endpoint, path).await)
}

/// Asks for more than a GET, with a failed connection explained.
async fn send(endpoint: &Endpoint, question: &Question<'_>) -> Result<Response<Body>, EngineError> {
    explained(endpoint, wire::send(endpoint, question).await)
}

fn explained(
    endpoint: &Endpoint,
    answer: Result<Response<Body>, WireError>,
) -> Result<Response<Body>, EngineError> {
    answer.map_err(|error| {
        let sentence = match &error {
            WireError::Connect { source, .. } => endpoint.explain(source),
            _ if error.status() == Some(403) => {
                format!(
                    "{}; a socket proxy must allow GET of version, events, containers (with the archives of scripts) and exec",
                    error.sentence()
                )
            }
            _ => error.sentence(),
        };
        EngineError::Asked {
            sentence,
            status: error.status(),
        }
    })
}

/// An error and its causes in one line.
pub(super) fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// An engine that answered, with the version agreed on.
#[derive(Clone, Debug)]
pub struct Engine {
    /// Where it is.
    pub endpoint: Endpoint,
    /// The version in every path.
    pub api: ApiVersion,
    /// Its own version, `20.10.24` or `Podman 4.3.1`.
    pub version: String,
    /// What its clock said, to the second; `None` if it does not tell.
    pub clock: Option<Timestamp>,
}

impl Engine {
    /// Asks who is there and agrees on a version: the engine's own, unless it is newer than what is known here.
    ///
    /// # Errors
    /// When nobody answers, or something that is no engine.
    pub async fn connect(endpoint: &Endpoint) -> Result<Self, EngineError> {
        let path = "/version";
        let response = get(endpoint, path).await?;
        let clock = response
            .headers()
            .get("date")
            .and_then(|date| http_date(date.to_str().ok()?));
        let about = json(response, path).await?;
        let version = |key| about.get(key).and_then(Value::as_str).and_then(ApiVersion::parse);
        let newest = version("ApiVersion").ok_or_else(|| EngineError::NoEngine {
            endpoint: endpoint.to_string(),
        })?;
        let api = newest.min(NEWEST.max(version("MinAPIVersion").unwrap_or(NEWEST)));
        let podman = about
            .pointer("/Components/0/Name")
            .and_then(Value::as_str)
            .is_some_and(|name| name.contains("Podman"));
        let own = about
            .get("Version")
            .and_then(Value::as_str)
            .unwrap_or("unknown version");
        let version = if podman {
            format!("{PODMAN}{own}")
        } else {
            own.to_owned()
        };
        Ok(Self {
            endpoint: endpoint.clone(),
            api,
            version,
            clock,
        })
    }

    /// Every container, stopped ones too, as the list shows them.
    ///
    /// # Errors
    /// When there is no answer or no JSON.
    pub async fn list(&self) -> Result<Value, EngineError> {
        self.ask("/containers/json?all=1").await
    }

    /// One container in full.
    ///
    /// # Errors
    /// When there is no answer, no JSON, or no such container ([`EngineError::is_absent`]).
    pub async fn inspect(&self, id: &ContainerId) -> Result<Value, EngineError> {
        self.ask(&format!("/containers/{}/json", id.0)).await
    }

    /// One command that was run inside a container.
    ///
    /// # Errors
    /// When there is no answer, no JSON, or no such command ([`EngineError::is_absent`]).
    pub(super) async fn exec(&self, id: &ExecId) -> Result<Value, EngineError> {
        self.ask(&format!("/exec/{}/json", encoded(&id.0))).await
    }

    /// Whether it is Podman, which has words of its own for some events.
    pub(super) fn is_podman(&self) -> bool {
        self.version.starts_with(PODMAN)
    }

    /// The stream of events since `since` that pass `filters` (JSON). It ends when the engine ends or the connection does.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) async fn events(&self, since: Timestamp, filters: &Value) -> Result<Body, EngineError> {
        let nanos = since.as_nanos();
        let since = format!(
            "{}.{:09}",
            nanos.div_euclid(1_000_000_000),
            nanos.rem_euclid(1_000_000_000)
        );
        let path = format!(
            "/v{}/events?since={since}&filters={}",
            self.api,
            encoded(&filters.to_string())
        );
        Ok(get(&self.endpoint, &path).await?.into_body())
    }

    async fn ask(&self, path: &str) -> Result<Value, EngineError> {
        let path = format!("/v{}{path}", self.api);
        json(get(&self.endpoint, &path).await?, &path).await
    }
}

/// What `migwatch check` shows of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineInfo {
    /// Where it is.
    pub endpoint: String,
    /// Its own version.
    pub version: String,
    /// The API version agreed on.
    pub api: ApiVersion,
    /// How many containers there are, stopped ones too.
    pub containers: usize,
    /// The group that owns its socket, for `group_add`.
    pub socket_group: Option<u32>,
}

/// Tries an engine once: version and list.
///
/// # Errors
/// When it does not answer; the message says what to do.
pub async fn check(endpoint: &Endpoint) -> Result<EngineInfo, EngineError> {
    let engine = Engine::connect(endpoint).await?;
    let containers = engine.list().await?.as_array().map_or(0, Vec::len);
    Ok(EngineInfo {
        endpoint: endpoint.to_string(),
        version: engine.version,
        api: engine.api,
        containers,
        socket_group: endpoint.socket_group(),
    })
}

async fn json(response: Response<Body>, path: &str) -> Result<Value, EngineError> {
    let body = whole_body(response.into_body(), path).await?;
    serde_json::from_slice(&body).map_err(|source| EngineError::NotJson {
        path: path.to_owned(),
        source,
    })
}

async fn whole_body(body: Body, path: &str) -> Result<Bytes, EngineError> {
    let read = tokio::time::timeout(ANSWER, Limited::new(body, ANSWER_BYTES).collect()).await;
    let read = read.map_err(|_| EngineError::Slow {
        path: path.to_owned(),
    })?;
    read.map(http_body_util::Collected::to_bytes)
        .map_err(|source| EngineError::Broken {
            path: path.to_owned(),
            source,
        })
}

fn http_date(text: &str) -> Option<Timestamp> {
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp::from_seconds(date.timestamp().as_second()))
}

/// Percent-encodes a query value.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::{ApiVersion, encoded, http_date};

    #[test]
    fn versions_compare_by_number_not_by_text() {
        let version = |text| ApiVersion::parse(text).unwrap();
        assert!(version("1.9") < version("1.41") && version("v1.44") > version("1.41"));
        assert_eq!(version("1.41").to_string(), "1.41");
        assert_eq!(ApiVersion::parse("latest"), None);
    }

    #[test]
    fn the_engines_own_clock_is_read_from_its_answers_date() {
        let time = http_date("Mon, 23 Nov 2026 09:31:06 GMT").unwrap();
        assert_eq!(time.to_string(), "2026-11-23T09:31:06.000000000Z");
        assert_eq!(http_date("now"), None);
    }

    #[test]
    fn a_query_value_keeps_no_character_with_a_meaning_of_its_own() {
        assert_eq!(encoded("/app/alembic.ini"), "%2Fapp%2Falembic.ini");
        assert_eq!(encoded(r#"{"a":["b"]}"#), "%7B%22a%22%3A%5B%22b%22%5D%7D");
    }
}
