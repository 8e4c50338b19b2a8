//! From a host and a port to a connection.
//!
//! Promises that a host with several addresses gets each of them tried, and that one that swallows packets does not use up the
//! time of the others. Refuses to know what the connection is for.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::target::authority;
use super::trace::{Trace, fail};
use crate::model::probe::{FailureReason, Phase, ProbeFailure};

/// At most so many addresses of a name are tried: more would leave each too little time.
const ADDRESSES: usize = 8;

/// A connection to `host` (a name, or an address with or without brackets), within `budget`.
pub(super) async fn connect(
    host: &str,
    port: u16,
    budget: Duration,
    trace: &mut Trace,
) -> Result<TcpStream, ProbeFailure> {
    let addresses = resolve(host, port, trace).await?;
    trace.begin(Phase::Connect);
    let share = budget / u32::try_from(addresses.len()).unwrap_or(1).max(1);
    let mut failure = None;
    for address in addresses {
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                trace.end();
                return Ok(stream);
            }
            Ok(Err(error)) => failure = Some(refused(host, address, &error)),
            Err(_) => failure = Some(silent(host, address, share)),
        }
    }
    Err(failure.unwrap_or_else(|| fail(FailureReason::Dns, format!("the name {host} has no address"))))
}

async fn resolve(host: &str, port: u16, trace: &mut Trace) -> Result<Vec<SocketAddr>, ProbeFailure> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    trace.begin(Phase::Resolve);
    let found = lookup_host((host, port)).await;
    trace.end();
    match found {
        Ok(addresses) => Ok(addresses.take(ADDRESSES).collect()),
        Err(error) => Err(fail(
            FailureReason::Dns,
            format!("cannot resolve the name {host}: {error}"),
        )),
    }
}

fn refused(host: &str, address: SocketAddr, error: &io::Error) -> ProbeFailure {
    let why = match error.kind() {
        io::ErrorKind::ConnectionRefused => "nothing listens there (connection refused)".to_owned(),
        _ => error.to_string(),
    };
    fail(
        FailureReason::Connect,
        format!("cannot connect to {}: {why}", named(host, address)),
    )
}

fn silent(host: &str, address: SocketAddr, share: Duration) -> ProbeFailure {
    fail(
        FailureReason::Timeout,
        format!(
            "{} did not accept a connection within {share:?}",
            named(host, address)
        ),
    )
}

/// `db:3306 (172.18.0.2)`, or just the address.
fn named(host: &str, address: SocketAddr) -> String {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if bare.parse::<IpAddr>().is_ok() {
        address.to_string()
    } else {
        format!("{} ({})", authority(host, address.port()), address.ip())
    }
}
