//! One HTTP probe: ask, follow redirects if told to, judge the answer.
//!
//! Promises a fresh connection each time, a bounded amount of memory whatever is answered, and that headers and credentials
//! stay with the origin they were configured for. Refuses to know time limits: whoever calls cuts it off.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::LOCATION;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use url::Url;

use super::body::Body;
use super::request::request;
use super::target::{HttpAsk, shown};
use super::trace::{Trace, fail};
use super::{tcp, tls};
use crate::model::probe::{FailureReason, Phase, ProbeFailure};

/// So many redirects are followed: a chain that is longer is a loop.
const REDIRECTS: usize = 5;

/// The most that a status line and headers may take, in bytes.
const HEAD_LIMIT: usize = 64 * 1024;

/// One request on the way, the first or one that a redirect led to.
pub(super) struct Hop {
    /// Whom.
    pub(super) url: Url,
    /// How.
    pub(super) method: Method,
}

/// Where an exchange broke off.
enum Broken {
    Head(hyper::Error),
    Body(hyper::Error),
}

/// Asks as `ask` says; `Ok` means that all that was expected is there.
pub(super) async fn ask(
    ask: &HttpAsk,
    budget: Duration,
    tls: &Arc<rustls::ClientConfig>,
    trace: &mut Trace,
) -> Result<(), ProbeFailure> {
    let mut hop = Hop {
        url: ask.url.clone(),
        method: ask.method.clone(),
    };
    for _ in 0..=REDIRECTS {
        let (head, body) = reach(ask, &hop, budget, tls, trace).await?;
        match next_hop(ask, &hop, &head)? {
            Some(next) => hop = next,
            None => return judge(ask, &hop, head.status(), &body),
        }
    }
    let asked = shown(&ask.url);
    Err(fail(
        FailureReason::Status,
        format!(
            "{asked} redirected more than {REDIRECTS} times, last to {}",
            shown(&hop.url)
        ),
    ))
}

/// Connects for one hop and has its answer.
async fn reach(
    ask: &HttpAsk,
    hop: &Hop,
    budget: Duration,
    tls: &Arc<rustls::ClientConfig>,
    trace: &mut Trace,
) -> Result<(Response<()>, Body), ProbeFailure> {
    let request = request(ask, hop)?;
    let unusable = || {
        fail(
            FailureReason::Protocol,
            format!("{} is no http or https URL", shown(&hop.url)),
        )
    };
    let host = hop.url.host_str().ok_or_else(unusable)?;
    let port = hop.url.port_or_known_default().ok_or_else(unusable)?;
    let secure = match hop.url.scheme() {
        "http" => false,
        "https" => true,
        _ => return Err(unusable()),
    };
    let stream = tcp::connect(host, port, budget, trace).await?;
    let answer = if secure {
        let stream = tls::handshake(host, stream, tls, trace).await?;
        exchange(ask, request, stream, trace).await
    } else {
        exchange(ask, request, stream, trace).await
    };
    answer.map_err(|broken| explain(&shown(&hop.url), &broken))
}

/// Sends `request` over `stream`; reads the body where the status lets it matter.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    ask: &HttpAsk,
    request: Request<Empty<Bytes>>,
    stream: S,
    trace: &mut Trace,
) -> Result<(Response<()>, Body), Broken> {
    trace.begin(Phase::Response);
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_LIMIT)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(Broken::Head)?;
    let talk = async {
        let (head, body) = sender
            .send_request(request)
            .await
            .map_err(Broken::Head)?
            .into_parts();
        trace.end();
        let head = Response::from_parts(head, ());
        trace.http_status = Some(head.status().as_u16());
        if !expects(ask, head.status()) {
            return Ok((head, Body::default()));
        }
        trace.begin(Phase::Body);
        let body = read(body).await.map_err(Broken::Body)?;
        trace.end();
        Ok((head, body))
    };
    drive(connection, talk).await
}

/// Lets `connection` work until `talk` is over. The talk goes first, so that the request is there when the connection fails and
/// takes its error.
async fn drive<T>(connection: impl Future<Output = hyper::Result<()>>, talk: impl Future<Output = T>) -> T {
    tokio::pin!(connection, talk);
    tokio::select! {
        biased;
        said = &mut talk => return said,
        _ = &mut connection => {}
    }
    talk.await
}

async fn read(mut incoming: Incoming) -> Result<Body, hyper::Error> {
    let mut body = Body::default();
    while let Some(frame) = incoming.frame().await {
        if frame?.data_ref().is_some_and(|data| !body.take(data)) {
            break;
        }
    }
    Ok(body)
}

