//! Containers that live for one command (`compose run --rm`), beside the replicas of their service: what those do says nothing of them.

use migwatch::model::alert::AlertName;
use migwatch::model::database::DatabaseProblemKind;
use migwatch::model::exec::{Action, MigrationCommand};
use migwatch::model::migration::{Outcome, Verdict};
use migwatch::model::policy::Policy;
use migwatch::model::probe::Via;
use migwatch::model::service::Role;

use crate::support::story::{
    A_TO_B, BACKEND, BACKEND_TABLE, DROP_MISSING, RUNNING, Story, armed, disarmed, serving,
};

/// A replica that serves and answers its probe, and beside it `alembic upgrade head` in a container of its own.
fn beside_a_replica(with: Policy) -> Story {
    let mut story = serving(with);
    story.answers(BACKEND, Via::Direct);
    story.created_as(BACKEND, disarmed(), |look| {
        look.role = Role::OneOff;
        look.number = None;
        look.runs = Some(MigrationCommand {
            text: "alembic upgrade head".into(),
            action: Action::Upgrade,
            target: Some("head".into()),
            environment: None,
        });
    });
    story.started();
    story
}

#[test]
fn a_one_off_is_not_over_because_a_replica_of_its_service_answers() {
    let mut story = beside_a_replica(Policy::Explicit);
    story.says(A_TO_B);
    for _ in 0..6 {
        story
            .answers(BACKEND, Via::Direct)
            .reads(&[(BACKEND_TABLE, &["a1"])]);
    }
    assert_eq!(story.judged(), [(Outcome::Running, Verdict::Unexpected)]);
    story.reads(&[(BACKEND_TABLE, &["b2"])]).dies(0).removed();
    story.reads(&[(BACKEND_TABLE, &["b2"])]).seconds(60);
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Unexpected)]);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn a_one_off_that_fails_after_a_replica_answered_is_told() {
    let mut story = beside_a_replica(Policy::Allow);
    story.answers(BACKEND, Via::Direct).says(A_TO_B);
    story.answers(BACKEND, Via::Direct).says(DROP_MISSING).dies(1);
    story.removed().seconds(60);
    assert_eq!(story.judged(), [(Outcome::Failed, Verdict::Expected)]);
    assert_eq!(story.firing(), [AlertName::MigrationFailed]);
}

#[test]
fn a_one_off_that_has_ended_is_not_said_to_run_on_because_its_database_is_away() {
    let mut story = beside_a_replica(Policy::Explicit);
    story.seconds(2).dies(0).removed();
    story.cannot_read(DatabaseProblemKind::Timeout).seconds(20);
    story.reads(&[(BACKEND_TABLE, &["a1"])]).seconds(60);
    assert_eq!(story.judged(), [(Outcome::NothingToDo, Verdict::Unexpected)]);
    assert!(story.is_quiet(), "{:?}", story.sent());
}

#[test]
fn a_one_off_that_ended_while_migwatch_was_away_and_moved_nothing_is_quiet() {
    let mut story = beside_a_replica(Policy::Explicit);
    story.seconds(1).migwatch_is_killed().ends_unheard(0);
    story.looks.remove(&story.container.clone());
    story.seconds_pass(600).migwatch_comes_back();
    story.reads(&[(BACKEND_TABLE, &["a1"])]).seconds(60);
    assert_eq!(story.judged(), [(Outcome::NothingToDo, Verdict::Unexpected)]);
    assert!(story.is_quiet(), "{:?}", story.sent());
}

/// `docker compose run --rm backend ./release.sh`: what it runs cannot be read.
#[test]
fn what_a_one_off_says_after_a_replica_answered_is_no_mere_claim() {
    let mut story = serving(Policy::Allow);
    story.created_as(BACKEND, armed(), |look| {
        look.role = Role::OneOff;
        look.number = None;
    });
    story.started().answers(BACKEND, Via::Direct);
    story.says(RUNNING).says(A_TO_B).says(DROP_MISSING).dies(1);
    story.removed().seconds(60);
    assert_eq!(story.judged(), [(Outcome::Failed, Verdict::Expected)]);
    assert_eq!(story.firing(), [AlertName::MigrationFailed]);
}
