//! Policy `explicit`: which start of which container is a deploy that declares itself.

use migwatch::model::container::ContainerState;
use migwatch::model::migration::{Outcome, Rule, Verdict};
use migwatch::model::policy::Policy;

use crate::support::story::{
    A_TO_B, APPLICATION_UP, B_TO_C, BACKEND, BACKEND_TABLE, CONTEXT, RUNNING, SKIPPING, Story, armed,
    bare_command, disarmed, policy, unknown, unset_means_true,
};

fn explicit() -> Story {
    Story::new(policy(Policy::Explicit))
}

fn migrates(story: &mut Story) {
    story.says(RUNNING).says(A_TO_B).says(APPLICATION_UP);
}

fn rule(story: &Story) -> Rule {
    story.migrations().last().unwrap().judgement.rule
}

#[test]
fn a_deploy_that_declares_itself_is_quiet() {
    let mut story = explicit();
    story
        .created(BACKEND, disarmed())
        .started()
        .says(SKIPPING)
        .seconds(86_400);
    story.recreated(armed());
    migrates(&mut story);
    assert_eq!(rule(&story), Rule::DeclaredDeploy);
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Expected)]);
    assert!(story.is_quiet());
}

#[test]
fn a_later_restart_of_that_container_that_moves_a_revision_is_loud() {
    let mut story = explicit();
    story.created(BACKEND, armed()).started();
    migrates(&mut story);
    story
        .seconds(1800)
        .stopped(137)
        .started()
        .says(RUNNING)
        .says(B_TO_C);
    assert_eq!(rule(&story), Rule::LeftArmed);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn a_later_restart_of_that_container_at_head_is_quiet() {
    let mut story = explicit();
    story.created(BACKEND, armed()).started();
    migrates(&mut story);
    story
        .seconds(1800)
        .stopped(137)
        .started()
        .says(RUNNING)
        .says(CONTEXT)
        .says(APPLICATION_UP);
    assert_eq!(story.judged()[1], (Outcome::NothingToDo, Verdict::Unexpected));
    assert!(story.is_quiet());
}

#[test]
fn a_new_container_whose_predecessor_was_armed_too_is_loud() {
    let mut story = explicit();
    story.created(BACKEND, armed()).started();
    migrates(&mut story);
    story.seconds(1800).recreated(armed()).says(RUNNING).says(B_TO_C);
    assert_eq!(rule(&story), Rule::PredecessorArmed);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn a_predecessor_that_was_removed_long_before_counts_still() {
    let mut story = explicit();
    story.created(BACKEND, armed()).started().stopped(0).removed();
    story.seconds(86_400).created(BACKEND, armed()).started();
    migrates(&mut story);
    assert_eq!(rule(&story), Rule::PredecessorArmed);
}

#[test]
fn after_a_disarmed_container_a_deploy_may_declare_itself_again() {
    let mut story = explicit();
    story.created(BACKEND, armed()).started().seconds(60);
    story
        .recreated(disarmed())
        .says(SKIPPING)
        .seconds(60)
        .recreated(armed());
    migrates(&mut story);
    assert_eq!(rule(&story), Rule::DeclaredDeploy);
}

#[test]
fn a_switch_that_nobody_set_and_that_means_true_is_loud() {
    let mut story = explicit();
    story.created(BACKEND, unset_means_true()).started();
    migrates(&mut story);
    assert_eq!(rule(&story), Rule::UnsetMeansTrue);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn a_bare_command_is_loud_even_without_an_announcement() {
    let mut story = explicit();
    story
        .created(BACKEND, bare_command())
        .started()
        .says(CONTEXT)
        .says(A_TO_B);
    assert_eq!(rule(&story), Rule::BareCommand);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn a_run_that_nothing_declares_is_loud() {
    let mut story = explicit();
    story.created(BACKEND, unknown()).started();
    migrates(&mut story);
    assert_eq!(rule(&story), Rule::NobodyDeclared);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn both_replicas_of_a_declared_deploy_are_expected() {
    let mut story = explicit();
    story.created(BACKEND, disarmed()).started().says(SKIPPING);
    let first = story.container.clone();
    story
        .created_as(BACKEND, disarmed(), |look| look.number = Some(2))
        .started()
        .says(SKIPPING);
    let second = story.container.clone();
    story
        .seconds(86_400)
        .with(&first)
        .recreated(armed())
        .says(RUNNING)
        .says(A_TO_B)
        .says(APPLICATION_UP);
    story
        .with(&second)
        .recreated(armed())
        .says(RUNNING)
        .says(APPLICATION_UP);
    let verdicts = [
        (Outcome::Applied, Verdict::Expected),
        (Outcome::NothingToDo, Verdict::Expected),
    ];
    assert_eq!(story.judged(), verdicts);
    assert!(story.is_quiet());
}

#[test]
fn a_replica_added_long_after_an_armed_deploy_was_not_declared() {
    let mut story = explicit();
    story.created(BACKEND, armed()).started();
    migrates(&mut story);
    story
        .seconds(1800)
        .created_as(BACKEND, armed(), |look| look.number = Some(2))
        .started();
    story.says(RUNNING).says(B_TO_C);
    assert_eq!(rule(&story), Rule::PredecessorArmed);
}

#[test]
fn one_deploy_with_three_replicas_of_a_new_service_is_declared_throughout() {
    let mut story = explicit();
    for number in 1..=3 {
        story
            .created_as(BACKEND, armed(), |look| look.number = Some(number))
            .started()
            .says(RUNNING);
    }
    let migration = story.migration();
    assert_eq!(
        (migration.judgement.rule, migration.runners.len()),
        (Rule::DeclaredDeploy, 3)
    );
}

#[test]
fn the_newest_container_of_a_number_is_the_predecessor_in_whatever_order_they_were_listed() {
    let mut story = Story::before_install(policy(Policy::Explicit));
    let hours = |hours: u64| std::time::Duration::from_secs(hours * 3600);
    let now = story.now;
    // A recreate that was cut off left the old container beside the new one; the new one has the smaller ID.
    story.made_in_advance(BACKEND, disarmed(), now.before(hours(1)));
    story.made_in_advance(BACKEND, armed(), now.before(hours(100)));
    story.installed().seconds(60).recreated(armed());
    migrates(&mut story);
    assert_eq!(rule(&story), Rule::DeclaredDeploy);
}

#[test]
fn a_confirmed_deploy_stays_expected() {
    let mut story = explicit();
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])]);
    migrates(&mut story);
    story.reads(&[(BACKEND_TABLE, &["b2"])]).seconds(3000);
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Expected)]);
    assert!(story.is_quiet());
}

#[test]
fn a_container_whose_removal_has_begun_is_armed_no_more() {
    let mut story = Story::new(policy(Policy::Explicit));
    story.created(BACKEND, armed()).started();
    story.says(RUNNING).says(APPLICATION_UP).stopped(137);
    story.change(|look| look.state = ContainerState::Dead).looked();
    story.seconds(7200);
    assert!(story.is_quiet(), "{:?}", story.sent());
    assert!(story.service(BACKEND).armed.is_none());
}
