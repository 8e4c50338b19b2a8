//! Skip, `deny`, `allow`, nothing to do, and when an alert goes out.

use migwatch::model::alert::{AlertName, Severity};
use migwatch::model::container::WatchLabels;
use migwatch::model::migration::{Grade, Outcome, Rule, Trigger, Verdict};
use migwatch::model::policy::Policy;
use migwatch::model::revision::Heads;
use migwatch::model::service::Role;

use crate::support::story::{
    A_TO_B, APPLICATION_UP, B_TO_C, BACKEND, BACKEND_TABLE, C_TO_B, CONTEXT, RUNNING, SKIPPING, Story, armed,
    disarmed, policy,
};

#[test]
fn a_start_that_skips_is_quiet_and_counted_as_a_skip() {
    let mut story = Story::new(policy(Policy::Deny));
    story.created(BACKEND, disarmed()).started().says(SKIPPING);
    story.seconds(7200);
    assert!(story.migrations().is_empty() && story.is_quiet());
    assert_eq!(story.counters(BACKEND).skips, 1);
    assert!(story.service(BACKEND).last_start.unwrap().skipped);
}

#[test]
fn under_deny_an_applied_migration_is_unexpected_and_confirmed_with_its_steps() {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])]);
    story.says(RUNNING).says(CONTEXT);
    assert!(story.is_quiet(), "an announcement alerts nobody");
    story.says(A_TO_B);
    assert_eq!(
        story.sent(),
        ["UnexpectedMigration firing"],
        "at the first movement"
    );
    story
        .says(B_TO_C)
        .says(APPLICATION_UP)
        .reads(&[(BACKEND_TABLE, &["c3"])]);
    let migration = story.migration();
    assert_eq!(migration.outcome, Outcome::Applied);
    assert_eq!(migration.trigger, Trigger::Startup);
    assert_eq!(migration.grade, Grade::Confirmed);
    assert_eq!(migration.judgement.rule, Rule::DenyEverything);
    assert_eq!(migration.from(), Some(Heads::of(["a1"])));
    assert_eq!(migration.to(), Some(Heads::of(["c3"])));
    assert_eq!(migration.steps.len(), 2);
    assert_eq!(migration.movements.len(), 1);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
    assert_eq!(story.counted(BACKEND, Outcome::Applied), 1);
    assert_eq!(story.counted_as(BACKEND, Verdict::Unexpected), 1);
    let alert = story.alert(AlertName::UnexpectedMigration);
    assert_eq!(alert.severity, Severity::Critical);
    assert_eq!(alert.labels["migration"], migration.id.0);
    assert!(alert.summary.contains("(a1 -> c3)"), "{}", alert.summary);
}

#[test]
fn a_table_that_moves_without_any_logged_step_alerts_too() {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])]);
    story.says(RUNNING).reads(&[(BACKEND_TABLE, &["b2"])]);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
    story.dies(0);
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Unexpected)]);
}

#[test]
fn the_reading_right_after_the_end_still_shows_what_an_unlogged_run_did() {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])]);
    story.says(RUNNING).says(APPLICATION_UP);
    assert_eq!(story.judged()[0].0, Outcome::NothingToDo);
    story.seconds(1).reads(&[(BACKEND_TABLE, &["b2"])]);
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Unexpected)]);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn a_move_long_after_an_idle_run_is_not_put_on_it() {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])]);
    story.says(RUNNING).says(APPLICATION_UP).seconds(30);
    story.reads(&[(BACKEND_TABLE, &["b2"])]);
    assert_eq!(story.judged()[0].0, Outcome::NothingToDo);
    assert!(story.is_quiet());
}

#[test]
fn under_allow_a_migration_is_expected_and_quiet() {
    let mut story = Story::new(policy(Policy::Allow));
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(A_TO_B)
        .says(APPLICATION_UP);
    story.seconds(7200);
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Expected)]);
    assert_eq!(story.migration().judgement.rule, Rule::AllowEverything);
    assert!(story.is_quiet());
}

#[test]
fn a_failure_under_allow_is_told_as_a_warning() {
    let mut story = Story::new(policy(Policy::Allow));
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(A_TO_B);
    story.dies(1).seconds(5);
    assert_eq!(
        story.alert(AlertName::MigrationFailed).severity,
        Severity::Warning
    );
}

#[test]
fn the_containers_label_beats_the_services_and_the_projects_policy() {
    let mut settings = policy(Policy::Deny);
    settings.projects.insert("coe-demo".into(), Policy::Explicit);
    let mut story = Story::new(settings);
    story.created_as(BACKEND, armed(), |look| {
        look.labels = WatchLabels {
            migrations: Some(Policy::Allow),
            ..WatchLabels::default()
        };
    });
    story.started().says(RUNNING).says(A_TO_B);
    assert_eq!(story.migration().judgement.policy, Policy::Allow);
    story.recreated(armed()).says(RUNNING).says(A_TO_B);
    assert_eq!(story.migrations()[1].judgement.policy, Policy::Explicit);
}

#[test]
fn a_run_at_head_has_nothing_to_do_and_pages_nobody() {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["c3"])]);
    story
        .says(RUNNING)
        .says(CONTEXT)
        .says(APPLICATION_UP)
        .reads(&[(BACKEND_TABLE, &["c3"])]);
    story.seconds(600);
    assert_eq!(story.migration().outcome, Outcome::NothingToDo);
    assert_eq!(story.counted(BACKEND, Outcome::NothingToDo), 1);
    assert_eq!(story.counted_as(BACKEND, Verdict::Unexpected), 0);
    assert!(story.is_quiet());
}

#[test]
fn a_second_unexpected_migration_is_heard_while_the_first_is_open() {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(A_TO_B)
        .says(APPLICATION_UP);
    story.seconds(60).stopped(137).seconds(2).started();
    story.says(RUNNING).says(B_TO_C).says(APPLICATION_UP);
    assert_eq!(
        story.sent(),
        ["UnexpectedMigration firing", "UnexpectedMigration firing"]
    );
    assert_eq!(story.service(BACKEND).unexpected_open, 2);
}

#[test]
fn up_down_up_are_three_migrations() {
    let mut story = Story::new(policy(Policy::Deny));
    story.created(BACKEND, armed());
    for step in [B_TO_C, C_TO_B, B_TO_C] {
        story
            .started()
            .says(RUNNING)
            .says(step)
            .says(APPLICATION_UP)
            .seconds(300)
            .stopped(0)
            .seconds(5);
    }
    let outcomes: Vec<_> = story.judged().into_iter().map(|(outcome, _)| outcome).collect();
    assert_eq!(
        outcomes,
        [Outcome::Applied, Outcome::Downgraded, Outcome::Applied]
    );
    assert_eq!(story.sent().len(), 3);
}

#[test]
fn a_one_off_is_never_declared_by_the_environment_of_its_service() {
    let mut story = Story::new(policy(Policy::Explicit));
    story.created_as(BACKEND, armed(), |look| {
        look.role = Role::OneOff;
        look.number = None;
    });
    story.started().says(CONTEXT).says(A_TO_B).dies(0).removed();
    let migration = story.migration();
    assert_eq!(migration.trigger, Trigger::OneOff);
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Unexpected)]);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}
