//! `migwatch ack ID`: a person closes an alert or a migration.

use clap::Args;
use hyper::Method;

use super::{CliError, GOOD, Global, block_on, client, output, person};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A migration's ID or an alert's fingerprint, as the alert shows it
    id: String,
    /// Why it can be closed
    #[arg(long, default_value = "")]
    note: String,
    /// Who closes it [default: $USER]
    #[arg(long)]
    by: Option<String>,
}

pub(super) fn ack(global: &Global, arguments: &Arguments) -> Result<u8, CliError> {
    let config = global.config()?;
    let socket = global.socket(&config);
    let body = serde_json::json!({
        "id": arguments.id,
        "note": arguments.note,
        "by": person(arguments.by.as_deref()),
    });
    block_on(client::send(
        &socket,
        Method::POST,
        "/api/v1/ack",
        body.to_string().into(),
    ))??;
    output::line(&format!("{} is acknowledged", arguments.id));
    Ok(GOOD)
}
