//! `migwatch approve`: one migration of a service is expected for a while. Also lists approvals and takes them back.

use clap::Args;

use super::{CliError, GOOD, Global, Output, block_on, client, output, person};
use crate::model::approval::ApprovalRecord;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Whose migration is expected
    #[arg(value_name = "PROJECT/SERVICE", required_unless_present_any = ["list", "revoke"])]
    service: Option<String>,
    /// For how long, as in 30m; from 1m to 7days
    #[arg(long = "for", value_name = "DURATION", required_unless_present_any = ["list", "revoke"])]
    lasts: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT", required_unless_present_any = ["list", "revoke"])]
    reason: Option<String>,
    #[command(flatten)]
    wishes: Wishes,
    /// Who approves it, or takes it back [default: $USER]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Show the approvals that are open, or were lately
    #[arg(long, conflicts_with_all = ["service", "revoke"])]
    list: bool,
    /// Take an approval back
    #[arg(long, value_name = "ID", conflicts_with = "service")]
    revoke: Option<String>,
}

/// What an approval is limited to.
#[derive(Debug, Args)]
pub(super) struct Wishes {
    /// The one revision that may be reached: going on from it, or ending elsewhere, is not covered
    #[arg(long, value_name = "REVISION")]
    to: Option<String>,
    /// What may set it off, as `exec,one_off`; all are `startup`, `one_off`, `hook`, `exec`, `process`, `out_of_band` [default: all]
    #[arg(long, value_name = "TRIGGERS", value_delimiter = ',')]
    triggers: Vec<String>,
    /// The database may be replaced as well: a backup is put back, or all begins anew
    #[arg(long)]
    restore: bool,
}

impl Wishes {
    /// Adds them to a request.
    pub(super) fn add_to(&self, body: &mut serde_json::Value) {
        body["triggers"] = self.triggers.clone().into();
        body["restore"] = self.restore.into();
        if let Some(to) = &self.to {
            body["to"] = to.clone().into();
        }
    }
}

pub(super) fn approve(global: &Global, arguments: &Arguments) -> Result<u8, CliError> {
    let config = global.config()?;
    let socket = global.socket(&config);
    if arguments.list {
        let records: Vec<ApprovalRecord> = block_on(client::get(&socket, "/api/v1/approvals"))??;
        return list(global, &records);
    }
    let by = person(arguments.by.as_deref());
    if let Some(id) = &arguments.revoke {
        let body = serde_json::json!({ "id": id, "by": by });
        let done = block_on(client::post(&socket, "/api/v1/approvals/revoke", &body))??;
        output::line(&done.message);
        return Ok(GOOD);
    }
    let mut body = serde_json::json!({
        "service": arguments.service,
        "for": arguments.lasts,
        "reason": arguments.reason,
        "by": by,
    });
    arguments.wishes.add_to(&mut body);
    let done = block_on(client::post(&socket, "/api/v1/approvals", &body))??;
    match (&done.approval, global.output) {
        (Some(approval), Output::Json) => output::json(approval)?,
        _ => output::line(&done.message),
    }
    Ok(GOOD)
}

fn list(global: &Global, records: &[ApprovalRecord]) -> Result<u8, CliError> {
    if global.output == Output::Json {
        output::json(&records)?;
        return Ok(GOOD);
    }
    if records.is_empty() {
        output::line("no approvals yet");
    }
    let header = [
        "id", "service", "state", "from", "until", "covers", "used by", "by", "why",
    ];
    output::table(&header, records.iter().map(row).collect());
    Ok(GOOD)
}

fn row(record: &ApprovalRecord) -> Vec<String> {
    let approval = &record.approval;
    let state = record
        .ended
        .as_ref()
        .map_or_else(|| "open".to_owned(), |ended| ended.why.to_string());
    let to = approval.to.as_ref().map(|to| format!("to {to}"));
    let triggers: Vec<&str> = approval.triggers.iter().map(|trigger| trigger.as_str()).collect();
    let triggers = (!triggers.is_empty()).then(|| triggers.join(", "));
    let restore = approval.restore.then(|| "restore".to_owned());
    let covers: Vec<String> = to.into_iter().chain(triggers).chain(restore).collect();
    let covers = if covers.is_empty() {
        "any".to_owned()
    } else {
        covers.join("; ")
    };
    let used_by: Vec<String> = record.used_by.iter().map(ToString::to_string).collect();
    vec![
        approval.id.to_string(),
        approval.service.to_string(),
        state,
        output::seconds(approval.from),
        output::seconds(approval.until),
        covers,
        if used_by.is_empty() {
            "-".to_owned()
        } else {
            used_by.join("\n")
        },
        approval.by.clone(),
        approval.reason.clone(),
    ]
}
