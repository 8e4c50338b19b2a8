//! Armed containers, databases that are away, and where migwatch itself is blind.

use migwatch::model::alert::AlertName;
use migwatch::model::database::DatabaseProblemKind;
use migwatch::model::migration::Outcome;
use migwatch::model::observation::{LogStatus, Observation};
use migwatch::model::policy::Policy;
use migwatch::model::status::ConditionWord;

use crate::support::story::{
    A_TO_B, APPLICATION_UP, BACKEND, BACKEND_TABLE, RUNNING, SKIPPING, Story, armed, disarmed, policy,
};

#[test]
fn a_container_left_armed_for_an_hour_is_said_and_disarming_it_resolves_that() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(APPLICATION_UP)
        .seconds(3590);
    assert!(story.is_quiet());
    story.seconds(20);
    assert_eq!(story.sent(), ["MigrationArmed firing"]);
    story.recreated(disarmed()).says(SKIPPING);
    assert_eq!(story.sent(), ["MigrationArmed firing", "MigrationArmed resolved"]);
}

#[test]
fn under_allow_armed_is_nothing_to_say() {
    let mut story = Story::new(policy(Policy::Allow));
    story.created(BACKEND, armed()).started().seconds(100_000);
    assert!(story.is_quiet());
}

#[test]
fn a_database_that_is_away_is_said_after_its_grace() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, disarmed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])]);
    story.cannot_read(DatabaseProblemKind::Connect).seconds(55);
    assert!(story.is_quiet());
    story.seconds(10);
    assert_eq!(story.sent(), ["DatabaseUnreachable firing"]);
    story.reads(&[(BACKEND_TABLE, &["a1"])]);
    assert_eq!(
        story.sent(),
        ["DatabaseUnreachable firing", "DatabaseUnreachable resolved"]
    );
}

#[test]
fn a_database_that_never_answered_is_no_alert() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, disarmed())
        .started()
        .cannot_read(DatabaseProblemKind::AccessDenied)
        .seconds(7200);
    assert!(story.is_quiet());
}

#[test]
fn a_time_out_while_a_migration_runs_is_no_alert() {
    let mut story = Story::new(policy(Policy::Allow));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .says(RUNNING)
        .says(A_TO_B);
    story.cannot_read(DatabaseProblemKind::Timeout).seconds(240);
    assert!(story.is_quiet());
    story.says(APPLICATION_UP);
    assert_eq!(story.firing(), [AlertName::DatabaseUnreachable]);
}

#[test]
fn an_engine_that_is_away_makes_the_watcher_blind_and_changes_nothing_else() {
    let mut story = Story::new(policy(Policy::Explicit));
    story.created_as(BACKEND, disarmed(), |look| {
        look.restart_policy = migwatch::model::container::RestartPolicy::No;
    });
    story.started().dies(1);
    assert_eq!(story.firing(), [AlertName::ServiceDown]);
    story.engine_goes_away().seconds(50);
    assert_eq!(story.firing(), [AlertName::ServiceDown]);
    story.seconds(3600);
    assert_eq!(story.firing(), [AlertName::ServiceDown, AlertName::WatcherBlind]);
    assert_eq!(story.condition(BACKEND), ConditionWord::Unknown);
    story.installed();
    assert_eq!(
        story.sent(),
        [
            "ServiceDown firing",
            "WatcherBlind firing",
            "WatcherBlind resolved"
        ]
    );
}

#[test]
fn what_happened_while_the_engine_was_away_is_found_by_the_full_look() {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(APPLICATION_UP)
        .seconds(60)
        .engine_goes_away();
    story
        .seconds(30)
        .ends_unheard(137)
        .seconds(5)
        .starts_unheard()
        .seconds(5)
        .installed();
    story.follows().says(RUNNING).says(A_TO_B);
    assert_eq!(story.migrations()[1].outcome, Outcome::Running);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn a_log_that_cannot_be_read_is_said_after_its_grace() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, disarmed())
        .started()
        .log(LogStatus::Unreadable {
            reason: "the logging driver does not support reading".into(),
        });
    story.seconds(55);
    assert!(story.is_quiet());
    story.seconds(10);
    assert_eq!(story.sent(), ["WatcherBlind firing"]);
}

#[test]
fn a_log_that_the_outage_of_the_engine_cut_has_its_grace_from_the_engines_return() {
    let mut story = Story::new(policy(Policy::Explicit));
    let unreadable = || LogStatus::Unreadable {
        reason: "cannot connect to the engine".into(),
    };
    story.created(BACKEND, disarmed()).started();
    story.engine_goes_away().log(unreadable()).seconds(3600);
    story.installed().seconds(50);
    let outage = ["WatcherBlind firing", "WatcherBlind resolved"];
    assert_eq!(story.sent(), outage);
    story.follows().seconds(60);
    assert_eq!(story.sent(), outage);
    story.log(unreadable()).seconds(65);
    assert_eq!(
        story.sent().len(),
        3,
        "one that nothing mends: {:?}",
        story.sent()
    );
}

#[test]
fn a_refusing_disk_is_one_fact_however_many_facts_wait() {
    let mut story = Story::new(policy(Policy::Explicit));
    story.state.live.unwritten = Some((1, story.now));
    story.seconds(1);
    let facts = story.facts.len();
    for waiting in 2..10 {
        story.state.live.unwritten = Some((waiting, story.now));
        story.seconds(1);
    }
    assert_eq!(story.sent(), ["WatcherBlind firing"]);
    assert_eq!(story.facts.len(), facts);
}

#[test]
fn a_verdict_says_that_the_engines_clock_is_off() {
    let mut story = Story::new(policy(Policy::Deny));
    story.sees(Observation::EngineClock { ahead: -7 });
    story.created(BACKEND, armed()).started().says(RUNNING);
    let reason = &story.migration().judgement.reason;
    assert!(
        reason.ends_with("(the engine's clock is 7 s behind ours)"),
        "{reason}"
    );
}
