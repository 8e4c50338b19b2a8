//! The code in containers is read by the engine's archives: once an image, again where it may have changed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use migwatch::docker::{Again, CodeReader, Container, Endpoint, Found};
use migwatch::model::observation::Observation;
use migwatch::model::service::{ContainerId, ServiceId};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

mod places;

use super::watched::{self, Watched};
use crate::support::fake_engine::FakeEngine;
use crate::support::fake_engine::containers::ContainerSpec;

/// A busy machine is no failure.
const PATIENCE: Duration = Duration::from_mins(2);

fn revision(name: &str, down: &str) -> String {
    format!(
        "revision = '{name}'\ndown_revision = {down}\n\n\ndef upgrade():\n    pass\n\n\ndef downgrade():\n    pass\n"
    )
}

/// A container whose image has Alembic in `/srv`, with one revision.
fn application(service: &str) -> ContainerSpec {
    let files: [(&str, String); 4] = [
        (
            "/srv/alembic.ini",
            "[alembic]\nscript_location = %(here)s/dbmig\n".to_owned(),
        ),
        (
            "/srv/dbmig/env.py",
            "context.configure(version_table='alembic_version_shop')\n".to_owned(),
        ),
        ("/srv/dbmig/versions/a1_first.py", revision("a1", "None")),
        ("/srv/dbmig/versions/notes.txt", "nothing".to_owned()),
    ];
    ContainerSpec {
        working_dir: "/srv".to_owned(),
        files: files
            .map(|(path, text)| (path.to_owned(), text.into_bytes()))
            .into(),
        command: vec!["alembic".to_owned(), "upgrade".to_owned(), "head".to_owned()],
        ..ContainerSpec::service("shop", service)
    }
}

struct Reading {
    _watched: Watched,
    told: mpsc::Receiver<Observation>,
    hurry: mpsc::Sender<Again>,
    stop: CancellationToken,
    _reader: JoinSet<()>,
}

impl Reading {
    fn of(engine: &FakeEngine) -> Self {
        let watched = watched::watch(engine);
        let inventory = watched.inventory.clone();
        Self::of_what_is_shown(engine, watched, inventory)
    }

    fn of_what_is_shown(
        engine: &FakeEngine,
        watched: Watched,
        inventory: watch::Receiver<Arc<Vec<Container>>>,
    ) -> Self {
        let (inbox, told) = mpsc::channel(64);
        let (hurry, hurried) = mpsc::channel(16);
        let stop = CancellationToken::new();
        let mut reader = JoinSet::new();
        let endpoint = Endpoint::Unix(engine.socket());
        reader.spawn(CodeReader::new(endpoint, inventory, hurried, inbox).run(stop.clone()));
        Self {
            _watched: watched,
            told,
            hurry,
            stop,
            _reader: reader,
        }
    }

    async fn ask(&self, service: &str) -> Result<Found, String> {
        let (answer, answered) = oneshot::channel();
        let again = Again::Asked(ServiceId::new("shop", service), answer);
        self.hurry.send(again).await.expect("it listens");
        let answered = tokio::time::timeout(PATIENCE, answered).await;
        answered.expect("it answers in time").expect("it answers")
    }

