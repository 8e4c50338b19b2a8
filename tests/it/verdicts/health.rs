//! Up, down, stopped, restarting, and whether it is the service, the proxy in front, or the database behind.

use std::time::Duration;

use migwatch::model::alert::AlertName;
use migwatch::model::container::{ContainerState, Health, RestartPolicy};
use migwatch::model::database::DatabaseProblemKind;
use migwatch::model::observation::Observation;
use migwatch::model::policy::Policy;
use migwatch::model::probe::Via;
use migwatch::model::status::ConditionWord;

use crate::support::story::{BACKEND, BACKEND_TABLE, RAG, Story, disarmed, nothing, policy};

fn running() -> Story {
    let mut story = Story::new(policy(Policy::Explicit));
    story.created(BACKEND, disarmed()).started();
    story
}

fn without_restart(policy_of: RestartPolicy) -> Story {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created_as(BACKEND, disarmed(), |look| look.restart_policy = policy_of)
        .started();
    story
}

#[test]
fn a_stop_through_the_api_is_quiet_whatever_the_exit_code() {
    for exit_code in [137, 143, 0, 1] {
        let mut story = running();
        story.seconds(60).stopped(exit_code).seconds(7200);
        assert_eq!(story.condition(BACKEND), ConditionWord::Stopped);
        assert!(story.is_quiet(), "{exit_code}: {:?}", story.sent());
        assert_eq!(story.counters(BACKEND).restarts, 0);
    }
}

#[test]
fn a_stop_whose_grace_is_long_is_a_stop() {
    let mut story = without_restart(RestartPolicy::UnlessStopped);
    story.seconds(60);
    let (container, at) = (story.container.clone(), story.now);
    story
        .sees(Observation::Killed { container, at })
        .seconds(1800)
        .dies(1)
        .seconds(7200);
    assert_eq!(story.condition(BACKEND), ConditionWord::Stopped);
    assert!(story.is_quiet(), "{:?}", story.sent());
}

#[test]
fn a_crash_hours_after_a_signal_that_was_outlived_is_no_stop() {
    let mut story = without_restart(RestartPolicy::No);
    let (container, at) = (story.container.clone(), story.now);
    story
        .sees(Observation::Killed { container, at })
        .seconds(7200)
        .dies(1);
    assert_eq!(story.sent(), ["ServiceDown firing"]);
}

#[test]
fn a_crash_of_a_start_that_no_event_told_of_is_not_the_stop_before_it() {
    let mut story = without_restart(RestartPolicy::No);
    story.seconds(60).stopped(0).seconds(60);
    story.starts_unheard().looked().seconds(60).dies(1);
    assert_eq!(story.sent(), ["ServiceDown firing"]);
}

#[test]
fn a_crash_without_restart_is_a_service_down() {
    let mut story = without_restart(RestartPolicy::No);
    story.seconds(60).dies(1);
    assert_eq!(story.sent(), ["ServiceDown firing"]);
    story.started();
    assert_eq!(story.sent(), ["ServiceDown firing", "ServiceDown resolved"]);
}

#[test]
fn a_kill_for_memory_that_no_event_told_of_is_no_stop() {
    let mut story = without_restart(RestartPolicy::No);
    story
        .seconds(60)
        .ends_unheard(137)
        .change(|look| look.oom_killed = true)
        .looks_at_all();
    assert_eq!(story.firing(), [AlertName::ServiceDown]);
}

#[test]
fn a_one_shot_that_ran_to_its_end_is_quiet() {
    let mut story = without_restart(RestartPolicy::No);
    story.dies(0).seconds(7200);
    assert_eq!(story.condition(BACKEND), ConditionWord::Completed);
    assert!(story.is_quiet());
}

#[test]
fn one_crash_that_the_restart_policy_mends_is_quiet() {
    let mut story = running();
    story.seconds(600).dies(1).seconds(1).started().seconds(7200);
    assert!(story.is_quiet());
    assert_eq!(story.counters(BACKEND).restarts, 1);
}

