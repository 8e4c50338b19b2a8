//! When the answers of probes accuse a service: which are believed, from when on, and what is remembered of them.

use migwatch::model::policy::Policy;
use migwatch::model::probe::Via;

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
