//! `migwatch healthcheck`: for the container's HEALTHCHECK.

use hyper::Method;
use hyper::body::Bytes;

use super::{CliError, GOOD, Global, block_on, client};

pub(super) fn healthcheck(global: &Global) -> Result<u8, CliError> {
    let config = global.config()?;
    let socket = global.socket(&config);
    block_on(client::send(&socket, Method::GET, "/-/healthy", Bytes::new()))??;
    Ok(GOOD)
}
