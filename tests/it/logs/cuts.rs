//! Lines in whatever pieces they come, streams that break, engines that go and come back.

use migwatch::docker::endpoint::Endpoint;
use migwatch::model::log::{ResumeFrom, Stream};
use migwatch::model::observation::{LogStatus, Observation};
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::watch::channel as watch_channel;
use tokio::task::JoinSet;

use super::watched::{step, steps, watch, watch_at};
use crate::support::fake_engine::containers::{ContainerSpec, Cut};
use crate::support::fake_engine::{Chunks, FakeEngine};

const RECONNECTED: LogStatus = LogStatus::Following { reconnect: true };

#[tokio::test(start_paused = true)]
async fn a_container_that_lived_five_milliseconds_is_read_completely() {
    let engine = FakeEngine::new();
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    engine.start(&id);
    engine.log(&id, Stream::Stdout, "Running Alembic migrations...");
    engine.log(&id, Stream::Stderr, &step("a1"));
    engine.log(&id, Stream::Stderr, &step("a2"));
    engine.die(&id, 0);
    let tail = watch(&engine, &id, |_| {});
    tail.running.send_replace(false);
    let (told, _) = tail.rest().await;
    assert_eq!(steps(&told), ["a1", "a2"]);
    let ended = Observation::LogStatus {
        container: id,
        status: LogStatus::Ended,
    };
    assert_eq!(told.last(), Some(&ended));
}

