//! The command line as it is used: exit codes, sentences, and which of flag, environment and file wins.
//! Refuses to know what is watched.

mod deploying;

use std::net::TcpListener;
use std::path::Path;
use std::process::Output;

use assert_cmd::assert::OutputAssertExt;
use serde_json::Value;

use crate::support::daemon::Home;
use crate::support::fake_engine::FakeEngine;

fn nowhere() -> Home {
    Home::new(Path::new("/nonexistent/docker.sock"))
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn help_names_every_flag_and_every_command() {
    let output = nowhere().run(&["--help"]).await;
    let help = stdout(&output);
    output.assert().code(0);
    let flags = [
        "config.file",
        "data.dir",
        "web.listen-address",
        "log.level",
        "log.format",
        "output",
    ];
    for flag in flags {
        assert!(help.contains(&format!("--{flag}")), "{flag}: {help}");
        let variable = format!("MIGWATCH_{}", flag.to_uppercase().replace(['.', '-'], "_"));
        assert!(help.contains(&variable), "{variable}: {help}");
    }
    for command in [
        "run",
        "check",
        "status",
        "history",
        "ack",
        "approve",
        "deploy",
        "reload",
        "healthcheck",
    ] {
        assert!(help.contains(&format!("\n  {command}")), "{command}: {help}");
    }
}

#[tokio::test]
async fn what_is_not_known_is_wrong_usage() {
    for arguments in [
        &["--no-such-flag"][..],
        &["no-such-command"],
        &["--log.level", "verbose", "check"],
        &["--web.listen-address", "9778", "check"],
    ] {
        let output = nowhere().run(arguments).await;
        let named = arguments
            .iter()
            .find(|argument| stderr(&output).contains(**argument));
        assert!(named.is_some(), "{arguments:?}: {}", stderr(&output));
        output.assert().code(2);
    }
}

#[tokio::test]
async fn a_bad_configuration_is_refused_with_all_its_problems() {
    let home = nowhere();
    home.configure("colour = 5\n[web]\ntoken = 5\n[database.shop]\nurl = \"kim:s3cret@db\"\n");
    for command in ["run", "check", "status", "history", "healthcheck"] {
        let output = home.run(&[command]).await;
        let told = stderr(&output);
        assert!(told.contains("3 problems in "), "{command}: {told}");
        for problem in [
            "migwatch.toml:1: colour: ",
            "migwatch.toml:3: web.token: ",
            "migwatch.toml:5: database.shop.url: ",
        ] {
            assert!(told.contains(problem), "{command}: {problem}: {told}");
        }
        assert!(!told.contains("s3cret"), "{told}");
        output.assert().code(2);
    }
}

#[tokio::test]
async fn a_configuration_file_that_is_asked_for_must_be_there() {
    let output = nowhere().run(&["--config.file", "no-such.toml", "check"]).await;
    assert!(
        stderr(&output).contains("cannot read the configuration file no-such.toml"),
        "{output:?}"
    );
    output.assert().code(2);
}

#[tokio::test]
async fn without_a_daemon_its_commands_say_what_to_look_at() {
    let home = nowhere();
    let approve = ["approve", "shop/backend", "--for", "1h", "--reason", "x"];
    for command in [
        &["status"][..],
        &["history"],
        &["ack", "m1"],
        &approve,
        &["approve", "--list"],
        &["healthcheck"],
    ] {
        let output = home.run(command).await;
        let socket = home.data_dir().join("migwatch.sock");
        let sentence = format!(
            "cannot reach migwatch at {}: is it running with this data folder (--data.dir), and are you its user?",
            socket.display()
        );
        assert!(
            stderr(&output).contains(&sentence),
            "{command:?}: {}",
            stderr(&output)
        );
        output.assert().code(2);
    }
}

#[tokio::test]
async fn an_approval_needs_a_service_a_time_and_a_reason() {
    for (arguments, missing) in [
        (&["approve"][..], "<PROJECT/SERVICE>"),
        (&["approve", "shop/backend", "--reason", "x"], "--for <DURATION>"),
        (&["approve", "shop/backend", "--for", "1h"], "--reason <TEXT>"),
        (&["approve", "shop/backend", "--list"], "--list"),
        (&["deploy", "shop/backend", "--reason", "x"], "<COMMAND>"),
        (&["deploy", "shop/backend", "--", "true"], "--reason <TEXT>"),
    ] {
        let output = nowhere().run(arguments).await;
        assert!(
            stderr(&output).contains(missing),
            "{arguments:?}: {}",
            stderr(&output)
        );
        output.assert().code(2);
    }
}

#[tokio::test]
async fn without_a_daemon_a_deploy_runs_nothing_unless_it_is_asked_to_and_then_says_so() {
    let home = nowhere();
    let mark = home.path().join("mark");
    let command = format!("echo x >> {}; echo out; exit 7", mark.display());
    let refused = [
        "deploy",
        "shop/backend",
        "--reason",
        "x",
        "--",
        "sh",
        "-c",
        &command,
    ];
    let output = home.run(&refused).await;
    assert!(stderr(&output).contains("cannot reach migwatch at"), "{output:?}");
    assert!(!mark.exists(), "the command was not run");
    output.assert().code(2);
    let asked = [
        "deploy",
        "shop/backend",
        "--reason",
        "x",
        "--if-unreachable=run",
        "--",
        "sh",
        "-c",
        &command,
    ];
    let output = home.run(&asked).await;
    assert!(stderr(&output).contains("NOBODY WATCHES"), "{output:?}");
    assert_eq!(stdout(&output), "out\n");
    assert!(mark.exists());
    output.assert().code(7);
}

/// The findings of `check --output json`.
fn findings(output: &Output) -> Vec<Value> {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[tokio::test]
async fn a_check_without_an_engine_says_what_to_do() {
    let output = nowhere().run(&["check", "--output", "json"]).await;
    let findings = findings(&output);
    let engine = findings
        .iter()
        .find(|finding| finding["what"] == "engine unix:///nonexistent/docker.sock");
    let engine = engine.unwrap_or_else(|| panic!("{findings:#?}"));
    assert_eq!(engine["ok"], false);
    let found = engine["found"].as_str().unwrap_or_default();
    assert!(
        found.contains(
            "start the engine, mount the socket into the container, or set engine.host or DOCKER_HOST"
        ),
        "{found}"
    );
    output.assert().code(1);
}

#[tokio::test]
async fn a_check_of_a_healthy_host_is_good() {
    let engine = FakeEngine::new();
    let output = Home::new(&engine.socket())
        .run(&["check", "--output", "json"])
        .await;
    let findings = findings(&output);
    assert!(
        findings.iter().all(|finding| finding["ok"] == true),
        "{findings:#?}"
    );
    assert_eq!(findings.len(), 2, "{findings:#?}");
    output.assert().code(0);
}

#[tokio::test]
async fn a_check_names_what_does_not_answer_without_its_secrets() {
    let engine = FakeEngine::new();
    let home = Home::new(&engine.socket());
    home.configure(
        "[database.shop]\nurl = \"mariadb://kim:s3cret@127.0.0.1:1/shop\"\n\
         [probe.page]\nproject = \"shop\"\nservice = \"backend\"\nhttp = \"http://kim:s3cret@127.0.0.1:1/?key=s3cret\"\n",
    );
    let output = home.run(&["check"]).await;
    let told = stdout(&output) + &stderr(&output);
    for what in ["database shop", "probe page of shop/backend"] {
        assert!(told.contains(what), "{what}: {told}");
    }
    assert!(!told.contains("s3cret"), "{told}");
    output.assert().code(1);
}

#[tokio::test]
async fn a_flag_wins_over_the_environment_which_wins_over_the_file() {
    let engine = FakeEngine::new();
    let mut home = Home::new(&engine.socket());
    let place = |name: &str| home.path().join(name).display().to_string();
    let (by_file, by_variable, by_flag) = (place("file"), place("variable"), place("flag"));
    // Each address is held by the test: whichever is taken names itself in the refusal.
    let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    let [file, variable, flag] = held
        .each_ref()
        .map(|it| it.local_addr().expect("its address").to_string());
    home.configure(&format!(
        "[web]\nlisten_address = {file:?}\n[data]\ndir = {by_file:?}\n"
    ));
    assert_eq!(taken(&home, &[]).await, (file, by_file));
    home = home
        .variable("MIGWATCH_WEB_LISTEN_ADDRESS", &variable)
        .variable("MIGWATCH_DATA_DIR", &by_variable);
    assert_eq!(taken(&home, &[]).await, (variable, by_variable));
    let flags = ["--web.listen-address", &flag, "--data.dir", &by_flag];
    assert_eq!(taken(&home, &flags).await, (flag.clone(), by_flag.clone()));
}

/// The address that `run` would listen on and the folder that `status` looks in, from their sentences.
async fn taken(home: &Home, flags: &[&str]) -> (String, String) {
    let between = |output: &Output, before: &str, after: &str| {
        let text = stderr(output);
        let found = text
            .split_once(before)
            .and_then(|(_, rest)| rest.split_once(after));
        found
            .unwrap_or_else(|| panic!("{before:?} is not in {text}"))
            .0
            .to_owned()
    };
    let status = home.run(&[flags, &["status"]].concat()).await;
    let dir = between(&status, "cannot reach migwatch at ", "/migwatch.sock");
    let run = home.run(&[flags, &["run"]].concat()).await;
    let address = between(&run, "cannot listen on ", ": choose");
    run.assert().code(2);
    (address, dir)
}
