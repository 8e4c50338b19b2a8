//! When the answers of probes accuse a service: which are believed, from when on, and what is remembered of them.

use std::time::Duration;

use migwatch::model::alert::AlertName;
use migwatch::model::policy::Policy;
use migwatch::model::probe::Via;
use migwatch::model::status::ConditionWord;

use crate::support::story::{BACKEND, RAG, Story, disarmed, policy, probe_id};

/// A service that runs and has no health check.
fn running(service: &str) -> Story {
    let mut story = Story::new(policy(Policy::Explicit));
    story.created(service, disarmed()).started();
    story
}

/// Its probe fails often enough.
fn fails_for_long(story: &mut Story, service: &str, via: Via) {
    for _ in 0..20 {
        story.fails(service, via);
    }
}

#[test]
fn a_configured_probe_accuses_from_the_first_and_one_of_the_same_name_elsewhere_does_not() {
    let mut story = running(BACKEND);
    story.created(RAG, disarmed()).started();
    story
        .settings
        .configured_probes
        .insert(probe_id(RAG, Via::Direct));
    fails_for_long(&mut story, BACKEND, Via::Direct);
    assert!(story.is_quiet(), "{:?}", story.sent());
    fails_for_long(&mut story, RAG, Via::Direct);
    assert_eq!(story.sent(), ["EndpointDown firing"]);
}

#[test]
fn a_deploy_after_which_a_found_probe_never_answers_is_an_endpoint_down() {
    let mut story = running(BACKEND);
    story.answers(BACKEND, Via::Direct);
    story
        .recreated(disarmed())
        .probe_goes(BACKEND, Via::Direct)
        .seconds(1);
    fails_for_long(&mut story, BACKEND, Via::Direct);
    assert_eq!(story.sent(), ["EndpointDown firing"]);
}

#[test]
fn what_a_probe_proved_of_one_service_is_not_proved_of_another() {
    let mut story = running(BACKEND);
    story.answers(BACKEND, Via::Direct);
    story.probe_goes(BACKEND, Via::Direct);
    story.created(RAG, disarmed()).started();
    fails_for_long(&mut story, RAG, Via::Direct);
    assert!(story.is_quiet(), "{:?}", story.sent());
}

#[test]
fn an_endpoint_is_given_two_minutes_from_a_start_to_answer_for_the_first_time() {
    let mut story = running(BACKEND);
    story.answers(BACKEND, Via::Direct).recreated(disarmed());
    for _ in 0..10 {
        story.fails(BACKEND, Via::Direct);
    }
    assert_eq!(story.condition(BACKEND), ConditionWord::Starting);
    story.answers(BACKEND, Via::Direct);
    assert_eq!(story.condition(BACKEND), ConditionWord::Up);
    assert!(story.is_quiet(), "{:?}", story.sent());
}

#[test]
fn an_endpoint_that_has_not_answered_two_minutes_after_the_start_is_down_by_then() {
    let mut story = running(BACKEND);
    story.answers(BACKEND, Via::Direct).recreated(disarmed());
    let started_at = story.look().started_at.expect("it runs");
    for _ in 0..3 {
        story.fails(BACKEND, Via::Direct);
    }
    assert!(story.is_quiet(), "{:?}", story.sent());
    story.seconds(600);
    assert_eq!(story.sent(), ["EndpointDown firing"]);
    let fired = &story.alert(AlertName::EndpointDown).observed_at;
    assert_eq!(
        *fired,
        started_at
            .after(Duration::from_mins(2))
            .after(Duration::from_micros(10))
    );
}

#[test]
fn an_endpoint_that_has_answered_since_the_start_is_given_no_time() {
    let mut story = running(BACKEND);
    story.answers(BACKEND, Via::Direct);
    for _ in 0..3 {
        story.fails(BACKEND, Via::Direct);
    }
    assert_eq!(story.sent(), ["EndpointDown firing"]);
}

#[test]
fn a_service_that_nobody_probes_is_up_at_once() {
    let story = running(BACKEND);
    assert_eq!(story.condition(BACKEND), ConditionWord::Up);
}

#[test]
fn an_endpoint_that_is_down_right_after_a_start_stays_so_over_a_restart_of_migwatch() {
    let mut story = running(BACKEND);
    story.answers(BACKEND, Via::Direct);
    for _ in 0..3 {
        story.fails(BACKEND, Via::Direct);
    }
    story.migwatch_is_killed().migwatch_comes_back();
    fails_for_long(&mut story, BACKEND, Via::Direct);
    assert_eq!(story.sent(), ["EndpointDown firing"]);
    story.answers(BACKEND, Via::Direct);
    assert_eq!(story.sent(), ["EndpointDown firing", "EndpointDown resolved"]);
}
