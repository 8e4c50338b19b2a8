//! migwatch itself is killed in the middle of a migration, and started again.

use std::collections::BTreeMap;

use super::*;

#[tokio::test]
async fn killed_in_the_middle_of_a_migration_it_tells_it_once_and_misses_nothing_of_the_time_it_was_dead() {
    let mut stage = Stage::watch("deny", "").await;
    let id = stage.up(app("backend", "true"), &[RUN, &step("", FIRST)]);
    stage.told(&["UnexpectedMigration(backend)"]).await;
    let running = stage
        .migration("backend", 1, "is in its step", |migration| {
            migration.steps.len() == 1
        })
        .await;
    assert_eq!(running.outcome, Outcome::Running);
    stage.kill().await;

    // It ends, and another one runs from its beginning to its end, while nobody watches.
    stage.catch_up();
    stage.says(&id, &step(FIRST, HEAD));
    stage.says(&id, UP);
    stage.up(app("ledger", "true"), &[RUN, &step("", FIRST), UP]);
    stage.start().await;

    let applied = |migration: &Migration| migration.outcome == Outcome::Applied;
    let migration = stage.migration("backend", 1, "is applied", applied).await;
    assert_eq!(span(&migration), from_to(&[], &[HEAD]));
    assert_eq!(
        (migration.id, migration.steps.len(), migration.attempts),
        (running.id, 2, 1)
    );
    let missed = stage.migration("ledger", 1, "was not lost", applied).await;
    assert_eq!(judgement(&missed), (Verdict::Unexpected, Rule::DenyEverything));
    for service in ["backend", "ledger"] {
        assert_eq!(stage.counted(service, "applied").await, Some(1.0));
        assert_eq!(stage.judged(service, "unexpected").await, Some(1.0));
    }
    let told = stage.before_the_sentinel().await;
    let times = repeats(&told);
    assert_eq!(times.len(), 2, "one message for each migration: {times:?}");
    assert!(
        times.values().sum::<u32>() <= 3,
        "at most one is repeated, with its own key: {times:?}"
    );
}

/// How often each message came, by what it says and its key.
fn repeats(told: &[Received]) -> BTreeMap<(String, &str), u32> {
    let mut times = BTreeMap::new();
    for (short, message) in short(told).into_iter().zip(told) {
        *times.entry((short, message.key())).or_default() += 1;
    }
    times
}
