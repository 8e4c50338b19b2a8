//! `migwatch check`: the configuration, the engine's socket, each database and each endpoint, with what to do.

use serde::Serialize;

use super::{CliError, FINDING, GOOD, Global, Output, block_on, endpoint, output};
use crate::config::Config;
use crate::daemon::clock::SystemClock;
use crate::daemon::logging::with_causes;
use crate::daemon::{look, tls};
use crate::{database, docker, files, probe};

/// One thing that was tried.
#[derive(Serialize)]
struct Finding {
    ok: bool,
    what: String,
    found: String,
}

pub(super) fn check(global: &Global) -> Result<u8, CliError> {
    let config = global.config()?;
    let mut findings = vec![Finding {
        ok: true,
        what: "configuration".to_owned(),
        found: configuration(global),
    }];
    findings.extend(config.processes.iter().map(try_process));
    findings.extend(block_on(tried(&config))?);
    let code = if findings.iter().all(|finding| finding.ok) {
        GOOD
    } else {
        FINDING
    };
    if global.output == Output::Json {
        output::json(&findings)?;
        return Ok(code);
    }
    let row = |finding: &Finding| {
        let mark = if finding.ok { "ok" } else { "PROBLEM" };
        vec![mark.to_owned(), finding.what.clone(), finding.found.clone()]
    };
    output::table(&["", "what", "found"], findings.iter().map(row).collect());
    Ok(code)
}

fn configuration(global: &Global) -> String {
    match global.config_file() {
        Some(file) => format!("{} is fine", file.display()),
        None => "none; the defaults watch the local engine".to_owned(),
    }
}

async fn tried(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    let endpoint = match endpoint(config) {
        Ok(endpoint) => endpoint,
        Err(error) => {
            findings.push(Finding {
                ok: false,
                what: "engine".to_owned(),
                found: error.to_string(),
            });
            return findings;
        }
    };
    let targets = match docker::check(&endpoint).await {
        Ok(info) => {
            let group = info
                .socket_group
                .map(|group| format!("; the socket's group is {group}"))
                .unwrap_or_default();
            let found = format!(
                "{}, API {}, {} compose containers{group}",
                info.version, info.api, info.containers
            );
            findings.push(Finding {
                ok: true,
                what: format!("engine {endpoint}"),
                found,
            });
            look::targets(config, endpoint).await
        }
        Err(error) => {
            let found = with_causes(&error);
            findings.push(Finding {
                ok: false,
                what: format!("engine {endpoint}"),
                found,
            });
            look::configured(config)
        }
    };
    for target in &targets.databases {
        findings.push(try_database(config, target).await);
    }
    for target in &targets.probes {
        findings.push(try_probe(target).await);
    }
    let warnings = targets.warnings.into_iter();
    findings.extend(warnings.map(|found| Finding {
        ok: false,
        what: "warning".to_owned(),
        found,
    }));
    findings
}

fn try_process(process: &files::Process) -> Finding {
    let tried = files::check(process);
    Finding {
        ok: tried.is_ok(),
        what: format!("log of {} ({})", process.id, process.log),
        found: tried.unwrap_or_else(|problem| problem),
    }
}

async fn try_database(config: &Config, target: &database::Target) -> Finding {
    let what = format!("database {}", target.id);
    match database::check(target, config.reading.timeout).await {
        Ok(tables) if tables.is_empty() => Finding {
            ok: true,
            what,
            found: "readable; no version table yet".to_owned(),
        },
        Ok(tables) => {
            let each = tables
                .iter()
                .map(|(table, standing)| format!("{table} = {standing}"));
            Finding {
                ok: true,
                what,
                found: each.collect::<Vec<_>>().join(", "),
            }
        }
        Err(problem) => Finding {
            ok: false,
            what,
            found: problem.detail,
        },
    }
}

async fn try_probe(target: &probe::Target) -> Finding {
    let what = format!(
        "probe {} of {} ({})",
        target.id.name,
        target.id.service,
        target.ask.shown()
    );
    let result = probe::probe_once(target, &tls::config(), &SystemClock).await;
    match result.failure {
        None => Finding {
            ok: true,
            what,
            found: "answers as expected".to_owned(),
        },
        Some(failure) => Finding {
            ok: false,
            what,
            found: failure.detail,
        },
    }
}
