//! One GET over the engine's wire, with its body as a stream.
//!
//! Promises that nothing waits for ever for a connection or for response headers, that a refusal carries the engine's own
//! words, and that a body costs one bounded buffer and no task: whoever reads the body moves the connection along.
//! Refuses to know what is asked for and what the bodies mean.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustix::net::sockopt;
use rustls_pki_types::{InvalidDnsNameError, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::endpoint::Endpoint;

/// A local socket answers in microseconds and a remote one within a few round trips.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The engine sends the headers of every GET, streams too, before the first byte of the body is there; a busy engine was seen
/// to need a quarter of a second.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);

/// Between two frames of a body that is read as a whole.
const FRAME_TIMEOUT: Duration = Duration::from_secs(15);

/// A stream without news is silent for hours, as is one whose other end has gone without a word: the kernel asks after so much silence, ...
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// ... again after this, ...
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// ... and gives the connection up after so many questions without an answer.
const KEEPALIVE_PROBES: u32 = 3;

/// What a connection may buffer: several of the engine's largest log frames (16 KiB). It bounds the memory of a log stream.
const BUFFER: usize = 64 * 1024;

/// An engine's refusal is one sentence in JSON; more than this is not read.
const LONGEST_REFUSAL: usize = 4 * 1024;

/// What can go wrong between us and the engine.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    /// No connection.
    #[error("cannot connect to the engine at {endpoint}; is it running, and may this user open it?")]
    Connect {
        /// Where, without secrets.
        endpoint: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The host of a TLS endpoint is no name that a certificate could carry.
    #[error("{host:?} is no host name for TLS; correct the engine's host")]
    ServerName {
        /// The host as configured.
        host: String,
        /// Why.
        #[source]
        source: InvalidDnsNameError,
    },
    /// The path is no path.
    #[error("{path:?} cannot be asked of the engine")]
    Path {
        /// The path and query.
        path: String,
        /// Why.
        #[source]
        source: hyper::http::Error,
    },
    /// The connection broke, or what came was not HTTP.
    #[error("the engine at {endpoint} broke off while answering {path}")]
    Broken {
        /// Where, without secrets.
        endpoint: String,
        /// The path and query.
        path: String,
        /// Why.
        #[source]
        source: hyper::Error,
    },
    /// Nothing came in time.
    #[error("the engine at {endpoint} did not answer within {} s: {path}", after.as_secs())]
    Silent {
        /// Where, without secrets.
        endpoint: String,
        /// The path and query, or `connect`.
        path: String,
        /// How long was waited.
        after: Duration,
    },
    /// The engine answered with another status than success.
    #[error("the engine refused {path} with status {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The engine's own sentence.
        message: String,
        /// The path and query.
        path: String,
    },
    /// A body that should have been short was not.
    #[error("the engine's answer to {path} is longer than {limit} bytes")]
    TooLong {
        /// The path and query.
        path: String,
        /// The most that was to be read.
        limit: usize,
    },
}

impl WireError {
    /// The HTTP status of a refusal.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The sentence with its causes, for a place that has no room for a chain.
    pub(crate) fn sentence(&self) -> String {
        let mut sentence = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            sentence.push_str(": ");
            sentence.push_str(&error.to_string());
            cause = error.source();
        }
        sentence
    }
}

/// Asks the engine for `path_and_query` and returns once the headers of a success are there; the body streams.
///
/// # Errors
/// No connection, no answer in time, no HTTP, or any status that is no success, with the engine's message.
pub(crate) async fn get(endpoint: &Endpoint, path_and_query: &str) -> Result<Response<Body>, WireError> {
    send(endpoint, &Question::get(path_and_query)).await
}

/// What is asked of the engine: a GET, but where a person asked for more.
pub(crate) struct Question<'a> {
    /// The method.
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: &'a str,
    /// JSON; empty for none.
    pub(crate) body: Bytes,
}

impl<'a> Question<'a> {
    fn get(path: &'a str) -> Self {
        Self {
            method: Method::GET,
            path,
            body: Bytes::new(),
        }
    }
}

/// Asks, as [`get`] does.
///
/// # Errors
/// The same as [`get`].
pub(crate) async fn send(endpoint: &Endpoint, question: &Question<'_>) -> Result<Response<Body>, WireError> {
    match endpoint {
        Endpoint::Unix(path) => {
            let socket = connected(endpoint, UnixStream::connect(path)).await?;
            ask(endpoint, socket, "docker", question).await
        }
        Endpoint::Tcp { host, port } => {
            let socket = connected(endpoint, tcp(host, *port)).await?;
            ask(endpoint, socket, &format!("{host}:{port}"), question).await
        }
        Endpoint::Tls { host, port, client } => {
            let name = ServerName::try_from(host.clone()).map_err(|source| WireError::ServerName {
                host: host.clone(),
                source,
            })?;
            let connector = tokio_rustls::TlsConnector::from(client.clone());
            let handshake = async { connector.connect(name, tcp(host, *port).await?).await };
            let socket = connected(endpoint, handshake).await?;
            ask(endpoint, socket, &format!("{host}:{port}"), question).await
        }
    }
}

