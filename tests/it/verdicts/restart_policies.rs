//! What an exit means under each restart policy: a part of a loop, a failure, or an end.

use migwatch::model::alert::AlertName;
use migwatch::model::container::RestartPolicy;
use migwatch::model::policy::Policy;
use migwatch::model::probe::Via;
use migwatch::model::status::ConditionWord;

use crate::support::story::{BACKEND, Story, nothing, policy};

fn created_under(restart_policy: RestartPolicy) -> Story {
    let mut story = Story::new(policy(Policy::Explicit));
    story.created_as(BACKEND, nothing(), |look| look.restart_policy = restart_policy);
    story
}

/// It is run three times within a minute.
fn run_three_times(restart_policy: RestartPolicy, exit_code: i32) -> Story {
    let mut story = created_under(restart_policy);
    for _ in 0..3 {
        story.seconds(10).started().seconds(10).dies(exit_code);
    }
    story
}

#[test]
fn a_one_shot_that_somebody_runs_three_times_is_no_restart_loop() {
    for restart_policy in [RestartPolicy::No, RestartPolicy::OnFailure] {
        let mut story = run_three_times(restart_policy, 0);
        assert_eq!(story.condition(BACKEND), ConditionWord::Completed);
        story.seconds(7200);
        assert!(story.is_quiet(), "{restart_policy:?}: {:?}", story.sent());
        assert_eq!(story.counters(BACKEND).restarts, 0, "{restart_policy:?}");
    }
}

#[test]
fn a_one_shot_that_fails_three_times_is_down_and_no_restart_loop() {
    let story = run_three_times(RestartPolicy::No, 1);
    assert_eq!(story.firing(), [AlertName::ServiceDown]);
    assert!(!story.sent().contains(&"RestartLoop firing".to_owned()));
    assert_eq!(story.counters(BACKEND).restarts, 0);
}

#[test]
fn what_the_engine_starts_again_each_time_is_a_restart_loop() {
    for (restart_policy, exit_code) in [
        (RestartPolicy::OnFailure, 1),
        (RestartPolicy::Always, 0),
        (RestartPolicy::UnlessStopped, 0),
    ] {
        let story = run_three_times(restart_policy, exit_code);
        assert_eq!(story.firing(), [AlertName::RestartLoop], "{restart_policy:?}");
        assert_eq!(story.counters(BACKEND).restarts, 3, "{restart_policy:?}");
    }
}

/// Its command is not there, its port is taken: the engine leaves it as created.
fn its_start_fails(story: &mut Story) {
    story.seconds(1).change(|look| look.exit_code = 127).looked();
}

#[test]
fn a_container_that_the_engine_cannot_start_is_down_whatever_its_restart_policy() {
    for restart_policy in [
        RestartPolicy::No,
        RestartPolicy::OnFailure,
        RestartPolicy::Always,
        RestartPolicy::UnlessStopped,
    ] {
        let mut story = created_under(restart_policy);
        story.seconds(7200);
        assert_eq!(story.condition(BACKEND), ConditionWord::Starting);
        its_start_fails(&mut story);
        assert_eq!(story.sent(), ["ServiceDown firing"], "{restart_policy:?}");
        let description = &story.alert(AlertName::ServiceDown).description;
        assert!(
            description.contains("cannot be started: code 127"),
            "{description}"
        );
        story.change(|look| look.exit_code = 0).started();
        assert_eq!(story.sent(), ["ServiceDown firing", "ServiceDown resolved"]);
    }
}

#[test]
fn a_replica_that_cannot_be_started_beside_one_that_runs_is_unhealthy() {
    let mut story = created_under(RestartPolicy::Always);
    story.started();
    story.created_as(BACKEND, nothing(), |look| look.number = Some(2));
    its_start_fails(&mut story);
    assert_eq!(story.firing(), [AlertName::ServiceUnhealthy]);
    let description = &story.alert(AlertName::ServiceUnhealthy).description;
    assert!(description.starts_with("1 of 2 replicas run"), "{description}");
}

#[test]
fn a_replica_that_is_only_created_hides_no_trouble_of_one_that_runs() {
    let mut story = created_under(RestartPolicy::Always);
    story
        .started()
        .answers(BACKEND, Via::Direct)
        .answers(BACKEND, Via::Edge);
    story.created_as(BACKEND, nothing(), |look| look.number = Some(2));
    assert_eq!(story.condition(BACKEND), ConditionWord::Up);
    for _ in 0..3 {
        story.answers(BACKEND, Via::Direct).fails(BACKEND, Via::Edge);
    }
    assert_eq!(story.firing(), [AlertName::ProxyDown]);
}
