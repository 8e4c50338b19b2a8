//! The makers' own checkers accept what we ship: promtool and amtool, run from the demo's images with the shipped files mounted.
//! Fails, and never skips, where the images are missing.

use std::process::{Command, Output};

const PROMETHEUS: &str = "migwatch-demo-prometheus";
const ALERTMANAGER: &str = "migwatch-demo-alertmanager";

fn said(output: &Output) -> String {
    let parts = [&output.stdout, &output.stderr];
    parts
        .map(|part| String::from_utf8_lossy(part).into_owned())
        .concat()
}

/// Runs one tool of an image over `config/`, without a network.
fn check(image: &str, tool: &str, arguments: &[&str]) {
    let docker = |arguments: &[&str]| {
        Command::new("docker")
            .args(arguments)
            .output()
            .expect("docker is installed")
    };
    let look = docker(&["image", "inspect", image]);
    assert!(
        look.status.success(),
        "the image {image} is missing, run `make images`: {}",
        said(&look)
    );
    let mount = concat!(env!("CARGO_MANIFEST_DIR"), "/config:/config:ro");
    let run = [
        "run",
        "--rm",
        "--network",
        "none",
        "-v",
        mount,
        "--entrypoint",
        tool,
        image,
    ];
    let output = docker(&[&run, arguments].concat());
    assert!(
        output.status.success(),
        "{tool} {arguments:?}:\n{}",
        said(&output)
    );
}

#[test]
fn promtool_accepts_the_scrape_example() {
    check(
        PROMETHEUS,
        "promtool",
        &["check", "config", "/config/prometheus/prometheus.yml"],
    );
}

#[test]
fn promtool_accepts_the_rules() {
    let rules = [
        "/config/prometheus/rules/migwatch.yml",
        "/config/prometheus/rules/migwatch-itself.yml",
    ];
    check(
        PROMETHEUS,
        "promtool",
        &[&["check", "rules"], rules.as_slice()].concat(),
    );
}

#[test]
fn promtool_sees_each_rule_fire_and_end_as_its_test_says() {
    check(
        PROMETHEUS,
        "promtool",
        &["test", "rules", "/config/prometheus/tests/migwatch_test.yml"],
    );
}

#[test]
fn amtool_accepts_the_alertmanager_example() {
    check(
        ALERTMANAGER,
        "amtool",
        &["check-config", "/config/alertmanager/alertmanager.yml"],
    );
}
