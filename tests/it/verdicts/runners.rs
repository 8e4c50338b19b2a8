//! Several processes that work on one version table at the same time, and runs that say one thing while the database says another.

use migwatch::model::migration::{Outcome, Verdict};
use migwatch::model::policy::Policy;

use crate::support::story::{
    A_TO_B, APPLICATION_UP, B_TO_C, BACKEND, BACKEND_TABLE, DUPLICATE_COLUMN, RUNNING, Story, armed, policy,
};

/// Three replicas start at once, all armed, and announce their run.
fn three_replicas() -> Story {
    let mut story = Story::new(policy(Policy::Explicit));
    for number in 1..=3 {
        story
            .created_as(BACKEND, armed(), |look| look.number = Some(number))
            .started();
        if number == 1 {
            story.reads(&[(BACKEND_TABLE, &["a1"])]);
        }
        story.says(RUNNING);
    }
    story
}

fn containers(story: &Story) -> Vec<migwatch::model::service::ContainerId> {
    story.looks.keys().cloned().collect()
}

#[test]
fn three_replicas_that_race_are_one_migration_that_was_applied() {
    let mut story = three_replicas();
    let all = containers(&story);
    story
        .with(&all[0])
        .says(A_TO_B)
        .with(&all[1])
        .says(A_TO_B)
        .says(DUPLICATE_COLUMN)
        .dies(1)
        .with(&all[0])
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .says(APPLICATION_UP)
        .with(&all[2])
        .says(APPLICATION_UP)
        .seconds(60);
    let migration = story.migration();
    assert_eq!(
        (migration.outcome, migration.judgement.verdict),
        (Outcome::Applied, Verdict::Expected)
    );
    assert!(migration.concurrent && migration.cause.is_some());
    assert!(
        story.sent().contains(&"ConcurrentMigrations firing".to_owned()),
        "{:?}",
        story.sent()
    );
    assert!(!story.sent().iter().any(|sent| sent.starts_with("Unexpected")));
}

#[test]
fn three_replicas_at_head_are_one_quiet_run() {
    let mut story = three_replicas();
    for container in containers(&story) {
        story.with(&container).says(APPLICATION_UP);
    }
    story.seconds(60);
    assert_eq!(story.judged(), [(Outcome::NothingToDo, Verdict::Expected)]);
    assert!(story.is_quiet());
}

#[test]
fn all_replicas_that_fail_and_restart_are_one_alert_with_the_first_cause() {
    let mut story = three_replicas();
    for _ in 0..3 {
        for container in containers(&story) {
            story.with(&container).says(A_TO_B).says(DUPLICATE_COLUMN).dies(1);
        }
        for container in containers(&story) {
            story.with(&container).seconds(1).started().says(RUNNING);
        }
    }
    for container in containers(&story) {
        story.with(&container).says(DUPLICATE_COLUMN).dies(1);
    }
    story.seconds(60);
    assert_eq!(story.judged(), [(Outcome::Failed, Verdict::Expected)]);
    let failed = story
        .sent()
        .iter()
        .filter(|sent| *sent == "MigrationFailed firing")
        .count();
    assert_eq!(failed, 1, "{:?}", story.sent());
}

#[test]
fn a_replica_that_starts_long_after_the_others_work_is_a_migration_of_its_own() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(A_TO_B);
    story.seconds(1_200);
    story
        .created_as(BACKEND, armed(), |look| look.number = Some(2))
        .started()
        .says(RUNNING);
    assert_eq!(story.migrations().len(), 2);
}

