//! What both generations of Compose do with commands: `exec` with and without a terminal, `run`, hooks; with the real Alembic.

use migwatch::model::exec::{Action, ExecCommand, MigrationCommand};
use migwatch::model::observation::Observation;
use migwatch::model::service::Role;

use super::real::watch;
use super::watched::Watched;
use crate::support::stack::{Compose, Stack};

/// A service that starts and then runs a command by a hook of Compose (2.30 and later).
const HOOKED: &str = "
services:
  ledger:
    post_start:
      - command: [\"sh\", \"-c\", \"alembic upgrade head\"]
";

async fn exec_started(watched: &mut Watched) -> MigrationCommand {
    let started = |observation: &Observation| match observation {
        Observation::ExecStarted {
            command: ExecCommand::Migrates(command),
            ..
        } => Some(command.clone()),
        _ => None,
    };
    watched.until("the start of a command", started).await
}

async fn exec_ended(watched: &mut Watched) -> Option<i32> {
    let ended = |observation: &Observation| match observation {
        Observation::ExecEnded { exit_code, .. } => Some(*exit_code),
        _ => None,
    };
    watched.until("the end of a command", ended).await
}

async fn commands_of_people_are_told(compose: Compose) {
    let stack = Stack::with(compose).await;
    let mut watched = watch(&stack.project);
    watched.full_look().await;
    stack.up("ledger", &[]).await;
    stack.exec("ledger", &["alembic", "current"]).await;
    stack
        .exec("ledger", &["sh", "-c", "cd . && alembic upgrade head"])
        .await;
    let told = exec_started(&mut watched).await;
    assert_eq!(told.text, "sh -c cd . && alembic upgrade head");
    assert_eq!(exec_ended(&mut watched).await, Some(0));

    assert!(stack.exec_at_terminal("ledger", "alembic downgrade -1").await);
    let told = exec_started(&mut watched).await;
    let expected = MigrationCommand {
        text: "alembic downgrade -1".to_owned(),
        action: Action::Downgrade,
        target: Some("-1".to_owned()),
        environment: None,
    };
    assert_eq!((told, exec_ended(&mut watched).await), (expected, Some(0)));

    assert!(!stack.exec_at_terminal("ledger", "alembic upgrade nowhere").await);
    exec_started(&mut watched).await;
    assert_eq!(exec_ended(&mut watched).await, Some(255));

    stack
        .compose(&["run", "--rm", "-T", "ledger", "alembic", "upgrade", "+1"], &[])
        .await;
    let one_off = |observation: &Observation| match observation {
        Observation::Looked(look) if look.role == Role::OneOff => look.runs.clone(),
        _ => None,
    };
    let runs = watched.until("the look at the one-off", one_off).await;
    assert_eq!(
        (runs.action, runs.target.as_deref()),
        (Action::Upgrade, Some("+1"))
    );
    watched.stop().await;
}

#[tokio::test]
async fn what_people_run_with_compose_1_is_told_and_what_it_would_do() {
    commands_of_people_are_told(Compose::One).await;
}

#[tokio::test]
async fn what_people_run_with_compose_2_is_told_and_what_it_would_do() {
    commands_of_people_are_told(Compose::Two).await;
}

#[tokio::test]
async fn a_command_that_compose_2_starts_right_after_the_container_is_told_like_any_other() {
    let stack = Stack::with(Compose::Two).await;
    stack.write("hooked.yml", HOOKED);
    let mut watched = watch(&stack.project);
    watched.full_look().await;
    let files = [
        "-f",
        "docker-compose.yml",
        "-f",
        "hooked.yml",
        "up",
        "-d",
        "ledger",
    ];
    stack.compose(&files, &[]).await;
    let started = |observation: &Observation| match observation {
        Observation::Started { at, .. } => Some(*at),
        _ => None,
    };
    let container_started = watched.until("the start of the container", started).await;
    let exec = |observation: &Observation| match observation {
        Observation::ExecStarted { at, .. } => Some(*at),
        _ => None,
    };
    let exec_started = watched.until("the start of the hook", exec).await;
    let between = exec_started.since(container_started);
    assert!(
        between.as_secs() < 10,
        "{between:?} between the start and its hook"
    );
    assert_eq!(exec_ended(&mut watched).await, Some(0));
    watched.stop().await;
}