fn expects(ask: &HttpAsk, status: StatusCode) -> bool {
    if ask.expect_status.is_empty() {
        status.is_success()
    } else {
        ask.expect_status.contains(&status.as_u16())
    }
}

/// Where the answer sends us, if it does and we go.
fn next_hop(ask: &HttpAsk, hop: &Hop, head: &Response<()>) -> Result<Option<Hop>, ProbeFailure> {
    let moved = matches!(head.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let Some(location) = head
        .headers()
        .get(LOCATION)
        .filter(|_| ask.follow_redirects && moved)
    else {
        return Ok(None);
    };
    let nowhere = || {
        fail(
            FailureReason::Protocol,
            format!("{} redirects to what is no URL", shown(&hop.url)),
        )
    };
    let location = std::str::from_utf8(location.as_bytes()).map_err(|_| nowhere())?;
    let url = hop.url.join(location).map_err(|_| nowhere())?;
    // RFC 9110 section 15.4: 303 turns anything but HEAD into GET, and 301 and 302 do so to POST.
    let becomes_get = match head.status().as_u16() {
        303 => hop.method != Method::HEAD,
        301 | 302 => hop.method == Method::POST,
        _ => false,
    };
    let method = if becomes_get {
        Method::GET
    } else {
        hop.method.clone()
    };
    Ok(Some(Hop { url, method }))
}

/// Holds the last answer against what was expected.
fn judge(ask: &HttpAsk, hop: &Hop, status: StatusCode, body: &Body) -> Result<(), ProbeFailure> {
    let asked = shown(&hop.url);
    let code = status.as_u16();
    if !expects(ask, status) {
        let detail = format!(
            "{asked} answered {code}, expected {}",
            statuses(&ask.expect_status)
        );
        return Err(fail(FailureReason::Status, detail));
    }
    let pattern = ask
        .expect_body
        .as_ref()
        .map_or(Ok(()), |pattern| body.matches(pattern));
    let json = || {
        ask.expect_json
            .as_ref()
            .map_or(Ok(()), |expected| body.holds(expected))
    };
    pattern
        .and_then(|()| json())
        .map_err(|but| fail(FailureReason::Body, format!("{asked} answered {code}, but {but}")))
}

/// `2xx`, `200 or 204`, `200-399`.
fn statuses(expected: &[u16]) -> String {
    let mut sorted = expected.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let runs: Vec<String> = sorted
        .chunk_by(|a, b| a.checked_add(1) == Some(*b))
        .map(|run| match run {
            [first, _, .., last] => format!("{first}-{last}"),
            few => few.iter().map(u16::to_string).collect::<Vec<_>>().join(" or "),
        })
        .collect();
    if runs.is_empty() {
        "2xx".to_owned()
    } else {
        runs.join(" or ")
    }
}

/// A connection that ends without a word is as good as none; words that are no HTTP are the wrong protocol.
fn explain(asked: &str, broken: &Broken) -> ProbeFailure {
    let (error, reason, place) = match broken {
        Broken::Head(error) => (error, FailureReason::Connect, "before it answered"),
        Broken::Body(error) => (error, FailureReason::Protocol, "inside its answer"),
    };
    // A request that was called off says why in its cause.
    let deeper = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<hyper::Error>());
    let error = deeper.unwrap_or(error);
    let cause = std::error::Error::source(error);
    let said = cause.map(|cause| format!(" ({cause})")).unwrap_or_default();
    if error.is_incomplete_message()
        || error.is_closed()
        || error.is_canceled()
        || cause.is_some_and(is_hang_up)
    {
        fail(reason, format!("{asked} closed the connection {place}{said}"))
    } else {
        fail(
            FailureReason::Protocol,
            format!("{asked} does not speak HTTP as it should: {error}{said}"),
        )
    }
}

/// Whether the socket failed; hyper reports bad chunks as I/O errors too.
fn is_hang_up(cause: &(dyn std::error::Error + 'static)) -> bool {
    use std::io::ErrorKind::{InvalidData, InvalidInput};
    cause
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| !matches!(error.kind(), InvalidData | InvalidInput))
}

#[cfg(test)]
mod tests {
    use super::statuses;

    #[test]
    fn expected_statuses_are_said_shortly() {
        assert_eq!(statuses(&[]), "2xx");
        assert_eq!(statuses(&[200]), "200");
        assert_eq!(statuses(&[204, 200, 200]), "200 or 204");
        assert_eq!(statuses(&[200, 201, 401]), "200 or 201 or 401");
        assert_eq!(statuses(&(200..=399).collect::<Vec<_>>()), "200-399");
        assert_eq!(statuses(&[u16::MAX, 200]), "200 or 65535");
    }
}
