//! Reports that come twice, late, out of order or never: nothing happens twice, nothing is put on the wrong start.

use migwatch::model::migration::{Outcome, Rule, Verdict};
use migwatch::model::observation::{LogStatus, Observation};
use migwatch::model::policy::Policy;

use crate::support::story::{
    A_TO_B, APPLICATION_UP, BACKEND, BACKEND_TABLE, DROP_MISSING, RUNNING, Story, armed, policy,
};

fn explicit() -> Story {
    Story::new(policy(Policy::Explicit))
}

#[test]
fn lines_that_come_again_conclude_nothing() {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(A_TO_B)
        .read_on();
    story
        .lines_come_again()
        .says(APPLICATION_UP)
        .read_on()
        .lines_come_again();
    let facts = story.facts.len();
    story.seconds(1).read_on().lines_come_again();
    assert!(
        story.facts[facts..]
            .iter()
            .all(|fact| matches!(fact, migwatch::model::fact::Fact::LogRead { .. }))
    );
    assert_eq!(story.migration().steps.len(), 1);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn a_full_look_after_the_events_finds_nothing_new() {
    let mut story = explicit();
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .dies(0)
        .seconds(1)
        .started();
    let facts = story.facts.len();
    story.looks_at_all();
    assert_eq!(story.facts.len(), facts);
}

#[test]
fn events_after_the_full_look_find_nothing_new() {
    let mut story = explicit();
    story.created(BACKEND, armed()).starts_unheard().looks_at_all();
    let facts = story.facts.len();
    story.hears_of_the_start();
    assert_eq!(story.facts.len(), facts);
    story
        .follows()
        .says(RUNNING)
        .log(LogStatus::Ended)
        .ends_unheard(0)
        .looks_at_all();
    let facts = story.facts.len();
    story.hears_of_the_end();
    assert_eq!(story.facts.len(), facts);
    assert_eq!(story.judged(), [(Outcome::NothingToDo, Verdict::Expected)]);
}

#[test]
fn a_start_event_that_comes_after_the_first_line_is_the_same_first_start() {
    let mut story = explicit();
    story
        .created(BACKEND, armed())
        .starts_unheard()
        .says(RUNNING)
        .hears_of_the_start()
        .looked()
        .says(A_TO_B);
    assert_eq!(story.migration().judgement.rule, Rule::DeclaredDeploy);
    assert!(story.is_quiet());
}

#[test]
fn a_look_that_dates_the_start_late_finds_no_second_start() {
    let mut story = explicit();
    story
        .created(BACKEND, armed())
        .says(RUNNING)
        .seconds(2)
        .starts_unheard()
        .looked()
        .hears_of_the_start()
        .says(A_TO_B);
    assert_eq!(story.migration().judgement.rule, Rule::DeclaredDeploy);
    assert!(story.is_quiet(), "{:?}", story.sent());
}

#[test]
fn a_lost_start_is_found_by_the_line_and_by_the_look() {
    let mut story = explicit();
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(A_TO_B)
        .says(APPLICATION_UP)
        .seconds(60)
        .stopped(137);
    story.seconds(1).starts_unheard().says(RUNNING).looked();
    assert_eq!(story.migrations()[1].judgement.rule, Rule::LeftArmed);
    let starts = &story.state.durable.containers.known[&story.container].starts;
    assert_eq!(starts.len(), 2);
}

#[test]
fn a_lost_die_is_found_by_the_next_start() {
    let mut story = explicit();
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(A_TO_B)
        .says(APPLICATION_UP)
        .seconds(60);
    story
        .ends_unheard(1)
        .log(LogStatus::Ended)
        .seconds(1)
        .started()
        .says(RUNNING);
    assert_eq!(story.migrations()[1].judgement.rule, Rule::LeftArmed);
    assert_eq!(story.counters(BACKEND).restarts, 1);
}

#[test]
fn a_last_line_that_is_stamped_after_the_end_belongs_to_the_start_that_ended() {
    let mut story = explicit();
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(A_TO_B)
        .ends_unheard(1)
        .looked();
    story.says(DROP_MISSING).log(LogStatus::Ended).seconds(10);
    let migration = story.migration();
    assert_eq!((migration.outcome, migration.attempts), (Outcome::Failed, 1));
    assert!(migration.cause.is_some());
    assert_eq!(
        story.state.durable.containers.known[&story.container]
            .starts
            .len(),
        1
    );
}

#[test]
fn a_look_that_was_on_its_way_when_its_container_went_is_no_news() {
    let mut story = explicit();
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(APPLICATION_UP)
        .stopped(0);
    let look = story.look().clone();
    story.removed();
    let facts = story.facts.len();
    story.sees(Observation::Looked(Box::new(look)));
    assert_eq!(story.facts.len(), facts);
    assert!(story.state.live.containers.is_empty());
}

#[test]
fn a_container_that_a_list_did_not_have_yet_keeps_what_is_known_of_it() {
    let mut story = explicit();
    story.created(BACKEND, armed());
    let look = story.looks.remove(&story.container).unwrap();
    story.looks_at_all();
    story.looks.insert(look.id.clone(), look);
    story
        .starts_unheard()
        .hears_of_the_start()
        .looks_at_all()
        .follows()
        .says(RUNNING)
        .says(A_TO_B);
    assert_eq!(story.migration().judgement.rule, Rule::DeclaredDeploy);
    assert_eq!(
        story.state.durable.containers.known[&story.container].removed_at,
        None
    );
}

#[test]
fn a_gap_told_twice_is_counted_once() {
    let mut story = explicit();
    story.created(BACKEND, armed()).started();
    let gap = Observation::LogGap {
        container: story.container.clone(),
        from: story.now,
        to: story.now.after(std::time::Duration::from_secs(3)),
    };
    story.sees(gap.clone()).seconds(5).sees(gap);
    assert_eq!(story.counters(BACKEND).log_gaps, 1);
}

#[test]
fn a_full_look_that_is_older_than_the_start_does_not_end_it() {
    let mut story = Story::new(policy(Policy::Deny));
    story.created(BACKEND, armed()).started().stopped(137);
    let before = story.look().clone();
    story
        .starts_unheard()
        .hears_of_the_start()
        .follows()
        .says(RUNNING)
        .says(A_TO_B);
    story.sees(Observation::FullLook(vec![before]));
    story.looked().says(APPLICATION_UP);
    assert_eq!(story.judged(), [(Outcome::Applied, Verdict::Unexpected)]);
}

#[test]
fn a_move_that_is_read_before_the_lines_of_the_start_that_made_it_is_not_put_on_the_start_before() {
    let mut story = Story::new(policy(Policy::Explicit));
    story.created(BACKEND, armed()).started();
    story.reads(&[(BACKEND_TABLE, &["a1"])]);
    story.says(RUNNING).says(APPLICATION_UP);
    story.stopped(0).started();
    let announced = story.line(RUNNING).unwrap();
    let step = story.line(A_TO_B).unwrap();
    story
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .sees(announced)
        .sees(step);
    story.says(APPLICATION_UP).seconds(60);
    let told = [
        (Outcome::NothingToDo, Verdict::Expected),
        (Outcome::Applied, Verdict::Unexpected),
    ];
    assert_eq!(story.judged(), told);
}
