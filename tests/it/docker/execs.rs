//! Commands inside containers: which are told, and that each that is told as started is told as ended.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use migwatch::docker::{Choice, Choose, Endpoint, OpenExec};
use migwatch::model::container::{ContainerLook, ContainerState};
use migwatch::model::exec::{Action, ExecCommand, ExecId, MigrationCommand};
use migwatch::model::observation::Observation;
use migwatch::model::service::ContainerId;
use migwatch::model::time::{Clock, Timestamp};

use super::watched::{Watched, watch, watch_as, watch_from};
use crate::support::fake_engine::FakeEngine;
use crate::support::fake_engine::containers::ContainerSpec;

const UPGRADE: [&str; 3] = ["alembic", "upgrade", "head"];

fn armed() -> ContainerSpec {
    ContainerSpec {
        environment: vec!["RUN_MIGRATIONS=false".to_owned()],
        ..ContainerSpec::service("shop", "backend")
    }
}

/// A played engine with one running container, watched with a full look every minute.
async fn one_container(engine: &FakeEngine, spec: ContainerSpec) -> (Watched, ContainerId) {
    let id = engine.create(spec);
    engine.start(&id);
    // Long ago for a new subscription, which reaches back a little.
    engine.clock().advance(Duration::from_mins(1));
    let choose = Arc::new(|look: &ContainerLook| Choice::of_labels(&look.labels));
    let mut watched = watch_as(engine, Duration::from_mins(1), choose);
    watched.full_look().await;
    (watched, id)
}

/// `started TEXT`, `ended CODE`: what was told of commands so far, in order.
fn story(watched: &Watched) -> Vec<String> {
    let told = |observation: &Observation| match observation {
        Observation::ExecStarted {
            command: ExecCommand::Migrates(command),
            ..
        } => Some(format!("started {}", command.text)),
        Observation::ExecStarted {
            command: ExecCommand::Untold,
            ..
        } => Some("started untold".to_owned()),
        Observation::ExecEnded { exit_code, .. } => {
            let code = exit_code.map_or_else(|| "unknown".to_owned(), |code| code.to_string());
            Some(format!("ended {code}"))
        }
        _ => None,
    };
    watched.seen.iter().filter_map(told).collect()
}

impl Watched {
    async fn exec_started(&mut self) -> (ExecId, ExecCommand) {
        let started = |observation: &Observation| match observation {
            Observation::ExecStarted { exec, command, .. } => Some((exec.clone(), command.clone())),
            _ => None,
        };
        self.until("the start of a command", started).await
    }

    async fn some_exec_ended(&mut self) -> (ExecId, Option<i32>) {
        let ended = |observation: &Observation| match observation {
            Observation::ExecEnded { exec, exit_code, .. } => Some((exec.clone(), *exit_code)),
            _ => None,
        };
        self.until("the end of a command", ended).await
    }

