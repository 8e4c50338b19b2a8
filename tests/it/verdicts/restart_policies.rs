//! What an exit means under each restart policy: a part of a loop, a failure, or an end.

use migwatch::model::alert::AlertName;
use migwatch::model::container::RestartPolicy;
use migwatch::model::policy::Policy;
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
