//! `migwatch deploy`: a migration is expected for as long as a command runs; then the database is asked what became of it.
//!
//! Promises that the command's output and its own failure pass untouched: what is said here goes to stderr. Promises not to run it
//! unwatched, unless that is asked for, and to say so where its approval may outlive it.

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

/// How long it is tried to end the approval, at the least: a migwatch that restarts is back by then.
const ENDING: Duration = Duration::from_secs(10);

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
    concluded(global, arguments, (socket, &approval), ran).await
}

/// What follows the command: its approval ends, and where it went well the database is asked.
async fn concluded(
    global: &Global,
    arguments: &Arguments,
    (socket, approval): (&Path, &Approval),
    ran: Result<u8, CliError>,
) -> Result<u8, CliError> {
    let now = Instant::now();
    let is_well = matches!(ran, Ok(GOOD));
    // After a failure nobody waits for the database.
    let patience = if is_well { arguments.timeout } else { ENDING };
    let ended = ended(socket, approval, now + patience.max(ENDING)).await;
    if let Err(unended) = &ended {
        output::aside(&unended.said(approval));
    }
    let code = ran?;
    if code != GOOD {
        output::aside(&format!("the command failed with exit code {code}"));
        return Ok(code);
    }
    if let Err(unended) = ended {
        output::aside("what became of the migration is not known");
        return Ok(unended.code());
    }
    let confirming = confirmed(socket, approval, now + arguments.timeout);
    let outlook = match command::uninterrupted(confirming).await {
        Ok(outlook) => outlook,
        Err(code) => {
            output::aside(
                "interrupted: nothing is confirmed; migwatch status and history tell what became of the migration",
            );
            return Ok(code);
        }
    };
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
    done.approval.ok_or_else(|| {
        ClientError::Refused(
            "migwatch named no approval: are daemon and command line of one version?".to_owned(),
        )
    })
}

/// Why an approval may still be open.
enum Unended {
    Untold(ClientError),
    /// With the exit code for the signal.
    Interrupted(u8),
}

impl Unended {
    fn said(&self, approval: &Approval) -> String {
        let why = match self {
            Self::Untold(error) => error.to_string(),
            Self::Interrupted(_) => "interrupted".to_owned(),
        };
        format!(
            "a migration of {} may still be expected, until {}; to end that: migwatch approve --revoke {} ({why})",
            approval.service,
            output::seconds(approval.until),
            approval.id
        )
    }

    fn code(&self) -> u8 {
        match self {
            Self::Untold(_) => UNREACHABLE,
            Self::Interrupted(code) => *code,
        }
    }
}

/// A migwatch that restarts just now is waited for: told twice is told once.
async fn ended(socket: &Path, approval: &Approval, until: Instant) -> Result<(), Unended> {
    let body = serde_json::json!({ "id": approval.id });
    let telling = async {
        loop {
            let told = client::post(socket, "/api/v1/approvals/end", &body);
            let slow = |_| ClientError::Slow {
                path: socket.to_owned(),
            };
            match tokio::time::timeout_at(until, told).await.map_err(slow).flatten() {
                Ok(_) => return Ok(()),
                Err(error) if error.is_unreachable() && Instant::now() < until => {
                    tokio::time::sleep(PACE).await;
                }
                Err(error) => return Err(error),
            }
        }
    };
    let told = command::uninterrupted(telling).await;
    told.map_err(Unended::Interrupted)?.map_err(Unended::Untold)
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
