//! The engine's JSON, in Docker's and in Podman's shape.

use std::collections::BTreeMap;

use migwatch::model::time::Timestamp;
use serde_json::{Map, Value, json};

use super::State;
use super::containers::{Container, ContainerSpec};
use super::events::Event;

/// What the engine prints for a time that never was.
const NEVER: &str = "0001-01-01T00:00:00Z";

pub(super) fn version(state: &State) -> Value {
    let (oldest, newest) = state.versions;
    let name = if state.podman { "Podman Engine" } else { "Engine" };
    json!({
        "Platform": { "Name": "" },
        "Components": [{ "Name": name, "Version": "20.10.24", "Details": { "ApiVersion": format!("1.{newest}") } }],
        "Version": "20.10.24",
        "ApiVersion": format!("1.{newest}"),
        "MinAPIVersion": format!("1.{oldest}"),
        "Os": "linux",
        "Arch": "amd64",
    })
}

pub(super) fn info(state: &State) -> Value {
    let all = state.containers.all();
    let running = all.iter().filter(|container| container.running).count();
    json!({
        "ID": "FAKE", "Name": "fake", "ServerVersion": "20.10.24", "OperatingSystem": "none",
        "Containers": all.len(), "ContainersRunning": running, "ContainersStopped": all.len() - running,
    })
}

/// Without `all=1` only what runs.
pub(super) fn list(state: &State, query: &str) -> Value {
    let all = url::form_urlencoded::parse(query.as_bytes())
        .any(|(name, value)| name == "all" && (value == "1" || value == "true"));
    let shown = state
        .containers
        .all()
        .iter()
        .filter(|container| all || container.running);
    shown.map(|container| summary(container, state.podman)).collect()
}

fn summary(container: &Container, podman: bool) -> Value {
    let spec = &container.spec;
    json!({
        "Id": container.id.0,
        "Names": [format!("/{}", spec.name)],
        "Image": spec.image,
        "ImageID": image_id(&spec.image),
        "Command": spec.command.join(" "),
        "Created": container.created_at.as_nanos() / 1_000_000_000,
        "Ports": [],
        "Labels": spec.labels,
        "State": status(container, podman),
        "Status": status(container, podman),
        "HostConfig": { "NetworkMode": "default" },
        "NetworkSettings": { "Networks": {} },
        "Mounts": [],
    })
}

pub(super) fn inspect(container: &Container, podman: bool) -> Value {
    let spec = &container.spec;
    json!({
        "Id": container.id.0,
        "Created": container.created_at.to_string(),
        "Path": spec.entrypoint.iter().chain(&spec.command).next(),
        "Args": spec.entrypoint.iter().chain(&spec.command).skip(1).collect::<Vec<_>>(),
        "State": state(container, podman),
        "Image": image_id(&spec.image),
        "Name": format!("/{}", spec.name),
        "RestartCount": container.starts().saturating_sub(1),
        "HostConfig": {
            "LogConfig": { "Type": or(&spec.log_driver, "json-file"), "Config": {} },
            "RestartPolicy": { "Name": or(&spec.restart, "no"), "MaximumRetryCount": 0 },
            "AutoRemove": spec.auto_remove,
            "PortBindings": {},
        },
        "Config": {
            "Hostname": container.id.short(),
            "Tty": spec.tty,
            "Env": (!spec.environment.is_empty()).then_some(&spec.environment),
            "Cmd": (!spec.command.is_empty()).then_some(&spec.command),
            "Image": spec.image,
            "WorkingDir": spec.working_dir,
            "Entrypoint": (!spec.entrypoint.is_empty()).then_some(&spec.entrypoint),
            "Labels": spec.labels,
            "Healthcheck": spec.healthcheck.as_ref().map(|test| json!({ "Test": test })),
        },
        "NetworkSettings": { "Ports": {}, "Networks": networks(container) },
        "Mounts": spec.mounts.iter().map(|path| json!({ "Type": "bind", "Destination": path })).collect::<Vec<_>>(),
    })
}

