//! `migwatch status`: what runs, what fires, where migwatch is blind. Exit 1 where something fires.

use super::{CliError, FINDING, GOOD, Global, Output, block_on, client, output};
use crate::model::alert::Alert;
use crate::model::status::{ServiceStatus, StandingWord, Status, TableCode};

pub(super) fn status(global: &Global) -> Result<u8, CliError> {
    let config = global.config()?;
    let socket = global.socket(&config);
    let status: Status = block_on(client::get(&socket, "/api/v1/status"))??;
    let firing: Vec<&Alert> = status
        .alerts
        .iter()
        .filter(|alert| alert.resolved.is_none())
        .collect();
    let code = if firing.is_empty() { GOOD } else { FINDING };
    if global.output == Output::Json {
        output::json(&status)?;
        return Ok(code);
    }
    engine(&status);
    output::table(
        &[
            "service",
            "condition",
            "armed",
            "last start",
            "policy",
            "version tables",
        ],
        status
            .services
            .iter()
            .map(|service| row(&status, service))
            .collect(),
    );
    for line in expected(&status) {
        output::line(&line);
    }
    for alert in firing {
        output::line(&format!(
            "\n{} ({}): {}",
            alert.name.as_str(),
            alert.severity.as_str(),
            alert.summary
        ));
        output::line(&format!("  {}", alert.description.replace('\n', "\n  ")));
        output::line(&format!("  close it with: {}", alert.ack_command()));
    }
    for warning in &status.watcher.warnings {
        output::line(&format!("warning: {warning}"));
    }
    Ok(code)
}

/// What is expected now, one line each.
fn expected(status: &Status) -> Vec<String> {
    let windows = status.windows.iter().map(|window| {
        let services: Vec<String> = window.services.iter().map(ToString::to_string).collect();
        let until = output::seconds(window.until);
        format!(
            "expected until {until} by the window {}: {}",
            window.name,
            services.join(", ")
        )
    });
    let open = status.approvals.iter().filter(|record| record.is_open());
    let approvals = open.map(|record| {
        let approval = &record.approval;
        let to = approval
            .to
            .as_ref()
            .map(|to| format!(" to {to}"))
            .unwrap_or_default();
        format!(
            "expected until {}: {}{to}, approved by {} ({}): {}",
            output::seconds(approval.until),
            approval.service,
            approval.by,
            approval.id,
            approval.reason
        )
    });
    windows.chain(approvals).collect()
}

fn engine(status: &Status) {
    let engine = &status.engine;
    let version = engine.version.as_deref().unwrap_or("not yet reached");
    match &engine.problem {
        Some(problem) if !engine.up => {
            output::line(&format!("engine {} does not answer: {problem}", engine.endpoint));
        }
        _ => output::line(&format!("engine {} ({version})", engine.endpoint)),
    }
}

fn row(status: &Status, service: &ServiceStatus) -> Vec<String> {
    let armed = service.armed.as_ref().map_or("-", |armed| armed.state.as_str());
    let last_start = service
        .last_start
        .as_ref()
        .map_or("-", |start| if start.skipped { "skipped" } else { "ran" });
    let tables = service.tables.iter().map(|binding| {
        let database = status
            .databases
            .iter()
            .find(|known| known.database == binding.table.database);
        let standing = database.and_then(|database| database.tables.get(&binding.table.table));
        let standing = standing.map_or_else(|| "?".to_owned(), ToString::to_string);
        let code = service.code.iter().flat_map(|code| &code.tables);
        let code = code.filter(|code| code.table == binding.table).map(against_code);
        format!("{} = {standing}{}", binding.table.table, code.collect::<String>())
    });
    vec![
        service.service.to_string(),
        format!(
            "{}: {}",
            service.condition.word.as_str(),
            service.condition.detail
        ),
        armed.to_owned(),
        last_start.to_owned(),
        service
            .window
            .clone()
            .unwrap_or_else(|| service.policy.to_string()),
        tables.collect::<Vec<_>>().join("\n"),
    ]
}

/// How a table stands to the newest code of its service.
fn against_code(code: &TableCode) -> String {
    let destructive = code.pending.iter().filter(|pending| pending.destructive).count();
    match code.word {
        StandingWord::Behind if destructive > 0 => {
            format!(" ({} pending, {destructive} destructive)", code.pending.len())
        }
        StandingWord::Behind => format!(" ({} pending)", code.pending.len()),
        word => format!(" ({})", word.as_str()),
    }
}
