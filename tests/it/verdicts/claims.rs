//! A line is anybody's text: what only a line says is a claim until the database confirms it.

use migwatch::model::container::Health;
use migwatch::model::migration::{Grade, Outcome, Rule, Verdict};
use migwatch::model::policy::Policy;
use migwatch::model::probe::Via;

use crate::support::story::{
    A_TO_B, APPLICATION_UP, BACKEND, BACKEND_TABLE, RUNNING, SKIPPING, Story, armed, disarmed, nothing,
    policy,
};

fn assert_claim(story: &Story) {
    let last = story.migrations().last().copied().unwrap();
    assert_eq!(
        (last.grade, last.judgement.rule),
        (Grade::Claimed, Rule::ClaimOnly)
    );
    assert!(story.is_quiet(), "{:?}", story.sent());
    assert!(story.counters(BACKEND).verdicts.values().all(|count| *count == 0));
}

#[test]
fn a_disarmed_container_that_says_it_ran_only_claims_it() {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, disarmed())
        .started()
        .says(RUNNING)
        .says(A_TO_B)
        .seconds(600);
    assert_claim(&story);
    assert_eq!(story.counted(BACKEND, Outcome::Applied), 0);
}

#[test]
fn a_container_that_cannot_migrate_only_claims_it() {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, nothing())
        .started()
        .says(RUNNING)
        .says(A_TO_B)
        .dies(1);
    assert_eq!(story.migration().grade, Grade::Claimed);
    assert!(!story.sent().contains(&"MigrationFailed firing".to_owned()));
}

#[test]
fn a_line_after_the_application_came_up_is_a_claim() {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, armed())
        .started()
        .says(APPLICATION_UP)
        .seconds(5)
        .says(RUNNING)
        .says(A_TO_B);
    assert_claim(&story);
}

#[test]
fn a_line_after_the_health_check_passed_is_a_claim() {
    let mut story = Story::new(policy(Policy::Deny));
    story.created(BACKEND, armed()).started();
    story.change(|look| look.health = Some(Health::Healthy)).looked();
    story.says(RUNNING).says(A_TO_B);
    assert_claim(&story);
}

#[test]
fn a_line_after_the_endpoint_answered_is_a_claim() {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, armed())
        .started()
        .answers(BACKEND, Via::Direct)
        .says(RUNNING)
        .says(A_TO_B);
    assert_claim(&story);
}

#[test]
fn a_line_long_after_the_start_is_a_claim() {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, armed())
        .started()
        .seconds(1200)
        .says(RUNNING)
        .says(A_TO_B);
    assert_claim(&story);
}

#[test]
fn a_line_after_the_run_of_the_same_start_is_over_is_a_claim() {
    let mut story = Story::new(policy(Policy::Allow));
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(APPLICATION_UP)
        .seconds(5);
    story.says(RUNNING).says(A_TO_B);
    assert_claim(&story);
}

#[test]
fn a_start_that_skipped_only_claims_to_run_afterwards() {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, armed())
        .started()
        .says(SKIPPING)
        .says(RUNNING)
        .says(A_TO_B);
    assert_claim(&story);
}

#[test]
fn a_skip_quoted_by_the_application_is_not_counted_again() {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, disarmed())
        .started()
        .says(SKIPPING)
        .says(APPLICATION_UP)
        .seconds(5);
    story.says(SKIPPING).says(SKIPPING);
    assert_eq!(story.counters(BACKEND).skips, 1);
}

#[test]
fn a_claim_that_the_database_confirms_is_judged_by_the_policy_and_counted_once() {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, disarmed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])]);
    story.says(RUNNING).says(A_TO_B).seconds(70);
    assert_claim(&story);
    story.reads(&[(BACKEND_TABLE, &["b2"])]).seconds(60);
    assert_eq!(story.migration().grade, Grade::Confirmed);
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Unexpected)]);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
    assert_eq!(story.counted(BACKEND, Outcome::Applied), 1);
    assert_eq!(story.counted_as(BACKEND, Verdict::Unexpected), 1);
    assert_eq!(story.counted_as(BACKEND, Verdict::Undetermined), 0);
}

#[test]
fn a_quoted_step_is_not_confirmed_by_a_table_that_already_stood_there() {
    for read_before in [true, false] {
        let mut story = Story::new(policy(Policy::Deny));
        story.created(BACKEND, disarmed()).started().says(SKIPPING);
        if read_before {
            story.reads(&[(BACKEND_TABLE, &["b2"])]);
        }
        story
            .says(A_TO_B)
            .reads(&[(BACKEND_TABLE, &["b2"])])
            .seconds(5)
            .reads(&[(BACKEND_TABLE, &["b2"])]);
        assert_claim(&story);
    }
}

#[test]
fn a_real_run_after_a_claim_that_was_cut_off_is_not_hidden_in_it() {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(APPLICATION_UP)
        .seconds(5);
    story
        .says(RUNNING)
        .stopped(137)
        .started()
        .says(RUNNING)
        .says(A_TO_B);
    assert_eq!(story.migrations().last().unwrap().grade, Grade::Witnessed);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}