#[test]
fn one_crash_that_restart_on_failure_mends_is_quiet_and_one_that_it_gives_up_on_is_not() {
    let mut story = without_restart(RestartPolicy::OnFailure);
    story.seconds(600).dies(1).seconds(1).started().seconds(7200);
    assert!(story.is_quiet(), "{:?}", story.sent());
    story.dies(1).seconds(60);
    assert_eq!(story.sent(), ["ServiceDown firing"]);
}

#[test]
fn events_that_come_behind_the_look_that_shows_their_end_do_not_make_it_run_for_a_moment() {
    let mut story = Story::new(policy(Policy::Explicit));
    story.created_as(BACKEND, disarmed(), |look| {
        look.restart_policy = RestartPolicy::No;
        look.started_at = Some(look.created_at);
        look.finished_at = Some(look.created_at.after(Duration::from_millis(50)));
        (look.state, look.exit_code) = (ContainerState::Exited, 1);
    });
    story.hears_of_the_start().hears_of_the_end();
    assert_eq!(story.sent(), ["ServiceDown firing"]);
}

#[test]
fn a_container_that_is_first_seen_running_is_not_blamed_for_what_its_predecessor_missed() {
    let mut story = without_restart(RestartPolicy::No);
    story.answers(BACKEND, Via::Edge).dies(1);
    for _ in 0..5 {
        story.fails(BACKEND, Via::Edge);
    }
    story.removed();
    story.created_as(BACKEND, disarmed(), |look| {
        look.started_at = Some(look.created_at);
        look.state = ContainerState::Running;
    });
    story.hears_of_the_start().answers(BACKEND, Via::Edge);
    assert_eq!(story.sent(), ["ServiceDown firing", "ServiceDown resolved"]);
}

#[test]
fn a_crash_loop_is_one_alert_and_ends_once_it_runs_steadily() {
    let mut story = running();
    for _ in 0..12 {
        story.seconds(3).dies(1).seconds(5).started();
    }
    assert_eq!(story.sent(), ["RestartLoop firing"]);
    story.seconds(119);
    assert_eq!(story.condition(BACKEND), ConditionWord::RestartLoop);
    story.seconds(2);
    assert_eq!(story.sent(), ["RestartLoop firing", "RestartLoop resolved"]);
}

#[test]
fn a_slow_crash_loop_does_not_flap() {
    let mut story = running();
    for _ in 0..12 {
        story.seconds(170).dies(1).seconds(5).started();
    }
    assert_eq!(story.sent(), ["RestartLoop firing"]);
}

#[test]
fn the_nightly_stop_and_start_of_the_whole_stack_is_quiet() {
    let mut story = running();
    let backend = story.container.clone();
    story.created("coe-demo/nginx", nothing()).started();
    let nginx = story.container.clone();
    story.answers(BACKEND, Via::Direct).answers(BACKEND, Via::Edge);
    story.with(&nginx).stopped(0).with(&backend).stopped(137);
    for _ in 0..20 {
        story.fails(BACKEND, Via::Direct).fails(BACKEND, Via::Edge);
    }
    story.with(&backend).started().with(&nginx).started();
    story
        .answers(BACKEND, Via::Direct)
        .answers(BACKEND, Via::Edge)
        .seconds(600);
    assert!(story.is_quiet(), "{:?}", story.sent());
}

#[test]
fn a_broken_proxy_is_told_from_a_broken_endpoint() {
    let mut story = running();
    story.answers(BACKEND, Via::Direct).answers(BACKEND, Via::Edge);
    for _ in 0..3 {
        story.answers(BACKEND, Via::Direct).fails(BACKEND, Via::Edge);
    }
    assert_eq!(story.sent(), ["ProxyDown firing"]);
    story.answers(BACKEND, Via::Edge);
    for _ in 0..3 {
        story.fails(BACKEND, Via::Direct).fails(BACKEND, Via::Edge);
    }
    assert_eq!(story.firing(), [AlertName::EndpointDown]);
    assert_eq!(story.sent().len(), 3);
}

