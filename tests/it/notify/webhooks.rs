//! Webhooks: each transition in order, at least once, through failures and stops.

use std::sync::Arc;
use std::time::Duration;

use migwatch::model::alert::Transition;
use migwatch::model::observation::Observation;
use migwatch::notify::{Config, Done};

use super::{Edge, RESEND, alert, owing, resolved, summaries, webhook};
use crate::support::receiver::{Answer, Down, PATIENCE, Received, Receiver};

#[tokio::test]
async fn nothing_is_lost_while_a_receiver_is_down_and_the_order_is_kept() {
    let down = Down::reserve();
    let mut edge = Edge::start(
        vec![webhook("ops", down.url("/hook"))],
        owing(vec![alert("a"), alert("b")]),
    );
    assert_eq!(edge.failed().await, "Connection refused (os error 111)");
    let third = Transition {
        number: 3,
        alert: Arc::new(resolved(&alert("a"))),
    };
    edge.publish(|outbox| outbox.transitions.push(third));
    let receiver = down.up();
    for number in 1..=3 {
        assert_eq!(edge.delivered().await, ("ops".to_owned(), number));
    }
    let messages = receiver.received();
    assert_eq!(summaries(&messages), ["a moved", "b moved", "a moved"]);
    assert_eq!(messages[2].body["phase"], "resolved");
    assert_eq!(edge.handed(), ["a moved", "b moved"]);
    edge.stopped().await;
}

#[tokio::test]
async fn an_unrelated_change_during_a_slow_delivery_sends_nothing_twice() {
    let receiver = Receiver::start();
    receiver.answer(Answer::Hold);
    let mut edge = Edge::start(
        vec![webhook("ops", receiver.url("/hook"))],
        owing(vec![alert("a")]),
    );
    receiver.count(1).await;
    // Published while the delivery is under way, and once more before its report is taken in: the outbox still owes it.
    edge.publish(|outbox| outbox.firing.clear());
    receiver.answer(Answer::status(200));
    assert_eq!(edge.delivered().await, ("ops".to_owned(), 1));
    edge.publish(|outbox| outbox.firing.clear());
    edge.publish(|outbox| {
        outbox.transitions.push(Transition {
            number: 2,
            alert: Arc::new(alert("b")),
        });
    });
    assert_eq!(edge.delivered().await, ("ops".to_owned(), 2));
    assert_eq!(summaries(&receiver.received()), ["a moved", "b moved"]);
    // Once the outbox knows, what follows is owed as ever.
    edge.publish(|outbox| {
        outbox.delivered.insert("ops".to_owned(), 2);
        outbox.transitions = vec![Transition {
            number: 3,
            alert: Arc::new(alert("c")),
        }];
    });
    assert_eq!(edge.delivered().await, ("ops".to_owned(), 3));
    assert_eq!(summaries(&receiver.received()), ["a moved", "b moved", "c moved"]);
}

#[tokio::test]
async fn what_was_delivered_before_the_start_is_not_sent_again() {
    let receiver = Receiver::start();
    let mut outbox = owing(vec![alert("a"), alert("b")]);
    outbox.delivered.insert("ops".to_owned(), 1);
    let mut edge = Edge::start(vec![webhook("ops", receiver.url("/hook"))], outbox);
    assert_eq!(edge.delivered().await, ("ops".to_owned(), 2));
    assert_eq!(summaries(&receiver.received()), ["b moved"]);
}

#[tokio::test]
async fn a_new_receiver_gets_nothing_old_though_it_starts_before_the_monitor_knows_it() {
    let (fresh, known) = (Receiver::start(), Receiver::start());
    let mut outbox = owing(vec![alert("a"), alert("b")]);
    outbox.delivered.insert("known".to_owned(), 1);
    let receivers = vec![
        webhook("new", fresh.url("/hook")),
        webhook("known", known.url("/hook")),
    ];
    let config = Config {
        resend: RESEND,
        timeout: PATIENCE,
    };
    let mut edge = Edge::after(Done::default(), config, receivers, outbox);
    // The new one began before the known one.
    assert_eq!(edge.delivered().await, ("known".to_owned(), 2));
    edge.publish(|outbox| {
        outbox.delivered = [("known".to_owned(), 3), ("new".to_owned(), 2)].into();
        outbox.transitions.push(Transition {
            number: 3,
            alert: Arc::new(alert("c")),
        });
    });
    assert_eq!(edge.delivered().await, ("new".to_owned(), 3));
    assert_eq!(summaries(&fresh.received()), ["c moved"]);
}

#[tokio::test]
async fn a_crash_between_answer_and_report_repeats_the_message_with_the_same_key() {
    let receiver = Receiver::start();
    let outbox = owing(vec![alert("a")]);
    let to = || vec![webhook("ops", receiver.url("/hook"))];
    let mut first = Edge::start(to(), outbox.clone());
    first.delivered().await;
    drop(first);
    let mut second = Edge::start(to(), outbox);
    second.delivered().await;
    let messages = receiver.received();
    let keys: Vec<&str> = messages.iter().map(Received::key).collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);
    assert!(keys[0].ends_with("-firing-1"), "{keys:?}");
    assert_eq!(messages[0].body, messages[1].body);
    assert_eq!(messages[0].body["key"], keys[0]);
}

