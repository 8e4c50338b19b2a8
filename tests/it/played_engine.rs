//! The played engine is held against the real one: what it answers has the same shape, and what it loses is lost on purpose.

use std::path::Path;
use std::time::Duration;

use migwatch::model::log::Stream;
use migwatch::model::service::ContainerId;
use serde_json::Value;

use crate::support::fake_engine::FakeEngine;
use crate::support::fake_engine::containers::ContainerSpec;
use crate::support::real_container::RealContainer;

const REAL: &str = "/var/run/docker.sock";

async fn ask(socket: &Path, path: &str) -> reqwest::Response {
    // The client wants a TLS provider even where it speaks none.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder()
        .unix_socket(socket)
        .tls_certs_only([])
        .build()
        .expect("a client can be made");
    client
        .get(format!("http://docker{path}"))
        .send()
        .await
        .expect("the engine answers")
}

async fn json(socket: &Path, path: &str) -> Value {
    let text = ask(socket, path).await.text().await.expect("the answer ends");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("the answer is JSON"))
        .collect::<Vec<Value>>()
        .into()
}

/// Every path into `played` whose value is missing or of another kind in `real`.
fn unlike(played: &Value, real: &Value, path: &str) -> Vec<String> {
    match (played, real) {
        (Value::Object(played), Value::Object(real)) => {
            let parts = played.iter().map(|(key, value)| {
                unlike(
                    value,
                    real.get(key).unwrap_or(&Value::Null),
                    &format!("{path}/{key}"),
                )
            });
            parts.flatten().collect()
        }
        (Value::Array(played), Value::Array(real)) => match (played.first(), real.first()) {
            (Some(played), Some(real)) => unlike(played, real, &format!("{path}/0")),
            _ => Vec::new(),
        },
        // The engine leaves out what is empty.
        (Value::Null, _) => Vec::new(),
        (played, real) if std::mem::discriminant(played) == std::mem::discriminant(real) => Vec::new(),
        (played, real) => vec![format!("{path}: {played} where the real engine has {real}")],
    }
}

/// One container that said two lines and exited with 3, on each engine.
async fn both() -> (FakeEngine, ContainerId, RealContainer) {
    let container = RealContainer::create(&["--tmpfs", "/scratch"], "echo out; echo err >&2; exit 3").await;
    let mut events = container.events().await;
    container.start().await;
    while events.next().await != "die" {}
    let engine = FakeEngine::new();
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    engine.start(&id);
    engine.log(&id, Stream::Stdout, "out");
    engine.log(&id, Stream::Stderr, "err");
    engine.die(&id, 3);
    (engine, id, container)
}

#[tokio::test]
async fn what_the_played_engine_answers_has_the_shape_of_the_real_ones_answers() {
    let (engine, played, real) = both().await;
    let since = engine_time(&real).await;
    for (played_path, real_path) in [
        ("/v1.41/version".to_owned(), "/v1.41/version".to_owned()),
        ("/info".to_owned(), "/info".to_owned()),
        (
            "/containers/json?all=1".to_owned(),
            "/containers/json?all=1".to_owned(),
        ),
        (
            format!("/containers/{}/json", played.0),
            format!("/containers/{}/json", real.id.0),
        ),
        (
            "/events?since=0&until=9999999999&filters={\"event\":[\"die\"]}".to_owned(),
            format!(
                "/events?since={since}&until={}&filters={{\"container\":[\"{}\"],\"event\":[\"die\"]}}",
                since + 3600,
                real.id.0
            ),
        ),
    ] {
        // The engine's answer to a time in the future ends only then: the event itself is the answer.
        let real_answer = if real_path.starts_with("/events") {
            first_line(&real_path).await
        } else {
            json(Path::new(REAL), &real_path).await
        };
        let played_answer = json(&engine.socket(), &played_path).await;
        let labels = |path: &String| !path.contains("com.docker.compose");
        let unlike: Vec<String> = unlike(&played_answer, &real_answer, "")
            .into_iter()
            .filter(labels)
            .collect();
        assert_eq!(unlike, Vec::<String>::new(), "{played_path}");
    }
}

async fn engine_time(container: &RealContainer) -> i64 {
    let look = json(Path::new(REAL), &format!("/containers/{}/json", container.id.0)).await;
    let created = look
        .pointer("/0/Created")
        .and_then(Value::as_str)
        .expect("the engine tells");
    let created: migwatch::model::time::Timestamp = created.parse().expect("a time");
    created.as_nanos() / 1_000_000_000
}

async fn first_line(path: &str) -> Value {
    let mut answer = ask(Path::new(REAL), path).await;
    let mut text = Vec::new();
    while !text.contains(&b'\n') {
        text.extend(
            answer
                .chunk()
                .await
                .expect("the stream lives")
                .expect("an event comes"),
        );
    }
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Value::Array(vec![serde_json::from_slice(line).expect("an event is JSON")])
}

