//! Failed and interrupted migrations, restart loops, and what resolves them.

use migwatch::model::alert::AlertName;
use migwatch::model::cause::CauseClass;
use migwatch::model::migration::{Outcome, Verdict};
use migwatch::model::policy::Policy;
use migwatch::model::status::ConditionWord;

use crate::support::story::{
    A_TO_B, APPLICATION_UP, BACKEND, BACKEND_TABLE, CONTEXT, DROP_MISSING, DUPLICATE_COLUMN, RUNNING, Story,
    armed, policy,
};

/// A declared deploy whose revision cannot work on this schema.
fn failing_deploy() -> Story {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])]);
    story
        .says(RUNNING)
        .says(CONTEXT)
        .says(A_TO_B)
        .says(DROP_MISSING)
        .dies(1);
    story
}

fn fails_again(story: &mut Story) {
    story
        .seconds(2)
        .started()
        .says(RUNNING)
        .says(CONTEXT)
        .says(A_TO_B)
        .says(DUPLICATE_COLUMN)
        .dies(1);
}

#[test]
fn a_failing_revision_that_restarts_for_ever_is_one_migration_with_the_first_cause() {
    let mut story = failing_deploy();
    for _ in 0..20 {
        fails_again(&mut story);
    }
    let migration = story.migration();
    assert_eq!((migration.outcome, migration.attempts), (Outcome::Failed, 21));
    assert_eq!(migration.cause.as_ref().unwrap().class, CauseClass::DropMissing);
    assert_eq!(migration.judgement.verdict, Verdict::Expected);
    assert_eq!(story.sent(), ["MigrationFailed firing", "RestartLoop firing"]);
    assert_eq!(story.counted(BACKEND, Outcome::Failed), 1);
    let alert = story.alert(AlertName::RestartLoop);
    assert!(
        alert.description.contains("1091") || alert.description.contains("fk_chat"),
        "{}",
        alert.description
    );
}

#[test]
fn a_retry_is_known_even_if_the_end_of_the_first_attempt_was_not_settled_yet() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(A_TO_B)
        .says(DROP_MISSING);
    story.ends_unheard(1).hears_of_the_end();
    story.starts_unheard().hears_of_the_start().says(RUNNING);
    assert_eq!(story.migration().attempts, 2);
    assert_eq!(story.sent(), ["MigrationFailed firing"]);
}

#[test]
fn a_retry_that_comes_through_resolves_the_failure() {
    let mut story = failing_deploy();
    story
        .seconds(2)
        .started()
        .says(RUNNING)
        .says(A_TO_B)
        .says(APPLICATION_UP);
    assert_eq!(story.migration().outcome, Outcome::Applied);
    assert_eq!(
        story.sent(),
        ["MigrationFailed firing", "MigrationFailed resolved"]
    );
    assert_eq!(
        story.counted(BACKEND, Outcome::Failed),
        1,
        "counted once, when first settled"
    );
}

#[test]
fn the_next_deploy_that_comes_through_resolves_the_failure_of_the_last() {
    let mut story = failing_deploy();
    story
        .seconds(600)
        .recreated(armed())
        .says(RUNNING)
        .says(APPLICATION_UP);
    assert!(!story.firing().contains(&AlertName::MigrationFailed));
    assert_eq!(story.migrations().len(), 2);
}

#[test]
fn an_error_read_after_the_exit_still_names_the_cause() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(A_TO_B);
    let error = story.line(DROP_MISSING).unwrap();
    story.ends_unheard(1).hears_of_the_end().seconds(3).sees(error);
    assert!(story.migration().cause.is_some());
    assert!(
        story
            .alert(AlertName::MigrationFailed)
            .summary
            .contains("fk_chat")
    );
    assert_eq!(story.counted(BACKEND, Outcome::Failed), 1);
}

#[test]
fn an_error_of_the_application_after_it_came_up_is_no_failure_of_its_migration() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(A_TO_B)
        .says(APPLICATION_UP);
    story.says(DROP_MISSING).seconds(60);
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Expected)]);
    assert!(story.is_quiet());
}

#[test]
fn a_container_killed_in_the_middle_of_a_migration_is_interrupted() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(A_TO_B)
        .stopped(137);
    assert_eq!(story.migration().outcome, Outcome::Interrupted);
    assert_eq!(story.sent(), ["MigrationInterrupted firing"]);
}

#[test]
fn an_application_that_never_says_it_is_up_is_not_interrupted_by_the_nightly_stop() {
    for steps in [&[][..], &[A_TO_B]] {
        let mut story = Story::new(policy(Policy::Explicit));
        story
            .created(BACKEND, armed())
            .started()
            .reads(&[(BACKEND_TABLE, &["a1"])])
            .says(RUNNING);
        for step in steps {
            story.says(step).reads(&[(BACKEND_TABLE, &["b2"])]);
        }
        story.seconds(1200);
        assert_eq!(story.condition(BACKEND), ConditionWord::Up);
        story.stopped(137).seconds(60);
        let expected = if steps.is_empty() {
            Outcome::NothingToDo
        } else {
            Outcome::Applied
        };
        assert_eq!(story.migration().outcome, expected);
        assert!(story.is_quiet(), "{:?}", story.sent());
    }
}

#[test]
fn a_long_step_is_never_taken_for_ended_by_silence() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])]);
    story.says(RUNNING).says(A_TO_B).seconds(7200);
    assert_eq!(story.migration().outcome, Outcome::Running);
    assert_eq!(story.condition(BACKEND), ConditionWord::Migrating);
}

#[test]
fn what_the_container_of_a_failure_runs_days_later_is_a_migration_of_its_own() {
    let mut story = failing_deploy();
    story.seconds(3 * 86_400).started().says(RUNNING).says(A_TO_B);
    story
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .says(APPLICATION_UP)
        .seconds(60);
    let told = [
        (Outcome::Failed, Verdict::Expected),
        (Outcome::Applied, Verdict::Unexpected),
    ];
    assert_eq!(story.judged(), told);
    assert!(story.firing().contains(&AlertName::UnexpectedMigration));
    assert!(!story.firing().contains(&AlertName::MigrationFailed));
}
