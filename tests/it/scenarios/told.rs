//! What the receiver was told, in short words. Refuses to know what should have been told.

use serde_json::Value;

use crate::support::receiver::Received;

/// What was told of these projects and databases, in the order of the alphabet: `AlertName(service)`, and what became of it unless it
/// began to fire.
pub(crate) fn about(messages: &[Received], names: &[&str]) -> Vec<String> {
    let mut told: Vec<String> = messages
        .iter()
        .map(|message| &message.body)
        .filter(|body| is_about(body, names))
        .map(short)
        .collect();
    told.sort_unstable();
    told
}

/// Why, of each.
pub(crate) fn words(messages: &[Received], names: &[&str]) -> Vec<String> {
    let own = messages
        .iter()
        .map(|message| &message.body)
        .filter(|body| is_about(body, names));
    own.map(|body| body["alert"]["annotations"].to_string()).collect()
}

fn is_about(body: &Value, names: &[&str]) -> bool {
    let labels = &body["alert"]["labels"];
    let project = labels["project"].as_str().unwrap_or_default();
    let database = labels["database"].as_str().unwrap_or_default();
    let schema = database.rsplit('/').next().unwrap_or_default();
    names
        .iter()
        .any(|name| !name.is_empty() && (*name == project || *name == schema))
}

fn short(body: &Value) -> String {
    let alert = &body["alert"];
    let name = alert["name"].as_str().unwrap_or_default();
    let whose = alert["labels"]["service"].as_str().unwrap_or("its database");
    match body["phase"].as_str() {
        Some("firing") => format!("{name}({whose})"),
        phase => format!("{name}({whose}) {}", phase.unwrap_or("in no phase")),
    }
}

/// What failed is told at once; where the schema shows a moment later that a half stayed, that is told in its place.
pub(crate) fn forget_what_was_corrected(told: &mut Vec<String>) {
    if told.iter().any(|it| it == "MigrationHalfApplied(app)")
        && let Some(taken_back) = told.iter().position(|it| it == "MigrationFailed(app) resolved")
    {
        told.remove(taken_back);
        told.retain(|it| it != "MigrationFailed(app)");
    }
}

/// A command that took long because the machine is busy was taken as moving something, before it was known that it would not: that was
/// told although the row has no such alert, and taken back where nothing else came of it.
pub(crate) fn forget_what_was_presumed(told: &mut Vec<String>, wanted: &[String], count: usize) {
    for presumed in ["UnexpectedMigration(app) resolved", "UnexpectedMigration(app)"] {
        let has = |list: &[String]| list.iter().filter(|it| *it == presumed).count();
        for _ in 0..count.min(has(told).saturating_sub(has(wanted))) {
            if let Some(one) = told.iter().position(|it| it == presumed) {
                told.remove(one);
            }
        }
    }
}
