//! The engine's events: subscribing, reading, and understanding Docker's and Podman's words.
//!
//! Promises to read as fast as the engine writes (it drops events of slow readers after 100 ms): events wait in a buffer of their own, and
//! when that is full, or a line cannot be read, the loss is told instead; and that of execs only those that may migrate get so far. Refuses
//! to wait for anybody and to look at containers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::BytesMut;
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::execs::{ExecStart, Sieve};
use super::wire::Body;
use crate::model::exec::ExecId;
use crate::model::service::ContainerId;
use crate::model::time::Timestamp;

/// How many events may wait: a stack of a hundred services that starts makes some five hundred.
pub(super) const BUFFER: usize = 4096;
/// No event is longer; a line that is gets dropped and told as lost.
const LONGEST: usize = 1024 * 1024;

/// Something that happened to a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// To which.
    pub(super) container: ContainerId,
    /// When, by the engine's clock.
    pub(super) at: Timestamp,
    /// What.
    pub(super) what: Happening,
    /// Its labels are those of a compose container.
    pub(super) compose: bool,
}

/// What can happen to a container, as far as it is of interest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Happening {
    Created,
    Started,
    Died {
        exit_code: i32,
    },
    /// Somebody sent it this signal through the API.
    Killed {
        signal: Option<i32>,
    },
    OutOfMemory,
    Removed,
    /// Renamed, updated, paused, or its health changed: worth a look.
    Changed,
    /// Somebody runs a command in it that may migrate.
    ExecStarted(Box<ExecStart>),
    /// Such a command ended; Podman does not tell which.
    ExecEnded {
        exec: Option<ExecId>,
        exit_code: i32,
    },
}

/// What the engine is asked for. With `health_status` or `exec_start` among them, Docker matches by prefix (moby's
/// `daemon/events/filter.go`), so that Podman's `exec` would fetch Docker's `exec_create` too, which says nothing that `exec_start` does not.
pub(super) fn filters(podman: bool) -> Value {
    let mut events = vec![
        "create",
        "start",
        "die",
        "died",
        "kill",
        "oom",
        "destroy",
        "remove",
        "rename",
        "update",
        "pause",
        "unpause",
        "health_status",
    ];
    events.extend(if podman {
        ["exec", "exec_died"]
    } else {
        ["exec_start", "exec_die"]
    });
    json!({ "type": ["container"], "event": events })
}

/// The engine's own shape of an event. Newer engines leave out `status` and `id`.
#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "Type", default)]
    kind: Option<String>,
    #[serde(rename = "Action", default)]
    action: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    id: Option<String>,
    #[serde(rename = "Actor", default)]
    actor: Option<Actor>,
    #[serde(default)]
    time: Option<i64>,
    #[serde(rename = "timeNano", default)]
    time_nano: Option<i64>,
}

#[derive(Default, Deserialize)]
struct Actor {
    #[serde(rename = "ID", default)]
    id: Option<String>,
    #[serde(rename = "Attributes", default)]
    attributes: Option<Attributes>,
}

/// Of the attributes, which hold all labels too, what is asked for: an event of a health check comes often.
#[derive(Default, Deserialize)]
struct Attributes {
    #[serde(rename = "exitCode", default)]
    exit_code: Option<Value>,
    #[serde(rename = "containerExitCode", default)]
    container_exit_code: Option<Value>,
    #[serde(default)]
    signal: Option<Value>,
    #[serde(rename = "execID", default)]
    exec_id: Option<Value>,
    #[serde(rename = "com.docker.compose.project", default)]
    compose: Option<IgnoredAny>,
    #[serde(rename = "io.podman.compose.project", default)]
    podman_compose: Option<IgnoredAny>,
}

/// What a line of the stream says; `Ok(None)` is nothing of interest.
fn understand(line: &[u8], sieve: &mut Sieve) -> Result<Option<Event>, serde_json::Error> {
    let raw: Raw = serde_json::from_slice(line)?;
    let actor = raw.actor.unwrap_or_default();
    let attributes = actor.attributes.unwrap_or_default();
    let action = raw.action.or(raw.status).unwrap_or_default();
    let Some(what) = happening(&action, &attributes, sieve) else {
        return Ok(None);
    };
    let at = match (raw.time_nano, raw.time) {
        (Some(nanos), _) if nanos > 0 => Timestamp::from_nanos(nanos),
        (_, Some(seconds)) => Timestamp::from_seconds(seconds),
        _ => return Ok(None),
    };
    let id = actor
        .id
        .filter(|id| !id.is_empty())
        .or(raw.id)
        .filter(|id| !id.is_empty());
    let is_container = raw.kind.is_none_or(|kind| kind == "container");
    let compose = attributes.compose.is_some() || attributes.podman_compose.is_some();
    Ok(id.filter(|_| is_container).map(|id| Event {
        container: ContainerId(id),
        at,
        what,
        compose,
    }))
}

