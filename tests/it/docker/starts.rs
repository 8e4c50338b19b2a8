//! Which logs are followed, and how soon.

use std::collections::BTreeMap;
use std::time::Duration;

use migwatch::model::container::ContainerState;
use migwatch::model::log::{Saying, Stream};
use migwatch::model::observation::{LogStatus, Observation};
use migwatch::model::service::ContainerId;

use super::watched::{Watched, watch};
use crate::support::fake_engine::FakeEngine;
use crate::support::fake_engine::containers::ContainerSpec;

fn migrating() -> ContainerSpec {
    ContainerSpec {
        environment: vec!["RUN_MIGRATIONS=true".to_owned()],
        ..ContainerSpec::service("shop", "backend")
    }
}

async fn not_followed(watched: &mut Watched, id: &ContainerId) -> String {
    let reason = |observation: &Observation| match observation {
        Observation::LogStatus {
            container,
            status: LogStatus::NotFollowed { reason },
        } if container == id => Some(reason.clone()),
        _ => None,
    };
    watched
        .until("the word that the log is not followed", reason)
        .await
}

#[tokio::test(start_paused = true)]
async fn a_log_is_opened_on_start_without_waiting_for_a_slow_look() {
    let engine = FakeEngine::new();
    let mut watched = watch(&engine);
    watched.full_look().await;
    let id = engine.create(migrating());
    watched.looked(&id).await;
    engine.slow_inspect(Duration::from_secs(10));
    engine.start(&id);
    engine.log(&id, Stream::Stdout, "Running Alembic migrations...");
    assert_eq!(watched.line().await.saying, Saying::Running);
    assert_eq!(watched.story(&id), ["looked created", "started"]);
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn every_start_of_a_restart_loop_is_read_and_a_line_that_comes_again_is_the_same_line() {
    let engine = FakeEngine::new();
    let mut watched = watch(&engine);
    watched.full_look().await;
    let id = engine.create(ContainerSpec {
        restart: "always".to_owned(),
        ..migrating()
    });
    watched.looked(&id).await;
    let mut revisions = BTreeMap::new();
    for round in 0..5 {
        engine.start(&id);
        engine.log(
            &id,
            Stream::Stderr,
            &format!("INFO  [alembic] Running upgrade  -> 00000{round}, title"),
        );
        engine.die(&id, 1);
        while revisions.len() <= round {
            let line = watched.line().await;
            if let Saying::Step(step) = line.saying {
                revisions.insert(line.key, step.to[0].0.clone());
            }
        }
    }
    let revisions: Vec<&str> = revisions.values().map(String::as_str).collect();
    assert_eq!(revisions, ["000000", "000001", "000002", "000003", "000004"]);
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_ended_before_it_was_ever_seen_is_read_too() {
    let engine = FakeEngine::new();
    let id = engine.create(migrating());
    engine.start(&id);
    engine.log(
        &id,
        Stream::Stdout,
        "Skipping Alembic migrations (RUN_MIGRATIONS=false)",
    );
    engine.die(&id, 0);
    let mut watched = watch(&engine);
    assert_eq!(watched.line().await.saying, Saying::Skipped);
    let ended = |observation: &Observation| {
        matches!(
            observation,
            Observation::LogStatus {
                status: LogStatus::Ended,
                ..
            }
        )
        .then_some(())
    };
    watched.until("the end of its log", ended).await;
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_start_that_no_event_told_is_followed_after_the_next_look() {
    let engine = FakeEngine::new();
    let id = engine.create(migrating());
    let mut watched = watch(&engine);
    watched.full_look().await;
    engine.lose_next_events(1);
    engine.start(&id);
    engine.log(&id, Stream::Stdout, "Running Alembic migrations...");
    engine.cut_events();
    assert_eq!(watched.line().await.saying, Saying::Running);
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_log_is_left_alone_by_choice_or_when_nothing_says_that_it_migrates() {
    let engine = FakeEngine::new();
    let mut chosen = migrating();
    chosen
        .labels
        .insert("migwatch.logs".to_owned(), "never".to_owned());
    let chosen = engine.create(chosen);
    let mut watched = watch(&engine);
    assert!(not_followed(&mut watched, &chosen).await.contains("by choice"));
    let web = engine.create(ContainerSpec::service("shop", "web"));
    assert!(not_followed(&mut watched, &web).await.contains("nothing says"));
    for id in [&chosen, &web] {
        engine.start(id);
        watched
            .looked_with(id, |look| look.state == ContainerState::Running)
            .await;
        assert!(engine.log_requests(id).borrow().is_empty());
    }
    watched.stop().await;
}