fn networks(container: &Container) -> Value {
    // What does not run has no address.
    let address = container.spec.address.filter(|_| container.running);
    address.map_or_else(
        || json!({}),
        |address| json!({ "default": { "IPAddress": address.to_string(), "Aliases": [container.id.short()] } }),
    )
}

fn state(container: &Container, podman: bool) -> Value {
    let time = |time: Option<Timestamp>| time.map_or_else(|| NEVER.to_owned(), |time| time.to_string());
    let mut state = json!({
        "Status": status(container, podman),
        "Running": container.running,
        "Paused": false,
        "Restarting": false,
        "OOMKilled": container.oom_killed,
        "Dead": false,
        "Pid": if container.running { 4242 } else { 0 },
        "ExitCode": container.exit_code,
        "Error": "",
        "StartedAt": time(container.started_at),
        "FinishedAt": time(container.finished_at),
    });
    if let Some(health) = &container.health {
        state["Health"] = json!({ "Status": health, "FailingStreak": 0, "Log": [] });
    }
    state
}

fn status(container: &Container, podman: bool) -> &'static str {
    match (container.running, container.started_at, podman) {
        (true, _, _) => "running",
        (false, None, _) => "created",
        (false, Some(_), true) => "stopped",
        (false, Some(_), false) => "exited",
    }
}

fn image_id(image: &str) -> String {
    let sum = image
        .bytes()
        .fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    format!("sha256:{sum:064x}")
}

fn or<'text>(text: &'text str, default: &'text str) -> &'text str {
    if text.is_empty() { default } else { text }
}

/// The attributes of an event are the container's labels, its image and name, and the event's own.
pub(super) fn event(container: &Container, action: &str, own: &[(&str, &str)], at: Timestamp) -> Event {
    let spec = &container.spec;
    let labels: BTreeMap<&str, &str> = spec
        .labels
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    let mut attributes: Map<String, Value> = labels
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.into()))
        .collect();
    attributes.insert("image".to_owned(), spec.image.as_str().into());
    attributes.insert("name".to_owned(), spec.name.as_str().into());
    attributes.extend(
        own.iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).into())),
    );
    let json = json!({
        "status": action,
        "id": container.id.0,
        "from": spec.image,
        "Type": "container",
        "Action": action,
        "Actor": { "ID": container.id.0, "Attributes": attributes },
        "scope": "local",
        "time": at.as_nanos() / 1_000_000_000,
        "timeNano": at.as_nanos(),
    });
    Event { at, json }
}

/// A file, or all files of a folder, as a tar archive: for each a header and the content, then two empty blocks. `None` if there is none.
pub(super) fn tar(path: &str, spec: &ContainerSpec, written: &BTreeMap<String, i64>) -> Option<Vec<u8>> {
    let (above, _) = path.rsplit_once('/')?;
    let folder = format!("{path}/");
    let mut archive = Vec::new();
    for (link, target) in &spec.links {
        if link == path || link.starts_with(&folder) {
            archive.extend_from_slice(&entry(&link[above.len() + 1..], 0, 0, Some(target)));
        }
    }
    for (file, content) in &spec.files {
        if file == path || file.starts_with(&folder) {
            let name = &file[above.len() + 1..];
            archive.extend_from_slice(&entry(
                name,
                content.len(),
                written.get(file).copied().unwrap_or_default(),
                None,
            ));
            archive.extend_from_slice(content);
            archive.resize(archive.len().next_multiple_of(512), 0);
        }
    }
    let is_there = !archive.is_empty();
    archive.resize(archive.len() + 1024, 0);
    is_there.then_some(archive)
}

fn entry(name: &str, length: usize, written: i64, link: Option<&String>) -> [u8; 512] {
    let mut header = [0_u8; 512];
    let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(124, format!("{length:011o}\0").as_bytes());
    put(136, format!("{written:011o}\0").as_bytes());
    put(148, b"        0ustar\x0000");
    if let Some(target) = link {
        put(156, b"2");
        put(157, format!("{target}\0").as_bytes());
    }
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}
