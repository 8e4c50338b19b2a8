//! Commands inside containers of the host's own engine: what it tells of them, and what it leaves out.

use migwatch::model::exec::{ExecCommand, ExecId};
use migwatch::model::observation::Observation;
use tokio::process::Command;

use super::real::{labels, project, watch};
use super::watched::Watched;
use crate::support::real_container::RealContainer;

/// The image has no Alembic: a script of this name stands for it, and sleeps for as long as its last argument says.
const STAND_IN: &str = "printf '#!/bin/sh\\nfor last; do :; done\\nsleep $last\\nexit $last\\n' > /usr/local/bin/alembic; \
                        chmod +x /usr/local/bin/alembic; touch /ready; exec sleep 600";

async fn container(project: &str, options: &[&str]) -> RealContainer {
    let [one, two] = labels(project);
    let own = ["--label", &one, "--label", &two, "--env", "RUN_MIGRATIONS=false"];
    let container = RealContainer::create(&[&own, options].concat(), STAND_IN).await;
    container.start().await;
    let id = &container.id.0;
    let ready = ["exec", id, "sh", "-c", "until [ -f /ready ]; do sleep 0.05; done"];
    assert!(docker(&ready).status().await.is_ok_and(|status| status.success()));
    container
}

fn docker(arguments: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.args(arguments).kill_on_drop(true);
    command.stdout(std::process::Stdio::null());
    command.stderr(std::process::Stdio::null());
    command
}

async fn exec_started(watched: &mut Watched) -> (ExecId, String) {
    let started = |observation: &Observation| match observation {
        Observation::ExecStarted {
            exec,
            command: ExecCommand::Migrates(command),
            ..
        } => Some((exec.clone(), command.text.clone())),
        _ => None,
    };
    watched.until("the start of a command", started).await
}

async fn exec_ended(watched: &mut Watched, wanted: &ExecId) -> Option<i32> {
    let ended = |observation: &Observation| match observation {
        Observation::ExecEnded { exec, exit_code, .. } if exec == wanted => Some(*exit_code),
        _ => None,
    };
    watched.until("the end of the command", ended).await
}

#[tokio::test]
async fn an_exec_on_the_real_engine_is_told_with_its_text_and_its_exit_code_with_a_terminal_or_without() {
    let project = project("exec");
    let container = container(&project, &[]).await;
    let mut watched = watch(&project);
    watched.full_look().await;
    let id = container.id.0.as_str();
    for (options, script, expected) in [
        (&["exec", id][..], "cd / && alembic upgrade 3", Some(3)),
        (&["exec", "--tty", id], "cd /\nalembic 'upgrade'   0", Some(0)),
    ] {
        let mut client = docker(&[options, &["sh", "-c", script]].concat())
            .spawn()
            .unwrap();
        let (exec, text) = exec_started(&mut watched).await;
        let one_line: Vec<&str> = script.split_whitespace().collect();
        assert_eq!(text, format!("sh -c {}", one_line.join(" ")));
        assert_eq!(exec_ended(&mut watched, &exec).await, expected);
        client.wait().await.unwrap();
    }
    watched.stop().await;
}

#[tokio::test]
async fn an_exec_that_cannot_start_on_the_real_engine_is_told_as_ended() {
    let project = project("nostart");
    let container = container(&project, &[]).await;
    let mut watched = watch(&project);
    watched.full_look().await;
    let arguments = ["exec", &container.id.0, "/nowhere/alembic", "upgrade", "head"];
    docker(&arguments).status().await.unwrap();
    let (exec, _) = exec_started(&mut watched).await;
    assert_eq!(exec_ended(&mut watched, &exec).await, Some(126));
    watched.stop().await;
}

#[tokio::test]
async fn an_exec_on_the_real_engine_goes_on_without_its_client_and_ends_with_its_own_exit_code() {
    let project = project("killed");
    let container = container(&project, &[]).await;
    let mut watched = watch(&project);
    watched.full_look().await;
    let arguments = ["exec", &container.id.0, "alembic", "upgrade", "4"];
    let mut client = docker(&arguments).spawn().unwrap();
    let (exec, _) = exec_started(&mut watched).await;
    client.kill().await.unwrap();
    assert_eq!(exec_ended(&mut watched, &exec).await, Some(4));
    watched.stop().await;
}

#[tokio::test]
async fn health_checks_of_the_real_engine_are_not_told_even_if_they_read_like_migrations() {
    let project = project("health");
    let check = "PGPASSWORD=s3cret alembic upgrade 0";
    let every = ["--health-interval", "1s", "--health-cmd", check];
    let container = container(&project, &every).await;
    let mut watched = watch(&project);
    let healthy = |observation: &Observation| match observation {
        Observation::Looked(look) => look.health == Some(migwatch::model::container::Health::Healthy),
        Observation::FullLook(looks) => looks
            .iter()
            .any(|look| look.health == Some(migwatch::model::container::Health::Healthy)),
        _ => false,
    };
    watched
        .until("the first good check", |seen| healthy(seen).then_some(()))
        .await;
    // Three more checks go by while this runs.
    let arguments = ["exec", &container.id.0, "alembic", "upgrade", "3"];
    let mut client = docker(&arguments).spawn().unwrap();
    let (exec, text) = exec_started(&mut watched).await;
    assert_eq!(text, "alembic upgrade 3");
    assert_eq!(exec_ended(&mut watched, &exec).await, Some(3));
    client.wait().await.unwrap();
    let told = |seen: &&Observation| {
        matches!(
            seen,
            Observation::ExecStarted { .. } | Observation::ExecEnded { .. }
        )
    };
    assert_eq!(watched.seen.iter().filter(told).count(), 2);
    assert!(!format!("{:?}", watched.seen).contains("s3cret"));
    watched.stop().await;
}

#[tokio::test]
async fn an_exec_that_ends_with_the_killed_container_of_the_real_engine_is_told_as_ended() {
    let project = project("gone");
    let container = container(&project, &[]).await;
    let mut watched = watch(&project);
    watched.full_look().await;
    let arguments = ["exec", &container.id.0, "alembic", "upgrade", "60"];
    let mut client = docker(&arguments).spawn().unwrap();
    let (exec, _) = exec_started(&mut watched).await;
    docker(&["kill", &container.id.0]).status().await.unwrap();
    let code = exec_ended(&mut watched, &exec).await;
    assert!(matches!(code, None | Some(137)), "{code:?}");
    client.wait().await.unwrap();
    watched.stop().await;
}
