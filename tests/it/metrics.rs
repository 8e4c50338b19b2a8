//! The metrics as Prometheus reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};

use migwatch::http::{Build, metrics};
use migwatch::model::status::{ConditionWord, Status};
use prometheus::{IntCounter, Registry};

use crate::support::sample_status;

const PROMETHEUS: &str = "migwatch-demo-prometheus";

fn build() -> Build {
    Build {
        version: "0.1.0".into(),
        revision: "abc1234".into(),
    }
}

/// Series with their values, each once.
fn series(status: &Status) -> BTreeMap<String, f64> {
    let mut series = BTreeMap::new();
    for line in metrics::of_status(status, &build())
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(
            series.insert(name.to_owned(), value.parse().unwrap()).is_none(),
            "{name} comes twice"
        );
    }
    series
}

fn names(series: &BTreeMap<String, f64>) -> BTreeSet<&str> {
    series
        .keys()
        .map(|series| series.split('{').next().unwrap())
        .collect()
}

#[test]
fn every_metric_of_the_list_is_served_and_no_other() {
    let mut registry_names: BTreeSet<&str> = metrics::FROM_REGISTRY.iter().copied().collect();
    let listed: BTreeSet<&str> = metrics::NAMES.iter().map(|(name, ..)| *name).collect();
    assert_eq!(listed.len(), metrics::NAMES.len(), "a name is listed twice");
    let series = series(&sample_status::rich());
    registry_names.extend(names(&series));
    assert_eq!(registry_names, listed);
}

#[test]
fn the_process_collector_serves_what_the_list_says_of_it() {
    let registry = Registry::new();
    registry
        .register(Box::new(
            prometheus::process_collector::ProcessCollector::for_self(),
        ))
        .unwrap();
    for family in registry.gather() {
        let listed = metrics::NAMES.iter().find(|(name, ..)| *name == family.name());
        assert_eq!(listed.unwrap().2, family.help(), "{}", family.name());
    }
    let text = metrics::encode(&sample_status::rich(), &build(), &registry);
    assert!(text.contains("\nprocess_resident_memory_bytes "), "{text}");
}

#[test]
fn a_name_that_the_status_serves_is_not_served_twice_from_the_registry() {
    let registry = Registry::new();
    registry
        .register(Box::new(IntCounter::new("migwatch_outbox", "a mistake").unwrap()))
        .unwrap();
    let text = metrics::encode(&sample_status::rich(), &build(), &registry);
    assert_eq!(text.matches("# TYPE migwatch_outbox ").count(), 1);
}