#[tokio::test]
async fn both_engines_give_the_same_frames_and_the_same_refusals() {
    let (engine, played, real) = both().await;
    let mut answers = Vec::new();
    for (socket, id) in [(engine.socket(), &played), (REAL.into(), &real.id)] {
        let mut answer = Vec::new();
        for (path, newest) in [
            ("logs?stdout=1&stderr=1&tail=2", true),
            ("logs", true),
            ("archive?path=/nope", true),
            ("json", false),
        ] {
            let version = if newest { "1.41" } else { "1.99" };
            let response = ask(&socket, &format!("/v{version}/containers/{}/{path}", id.0)).await;
            let status = response.status();
            let mut body = response.bytes().await.expect("the answer ends").to_vec();
            if status.is_success() {
                // stdout and stderr come in either order.
                body.sort_unstable();
            }
            let text = String::from_utf8_lossy(&body).replace(id.0.as_str(), "ID");
            answer.push((status, text.trim().to_owned()));
        }
        answers.push(answer);
    }
    assert_eq!(answers.first(), answers.last());
}

#[tokio::test(start_paused = true)]
async fn what_the_played_engine_loses_is_lost_on_purpose() {
    let engine = FakeEngine::new();
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    let mut listening = ask(&engine.socket(), "/events").await;
    engine.lose_next_events(1);
    engine.start(&id);
    engine.health(&id, "healthy");
    let mut heard = Vec::new();
    heard.extend(listening.chunk().await.expect("the stream lives"));
    engine.cut_events();
    assert!(listening.chunk().await.is_err(), "a cut is no good end");
    let heard = String::from_utf8_lossy(heard.first().expect("one event was heard")).into_owned();
    assert!(
        heard.contains("health_status: healthy") && !heard.contains("start\""),
        "{heard}"
    );

    // The lost event is still remembered, until the engine restarts.
    let since = "/events?since=1&until=9999999999";
    let actions = actions(&json(&engine.socket(), since).await);
    assert_eq!(actions, ["create", "start", "health_status: healthy"]);
    engine.down();
    engine.up();
    assert_eq!(json(&engine.socket(), since).await, Value::Array(Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn every_event_of_a_containers_life_can_be_played() {
    let life = |engine: &FakeEngine| {
        let id = engine.create(ContainerSpec::service("shop", "backend"));
        engine.start(&id);
        engine.event(&id, "exec_create: alembic upgrade head", &[("execID", "1")]);
        engine.rename(&id, "old_shop-backend-1");
        engine.health(&id, "unhealthy");
        engine.out_of_memory(&id);
        engine.kill(&id, 15);
        engine.die(&id, 137);
        engine.remove(&id);
    };
    let (docker, podman) = (FakeEngine::new(), FakeEngine::new().podman());
    life(&docker);
    life(&podman);
    let all = "/events?since=0&until=9999999999";
    let docker = json(&docker.socket(), all).await;
    let podman = json(&podman.socket(), all).await;
    let exec = "exec_create: alembic upgrade head";
    let expected = [
        "create",
        "start",
        exec,
        "rename",
        "health_status: unhealthy",
        "oom",
        "kill",
        "die",
        "destroy",
    ];
    assert_eq!(actions(&docker), expected);
    let expected = [
        "create",
        "start",
        exec,
        "rename",
        "health_status",
        "oom",
        "kill",
        "die",
        "remove",
    ];
    assert_eq!(actions(&podman), expected);
    let code = |events: &Value, name: &str| events.pointer(&format!("/7/Actor/Attributes/{name}")).cloned();
    assert_eq!(code(&docker, "exitCode"), Some("137".into()));
    assert_eq!(code(&podman, "containerExitCode"), Some("137".into()));
}

#[tokio::test(start_paused = true)]
async fn a_played_inspect_takes_as_long_as_the_test_says_and_files_come_as_archives() {
    let engine = FakeEngine::new();
    let spec = ContainerSpec::service("shop", "backend");
    let files = [("/app/alembic.ini".to_owned(), b"[alembic]\n".to_vec())].into();
    let id = engine.create(ContainerSpec { files, ..spec });
    engine.slow_inspect(Duration::from_secs(90));
    let began = tokio::time::Instant::now();
    json(&engine.socket(), &format!("/containers/{}/json", id.0)).await;
    assert!(began.elapsed() >= Duration::from_secs(90));
    let archive = ask(
        &engine.socket(),
        &format!("/containers/{}/archive?path=/app/alembic.ini", id.0),
    )
    .await;
    let archive = archive.bytes().await.expect("the answer ends");
    assert!(archive.starts_with(b"alembic.ini\0") && archive.get(512..522) == Some(b"[alembic]\n"));
}

fn actions(events: &Value) -> Vec<String> {
    let action = |event: &Value| event.get("Action").and_then(Value::as_str).map(str::to_owned);
    events
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(action)
        .collect()
}
