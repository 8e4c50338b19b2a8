//! The engine's JSON of one container → what is observed of it.
//!
//! Promises to take what Docker and Podman leave out or write differently as it comes: only a missing identity or creation time makes a
//! container unreadable, by name. Refuses to ask the engine anything.

mod code;
mod network;

use serde_json::Value;

use super::environment::Environment;
use super::execs::Fingerprint;
use super::inventory::{Container, Follow};
use super::labels::{self, Labels};
use super::switch;
use crate::command::{self, Reading};
use crate::model::container::{ContainerLook, ContainerState, Health, RestartPolicy};
use crate::model::exec::MigrationCommand;
use crate::model::service::ContainerId;
use crate::model::time::Timestamp;

pub(super) use code::{CONFIGS, is_config, working_dir};

/// One container as inspected, with what only the edge needs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Inspected {
    /// For the inventory; whether it is followed is not decided yet.
    pub(super) container: Container,
    /// Of its health check, which the engine runs as an exec like any other.
    pub(super) health_check: Option<Fingerprint>,
    /// The signal that asks it to stop, where it is not the usual one.
    pub(super) stop_signal: Option<String>,
}

/// An answer that shows no container.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    /// A field without which nothing can be said.
    #[error("the engine's answer about the container has no readable {0}")]
    Field(&'static str),
}

/// The container that `json` shows; `None` if compose did not make it.
pub(super) fn container(json: &Value) -> Result<Option<Inspected>, Unreadable> {
    let labels = labels_of(json);
    let Some(service) = labels::service(&labels) else {
        return Ok(None);
    };
    let id = text(json, "/Id")
        .filter(|id| !id.is_empty())
        .ok_or(Unreadable::Field("Id"))?;
    let name = text(json, "/Name")
        .unwrap_or_default()
        .trim_start_matches('/')
        .to_owned();
    let environment = Environment::of(texts(json, "/Config/Env").iter().map(String::as_str));
    let command = [argv(json, "/Config/Entrypoint"), argv(json, "/Config/Cmd")].concat();
    let variables = |name: &str| environment.get(name).map(str::to_owned);
    let armed = switch::armed(&command, &variables);
    let role = labels::role(&labels, &name);
    let look = ContainerLook {
        id: ContainerId(id.to_owned()),
        role,
        name,
        service,
        number: labels::number(&labels),
        image: text(json, "/Config/Image")
            .or_else(|| text(json, "/ImageName"))
            .unwrap_or_default()
            .to_owned(),
        created_at: time(json, "/Created").ok_or(Unreadable::Field("Created"))?,
        state: state(json).ok_or(Unreadable::Field("State.Status"))?,
        started_at: time(json, "/State/StartedAt"),
        finished_at: time(json, "/State/FinishedAt"),
        exit_code: number(json, "/State/ExitCode").unwrap_or_default(),
        oom_killed: flag(json, "/State/OOMKilled"),
        restart_count: number(json, "/RestartCount").unwrap_or_default(),
        restart_policy: restart_policy(text(json, "/HostConfig/RestartPolicy/Name").unwrap_or_default()),
        health: health(json),
        tty: flag(json, "/Config/Tty"),
        armed,
        runs: runs(&command, &variables),
        labels: labels::watch_labels(&labels),
    };
    let code = code::place(json, &look, &command, &variables);
    let container = Container {
        look,
        environment,
        networks: network::networks(json),
        host_network: text(json, "/HostConfig/NetworkMode") == Some("host"),
        published: network::published(json),
        exposed_ports: network::exposed(json),
        healthcheck: Some(texts(json, "/Config/Healthcheck/Test")).filter(|test| !test.is_empty()),
        code,
        follow: Follow::No {
            reason: "not decided yet".to_owned(),
        },
    };
    let test = container.healthcheck.as_deref().unwrap_or_default();
    Ok(Some(Inspected {
        health_check: Fingerprint::of_health_check(test, &texts(json, "/Config/Shell")),
        stop_signal: text(json, "/Config/StopSignal").map(str::to_owned),
        container,
    }))
}

/// What the command of a container does to a schema.
fn runs(command: &[String], variables: &dyn Fn(&str) -> Option<String>) -> Option<MigrationCommand> {
    match command::of_argv(command, variables) {
        Reading::Migrates(command) => Some(command),
        Reading::Perhaps | Reading::Harmless => None,
    }
}

/// Of the engine's list: the containers that compose made.
pub(super) fn listed(list: &Value) -> Vec<ContainerId> {
    let entries = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let ours = entries
        .iter()
        .filter(|entry| labels::service(&pairs(entry.get("Labels"))).is_some());
    ours.filter_map(|entry| entry.get("Id")?.as_str())
        .map(|id| ContainerId(id.to_owned()))
        .collect()
}

