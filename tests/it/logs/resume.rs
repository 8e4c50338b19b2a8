//! Where a log is taken up, how far back it is asked for, and when it is left.

use std::time::Duration;

use migwatch::model::container::FollowLogs;
use migwatch::model::log::{ResumeFrom, Stream};
use migwatch::model::observation::{LogStatus, Observation};
use migwatch::model::service::ContainerId;
use migwatch::model::time::{Clock, Timestamp};

use super::watched::{step, steps, watch};
use crate::support::fake_engine::FakeEngine;
use crate::support::fake_engine::containers::ContainerSpec;

fn running(engine: &FakeEngine) -> ContainerId {
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    engine.start(&id);
    id
}

fn chatter(engine: &FakeEngine, id: &ContainerId, lines: usize) {
    for line in 0..lines {
        engine.log(id, Stream::Stdout, &format!("GET /health 200 {line}"));
    }
}

/// A position that lies more than the overlap behind what is written from now on.
fn position_now(engine: &FakeEngine) -> Timestamp {
    let position = engine.clock().now();
    engine.clock().advance(Duration::from_secs(5));
    position
}

fn tails(engine: &FakeEngine, id: &ContainerId) -> Vec<String> {
    let requests = engine.log_requests(id);
    let requests = requests.borrow();
    assert!(
        requests.iter().all(|request| !request.query.contains("since")),
        "the engine scans the whole file for since"
    );
    requests.iter().map(|request| request.tail.clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_tail_that_does_not_reach_back_to_the_position_grows_until_it_does() {
    let engine = FakeEngine::new();
    let id = running(&engine);
    engine.log(&id, Stream::Stderr, &step("old"));
    chatter(&engine, &id, 300);
    engine.clock().advance(Duration::from_secs(5));
    chatter(&engine, &id, 1);
    let position = position_now(&engine);
    engine.log(&id, Stream::Stderr, &step("new"));
    chatter(&engine, &id, 300);
    engine.log(&id, Stream::Stderr, &step("newest"));
    let mut tail = watch(&engine, &id, |tail| tail.resume = ResumeFrom::Position(position));
    assert_eq!(tail.steps_to("newest").await, ["new", "newest"]);
    assert_eq!(tails(&engine, &id), ["200", "5000"]);
}

#[tokio::test(start_paused = true)]
async fn a_short_way_back_takes_one_request_and_repeats_only_the_overlap() {
    let engine = FakeEngine::new();
    let id = running(&engine);
    engine.log(&id, Stream::Stderr, &step("old"));
    engine.clock().advance(Duration::from_secs(5));
    engine.log(&id, Stream::Stderr, &step("overlapping"));
    let position = engine.clock().now();
    engine.log(&id, Stream::Stderr, &step("new"));
    let mut tail = watch(&engine, &id, |tail| tail.resume = ResumeFrom::Position(position));
    assert_eq!(tail.steps_to("new").await, ["overlapping", "new"]);
    assert_eq!(tails(&engine, &id), ["200"]);
}

#[tokio::test(start_paused = true)]
async fn lines_that_were_rotated_away_are_a_gap_from_the_position_to_the_first_line_left() {
    let engine = FakeEngine::new();
    let id = running(&engine);
    chatter(&engine, &id, 1);
    let position = position_now(&engine);
    engine.log(&id, Stream::Stderr, &step("lost"));
    engine.forget_lines(&id);
    engine.log(&id, Stream::Stderr, &step("left"));
    let mut tail = watch(&engine, &id, |tail| tail.resume = ResumeFrom::Position(position));
    let gap = tail.until(|seen| match seen {
        Observation::LogGap { from, to, .. } => Some((from, to)),
        _ => None,
    });
    let (from, to) = gap.await;
    let (revision, key) = tail.keyed_step().await;
    assert_eq!((revision.as_str(), from, to), ("left", position, key.at));
    assert_eq!(tails(&engine, &id), ["200", "5000", "100000", "all"]);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_begins_within_the_overlap_has_no_gap() {
    let engine = FakeEngine::new();
    let id = running(&engine);
    engine.log(&id, Stream::Stderr, &step("first"));
    let position = engine.clock().now();
    engine.log(&id, Stream::Stderr, &step("second"));
    engine.die(&id, 0);
    let tail = watch(&engine, &id, |tail| tail.resume = ResumeFrom::Position(position));
    tail.running.send_replace(false);
    let (told, ended) = tail.rest().await;
    assert_eq!(steps(&told), ["first", "second"]);
    assert!(
        !told.iter().any(|seen| matches!(seen, Observation::LogGap { .. })),
        "{told:?}"
    );
    assert!(ended.position > Some(position));
}

#[tokio::test(start_paused = true)]
async fn a_container_never_seen_before_gives_its_recent_lines_only() {
    let engine = FakeEngine::new();
    let id = running(&engine);
    engine.log(&id, Stream::Stderr, &step("ancient"));
    chatter(&engine, &id, 999);
    engine.log(&id, Stream::Stderr, &step("recent"));
    let mut tail = watch(&engine, &id, |tail| tail.resume = ResumeFrom::Recent);
    assert_eq!(tail.step().await, "recent");
    assert_eq!(tails(&engine, &id), ["1000"]);
}

#[tokio::test(start_paused = true)]
async fn each_start_is_followed_from_the_position_of_the_one_before() {
    let engine = FakeEngine::new();
    let id = running(&engine);
    engine.log(&id, Stream::Stderr, &step("a1"));
    engine.die(&id, 1);
    let tail = watch(&engine, &id, |_| {});
    tail.running.send_replace(false);
    let (told, ended) = tail.rest().await;
    assert_eq!(steps(&told), ["a1"]);
    engine.clock().advance(Duration::from_secs(5));
    engine.start(&id);
    engine.log(&id, Stream::Stderr, &step("a2"));
    let position = ended.position.expect("a line was read");
    let mut tail = watch(&engine, &id, |tail| tail.resume = ResumeFrom::Position(position));
    assert_eq!(tail.steps_to("a2").await, ["a1", "a2"]);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_is_gone_ends_its_tail() {
    let engine = FakeEngine::new();
    let id = running(&engine);
    engine.remove(&id);
    let (told, _) = watch(&engine, &id, |_| {}).rest().await;
    assert_eq!(
        told,
        [Observation::LogStatus {
            container: id,
            status: LogStatus::Ended
        }]
    );
}

#[tokio::test(start_paused = true)]
async fn a_tail_of_starts_only_rests_once_the_application_is_up() {
    let engine = FakeEngine::new();
    let id = running(&engine);
    engine.log(&id, Stream::Stderr, &step("a1"));
    engine.log(
        &id,
        Stream::Stderr,
        "[2026-11-23 09:31:08 +0000] [7] [INFO] Listening at: http://0.0.0.0:8000 (7)",
    );
    let mut tail = watch(&engine, &id, |tail| tail.logs = FollowLogs::Startup);
    assert_eq!(tail.status().await, LogStatus::Following { reconnect: false });
    assert_eq!(tail.step().await, "a1");
    let resting = LogStatus::NotFollowed {
        reason: "after the application is up, by choice".to_owned(),
    };
    assert_eq!(tail.status().await, resting);
    engine.log(&id, Stream::Stderr, &step("unheard"));
    engine.die(&id, 0);
    tail.running.send_replace(false);
    assert_eq!(steps(&tail.rest().await.0), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn an_earlier_starts_application_does_not_end_a_tail_of_starts_only() {
    let engine = FakeEngine::new();
    let id = running(&engine);
    engine.log(&id, Stream::Stderr, "INFO:     Application startup complete.");
    engine.die(&id, 1);
    engine.start(&id);
    engine.log(&id, Stream::Stderr, &step("a1"));
    let mut tail = watch(&engine, &id, |tail| tail.logs = FollowLogs::Startup);
    assert_eq!(tail.step().await, "a1");
    // Longer than it takes to rest, on the test's own clock, which runs ahead while nothing happens.
    let minute = tokio::time::timeout(Duration::from_mins(1), std::future::pending::<()>());
    assert!(minute.await.is_err());
    engine.log(&id, Stream::Stderr, &step("a2"));
    assert_eq!(tail.step().await, "a2");
}
