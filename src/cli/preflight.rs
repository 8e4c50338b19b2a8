//! `migwatch preflight`: the checklist before a deploy. Exit 0 if nothing stands in its way, 1 if something does.

mod backup;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::plan::{self, Whose};
use super::{CliError, FINDING, GOOD, Global, Output, block_on, client, output};
use crate::judge::preflight::planned;
use crate::model::preflight::{Check, CheckName, CheckResult};
use crate::model::revision::Revision;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    whose: Whose,
    /// The backup: a file, or a folder whose newest file counts
    #[arg(long, value_name = "PATH", conflicts_with = "backup_command")]
    backup: Option<PathBuf>,
    /// The most that the backup may be old
    #[arg(long, value_name = "AGE", default_value = "24h", value_parser = humantime::parse_duration)]
    backup_max_age: Duration,
    /// The least that the backup must hold, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1)]
    backup_min_size: u64,
    /// A command that ends with exit code 0 if there is a good backup (run by `sh -c`)
    #[arg(long, value_name = "COMMAND")]
    backup_command: Option<String>,
    /// A revision that was reviewed and may do what is destructive or cannot be read; may be given several times
    #[arg(long, value_name = "REVISION")]
    allow_destructive: Vec<String>,
    /// The project in which the pending revisions must have been applied before
    #[arg(long, value_name = "PROJECT")]
    rehearsed_in: Option<String>,
}

pub(super) fn preflight(global: &Global, arguments: &Arguments) -> Result<u8, CliError> {
    let name = arguments.whose.service.as_deref().ok_or_else(|| {
        CliError::Usage("say which service is to be deployed: migwatch preflight SERVICE".to_owned())
    })?;
    let service = plan::service_of(global, name)?;
    let plans = plan::plans(global, &arguments.whose)?;
    let backup = backup::check(arguments);
    let allowed: BTreeSet<Revision> = arguments
        .allow_destructive
        .iter()
        .cloned()
        .map(Revision)
        .collect();
    let is_backed_up = backup.result == CheckResult::Pass;
    let mut checks = vec![backup];
    checks.extend(planned::checks(&plans, &allowed, is_backed_up));
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("service", &service.to_string());
    if let Some(project) = &arguments.rehearsed_in {
        query.append_pair("rehearsed_in", project);
    }
    for revision in planned::revisions(&plans) {
        query.append_pair("revision", &revision.0);
    }
    let path = format!("/api/v1/preflight?{}", query.finish());
    let socket = global.socket(&global.config()?);
    let known: Vec<Check> = block_on(client::get(&socket, &path))??;
    checks.extend(known);
    checks.sort_by_key(|check| CheckName::ALL.iter().position(|name| *name == check.name));
    let is_clear = !checks.iter().any(Check::is_obstacle);
    match global.output {
        Output::Json => output::json(&serde_json::json!({
            "service": service,
            "ready": is_clear,
            "checks": checks,
        }))?,
        Output::Markdown => output::line(&markdown(&checks, &service.to_string(), is_clear)),
        Output::Table => {
            for check in &checks {
                output::line(&text(check));
            }
            output::line(&verdict(&service.to_string(), is_clear, &checks));
        }
    }
    Ok(if is_clear { GOOD } else { FINDING })
}

/// A line of the list, with its details below it.
fn text(check: &Check) -> String {
    let mark = match check.result {
        CheckResult::Pass => "[x]",
        CheckResult::Fail => "[!]",
        CheckResult::CannotTell => "[?]",
    };
    let mut lines = vec![format!(
        "{mark} {:<10} {:<12} {}",
        check.name.as_str(),
        check.result.as_str(),
        check.reason
    )];
    lines.extend(check.details.iter().map(|detail| format!("{:27} - {detail}", "")));
    lines.join("\n")
}

fn markdown(checks: &[Check], service: &str, is_clear: bool) -> String {
    let mut lines = Vec::new();
    for check in checks {
        let mark = if check.result == CheckResult::Pass {
            "x"
        } else {
            " "
        };
        let result = check.result.as_str();
        lines.push(format!(
            "- [{mark}] **{}** ({result}): {}",
            check.name.as_str(),
            plan::escaped(&check.reason)
        ));
        lines.extend(
            check
                .details
                .iter()
                .map(|detail| format!("  - {}", plan::escaped(detail))),
        );
    }
    lines.push(String::new());
    lines.push(verdict(service, is_clear, checks));
    lines.join("\n")
}

fn verdict(service: &str, is_clear: bool, checks: &[Check]) -> String {
    let unasked: Vec<&str> = checks
        .iter()
        .filter(|check| check.unasked)
        .map(|check| check.name.as_str())
        .collect();
    let left = if unasked.is_empty() {
        String::new()
    } else {
        format!(" (not asked for: {})", unasked.join(", "))
    };
    if is_clear {
        return format!("{service}: nothing known stands in the way{left}");
    }
    let against: Vec<&str> = checks
        .iter()
        .filter(|check| check.is_obstacle())
        .map(|check| check.name.as_str())
        .collect();
    format!("{service}: not ready: {}{left}", against.join(", "))
}