#[tokio::test(start_paused = true)]
async fn a_stream_cut_in_any_way_resumes_where_it_stopped() {
    for cut in [Cut::InsideTheNextLine, Cut::BetweenLines, Cut::InGoodOrder] {
        let engine = FakeEngine::new();
        let id = engine.create(ContainerSpec::service("shop", "backend"));
        engine.start(&id);
        let mut tail = watch(&engine, &id, |_| {});
        assert_eq!(tail.status().await, LogStatus::Following { reconnect: false });
        engine.log(&id, Stream::Stderr, &step("a1"));
        let (_, first) = tail.keyed_step().await;
        engine.cut_logs(&id, cut);
        engine.log(&id, Stream::Stderr, &step("a2"));
        assert_eq!(tail.status().await, RECONNECTED, "{cut:?}");
        // What lies within the overlap comes again, and is the same line.
        assert_eq!(tail.keyed_step().await, ("a1".to_owned(), first), "{cut:?}");
        engine.log(&id, Stream::Stderr, &step("a3"));
        assert_eq!(tail.steps_to("a3").await, ["a2", "a3"], "{cut:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_position_travels_behind_its_lines_and_comes_back_when_the_tail_is_stopped() {
    let engine = FakeEngine::new();
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    engine.start(&id);
    let mut tail = watch(&engine, &id, |_| {});
    engine.log(&id, Stream::Stderr, &step("a1"));
    let (_, key) = tail.keyed_step().await;
    assert_eq!(tail.position().await, Some(key.at));
    // A line that says nothing moves the position too, a little later.
    engine.log(&id, Stream::Stdout, "GET /health 200");
    let later = tail.position().await;
    assert!(later > Some(key.at));
    tail.stop.cancel();
    assert_eq!(tail.ended().await.position, later);
}

#[tokio::test(start_paused = true)]
async fn bytes_in_any_pieces_say_the_same() {
    for chunks in [Chunks::Bytes(1), Chunks::Bytes(7), Chunks::Bytes(1 << 20)] {
        for tty in [false, true] {
            let engine = FakeEngine::new().chunks(chunks);
            let id = engine.create(ContainerSpec {
                tty,
                ..ContainerSpec::service("shop", "backend")
            });
            engine.start(&id);
            engine.log(&id, Stream::Stdout, "GET /health 200");
            engine.log(&id, Stream::Stderr, &step("a1"));
            engine.log(&id, Stream::Stdout, &step("a2"));
            engine.die(&id, 0);
            let tail = watch(&engine, &id, |tail| tail.tty = tty);
            tail.running.send_replace(false);
            assert_eq!(steps(&tail.rest().await.0), ["a1", "a2"], "terminal: {tty}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_the_engine_cut_at_16_kib_is_understood() {
    for tty in [false, true] {
        let engine = FakeEngine::new();
        let id = engine.create(ContainerSpec {
            tty,
            ..ContainerSpec::service("shop", "backend")
        });
        engine.start(&id);
        let mut tail = watch(&engine, &id, |tail| tail.tty = tty);
        let message = step("a1");
        let padding = " ".repeat(16 * 1024 - message.len() / 2);
        engine.log(&id, Stream::Stdout, &format!("{padding}{message}"));
        engine.log(&id, Stream::Stdout, &step("a2"));
        assert_eq!(tail.steps_to("a2").await, ["a1", "a2"], "terminal: {tty}");
    }
}

#[tokio::test(start_paused = true)]
async fn lines_that_a_rotation_delivers_twice_have_the_same_key() {
    let engine = FakeEngine::new();
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    engine.start(&id);
    let mut tail = watch(&engine, &id, |_| {});
    assert_eq!(tail.status().await, LogStatus::Following { reconnect: false });
    engine.rotate(&id, 1);
    engine.log(&id, Stream::Stderr, &step("a1"));
    engine.log(&id, Stream::Stderr, &step("a2"));
    let first = tail.keyed_step().await;
    assert_eq!(tail.keyed_step().await, first);
    assert_eq!(tail.step().await, "a2");
}

#[tokio::test(start_paused = true)]
async fn podmans_equal_lines_of_one_second_are_told_apart() {
    let engine = FakeEngine::new().podman();
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    engine.start(&id);
    engine.log(&id, Stream::Stderr, &step("a1"));
    engine.log(&id, Stream::Stderr, &step("a1"));
    let mut tail = watch(&engine, &id, |_| {});
    let ((_, first), (_, second)) = (tail.keyed_step().await, tail.keyed_step().await);
    assert_eq!((first.at, first.hash), (second.at, second.hash));
    assert_eq!((first.ordinal, second.ordinal), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_goes_and_comes_back_is_named_and_nothing_is_lost() {
    let engine = FakeEngine::new();
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    engine.start(&id);
    let mut tail = watch(&engine, &id, |_| {});
    engine.log(&id, Stream::Stderr, &step("a1"));
    assert_eq!(tail.step().await, "a1");
    engine.down();
    let reason = tail.unreadable().await;
    assert!(
        reason.contains("cannot connect to the engine at unix://"),
        "{reason}"
    );
    engine.log(&id, Stream::Stderr, &step("a2"));
    engine.up();
    assert_eq!(tail.status().await, RECONNECTED);
    assert_eq!(tail.steps_to("a2").await, ["a1", "a2"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_container_wrote_before_it_died_with_the_engine_away_is_still_read() {
    let engine = FakeEngine::new();
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    engine.start(&id);
    let mut tail = watch(&engine, &id, |_| {});
    assert_eq!(tail.status().await, LogStatus::Following { reconnect: false });
    engine.down();
    tail.unreadable().await;
    engine.log(&id, Stream::Stderr, &step("a1"));
    engine.die(&id, 1);
    tail.running.send_replace(false);
    engine.up();
    assert_eq!(steps(&tail.rest().await.0), ["a1"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_inbox_makes_the_tail_wait_and_loses_nothing() {
    let engine = FakeEngine::new().chunks(Chunks::Bytes(64 * 1024));
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    engine.start(&id);
    let written: Vec<String> = (0..3000).map(|number| format!("r{number}")).collect();
    for revision in &written {
        engine.log(&id, Stream::Stderr, &step(revision));
    }
    let mut tail = watch_at(Endpoint::Unix(engine.socket()), &id, 1, |_| {});
    assert_eq!(tail.steps_to("r2999").await, written);
}

#[tokio::test]
async fn an_engine_over_tcp_is_followed_like_one_on_a_socket() {
    let engine = FakeEngine::new();
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    engine.start(&id);
    engine.log(&id, Stream::Stderr, &step("a1"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let socket = engine.socket();
    let mut relay = JoinSet::new();
    relay.spawn(async move {
        let (mut outside, _) = listener.accept().await.unwrap();
        let mut inside = UnixStream::connect(socket).await.unwrap();
        drop(tokio::io::copy_bidirectional(&mut outside, &mut inside).await);
    });
    let endpoint = Endpoint::Tcp {
        host: "127.0.0.1".to_owned(),
        port,
    };
    let mut tail = watch_at(endpoint, &id, 64, |tail| tail.resume = ResumeFrom::Recent);
    assert_eq!(tail.step().await, "a1");
}

#[tokio::test(start_paused = true)]
async fn a_lost_engine_is_looked_at_before_its_logs_are_read_again_so_that_a_new_start_is_told_before_its_lines()
 {
    let engine = FakeEngine::new();
    let id = engine.create(ContainerSpec::service("shop", "backend"));
    engine.start(&id);
    let requests = engine.log_requests(&id);
    let (look, looked) = watch_channel(true);
    let mut tail = watch(&engine, &id, |tail| tail.looked = looked);
    assert_eq!(tail.status().await, LogStatus::Following { reconnect: false });
    look.send_replace(false);
    engine.cut_logs(&id, Cut::InGoodOrder);
    engine.log(&id, Stream::Stderr, &step("a1"));
    assert_eq!(tail.unreadable().await, "the engine does not answer");
    assert_eq!(requests.borrow().len(), 1);
    look.send_replace(true);
    assert_eq!(tail.status().await, RECONNECTED);
    assert_eq!(tail.step().await, "a1");
}
