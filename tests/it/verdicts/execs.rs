//! Commands inside running containers: nothing of them is in the log; the engine tells that they run, the database what they moved.

use std::time::Duration;

use migwatch::model::database::DatabaseProblemKind;
use migwatch::model::exec::{Action, ExecCommand, ExecId, MigrationCommand};
use migwatch::model::migration::{Grade, Outcome, Rule, Trigger, Verdict};
use migwatch::model::observation::Observation;
use migwatch::model::policy::Policy;
use migwatch::model::revision::Heads;

use crate::support::story::{
    A_TO_B, APPLICATION_UP, B_TO_C, BACKEND, BACKEND_TABLE, RUNNING, Story, armed, disarmed, policy, serving,
};

const UPGRADE: &str = "alembic upgrade head";

#[test]
fn an_exec_that_moves_the_table_is_one_unexpected_migration() {
    let mut story = serving(Policy::Explicit);
    story
        .execs("e1", UPGRADE, Action::Upgrade)
        .seconds(1)
        .reads(&[(BACKEND_TABLE, &["b2"])]);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
    story
        .exec_ends("e1", 0)
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .seconds(60);
    let migration = story.migration();
    assert_eq!(
        (migration.trigger, migration.outcome, migration.grade),
        (Trigger::Exec, Outcome::Applied, Grade::Confirmed)
    );
    assert_eq!(
        (migration.judgement.verdict, migration.judgement.rule),
        (Verdict::Unexpected, Rule::NobodyDeclared)
    );
    assert_eq!(
        (migration.from(), migration.to()),
        (Some(Heads::of(["a1"])), Some(Heads::of(["b2"])))
    );
    assert!(
        migration.evidence[0].text.contains(UPGRADE),
        "{:?}",
        migration.evidence
    );
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn an_exec_whose_move_is_read_after_its_end_is_the_same_migration() {
    let mut story = serving(Policy::Deny);
    story
        .execs("e1", UPGRADE, Action::Upgrade)
        .seconds(1)
        .exec_ends("e1", 0)
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .seconds(120);
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Unexpected)]);
    assert_eq!(story.migration().trigger, Trigger::Exec);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn an_exec_that_goes_back_to_where_a_start_has_just_come_through_is_the_one_that_did_it() {
    let mut story = Story::new(policy(Policy::Explicit));
    story.created(BACKEND, armed()).started();
    story.reads(&[(BACKEND_TABLE, &["a1"])]).says(RUNNING);
    story.says(A_TO_B).says(B_TO_C).says(APPLICATION_UP);
    story.reads(&[(BACKEND_TABLE, &["c3"])]).seconds(2);
    story
        .execs("e1", "alembic downgrade -1", Action::Downgrade)
        .seconds(1)
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .exec_ends("e1", 0)
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .seconds(60);
    let told = [
        (Outcome::Applied, Verdict::Expected),
        (Outcome::Downgraded, Verdict::Unexpected),
    ];
    assert_eq!(story.judged(), told);
}

#[test]
fn an_exec_at_head_had_nothing_to_do_and_alerts_nobody() {
    let mut story = serving(Policy::Deny);
    story
        .execs("e1", UPGRADE, Action::Upgrade)
        .seconds(1)
        .exec_ends("e1", 0)
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .seconds(60);
    assert_eq!(story.judged(), [(Outcome::NothingToDo, Verdict::Unexpected)]);
    assert!(story.sent().is_empty());
}

#[test]
fn an_exec_that_runs_on_is_presumed_to_move_something_and_taken_back_if_it_did_not() {
    let mut story = serving(Policy::Explicit);
    story.execs("e1", UPGRADE, Action::Upgrade).seconds(6);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
    story
        .exec_ends("e1", 0)
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .seconds(60);
    assert_eq!(story.judged(), [(Outcome::NothingToDo, Verdict::Unexpected)]);
    assert_eq!(
        story.sent(),
        ["UnexpectedMigration firing", "UnexpectedMigration resolved"]
    );
}

#[test]
fn the_outcome_of_an_exec_is_what_its_command_says() {
    for (action, outcome) in [
        (Action::Downgrade, Outcome::Downgraded),
        (Action::Stamp, Outcome::Stamped),
    ] {
        let mut story = serving(Policy::Allow);
        story
            .execs("e1", "alembic ...", action)
            .seconds(1)
            .exec_ends("e1", 0)
            .reads(&[(BACKEND_TABLE, &["0"])])
            .seconds(60);
        assert_eq!(story.judged(), [(outcome, Verdict::Expected)]);
    }
}

