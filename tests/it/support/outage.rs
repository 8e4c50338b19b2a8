//! An outage of the engine as people are shown it, and what must not come of it. Refuses to know which engine.

use migwatch::model::alert::AlertName;
use migwatch::model::status::Status;
use rusqlite::Connection;

use super::daemon::{Daemon, Home};

/// Without its engine it serves and says so, everywhere it should.
pub(crate) async fn says_that_it_is_away(daemon: &Daemon) {
    daemon
        .until(
            "the engine is missed, with what to do, and that is an alert",
            |status| {
                let problem = status.engine.problem.as_deref();
                let is_told = problem.is_some_and(|problem| problem.contains("start the engine"));
                !status.engine.up && is_told && is_blind(status)
            },
        )
        .await;
    let metrics = daemon.get("/metrics").await.body;
    let up = metrics
        .lines()
        .find(|line| line.starts_with("migwatch_docker_up{"));
    assert!(up.is_some_and(|line| line.ends_with("} 0")), "{up:?}");
    let page = daemon.get("/").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("The engine is away"), "{}", page.body);
    assert_eq!(daemon.get("/-/healthy").await.status, 200);
}

pub(crate) async fn says_that_it_is_back(daemon: &Daemon) {
    daemon
        .until("the engine is back, and the alert over", |status| {
            status.engine.up && !is_blind(status)
        })
        .await;
    let metrics = daemon.get("/metrics").await.body;
    let up = metrics
        .lines()
        .find(|line| line.starts_with("migwatch_docker_up{"));
    assert!(up.is_some_and(|line| line.ends_with("} 1")), "{up:?}");
}

fn is_blind(status: &Status) -> bool {
    let mut alerts = status.alerts.iter();
    alerts.any(|alert| {
        alert.name == AlertName::WatcherBlind
            && alert.resolved.is_none()
            && alert.labels.get("blind").is_some_and(|blind| blind == "engine")
    })
}

/// Facts with their times and identities are all different.
pub(crate) fn no_fact_is_there_twice(home: &Home) {
    let journal = Connection::open(home.data_dir().join("journal.db")).expect("the journal is there");
    let mut facts = journal
        .prepare("SELECT kind, body, count(*) FROM facts GROUP BY kind, body HAVING count(*) > 1")
        .expect("it has facts");
    let twice = facts
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .expect("they can be read");
    let twice: Vec<(String, String, i64)> = twice.map(|row| row.expect("a row")).collect();
    assert!(twice.is_empty(), "{twice:#?}");
    let opened: i64 = journal
        .query_row(
            "SELECT count(*) FROM facts WHERE kind = 'migration_opened'",
            [],
            |row| row.get(0),
        )
        .expect("they can be counted");
    assert_eq!(
        opened, 3,
        "the deploy, the engine's own start, and the sentinel's"
    );
}