#[test]
fn steps_without_a_move_of_the_table_are_a_contradiction_that_is_said() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .says(RUNNING)
        .says(A_TO_B)
        .says(APPLICATION_UP)
        .seconds(3)
        .reads(&[(BACKEND_TABLE, &["a1"])]);
    assert_eq!(story.migration().outcome, Outcome::Applied, "not settled yet");
    story.seconds(15).reads(&[(BACKEND_TABLE, &["a1"])]).seconds(15);
    let migration = story.migration();
    assert_eq!(migration.outcome, Outcome::NothingApplied);
    assert!(
        migration
            .outcome_reason
            .as_ref()
            .unwrap()
            .contains("still stands at a1")
    );
    assert_eq!(story.sent(), ["MigrationNothingApplied firing"]);
}

#[test]
fn a_late_error_of_one_runner_makes_no_failure_of_what_another_came_through_with() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .says(RUNNING);
    story
        .created_as(BACKEND, armed(), |look| look.number = Some(2))
        .started()
        .says(RUNNING)
        .says(A_TO_B);
    let error = story.line(DUPLICATE_COLUMN).unwrap();
    story.reads(&[(BACKEND_TABLE, &["b2"])]).seconds(120);
    assert_eq!(story.migration().outcome, Outcome::Applied);
    story.sees(error);
    assert_eq!(story.migration().outcome, Outcome::Applied);
    assert!(story.migration().cause.is_some(), "it is told all the same");
    assert_eq!(story.sent(), ["ConcurrentMigrations firing"]);
}

#[test]
fn where_a_table_was_found_right_before_a_step_that_leads_there_is_no_move_of_it() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .started()
        .says(RUNNING)
        .says(A_TO_B)
        .says(B_TO_C)
        .says(APPLICATION_UP);
    assert!(story.migration().movements.is_empty());
    story.seconds(15).reads(&[(BACKEND_TABLE, &["b2"])]).seconds(15);
    assert_eq!(story.migration().outcome, Outcome::NothingApplied);
}

#[test]
fn in_whatever_order_the_logs_of_two_replicas_come_they_are_one_migration() {
    let mut story = Story::new(policy(Policy::Deny));
    let mut started = Vec::new();
    for number in 1..=2 {
        story
            .created_as(BACKEND, armed(), |look| look.number = Some(number))
            .started();
        started.push(story.container.clone());
    }
    story.with(&started[0]);
    let first = story.line(RUNNING).unwrap();
    story.with(&started[1]);
    let second = story.line(RUNNING).unwrap();
    let second_up = story.line(APPLICATION_UP).unwrap();
    story.with(&started[0]);
    let step = story.line(A_TO_B).unwrap();
    let first_up = story.line(APPLICATION_UP).unwrap();
    for lines in [
        [&first, &step, &first_up, &second, &second_up],
        [&second, &second_up, &first, &step, &first_up],
        [&first, &second, &step, &second_up, &first_up],
    ] {
        let mut told = Story::new(policy(Policy::Deny));
        told.state = story.state.clone();
        let mut state = told.state;
        for line in lines {
            migwatch::judge::decide(&mut state, &story.settings, story.now, line);
        }
        let all: Vec<_> = state.durable.migrations.all.values().collect();
        assert_eq!(all.len(), 1, "{lines:?}");
        let migration = &all[0].migration;
        assert_eq!(
            (migration.outcome, migration.runners.len(), migration.concurrent),
            (Outcome::Applied, 2, true)
        );
    }
}

#[test]
fn a_start_that_is_heard_before_the_end_of_the_last_failed_replica_tries_the_same_again() {
    let mut story = three_replicas();
    let all = containers(&story);
    for container in &all[..2] {
        story.with(container).says(A_TO_B).says(DUPLICATE_COLUMN).dies(1);
    }
    // The log tells of its second start before the rest of its first one counts as read.
    story.with(&all[2]).says(A_TO_B).says(DUPLICATE_COLUMN);
    story.ends_unheard(1).starts_unheard().looked();
    story.says(RUNNING).says(A_TO_B).says(APPLICATION_UP);
    story.reads(&[(BACKEND_TABLE, &["b2"])]).seconds(60);
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Expected)]);
    assert_eq!(story.migration().attempts, 2);
}
