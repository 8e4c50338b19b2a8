//! How alerts are closed: by a person, by time, by the end of their condition.

use migwatch::model::alert::AlertName;
use migwatch::model::container::RestartPolicy;
use migwatch::model::policy::Policy;

use crate::support::story::{
    A_TO_B, APPLICATION_UP, B_TO_C, BACKEND, DROP_MISSING, RUNNING, Story, armed, disarmed, policy,
};

fn unexpected() -> Story {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(A_TO_B)
        .says(APPLICATION_UP);
    story
}

#[test]
fn an_acknowledged_occurrence_is_closed_at_once_and_stays_closed() {
    for by_fingerprint in [true, false] {
        let mut story = unexpected();
        let alert = story.alert(AlertName::UnexpectedMigration);
        let id = if by_fingerprint {
            alert.fingerprint().0
        } else {
            story.migration().id.0.clone()
        };
        story.acknowledged(&id);
        assert_eq!(
            story.sent(),
            ["UnexpectedMigration firing", "UnexpectedMigration resolved"]
        );
        story
            .migwatch_is_killed()
            .seconds_pass(60)
            .migwatch_comes_back()
            .seconds(3000);
        assert_eq!(story.sent().len(), 2);
        let reason = story.state.durable.alerts.resolved[0].resolved.as_ref().unwrap();
        assert!(
            reason.reason.contains("kim: planned by phone"),
            "{}",
            reason.reason
        );
    }
}

#[test]
fn the_next_occurrence_is_heard_although_the_last_was_acknowledged() {
    let mut story = unexpected();
    let id = story.migration().id.0.clone();
    story
        .acknowledged(&id)
        .seconds(60)
        .stopped(0)
        .started()
        .says(RUNNING)
        .says(B_TO_C);
    assert_eq!(story.firing(), [AlertName::UnexpectedMigration]);
}

#[test]
fn an_occurrence_that_nobody_closes_is_kept_for_a_day() {
    let mut story = unexpected();
    story.seconds(86_300);
    assert!(story.firing().contains(&AlertName::UnexpectedMigration));
    story.seconds(200);
    assert!(!story.firing().contains(&AlertName::UnexpectedMigration));
    assert_eq!(story.service(BACKEND).unexpected_open, 1, "it stays on the page");
}

#[test]
fn an_acknowledged_condition_is_quiet_until_it_ends_and_heard_at_its_next_occurrence() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created_as(BACKEND, disarmed(), |look| {
            look.restart_policy = RestartPolicy::No;
        })
        .started()
        .dies(1);
    let id = story.alert(AlertName::ServiceDown).fingerprint().0;
    story.acknowledged(&id);
    assert_eq!(story.sent(), ["ServiceDown firing", "ServiceDown resolved"]);
    story
        .seconds(3600)
        .migwatch_is_killed()
        .seconds_pass(60)
        .migwatch_comes_back()
        .seconds(3600);
    assert_eq!(story.sent().len(), 2);
    story.started().seconds(60).dies(1);
    assert_eq!(story.sent().len(), 3);
}

#[test]
fn an_acknowledged_restart_loop_is_quiet_while_it_goes_on() {
    let mut story = Story::new(policy(Policy::Explicit));
    story.created(BACKEND, armed()).started();
    for _ in 0..4 {
        story
            .says(RUNNING)
            .says(A_TO_B)
            .says(DROP_MISSING)
            .dies(1)
            .seconds(20)
            .started();
    }
    for alert in [AlertName::RestartLoop, AlertName::MigrationFailed] {
        let id = story.alert(alert).fingerprint().0;
        story.acknowledged(&id);
    }
    let sent = story.sent().len();
    for _ in 0..100 {
        story
            .says(RUNNING)
            .says(A_TO_B)
            .says(DROP_MISSING)
            .dies(1)
            .seconds(20)
            .started();
    }
    assert_eq!(story.sent().len(), sent, "{:?}", story.sent());
    assert_eq!(story.migrations().len(), 1);
}

#[test]
fn an_unknown_id_closes_nothing() {
    let mut story = unexpected();
    let before = story.facts.len();
    story.acknowledged("no-such-thing");
    assert_eq!(story.facts.len(), before);
}
