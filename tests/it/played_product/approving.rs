//! Approvals through the whole product: from the command line to what is told, and what a deploy says in the end.

use std::path::PathBuf;
use std::process::Output;

use migwatch::model::approval::ApprovalRecord;
use serde_json::Value;
use tokio::process::Command;

use super::*;

/// A stack under `deny` whose backend was created and never started.
async fn denied(more: &str) -> (Stage, ContainerId) {
    let stage = Stage::watch("deny", more).await;
    let id = stage.engine.create(app("backend", "true"));
    stage.service("backend", "is known", |_| true).await;
    (stage, id)
}

async fn has_ended(stage: &Stage, count: usize) -> Migration {
    let is_over = |migration: &Migration| migration.outcome != Outcome::Running;
    stage.migration("backend", count, "has ended", is_over).await
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

async fn good(stage: &Stage, arguments: &[&str]) -> String {
    let output = stage.home.run(arguments).await;
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
    text(&output.stdout)
}

async fn listed(stage: &Stage) -> Vec<ApprovalRecord> {
    let list = good(stage, &["approve", "--list", "--output", "json"]).await;
    serde_json::from_str(&list).expect("the list is JSON")
}

#[tokio::test]
async fn an_approved_migration_is_quiet_and_the_next_one_is_told() {
    let (stage, id) = denied("").await;
    let approve = [
        "approve",
        "shop/backend",
        "--for",
        "30m",
        "--reason",
        "release 42",
        "--by",
        "kim",
    ];
    let said = good(&stage, &approve).await;
    assert!(
        said.starts_with("a migration of shop/backend is approved until "),
        "{said}"
    );
    stage.catch_up();
    stage.starts(&id, &[RUN, &step("a", "b"), UP]);
    let migration = has_ended(&stage, 1).await;
    assert_eq!(judgement(&migration), (Verdict::Expected, Rule::Approved));
    assert_eq!(migration.judgement.reason, "kim had approved it: release 42");
    let list = good(&stage, &["approve", "--list"]).await;
    assert!(list.contains("used up") && list.contains("release 42"), "{list}");
    assert_eq!(stage.judged("backend", "expected").await, Some(1.0));
    stage.heard_before_the_sentinel(&[]).await;
    stage.restart(&id, &[RUN, &step("b", "c"), UP]);
    stage.told(&["UnexpectedMigration(backend)"]).await;
}

#[tokio::test]
async fn what_cannot_be_approved_is_refused_with_what_would_be_right_and_changes_nothing() {
    let (stage, _) = denied("").await;
    for (arguments, says) in [
        (
            ["shop/frontend", "--for", "30m", "--reason", "x"],
            "no service shop/frontend is known, so nothing was approved; known are shop/backend",
        ),
        (
            ["backend", "--for", "30m", "--reason", "x"],
            "service: write PROJECT/SERVICE",
        ),
        (
            ["shop/backend", "--for", "8days", "--reason", "x"],
            "is not from 1m to 7days",
        ),
        (
            ["shop/backend", "--for", "30m", "--reason", " "],
            "reason: say why",
        ),
    ] {
        let output = stage.home.run(&[&["approve"][..], &arguments].concat()).await;
        assert!(text(&output.stderr).contains(says), "{output:?}");
        assert_eq!(output.status.code(), Some(2));
    }
    assert_eq!(listed(&stage).await, []);
    let output = stage.home.run(&["approve", "--revoke", "ap-none"]).await;
    assert!(
        text(&output.stderr).contains("no approval has the id ap-none"),
        "{output:?}"
    );
}

#[tokio::test]
async fn a_revoked_approval_is_over_and_a_restart_forgets_nothing_of_it() {
    let (mut stage, _) = denied("").await;
    let approve = [
        "approve",
        "shop/backend",
        "--for",
        "1h",
        "--reason",
        "release",
        "--to",
        "c0ffee",
        "--triggers",
        "exec,one_off",
        "--restore",
        "--output",
        "json",
    ];
    let approval: Value = serde_json::from_str(&good(&stage, &approve).await).expect("it is JSON");
    let id = approval["id"].as_str().expect("it has an ID").to_owned();
    assert_eq!(approval["to"], "c0ffee");
    stage.kill().await;
    stage.start().await;
    let before = listed(&stage).await;
    assert!(
        before.iter().all(ApprovalRecord::is_open) && before.len() == 1,
        "{before:?}"
    );
    assert_eq!(
        good(&stage, &["approve", "--revoke", &id]).await,
        format!("{id} is revoked\n")
    );
    assert!(!listed(&stage).await.iter().any(ApprovalRecord::is_open));
    let again = stage.home.run(&["approve", "--revoke", &id]).await;
    assert!(text(&again.stderr).contains("is over since"), "{again:?}");
}

/// A command that says that it runs, and then waits to be told how to go on.
struct Waiting {
    fifo: PathBuf,
    script: String,
}

impl Waiting {
    fn new(stage: &Stage) -> Self {
        let fifo = stage.home.path().join("fifo");
        // Made before anybody opens it: whoever comes first waits for the other.
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.expect("there is mkfifo").success());
        let script = format!(
            "echo out; echo err >&2; read code < {}; exit $code",
            fifo.display()
        );
        Self { fifo, script }
    }

    /// Lets it end with this code.
    async fn ends(&self, code: &str) {
        let go = format!("echo {code} > {}", self.fifo.display());
        let told = Command::new("sh").args(["-c", &go]).status().await;
        assert!(told.expect("there is a shell").success());
    }

    /// Deploys with it; `meanwhile` happens while it runs.
    async fn deployed(&self, stage: &Stage, flags: &[&str], meanwhile: impl AsyncFnOnce()) -> Output {
        let head = ["deploy", "shop/backend", "--reason", "release 42"];
        let tail = ["--", "sh", "-c", self.script.as_str()];
        let arguments = [&head[..], flags, &tail].concat();
        let (output, ()) = tokio::join!(stage.home.run(&arguments), meanwhile());
        output
    }
}