    async fn exec_ended(&mut self, wanted: &ExecId) -> Option<i32> {
        loop {
            let (exec, exit_code) = self.some_exec_ended().await;
            if exec == *wanted {
                return exit_code;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_that_migrates_is_told_with_what_it_does_and_with_its_exit_code() {
    let engine = FakeEngine::new();
    let (mut watched, id) = one_container(&engine, armed()).await;
    let exec = engine.exec(&id, &["sh", "-c", "cd /app && alembic -n rag upgrade ae10"]);
    let (started, command) = watched.exec_started().await;
    let expected = MigrationCommand {
        text: "sh -c cd /app && alembic -n rag upgrade ae10".to_owned(),
        action: Action::Upgrade,
        target: Some("ae10".to_owned()),
        environment: Some("rag".to_owned()),
    };
    assert_eq!(
        (started, command),
        (exec.clone(), ExecCommand::Migrates(expected))
    );
    engine.exec_ends(&exec, 3);
    assert_eq!(watched.exec_ended(&exec).await, Some(3));
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn health_checks_and_what_moves_nothing_are_not_told_and_make_nobody_look() {
    let engine = FakeEngine::new();
    let test = ["CMD-SHELL", "alembic -x password=s3cret upgrade head || exit 1"];
    let spec = ContainerSpec {
        healthcheck: Some(test.map(str::to_owned).to_vec()),
        ..armed()
    };
    let (mut watched, id) = one_container(&engine, spec).await;
    let looks = engine.inspections();
    for round in 0..200 {
        let check = engine.exec(&id, &["/bin/sh", "-c", test[1]]);
        let harmless = engine.exec(&id, &["curl", "-f", "http://localhost/health"]);
        let current = engine.exec(&id, &["alembic", "current"]);
        for exec in [&check, &harmless, &current] {
            engine.exec_ends(exec, round % 2);
        }
    }
    let exec = engine.exec(&id, &UPGRADE);
    assert_eq!(watched.exec_started().await.0, exec);
    assert_eq!(engine.inspections(), looks);
    assert_eq!(story(&watched), ["started alembic upgrade head"]);
    assert!(!format!("{:?}", watched.seen).contains("s3cret"));
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_open_shell_is_told_only_where_it_can_migrate() {
    let engine = FakeEngine::new();
    let web = engine.create(ContainerSpec::service("shop", "web"));
    engine.start(&web);
    let (mut watched, id) = one_container(&engine, armed()).await;
    let beside = engine.exec(&web, &["bash"]);
    let shell = engine.exec(&id, &["bash"]);
    assert_eq!(watched.exec_started().await, (shell.clone(), ExecCommand::Untold));
    engine.exec_ends(&beside, 0);
    engine.exec_ends(&shell, 0);
    watched.exec_ended(&shell).await;
    assert_eq!(story(&watched), ["started untold", "ended 0"]);
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_command_in_a_container_without_any_sign_of_migrations_is_told_if_it_says_so_itself() {
    let engine = FakeEngine::new();
    let (mut watched, id) = one_container(&engine, ContainerSpec::service("shop", "web")).await;
    let exec = engine.exec(&id, &UPGRADE);
    assert_eq!(watched.exec_started().await.0, exec);
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_command_that_cannot_start_is_told_as_ended_though_no_event_says_so() {
    let engine = FakeEngine::new();
    let (mut watched, id) = one_container(&engine, armed()).await;
    let exec = engine.exec_cannot_start(&id, &UPGRADE);
    assert_eq!(watched.exec_started().await.0, exec);
    assert_eq!(watched.exec_ended(&exec).await, Some(126));
    let is_full_look = |seen: &&Observation| matches!(seen, Observation::FullLook(_));
    let looks = watched.seen.iter().filter(is_full_look).count();
    assert_eq!(looks, 1, "it is not left to the next full look");
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_command_whose_client_went_away_goes_on_until_its_end_is_heard() {
    let engine = FakeEngine::new();
    let (mut watched, id) = one_container(&engine, armed()).await;
    let exec = engine.exec(&id, &UPGRADE);
    watched.exec_started().await;
    engine.exec_loses_client(&exec);
    // Every full look asks for it.
    for _ in 0..3 {
        watched.full_look().await;
    }
    engine.forget_exec(&exec);
    for _ in 0..3 {
        watched.full_look().await;
    }
    engine.event(&id, "exec_die", &[("execID", &exec.0), ("exitCode", "0")]);
    assert_eq!(watched.exec_ended(&exec).await, Some(0));
    assert_eq!(story(&watched).len(), 2, "{:?}", story(&watched));
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn after_lost_events_every_open_command_is_asked_for() {
    let engine = FakeEngine::new();
    let (mut watched, id) = one_container(&engine, armed()).await;
    let execs: Vec<ExecId> = (0..4).map(|_| engine.exec(&id, &UPGRADE)).collect();
    for _ in &execs {
        watched.exec_started().await;
    }
    engine.lose_next_events(1);
    engine.exec_ends(&execs[0], 7);
    engine.exec_loses_client(&execs[1]);
    engine.forget_exec(&execs[2]);
    engine.cut_events();
    let mut ended = BTreeMap::new();
    while ended.len() < 3 {
        let (exec, code) = watched.some_exec_ended().await;
        ended.insert(exec, code);
    }
    let expected = [(&execs[0], Some(7)), (&execs[1], None), (&execs[2], None)];
    assert_eq!(ended, expected.map(|(exec, code)| (exec.clone(), code)).into());
    engine.exec_ends(&execs[3], 0);
    assert_eq!(watched.exec_ended(&execs[3]).await, Some(0));
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_of_migwatch_the_ends_of_commands_that_had_begun_are_told() {
    let engine = FakeEngine::new();
    let id = engine.create(armed());
    engine.start(&id);
    let execs: Vec<ExecId> = (0..2).map(|_| engine.exec(&id, &UPGRADE)).collect();
    engine.exec_ends(&execs[0], 3);
    let open = execs.iter().map(|exec| OpenExec {
        container: id.clone(),
        exec: exec.clone(),
        at: engine.clock().now(),
    });
    // So long ago that no event is repeated.
    engine.clock().advance(Duration::from_mins(10));
    let choose: Choose = Arc::new(|look| Choice::of_labels(&look.labels));
    let with = (engine.clock() as Arc<dyn Clock>, choose);
    let endpoint = Endpoint::Unix(engine.socket());
    let mut watched = watch_from(endpoint, Duration::from_hours(1), with, open.collect());
    assert_eq!(
        watched.exec_ended(&execs[0]).await,
        Some(3),
        "while nobody watched"
    );
    engine.exec_ends(&execs[1], 0);
    assert_eq!(watched.exec_ended(&execs[1]).await, Some(0));
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn events_that_a_new_subscription_repeats_begin_no_second_command() {
    let engine = FakeEngine::new();
    let (mut watched, id) = one_container(&engine, armed()).await;
    let exec = engine.exec(&id, &UPGRADE);
    engine.exec_ends(&exec, 0);
    watched.exec_ended(&exec).await;
    engine.cut_events();
    watched.full_look().await;
    let second = engine.exec(&id, &UPGRADE);
    engine.exec_ends(&second, 0);
    watched.exec_ended(&second).await;
    assert_eq!(story(&watched).len(), 4, "{:?}", story(&watched));
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_command_ends_with_its_container_whether_that_dies_or_is_gone() {
    let engine = FakeEngine::new();
    let (mut watched, id) = one_container(&engine, armed()).await;
    let first = engine.exec(&id, &UPGRADE);
    watched.exec_started().await;
    engine.die(&id, 137);
    engine.clock().advance(Duration::from_secs(1));
    assert_eq!(watched.exec_ended(&first).await, None);
    let at = |wanted: fn(&Observation) -> bool| watched.seen.iter().position(wanted);
    let died = at(|seen| matches!(seen, Observation::Died { .. }));
    let time = |observation: &Observation| match observation {
        Observation::Died { at, .. } | Observation::ExecEnded { at, .. } => Some(*at),
        _ => None,
    };
    let times: Vec<Timestamp> = watched.seen.iter().filter_map(time).collect();
    assert!(
        times.len() == 2 && times[0] == times[1],
        "the same event tells both: {times:?}"
    );
    assert!(died.is_some() && died < at(|seen| matches!(seen, Observation::ExecEnded { .. })));
    engine.start(&id);
    let second = engine.exec(&id, &UPGRADE);
    watched.exec_started().await;
    engine.lose_next_events(2);
    engine.die(&id, 0);
    engine.remove(&id);
    engine.cut_events();
    assert_eq!(watched.exec_ended(&second).await, None);
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_command_right_after_the_start_waits_for_the_first_look_at_its_container() {
    let engine = FakeEngine::new();
    let mut watched = watch(&engine);
    watched.full_look().await;
    engine.slow_inspect(Duration::from_secs(5));
    let id = engine.create(armed());
    engine.start(&id);
    let exec = engine.exec(&id, &UPGRADE);
    assert_eq!(watched.exec_started().await.0, exec);
    assert!(
        watched
            .seen
            .iter()
            .any(|seen| matches!(seen, Observation::Looked(look) if look.id == id))
    );
    engine.exec_ends(&exec, 0);
    assert_eq!(watched.exec_ended(&exec).await, Some(0));
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn podman_tells_that_something_ran_where_it_can_migrate_and_how_it_ended() {
    let engine = FakeEngine::new().podman();
    let web = engine.create(ContainerSpec::service("shop", "web"));
    engine.start(&web);
    let (mut watched, id) = one_container(&engine, armed()).await;
    engine.exec(&web, &UPGRADE);
    let exec = engine.exec(&id, &UPGRADE);
    let (first, command) = watched.exec_started().await;
    assert_eq!(command, ExecCommand::Untold);
    engine.exec_ends(&exec, 2);
    assert_eq!(watched.exec_ended(&first).await, Some(2));
    let two = [engine.exec(&id, &UPGRADE), engine.exec(&id, &["ls"])];
    let (third, _) = watched.exec_started().await;
    let (fourth, _) = watched.exec_started().await;
    engine.exec_ends(&two[1], 1);
    assert_eq!(
        watched.exec_ended(&third).await,
        None,
        "which of the two it was is not told"
    );
    engine.exec_ends(&two[0], 0);
    assert_eq!(watched.exec_ended(&fourth).await, Some(0));
    watched.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_comes_back_without_its_containers_running_ends_their_commands() {
    let engine = FakeEngine::new();
    let (mut watched, id) = one_container(&engine, armed()).await;
    let exec = engine.exec(&id, &UPGRADE);
    watched.exec_started().await;
    engine.down();
    engine.die(&id, 137);
    engine.forget_exec(&exec);
    engine.up();
    assert_eq!(watched.exec_ended(&exec).await, None);
    watched
        .looked_with(&id, |look| look.state == ContainerState::Exited)
        .await;
    watched.stop().await;
}
