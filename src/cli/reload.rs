//! `migwatch reload`: the running daemon reads its configuration again.
//!
//! The image has no shell that could send a signal, and `docker kill -s HUP` makes the engine take the container for stopped by hand: it is
//! not started any more when the host comes up again (moby#41302).

use super::{CliError, GOOD, Global, block_on, client, output};

pub(super) fn reload(global: &Global) -> Result<u8, CliError> {
    let socket = global.socket(&global.config()?);
    let done = block_on(client::post(&socket, "/-/reload", &serde_json::json!({})))??;
    output::line(&done.message);
    Ok(GOOD)
}