fn labels_of(json: &Value) -> Labels {
    pairs(json.pointer("/Config/Labels"))
}

fn pairs(object: Option<&Value>) -> Labels {
    let pairs = object.and_then(Value::as_object).into_iter().flatten();
    pairs
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn text<'a>(json: &'a Value, pointer: &str) -> Option<&'a str> {
    json.pointer(pointer)?.as_str()
}

fn texts(json: &Value, pointer: &str) -> Vec<String> {
    let list = json
        .pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Older Podman writes the entrypoint as one text.
fn argv(json: &Value, pointer: &str) -> Vec<String> {
    match text(json, pointer) {
        Some(line) => line.split_whitespace().map(str::to_owned).collect(),
        None => texts(json, pointer),
    }
}

fn flag(json: &Value, pointer: &str) -> bool {
    json.pointer(pointer).and_then(Value::as_bool).unwrap_or_default()
}

fn number<N: TryFrom<i64>>(json: &Value, pointer: &str) -> Option<N> {
    N::try_from(json.pointer(pointer)?.as_i64()?).ok()
}

/// The engine's zero time (year 1) and anything before the epoch mean never.
fn time(json: &Value, pointer: &str) -> Option<Timestamp> {
    let time = json.pointer(pointer)?;
    let time = match time.as_i64() {
        Some(seconds) => Timestamp::from_seconds(seconds),
        None => time.as_str()?.parse().ok()?,
    };
    Some(time).filter(|time| *time > Timestamp::default())
}

fn state(json: &Value) -> Option<ContainerState> {
    if flag(json, "/State/Restarting") {
        return Some(ContainerState::Restarting);
    }
    Some(match text(json, "/State/Status")? {
        "created" | "configured" | "initialized" => ContainerState::Created,
        "running" | "stopping" => ContainerState::Running,
        "paused" => ContainerState::Paused,
        "restarting" => ContainerState::Restarting,
        "exited" | "stopped" => ContainerState::Exited,
        "dead" => ContainerState::Dead,
        "removing" => ContainerState::Removing,
        _ => return None,
    })
}

/// `None` without a health check; Docker says `none` and Podman an empty text then.
fn health(json: &Value) -> Option<Health> {
    let status = text(json, "/State/Health/Status").or_else(|| text(json, "/State/Healthcheck/Status"))?;
    match status {
        "starting" => Some(Health::Starting),
        "healthy" => Some(Health::Healthy),
        "unhealthy" => Some(Health::Unhealthy),
        _ => None,
    }
}

fn restart_policy(name: &str) -> RestartPolicy {
    match name {
        "always" => RestartPolicy::Always,
        "on-failure" => RestartPolicy::OnFailure,
        "unless-stopped" => RestartPolicy::UnlessStopped,
        _ => RestartPolicy::No,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use serde_json::{Value, json};

    use super::*;
    use crate::model::container::ArmedState;
    use crate::model::service::{Role, ServiceId};

    fn read(text: &str) -> Inspected {
        container(&serde_json::from_str(text).unwrap()).unwrap().unwrap()
    }

    const COMPOSE_2: &str = include_str!("../../tests/fixtures/inspect/compose2.json");

    #[test]
    fn a_container_of_compose_2_is_read_whole() {
        let read = read(COMPOSE_2);
        let Container {
            look,
            environment,
            networks,
            published,
            exposed_ports,
            healthcheck,
            code,
            ..
        } = read.container;
        assert_eq!(look.service, ServiceId::new("coe", "backend"));
        assert_eq!(
            (look.name.as_str(), look.role, look.number),
            ("coe-backend-1", Role::Replica, Some(1))
        );
        assert_eq!(
            (look.state, look.health),
            (ContainerState::Running, Some(Health::Healthy))
        );
        assert_eq!(
            look.started_at.unwrap().to_string(),
            "2026-11-23T09:31:06.123456789Z"
        );
        assert_eq!(
            (look.finished_at, look.exit_code, look.restart_count),
            (None, 0, 2)
        );
        assert_eq!(
            (look.restart_policy, look.tty),
            (RestartPolicy::UnlessStopped, true)
        );
        assert_eq!(look.armed.state, ArmedState::Disarmed);
        assert_eq!(environment.get("DB_PASSWORD"), Some("s3cret"));
        assert_eq!(
            (networks[0].network.as_str(), networks[0].ip),
            ("coe_default", IpAddr::from([172, 18, 0, 3]))
        );
        assert_eq!(networks[0].aliases, ["coe-backend-1", "backend"]);
        assert_eq!(
            (published[0].container_port, published[0].host_port),
            (8000, 8001)
        );
        assert_eq!(exposed_ports, [8000]);
        assert_eq!(healthcheck.unwrap()[0], "CMD-SHELL");
        assert_eq!(
            (code.image_id.as_str(), code.working_dir.as_str()),
            ("sha256:1234", "/app")
        );
    }

    #[test]
    fn code_is_looked_for_where_the_command_goes_unless_labels_say_where_it_lies() {
        for (labels, expected) in [
            ("{}", ("/app/backend", Some("rag"), None)),
            (
                r#"{"migwatch.alembic.dir": "dbmig"}"#,
                ("/app", None, Some("dbmig")),
            ),
        ] {
            let mut json: Value =
                serde_json::from_str(include_str!("../../tests/fixtures/inspect/compose1_oneoff.json"))
                    .unwrap();
            let own: Value = serde_json::from_str(labels).unwrap();
            let config = json["Config"].as_object_mut().unwrap();
            config["Labels"]
                .as_object_mut()
                .unwrap()
                .extend(own.as_object().unwrap().clone());
            config["WorkingDir"] = "/app".into();
            config["Entrypoint"] = Value::Null;
            config["Cmd"] = serde_json::json!(["sh", "-c", "cd backend && alembic -n rag upgrade head"]);
            let code = container(&json).unwrap().unwrap().container.code;
            let named = code.configs.values().next().map(String::as_str);
            assert_eq!(
                (code.working_dir.as_str(), code.section.as_deref(), named),
                expected
            );
        }
    }

    #[test]
    fn a_one_off_of_compose_1_has_no_number_and_an_exit() {
        let read = read(include_str!("../../tests/fixtures/inspect/compose1_oneoff.json"));
        let look = read.container.look;
        assert_eq!(
            (look.role, look.number, look.exit_code),
            (Role::OneOff, None, 255)
        );
        assert_eq!(
            (look.state, look.armed.state),
            (ContainerState::Exited, ArmedState::Armed)
        );
        assert!(look.finished_at.is_some() && look.oom_killed && look.health.is_none());
        let runs = look.runs.unwrap();
        assert_eq!(
            (runs.text.as_str(), runs.target.as_deref()),
            ("alembic upgrade head", Some("head"))
        );
    }

    #[test]
    fn a_container_of_podman_compose_is_read_in_podmans_own_shapes() {
        let read = read(include_str!("../../tests/fixtures/inspect/podman.json"));
        let look = read.container.look;
        assert_eq!(look.service, ServiceId::new("coe", "rag"));
        assert_eq!((look.state, look.role), (ContainerState::Exited, Role::OneOff));
        assert_eq!(look.armed.state, ArmedState::Armed);
        assert_eq!(look.health, None);
    }

    #[test]
    fn a_container_that_compose_did_not_make_is_left_alone() {
        assert_eq!(
            container(&json!({"Id": "1", "Config": {"Labels": null}})),
            Ok(None)
        );
        assert_eq!(container(&Value::Null), Ok(None));
    }

    /// Every path to a value in `json`.
    fn paths(json: &Value, at: &str, into: &mut Vec<String>) {
        into.push(at.to_owned());
        for (key, value) in json.as_object().into_iter().flatten() {
            paths(
                value,
                &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")),
                into,
            );
        }
    }

    #[test]
    fn any_field_may_be_missing_or_of_another_type_and_only_the_needed_ones_are_missed() {
        let whole: Value = serde_json::from_str(COMPOSE_2).unwrap();
        let mut all = Vec::new();
        paths(&whole, "", &mut all);
        assert!(all.len() > 50);
        for path in all.iter().filter(|path| !path.is_empty()) {
            for other in [Value::Null, json!(-1), json!("x"), json!([7]), json!({"a": 1})] {
                let mut changed = whole.clone();
                *changed.pointer_mut(path).unwrap() = other.clone();
                let needed = ["/Id", "/Created", "/State", "/State/Status"].contains(&path.as_str());
                let labels = path.starts_with("/Config/Labels") || path == "/Config";
                let read = container(&changed);
                assert!(
                    needed || labels || matches!(read, Ok(Some(_))),
                    "{path} = {other}: {read:?}"
                );
            }
        }
    }

    #[test]
    fn the_list_is_narrowed_to_what_compose_made() {
        let labels = json!({"com.docker.compose.project": "p", "com.docker.compose.service": "s"});
        let list =
            json!([{"Id": "a", "Labels": labels}, {"Id": "b", "Labels": {}}, {"Id": 3, "Labels": labels}, 7]);
        assert_eq!(listed(&list), [ContainerId("a".to_owned())]);
        assert_eq!(listed(&json!({"message": "no"})), []);
    }
}
