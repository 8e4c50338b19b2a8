//! A receiver of notifications: a real HTTP server on loopback that records what it is sent.
//!
//! Promises to record a request before it answers it, so that whoever waits for an answer finds the request recorded. It can be
//! down (its port reserved, connections refused), refuse, and be slow.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use migwatch::model::time::Timestamp;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::clock::wall_clock;

/// How long a test waits for what must come; generous, since a busy machine is no failure.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// One recorded request.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: serde_json::Value,
    /// By this machine's clock.
    pub(crate) at: Timestamp,
}

impl Received {
    /// The message's idempotency key.
    pub(crate) fn key(&self) -> &str {
        self.headers
            .get("idempotency-key")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

/// How requests are answered from now on.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// At once, with this status, these headers and this body.
    With(u16, Vec<(&'static str, String)>, &'static str),
    /// Not before another answer is set.
    Hold,
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self::With(status, Vec::new(), "")
    }
}

/// A receiver that is up until it is dropped.
pub(crate) struct Receiver {
    address: SocketAddr,
    received: watch::Sender<Vec<Received>>,
    answer: watch::Sender<Answer>,
    _tasks: JoinSet<()>,
}

/// A receiver that is down: connections to its address are refused.
pub(crate) struct Down {
    address: SocketAddr,
    socket: TcpSocket,
}

impl Down {
    pub(crate) fn reserve() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        Self {
            address: socket.local_addr().expect("its address"),
            socket,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn up(self) -> Receiver {
        Receiver::serve(self.address, self.socket.listen(64).expect("it can listen"))
    }
}

impl Receiver {
    /// A receiver that answers 200.
    pub(crate) fn start() -> Self {
        Down::reserve().up()
    }

    fn serve(address: SocketAddr, listener: TcpListener) -> Self {
        let received = watch::Sender::new(Vec::new());
        let answer = watch::Sender::new(Answer::status(200));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, received.clone(), answer.clone()));
        Self {
            address,
            received,
            answer,
            _tasks: tasks,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers like this from now on; a held request is answered so too.
    pub(crate) fn answer(&self, answer: Answer) {
        self.answer.send_replace(answer);
    }

    /// All requests so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.borrow().clone()
    }

    /// Waits until `condition` holds of all requests so far, and gives them.
    pub(crate) async fn until(&self, what: &str, condition: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        let mut received = self.received.subscribe();
        let waited = tokio::time::timeout(PATIENCE, received.wait_for(|all| condition(all))).await;
        if let Ok(Ok(all)) = waited {
            return all.clone();
        }
        let so_far = self.received();
        assert!(condition(&so_far), "{what} never came; received: {so_far:#?}");
        so_far
    }

    /// Waits until `count` requests have come.
    pub(crate) async fn count(&self, count: usize) -> Vec<Received> {
        self.until(&format!("request {count}"), |all| all.len() >= count)
            .await
    }
}

async fn accept(
    listener: TcpListener,
    received: watch::Sender<Vec<Received>>,
    answer: watch::Sender<Answer>,
) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (received, answer) = (received.clone(), answer.clone());
        connections.spawn(async move {
            let service = service_fn(|request| take(request, &received, &answer));
            // A client that goes away in the middle is its own affair.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn take(
    request: Request<Incoming>,
    received: &watch::Sender<Vec<Received>>,
    answer: &watch::Sender<Answer>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let at = wall_clock().now();
    let request = Received {
        path: head.uri.path().to_owned(),
        headers: head.headers,
        body,
        at,
    };
    received.send_modify(|all| all.push(request));
    let mut answers = answer.subscribe();
    let answer = answers
        .wait_for(|answer| !matches!(answer, Answer::Hold))
        .await
        .map(|answer| answer.clone());
    let Ok(Answer::With(status, headers, text)) = answer else {
        return Ok(Response::default());
    };
    let response = headers
        .into_iter()
        .fold(Response::builder().status(status), |response, (name, value)| {
            response.header(name, value)
        });
    Ok(response.body(Full::from(text)).expect("the test's own answer"))
}
