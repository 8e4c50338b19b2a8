//! `migwatch deploy`: a migration is expected for as long as a command runs; then the database is asked what became of it.
//!
//! Promises that the command's output and its own failure pass untouched: what is said here goes to stderr. Promises not to run it
//! unwatched, unless that is asked for.

mod command;
mod outcome;

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::time::Instant;

use super::approve::Wishes;
use super::client::ClientError;
use super::{CliError, FINDING, GOOD, Global, Output, UNREACHABLE, block_on, client, output, person};
use crate::model::approval::Approval;
use crate::model::status::Status;
use outcome::Outlook;

/// How often it is asked what became of the migration.
const PACE: Duration = Duration::from_millis(250);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Whose migration is expected
    #[arg(value_name = "PROJECT/SERVICE")]
    service: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    wishes: Wishes,
    /// The longest that the command may take: a migration that begins later is not expected; from 1m to 7days
    #[arg(long = "for", value_name = "DURATION", default_value = "1h")]
    lasts: String,
    /// How long the database is waited for after the command has ended
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = humantime::parse_duration)]
    timeout: Duration,
    /// What to do when migwatch cannot be reached
    #[arg(long, value_name = "WHAT", default_value = "refuse")]
    if_unreachable: IfUnreachable,
    /// Who deploys [default: $USER]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// The command, behind --
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum IfUnreachable {
    /// Do not run the command.
    Refuse,
    /// Run it all the same, unwatched.
    Run,
}

pub(super) fn deploy(global: &Global, arguments: &Arguments) -> Result<u8, CliError> {
    let config = global.config()?;
    let socket = global.socket(&config);
    block_on(carried_out(global, arguments, &socket))?
}

async fn carried_out(global: &Global, arguments: &Arguments, socket: &Path) -> Result<u8, CliError> {
    let approval = match opened(arguments, socket).await {
        Ok(approval) => approval,
        Err(error) if error.is_unreachable() && arguments.if_unreachable == IfUnreachable::Run => {
            output::aside(&format!("{error}"));
            output::aside("NOBODY WATCHES: the command runs all the same, as --if-unreachable=run asks");
            return command::run(&arguments.command).await;
        }
        Err(error) => return Err(error.into()),
    };
    output::aside(&format!(
        "a migration of {} is expected while the command runs, until {} at the latest ({})",
        approval.service,
        output::seconds(approval.until),
        approval.id
    ));
    let ran = command::run(&arguments.command).await;
    let until = Instant::now() + arguments.timeout;
    let ended = ended(socket, &approval, until).await;
    let code = ran?;
    if code != GOOD {
        output::aside(&format!(
            "the command failed with exit code {code}; nothing is expected any more"
        ));
        return Ok(code);
    }
    if let Err(error) = ended {
        output::aside(&format!("what became of the migration is not known: {error}"));
        return Ok(UNREACHABLE);
    }
    let outlook = confirmed(socket, &approval, until).await;
    output::aside(outlook.said());
    if global.output == Output::Json {
        output::json(
            &serde_json::json!({ "ok": outlook.is_good(), "found": outlook.said(), "approval": approval }),
        )?;
    }
    Ok(if outlook.is_good() { GOOD } else { FINDING })
}

async fn opened(arguments: &Arguments, socket: &Path) -> Result<Approval, ClientError> {
    let mut body = serde_json::json!({
        "service": arguments.service,
        "for": arguments.lasts,
        "reason": arguments.reason,
        "kind": "deploy",
        "by": person(arguments.by.as_deref()),
    });
    arguments.wishes.add_to(&mut body);
    let done = client::post(socket, "/api/v1/approvals", &body).await?;
    done.approval
        .ok_or_else(|| ClientError::Body("it named no approval".to_owned()))
}

/// A migwatch that restarts just now is waited for.
async fn ended(socket: &Path, approval: &Approval, until: Instant) -> Result<(), ClientError> {
    let body = serde_json::json!({ "id": approval.id });
    loop {
        match client::post(socket, "/api/v1/approvals/end", &body).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_unreachable() && Instant::now() < until => {
                tokio::time::sleep(PACE).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Asks until it is known what became of the migration, or the time is over.
async fn confirmed(socket: &Path, approval: &Approval, until: Instant) -> Outlook {
    let began = Instant::now();
    loop {
        let outlook = match client::get::<Status>(socket, "/api/v1/status").await {
            Ok(status) => outcome::of(&status, approval, began.elapsed()),
            Err(error) => Outlook::Open(error.to_string()),
        };
        if !matches!(outlook, Outlook::Open(_)) || Instant::now() >= until {
            return outlook;
        }
        tokio::time::sleep(PACE).await;
    }
}
