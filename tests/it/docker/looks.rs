//! What is told of a container's life, and in which order.

use std::sync::Arc;
use std::time::Duration;

use migwatch::docker::{Choice, Endpoint, check};
use migwatch::model::container::{ArmedSource, ArmedState, ContainerState, Health};
use migwatch::model::observation::Observation;
use migwatch::model::service::Role;

use super::watched::{watch, watch_as};
use crate::support::fake_engine::FakeEngine;
use crate::support::fake_engine::containers::ContainerSpec;

fn armed() -> ContainerSpec {
    let environment = vec!["RUN_MIGRATIONS=true".to_owned(), "DB_PASSWORD=s3cret".to_owned()];
    ContainerSpec {
        environment,
        ..ContainerSpec::service("shop", "backend")
    }
}

#[tokio::test(start_paused = true)]
async fn what_ran_before_is_in_the_first_full_look_behind_the_word_that_the_engine_is_up() {
    let engine = FakeEngine::new();
    let id = engine.create(armed());
    engine.start(&id);
    let mut watched = watch(&engine);
    let looks = watched.full_look().await;
    assert!(
        matches!(&watched.seen[..], [Observation::EngineUp { version, .. }, Observation::FullLook(_)] if version == "20.10.24, API 1.41"),
        "{:?}",
        watched.seen
    );
    assert_eq!(
        (looks.len(), looks[0].state, looks[0].armed.state),
        (1, ContainerState::Running, ArmedState::Armed)
    );
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_container_that_the_engine_does_not_show_soon_keeps_no_full_look_waiting_and_comes_later() {
    let engine = FakeEngine::new();
    let id = engine.create(armed());
    engine.start(&id);
    engine.slow_inspect(Duration::from_secs(8));
    let mut watched = watch(&engine);
    assert_eq!(watched.full_look().await, []);
    watched.looked(&id).await;
    // For whoever concluded from the first one that it is gone.
    let looks = watched.full_look().await;
    let seen: Vec<_> = looks.iter().map(|look| &look.id).collect();
    assert_eq!(seen, [&id]);
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_life_is_told_in_order_with_the_engines_times_and_exit_code() {
    let engine = FakeEngine::new();
    let mut watched = watch(&engine);
    watched.full_look().await;
    let id = engine.create(armed());
    let created = watched.looked(&id).await;
    engine.start(&id);
    watched
        .looked_with(&id, |look| look.state == ContainerState::Running)
        .await;
    engine.kill(&id, 15);
    engine.out_of_memory(&id);
    engine.die(&id, 3);
    let dead = watched
        .looked_with(&id, |look| look.state == ContainerState::Exited)
        .await;
    assert_eq!((dead.exit_code, dead.oom_killed), (3, true));
    assert_eq!(created.state, ContainerState::Created);
    engine.remove(&id);
    watched.removed(&id).await;
    let story = watched.story(&id);
    let expected = [
        "looked created",
        "started",
        "looked running",
        "killed",
        "out of memory",
        "died 3",
        "looked exited",
        "removed",
    ];
    assert_eq!(story, expected);
    let started = watched.seen.iter().find_map(|observation| match observation {
        Observation::Started { at, .. } => Some(*at),
        _ => None,
    });
    assert!(started.unwrap() > created.created_at && started.unwrap() < dead.finished_at.unwrap());
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_changed_name_and_a_changed_health_are_looked_at() {
    let engine = FakeEngine::new();
    let id = engine.create(armed());
    engine.start(&id);
    let mut watched = watch(&engine);
    watched.full_look().await;
    engine.rename(&id, "0123456789ab_shop-backend-1");
    let renamed = watched.looked(&id).await;
    assert_eq!(renamed.name, "0123456789ab_shop-backend-1");
    engine.health(&id, "unhealthy");
    let look = watched.looked_with(&id, |look| look.health.is_some()).await;
    assert_eq!(look.health, Some(Health::Unhealthy));
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_disabled_container_and_one_without_compose_are_never_mentioned() {
    let engine = FakeEngine::new();
    let mut watched = watch(&engine);
    watched.full_look().await;
    let mut disabled = armed();
    disabled
        .labels
        .insert("migwatch.enable".to_owned(), "false".to_owned());
    let foreign = ContainerSpec {
        labels: std::collections::BTreeMap::new(),
        ..armed()
    };
    let silent = [engine.create(disabled), engine.create(foreign)];
    for id in &silent {
        engine.start(id);
    }
    let sentinel = engine.create(armed());
    engine.start(&sentinel);
    watched
        .looked_with(&sentinel, |look| look.state == ContainerState::Running)
        .await;
    for id in &silent {
        engine.die(id, 1);
        engine.remove(id);
    }
    engine.remove(&sentinel);
    watched.removed(&sentinel).await;
    for id in &silent {
        assert_eq!(watched.story(id), Vec::<String>::new());
    }
    assert!(watched.inventory.borrow().is_empty());
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_inventory_follows_each_change_and_prints_no_secret() {
    let engine = FakeEngine::new();
    let mut watched = watch(&engine);
    watched.full_look().await;
    let id = engine.create(armed());
    watched.looked(&id).await;
    let mut inventory = watched.inventory.clone();
    let held = inventory
        .wait_for(|containers| containers.iter().any(|container| container.look.id == id))
        .await
        .unwrap();
    assert_eq!(held[0].environment.get("DB_PASSWORD"), Some("s3cret"));
    assert!(!format!("{held:?}").contains("s3cret"));
    drop(held);
    engine.remove(&id);
    watched.removed(&id).await;
    inventory
        .wait_for(|containers| containers.is_empty())
        .await
        .unwrap();
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_version_is_agreed_on_with_old_and_new_engines() {
    for (from, to, agreed) in [
        (12, 41, "1.41"),
        (44, 60, "1.51"),
        (55, 60, "1.55"),
        (24, 30, "1.30"),
    ] {
        let engine = FakeEngine::new().speaks(from, to);
        engine.create(armed());
        let info = check(&Endpoint::Unix(engine.socket())).await.unwrap();
        assert_eq!((info.api.to_string().as_str(), info.containers), (agreed, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn config_that_says_a_service_migrates_makes_it_unknown_rather_than_disarmed() {
    let engine = FakeEngine::new();
    let id = engine.create(ContainerSpec::service("shop", "web"));
    let mut watched = watch_as(
        &engine,
        Duration::from_hours(1),
        Arc::new(|look| Choice {
            can_migrate: Some(true),
            ..Choice::of_labels(&look.labels)
        }),
    );
    let look = watched.looked(&id).await;
    assert_eq!(
        (look.armed.state, look.armed.source),
        (ArmedState::Unknown, ArmedSource::Image)
    );
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn containers_are_looked_at_with_their_role_and_what_they_run() {
    let engine = FakeEngine::new();
    let mut watched = watch(&engine);
    watched.full_look().await;
    let upgrade = ContainerSpec {
        command: ["sh", "-c", "alembic upgrade ${TARGET:-head}"]
            .map(str::to_owned)
            .into(),
        environment: vec!["TARGET=ae10".to_owned()],
        ..ContainerSpec::service("shop", "backend")
    };
    let labelled = |key: &str, value: &str| {
        let mut spec = upgrade.clone();
        spec.labels
            .insert(format!("com.docker.compose.{key}"), value.to_owned());
        spec
    };
    for (spec, expected) in [
        (labelled("oneoff", "True"), (Role::OneOff, Some("ae10"))),
        (labelled("hook", "pre_start"), (Role::Hook, Some("ae10"))),
        (upgrade.clone(), (Role::Replica, Some("ae10"))),
    ] {
        let id = engine.create(spec);
        let look = watched.looked(&id).await;
        let target = look.runs.as_ref().and_then(|runs| runs.target.as_deref());
        assert_eq!((look.role, target), expected);
    }
    watched.stop().await;
}