#[tokio::test]
async fn who_takes_a_couriers_place_repeats_nothing_and_knows_of_its_failure() {
    let (ops, chat) = (Receiver::start(), Receiver::start());
    let to = || {
        vec![
            webhook("ops", ops.url("/hook")),
            webhook("chat", chat.url("/hook")),
        ]
    };
    chat.answer(Answer::status(500));
    let mut outbox = owing(vec![alert("a")]);
    outbox.delivered = [("ops".to_owned(), 0), ("chat".to_owned(), 0)].into();
    let mut first = Edge::start(to(), outbox.clone());
    let mut reports = [first.report().await, first.report().await];
    reports.sort_by_key(|report| matches!(report, Observation::DeliveryFailed { .. }));
    assert!(
        matches!(
            reports,
            [
                Observation::Delivered { up_to: 1, .. },
                Observation::DeliveryFailed { .. }
            ]
        ),
        "{reports:?}"
    );
    let done = first.stopped().await;
    // The outbox does not know of the delivery yet; what failed is no news.
    let config = Config {
        resend: RESEND,
        timeout: PATIENCE,
    };
    outbox.transitions.push(Transition {
        number: 2,
        alert: Arc::new(alert("b")),
    });
    let mut second = Edge::after(done, config, to(), outbox);
    assert_eq!(second.delivered().await, ("ops".to_owned(), 2));
    chat.answer(Answer::status(200));
    assert_eq!(second.delivered().await, ("chat".to_owned(), 1));
    assert_eq!(summaries(&ops.received()), ["a moved", "b moved"]);
    assert_eq!(second.handed(), ["b moved"]);
}

#[tokio::test]
async fn a_failure_is_reported_once_for_each_change_of_its_reason() {
    let receiver = Receiver::start();
    receiver.answer(Answer::With(500, vec![], "the page repeats /hook/s3cret"));
    let mut edge = Edge::start(
        vec![webhook("ops", receiver.url("/hook/s3cret"))],
        owing(vec![alert("a")]),
    );
    assert_eq!(edge.failed().await, "it answered 500");
    receiver.count(3).await;
    receiver.answer(Answer::status(503));
    assert_eq!(edge.failed().await, "it answered 503");
    receiver.answer(Answer::status(202));
    assert_eq!(edge.delivered().await, ("ops".to_owned(), 1));
}

#[tokio::test]
async fn a_refusal_quotes_a_receivers_own_word_and_a_redirect_is_not_followed() {
    for (answer, reason) in [
        (
            Answer::With(400, vec![], "invalid_payload"),
            "it answered 400: invalid_payload",
        ),
        (
            Answer::With(404, vec![], "Cannot POST /hook/s3cret"),
            "it answered 404",
        ),
        (
            Answer::With(302, vec![("location", "/elsewhere".to_owned())], ""),
            "it answered 302: it redirects; name the place where messages are taken",
        ),
    ] {
        let receiver = Receiver::start();
        receiver.answer(answer);
        let mut edge = Edge::start(
            vec![webhook("ops", receiver.url("/hook/s3cret"))],
            owing(vec![alert("a")]),
        );
        assert_eq!(edge.failed().await, reason);
        // The stop brings one more try, without waiting for the slow pause to end.
        edge.stop.cancel();
        let paths: Vec<_> = receiver
            .count(2)
            .await
            .into_iter()
            .map(|request| request.path)
            .collect();
        assert_eq!(paths, ["/hook/s3cret", "/hook/s3cret"]);
    }
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_is_cut_off_and_another_is_not_delayed() {
    let slow = Receiver::start();
    slow.answer(Answer::Hold);
    let quick = Receiver::start();
    let receivers = vec![webhook("slow", slow.url("/")), webhook("quick", quick.url("/"))];
    let config = Config {
        resend: RESEND,
        timeout: Duration::from_secs(1),
    };
    let mut edge = Edge::with(config, receivers, owing(vec![alert("a"), alert("b")]));
    // On a busy machine the quick one may be cut off too, and is then tried again: only the slow one's failure must come.
    let (mut cut_off, mut quick_has) = (None, 0);
    while cut_off.is_none() || quick_has < 2 {
        match edge.report().await {
            Observation::DeliveryFailed { receiver, reason } if receiver == "slow" => cut_off = Some(reason),
            Observation::Delivered { receiver, up_to, .. } if receiver == "quick" => quick_has = up_to,
            _ => {}
        }
    }
    assert_eq!(cut_off.as_deref(), Some("it did not answer within 1s"));
    slow.answer(Answer::status(200));
    let slow_has_all = |report: &Observation| match report {
        Observation::Delivered { receiver, up_to, .. } => receiver == "slow" && *up_to == 2,
        _ => false,
    };
    while !slow_has_all(&edge.report().await) {}
    // Each alert was handed over once: by whoever was first.
    assert_eq!(edge.handed(), ["a moved", "b moved"]);
}

#[tokio::test]
async fn the_stop_lets_a_delivery_under_way_end_and_tries_what_is_owed() {
    let receiver = Receiver::start();
    receiver.answer(Answer::Hold);
    let edge = Edge::start(
        vec![webhook("ops", receiver.url("/"))],
        owing(vec![alert("a"), alert("b")]),
    );
    receiver.count(1).await;
    edge.stop.cancel();
    receiver.answer(Answer::status(200));
    edge.stopped().await;
    assert_eq!(summaries(&receiver.received()), ["a moved", "b moved"]);
}

#[tokio::test]
async fn the_stop_does_not_wait_for_a_receiver_that_hangs() {
    let receiver = Receiver::start();
    receiver.answer(Answer::Hold);
    let edge = Edge::start(vec![webhook("ops", receiver.url("/"))], owing(vec![alert("a")]));
    receiver.count(1).await;
    edge.stopped().await;
}
