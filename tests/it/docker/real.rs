//! The same on the host's own engine: containers of a project of the test's own, removed by ID.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use migwatch::docker::endpoint::Variables;
use migwatch::docker::{Choice, Endpoint, check};
use migwatch::model::container::{ArmedState, ContainerState, RestartPolicy};
use migwatch::model::log::Saying;
use migwatch::model::observation::Observation;
use migwatch::model::time::{Clock, Timestamp};

use super::watched::{Watched, watch_at};
use crate::support::real_container::RealContainer;

/// The engine tells its own time; this is only asked where it does not.
struct Never;

impl Clock for Never {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }
}

fn endpoint() -> Endpoint {
    Endpoint::choose(&Variables::default()).expect("the local socket needs no values")
}

/// Watches only the project `name`; other tests share the engine.
pub(super) fn watch(name: &str) -> Watched {
    let name = name.to_owned();
    watch_at(
        endpoint(),
        Duration::from_hours(1),
        Arc::new(Never),
        Arc::new(move |look| Choice {
            enabled: look.service.project == name,
            ..Choice::of_labels(&look.labels)
        }),
    )
}

pub(super) fn project(test: &str) -> String {
    format!("migwatch-it-{test}-{}", std::process::id())
}

pub(super) fn labels(project: &str) -> [String; 2] {
    [
        format!("com.docker.compose.project={project}"),
        "com.docker.compose.service=app".to_owned(),
    ]
}

#[tokio::test]
async fn the_host_engine_answers_a_check_with_its_version() {
    let info = check(&endpoint()).await.unwrap();
    assert!(info.api.minor >= 41 && !info.version.is_empty(), "{info:?}");
    assert!(info.socket_group.is_some());
}

#[tokio::test]
async fn a_short_life_on_the_real_engine_is_told_in_order_with_its_exit_code_and_all_its_lines() {
    let project = project("life");
    let mut watched = watch(&project);
    watched.full_look().await;
    let [one, two] = labels(&project);
    let options = ["--label", &one, "--label", &two, "--env", "RUN_MIGRATIONS=true"];
    let script = "if [ \"$RUN_MIGRATIONS\" = true ]; then echo 'Running Alembic migrations...'; alembic upgrade head; fi; exit 3";
    let container = RealContainer::create(&options, script).await;
    let id = container.id.clone();
    assert_eq!(watched.looked(&id).await.armed.state, ArmedState::Armed);
    container.start().await;
    assert_eq!(watched.line().await.saying, Saying::Running);
    let dead = watched
        .looked_with(&id, |look| look.state == ContainerState::Exited)
        .await;
    assert_eq!(dead.exit_code, 3);
    drop(container);
    watched.removed(&id).await;
    let story = watched.story(&id);
    let at = |told: &str| story.iter().position(|entry| entry == told);
    let order = [
        at("looked created"),
        at("started"),
        at("died 3"),
        at("looked exited"),
        at("removed"),
    ];
    assert!(
        order.iter().all(Option::is_some) && order.is_sorted(),
        "{story:?}"
    );
    watched.stop().await;
}

#[tokio::test]
async fn a_restart_loop_on_the_real_engine_is_told_with_its_count_and_every_line() {
    let project = project("loop");
    let mut watched = watch(&project);
    watched.full_look().await;
    let [one, two] = labels(&project);
    let options = [
        "--label",
        &one,
        "--label",
        &two,
        "--env",
        "RUN_MIGRATIONS=true",
        "--restart",
        "always",
    ];
    let container = RealContainer::create(&options, "echo 'Running Alembic migrations...'; exit 1").await;
    let id = container.id.clone();
    container.start().await;
    // A line near the end of a start comes again with the next one, as the same line.
    let mut lines = BTreeSet::new();
    while lines.len() < 3 {
        lines.insert(watched.line().await.key);
    }
    let look = watched.looked_with(&id, |look| look.restart_count >= 2).await;
    assert_eq!(look.restart_policy, RestartPolicy::Always);
    assert!(
        watched
            .seen
            .iter()
            .filter(|seen| matches!(seen, Observation::Died { exit_code: 1, .. }))
            .count()
            >= 2
    );
    drop(container);
    watched.removed(&id).await;
    watched.stop().await;
}

#[tokio::test]
async fn the_inventory_has_the_address_and_the_published_port_of_a_running_container() {
    let project = project("address");
    let [one, two] = labels(&project);
    let options = ["--label", &one, "--label", &two, "--publish", "127.0.0.1::80"];
    let container = RealContainer::create(&options, "sleep 600").await;
    container.start().await;
    let mut watched = watch(&project);
    watched.looked(&container.id).await;
    let mut inventory = watched.inventory.clone();
    let held = inventory
        .wait_for(|containers| !containers.is_empty())
        .await
        .unwrap()
        .clone();
    assert_eq!(held[0].look.id, container.id);
    assert!(
        held[0]
            .networks
            .iter()
            .any(|address| address.network == "bridge" && address.ip.is_ipv4()),
        "{held:?}"
    );
    let port = &held[0].published[0];
    assert!(
        port.container_port == 80 && port.host_port > 0 && port.host_ip.is_loopback(),
        "{port:?}"
    );
    watched.stop().await;
}
