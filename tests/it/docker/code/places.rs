//! Where the code in containers is found: as Alembic and Flask-Migrate would find it.

use std::collections::BTreeMap;

use super::{Reading, application, revision, running};
use crate::support::fake_engine::FakeEngine;
use crate::support::fake_engine::containers::ContainerSpec;

/// A container with these files.
fn holding(files: &[(&str, &str)]) -> ContainerSpec {
    let files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    ContainerSpec {
        files: files.collect(),
        ..application("backend")
    }
}

fn starting(spec: ContainerSpec, command: &str) -> ContainerSpec {
    ContainerSpec {
        command: command.split(' ').map(str::to_owned).collect(),
        ..spec
    }
}

/// The revisions that are read of it, and what could not be read.
async fn read(spec: ContainerSpec) -> (Vec<String>, Vec<String>) {
    let engine = FakeEngine::new();
    running(&engine, spec);
    let mut reading = Reading::of(&engine);
    reading.next().await;
    let found = reading.ask("backend").await.expect("it can be read");
    let (_, environments) = found.expect("there is a container");
    let (mut revisions, mut unreadable) = (Vec::new(), Vec::new());
    for code in environments.values() {
        revisions.extend(code.scripts.iter().map(|script| script.revision.0.clone()));
        let said = code.unreadable.iter();
        unreadable.extend(said.map(|it| format!("{}: {}", it.path, it.reason)));
    }
    (revisions, unreadable)
}

fn only(revisions: &[&str]) -> (Vec<String>, Vec<String>) {
    let revisions = revisions.iter().map(|it| (*it).to_owned());
    (revisions.collect(), Vec::new())
}

/// What `flask db init` makes in this folder, with one revision.
fn flask(folder: &str) -> ContainerSpec {
    let at = |name: &str| format!("{folder}/{name}");
    let named = "[alembic]\n# template used to generate migration files\n\n[loggers]\nkeys = root\n";
    holding(&[
        (&at("alembic.ini"), named),
        (&at("env.py"), ""),
        (&at("versions/a1_first.py"), &revision("a1", "None")),
    ])
}

#[tokio::test]
async fn flask_migrates_scripts_lie_beside_its_configuration_which_does_not_name_them() {
    let spec = starting(flask("/srv/migrations"), "flask db upgrade");
    assert_eq!(read(spec).await, only(&["a1"]));
}

#[tokio::test]
async fn flask_migrates_folder_may_be_named_by_its_command() {
    for command in [
        "flask db upgrade -d backend/db",
        "flask db -d /srv/backend/db upgrade",
    ] {
        let spec = starting(flask("/srv/backend/db"), command);
        assert_eq!(read(spec).await, only(&["a1"]), "{command}");
    }
}

#[tokio::test]
async fn flask_migrates_folder_may_be_named_by_a_label() {
    let label = ("migwatch.alembic.dir".to_owned(), "/opt/db".to_owned());
    let mut spec = flask("/opt/db");
    spec.labels.extend([label]);
    assert_eq!(read(spec).await, only(&["a1"]));
}

#[tokio::test]
async fn a_configuration_without_scripts_beside_it_is_nobodys() {
    let mut spec = flask("/srv/migrations");
    spec.files.remove("/srv/migrations/env.py");
    assert_eq!(read(starting(spec, "flask db upgrade")).await, only(&[]));
}

#[tokio::test]
async fn a_folder_that_is_missing_where_commands_start_is_looked_for_beside_the_configuration() {
    let spec = holding(&[
        ("/app/alembic.ini", "[alembic]\nscript_location = db\n"),
        ("/app/db/env.py", ""),
        ("/app/db/versions/a1_first.py", &revision("a1", "None")),
    ]);
    assert_eq!(read(spec.clone()).await, only(&["a1"]));
    let mut both = spec;
    let other = revision("b2", "None").into_bytes();
    both.files
        .extend([("/srv/db/versions/b2_other.py".to_owned(), other)]);
    assert_eq!(
        read(both).await,
        only(&["b2"]),
        "Alembic takes the one where it starts"
    );
}

#[tokio::test]
async fn a_folder_of_versions_that_is_a_link_is_followed() {
    for (link, target) in [
        ("/srv/dbmig/versions", "../shared/versions"),
        ("/srv/dbmig/versions", "/srv/shared/versions"),
        ("/srv/dbmig", "shared"),
    ] {
        let mut spec = holding(&[
            ("/srv/alembic.ini", "[alembic]\nscript_location = dbmig\n"),
            ("/srv/shared/env.py", ""),
            ("/srv/shared/versions/a1_first.py", &revision("a1", "None")),
        ]);
        if link != "/srv/dbmig" {
            spec.files.insert("/srv/dbmig/env.py".to_owned(), Vec::new());
        }
        spec.links = BTreeMap::from([(link.to_owned(), target.to_owned())]);
        assert_eq!(read(spec).await, only(&["a1"]), "{link} -> {target}");
    }
}

#[tokio::test]
async fn a_folder_of_versions_that_is_missing_is_passed_over_and_that_of_env_py_is_not() {
    let named = "[alembic]\nscript_location = dbmig\nversion_locations = dbmig/versions gone dbmig/old\n";
    let spec = holding(&[
        ("/srv/alembic.ini", named),
        ("/srv/dbmig/env.py", ""),
        ("/srv/dbmig/versions/a1_first.py", &revision("a1", "None")),
    ]);
    assert_eq!(read(spec).await, only(&["a1"]));
    let spec = holding(&[("/srv/alembic.ini", "[alembic]\nscript_location = dbmig\n")]);
    let (_, said) = read(spec).await;
    assert_eq!(said, ["/srv/dbmig: there is no such folder in the container"]);
}

#[tokio::test]
async fn a_file_among_the_scripts_that_is_none_is_what_alembic_stops_at() {
    let mut spec = application("backend");
    for (name, text) in [
        ("helpers.py", "x = 1\n"),
        ("__init__.py", ""),
        // Alembic 0.1 had the revision in the file's name.
        ("b2.py", "down_revision = 'a1'\n"),
    ] {
        let path = format!("/srv/dbmig/versions/{name}");
        spec.files.insert(path, text.as_bytes().to_vec());
    }
    let (revisions, said) = read(spec).await;
    assert_eq!(revisions, ["a1", "b2"]);
    assert_eq!(said.len(), 1);
    assert!(
        said.iter()
            .all(|said| said.contains("helpers.py: it has no revision")),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_script_of_a_mebibyte_is_read() {
    let mut spec = application("backend");
    let data = "data ".repeat(200_000);
    let long = format!("{}x = \"{data}\"\n", revision("b2", "'a1'"));
    let path = "/srv/dbmig/versions/b2_next.py".to_owned();
    spec.files.insert(path, long.into_bytes());
    assert_eq!(read(spec).await, only(&["a1", "b2"]));
}
