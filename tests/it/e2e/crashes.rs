//! migwatch itself is killed in the middle of a migration, and started again.

use std::collections::BTreeMap;

use super::*;
use crate::support::receiver::{Received, Receiver};

/// The next release, and one whose step takes its time.
const SLOW: (&str, &str) = ("RELEASES", "next slow");

#[tokio::test]
async fn killed_in_the_middle_of_a_migration_it_tells_it_once_and_misses_nothing_of_the_time_it_was_dead() {
    let webhook = Receiver::start();
    let more = format!("[receiver.webhook.hook]\nurl = \"{}\"\n", webhook.url("/hook"));
    let mut scene = Scene::watch(Stack::new().await, "deny", &more).await;
    scene
        .stack
        .up("backend", &[RUN, SLOW, ("SLOW_SECONDS", "4")])
        .await;
    let project = scene.stack.project.clone();
    let is_of = |received: &Received, service: &str| is_of(received, &project, service);
    let heard = |all: &[Received], service: &str| all.iter().any(|received| is_of(received, service));
    webhook
        .until("the first message", |all| heard(all, "backend"))
        .await;
    let slow = |migration: &Migration| {
        migration
            .steps
            .iter()
            .any(|timed| timed.step.to.iter().any(|revision| revision.0 == "d5a83f0b7e14"))
    };
    let running = scene.migration("backend", 1, "is in its slow step", slow).await;
    assert_eq!(running.outcome, Outcome::Running);
    scene.kill().await;

    // It ends, and another one runs from its beginning to its end, while nobody watches.
    scene.stack.healthy("backend").await;
    scene.stack.up("ledger", &[RUN]).await;
    scene.stack.healthy("ledger").await;
    scene.start().await;

    let whole =
        |migration: &Migration| is_confirmed(migration) && span(migration) == from_to(&[], &["d5a83f0b7e14"]);
    let migration = scene
        .migration("backend", 1, "is confirmed to its end", whole)
        .await;
    assert_eq!(
        (migration.id, migration.steps.len(), migration.attempts),
        (running.id, 6, 1)
    );
    let missed = scene
        .migration("ledger", 1, "was not lost", |migration| {
            migration.outcome == Outcome::Applied
        })
        .await;
    assert_eq!(judgement(&missed), (Verdict::Unexpected, Rule::DenyEverything));
    scene
        .heard_beside_the_sentinel(&["UnexpectedMigration(backend)", "UnexpectedMigration(ledger)"])
        .await;
    for service in ["backend", "ledger"] {
        assert_eq!(scene.counted(service, "applied").await, Some(1.0));
        assert_eq!(scene.judged(service, "unexpected").await, Some(1.0));
    }

    let received = webhook
        .until("the sentinel's message", |all| heard(all, "sentinel"))
        .await;
    let services = ["backend", "ledger", "sentinel"];
    let times = repeats(&received, |received| {
        services.iter().any(|service| is_of(received, service))
    });
    assert_eq!(times.len(), 3, "one message for each migration: {times:?}");
    assert!(
        times.values().sum::<u32>() <= 4,
        "at most one is repeated, with its own key: {times:?}"
    );
}

/// Whether a message is about this service: the webhook hears of every project on this host.
fn is_of(received: &Received, project: &str, service: &str) -> bool {
    let body = received.body.to_string();
    [("project", project), ("service", service)]
        .iter()
        .all(|(label, value)| body.contains(&format!("\"{label}\":\"{value}\"")))
}

/// How often each message came, by its key.
fn repeats(received: &[Received], is_own: impl Fn(&Received) -> bool) -> BTreeMap<&str, u32> {
    let mut times = BTreeMap::new();
    for received in received.iter().filter(|received| is_own(received)) {
        *times.entry(received.key()).or_default() += 1;
    }
    times
}
