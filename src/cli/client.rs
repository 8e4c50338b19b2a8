//! Talks to the running daemon over its unix socket.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use crate::http::Done;

/// How long the daemon may take to answer: it may have code to read first.
const ANSWER: Duration = Duration::from_secs(30);

/// The largest answer: a thousand migrations with all their steps.
const LARGEST: usize = 64 * 1024 * 1024;

/// Why the daemon did not answer as hoped.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    #[error(
        "cannot reach migwatch at {}: is it running with this data folder (--data.dir), and are you its user?",
        .path.display()
    )]
    Connect {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("migwatch at {} did not answer in time", .path.display())]
    Slow { path: PathBuf },
    #[error("migwatch answered nothing that can be read")]
    Http(#[source] hyper::Error),
    #[error("migwatch answered nothing that can be read: {0}")]
    Body(String),
    /// It ends just now, or is too busy: another try may find one that answers.
    #[error("{0}")]
    Unable(String),
    #[error("{0}")]
    Refused(String),
    #[error(
        "migwatch answered with JSON that this version does not know: are daemon and command line of one version?"
    )]
    Json(#[source] serde_json::Error),
}

impl ClientError {
    /// Whether nobody answered who could, rather than something that was not hoped for.
    pub(super) fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Self::Connect { .. } | Self::Slow { .. } | Self::Http(_) | Self::Body(_) | Self::Unable(_)
        )
    }
}

/// Asks for a value.
pub(super) async fn get<T: DeserializeOwned>(socket: &Path, path: &str) -> Result<T, ClientError> {
    let body = send(socket, Method::GET, path, Bytes::new()).await?;
    serde_json::from_slice(&body).map_err(ClientError::Json)
}

/// Sends a command; gives what it did.
pub(super) async fn post(socket: &Path, path: &str, body: &serde_json::Value) -> Result<Done, ClientError> {
    let answer = send(socket, Method::POST, path, body.to_string().into()).await?;
    serde_json::from_slice(&answer).map_err(ClientError::Json)
}

/// Sends a body; gives the answer's text.
pub(super) async fn send(
    socket: &Path,
    method: Method,
    path: &str,
    body: Bytes,
) -> Result<Bytes, ClientError> {
    let exchange = exchange(socket, method, path, body);
    let slow = |_| ClientError::Slow {
        path: socket.to_owned(),
    };
    let (status, body) = tokio::time::timeout(ANSWER, exchange).await.map_err(slow)??;
    if status.is_success() {
        return Ok(body);
    }
    let said = serde_json::from_slice::<serde_json::Value>(&body).ok();
    let error = said
        .as_ref()
        .and_then(|said| said.get("error"))
        .and_then(|error| error.as_str());
    let sentence = error.map_or_else(|| format!("migwatch answered {status}"), str::to_owned);
    Err(match status {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => ClientError::Unable(sentence),
        _ => ClientError::Refused(sentence),
    })
}

async fn exchange(
    socket: &Path,
    method: Method,
    path: &str,
    body: Bytes,
) -> Result<(StatusCode, Bytes), ClientError> {
    let stream = UnixStream::connect(socket)
        .await
        .map_err(|source| ClientError::Connect {
            path: socket.to_owned(),
            source,
        })?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(ClientError::Http)?;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "migwatch")
        .body(Full::new(body));
    let request = request.map_err(|error| ClientError::Body(error.to_string()))?;
    let talk = async {
        let response = sender.send_request(request).await.map_err(ClientError::Http)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LARGEST).collect().await;
        let body = body.map_err(|error| ClientError::Body(error.to_string()))?;
        Ok((status, body.to_bytes()))
    };
    tokio::pin!(talk, connection);
    // The connection has to be driven for the talk to go on; it may end first.
    tokio::select! {
        done = &mut talk => done,
        ended = &mut connection => {
            ended.map_err(ClientError::Http)?;
            talk.await
        }
    }
}