fn happening(action: &str, attributes: &Attributes, sieve: &mut Sieve) -> Option<Happening> {
    let exec = || match &attributes.exec_id {
        Some(Value::String(id)) if !id.is_empty() => Some(ExecId(id.clone())),
        _ => None,
    };
    if let Some(text) = action.strip_prefix("exec_start: ") {
        return sieve.started(exec(), text).map(Happening::ExecStarted);
    }
    Some(match action {
        "create" => Happening::Created,
        "start" => Happening::Started,
        "die" | "died" => Happening::Died {
            exit_code: exit_code(attributes),
        },
        "kill" => Happening::Killed {
            signal: attributes.signal.as_ref().and_then(number),
        },
        "oom" => Happening::OutOfMemory,
        "destroy" | "remove" => Happening::Removed,
        "rename" | "update" | "pause" | "unpause" => Happening::Changed,
        "exec" => Happening::ExecStarted(Box::new(Sieve::untold(exec()))),
        "exec_die" | "exec_died" => {
            let exec = exec();
            let is_wanted = sieve.ended(exec.as_ref());
            let exit_code = exit_code(attributes);
            return is_wanted.then_some(Happening::ExecEnded { exec, exit_code });
        }
        _ if action.starts_with("health_status") => Happening::Changed,
        _ => return None,
    })
}

/// Docker writes `exitCode`, Podman `containerExitCode` (and `exitCode` in its compatible stream), as text or number.
fn exit_code(attributes: &Attributes) -> i32 {
    let code = [&attributes.exit_code, &attributes.container_exit_code]
        .into_iter()
        .flatten()
        .find_map(number);
    code.unwrap_or_default()
}

fn number(value: &Value) -> Option<i32> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_i64().and_then(|number| i32::try_from(number).ok()),
    }
}

/// Reads the stream until it ends and puts events into `buffer`; what does not fit or cannot be read sets `lost`.
/// Returns why it ended.
pub(super) async fn read(
    mut stream: Body,
    mut sieve: Sieve,
    buffer: mpsc::Sender<Event>,
    lost: Arc<AtomicBool>,
) -> String {
    let mut pending = BytesMut::new();
    loop {
        let chunk = match stream.frame().await {
            None => return "the engine ended its event stream".to_owned(),
            Some(Err(error)) => return format!("the event stream broke: {error}"),
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
        };
        pending.extend_from_slice(&chunk);
        while let Some(end) = memchr::memchr(b'\n', &pending) {
            let line = pending.split_to(end + 1);
            if !deliver(line.trim_ascii(), &mut sieve, &buffer) {
                lost.store(true, Ordering::Relaxed);
            }
        }
        if pending.len() > LONGEST {
            pending.clear();
            lost.store(true, Ordering::Relaxed);
        }
    }
}

