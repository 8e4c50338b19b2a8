//! Revisions in the database that no running code knows: who is told, when, and when nobody is.

use migwatch::model::alert::{AlertName, Severity};
use migwatch::model::migration::Trigger;
use migwatch::model::policy::Policy;
use migwatch::model::status::StandingWord;

use super::code::{upgrade_head, word};
use crate::support::story::{
    A_TO_B, APPLICATION_UP, BACKEND, BACKEND_TABLE, RUNNING, armed, disarmed, leave, row, serving,
};

const UNKNOWN: &str = "RevisionUnknown firing";

#[test]
fn a_revision_that_no_running_code_knows_is_told_after_it_has_settled() {
    let mut story = serving(Policy::Explicit);
    story.has(row(&["a1", "b2"]));
    story.reads(&[(BACKEND_TABLE, &["zz"])]);
    assert_eq!(word(&story), StandingWord::Unknown);
    // The files were looked at once more, and are the same.
    story.seconds(1).has(row(&["a1", "b2"])).seconds(8);
    assert!(!story.sent().contains(&UNKNOWN.to_owned()), "{:?}", story.sent());
    story.seconds(2);
    let alert = story.alert(AlertName::RevisionUnknown);
    assert_eq!(alert.severity, Severity::Critical);
    assert!(
        alert
            .summary
            .contains("stands at zz, which no running container of coe-demo/coe-backend knows")
    );
    assert!(
        alert.description.contains("Nobody on this host knows it."),
        "{alert:?}"
    );
}

#[test]
fn nothing_is_called_unknown_by_files_that_were_not_looked_at_since_unless_they_cannot_be() {
    for is_looked_at in [true, false] {
        let mut story = serving(Policy::Explicit);
        story
            .has(row(&["a1"]))
            .reads(&[(BACKEND_TABLE, &["b2"])])
            .seconds(25);
        assert!(!story.sent().contains(&UNKNOWN.to_owned()), "{:?}", story.sent());
        if is_looked_at {
            story.has(row(&["a1", "b2"]));
        }
        story.seconds(300);
        assert_eq!(
            story.sent().contains(&UNKNOWN.to_owned()),
            !is_looked_at,
            "{:?}",
            story.sent()
        );
    }
}

#[test]
fn after_a_planned_migration_the_code_that_knows_has_as_long_as_the_other_way_round() {
    for (is_planned, told_after) in [(true, 600), (false, 10)] {
        let mut story = serving(Policy::Explicit);
        story.has(row(&["a1"]));
        if is_planned {
            story.approved(leave(BACKEND));
        }
        // A one-off of the new image migrates and is gone before the new containers come.
        story.execs_as("e1", upgrade_head()).seconds(2);
        story.reads(&[(BACKEND_TABLE, &["b2"])]).exec_ends("e1", 0);
        story.seconds(1).has(row(&["a1"])).seconds(told_after - 10);
        assert!(!story.sent().contains(&UNKNOWN.to_owned()), "{:?}", story.sent());
        story.seconds(30);
        assert!(story.sent().contains(&UNKNOWN.to_owned()), "{:?}", story.sent());
    }
}

#[test]
fn what_nobody_on_this_host_brought_there_is_no_planned_migration_under_allow_either() {
    let mut story = serving(Policy::Allow);
    story
        .has(row(&["a1"]))
        .reads(&[(BACKEND_TABLE, &["zz"])])
        .seconds(40);
    assert_eq!(story.migration().trigger, Trigger::OutOfBand);
    let alert = story.alert(AlertName::RevisionUnknown);
    assert_eq!(alert.severity, Severity::Warning);
}

#[test]
fn a_newer_database_is_no_alarm_while_a_running_container_of_the_service_knows_it() {
    let mut story = serving(Policy::Explicit);
    story.has(row(&["a1"]));
    let old = story.container.clone();
    story.created(BACKEND, armed()).started();
    story.change(|look| look.number = Some(2)).looked();
    story.has(row(&["a1", "b2"]));
    let new = story.container.clone();
    story
        .says(RUNNING)
        .says(A_TO_B)
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .says(APPLICATION_UP);
    story.seconds(900);
    assert!(
        story
            .firing()
            .iter()
            .all(|name| *name != AlertName::RevisionUnknown),
        "{:?}",
        story.firing()
    );
    // The new one goes: the old code does not know what was done.
    story.with(&new).stopped(0).removed();
    story.with(&old).seconds(31);
    assert!(
        story.firing().contains(&AlertName::RevisionUnknown),
        "{:?}",
        story.firing()
    );
}

#[test]
fn who_else_knows_the_revision_is_named_and_a_stranger_does_not_count() {
    let mut story = serving(Policy::Explicit);
    story.has(row(&["a1"]));
    let backend = story.container.clone();
    story
        .created("other/coe-backend", disarmed())
        .started()
        .has(row(&["a1", "zz"]));
    story
        .with(&backend)
        .reads(&[(BACKEND_TABLE, &["zz"])])
        .seconds(31);
    let alert = story.alert(AlertName::RevisionUnknown);
    assert!(
        alert.description.contains("other/coe-backend (coe:latest)"),
        "{alert:?}"
    );
}