#[test]
fn the_sample_is_served_as_the_contract_says() {
    let series = series(&sample_status::rich());
    let rag = r#"project="coe-demo",service="coe-ragpipeline""#;
    let backend = r#"project="coe-demo",service="coe-backend""#;
    for (expected, value) in [
        (r#"migwatch_build_info{version="0.1.0",revision="abc1234"}"#.to_owned(), 1.0),
        ("migwatch_config_last_reload_successful".into(), 0.0),
        (r#"migwatch_docker_up{endpoint="unix:///var/run/docker.sock"}"#.into(), 1.0),
        (format!(r#"migwatch_containers{{{rag},state="running"}}"#), 1.0),
        (format!(r#"migwatch_containers{{{rag},state="exited"}}"#), 0.0),
        (format!(r#"migwatch_container_health{{{rag},status="healthy"}}"#), 1.0),
        (format!(r#"migwatch_container_health{{{rag},status="unhealthy"}}"#), 0.0),
        (format!("migwatch_container_restarts_total{{{rag}}}"), 7.0),
        (format!("migwatch_service_up{{{rag}}}"), 1.0),
        (format!(r#"migwatch_armed{{{rag},state="armed"}}"#), 1.0),
        (format!(r#"migwatch_armed{{{rag},state="unknown"}}"#), 0.0),
        (format!(r#"migwatch_probe_success{{{backend},probe="edge",via="edge"}}"#), 0.0),
        (format!(r#"migwatch_probe_http_status_code{{{backend},probe="edge",via="edge"}}"#), 502.0),
        (format!(r#"migwatch_probe_failures_total{{{backend},probe="edge",via="edge",reason="status"}}"#), 9.0),
        (format!(r#"migwatch_probe_failures_total{{{backend},probe="direct",via="direct",reason="dns"}}"#), 0.0),
        (format!(r#"migwatch_migrations_total{{{rag},outcome="applied"}}"#), 2.0),
        (format!(r#"migwatch_migration_verdicts_total{{{rag},trigger="startup",verdict="unexpected"}}"#), 1.0),
        (format!("migwatch_migration_skips_total{{{rag}}}"), 12.0),
        (format!("migwatch_migration_last_duration_seconds{{{rag}}}"), 9.0),
        (format!("migwatch_unexpected_migrations_open{{{rag}}}"), 1.0),
        (format!(r#"migwatch_expectation_open{{{backend},kind="approval"}}"#), 1.0),
        (format!(r#"migwatch_expectation_open{{{backend},kind="window"}}"#), 0.0),
        (format!(r#"migwatch_expectation_open{{{rag},kind="window"}}"#), 1.0),
        (r#"migwatch_database_up{database="legacy"}"#.into(), 0.0),
        (r#"migwatch_revision_info{database="mariadb:3306/coe",table="alembic_version_empty",revision="base"}"#.into(), 1.0),
        (format!(r#"migwatch_alerts_firing{{{rag},alert="UnexpectedMigration",severity="critical"}}"#), 1.0),
        (r#"migwatch_alerts_firing{alert="WatcherBlind",severity="warning"}"#.into(), 0.0),
        ("migwatch_outbox".into(), 2.0),
    ] {
        assert_eq!(series.get(&expected), Some(&value), "{expected}");
    }
}

#[test]
fn a_service_without_any_event_has_all_its_counters_at_zero() {
    let series = series(&sample_status::rich());
    let counters = metrics::NAMES
        .iter()
        .filter(|(_, kind, _)| *kind == metrics::Kind::Counter);
    let of_services = counters.filter(|(name, ..)| {
        !metrics::FROM_REGISTRY.contains(name) && !name.contains("probe") && !name.contains("notifications")
    });
    for (name, ..) in of_services {
        let own: Vec<_> = series
            .iter()
            .filter(|(key, _)| key.starts_with(&format!("{name}{{")) && key.contains("\"mariadb\""))
            .collect();
        assert!(
            !own.is_empty() && own.iter().all(|(_, value)| **value == 0.0),
            "{name}: {own:?}"
        );
    }
}

#[test]
fn a_gauge_of_something_unknown_is_absent() {
    let mut status = sample_status::engine_away();
    status.migrations.clear();
    let series = series(&status);
    assert!(
        !names(&series).contains("migwatch_service_up"),
        "the engine is away"
    );
    assert_eq!(
        series.get(r#"migwatch_docker_up{endpoint="unix:///var/run/docker.sock"}"#),
        Some(&0.0)
    );
    for absent in [
        "migwatch_migration_last",
        "migwatch_migration_start",
        "migwatch_database_up{database=\"coe-demo/postgres",
    ] {
        assert!(!series.keys().any(|key| key.starts_with(absent)), "{absent}");
    }
    let log_of_mariadb = r#"migwatch_log_readable{project="coe-demo",service="mariadb"}"#;
    assert!(!series.contains_key(log_of_mariadb), "nobody reads it");
    assert_eq!(status.services[0].condition.word, ConditionWord::Unknown);
}

#[test]
fn where_a_table_stands_is_absent_while_its_database_cannot_be_read() {
    let mut status = sample_status::rich();
    assert!(names(&series(&status)).contains("migwatch_revision_at_head"));
    for database in &mut status.databases {
        database.up = false;
    }
    let series = series(&status);
    let names = names(&series);
    for absent in [
        "migwatch_revision_at_head",
        "migwatch_revision_unknown",
        "migwatch_revisions_pending",
        "migwatch_revisions_pending_destructive",
    ] {
        assert!(!names.contains(absent), "{absent}");
    }
    assert!(
        names.contains("migwatch_code_heads"),
        "the code is known all the same"
    );
}

#[test]
fn no_identity_of_a_container_or_migration_is_a_label() {
    let status = sample_status::rich();
    let text = metrics::of_status(&status, &build());
    for migration in &status.migrations {
        assert!(!text.contains(&migration.id.0));
        assert!(!text.contains(migration.runners[0].container.short()));
    }
}

#[test]
fn promtool_finds_nothing_to_complain_of() {
    let registry = Registry::new();
    registry
        .register(Box::new(
            prometheus::process_collector::ProcessCollector::for_self(),
        ))
        .unwrap();
    let text = metrics::encode(&sample_status::rich(), &build(), &registry);
    let mut promtool = Command::new("docker")
        .args([
            "run",
            "--rm",
            "-i",
            "--network",
            "none",
            "--entrypoint",
            "promtool",
            PROMETHEUS,
            "check",
            "metrics",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("docker is needed");
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(
        !said.contains("No such image") && !said.contains("Unable to find image"),
        "run `make images` first: {said}"
    );
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
}