/// Reads a whole body of at most `limit` bytes.
///
/// # Errors
/// The same as [`get`], and a body that is too long or stops coming.
pub(crate) async fn get_whole(
    endpoint: &Endpoint,
    path_and_query: &str,
    limit: usize,
) -> Result<Bytes, WireError> {
    let mut body = get(endpoint, path_and_query).await?.into_body();
    let mut whole = BytesMut::new();
    let silent = |_| silence(endpoint, path_and_query, FRAME_TIMEOUT);
    while let Some(frame) = timeout(FRAME_TIMEOUT, body.frame()).await.map_err(silent)? {
        let frame = frame.map_err(|source| broken(endpoint, path_and_query, source))?;
        if let Ok(data) = frame.into_data() {
            if whole.len().saturating_add(data.len()) > limit {
                return Err(WireError::TooLong {
                    path: path_and_query.to_owned(),
                    limit,
                });
            }
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole.freeze())
}

async fn tcp(host: &str, port: u16) -> std::io::Result<TcpStream> {
    let socket = TcpStream::connect((host, port)).await?;
    socket.set_nodelay(true)?;
    sockopt::set_socket_keepalive(&socket, true)?;
    sockopt::set_tcp_keepidle(&socket, KEEPALIVE_IDLE)?;
    sockopt::set_tcp_keepintvl(&socket, KEEPALIVE_INTERVAL)?;
    sockopt::set_tcp_keepcnt(&socket, KEEPALIVE_PROBES)?;
    Ok(socket)
}

async fn connected<S>(
    endpoint: &Endpoint,
    connecting: impl Future<Output = std::io::Result<S>>,
) -> Result<S, WireError> {
    timeout(CONNECT_TIMEOUT, connecting)
        .await
        .map_err(|_| silence(endpoint, "connect", CONNECT_TIMEOUT))?
        .map_err(|source| WireError::Connect {
            endpoint: endpoint.to_string(),
            source,
        })
}

async fn ask<S>(
    endpoint: &Endpoint,
    socket: S,
    host: &str,
    question: &Question<'_>,
) -> Result<Response<Body>, WireError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let path = question.path;
    let exchange = async {
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(BUFFER)
            .handshake::<_, Full<Bytes>>(TokioIo::new(socket))
            .await
            .map_err(|source| broken(endpoint, path, source))?;
        let mut connection: Connection = Box::pin(connection);
        let answer = sender.send_request(request(host, question)?);
        let answer = alongside(&mut connection, answer).await;
        let (head, incoming) = answer
            .map_err(|source| broken(endpoint, path, source))?
            .into_parts();
        let response = Response::from_parts(
            head,
            Body {
                incoming,
                connection: Some(connection),
            },
        );
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(refusal(response, path).await)
        }
    };
    timeout(HEADER_TIMEOUT, exchange)
        .await
        .map_err(|_| silence(endpoint, path, HEADER_TIMEOUT))?
}

fn request(host: &str, question: &Question<'_>) -> Result<Request<Full<Bytes>>, WireError> {
    let wrong = |source| WireError::Path {
        path: question.path.to_owned(),
        source,
    };
    let uri = question
        .path
        .parse::<Uri>()
        .map_err(|error| wrong(error.into()))?;
    let host = HeaderValue::from_str(host).map_err(|error| wrong(error.into()))?;
    let mut request = Request::builder()
        .method(&question.method)
        .uri(uri)
        .header(HOST, host);
    if !question.body.is_empty() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    request.body(Full::new(question.body.clone())).map_err(wrong)
}

/// Drives the connection until `answer` is there. A connection that ends first has told `answer` so.
async fn alongside<A: Future>(connection: &mut Connection, answer: A) -> A::Output {
    let mut answer = std::pin::pin!(answer);
    let mut open = true;
    std::future::poll_fn(|context| {
        if open && connection.as_mut().poll(context).is_ready() {
            open = false;
        }
        answer.as_mut().poll(context)
    })
    .await
}

/// The engine's own sentence: `{"message": "..."}`, or plain text from proxies and from version refusals.
async fn refusal(response: Response<Body>, path: &str) -> WireError {
    let status = response.status().as_u16();
    let mut body = response.into_body();
    let mut text = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        if let Some(data) = frame.data_ref() {
            let room = LONGEST_REFUSAL.saturating_sub(text.len());
            text.extend(data.iter().take(room));
            if data.len() >= room {
                break;
            }
        }
    }
    let said = serde_json::from_slice::<serde_json::Value>(&text).ok();
    let said = said.as_ref().and_then(|json| json.get("message")?.as_str());
    let message = said.map_or_else(|| String::from_utf8_lossy(&text).trim().to_owned(), str::to_owned);
    WireError::Refused {
        status,
        message,
        path: path.to_owned(),
    }
}

fn silence(endpoint: &Endpoint, path: &str, after: Duration) -> WireError {
    WireError::Silent {
        endpoint: endpoint.to_string(),
        path: path.to_owned(),
        after,
    }
}

fn broken(endpoint: &Endpoint, path: &str, source: hyper::Error) -> WireError {
    WireError::Broken {
        endpoint: endpoint.to_string(),
        path: path.to_owned(),
        source,
    }
}

type Connection = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// A response's body together with the connection that it comes from. Polling the connection in the reader's own task
/// spares a wake across threads for every chunk, and the engine sends a chunk for every log line.
pub(crate) struct Body {
    incoming: Incoming,
    connection: Option<Connection>,
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(connection) = &mut self.connection
            && connection.as_mut().poll(context).is_ready()
        {
            // Its error, if any, also comes out of the body.
            self.connection = None;
        }
        Pin::new(&mut self.incoming).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

#[cfg(test)]
mod tests;
