//! The life of the daemon, with the real program: it starts without an engine, becomes ready, reloads, refuses a second of its kind,
//! and stops when it is asked to.
//! Refuses to know how anything is judged.

use std::path::Path;

use assert_cmd::assert::OutputAssertExt;
use migwatch::model::log::Stream;
use migwatch::model::status::ServiceStatus;
use migwatch::model::time::Clock as _;

use crate::support::clock::wall_clock;
use crate::support::daemon::{Daemon, Home};
use crate::support::fake_engine::FakeEngine;
use crate::support::fake_engine::containers::ContainerSpec;
use crate::support::receiver::PATIENCE;

#[tokio::test]
async fn without_an_engine_it_serves_and_becomes_ready_when_one_comes() {
    let engine = FakeEngine::new();
    engine.down();
    let daemon = Home::new(&engine.socket()).start().await;
    assert_eq!(daemon.get("/-/healthy").await.status, 200);
    let away = daemon
        .until("the engine is found away", |status| {
            status.engine.problem.is_some()
        })
        .await;
    let problem = away.engine.problem.unwrap_or_default();
    assert!(problem.contains("start the engine"), "{problem}");
    let ready = daemon.get("/-/ready").await;
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("start the engine"), "{}", ready.body);
    let page = daemon.get("/").await;
    assert!(page.body.contains("start the engine"), "{}", page.body);
    engine.up();
    daemon.until_answers("/-/ready", 200).await;
    daemon.until("the engine is up", |status| status.engine.up).await;
}

#[tokio::test]
async fn a_term_signal_ends_it_with_all_streams_open() {
    let engine = FakeEngine::new();
    let start = ["sh", "-c", "alembic upgrade head && gunicorn app"];
    let id = engine.create(ContainerSpec {
        command: start.map(str::to_owned).to_vec(),
        ..ContainerSpec::service("shop", "backend")
    });
    engine.start(&id);
    let daemon = Home::new(&engine.socket()).start().await;
    let mut followed = engine.log_requests(&id);
    let opened = followed.wait_for(|requests| requests.iter().any(|request| request.follow));
    let opened = tokio::time::timeout(PATIENCE, opened).await;
    drop(opened.expect("its log is followed"));
    engine.log(&id, Stream::Stdout, "hello");
    daemon.until_answers("/-/ready", 200).await;
    let (status, log) = daemon.stop().await;
    assert!(status.success(), "{status}: {log:#?}");
    let last = log.last().expect("it logs");
    assert!(last.contains("stopped as asked"), "{log:#?}");
    assert!(
        !log.iter().any(|line| line.contains("would not end in time")),
        "{log:#?}"
    );
}

#[tokio::test]
async fn a_container_that_ran_and_went_before_it_could_be_looked_at_is_not_passed_over_in_silence() {
    let engine = FakeEngine::new();
    let daemon = Home::new(&engine.socket()).start().await;
    daemon.until_answers("/-/ready", 200).await;
    engine.slow_inspect(PATIENCE);
    // It asks for what came since it began.
    let clock = engine.clock();
    clock.advance(wall_clock().now().since(clock.now()));
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    engine.start(&id);
    engine.die(&id, 0);
    engine.remove(&id);
    let told = daemon
        .logged("a container ran and was removed before the engine had shown it: if it migrated, only the database tells")
        .await;
    assert_eq!(told["fields"]["container"], id.to_string());
}

/// Where neither environment nor command nor a usual file shows it, and by which label it is known all the same.
#[tokio::test]
async fn a_label_that_says_where_the_scripts_lie_also_says_that_the_service_can_migrate() {
    let engine = FakeEngine::new();
    for (service, label) in [("plain", None), ("backend", Some("rag/alembic.ini"))] {
        let label = label.map(|folder| ("migwatch.alembic.dir".to_owned(), folder.to_owned()));
        let mut spec = ContainerSpec::service("shop", service);
        spec.labels.extend(label);
        let id = engine.create(spec);
        engine.start(&id);
    }
    let daemon = Home::new(&engine.socket()).start().await;
    let status = daemon
        .until("both are known, and a log is followed", |status| {
            status.services.len() == 2 && status.services.iter().any(|service| service.log.following > 0)
        })
        .await;
    let followed = |service: &ServiceStatus| (service.service.service.clone(), service.log.following);
    let followed: Vec<_> = status.services.iter().map(followed).collect();
    assert_eq!(followed, [("backend".to_owned(), 1), ("plain".to_owned(), 0)]);
}

async fn reload_successful(daemon: &Daemon) -> String {
    let metrics = daemon.get("/metrics").await.body;
    let line = metrics
        .lines()
        .find(|line| line.starts_with("migwatch_config_last_reload_successful "));
    line.unwrap_or_else(|| panic!("no such metric: {metrics}"))
        .to_owned()
}

