//! The database moved, and nobody on this host did it.

use migwatch::model::exec::{Action, ExecCommand};
use migwatch::model::migration::{Grade, Outcome, Rule, Trigger, Verdict};
use migwatch::model::policy::Policy;
use migwatch::model::revision::{DatabaseId, Heads};

use crate::support::story::{
    A_TO_B, APPLICATION_UP, BACKEND, BACKEND_TABLE, RAG, RAG_TABLE, RUNNING, SKIPPING, Story, armed,
    disarmed, policy, serving,
};

#[test]
fn a_table_that_moves_while_nothing_ran_is_an_out_of_band_migration() {
    let mut story = serving(Policy::Explicit);
    story.reads(&[(BACKEND_TABLE, &["b2"])]).seconds(5);
    assert!(story.migrations().is_empty(), "evidence may still be on its way");
    story.seconds(10);
    let migration = story.migration();
    assert_eq!(
        (migration.trigger, migration.outcome),
        (Trigger::OutOfBand, Outcome::Applied)
    );
    assert_eq!(
        (migration.judgement.verdict, migration.judgement.rule),
        (Verdict::Unexpected, Rule::NobodyHere)
    );
    assert_eq!(
        (migration.from(), migration.to()),
        (Some(Heads::of(["a1"])), Some(Heads::of(["b2"])))
    );
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn revisions_that_follow_each_other_at_once_are_one_finding_and_one_alert() {
    let mut story = serving(Policy::Deny);
    for heads in ["b2", "c3", "d4"] {
        story.seconds(4).reads(&[(BACKEND_TABLE, &[heads])]);
    }
    story.seconds(60).reads(&[(BACKEND_TABLE, &["e5"])]).seconds(60);
    let spans: Vec<_> = story
        .migrations()
        .iter()
        .map(|one| (one.from(), one.to()))
        .collect();
    let span = |from, to| (Some(Heads::of([from])), Some(Heads::of([to])));
    assert_eq!(spans, [span("a1", "d4"), span("d4", "e5")]);
    assert_eq!(story.sent().len(), 2);
}

#[test]
fn up_down_up_are_three() {
    let mut story = serving(Policy::Deny);
    for heads in ["b2", "a1", "b2"] {
        story.seconds(1).reads(&[(BACKEND_TABLE, &[heads])]);
    }
    story.seconds(60);
    let outcomes: Vec<_> = story.judged().into_iter().map(|(outcome, _)| outcome).collect();
    assert_eq!(
        outcomes,
        [Outcome::Applied, Outcome::Downgraded, Outcome::Applied]
    );
    assert_eq!(story.sent().len(), 3);
}

#[test]
fn what_somebody_moved_between_two_attempts_is_not_theirs() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .says(RUNNING)
        .says(A_TO_B)
        .dies(137);
    story.seconds(60).reads(&[(BACKEND_TABLE, &["a1"])]);
    story.seconds(15).reads(&[(BACKEND_TABLE, &["b2"])]);
    story.seconds(5).started().says(RUNNING).says(APPLICATION_UP);
    story.seconds(60).reads(&[(BACKEND_TABLE, &["b2"])]).seconds(60);
    let triggers: Vec<_> = story.migrations().iter().map(|one| one.trigger).collect();
    assert_eq!(triggers, [Trigger::Startup, Trigger::OutOfBand]);
}

#[test]
fn what_an_earlier_attempt_said_and_a_later_one_says_again_explains_the_move() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .says(RUNNING)
        .says(A_TO_B)
        .dies(137);
    story.seconds(60).reads(&[(BACKEND_TABLE, &["a1"])]);
    story.started().says(RUNNING).says(A_TO_B);
    story.reads(&[(BACKEND_TABLE, &["b2"])]).says(APPLICATION_UP);
    story.seconds(60);
    assert_eq!(story.migration().to(), Some(Heads::of(["b2"])));
}

