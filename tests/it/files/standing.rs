//! How a process's log stands: missing, unreadable, back again; and which processes are watched at all.

use std::fs;

use migwatch::files::check;
use migwatch::model::observation::Observation;
use migwatch::model::service::ServiceId;

use super::watched::{Kept, Logs, backend, process, step, watch, watch_again};

fn watched_path(observation: &Observation) -> Option<(ServiceId, String)> {
    match observation {
        Observation::ProcessWatched { process, path } => Some((process.clone(), path.clone())),
        _ => None,
    }
}

#[tokio::test]
async fn a_missing_file_is_told_with_its_path_and_read_from_its_beginning_once_it_is_there() {
    let logs = Logs::new();
    let mut watched = watch_again(&logs, "run.log", Kept::default());
    let (id, path) = watched.until("the word that it is watched", watched_path).await;
    assert_eq!(
        (id, path),
        (backend(), logs.path("run.log").display().to_string())
    );
    let reason = watched.unreadable().await;
    assert!(
        reason.contains("run.log") && reason.contains("mounted"),
        "{reason}"
    );
    logs.append("run.log", step("b0001d"));
    assert!(watched.following().await, "it is told as a return");
    assert_eq!(watched.steps(1).await, ["b0001d"]);
    watched.stop().await;
}

#[tokio::test]
async fn a_file_that_vanishes_is_told_and_so_is_its_return() {
    let logs = Logs::new();
    logs.append("run.log", "");
    let mut watched = watch(&logs, "run.log").await;
    fs::remove_file(logs.path("run.log")).unwrap();
    let reason = watched.unreadable().await;
    assert!(reason.contains("there is no file"), "{reason}");
    logs.append("run.log", step("b0001d"));
    assert!(watched.following().await);
    assert_eq!(watched.steps(1).await, ["b0001d"]);
    watched.stop().await;
}

#[tokio::test]
async fn what_is_no_file_is_told_and_not_opened() {
    let logs = Logs::new();
    fs::create_dir(logs.path("run.log")).unwrap();
    let mut watched = watch_again(&logs, "run.log", Kept::default());
    let reason = watched.unreadable().await;
    assert!(reason.contains("no regular file"), "{reason}");
    watched.stop().await;
}

#[tokio::test]
async fn what_a_file_held_while_it_could_not_be_read_is_no_news() {
    let logs = Logs::new();
    fs::create_dir(logs.path("run.log")).unwrap();
    let mut watched = watch_again(&logs, "run.log", Kept::default());
    watched.unreadable().await;
    logs.append("old.log", step("b0001d"));
    fs::remove_dir(logs.path("run.log")).unwrap();
    logs.rename("old.log", "run.log");
    watched.following().await;
    logs.append("run.log", step("b0002d"));
    assert_eq!(watched.steps(1).await, ["b0002d"]);
    watched.stop().await;
}

#[tokio::test]
async fn processes_come_and_go_with_the_configuration() {
    let logs = Logs::new();
    logs.append("run.log", "");
    logs.append("other.log", "");
    let mut watched = watch(&logs, "run.log").await;
    watched.name(vec![
        process(&logs, "backend", "run.log"),
        process(&logs, "worker", "other.log"),
    ]);
    let (id, _) = watched.until("the word that it is watched", watched_path).await;
    assert_eq!(id, ServiceId::new("local", "worker"));
    watched.following().await;
    logs.append("other.log", step("b0001d"));
    assert_eq!(watched.steps(1).await, ["b0001d"]);
    watched.name(vec![process(&logs, "worker", "other.log")]);
    let gone =
        |observation: &Observation| matches!(observation, Observation::ProcessGone(id) if *id == backend());
    watched
        .until("the word that it is gone", |seen| gone(seen).then_some(()))
        .await;
    logs.append("run.log", step("b0002d"));
    logs.append("other.log", step("b0003d"));
    assert_eq!(watched.steps(1).await, ["b0003d"]);
    watched.stop().await;
}

#[test]
fn a_check_says_what_is_there_and_what_is_not() {
    let logs = Logs::new();
    logs.append("a.log", "");
    logs.append("b.log", "");
    assert_eq!(check(&process(&logs, "x", "a.log")), Ok("can be read".to_owned()));
    assert_eq!(
        check(&process(&logs, "x", "*.log")),
        Ok("2 files can be read".to_owned())
    );
    for (log, part) in [("c.log", "there is no file"), ("*.txt", "no file matches")] {
        let problem = check(&process(&logs, "x", log)).unwrap_err();
        assert!(problem.contains(part), "{problem}");
    }
}
