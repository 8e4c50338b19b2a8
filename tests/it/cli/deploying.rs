//! `migwatch deploy` and a daemon that ends, restarts or falls silent while it runs; the test answers in the monitor's place.

use std::process::Output;

use migwatch::http::{Command, Done, Reply};
use migwatch::model::approval::{Approval, ApprovalKind};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;

use super::{nowhere, stderr};
use crate::support::daemon::Home;
use crate::support::receiver::PATIENCE;
use crate::support::sample_approvals;
use crate::support::served::Served;

const RUN: [&str; 3] = ["deploy", "shop/backend", "--reason=x"];

/// The daemon's side of a deploy under way.
struct Deploying {
    served: Served,
    child: Child,
    _home: Home,
}

impl Deploying {
    /// Asked for with these flags and this command.
    async fn of(flags: &[&str], script: &str) -> Self {
        let served = Served::new().await;
        let home = nowhere();
        home.configure(&format!("[web]\nsocket = \"{}\"\n", served.socket().display()));
        let child = home.spawn(&[&RUN, flags, &["--", "sh", "-c", script]].concat());
        Self {
            served,
            child,
            _home: home,
        }
    }

    /// What it asks for next, and where the answer goes. An answer that is dropped is that of a daemon that ends.
    async fn asked(&mut self) -> (Command, Reply) {
        let asked = tokio::time::timeout(PATIENCE, self.served.commands.recv()).await;
        asked.expect("it asks in time").expect("it serves")
    }

    /// Opened, its command over: the answer to its end.
    async fn begun(flags: &[&str], script: &str) -> (Self, Reply) {
        let mut deploying = Self::of(flags, script).await;
        let (command, reply) = deploying.asked().await;
        assert!(matches!(command, Command::Approve(_)), "{command:?}");
        let opened = Done {
            message: "it is approved".into(),
            approval: Some(approval()),
        };
        reply.send(Ok(opened)).expect("it waits");
        let reply = deploying.end_asked().await;
        (deploying, reply)
    }

    async fn end_asked(&mut self) -> Reply {
        let (command, reply) = self.asked().await;
        assert_eq!(command, Command::EndDeploy { id: approval().id });
        reply
    }

    fn interrupt(&self) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(Pid::from_raw).expect("it runs");
        kill_process(id, Signal::TERM).expect("it is ours");
    }

    async fn over(self) -> Output {
        let over = tokio::time::timeout(PATIENCE, self.child.wait_with_output());
        over.await.expect("it ends in time").expect("it ran")
    }
}

fn approval() -> Approval {
    Approval {
        kind: ApprovalKind::Deploy,
        ..sample_approvals::approval()
    }
}

/// What is said where the approval could not be ended for sure.
fn may_be_open() -> String {
    let until: String = approval().until.to_string().chars().take(19).collect();
    format!(
        "may still be expected, until {until}Z; to end that: migwatch approve --revoke {}",
        approval().id
    )
}

#[tokio::test]
async fn the_end_of_a_deploy_is_told_again_while_migwatch_restarts() {
    let (mut deploying, ends) = Deploying::begun(&[], "exit 7").await;
    drop(ends);
    drop(deploying.end_asked().await);
    let answer = deploying.end_asked().await;
    answer.send(Ok("it is over".to_owned().into())).expect("it waits");
    let output = deploying.over().await;
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    assert!(!stderr(&output).contains("may still be expected"), "{output:?}");
}

#[tokio::test]
async fn an_approval_that_could_not_be_ended_is_said_to_be_open_perhaps() {
    for (script, code) in [("true", 2), ("exit 7", 7)] {
        let (deploying, reply) = Deploying::begun(&[], script).await;
        reply
            .send(Err("nothing is known of it".to_owned()))
            .expect("it waits");
        let output = deploying.over().await;
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(
            said.contains(&may_be_open()) && said.contains("nothing is known of it"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_daemon_that_is_ending_is_out_of_reach() {
    for (flags, code, says) in [
        (&["--if-unreachable=run"][..], 7, "NOBODY WATCHES"),
        (&[], 2, "migwatch is ending"),
    ] {
        let mut deploying = Deploying::of(flags, "exit 7").await;
        drop(deploying.asked().await);
        let output = deploying.over().await;
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(says), "{said}");
    }
}

#[tokio::test]
async fn a_signal_after_the_command_ends_the_waiting_and_says_that_nothing_is_confirmed() {
    let (deploying, reply) = Deploying::begun(&[], "true").await;
    deploying.interrupt();
    let output = deploying.over().await;
    drop(reply);
    assert!(stderr(&output).contains(&may_be_open()), "{output:?}");
    assert_eq!(output.status.code(), Some(143), "{output:?}");

    let (deploying, reply) = Deploying::begun(&[], "true").await;
    reply.send(Ok("it is over".to_owned().into())).expect("it waits");
    deploying.interrupt();
    let output = deploying.over().await;
    assert_eq!(output.status.code(), Some(143), "{output:?}");
}
