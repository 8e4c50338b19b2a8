//! Migrations that failed, and what the schema says of how much of them stayed.

use migwatch::model::alert::AlertName;
use migwatch::model::migration::Outcome;
use migwatch::model::policy::Policy;

use super::schemas::{CHATS, USERS, migrates, reads_heads, two_services};
use crate::support::story::{A_TO_B, B_TO_C, BACKEND, DROP_MISSING, DUPLICATE_COLUMN, RUNNING, Story};

#[test]
fn a_failed_migration_on_which_the_schema_changed_and_the_version_did_not_is_half_applied() {
    let mut story = two_services(Policy::Explicit);
    half_applied(&mut story);
    let migration = story.migration();
    assert_eq!(migration.outcome, Outcome::HalfApplied);
    let reason = migration.outcome_reason.as_deref().unwrap();
    assert!(reason.contains("table chat_messages created"), "{reason}");
    assert_eq!(
        story.sent(),
        [
            "MigrationFailed firing",
            "MigrationFailed resolved",
            "MigrationHalfApplied firing"
        ]
    );
    let alert = story.alert(AlertName::MigrationHalfApplied);
    assert!(
        alert.summary.contains("table chat_messages created"),
        "{}",
        alert.summary
    );
    assert!(alert.description.contains("First cause"), "{}", alert.description);
    let resolved = story.state.durable.alerts.resolved.back().unwrap();
    let why = &resolved.resolved.as_ref().unwrap().reason;
    assert!(why.contains("MigrationHalfApplied"), "{why}");
}

fn half_applied(story: &mut Story) {
    migrates(story, BACKEND, A_TO_B);
    story.says(DROP_MISSING).dies(1);
    reads_heads(story, "a1", "r1");
    story.reads_schema(&[USERS, CHATS]);
}

#[test]
fn the_retries_of_a_half_applied_migration_make_no_further_alert() {
    let mut story = two_services(Policy::Explicit);
    half_applied(&mut story);
    let before = story.sent();
    for _ in 0..5 {
        story
            .seconds(2)
            .started()
            .says(RUNNING)
            .says(A_TO_B)
            .says(DUPLICATE_COLUMN)
            .dies(1);
        story.reads_schema(&[USERS, CHATS]);
    }
    let after: Vec<_> = story.sent().into_iter().skip(before.len()).collect();
    assert_eq!(after, ["RestartLoop firing"]);
    assert_eq!(story.migration().outcome, Outcome::HalfApplied);
    assert_eq!(story.counted(BACKEND, Outcome::Failed), 1);
}

#[test]
fn a_failed_migration_that_changed_nothing_stays_failed() {
    let mut story = two_services(Policy::Explicit);
    migrates(&mut story, BACKEND, A_TO_B);
    story.says(DROP_MISSING).dies(1);
    reads_heads(&mut story, "a1", "r1");
    story.reads_schema(&[USERS]).seconds(12);
    assert_eq!(story.migration().outcome, Outcome::Failed);
    assert_eq!(story.sent(), ["MigrationFailed firing"]);
}

#[test]
fn what_an_earlier_step_did_and_wrote_down_does_not_make_a_later_failure_half_applied() {
    let mut story = two_services(Policy::Explicit);
    migrates(&mut story, BACKEND, A_TO_B);
    reads_heads(&mut story, "b2", "r1");
    story
        .reads_schema(&[USERS, CHATS])
        .says(B_TO_C)
        .says(DROP_MISSING)
        .dies(1);
    story.reads_schema(&[USERS, CHATS]);
    assert_eq!(story.migration().outcome, Outcome::Failed);
    // ... and what the failed step did itself, does.
    story
        .seconds(1)
        .started()
        .says(RUNNING)
        .says(B_TO_C)
        .says(DROP_MISSING)
        .dies(1);
    story.reads_schema(&[USERS, CHATS, ("tags", &["id"])]);
    assert_eq!(story.migration().outcome, Outcome::HalfApplied);
}
