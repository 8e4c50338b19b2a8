//! The alert rules: their queries, their unit tests and the runbook page of each alert.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use migwatch::model::alert::AlertName;
use migwatch::model::probe::FailureReason;
use serde_json::Value;

use super::wrong_queries;

/// What each runbook page answers, in this order.
const SECTIONS: [&str; 5] = [
    "## What it means",
    "## The evidence it carries",
    "## What to check first",
    "## How to end it",
    "## What not to do",
];

fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml(path: &Path) -> Value {
    serde_saphyr::from_str(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(shipped(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    entries
        .map(|entry| entry.expect("a folder can be listed").path())
        .collect()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// Every alert rule of every rule file.
fn rules() -> Vec<Value> {
    let groups = files("config/prometheus/rules")
        .iter()
        .flat_map(|file| list(&yaml(file), "groups").to_vec())
        .collect::<Vec<_>>();
    let rules = groups
        .iter()
        .flat_map(|group| list(group, "rules").to_vec())
        .collect::<Vec<_>>();
    assert!(!rules.is_empty(), "no rule was found");
    rules
}

fn name(rule: &Value) -> String {
    rule["alert"]
        .as_str()
        .unwrap_or_else(|| panic!("no alert rule: {rule}"))
        .to_owned()
}

fn alerts() -> BTreeSet<String> {
    rules().iter().map(name).collect()
}

#[test]
fn every_alert_of_migwatch_has_a_rule_and_only_its_own_end_is_added() {
    let own = AlertName::ALL.iter().map(|alert| alert.as_str().to_owned());
    let expected: BTreeSet<String> = own.chain(["MigwatchDown".to_owned()]).collect();
    assert_eq!(alerts(), expected);
}

#[test]
fn every_rule_parses_and_names_a_metric_that_exists() {
    let query = |rule: &Value| {
        (
            name(rule),
            rule["expr"].as_str().expect("a rule has a query").to_owned(),
        )
    };
    let queries: Vec<_> = rules().iter().map(query).collect();
    let wrong = wrong_queries(&queries, &["up"]);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_asks_for_the_alert_that_it_is_named_after() {
    for rule in rules().iter().filter(|rule| name(rule) != "MigwatchDown") {
        let query = rule["expr"].as_str().expect("a rule has a query");
        let asked = format!("migwatch_alerts_firing{{alert=\"{}\"}}", name(rule));
        assert!(query.contains(&asked), "{} does not ask for {asked}", name(rule));
        assert_eq!(
            query.matches("alert=\"").count(),
            query.matches(&asked).count(),
            "{} asks for another",
            name(rule)
        );
    }
}

#[test]
fn every_alert_says_what_it_is_and_links_its_own_runbook_page() {
    for rule in rules() {
        let annotation = |key: &str| rule["annotations"][key].as_str().unwrap_or_default().to_owned();
        assert!(
            !annotation("summary").is_empty(),
            "{} has no summary",
            name(&rule)
        );
        assert!(
            !annotation("description").is_empty(),
            "{} has no description",
            name(&rule)
        );
        assert_eq!(
            annotation("runbook_url"),
            format!("docs/runbooks/{}.md", name(&rule))
        );
    }
}

#[test]
fn every_alert_has_a_runbook_page_and_every_page_its_alert() {
    let stem = |page: &PathBuf| page.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let pages: BTreeSet<String> = files("docs/runbooks").iter().filter_map(stem).collect();
    assert_eq!(alerts(), pages);
}

#[test]
fn every_runbook_page_answers_the_same_questions_and_links_pages_that_exist() {
    for page in files("docs/runbooks") {
        let (text, place) = (read(&page), page.display());
        let title = format!("# {}\n", page.file_stem().expect("a page has a name").display());
        assert!(
            text.starts_with(&title),
            "{place} does not open with its alert's name"
        );
        let headings: Vec<_> = text.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(headings, SECTIONS, "{place}");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(
                page.with_file_name(link).exists(),
                "{place} links {link}, which does not exist"
            );
        }
    }
}

#[test]
fn the_page_of_a_failed_probe_explains_every_reason() {
    let page = read(&shipped("docs/runbooks/EndpointDown.md"));
    for reason in FailureReason::ALL.map(FailureReason::as_str) {
        assert!(
            page.contains(&format!("\n| `{reason}` |")),
            "the reason {reason} is not explained"
        );
    }
}

#[test]
fn every_rule_is_shown_firing_and_not_firing() {
    let tests: Vec<Value> = files("config/prometheus/tests")
        .iter()
        .map(|file| yaml(file))
        .collect();
    let cases: Vec<Value> = tests
        .iter()
        .flat_map(|file| list(file, "tests"))
        .flat_map(|test| list(test, "alert_rule_test"))
        .cloned()
        .collect();
    for alert in alerts() {
        let of_alert = || cases.iter().filter(|case| case["alertname"] == alert.as_str());
        assert!(
            of_alert().any(|case| !list(case, "exp_alerts").is_empty()),
            "{alert} is never shown firing"
        );
        assert!(
            of_alert().any(|case| list(case, "exp_alerts").is_empty()),
            "{alert} is never shown quiet"
        );
    }
}

#[test]
fn the_rules_are_not_loaded_where_migwatch_pushes() {
    let example = yaml(&shipped("config/prometheus/prometheus.yml"));
    let loaded: Vec<_> = list(&example, "rule_files")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(loaded, ["rules/migwatch-itself.yml"]);
}
