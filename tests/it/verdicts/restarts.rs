//! migwatch itself is killed in the middle and comes back: the same facts, no alert twice, none resolved before its subject was looked at.

use migwatch::model::alert::AlertName;
use migwatch::model::database::DatabaseProblemKind;
use migwatch::model::exec::Action;
use migwatch::model::migration::{Outcome, Trigger, Verdict};
use migwatch::model::observation::{LogStatus, Observation};
use migwatch::model::policy::Policy;
use migwatch::model::probe::Via;
use migwatch::model::status::ConditionWord;

use crate::support::story::{
    A_TO_B, APPLICATION_UP, B_TO_C, BACKEND, BACKEND_TABLE, DROP_MISSING, RUNNING, Story, armed, disarmed,
    policy,
};

#[test]
fn a_migration_goes_on_as_if_nothing_had_happened() {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .says(RUNNING)
        .says(A_TO_B);
    story
        .migwatch_is_killed()
        .seconds_pass(3)
        .migwatch_comes_back()
        .lines_come_again();
    story
        .says(B_TO_C)
        .says(APPLICATION_UP)
        .reads(&[(BACKEND_TABLE, &["c3"])]);
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Unexpected)]);
    assert_eq!(story.migration().steps.len(), 2);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
    assert_eq!(story.counted(BACKEND, Outcome::Applied), 1);
}

#[test]
fn what_was_logged_long_ago_while_it_was_away_is_no_silence() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .migwatch_is_killed();
    let lines = [RUNNING, A_TO_B, DROP_MISSING].map(|text| story.line(text).unwrap());
    story.seconds_pass(1_200).migwatch_comes_back();
    story.reads(&[(BACKEND_TABLE, &["b2"])]);
    for line in lines {
        let seen = story.sees(line);
        assert_eq!(seen.judged(), [(Outcome::Running, Verdict::Expected)]);
    }
}

#[test]
fn an_end_while_it_was_away_waits_for_the_rest_of_the_log() {
    let mut story = Story::new(policy(Policy::Explicit));
    story.created(BACKEND, armed()).started().says(RUNNING);
    story.migwatch_is_killed();
    let step = story.line(A_TO_B).unwrap();
    story.ends_unheard(0).seconds_pass(30);
    story
        .migwatch_comes_back()
        .follows()
        .sees(step)
        .log(LogStatus::Ended);
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Expected)]);
    assert_eq!(
        story.counted(BACKEND, Outcome::Applied),
        1,
        "counted as what it was"
    );
    assert_eq!(story.counted(BACKEND, Outcome::NothingToDo), 0);
}

#[test]
fn a_failure_while_it_was_away_is_told_once_with_its_cause() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(A_TO_B)
        .migwatch_is_killed();
    let error = story.line(DROP_MISSING).unwrap();
    story
        .ends_unheard(1)
        .seconds_pass(20)
        .migwatch_comes_back()
        .follows()
        .sees(error)
        .log(LogStatus::Ended);
    assert!(story.sent().starts_with(&["MigrationFailed firing".to_owned()]));
    assert!(story.migration().cause.is_some());
}

#[test]
fn the_alert_of_an_occurrence_stays_and_is_not_told_again() {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(A_TO_B)
        .says(APPLICATION_UP);
    for _ in 0..3 {
        story
            .migwatch_is_killed()
            .seconds_pass(30)
            .migwatch_comes_back()
            .lines_come_again()
            .seconds(600);
    }
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn a_service_that_is_still_down_stays_so() {
    let mut story = Story::new(policy(Policy::Explicit));
    story.created_as(BACKEND, disarmed(), |look| {
        look.restart_policy = migwatch::model::container::RestartPolicy::No;
    });
    story.started().dies(1).seconds(60);
    story
        .migwatch_is_killed()
        .seconds_pass(30)
        .migwatch_comes_back()
        .seconds(600);
    assert_eq!(story.sent(), ["ServiceDown firing"]);
}

#[test]
fn an_endpoint_that_still_fails_is_neither_resolved_nor_told_again() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, disarmed())
        .started()
        .answers(BACKEND, Via::Direct);
    for _ in 0..4 {
        story.fails(BACKEND, Via::Direct);
    }
    story.migwatch_is_killed().seconds_pass(30).migwatch_comes_back();
    for _ in 0..50 {
        story.fails(BACKEND, Via::Direct);
    }
    assert_eq!(story.sent(), ["EndpointDown firing"]);
    story.answers(BACKEND, Via::Direct);
    assert_eq!(story.sent(), ["EndpointDown firing", "EndpointDown resolved"]);
}