/// Whether nothing was lost.
fn deliver(line: &[u8], sieve: &mut Sieve, buffer: &mpsc::Sender<Event>) -> bool {
    if line.is_empty() {
        return true;
    }
    match understand(line, sieve) {
        Ok(Some(event)) => buffer.try_send(event).is_ok(),
        Ok(None) => true,
        Err(error) => {
            tracing::debug!(%error, "an event of the engine cannot be read; everything is looked at instead");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Happening, Sieve, understand};
    use crate::model::exec::{ExecCommand, ExecId};

    fn read(line: &str) -> Option<Event> {
        understand(line.as_bytes(), &mut Sieve::default()).unwrap()
    }

    #[test]
    fn docker_and_podman_say_the_same_in_their_own_words() {
        for (line, what) in [
            (
                r#"{"status":"die","id":"c1","from":"i","Type":"container","Action":"die","Actor":{"ID":"c1","Attributes":{"exitCode":"137"}},"scope":"local","time":1,"timeNano":1000000007}"#,
                Happening::Died { exit_code: 137 },
            ),
            (
                r#"{"Type":"container","Action":"died","Actor":{"ID":"c1","Attributes":{"containerExitCode":"3"}},"time":1,"timeNano":1000000007}"#,
                Happening::Died { exit_code: 3 },
            ),
            (
                r#"{"Type":"container","Action":"die","Actor":{"ID":"c1","Attributes":{"containerExitCode":4}},"timeNano":1000000007}"#,
                Happening::Died { exit_code: 4 },
            ),
            (
                r#"{"Type":"container","Action":"kill","Actor":{"ID":"c1","Attributes":{"signal":"15"}},"timeNano":1000000007}"#,
                Happening::Killed { signal: Some(15) },
            ),
            (
                r#"{"Type":"container","Action":"kill","Actor":{"ID":"c1"},"timeNano":1000000007}"#,
                Happening::Killed { signal: None },
            ),
            (
                r#"{"Type":"container","Action":"remove","Actor":{"ID":"c1"},"timeNano":1000000007}"#,
                Happening::Removed,
            ),
            (
                r#"{"Type":"container","Action":"destroy","Actor":{"ID":"c1","Attributes":null},"timeNano":1000000007}"#,
                Happening::Removed,
            ),
            (
                r#"{"Type":"container","Action":"health_status: healthy","Actor":{"ID":"c1"},"timeNano":1000000007}"#,
                Happening::Changed,
            ),
            (
                r#"{"Type":"container","Action":"health_status","Actor":{"ID":"c1"},"timeNano":1000000007}"#,
                Happening::Changed,
            ),
            (
                r#"{"status":"start","id":"c1","timeNano":1000000007}"#,
                Happening::Started,
            ),
        ] {
            let event = read(line).unwrap();
            assert_eq!(
                (event.what, event.container.0.as_str(), event.at.as_nanos()),
                (what, "c1", 1_000_000_007),
                "{line}"
            );
        }
    }

    #[test]
    fn compose_containers_are_known_by_the_labels_that_the_event_carries() {
        let line = |key| {
            format!(
                r#"{{"Action":"start","id":"c","timeNano":5,"Actor":{{"ID":"c","Attributes":{{"{key}":"p"}}}}}}"#
            )
        };
        assert!(read(&line("com.docker.compose.project")).unwrap().compose);
        assert!(read(&line("io.podman.compose.project")).unwrap().compose);
        assert!(!read(&line("image")).unwrap().compose);
    }

    #[test]
    fn what_is_of_no_interest_is_left_and_what_is_no_event_is_an_error() {
        for line in [
            r#"{"Type":"container","Action":"exec_start: curl localhost","Actor":{"ID":"c"},"timeNano":5}"#,
            r#"{"Type":"container","Action":"exec_create: alembic upgrade head","Actor":{"ID":"c"},"timeNano":5}"#,
            r#"{"Type":"container","Action":"exec_die","Actor":{"ID":"c","Attributes":{"execID":"e","exitCode":"0"}},"timeNano":5}"#,
            r#"{"Type":"network","Action":"create","Actor":{"ID":"n"},"timeNano":5}"#,
            r#"{"Type":"machine","Action":"unheard of","timeNano":5}"#,
            r#"{"Action":"start","timeNano":5}"#,
            r#"{"Action":"start","id":"c"}"#,
            "{}",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
        assert!(understand(b"no json", &mut Sieve::default()).is_err());
    }

    #[test]
    fn a_command_that_migrates_is_told_from_its_start_to_its_end_whatever_its_text_holds() {
        let mut sieve = Sieve::default();
        let start = r#"{"status":"exec_start: sh -c cd \"/a\" &&\nalembic upgrade head","Type":"container","Action":"exec_start: sh -c cd \"/a\" &&\nalembic upgrade head","Actor":{"ID":"c","Attributes":{"execID":"e1","label":"exec_die"}},"timeNano":5}"#;
        let event = understand(start.as_bytes(), &mut sieve).unwrap().unwrap();
        let Happening::ExecStarted(start) = event.what else {
            panic!("{event:?}")
        };
        assert_eq!(start.exec, Some(ExecId("e1".to_owned())));
        let ExecCommand::Migrates(command) = &start.command else {
            panic!("{start:?}")
        };
        assert_eq!(command.text, "sh -c cd \"/a\" && alembic upgrade head");
        let die = r#"{"Type":"container","Action":"exec_die","Actor":{"ID":"c","Attributes":{"execID":"e1","exitCode":"1"}},"timeNano":6}"#;
        let ended = Happening::ExecEnded {
            exec: Some(ExecId("e1".to_owned())),
            exit_code: 1,
        };
        assert_eq!(
            understand(die.as_bytes(), &mut sieve).unwrap().unwrap().what,
            ended
        );
        assert_eq!(understand(die.as_bytes(), &mut sieve).unwrap(), None);
    }

    #[test]
    fn podman_tells_neither_text_nor_identity() {
        let mut sieve = Sieve::new(Vec::new(), true);
        let start = br#"{"Type":"container","Action":"exec","Actor":{"ID":"c","Attributes":{"name":"n"}},"timeNano":5}"#;
        let Happening::ExecStarted(start) = understand(start, &mut sieve).unwrap().unwrap().what else {
            panic!("a start")
        };
        assert_eq!((start.exec, start.command), (None, ExecCommand::Untold));
        let die = br#"{"Type":"container","Action":"exec_died","Actor":{"ID":"c","Attributes":{"containerExitCode":"2"}},"timeNano":6}"#;
        let ended = Happening::ExecEnded {
            exec: None,
            exit_code: 2,
        };
        assert_eq!(understand(die, &mut sieve).unwrap().unwrap().what, ended);
    }
}
