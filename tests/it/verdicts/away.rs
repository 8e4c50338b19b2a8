//! Databases that are away: whom that is told, and what is still said of what stood in them.

use migwatch::model::alert::AlertName;
use migwatch::model::database::DatabaseProblemKind::Connect;
use migwatch::model::observation::Observation;
use migwatch::model::policy::Policy;
use migwatch::model::revision::DatabaseId;

use crate::support::story::{BACKEND, BACKEND_TABLE, Story, disarmed, policy, row, service_id, serving};

/// It is tried for a while, and does not answer.
fn stays_away(story: &mut Story, seconds: u64) {
    for _ in 0..seconds / 10 {
        story.cannot_read(Connect).seconds(10);
    }
}

#[test]
fn a_stack_that_is_stopped_for_the_night_misses_no_database() {
    let mut story = serving(Policy::Explicit);
    story.stopped(137);
    stays_away(&mut story, 36_000);
    story.started();
    stays_away(&mut story, 30);
    story.reads(&[(BACKEND_TABLE, &["a1"])]).seconds(600);
    assert!(story.is_quiet(), "{:?}", story.sent());
}

#[test]
fn a_stack_that_is_taken_down_for_the_night_misses_no_database_either() {
    let mut story = serving(Policy::Explicit);
    let before = story.looks.clone();
    story.stopped(137);
    stays_away(&mut story, 10);
    story.removed().looks = before;
    stays_away(&mut story, 3600);
    assert!(story.is_quiet(), "{:?}", story.sent());
}

#[test]
fn a_database_that_does_not_come_back_with_its_stack_is_missed_a_minute_after_the_start() {
    let mut story = serving(Policy::Explicit);
    story.stopped(137);
    stays_away(&mut story, 36_000);
    story.started();
    stays_away(&mut story, 50);
    assert!(story.is_quiet(), "{:?}", story.sent());
    stays_away(&mut story, 20);
    assert_eq!(story.sent(), ["DatabaseUnreachable firing"]);
}

#[test]
fn a_missed_database_is_missed_no_more_once_its_stack_is_stopped() {
    let mut story = serving(Policy::Explicit);
    stays_away(&mut story, 120);
    assert_eq!(story.firing(), [AlertName::DatabaseUnreachable]);
    story.stopped(137);
    assert_eq!(
        story.sent(),
        ["DatabaseUnreachable firing", "DatabaseUnreachable resolved"]
    );
}

#[test]
fn a_service_that_crashes_without_its_database_misses_it_all_the_same() {
    let mut story = serving(Policy::Explicit);
    for _ in 0..12 {
        story
            .cannot_read(Connect)
            .seconds(10)
            .dies(1)
            .seconds(1)
            .started();
    }
    story.dies(1);
    stays_away(&mut story, 600);
    let told = story.sent();
    let told: Vec<_> = told.iter().filter(|it| it.starts_with("Database")).collect();
    assert_eq!(told, ["DatabaseUnreachable firing"]);
}

#[test]
fn a_database_that_nobody_is_known_to_use_is_missed_whatever_runs() {
    let mut story = Story::new(policy(Policy::Explicit));
    story.reads(&[(BACKEND_TABLE, &["a1"])]);
    stays_away(&mut story, 120);
    assert_eq!(story.firing(), [AlertName::DatabaseUnreachable]);
    story.created(BACKEND, disarmed()).started().stopped(0);
    assert_eq!(story.sent(), ["DatabaseUnreachable firing"]);
}

/// It is read no more: taken out of the configuration, or its last user went.
fn goes(story: &mut Story) {
    let gone = DatabaseId("mariadb:3306/coe".into());
    story.sees(Observation::DatabaseGone(gone));
}

#[test]
fn of_a_database_that_is_read_no_more_nothing_is_said_to_be_behind_or_unknown() {
    for (code, alert) in [
        (row(&["a1", "b2"]), AlertName::RevisionBehind),
        (row(&["x1"]), AlertName::RevisionUnknown),
    ] {
        let mut story = serving(Policy::Explicit);
        story.has(code).seconds(900);
        assert_eq!(story.firing(), [alert]);
        assert_eq!(story.service(BACKEND).code[0].tables.len(), 1);
        goes(&mut story);
        assert_eq!(story.firing(), []);
        assert!(story.service(BACKEND).code[0].tables.is_empty());
        story.reads(&[(BACKEND_TABLE, &["a1"])]).seconds(900);
        assert_eq!(story.firing(), [alert], "it is read again");
    }
}

#[test]
fn whether_somebody_who_was_never_seen_here_runs_nobody_can_say_so_that_the_database_is_missed() {
    let mut story = serving(Policy::Explicit);
    story.stopped(137);
    let id = story.container.clone();
    let mut elsewhere = story.looks.remove(&id).unwrap();
    elsewhere.service = service_id("local/backend");
    story.looks.insert(id, elsewhere);
    stays_away(&mut story, 120);
    assert_eq!(story.sent(), ["DatabaseUnreachable firing"]);
}

#[test]
fn an_engine_that_restarts_while_the_stack_sleeps_misses_no_database_either() {
    let mut story = serving(Policy::Explicit);
    story.stopped(137);
    stays_away(&mut story, 3600);
    story.engine_goes_away();
    stays_away(&mut story, 20);
    assert!(!story.firing().contains(&AlertName::DatabaseUnreachable));
}