    /// The next code that is told: of which container, and its revisions.
    async fn next(&mut self) -> (ContainerId, Vec<String>) {
        let told = tokio::time::timeout(PATIENCE, self.told.recv()).await;
        let Ok(Some(Observation::Code {
            container,
            environments,
        })) = told
        else {
            panic!("code is told, not {told:?}");
        };
        let scripts = environments.values().flat_map(|code| &code.scripts);
        (
            container,
            scripts.map(|script| script.revision.0.clone()).collect(),
        )
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A container that was started.
fn running(engine: &FakeEngine, spec: ContainerSpec) -> ContainerId {
    let id = engine.create(spec);
    engine.start(&id);
    id
}

fn asked(engine: &FakeEngine, path: &str) -> usize {
    engine
        .archives()
        .iter()
        .filter(|(_, asked)| asked == path)
        .count()
}

#[tokio::test]
async fn containers_of_one_image_are_read_once_and_each_is_told() {
    let engine = FakeEngine::new();
    let mut ids: BTreeMap<ContainerId, usize> = BTreeMap::new();
    for number in 0..50 {
        ids.insert(running(&engine, application(&format!("service-{number}"))), 0);
    }
    let mut reading = Reading::of(&engine);
    for _ in 0..ids.len() {
        let (container, revisions) = reading.next().await;
        assert_eq!(revisions, ["a1"]);
        *ids.get_mut(&container).expect("it is one of them") += 1;
    }
    assert!(ids.values().all(|times| *times == 1), "{ids:?}");
    assert_eq!(
        asked(&engine, "/srv/dbmig"),
        1,
        "fifty services of one image are one reading"
    );
}

#[tokio::test]
async fn what_is_mounted_is_read_again_at_each_start_and_only_what_changed_is_told() {
    let engine = FakeEngine::new();
    let spec = ContainerSpec {
        mounts: vec!["/srv/dbmig/versions".to_owned()],
        ..application("backend")
    };
    let id = running(&engine, spec);
    let other = running(&engine, application("other"));
    let mut reading = Reading::of(&engine);
    let mut first = [reading.next().await.0, reading.next().await.0];
    first.sort();
    let mut both = [id.clone(), other];
    both.sort();
    assert_eq!(first, both);
    let before = asked(&engine, "/srv/dbmig");
    engine.write(&id, "/srv/dbmig/versions/b2_next.py", &revision("b2", "'a1'"));
    engine.die(&id, 0);
    engine.start(&id);
    assert_eq!(reading.next().await, (id, vec!["a1".to_owned(), "b2".to_owned()]));
    assert!(asked(&engine, "/srv/dbmig") > before);
}

#[tokio::test]
async fn a_container_whose_files_somebody_changed_is_read_by_itself_once_its_database_is_a_puzzle() {
    let engine = FakeEngine::new();
    let id = running(&engine, application("backend"));
    let mut reading = Reading::of(&engine);
    assert_eq!(reading.next().await.1, ["a1"]);
    engine.write(&id, "/srv/dbmig/versions/b2_next.py", &revision("b2", "'a1'"));
    let backend = ServiceId::new("shop", "backend");
    reading.hurry.send(Again::All(backend)).await.expect("it listens");
    assert_eq!(reading.next().await, (id, vec!["a1".to_owned(), "b2".to_owned()]));
}

#[tokio::test]
async fn a_container_that_is_removed_while_it_is_read_does_not_speak_for_its_image() {
    let engine = FakeEngine::new();
    let mut watched = watched::watch(&engine);
    let gone = running(&engine, application("backend"));
    watched.looked(&gone).await;
    let shown = watched.inventory.wait_for(|shown| shown.len() == 1).await;
    let last_shown = Arc::clone(&shown.expect("it is shown"));
    engine.remove(&gone);
    let next = running(&engine, application("backend"));
    watched.looked(&next).await;
    let is_next = |shown: &Arc<Vec<Container>>| shown.len() == 1 && shown.iter().all(|it| it.look.id == next);
    let shown = watched.inventory.wait_for(is_next).await;
    let with_next = [&**last_shown, &**shown.expect("it is shown")].concat();
    // The list that the reader goes by is a moment old.
    let (_show, inventory) = watch::channel(Arc::new(with_next));
    let mut reading = Reading::of_what_is_shown(&engine, watched, inventory);
    assert_eq!(reading.next().await, (next, vec!["a1".to_owned()]));
}

#[tokio::test]
async fn a_container_that_is_being_made_or_lives_for_one_command_is_left_alone_unless_somebody_asks() {
    let engine = FakeEngine::new();
    let made = engine.create(application("backend"));
    let mut one_off = application("migrate");
    "app:2".clone_into(&mut one_off.image);
    let label = "com.docker.compose.oneoff".to_owned();
    one_off.labels.insert(label, "True".to_owned());
    let one_off = running(&engine, one_off);
    let other = ContainerSpec {
        image: "app:3".to_owned(),
        ..application("other")
    };
    let other = running(&engine, other);
    let mut reading = Reading::of(&engine);
    assert_eq!(reading.next().await.0, other);
    let is_packed = |id: &ContainerId| {
        let mut archives = engine.archives().into_iter();
        archives.any(|(of, path)| of == *id && path.ends_with("dbmig"))
    };
    assert!(is_packed(&other) && !is_packed(&made) && !is_packed(&one_off));
    let found = reading.ask("backend").await.expect("it can be read");
    assert_eq!(found.expect("there is a container").0, made);
    assert!(is_packed(&made));
}

#[tokio::test]
async fn who_asks_is_answered_with_what_is_there_now() {
    let engine = FakeEngine::new();
    let older = running(&engine, application("backend"));
    let id = running(&engine, application("backend"));
    let mut reading = Reading::of(&engine);
    let mut told = [reading.next().await.0, reading.next().await.0];
    told.sort();
    let mut both = [older.clone(), id.clone()];
    both.sort();
    assert_eq!(told, both);
    // Nothing tells of either: the older container is not the one that counts.
    for container in [&older, &id] {
        engine.write(
            container,
            "/srv/dbmig/versions/b2_next.py",
            &revision("b2", "'a1'"),
        );
    }
    let found = reading.ask("backend").await.expect("it can be read");
    let (container, environments) = found.expect("there is a container");
    let scripts = environments.values().map(|code| code.scripts.len());
    assert_eq!((&container, scripts.sum::<usize>()), (&id, 2));
    assert_eq!(reading.next().await, (id, vec!["a1".to_owned(), "b2".to_owned()]));
    let nobody = reading.ask("nobody").await;
    assert!(nobody.is_ok_and(|found| found.is_none()));
}

#[tokio::test]
async fn who_asks_while_the_engine_is_away_hears_that() {
    let engine = FakeEngine::new();
    running(&engine, application("backend"));
    let mut reading = Reading::of(&engine);
    assert_eq!(reading.next().await.1, ["a1"]);
    engine.down();
    let reason = reading.ask("backend").await.expect_err("nobody can know");
    assert!(reason.contains("docker.sock"), "{reason}");
}

#[tokio::test]
async fn a_container_whose_files_somebody_changed_does_not_speak_for_its_image() {
    let engine = FakeEngine::new();
    let changed = running(&engine, application("backend"));
    engine.write(
        &changed,
        "/srv/dbmig/versions/b2_next.py",
        &revision("b2", "'a1'"),
    );
    let mut reading = Reading::of(&engine);
    assert_eq!(
        reading.next().await,
        (changed, vec!["a1".to_owned(), "b2".to_owned()])
    );
    let clean = running(&engine, application("other"));
    assert_eq!(reading.next().await, (clean, vec!["a1".to_owned()]));
}
