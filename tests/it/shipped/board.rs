//! The dashboard: each query can be answered, each panel explains itself, and none lies under another.

use std::collections::BTreeSet;

use serde_json::Value;

use super::wrong_queries;
use crate::support::dashboard;

#[test]
fn every_query_of_the_dashboard_parses_and_names_a_metric_that_exists() {
    let queries = [
        dashboard::queries(),
        dashboard::annotations(),
        dashboard::variables(),
    ]
    .concat();
    assert!(
        queries.len() > 40,
        "only {} queries were found in the dashboard",
        queries.len()
    );
    let wrong = wrong_queries(&queries, &[]);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_panel_has_a_title_a_description_a_unit_and_a_query() {
    let lacking = |panel: &Value| {
        let filled = |pointer: &str| {
            panel
                .pointer(pointer)
                .and_then(Value::as_str)
                .is_some_and(|text| !text.is_empty())
        };
        let needed = [
            "/title",
            "/description",
            "/fieldConfig/defaults/unit",
            "/targets/0/expr",
        ];
        let missing: Vec<_> = needed.into_iter().filter(|pointer| !filled(pointer)).collect();
        (!missing.is_empty()).then(|| format!("panel {} ({}) lacks {missing:?}", panel["id"], panel["title"]))
    };
    let lacking: Vec<_> = dashboard::panels()
        .iter()
        .filter(|panel| panel["type"] != "row")
        .filter_map(lacking)
        .collect();
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
}

#[test]
fn every_panel_follows_the_chosen_data_source() {
    for panel in dashboard::panels().iter().filter(|panel| panel["type"] != "row") {
        let targets = panel["targets"].as_array().into_iter().flatten();
        for source in targets.chain([panel]).map(|it| &it["datasource"]["uid"]) {
            assert_eq!(
                source, "${datasource}",
                "panel {} is tied to one data source",
                panel["title"]
            );
        }
    }
}

#[test]
fn panels_have_numbers_of_their_own_and_do_not_overlap() {
    let top = dashboard::dashboard()["panels"]
        .as_array()
        .cloned()
        .expect("the dashboard has panels");
    let mut numbers = BTreeSet::new();
    let mut cells = BTreeSet::new();
    for panel in &top {
        assert!(
            numbers.insert(panel["id"].as_u64()),
            "two panels have the number {}",
            panel["id"]
        );
        let [x, y, w, h] =
            ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().expect("a panel has its place"));
        assert!(x + w <= 24, "panel {} is wider than the page", panel["title"]);
        for cell in (y..y + h).flat_map(|row| (x..x + w).map(move |column| (row, column))) {
            assert!(cells.insert(cell), "panel {} lies on another", panel["title"]);
        }
    }
}

#[test]
fn unexpected_migrations_are_marked_where_they_happened() {
    let dashboard = dashboard::dashboard();
    let list = dashboard["annotations"]["list"]
        .as_array()
        .expect("the dashboard has annotations");
    let marks = list
        .iter()
        .find(|it| it["name"] == "Unexpected migrations")
        .expect("they are marked");
    assert_eq!(marks["enable"], true);
    // Grafana takes the series' value as the time, in milliseconds.
    assert_eq!(marks["useValueForTime"], true);
    let query = marks["expr"].as_str().expect("an annotation has a query");
    assert!(
        query.starts_with("migwatch_migration_last_timestamp_seconds{verdict=\"unexpected\","),
        "{query}"
    );
    assert!(query.ends_with("* 1000"), "{query}");
}
