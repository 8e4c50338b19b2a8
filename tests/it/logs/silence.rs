//! Logs that cannot be read, and logs that only seem to be silent.

use std::time::Duration;

use migwatch::model::log::{Saying, Stream};
use migwatch::model::observation::{LogStatus, Observation};

use super::watched::{step, steps, watch};
use crate::support::fake_engine::FakeEngine;
use crate::support::fake_engine::containers::{ContainerSpec, Cut};

#[tokio::test(start_paused = true)]
async fn a_stream_that_stalls_while_the_engine_has_newer_lines_is_opened_again() {
    let engine = FakeEngine::new();
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    engine.start(&id);
    let mut tail = watch(&engine, &id, |_| {});
    engine.log(&id, Stream::Stderr, &step("a1"));
    assert_eq!(tail.step().await, "a1");
    engine.stall_logs(&id);
    engine.clock().advance(Duration::from_secs(5));
    engine.log(&id, Stream::Stderr, &step("a2"));
    assert_eq!(tail.steps_to("a2").await, ["a1", "a2"]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_container_is_asked_about_and_left_alone() {
    let engine = FakeEngine::new();
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    engine.start(&id);
    let mut tail = watch(&engine, &id, |_| {});
    engine.log(&id, Stream::Stderr, &step("a1"));
    assert_eq!(tail.step().await, "a1");
    let mut requests = engine.log_requests(&id);
    requests
        .wait_for(|requests| requests.len() == 4)
        .await
        .expect("the engine is there");
    engine.log(&id, Stream::Stderr, &step("a2"));
    assert_eq!(tail.step().await, "a2");
    let follow: Vec<bool> = requests.borrow().iter().map(|request| request.follow).collect();
    assert_eq!(follow, [true, false, false, false]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_stalls_at_the_containers_exit_is_still_read_to_the_end() {
    let engine = FakeEngine::new();
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    engine.start(&id);
    let mut tail = watch(&engine, &id, |_| {});
    assert_eq!(tail.status().await, LogStatus::Following { reconnect: false });
    engine.stall_logs(&id);
    engine.log(&id, Stream::Stderr, &step("a1"));
    engine.die(&id, 1);
    tail.running.send_replace(false);
    assert_eq!(steps(&tail.rest().await.0), ["a1"]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_a_moment_before_the_last_line_is_opened_once_more() {
    let engine = FakeEngine::new();
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    engine.start(&id);
    let mut tail = watch(&engine, &id, |_| {});
    engine.log(&id, Stream::Stderr, &step("a1"));
    assert_eq!(tail.step().await, "a1");
    engine.cut_logs(&id, Cut::InGoodOrder);
    engine.clock().advance(Duration::from_secs(5));
    engine.log(&id, Stream::Stderr, &step("last"));
    engine.die(&id, 1);
    tail.running.send_replace(false);
    assert_eq!(steps(&tail.rest().await.0), ["a1", "last"]);
}

#[tokio::test(start_paused = true)]
async fn an_error_whose_statement_never_comes_is_told_all_the_same() {
    let engine = FakeEngine::new();
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    engine.start(&id);
    let mut tail = watch(&engine, &id, |_| {});
    engine.log(
        &id,
        Stream::Stderr,
        "sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (1091, \"Can't DROP INDEX `x`; check that it exists\")",
    );
    let cause = tail.until(|seen| match seen {
        Observation::Line { line, .. } => match line.saying {
            Saying::Failed(cause) => Some(cause),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(cause.await.code.as_deref(), Some("1091"));
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_cannot_be_read_is_named_until_the_container_ends() {
    let engine = FakeEngine::new();
    let spec = ContainerSpec {
        log_driver: "none".to_owned(),
        ..ContainerSpec::service("shop", "backend")
    };
    let id = engine.create(spec);
    engine.start(&id);
    let mut tail = watch(&engine, &id, |_| {});
    let reason = tail.unreadable().await;
    assert!(reason.contains("does not support reading"), "{reason}");
    let mut requests = engine.log_requests(&id);
    requests
        .wait_for(|requests| requests.len() == 3)
        .await
        .expect("the engine is there");
    engine.die(&id, 0);
    tail.running.send_replace(false);
    let (told, _) = tail.rest().await;
    assert_eq!(
        told,
        [Observation::LogStatus {
            container: id,
            status: LogStatus::Ended
        }]
    );
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_refuses_the_version_is_named() {
    for (from, to, sentence) in [(44, 52, "too old"), (12, 40, "too new")] {
        let engine = FakeEngine::new().speaks(from, to);
        let id = engine.create(ContainerSpec::service("shop", "backend"));
        engine.start(&id);
        let reason = watch(&engine, &id, |_| {}).unreadable().await;
        assert!(reason.contains(sentence), "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_frame_of_the_engine_is_named_and_healed_by_the_next_new_line() {
    let engine = FakeEngine::new();
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    engine.start(&id);
    engine.log(&id, Stream::Stderr, &step("a1"));
    engine.log_error(
        &id,
        Some("Error grabbing logs: invalid character '\\x00' looking for beginning of value"),
    );
    let mut tail = watch(&engine, &id, |_| {});
    assert_eq!(tail.status().await, LogStatus::Following { reconnect: false });
    let reason = tail.unreadable().await;
    assert!(reason.contains("invalid character"), "{reason}");
    engine.log_error(&id, None);
    engine.clock().advance(Duration::from_secs(5));
    engine.log(&id, Stream::Stderr, &step("a2"));
    assert_eq!(tail.status().await, LogStatus::Following { reconnect: true });
    assert_eq!(tail.steps_to("a2").await, ["a2"]);
}
