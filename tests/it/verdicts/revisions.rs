//! Approvals to a revision: X covers no Y.

use migwatch::model::migration::{Rule, Verdict};
use migwatch::model::policy::Policy;

use crate::support::story::{
    A_TO_B, APPLICATION_UP, B_TO_C, BACKEND, BACKEND_TABLE, C_TO_B, DROP_MISSING, RUNNING, Story, armed,
    leave_to, policy,
};

fn denied(heads: &str) -> Story {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &[heads])]);
    story.says(RUNNING).says(APPLICATION_UP).seconds(600);
    story.stopped(137);
    story
}

fn rule(story: &Story) -> Rule {
    story.latest().judgement.rule
}

#[test]
fn steps_on_the_way_to_the_revision_are_covered_and_so_is_arriving() {
    let mut story = denied("a1");
    let id = story.approved(leave_to(BACKEND, "c3"));
    story.started().says(RUNNING).says(A_TO_B);
    assert_eq!(rule(&story), Rule::Approved);
    story.reads(&[(BACKEND_TABLE, &["b2"])]);
    assert_eq!(rule(&story), Rule::Approved);
    story
        .says(B_TO_C)
        .says(APPLICATION_UP)
        .reads(&[(BACKEND_TABLE, &["c3"])]);
    assert_eq!(rule(&story), Rule::Approved);
    assert_eq!(story.end_of(&id), "used up");
    assert_eq!(
        story.latest().judgement.reason,
        "kim had approved it to go to c3: release 42"
    );
    story.seconds(1200);
    assert!(story.is_quiet());
}

#[test]
fn a_step_beyond_the_revision_is_unexpected_at_once() {
    let mut story = denied("a1");
    let id = story.approved(leave_to(BACKEND, "b2"));
    story.started().says(RUNNING).says(A_TO_B);
    assert!(story.is_quiet());
    story.says(B_TO_C);
    let judgement = &story.latest().judgement;
    assert_eq!(
        (judgement.verdict, judgement.rule),
        (Verdict::Unexpected, Rule::DenyEverything)
    );
    assert!(
        judgement
            .reason
            .ends_with("it was expected to go to b2, and went on from there"),
        "{}",
        judgement.reason
    );
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
    story.says(APPLICATION_UP);
    assert_eq!(story.counted_as(BACKEND, Verdict::Unexpected), 1);
    assert_eq!(story.counted_as(BACKEND, Verdict::Expected), 0);
    assert_eq!(story.end_of(&id), "", "nothing that it covers came through");
}

#[test]
fn one_that_ends_elsewhere_is_unexpected_and_counted_so() {
    let mut story = denied("a1");
    story.approved(leave_to(BACKEND, "c3"));
    story.started().says(RUNNING).says(A_TO_B);
    assert!(story.is_quiet());
    story.says(APPLICATION_UP);
    assert_eq!(rule(&story), Rule::DenyEverything);
    assert!(story.latest().judgement.reason.ends_with("and ended at b2"));
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
    assert_eq!(story.counted_as(BACKEND, Verdict::Unexpected), 1);
    assert_eq!(story.counted_as(BACKEND, Verdict::Expected), 0);
}

#[test]
fn one_without_readable_steps_is_judged_by_where_the_table_stands_in_the_end() {
    for (stands, expected) in [("b2", Rule::Approved), ("c3", Rule::DenyEverything)] {
        let mut story = denied("a1");
        story.approved(leave_to(BACKEND, "b2"));
        story.started().says(RUNNING).reads(&[(BACKEND_TABLE, &[stands])]);
        assert_eq!(rule(&story), Rule::Approved, "it may still be on its way");
        story.says(APPLICATION_UP);
        assert_eq!(rule(&story), expected, "{stands}");
    }
}

#[test]
fn a_late_reading_that_shows_another_revision_corrects_the_verdict_with_its_reason() {
    let mut story = denied("a1");
    story.approved(leave_to(BACKEND, "b2"));
    story.started().says(RUNNING).says(APPLICATION_UP);
    assert!(story.is_quiet());
    story.seconds(1).reads(&[(BACKEND_TABLE, &["c3"])]);
    assert_eq!(rule(&story), Rule::DenyEverything);
    assert!(
        story.latest().judgement.reason.contains("ended at c3"),
        "{}",
        story.latest().judgement.reason
    );
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn another_branch_may_go_on_as_long_as_the_revision_stays_a_head() {
    let mut story = denied("a1");
    story.approved(leave_to(BACKEND, "b2"));
    story.started().says(RUNNING).says(A_TO_B);
    story
        .says("INFO  [alembic.runtime.migration] Running upgrade x1 -> y2, another branch")
        .says(APPLICATION_UP);
    assert_eq!(rule(&story), Rule::Approved);
    assert!(story.is_quiet());
}

#[test]
fn a_way_down_to_the_revision_is_covered_and_one_past_it_is_not() {
    let past = "INFO  [alembic.runtime.migration] Running downgrade b2 -> a1, add a column";
    for (steps, expected) in [
        (vec![C_TO_B], Rule::Approved),
        (vec![C_TO_B, past], Rule::DenyEverything),
    ] {
        let mut story = denied("c3");
        story.approved(leave_to(BACKEND, "b2"));
        story.started().says(RUNNING);
        for step in steps {
            story.says(step);
        }
        story.says(APPLICATION_UP);
        assert_eq!(rule(&story), expected);
    }
}

#[test]
fn one_that_starts_at_the_revision_and_leaves_it_is_not_covered() {
    let mut story = denied("b2");
    story.approved(leave_to(BACKEND, "b2"));
    story.started().says(RUNNING).says(B_TO_C);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn one_that_fails_on_its_way_was_on_its_way() {
    let mut story = denied("a1");
    story.approved(leave_to(BACKEND, "c3"));
    story
        .started()
        .says(RUNNING)
        .says(A_TO_B)
        .says(DROP_MISSING)
        .dies(1)
        .seconds(5);
    assert_eq!(rule(&story), Rule::Approved);
    assert_eq!(
        story.sent(),
        ["MigrationFailed firing"],
        "an approval never hides a failure"
    );
}

#[test]
fn of_two_approvals_the_one_that_fits_in_the_end_covers() {
    let mut story = denied("a1");
    let near = story.approved(leave_to(BACKEND, "b2"));
    let far = story.seconds(1).approved(leave_to(BACKEND, "c3"));
    story.started().says(RUNNING).says(A_TO_B);
    assert_eq!(story.latest().judgement.expectation, Some(near.0.clone()));
    story.says(B_TO_C).says(APPLICATION_UP);
    assert_eq!(story.latest().judgement.expectation, Some(far.0.clone()));
    assert!(story.is_quiet());
    assert_eq!(
        (story.end_of(&near).as_str(), story.end_of(&far).as_str()),
        ("", "used up")
    );
}

#[test]
fn going_down_to_base_is_a_revision_too() {
    let to_base = "INFO  [alembic.runtime.migration] Running downgrade b2 -> , add a column";
    let mut story = denied("b2");
    story.approved(leave_to(BACKEND, "base"));
    story.started().says(RUNNING).says(to_base).says(APPLICATION_UP);
    assert_eq!(rule(&story), Rule::Approved);
    assert!(story.is_quiet());
}
