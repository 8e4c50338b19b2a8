//! What we ship for Prometheus, Alertmanager and Grafana fits together and fits migwatch: queries parse and name only series that
//! exist, rules pass promtool, each alert has its runbook page.
//! Refuses to know what the series hold.

mod alerting;
mod board;
mod tools;

use std::collections::BTreeSet;

use promql_parser::parser::{self, Expr};
use promql_parser::util::{ExprVisitor, walk_expr};

use migwatch::http::metrics::NAMES;

/// Collects what a query selects.
#[derive(Default)]
struct Selected(BTreeSet<String>);

impl ExprVisitor for Selected {
    type Error = String;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, String> {
        let selector = match expr {
            Expr::VectorSelector(selector) => selector,
            Expr::MatrixSelector(matrix) => &matrix.vs,
            _ => return Ok(true),
        };
        let name = selector
            .name
            .clone()
            .ok_or("a selector without a metric's name")?;
        self.0.insert(name);
        Ok(true)
    }
}

/// The series that a query selects, or why it is no query.
fn selected(query: &str) -> Result<BTreeSet<String>, String> {
    let expr = parser::parse(query)?;
    let mut selected = Selected::default();
    walk_expr(&mut selected, &expr)?;
    Ok(selected.0)
}

/// What is wrong with queries that may name migwatch's own series and `others`: a line a finding.
fn wrong_queries(queries: &[(String, String)], others: &[&str]) -> Vec<String> {
    let faults = |(place, query): &(String, String)| match selected(query) {
        Ok(names) if names.is_empty() => vec![format!("{place}: selects no series: {query}")],
        Ok(names) => {
            let unknown = names
                .iter()
                .filter(|name| !exists(name) && !others.contains(&name.as_str()));
            unknown
                .map(|name| format!("{place}: there is no metric `{name}`"))
                .collect()
        }
        Err(error) => vec![format!("{place}: {error}: {query}")],
    };
    queries.iter().flat_map(faults).collect()
}

/// Whether migwatch serves a series of that name; a histogram's are named after its parts.
fn exists(series: &str) -> bool {
    let is_named = |name: &str| NAMES.iter().any(|(known, ..)| *known == name);
    let parts = ["_bucket", "_sum", "_count"]
        .iter()
        .filter_map(|part| series.strip_suffix(part));
    is_named(series) || parts.filter(|family| family.ends_with("_seconds")).any(is_named)
}

#[test]
fn a_planted_wrong_query_is_found() {
    let wrong = |query: &str| wrong_queries(&[("here".to_owned(), query.to_owned())], &["up"]).len();
    assert_eq!(wrong("sum(rate(migwatch_no_such_total[1m]))"), 1);
    assert_eq!(wrong("sum(migwatch_service_up"), 1);
    assert_eq!(wrong("vector(0)"), 1);
    assert_eq!(wrong("{project=\"x\"}"), 1);
    assert_eq!(wrong("migwatch_service_up_bucket"), 1);
    assert_eq!(
        wrong("(migwatch_service_up > 0 or up) + on () rate(migwatch_detection_seconds_bucket[5m])"),
        0
    );
}