#[test]
fn what_a_deploy_moved_is_never_out_of_band() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .says(RUNNING)
        .says(A_TO_B)
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .says(APPLICATION_UP)
        .seconds(300);
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Expected)]);
    assert!(story.is_quiet());
}

#[test]
fn a_migration_that_is_heard_of_late_stands_for_the_finding_and_is_counted_once() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])]);
    let announced = story.line(RUNNING).unwrap();
    let step = story.line(A_TO_B).unwrap();
    story.reads(&[(BACKEND_TABLE, &["b2"])]).seconds(30);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
    story.sees(announced).sees(step).says(APPLICATION_UP).seconds(60);
    let (finding, deploy) = {
        let all = story.migrations();
        assert_eq!(all.len(), 2);
        let is_finding = |trigger| trigger == Trigger::OutOfBand;
        let finding = all.iter().find(|one| is_finding(one.trigger)).unwrap();
        let deploy = all.iter().find(|one| !is_finding(one.trigger)).unwrap();
        ((*finding).clone(), (*deploy).clone())
    };
    assert_eq!(finding.superseded_by, Some(deploy.id));
    assert_eq!(deploy.judgement.verdict, Verdict::Expected);
    assert_eq!(
        story.sent(),
        ["UnexpectedMigration firing", "UnexpectedMigration resolved"]
    );
    let counted: u64 = story.counters(BACKEND).migrations.values().sum();
    assert_eq!(counted, 1);
}

#[test]
fn a_finding_waits_for_a_command_that_is_still_at_work() {
    let mut story = serving(Policy::Explicit);
    story
        .execs("e1", "alembic upgrade head", Action::Upgrade)
        .seconds(1)
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .seconds(60)
        .reads(&[(BACKEND_TABLE, &["c3"])])
        .exec_ends("e1", 0)
        .seconds(60);
    let migration = story.migration();
    assert_eq!(migration.trigger, Trigger::Exec);
    assert_eq!(migration.to(), Some(Heads::of(["c3"])));
}

#[test]
fn of_two_tables_in_one_schema_the_one_that_moved_names_the_service() {
    let mut story = Story::new(policy(Policy::Explicit));
    story.created(BACKEND, armed()).started();
    story
        .reads(&[(BACKEND_TABLE, &["a1"]), (RAG_TABLE, &["r1"])])
        .says(RUNNING)
        .says(A_TO_B)
        .reads(&[(BACKEND_TABLE, &["b2"]), (RAG_TABLE, &["r1"])])
        .says(APPLICATION_UP)
        .seconds(60);
    story
        .created(RAG, disarmed())
        .started()
        .says(SKIPPING)
        .seconds(60);
    story
        .reads(&[(BACKEND_TABLE, &["c3"]), (RAG_TABLE, &["r1"])])
        .seconds(60);
    let all = story.migrations();
    assert_eq!(all.len(), 2);
    assert_eq!(
        (all[1].service.to_string(), all[1].trigger),
        (BACKEND.to_owned(), Trigger::OutOfBand)
    );
}

#[test]
fn what_moved_while_migwatch_was_away_says_so() {
    let mut story = serving(Policy::Deny);
    story.migwatch_is_killed().seconds_pass(600).migwatch_comes_back();
    story.reads(&[(BACKEND_TABLE, &["b2"])]).seconds(60);
    let text = &story.migration().evidence[0].text;
    assert!(text.contains("found when migwatch came back"), "{text}");
}

#[test]
fn a_run_whose_lines_were_read_after_the_fact_says_so() {
    let mut story = Story::new(policy(Policy::Deny));
    story.created(BACKEND, armed()).started();
    let lines: Vec<_> = [RUNNING, A_TO_B]
        .iter()
        .map(|text| story.line(text).unwrap())
        .collect();
    story.migwatch_is_killed().seconds_pass(60).migwatch_comes_back();
    for line in lines {
        story.sees(line);
    }
    let text = &story.migration().evidence[0].text;
    assert!(text.contains("seen after the fact"), "{text}");
}

