//! The same tail against the real engine.

use migwatch::docker::endpoint::Endpoint;
use migwatch::model::container::FollowLogs;
use migwatch::model::log::{LineKey, ResumeFrom};
use migwatch::model::observation::LogStatus;

use super::watched::{Watched, keyed_steps, step, watch_at};
use crate::support::real_container::RealContainer;

fn engine() -> Endpoint {
    Endpoint::Unix("/var/run/docker.sock".into())
}

fn follow(container: &RealContainer, tty: bool, resume: ResumeFrom) -> Watched {
    watch_at(engine(), &container.id, 64, |tail| {
        tail.tty = tty;
        tail.logs = FollowLogs::Always;
        tail.resume = resume;
    })
}

#[tokio::test]
async fn the_real_engine_gives_a_three_line_container_completely_with_its_unended_last_line() {
    for tty in [false, true] {
        let script = format!(
            "echo '{}'; echo '{}'; printf '{}'",
            step("a1"),
            step("a2"),
            step("a3")
        );
        let options: &[&str] = if tty { &["--tty"] } else { &[] };
        let container = RealContainer::create(options, &script).await;
        let mut events = container.events().await;
        container.start().await;
        assert_eq!(events.next().await, "start");
        let tail = follow(&container, tty, ResumeFrom::Everything);
        assert_eq!(events.next().await, "die");
        tail.running.send_replace(false);
        let (told, ended) = tail.rest().await;
        // A second look behind the end repeats lines with the same key.
        let mut said = keyed_steps(&told);
        said.sort();
        said.dedup();
        let said: Vec<String> = said.into_iter().map(|(_, revision)| revision).collect();
        assert_eq!(said, ["a1", "a2", "a3"], "terminal: {tty}");
        assert!(ended.position.is_some());
    }
}

#[tokio::test]
async fn the_real_engine_gives_a_container_that_restarts_completely_over_its_starts() {
    let script = "n=$(cat /n 2>/dev/null || echo 0); n=$((n + 1)); echo $n > /n; \
                  echo \"Running upgrade  -> s${n}a, title\" >&2; echo \"Running upgrade  -> s${n}b, title\"; exit 1";
    let container = RealContainer::create(&["--restart", "always"], script).await;
    let mut events = container.events().await;
    container.start().await;
    let mut resume = ResumeFrom::Everything;
    let mut told: Vec<(LineKey, String)> = Vec::new();
    for _ in 0..3 {
        assert_eq!(events.next().await, "start");
        let tail = follow(&container, false, resume);
        assert_eq!(events.next().await, "die");
        tail.running.send_replace(false);
        let (observed, ended) = tail.rest().await;
        told.extend(keyed_steps(&observed));
        resume = ResumeFrom::Position(ended.position.expect("each start wrote two lines"));
    }
    // stdout and stderr may change places, and the overlap repeats lines with the same key.
    told.sort();
    told.dedup();
    let mut said: Vec<String> = told.into_iter().map(|(_, revision)| revision).collect();
    said.sort();
    assert_eq!(said, ["s1a", "s1b", "s2a", "s2b", "s3a", "s3b"]);
}

#[tokio::test]
async fn the_real_engine_refuses_a_driver_that_cannot_be_read_in_words() {
    let container = RealContainer::create(&["--log-driver", "none"], "sleep 60").await;
    container.start().await;
    let reason = follow(&container, false, ResumeFrom::Everything)
        .unreadable()
        .await;
    assert!(reason.contains("does not support reading"), "{reason}");
}

#[tokio::test]
async fn the_real_engine_has_no_log_of_a_container_that_is_gone() {
    let container = RealContainer::create(&[], "true").await;
    let mut gone = container.id.clone();
    gone.0 = gone.0.chars().rev().collect();
    let mut tail = watch_at(engine(), &gone, 64, |_| {});
    assert_eq!(tail.status().await, LogStatus::Ended);
}
