//! What was expected and did not come.

use std::time::Duration;

use migwatch::model::alert::{AlertName, Severity};
use migwatch::model::approval::ApprovalRequest;
use migwatch::model::policy::Policy;
use migwatch::model::revision::Revision;

use crate::support::story::{
    A_TO_B, APPLICATION_UP, B_TO_C, BACKEND, BACKEND_TABLE, RUNNING, SKIPPING, Story, armed, deploy,
    disarmed, leave, leave_to, policy, row,
};

const MISSING: &str = "ExpectedMigrationMissing firing";
const CAME: &str = "ExpectedMigrationMissing resolved";

/// The backend runs, disarmed, its table at a1.
fn watched() -> Story {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, disarmed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])]);
    story.says(SKIPPING).says(APPLICATION_UP).seconds(60);
    story
}

#[test]
fn an_approval_to_a_revision_that_expires_without_it_is_told_until_the_revision_is_there() {
    let mut story = watched();
    story.approved(leave_to(BACKEND, "b2"));
    story.seconds(1800);
    assert!(
        story.is_quiet(),
        "what moved at the last moment is still to be read"
    );
    story.seconds(60);
    assert_eq!(story.sent(), [MISSING]);
    let alert = story.alert(AlertName::ExpectedMigrationMissing);
    assert_eq!(alert.severity, Severity::Warning);
    assert_eq!(
        alert.summary,
        "coe-demo/coe-backend was to be migrated to b2, and is not there"
    );
    for part in [
        "(expired)",
        "kim had approved it: release 42",
        "alembic_version_backend at a1",
    ] {
        assert!(alert.description.contains(part), "{}", alert.description);
    }
    story.seconds(3600).reads(&[(BACKEND_TABLE, &["b2"])]);
    assert_eq!(story.sent(), [MISSING, CAME]);
}

#[test]
fn an_approval_that_was_used_or_taken_back_or_names_no_revision_is_not_missed() {
    let mut story = watched();
    story.approved(leave(BACKEND));
    let revoked = story.seconds(1).approved(leave_to(BACKEND, "c3"));
    story.revoked(&revoked);
    story.seconds(3600);
    story.approved(leave_to(BACKEND, "b2"));
    story.recreated(armed()).says(RUNNING).says(A_TO_B);
    story.reads(&[(BACKEND_TABLE, &["b2"])]).says(APPLICATION_UP);
    story.recreated(disarmed()).seconds(7200);
    assert!(story.is_quiet(), "{:?}", story.sent());
}

#[test]
fn a_revision_that_is_reached_without_the_approval_is_not_missed() {
    let mut story = watched();
    story.approved(leave_to(BACKEND, "b2"));
    story
        .seconds(100)
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .seconds(3600);
    assert!(story.is_quiet());
}

#[test]
fn where_no_database_is_known_nothing_is_said_to_be_missing() {
    let mut story = Story::new(policy(Policy::Deny));
    story.created(BACKEND, disarmed()).started().says(APPLICATION_UP);
    story.approved(leave_to(BACKEND, "b2"));
    story.seconds(7200);
    assert!(story.is_quiet());
}

#[test]
fn a_deploy_whose_command_ends_and_nothing_ran_is_told() {
    let mut story = watched();
    let id = story.approved(deploy(BACKEND));
    story.seconds(20).deploy_ends(&id).seconds(59);
    assert!(story.is_quiet());
    story.seconds(2);
    assert_eq!(story.sent(), [MISSING]);
    let alert = story.alert(AlertName::ExpectedMigrationMissing);
    assert_eq!(
        alert.summary,
        "coe-demo/coe-backend was to be migrated, and no migration of it came through"
    );
    // A later one that comes through is the one that was missing.
    story.approved(leave(BACKEND));
    story
        .recreated(armed())
        .says(RUNNING)
        .says(B_TO_C)
        .says(APPLICATION_UP);
    assert_eq!(story.sent(), [MISSING, CAME]);
}

#[test]
fn a_deploy_that_finds_nothing_to_do_misses_nothing() {
    let mut story = watched();
    let id = story.approved(deploy(BACKEND));
    story
        .recreated(armed())
        .says(RUNNING)
        .says(APPLICATION_UP)
        .deploy_ends(&id);
    story.recreated(disarmed()).seconds(7200);
    assert!(story.is_quiet(), "{:?}", story.sent());
}