#[test]
fn an_empty_version_table_that_is_created_has_moved_nowhere() {
    let mut story = Story::new(policy(Policy::Explicit));
    story.created(BACKEND, armed()).started().reads(&[]);
    story
        .says(RUNNING)
        .says(A_TO_B)
        .reads(&[(BACKEND_TABLE, &[])])
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .says(APPLICATION_UP)
        .seconds(120);
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Expected)]);
    assert!(story.is_quiet());
}

#[test]
fn the_empty_table_that_alembic_makes_first_confirms_nothing() {
    let mut story = Story::new(policy(Policy::Explicit));
    story.created(BACKEND, armed()).started().reads(&[]);
    // The reading comes before the line of the first step.
    story.says(RUNNING).reads(&[(BACKEND_TABLE, &[])]);
    let migration = story.migration();
    assert!(
        migration.movements.is_empty() && migration.grade != Grade::Confirmed,
        "{migration:?}"
    );
    story.says(A_TO_B).reads(&[(BACKEND_TABLE, &["b2"])]);
    let migration = story.migration();
    assert_eq!(
        (migration.movements.len(), migration.grade),
        (1, Grade::Confirmed)
    );
    assert_eq!(migration.movements[0].from, Heads::default());
}

#[test]
fn a_shell_that_is_open_accuses_nobody_where_anybody_may_move_the_database() {
    let mut story = serving(Policy::Explicit);
    story
        .settings
        .moved_by_anywhere
        .insert(DatabaseId("mariadb:3306/coe".into()));
    story.execs_as("e1", ExecCommand::Untold).seconds(3600);
    story.reads(&[(BACKEND_TABLE, &["b2"])]).seconds(60);
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Expected)]);
    assert!(story.is_quiet(), "{:?}", story.sent());
}

#[test]
fn what_was_put_on_an_open_shell_is_superseded_by_the_deploy_that_is_heard_of_late() {
    let mut story = Story::new(policy(Policy::Explicit));
    story.created(RAG, disarmed()).started().says(SKIPPING);
    story.execs_as("e1", ExecCommand::Untold);
    story.created(BACKEND, armed()).started();
    story.reads(&[(BACKEND_TABLE, &["a1"])]);
    let announced = story.line(RUNNING).unwrap();
    let step = story.line(A_TO_B).unwrap();
    story.reads(&[(BACKEND_TABLE, &["b2"])]).seconds(30);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
    story.sees(announced).sees(step).says(APPLICATION_UP).seconds(60);
    let stands: Vec<_> = story
        .migrations()
        .into_iter()
        .filter(|one| one.superseded_by.is_none())
        .collect();
    assert_eq!(stands.len(), 1, "{stands:#?}");
    assert_eq!(
        (stands[0].trigger, stands[0].judgement.verdict),
        (Trigger::Startup, Verdict::Expected)
    );
    assert_eq!(
        story.sent(),
        ["UnexpectedMigration firing", "UnexpectedMigration resolved"]
    );
}

#[test]
fn a_finding_does_not_wait_for_a_service_that_has_a_table_of_its_own() {
    let mut story = Story::new(policy(Policy::Explicit));
    story.created(RAG, armed()).started();
    story.reads(&[(BACKEND_TABLE, &["a1"]), (RAG_TABLE, &["r1"])]);
    story
        .says(RUNNING)
        .says("INFO  [alembic.runtime.migration] Running upgrade r1 -> r2, 문서");
    story.reads(&[(BACKEND_TABLE, &["a1"]), (RAG_TABLE, &["r2"])]);
    // It is bound to its table by now, and its second step takes long.
    story
        .seconds(20)
        .reads(&[(BACKEND_TABLE, &["b2"]), (RAG_TABLE, &["r2"])]);
    story.seconds(11);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
    let finding = story.latest();
    assert_eq!(finding.trigger, Trigger::OutOfBand);
    assert_eq!(finding.movements[0].table.table, BACKEND_TABLE);
}
