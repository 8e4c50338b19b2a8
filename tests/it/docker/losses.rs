//! Events that are lost, streams that end, engines that go away.

use std::sync::Arc;
use std::time::Duration;

use migwatch::docker::Choice;
use migwatch::model::container::ContainerState;
use migwatch::model::observation::Observation;

use super::watched::{watch, watch_as};
use crate::support::fake_engine::FakeEngine;
use crate::support::fake_engine::containers::ContainerSpec;

fn downs(seen: &[Observation]) -> usize {
    seen.iter()
        .filter(|observation| matches!(observation, Observation::EngineDown { .. }))
        .count()
}

#[tokio::test(start_paused = true)]
async fn a_cut_event_stream_is_followed_by_a_full_look_that_finds_what_was_lost_and_is_no_outage() {
    let engine = FakeEngine::new();
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    engine.start(&id);
    let mut watched = watch(&engine);
    watched.full_look().await;
    engine.lose_next_events(1);
    engine.die(&id, 7);
    engine.cut_events();
    let look = watched
        .looked_with(&id, |look| look.state == ContainerState::Exited)
        .await;
    assert_eq!((look.exit_code, downs(&watched.seen)), (7, 0));
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_event_that_a_new_subscription_delivers_again_is_told_once() {
    let engine = FakeEngine::new();
    let mut watched = watch(&engine);
    watched.full_look().await;
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    engine.start(&id);
    watched
        .looked_with(&id, |look| look.state == ContainerState::Running)
        .await;
    for _ in 0..2 {
        engine.cut_events();
        watched.full_look().await;
    }
    engine.remove(&id);
    watched.removed(&id).await;
    assert_eq!(
        watched
            .story(&id)
            .iter()
            .filter(|told| *told == "started")
            .count(),
        1,
        "{:?}",
        watched.story(&id)
    );
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn lost_events_are_made_good_by_the_next_full_look_of_the_timer() {
    let engine = FakeEngine::new();
    let gone = engine.create(ContainerSpec::service("shop", "gone"));
    let mut watched = watch_as(
        &engine,
        Duration::from_mins(1),
        Arc::new(|look| Choice::of_labels(&look.labels)),
    );
    watched.full_look().await;
    engine.lose_next_events(2);
    engine.remove(&gone);
    let born = engine.create(ContainerSpec::service("shop", "born"));
    let looks = watched.full_look().await;
    assert_eq!(looks.iter().map(|look| &look.id).collect::<Vec<_>>(), [&born]);
    assert_eq!(watched.inventory.borrow().len(), 1);
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_away_is_told_once_with_what_to_do_and_comes_back_by_itself() {
    let engine = FakeEngine::new();
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    engine.down();
    let mut watched = watch(&engine);
    let down = |observation: &Observation| match observation {
        Observation::EngineDown { reason, .. } => Some(reason.clone()),
        _ => None,
    };
    let reason = watched.until("the engine's absence", down).await;
    assert!(
        reason.contains("socket") && reason.contains("DOCKER_HOST"),
        "{reason}"
    );
    for _ in 0..50 {
        tokio::time::advance(Duration::from_secs(15)).await;
        tokio::task::yield_now().await;
    }
    engine.up();
    assert_eq!(watched.full_look().await[0].id, id);
    assert_eq!(downs(&watched.seen), 1);
    engine.down();
    watched.until("the second absence", down).await;
    engine.up();
    watched
        .until("its return", |observation| {
            matches!(observation, Observation::EngineUp { .. }).then_some(())
        })
        .await;
    watched.full_look().await;
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_edge_ends_when_told_to_while_the_engine_is_away() {
    let engine = FakeEngine::new();
    engine.down();
    let mut watched = watch(&engine);
    watched
        .until("the absence", |observation| {
            matches!(observation, Observation::EngineDown { .. }).then_some(())
        })
        .await;
    watched.stop().await;
}