#[test]
fn an_exec_that_fails_is_told_and_one_that_could_not_run_is_not() {
    for (code, outcome, sent) in [
        (1, Outcome::Failed, vec!["MigrationFailed firing"]),
        (137, Outcome::Interrupted, vec!["MigrationInterrupted firing"]),
        (127, Outcome::NothingToDo, vec![]),
    ] {
        let mut story = serving(Policy::Explicit);
        story
            .execs("e1", UPGRADE, Action::Upgrade)
            .seconds(1)
            .exec_ends("e1", code)
            .reads(&[(BACKEND_TABLE, &["a1"])])
            .seconds(60);
        assert_eq!(story.migration().outcome, outcome, "exit code {code}");
        assert_eq!(story.sent(), sent, "exit code {code}");
    }
}

#[test]
fn an_exec_whose_container_ends_is_interrupted() {
    let mut story = serving(Policy::Explicit);
    story
        .execs("e1", UPGRADE, Action::Upgrade)
        .seconds(1)
        .dies(137)
        .seconds(60);
    assert_eq!(story.migration().outcome, Outcome::Interrupted);
}

#[test]
fn an_exec_that_the_engine_does_not_tell_is_named_once_the_database_moved() {
    let mut story = serving(Policy::Explicit);
    story
        .execs_as("e1", ExecCommand::Untold)
        .seconds(1)
        .exec_ends("e1", 0)
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .seconds(60);
    assert!(story.migrations().is_empty(), "an exec alone is no migration");
    story
        .execs_as("e2", ExecCommand::Untold)
        .seconds(1)
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .exec_ends("e2", 0)
        .seconds(60);
    let migration = story.migration();
    assert_eq!(
        (migration.trigger, migration.judgement.verdict),
        (Trigger::Exec, Verdict::Unexpected)
    );
}

#[test]
fn a_restart_of_migwatch_in_the_middle_of_an_exec_changes_nothing() {
    let mut story = serving(Policy::Explicit);
    story.execs("e1", UPGRADE, Action::Upgrade).seconds(1);
    story.migwatch_is_killed().seconds_pass(3).migwatch_comes_back();
    story
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .exec_ends("e1", 0)
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .seconds(60);
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Unexpected)]);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn an_exec_beside_a_start_that_migrates_is_one_migration_with_the_worse_verdict() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .says(RUNNING);
    story
        .seconds(2)
        .execs("e1", UPGRADE, Action::Upgrade)
        .says(A_TO_B)
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .exec_ends("e1", 0)
        .says(APPLICATION_UP)
        .seconds(60);
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Unexpected)]);
    assert!(story.migration().concurrent);
    assert_eq!(
        story.sent(),
        ["UnexpectedMigration firing", "ConcurrentMigrations firing"]
    );
}

#[test]
fn an_exec_that_moves_to_where_a_start_had_moved_before_is_told_by_itself() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .says(RUNNING)
        .says(A_TO_B)
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .says(APPLICATION_UP)
        .seconds(60);
    for (exec, action, heads) in [("e1", Action::Downgrade, "a1"), ("e2", Action::Upgrade, "b2")] {
        story
            .execs(exec, "alembic ...", action)
            .seconds(1)
            .reads(&[(BACKEND_TABLE, &[heads])])
            .exec_ends(exec, 0)
            .reads(&[(BACKEND_TABLE, &[heads])])
            .seconds(60);
    }
    assert_eq!(
        story.judged(),
        [
            (Outcome::Applied, Verdict::Expected),
            (Outcome::Downgraded, Verdict::Unexpected),
            (Outcome::Applied, Verdict::Unexpected)
        ]
    );
}

#[test]
fn steps_that_led_to_a_revision_before_do_not_explain_that_an_exec_goes_there_again() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .says(RUNNING)
        .says(A_TO_B)
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .says(APPLICATION_UP);
    story
        .seconds(20)
        .execs("e1", "alembic downgrade -1", Action::Downgrade)
        .exec_ends("e1", 0)
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .seconds(20);
    story.migwatch_is_killed().seconds_pass(5).migwatch_comes_back();
    story
        .execs("e2", UPGRADE, Action::Upgrade)
        .exec_ends("e2", 0)
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .seconds(60);
    let outcomes: Vec<_> = story.judged().into_iter().map(|(outcome, _)| outcome).collect();
    assert_eq!(
        outcomes,
        [Outcome::Applied, Outcome::Downgraded, Outcome::Applied]
    );
    let triggers: Vec<_> = story.migrations().iter().map(|one| one.trigger).collect();
    assert_eq!(triggers, [Trigger::Startup, Trigger::Exec, Trigger::Exec]);
}