async fn is_open(stage: &Stage) {
    stage
        .daemon()
        .until("the deploy is expected", |status| {
            status.approvals.iter().any(ApprovalRecord::is_open)
        })
        .await;
}

#[tokio::test]
async fn a_deploy_expects_its_migration_and_passes_the_commands_output_untouched() {
    let (stage, id) = denied("").await;
    let command = Waiting::new(&stage);
    let meanwhile = async || {
        is_open(&stage).await;
        stage.catch_up();
        stage.starts(&id, &[RUN, &step("a", "b"), UP]);
        has_ended(&stage, 1).await;
        command.ends("0").await;
    };
    let output = command.deployed(&stage, &[], meanwhile).await;
    assert_eq!(text(&output.stdout), "out\n");
    let said = text(&output.stderr);
    assert!(
        said.contains("err\n") && said.contains("ended as applied; no database is known"),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let list = listed(&stage).await;
    let kind = list.first().map(|record| record.approval.kind.as_str());
    assert_eq!((list.len(), kind), (1, Some("deploy")));
    stage.heard_before_the_sentinel(&[]).await;
}

#[tokio::test]
async fn a_deploys_commands_own_failure_is_passed_on_and_ends_the_approval() {
    let (stage, _) = denied("").await;
    let command = Waiting::new(&stage);
    let meanwhile = async || {
        is_open(&stage).await;
        command.ends("7").await;
    };
    let output = command.deployed(&stage, &[], meanwhile).await;
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    let ended = listed(&stage).await;
    let why = ended
        .first()
        .and_then(|record| record.ended.as_ref())
        .map(|ended| ended.why.to_string());
    assert_eq!(why.as_deref(), Some("its command ended"));
}

#[tokio::test]
async fn a_command_that_cannot_be_run_leaves_no_approval_open() {
    let (stage, _) = denied("").await;
    let deploy = ["deploy", "shop/backend", "--reason", "x", "--", "no-such-command"];
    let output = stage.home.run(&deploy).await;
    assert!(
        text(&output.stderr).contains("cannot run no-such-command"),
        "{output:?}"
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(!listed(&stage).await.iter().any(ApprovalRecord::is_open));
}

#[tokio::test]
async fn a_signal_reaches_the_deploys_command() {
    let (stage, _) = denied("").await;
    let fifo = stage.home.path().join("fifo");
    let script = format!(
        "mkfifo {0}; trap 'kill $!; exit 9' TERM; cat {0} & echo ready > {0}.ready; wait",
        fifo.display()
    );
    let deploy = [
        "deploy",
        "shop/backend",
        "--reason",
        "x",
        "--",
        "sh",
        "-c",
        &script,
    ];
    let child = stage.home.spawn(&deploy);
    let ready = fifo.with_extension("ready");
    stage
        .daemon()
        .until("the command runs", |_| {
            std::fs::read_to_string(&ready).is_ok_and(|text| text == "ready\n")
        })
        .await;
    let id = child.id().expect("it runs");
    let kill = Command::new("sh")
        .args(["-c", &format!("kill -TERM {id}")])
        .status();
    assert!(kill.await.expect("there is a shell").success());
    let output = child.wait_with_output().await.expect("it ends");
    assert_eq!(output.status.code(), Some(9), "{output:?}");
}

#[tokio::test]
async fn a_deploy_to_a_revision_is_good_only_once_the_database_stands_there() {
    for (reached, code, says) in [
        (HEAD, 0, format!("shop/backend is at {HEAD}")),
        (NEXT, 1, "a migration ran that was not approved".to_owned()),
        (
            FIRST,
            1,
            format!("shop/backend is not at {HEAD}: alembic_version at {FIRST}"),
        ),
    ] {
        let file = SqliteFile::new();
        file.stands_at("alembic_version", FIRST);
        let more = format!(
            "[databases]\ninterval = \"200ms\"\n{}",
            file.configured("shop", PROJECT, &["backend"])
        );
        let (stage, id) = denied(&more).await;
        let is_read =
            |status: &migwatch::model::status::Status| status.databases.iter().any(|database| database.up);
        stage.daemon().until("the database is read", is_read).await;
        let command = Waiting::new(&stage);
        let meanwhile = async || {
            is_open(&stage).await;
            stage.catch_up();
            if reached == FIRST {
                stage.starts(&id, &[RUN, UP]);
            } else {
                file.stands_at("alembic_version", reached);
                stage.starts(&id, &[RUN, &step(FIRST, reached), UP]);
            }
            has_ended(&stage, 1).await;
            command.ends("0").await;
        };
        let flags = ["--to", HEAD, "--timeout", "2s"];
        let output = command.deployed(&stage, &flags, meanwhile).await;
        let said = text(&output.stderr);
        assert!(said.contains(&says), "{reached}: {said}");
        assert_eq!(output.status.code(), Some(code), "{reached}: {output:?}");
    }
}
