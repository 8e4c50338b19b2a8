//! One GET on the engine with a streaming body, over its socket, TCP or TLS.
//!
//! Promises a time limit on everything up to the response's headers and an error body in the error. Refuses to know what is asked for.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::{Frame, Incoming};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::endpoint::Endpoint;

/// How long connecting and the response's headers may take. An inspect takes up to 240 ms while a container starts; a busy engine seconds.
const HEADERS: Duration = Duration::from_secs(30);
/// How much of an error's body is read into its message.
const ERROR_BODY: usize = 16 * 1024;
/// How long an error's body may take.
const ERROR_BODY_TIME: Duration = Duration::from_secs(5);

/// A request that got no good answer.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The engine cannot be reached. The message says what to do.
    #[error("{0}")]
    Connect(String),
    /// It accepted and then said nothing in time.
    #[error("{endpoint} did not answer GET {path} within {} s", HEADERS.as_secs())]
    Timeout {
        /// Where the engine is.
        endpoint: String,
        /// What was asked.
        path: String,
    },
    /// The talk broke off.
    #[error("GET {path} on {endpoint} broke off")]
    Http {
        /// Where the engine is.
        endpoint: String,
        /// What was asked.
        path: String,
        /// Why.
        #[source]
        source: hyper::Error,
    },
    /// The engine refused.
    #[error("the engine answered GET {path} with {status}: {message}")]
    Status {
        /// What was asked.
        path: String,
        /// Its status.
        status: StatusCode,
        /// Its own words.
        message: String,
    },
}

type Connection = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// A response's body that drives its own connection: no task of its own, and dropping it closes the connection.
pub(crate) struct Body {
    connection: Option<Connection>,
    incoming: Incoming,
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(connection) = self.connection.as_mut()
            && connection.as_mut().poll(context).is_ready()
        {
            self.connection = None; // what went wrong is also told by the body
        }
        Pin::new(&mut self.incoming).poll_frame(context)
    }
}

/// GETs `path_and_query`; a status other than 2xx is an error.
///
/// # Errors
/// When the engine cannot be reached, does not answer in time, or refuses.
pub(crate) async fn get(endpoint: &Endpoint, path_and_query: &str) -> Result<Response<Body>, WireError> {
    request(endpoint, "GET", path_and_query).await
}

/// As [`get`] with the method HEAD.
pub(crate) async fn request(
    endpoint: &Endpoint,
    method: &str,
    path_and_query: &str,
) -> Result<Response<Body>, WireError> {
    let answered = tokio::time::timeout(HEADERS, open(endpoint, method, path_and_query)).await;
    let timeout = |_| WireError::Timeout {
        endpoint: endpoint.to_string(),
        path: path_and_query.to_owned(),
    };
    let response = answered.map_err(timeout)??;
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status();
    let message = tokio::time::timeout(
        ERROR_BODY_TIME,
        Limited::new(response.into_body(), ERROR_BODY).collect(),
    )
    .await;
    let message = message
        .ok()
        .and_then(Result::ok)
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    Err(WireError::Status {
        path: path_and_query.to_owned(),
        status,
        message: words(&message),
    })
}

/// The engine wraps its sentence into `{"message": "..."}`.
fn words(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Message {
        message: String,
    }
    match serde_json::from_slice::<Message>(body) {
        Ok(message) => message.message,
        Err(_) => String::from_utf8_lossy(body).trim().to_owned(),
    }
}

async fn open(endpoint: &Endpoint, method: &str, path: &str) -> Result<Response<Body>, WireError> {
    let failed = |error: io::Error| WireError::Connect(endpoint.explain(&error));
    match endpoint {
        Endpoint::Unix(socket) => {
            let stream = tokio::net::UnixStream::connect(socket).await.map_err(failed)?;
            exchange(stream, endpoint, method, path).await
        }
        Endpoint::Tcp { host, port } => {
            let stream = tokio::net::TcpStream::connect((host.as_str(), *port))
                .await
                .map_err(failed)?;
            exchange(stream, endpoint, method, path).await
        }
        Endpoint::Tls { host, port, client } => {
            let stream = tokio::net::TcpStream::connect((host.as_str(), *port))
                .await
                .map_err(failed)?;
            let name = rustls_pki_types::ServerName::try_from(host.clone())
                .map_err(|error| failed(io::Error::other(error)))?;
            let stream = tokio_rustls::TlsConnector::from(client.clone())
                .connect(name, stream)
                .await
                .map_err(failed)?;
            exchange(stream, endpoint, method, path).await
        }
    }
}

async fn exchange<S>(
    stream: S,
    endpoint: &Endpoint,
    method: &str,
    path: &str,
) -> Result<Response<Body>, WireError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let broken = |source| WireError::Http {
        endpoint: endpoint.to_string(),
        path: path.to_owned(),
        source,
    };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let mut connection: Connection = Box::pin(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "docker")
        .body(Empty::<Bytes>::new());
    let request =
        request.map_err(|error| WireError::Connect(format!("cannot ask the engine for {path}: {error}")))?;
    let answer = sender.send_request(request);
    tokio::pin!(answer);
    let (response, connection) = tokio::select! {
        biased;
        response = &mut answer => (response, Some(connection)),
        _ = &mut connection => (answer.await, None),
    };
    Ok(response
        .map_err(broken)?
        .map(|incoming| Body { connection, incoming }))
}