#[test]
fn an_answer_from_before_the_trouble_does_not_accuse_the_proxy() {
    let mut story = running();
    story.answers(BACKEND, Via::Direct).answers(BACKEND, Via::Edge);
    // The service freezes; the proxy is asked more often than it.
    for _ in 0..3 {
        story.fails(BACKEND, Via::Edge);
    }
    assert!(story.is_quiet(), "{:?}", story.sent());
    story.fails(BACKEND, Via::Direct);
    assert_eq!(story.sent(), ["EndpointDown firing"]);
}

#[test]
fn one_or_two_failed_probes_are_no_failure() {
    let mut story = running();
    for _ in 0..10 {
        story
            .answers(BACKEND, Via::Direct)
            .fails(BACKEND, Via::Direct)
            .fails(BACKEND, Via::Direct);
    }
    assert!(story.is_quiet());
}

#[test]
fn a_discovered_probe_that_never_succeeded_accuses_nobody() {
    let mut story = running();
    for _ in 0..10 {
        story.fails(BACKEND, Via::Direct);
    }
    assert!(story.is_quiet());
}

#[test]
fn an_endpoint_down_names_the_database_behind_it() {
    let mut story = running();
    story
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .answers(BACKEND, Via::Direct);
    story.cannot_read(DatabaseProblemKind::Connect);
    for _ in 0..3 {
        story.fails(BACKEND, Via::Direct);
    }
    let alert = story.alert(AlertName::EndpointDown);
    assert!(
        alert
            .description
            .contains("its database mariadb:3306/coe does not answer"),
        "{}",
        alert.description
    );
}

#[test]
fn a_failing_health_check_is_a_service_unhealthy() {
    let mut story = running();
    story
        .change(|look| look.health = Some(Health::Unhealthy))
        .looked();
    assert_eq!(story.sent(), ["ServiceUnhealthy firing"]);
    story.change(|look| look.health = Some(Health::Healthy)).looked();
    assert_eq!(story.sent().len(), 2);
}

#[test]
fn a_stopped_replica_does_not_hide_a_failing_endpoint() {
    let mut story = running();
    story
        .created_as(BACKEND, disarmed(), |look| look.number = Some(2))
        .started()
        .answers(BACKEND, Via::Direct);
    story.stopped(0);
    for _ in 0..3 {
        story.fails(BACKEND, Via::Direct);
    }
    assert_eq!(story.firing(), [AlertName::EndpointDown]);
}

#[test]
fn one_dead_replica_of_two_is_unhealthy_not_down() {
    let mut story = without_restart(RestartPolicy::No);
    let change = |look: &mut migwatch::model::container::ContainerLook| {
        look.number = Some(2);
        look.restart_policy = RestartPolicy::No;
    };
    story.created_as(BACKEND, disarmed(), change).started().dies(1);
    assert_eq!(story.firing(), [AlertName::ServiceUnhealthy]);
}

#[test]
fn one_services_trouble_is_not_anothers() {
    let mut story = running();
    story
        .created_as(RAG, disarmed(), |look| look.restart_policy = RestartPolicy::No)
        .started()
        .dies(1);
    assert_eq!(
        story.alert(AlertName::ServiceDown).labels["service"],
        "coe-ragpipeline"
    );
    assert_eq!(story.condition(BACKEND), ConditionWord::Up);
}

#[test]
fn a_container_that_a_full_look_could_not_show_is_not_gone_and_its_crash_is_told() {
    let mut story = running();
    story.migwatch_is_killed().seconds_pass(5).sees(Observation::Tick);
    let look = story.look().clone();
    story.looks.clear();
    story
        .sees(Observation::Unshown([look.id.clone()].into()))
        .installed();
    story.looks.insert(look.id.clone(), look);
    story
        .looked()
        .sees(Observation::Unshown([].into()))
        .looks_at_all();
    story.seconds(60);
    assert!(story.is_quiet(), "{:?}", story.sent());
    story
        .change(|look| look.restart_policy = RestartPolicy::No)
        .looked();
    story.dies(1).seconds(60);
    assert_eq!(story.sent(), ["ServiceDown firing"]);
}
