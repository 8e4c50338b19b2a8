//! The shipped Grafana dashboard as a list of `PromQL` queries, with Grafana's variables put in, so that Prometheus itself (or a parser)
//! can answer for them. Refuses to know what the answers should be.

use serde_json::Value;

/// What Grafana would put in: the longer names first, because one may begin like another.
const VARIABLES: [(&str, &str); 7] = [
    ("$__rate_interval", "1m"),
    ("$__interval", "15s"),
    ("$__range", "1h"),
    ("${project}", ".*"),
    ("${service}", ".*"),
    ("$project", ".*"),
    ("$service", ".*"),
];

/// Every query of every panel: the panel's title, and the query as `PromQL`.
pub(crate) fn queries() -> Vec<(String, String)> {
    let panels = panels();
    panels
        .iter()
        .flat_map(|panel| expressions(panel, "targets").map(|expr| (text(panel, "title"), expr)))
        .collect()
}

/// The queries that draw annotations: name and `PromQL`. Without an event there is rightly no answer.
pub(crate) fn annotations() -> Vec<(String, String)> {
    let annotations = dashboard()["annotations"]["list"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let own = annotations
        .iter()
        .filter(|annotation| annotation.get("expr").is_some());
    own.map(|annotation| (text(annotation, "name"), substituted(&text(annotation, "expr"))))
        .collect()
}

/// The selectors that fill the variables: name and `PromQL`.
pub(crate) fn variables() -> Vec<(String, String)> {
    let variables = dashboard()["templating"]["list"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let queried = variables.iter().filter(|variable| variable["type"] == "query");
    queried
        .map(|variable| {
            (
                text(variable, "name"),
                substituted(&selector_of(&text(variable, "definition"))),
            )
        })
        .collect()
}

/// Every panel with something in it; rows only hold panels.
pub(crate) fn panels() -> Vec<Value> {
    let top = dashboard()["panels"]
        .as_array()
        .cloned()
        .expect("the dashboard has panels");
    let nested = |panel: Value| match panel["panels"].as_array() {
        Some(inner) if panel["type"] == "row" => inner.clone(),
        _ => vec![panel],
    };
    top.into_iter().flat_map(nested).collect()
}

/// The dashboard as Grafana reads it.
pub(crate) fn dashboard() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/grafana/dashboards/migwatch.json");
    let text = std::fs::read_to_string(path).expect("the dashboard is shipped");
    serde_json::from_str(&text).expect("the dashboard is JSON")
}

/// `PromQL` with every Grafana variable replaced.
///
/// # Panics
/// If a variable is left: then Grafana would know it, and this file does not.
pub(crate) fn substituted(query: &str) -> String {
    let put_in = |query: String, (name, value): &(&str, &str)| query.replace(name, value);
    let query = VARIABLES.iter().fold(query.to_owned(), put_in);
    assert!(
        !query.contains('$'),
        "a Grafana variable has no value in tests/it/support/dashboard.rs: {query}"
    );
    query
}

fn expressions<'a>(panel: &'a Value, list: &str) -> impl Iterator<Item = String> + 'a {
    panel[list]
        .as_array()
        .into_iter()
        .flatten()
        .map(|target| substituted(&text(target, "expr")))
}

/// `label_values(SELECTOR, label)` is Grafana's, SELECTOR is `PromQL`.
fn selector_of(definition: &str) -> String {
    let arguments = definition
        .strip_prefix("label_values(")
        .and_then(|rest| rest.rsplit_once(','));
    let (selector, _label) =
        arguments.unwrap_or_else(|| panic!("no label_values(selector, label): {definition}"));
    selector.to_owned()
}

fn text(value: &Value, key: &str) -> String {
    let text = value[key].as_str();
    text.unwrap_or_else(|| panic!("the dashboard lacks the text `{key}` in {value}"))
        .to_owned()
}
