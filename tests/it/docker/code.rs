//! The code in containers is read by the engine's archives: once an image, again where it may have changed.

use std::collections::BTreeMap;
use std::time::Duration;

use migwatch::docker::{Again, CodeReader, Endpoint};
use migwatch::model::observation::Observation;
use migwatch::model::service::{ContainerId, ServiceId};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::watched::{Watched, watch};
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
        let watched = watch(engine);
        let (inbox, told) = mpsc::channel(64);
        let (hurry, hurried) = mpsc::channel(16);
        let stop = CancellationToken::new();
        let mut reader = JoinSet::new();
        let endpoint = Endpoint::Unix(engine.socket());
        reader.spawn(CodeReader::new(endpoint, watched.inventory.clone(), hurried, inbox).run(stop.clone()));
        Self {
            _watched: watched,
            told,
            hurry,
            stop,
            _reader: reader,
        }
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
        ids.insert(engine.create(application(&format!("service-{number}"))), 0);
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
    let id = engine.create(ContainerSpec {
        mounts: vec!["/srv/dbmig/versions".to_owned()],
        ..application("backend")
    });
    let other = engine.create(application("other"));
    let mut reading = Reading::of(&engine);
    let mut first = [reading.next().await.0, reading.next().await.0];
    first.sort();
    let mut both = [id.clone(), other];
    both.sort();
    assert_eq!(first, both);
    let before = asked(&engine, "/srv/dbmig");
    engine.write(&id, "/srv/dbmig/versions/b2_next.py", &revision("b2", "'a1'"));
    engine.start(&id);
    assert_eq!(reading.next().await, (id, vec!["a1".to_owned(), "b2".to_owned()]));
    assert!(asked(&engine, "/srv/dbmig") > before);
}

#[tokio::test]
async fn a_container_whose_files_somebody_changed_is_read_by_itself_once_its_database_is_a_puzzle() {
    let engine = FakeEngine::new();
    let id = engine.create(application("backend"));
    let mut reading = Reading::of(&engine);
    assert_eq!(reading.next().await.1, ["a1"]);
    engine.write(&id, "/srv/dbmig/versions/b2_next.py", &revision("b2", "'a1'"));
    let backend = ServiceId::new("shop", "backend");
    reading.hurry.send(Again::All(backend)).await.expect("it listens");
    assert_eq!(reading.next().await, (id, vec!["a1".to_owned(), "b2".to_owned()]));
}

#[tokio::test]
async fn a_container_whose_files_somebody_changed_does_not_speak_for_its_image() {
    let engine = FakeEngine::new();
    let changed = engine.create(application("backend"));
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
    let clean = engine.create(application("other"));
    assert_eq!(reading.next().await, (clean, vec!["a1".to_owned()]));
}