#[test]
fn steps_from_before_the_watch_do_not_explain_what_an_exec_moves() {
    let mut story = Story::before_install(policy(Policy::Explicit));
    let created = story.now.before(Duration::from_secs(60));
    story.made_in_advance(BACKEND, disarmed(), created);
    let old: Vec<_> = [RUNNING, A_TO_B]
        .iter()
        .map(|text| story.line_at(text, created).unwrap())
        .collect();
    story.installed().follows();
    for line in old {
        story.sees(line);
    }
    story
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .execs("e1", UPGRADE, Action::Upgrade)
        .exec_ends("e1", 0)
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .seconds(120);
    let last = story.migrations().into_iter().rfind(|one| !one.history).unwrap();
    assert_eq!((last.trigger, last.outcome), (Trigger::Exec, Outcome::Applied));
}

#[test]
fn after_a_restart_a_database_that_does_not_answer_yet_is_waited_for_before_an_exec_had_nothing_to_do() {
    let mut story = serving(Policy::Deny);
    story.execs("e1", UPGRADE, Action::Upgrade).seconds(6);
    story.migwatch_is_killed().seconds_pass(1).migwatch_comes_back();
    story.cannot_read(DatabaseProblemKind::Connect).exec_ends("e1", 0);
    story.seconds(4).reads(&[(BACKEND_TABLE, &["b2"])]).seconds(60);
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Unexpected)]);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn what_was_executed_before_the_watch_is_no_migration_of_its_time() {
    let mut story = Story::before_install(policy(Policy::Deny));
    let created = story.now.before(Duration::from_secs(60));
    story.made_in_advance(BACKEND, disarmed(), created);
    story.installed().follows();
    let (container, at) = (story.container.clone(), story.now.before(Duration::from_secs(5)));
    story.sees(Observation::ExecStarted {
        container,
        exec: ExecId("e0".into()),
        at,
        command: ExecCommand::Migrates(MigrationCommand {
            text: UPGRADE.into(),
            action: Action::Upgrade,
            target: None,
            environment: None,
        }),
    });
    story.exec_ends("e0", 0);
    assert!(story.migrations().is_empty());
    story.execs("e1", UPGRADE, Action::Upgrade).exec_ends("e1", 0);
    assert_eq!(story.migrations().len(), 1);
}

#[test]
fn what_somebody_moves_after_a_restart_is_not_put_on_an_exec_that_was_seen_to_have_moved_nothing() {
    let mut story = serving(Policy::Deny);
    story
        .execs("e1", UPGRADE, Action::Upgrade)
        .seconds(1)
        .exec_ends("e1", 0);
    story.seconds(1).reads(&[(BACKEND_TABLE, &["a1"])]).seconds(2);
    story.migwatch_is_killed().seconds_pass(20).migwatch_comes_back();
    story.reads(&[(BACKEND_TABLE, &["b2"])]).seconds(60);
    let triggers: Vec<_> = story.migrations().iter().map(|one| one.trigger).collect();
    assert_eq!(triggers, [Trigger::Exec, Trigger::OutOfBand]);
}

#[test]
fn what_moves_after_an_exec_was_seen_to_be_over_is_somebody_elses_over_a_restart_too() {
    let mut story = serving(Policy::Deny);
    story
        .execs("e1", UPGRADE, Action::Upgrade)
        .seconds(1)
        .exec_ends("e1", 0)
        .seconds(1)
        .reads(&[(BACKEND_TABLE, &["b2"])]);
    story.migwatch_is_killed().seconds_pass(2).migwatch_comes_back();
    story.reads(&[(BACKEND_TABLE, &["a1"])]).seconds(60);
    let triggers: Vec<Trigger> = story.migrations().iter().map(|it| it.trigger).collect();
    assert_eq!(triggers, [Trigger::Exec, Trigger::OutOfBand]);
}

#[test]
fn after_a_restart_the_length_of_an_exec_says_nothing_before_the_engine_was_asked() {
    let mut story = serving(Policy::Explicit);
    story.execs("e1", UPGRADE, Action::Upgrade).seconds(1);
    story.migwatch_is_killed().seconds_pass(60).migwatch_comes_back();
    story.seconds(1).exec_ends("e1", 0);
    story.reads(&[(BACKEND_TABLE, &["a1"])]).seconds(60);
    assert_eq!(story.judged(), [(Outcome::NothingToDo, Verdict::Unexpected)]);
    assert!(story.is_quiet(), "{:?}", story.sent());
}