#[test]
fn a_missing_migration_is_closed_by_a_person_and_after_a_week() {
    let mut story = watched();
    story.approved(leave_to(BACKEND, "b2"));
    story.seconds(2000);
    let fingerprint = story.alert(AlertName::ExpectedMigrationMissing).fingerprint();
    story.acknowledged(&fingerprint.0);
    assert_eq!(story.sent(), [MISSING, CAME]);
    let mut story = watched();
    story.approved(leave_to(BACKEND, "b2"));
    story.seconds(6 * 86_400);
    assert_eq!(story.sent(), [MISSING]);
    story.seconds(2 * 86_400);
    assert_eq!(story.sent(), [MISSING, CAME]);
}

#[test]
fn a_deploy_whose_only_run_failed_before_its_first_step_is_told_beside_the_failure() {
    let mut story = watched();
    let id = story.approved(deploy(BACKEND));
    story
        .recreated(armed())
        .says(RUNNING)
        .dies(1)
        .deploy_ends(&id)
        .seconds(90);
    assert!(story.firing().contains(&AlertName::MigrationFailed));
    assert!(story.sent().contains(&MISSING.to_owned()), "{:?}", story.sent());
}

#[test]
fn that_a_window_has_closed_is_looked_at_without_being_asked() {
    let mut story = watched();
    let until = story.now.after(Duration::from_secs(3600));
    story.window("release-42", BACKEND, story.now, until);
    let window = story.settings.windows.named.get_mut("release-42");
    window.expect("it was made").to = Some(Revision("b2".into()));
    story.seconds(3_610);
    let due = story.state.deadline(&story.settings, story.now);
    assert_eq!(due, Some(until.after(Duration::from_secs(60))));
}

#[test]
fn while_the_expected_migration_is_still_at_work_it_is_not_missed() {
    let mut story = watched();
    story.approved(leave_to(BACKEND, "c3"));
    story.seconds(1_700).recreated(armed()).says(RUNNING).says(A_TO_B);
    story.seconds(600);
    assert!(!story.sent().contains(&MISSING.to_owned()), "{:?}", story.sent());
}

#[test]
fn a_window_that_had_closed_before_the_watch_is_history() {
    let mut story = watched();
    let before = |seconds| story.now.before(Duration::from_secs(seconds));
    let (from, until) = (before(9_000), before(7_200));
    story.window("release-41", BACKEND, from, until);
    let window = story.settings.windows.named.get_mut("release-41");
    window.expect("it was made").to = Some(Revision("b2".into()));
    story.seconds(600);
    assert!(story.is_quiet());
}

#[test]
fn a_window_for_one_revision_that_closes_without_it_is_told() {
    let mut story = watched();
    let (from, until) = (story.now, story.now.after(Duration::from_secs(3600)));
    story.window("release-42", BACKEND, from, until);
    let window = story
        .settings
        .windows
        .named
        .get_mut("release-42")
        .expect("it was made");
    window.to = Some(Revision("b2".into()));
    story.seconds(3000);
    assert!(story.is_quiet());
    story.seconds(700);
    assert_eq!(story.sent(), [MISSING]);
    let alert = story.alert(AlertName::ExpectedMigrationMissing);
    assert_eq!(alert.labels["window"], "release-42");
    story.reads(&[(BACKEND_TABLE, &["b2"])]);
    assert_eq!(story.sent(), [MISSING, CAME]);
}

#[test]
fn a_restart_of_migwatch_neither_ends_nor_repeats_what_is_missing() {
    let mut story = watched();
    story.approved(leave_to(BACKEND, "b2"));
    story.seconds(2000);
    story
        .migwatch_is_killed()
        .seconds_pass(60)
        .migwatch_comes_back()
        .seconds(600);
    assert_eq!(story.sent(), [MISSING]);
}

#[test]
fn an_approval_that_was_not_used_is_missed_where_something_is_pending() {
    for (revisions, restore, missed) in [
        (&["a1"][..], false, false),
        (&["a1", "b2"][..], false, true),
        (&["a1", "b2"][..], true, false),
    ] {
        let mut story = watched();
        story.has(row(revisions));
        story.approved(ApprovalRequest {
            restore,
            ..leave(BACKEND)
        });
        story.seconds(1800 + 60);
        let fires = story.firing().contains(&AlertName::ExpectedMigrationMissing);
        assert_eq!(fires, missed, "{revisions:?} {restore}");
        story.reads(&[(BACKEND_TABLE, &["b2"])]).seconds(20);
        assert!(!story.firing().contains(&AlertName::ExpectedMigrationMissing));
    }
}
