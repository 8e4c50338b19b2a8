//! Installed on a running stack: what was before is history, shown but neither counted nor alerted.

use std::time::Duration;

use migwatch::model::alert::AlertName;
use migwatch::model::migration::{Outcome, Rule, Verdict};
use migwatch::model::policy::Policy;

use crate::support::story::{
    A_TO_B, APPLICATION_UP, B_TO_C, BACKEND, BACKEND_TABLE, DROP_MISSING, RUNNING, SKIPPING, Story, armed,
    disarmed, policy,
};

const DAY: u64 = 86_400;

/// A backend that has run for three weeks.
fn running_for_weeks() -> Story {
    let mut story = Story::before_install(policy(Policy::Deny));
    let created_at = story.now.before(Duration::from_secs(21 * DAY));
    story.made_in_advance(BACKEND, armed(), created_at);
    story
}

/// An old container whose present start began a moment before the install.
fn started_just_now() -> Story {
    let mut story = running_for_weeks();
    let ended = story.now.before(Duration::from_secs(9));
    let started = story.now.before(Duration::from_secs(6));
    story.change(|look| {
        look.finished_at = Some(ended);
        look.started_at = Some(started);
    });
    story.installed().follows();
    story
}

/// Lines of the past, as the log's tail delivers them.
fn said_before(story: &mut Story, days: u64, lines: &[&str]) {
    for (index, text) in lines.iter().enumerate() {
        let at = story
            .now
            .before(Duration::from_secs(days * DAY))
            .after(Duration::from_secs(index as u64));
        let line = story.line_at(text, at).unwrap();
        story.sees(line);
    }
}

#[test]
fn weeks_of_runs_skips_and_failures_alert_and_count_nothing() {
    let mut story = running_for_weeks();
    story.installed();
    said_before(&mut story, 20, &[RUNNING, A_TO_B, DROP_MISSING]);
    said_before(&mut story, 15, &[RUNNING, A_TO_B, APPLICATION_UP]);
    said_before(&mut story, 9, &[SKIPPING]);
    said_before(&mut story, 5, &[RUNNING, B_TO_C, APPLICATION_UP]);
    story.follows().reads(&[(BACKEND_TABLE, &["c3"])]).seconds(3000);
    assert_eq!(story.migrations().len(), 3);
    assert!(story.migrations().iter().all(|migration| migration.history));
    assert!(
        story
            .migrations()
            .iter()
            .all(|migration| migration.judgement.rule == Rule::Baseline)
    );
    assert!(story.is_quiet(), "{:?}", story.sent());
    let counters = story.counters(BACKEND);
    assert!(counters.migrations.values().all(|count| *count == 0));
    assert!(counters.verdicts.values().all(|count| *count == 0));
    assert_eq!((counters.skips, counters.restarts), (0, 0));
}

#[test]
fn an_old_exit_is_not_counted_as_a_restart() {
    let mut story = running_for_weeks();
    let (started, ended) = (
        story.now.before(Duration::from_secs(9 * DAY)),
        story.now.before(Duration::from_secs(DAY)),
    );
    story.change(|look| {
        look.started_at = Some(started);
        look.finished_at = Some(ended);
        look.exit_code = 1;
        look.state = migwatch::model::container::ContainerState::Exited;
    });
    story.installed().seconds(600);
    assert_eq!(story.counters(BACKEND).restarts, 0);
}

#[test]
fn what_happens_after_the_install_is_judged() {
    let mut story = running_for_weeks();
    story.installed().follows().seconds(600);
    story.stopped(137).started().says(RUNNING).says(A_TO_B);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn a_run_in_progress_at_the_install_is_shown_undetermined_and_its_steps_page_nobody() {
    let mut story = started_just_now();
    let before = story.now.before(Duration::from_secs(5));
    let line = story.line_at(RUNNING, before).unwrap();
    story.sees(line).says(A_TO_B).says(APPLICATION_UP);
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Undetermined)]);
    assert!(!story.migration().history);
    assert!(story.is_quiet());
}

#[test]
fn a_run_in_progress_at_the_install_that_fails_afterwards_is_told() {
    let mut story = started_just_now();
    let before = story.now.before(Duration::from_secs(5));
    let line = story.line_at(RUNNING, before).unwrap();
    story.sees(line).says(DROP_MISSING).dies(1).seconds(5);
    assert_eq!(story.firing(), [AlertName::MigrationFailed]);
}

#[test]
fn the_first_sight_of_a_table_is_no_movement() {
    let mut story = Story::new(policy(Policy::Deny));
    story.created(BACKEND, disarmed()).started().says(SKIPPING);
    story.reads(&[(BACKEND_TABLE, &["c3"])]).seconds(600);
    assert!(story.migrations().is_empty() && story.is_quiet());
}

#[test]
fn a_container_created_while_migwatch_was_away_is_no_history() {
    let mut story = Story::new(policy(Policy::Deny));
    story.migwatch_is_killed().seconds_pass(600);
    let created_at = story.now.before(Duration::from_secs(60));
    story.made_in_advance(BACKEND, armed(), created_at);
    story.migwatch_comes_back();
    for (after, text) in [(1, RUNNING), (2, A_TO_B), (3, APPLICATION_UP)] {
        let line = story
            .line_at(text, created_at.after(Duration::from_secs(after)))
            .unwrap();
        story.sees(line);
    }
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Unexpected)]);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}