#[tokio::test]
async fn a_bad_file_at_a_reload_leaves_the_old_configuration_in_force() {
    let engine = FakeEngine::new();
    let home = Home::new(&engine.socket());
    home.configure("[alerts]\nhost = \"before\"\n");
    let daemon = home.start().await;
    assert_eq!(
        reload_successful(&daemon).await,
        "migwatch_config_last_reload_successful 1"
    );
    home.configure("[alerts]\nhost = \"bad\"\nkeep = \"a while\"\n");
    daemon.signal("HUP").await;
    let kept = daemon
        .until("the reload failed", |status| !status.watcher.config_ok)
        .await;
    assert_eq!(kept.host, "before");
    let problem = kept.watcher.config_problem.unwrap_or_default();
    assert!(
        problem.contains("migwatch.toml:3: alerts.keep: \"a while\" is no duration"),
        "{problem}"
    );
    assert_eq!(
        reload_successful(&daemon).await,
        "migwatch_config_last_reload_successful 0"
    );
    home.configure("[alerts]\nhost = \"after\"\n");
    daemon.signal("HUP").await;
    let after = daemon
        .until("the reload went well", |status| status.watcher.config_ok)
        .await;
    assert_eq!(after.host, "after");
    assert_eq!(
        reload_successful(&daemon).await,
        "migwatch_config_last_reload_successful 1"
    );
}

#[tokio::test]
async fn a_file_that_was_not_there_at_the_start_is_taken_up_by_a_reload_and_missed_when_it_goes() {
    let engine = FakeEngine::new();
    let home = Home::new(&engine.socket()).unconfigured();
    let daemon = home.start().await;
    let reloaded = async |code, wanted: &str| {
        let output = home.run(&["reload"]).await;
        let said = [&*output.stdout, &*output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(said.contains(wanted), "{said}");
        output.assert().code(code);
    };
    reloaded(0, "no file is there").await;
    let file = home.usual_config_file();
    std::fs::create_dir_all(file.parent().expect("it lies in a folder")).expect("the folder takes folders");
    std::fs::write(&file, "[alerts]\nhost = \"late\"\n").expect("the folder takes files");
    reloaded(0, &file.to_string_lossy()).await;
    assert_eq!(daemon.status().await.host, "late");
    std::fs::remove_file(&file).expect("it is there");
    reloaded(2, "cannot read the configuration file").await;
    assert_eq!(daemon.status().await.host, "late");
}

#[tokio::test]
async fn a_reload_over_the_network_needs_the_token() {
    let engine = FakeEngine::new();
    let home = Home::new(&engine.socket());
    let without = home.start().await;
    for token in [None, Some(""), Some("guessed")] {
        let refused = without.post("/-/reload", token).await;
        assert_eq!(refused.status, 403, "{refused:?}");
        assert!(refused.body.contains("unix socket"), "{refused:?}");
    }
    let by_owner = without.post_as_owner("/-/reload").await;
    assert_eq!(by_owner.status, 200, "{by_owner:?}");
    without.stop().await;
    std::fs::write(home.path().join("token"), "s3cret\n").expect("the folder takes files");
    home.configure("[web]\ntoken_file = \"token\"\n");
    let with = home.start().await;
    assert_eq!(with.post("/-/reload", Some("guessed")).await.status, 403);
    assert_eq!(with.post("/-/reload", Some("s3cret")).await.status, 200);
    let (_, log) = with.stop().await;
    assert!(!log.iter().any(|line| line.contains("s3cret")), "{log:#?}");
}

#[tokio::test]
async fn a_reload_over_the_network_tells_who_asked_what_is_wrong() {
    let engine = FakeEngine::new();
    let home = Home::new(&engine.socket());
    let daemon = home.start().await;
    home.configure("colour = \"blue\"\n");
    let answered = daemon.post_as_owner("/-/reload").await;
    assert_eq!(answered.status, 422, "{answered:?}");
    assert!(
        answered.body.contains("colour: is not known here"),
        "{answered:?}"
    );
}

#[tokio::test]
async fn a_second_daemon_in_the_same_folder_is_refused() {
    let engine = FakeEngine::new();
    let home = Home::new(&engine.socket());
    let first = home.start().await;
    let second = home.run(&["--web.listen-address", "127.0.0.1:0"]).await;
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(told.contains("keeps its journal in"), "{told}");
    assert!(
        told.contains("end it, or give this one another --data.dir"),
        "{told}"
    );
    second.assert().code(2);
    // The first one's socket is still its own.
    assert_eq!(first.post_as_owner("/-/reload").await.status, 200);
}

#[tokio::test]
async fn a_killed_daemon_starts_again_in_its_folder() {
    let engine = FakeEngine::new();
    let home = Home::new(&engine.socket());
    let first = home.start().await;
    first.until_answers("/-/ready", 200).await;
    first.kill().await;
    let second = home.start().await;
    second.until_answers("/-/ready", 200).await;
    home.run(&["healthcheck"]).await.assert().code(0);
    let status = home.run(&["status", "--output", "json"]).await;
    assert!(
        serde_json::from_slice::<serde_json::Value>(&status.stdout).is_ok(),
        "{status:?}"
    );
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named_with_the_way_out() {
    let home = Home::new(Path::new("/nonexistent/docker.sock")).flag("--data.dir=/dev/null/migwatch");
    let output = home.run(&["--web.listen-address", "127.0.0.1:0"]).await;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("/dev/null/migwatch"), "{told}");
    output.assert().code(2);
}
