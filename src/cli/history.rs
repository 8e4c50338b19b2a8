//! `migwatch history`: migrations, newest first.

use clap::Args;

use super::{CliError, GOOD, Global, Output, block_on, client, output};
use crate::model::migration::Migration;
use crate::model::revision::Heads;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only this project, or PROJECT/SERVICE
    #[arg(value_name = "PROJECT[/SERVICE]")]
    of: Option<String>,
    /// How many at the most
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

pub(super) fn history(global: &Global, arguments: &Arguments) -> Result<u8, CliError> {
    let config = global.config()?;
    let socket = global.socket(&config);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", &arguments.limit.to_string());
    if let Some(of) = &arguments.of {
        let (project, service) = of
            .split_once('/')
            .map_or((of.as_str(), None), |(p, s)| (p, Some(s)));
        query.append_pair("project", project);
        if let Some(service) = service {
            query.append_pair("service", service);
        }
    }
    let path = format!("/api/v1/migrations?{}", query.finish());
    let migrations: Vec<Migration> = block_on(client::get(&socket, &path))??;
    if global.output == Output::Json {
        output::json(&migrations)?;
        return Ok(GOOD);
    }
    if migrations.is_empty() {
        output::line("no migrations yet");
    }
    let header = [
        "started",
        "service",
        "trigger",
        "verdict",
        "outcome",
        "evidence",
        "from -> to",
        "id",
        "why",
    ];
    output::table(&header, migrations.iter().map(row).collect());
    Ok(GOOD)
}

fn row(migration: &Migration) -> Vec<String> {
    let heads = |heads: Option<Heads>| heads.map_or_else(|| "?".to_owned(), |heads| heads.to_string());
    let span = if migration.steps.is_empty() && migration.movements.is_empty() {
        "-".to_owned()
    } else {
        format!("{} -> {}", heads(migration.from()), heads(migration.to()))
    };
    let verdict = if migration.history {
        "history".to_owned()
    } else {
        migration.judgement.verdict.as_str().to_owned()
    };
    let acknowledged = if migration.acknowledged.is_some() {
        " (acknowledged)"
    } else {
        ""
    };
    let why = match &migration.cause {
        Some(cause) => cause.message.clone(),
        None => migration.judgement.reason.clone(),
    };
    vec![
        output::seconds(migration.started_at),
        migration.service.to_string(),
        migration.trigger.as_str().to_owned(),
        format!("{verdict}{acknowledged}"),
        migration.outcome.as_str().to_owned(),
        migration.grade.as_str().to_owned(),
        span,
        migration.id.to_string(),
        why,
    ]
}
