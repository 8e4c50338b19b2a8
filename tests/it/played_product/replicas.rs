//! Several replicas of one service: each has its own log and its own end.

use super::*;

fn replica(number: u32, switch: &str) -> ContainerSpec {
    let spec = app("backend", switch);
    ContainerSpec {
        command: spec.command,
        environment: spec.environment,
        ..ContainerSpec::replica(PROJECT, "backend", number)
    }
}

#[tokio::test]
async fn two_replicas_that_migrate_at_once_are_one_migration_that_is_heard_once() {
    let stage = Stage::watch("deny", "").await;
    let [first, second] = [1, 2].map(|number| stage.up(replica(number, "true"), &[RUN]));
    stage.says(&first, &step("", HEAD));
    let is_in_its_step = |run: &Migration| run.moved() && run.runners.len() == 2;
    stage
        .migration("backend", 1, "is in its step", is_in_its_step)
        .await;
    // The second one has waited for the lock, and finds nothing to do.
    stage.says(&first, UP);
    stage.says(&second, UP);
    let applied = |run: &Migration| run.outcome == Outcome::Applied;
    let run = stage.migration("backend", 1, "is applied", applied).await;
    let told = stage.before_the_sentinel().await;
    let wanted = ["ConcurrentMigrations(backend)", "UnexpectedMigration(backend)"];
    assert_eq!(sorted(&told), wanted);
    assert!(
        told.iter().all(|message| label(message, "migration") == run.id.0),
        "{told:?}"
    );
    assert_eq!(stage.judged("backend", "unexpected").await, Some(1.0));
    let running = stage
        .metric("migwatch_containers", "backend", &[("state", "running")])
        .await;
    assert_eq!(running, Some(2.0));
}

#[tokio::test]
async fn of_two_replicas_one_that_crashed_is_told_with_how_many_run_and_both_as_the_service() {
    let stage = Stage::watch("deny", "").await;
    let replicas = [1, 2].map(|number| stage.up(replica(number, "false"), &[SKIP, UP]));
    let up = |service: &ServiceStatus| service.counters.skips == 2;
    stage.service("backend", "both are up", up).await;
    stage.catch_up();
    stage.engine.die(&replicas[1], 1);
    let told = stage.told(&["ServiceUnhealthy(backend)"]).await;
    assert!(words(&told[0]).contains("1 of 2 replicas run"), "{told:?}");
    let is_up = stage.metric("migwatch_service_up", "backend", &[]).await;
    assert_eq!(is_up, Some(1.0));

    stage.engine.die(&replicas[0], 1);
    stage
        .service("backend", "is down", |service| !service.is_up())
        .await;
    let wanted = [
        "ServiceDown(backend)",
        "ServiceUnhealthy(backend)",
        "ServiceUnhealthy(backend) resolved",
    ];
    assert_eq!(sorted(&stage.before_the_sentinel().await), wanted);
}
