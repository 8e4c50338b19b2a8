//! Images that hold Alembic while nothing readable says when it runs.

use migwatch::model::container::{ArmedSource, ArmedState};
use migwatch::model::log::{Saying, Stream};

use super::watched::watch;
use crate::support::fake_engine::FakeEngine;
use crate::support::fake_engine::containers::ContainerSpec;

fn holding(file: &str) -> ContainerSpec {
    ContainerSpec {
        working_dir: "/srv".to_owned(),
        files: [(file.to_owned(), b"[alembic]".to_vec())].into(),
        ..ContainerSpec::service("shop", "backend")
    }
}

#[tokio::test(start_paused = true)]
async fn an_image_that_holds_alembic_can_migrate_though_nobody_knows_when_and_is_followed() {
    for file in [
        "/srv/alembic.ini",
        "/srv/migrations/alembic.ini",
        "/app/alembic.ini",
    ] {
        let engine = FakeEngine::new();
        let id = engine.create(holding(file));
        let mut watched = watch(&engine);
        let look = watched.looked(&id).await;
        assert_eq!(
            (look.armed.state, look.armed.source),
            (ArmedState::Unknown, ArmedSource::Image),
            "{file}"
        );
        engine.start(&id);
        engine.log(&id, Stream::Stdout, "Running Alembic migrations...");
        assert_eq!(watched.line().await.saying, Saying::Running);
        watched.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_image_without_alembic_in_the_usual_places_is_disarmed_by_nothing() {
    let engine = FakeEngine::new();
    let id = engine.create(holding("/somewhere/else/alembic.ini"));
    let mut watched = watch(&engine);
    let look = watched.looked(&id).await;
    assert_eq!(
        (look.armed.state, look.armed.source),
        (ArmedState::Disarmed, ArmedSource::Nothing)
    );
    watched.stop().await;
}
