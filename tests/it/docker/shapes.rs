//! Podman's own words for the same things.

use migwatch::model::container::ContainerState;
use migwatch::model::observation::Observation;

use super::watched::watch;
use crate::support::fake_engine::FakeEngine;
use crate::support::fake_engine::containers::ContainerSpec;

#[tokio::test(start_paused = true)]
async fn a_life_under_podman_is_told_as_one_under_docker() {
    let engine = FakeEngine::new().podman();
    let mut watched = watch(&engine);
    watched.full_look().await;
    assert!(
        matches!(&watched.seen[0], Observation::EngineUp { version, .. } if version.starts_with("Podman "))
    );
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    watched.looked(&id).await;
    engine.start(&id);
    watched
        .looked_with(&id, |look| look.state == ContainerState::Running)
        .await;
    engine.health(&id, "unhealthy");
    watched.looked_with(&id, |look| look.health.is_some()).await;
    engine.die(&id, 9);
    watched
        .looked_with(&id, |look| look.state == ContainerState::Exited)
        .await;
    engine.remove(&id);
    watched.removed(&id).await;
    let story = watched.story(&id);
    assert_eq!(
        story,
        [
            "looked created",
            "started",
            "looked running",
            "looked running",
            "died 9",
            "looked exited",
            "removed"
        ]
    );
    watched.stop().await;
}