#[test]
fn a_database_that_is_still_away_is_neither_resolved_nor_told_again() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, disarmed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])]);
    story.cannot_read(DatabaseProblemKind::Connect).seconds(90);
    story.migwatch_is_killed().seconds_pass(30).migwatch_comes_back();
    story.cannot_read(DatabaseProblemKind::Connect).seconds(600);
    assert_eq!(story.sent(), ["DatabaseUnreachable firing"]);
    story.reads(&[(BACKEND_TABLE, &["a1"])]);
    assert_eq!(
        story.sent(),
        ["DatabaseUnreachable firing", "DatabaseUnreachable resolved"]
    );
}

#[test]
fn a_log_that_still_cannot_be_read_is_neither_resolved_nor_told_again() {
    let unreadable = || LogStatus::Unreadable {
        reason: "the logging driver does not support reading".into(),
    };
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, disarmed())
        .started()
        .log(unreadable())
        .seconds(90);
    story
        .migwatch_is_killed()
        .seconds_pass(30)
        .installed()
        .log(unreadable())
        .seconds(600);
    assert_eq!(story.sent(), ["WatcherBlind firing"]);
    story.follows();
    assert_eq!(story.sent(), ["WatcherBlind firing", "WatcherBlind resolved"]);
}

#[test]
fn an_alert_whose_subject_never_shows_again_is_resolved_in_the_end() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, disarmed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])]);
    story.cannot_read(DatabaseProblemKind::Connect).seconds(90);
    story
        .migwatch_is_killed()
        .seconds_pass(30)
        .migwatch_comes_back()
        .seconds(200);
    assert_eq!(story.firing(), [AlertName::DatabaseUnreachable]);
    story.seconds(200);
    assert!(story.firing().is_empty());
}

#[test]
fn an_end_that_is_heard_again_after_the_start_that_followed_it_is_no_crash() {
    let mut story = Story::new(policy(Policy::Explicit));
    story.created(BACKEND, disarmed()).started().seconds(30);
    story.migwatch_is_killed().ends_unheard(137);
    let ended = story.now;
    story.seconds_pass(1).starts_unheard().migwatch_comes_back();
    // The new subscription begins with the last events.
    let container = story.container.clone();
    story.sees(Observation::Died {
        container,
        at: ended,
        exit_code: 137,
    });
    assert_eq!(story.condition(BACKEND), ConditionWord::Up);
    assert!(story.is_quiet());
}

#[test]
fn what_a_start_said_and_did_not_do_minutes_ago_does_not_explain_what_an_exec_moves_over_a_restart() {
    let mut story = Story::new(policy(Policy::Deny));
    story.created(BACKEND, armed()).started();
    story.reads(&[(BACKEND_TABLE, &["a1"])]);
    story.says(RUNNING).says(A_TO_B).says(APPLICATION_UP);
    story.seconds(1).reads(&[(BACKEND_TABLE, &["a1"])]).seconds(300);
    story.execs("e1", "alembic upgrade head", Action::Upgrade);
    story.migwatch_is_killed().seconds_pass(6).migwatch_comes_back();
    story.reads(&[(BACKEND_TABLE, &["b2"])]).exec_ends("e1", 0);
    story.reads(&[(BACKEND_TABLE, &["b2"])]).seconds(60);
    let latest = story.latest();
    assert_eq!(
        (latest.trigger, latest.outcome),
        (Trigger::Exec, Outcome::Applied)
    );
    assert_eq!(story.migrations().len(), 2, "{:#?}", story.migrations());
}
