//! A webhook that notes when each message had come in.

use std::convert::Infallible;
use std::net::SocketAddr;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use migwatch::daemon::clock::SystemClock;
use migwatch::model::time::{Clock as _, Timestamp};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Messages that nobody has looked at yet; a round makes two.
const WAITING: usize = 64;

/// One message about the migrations of the watched project.
#[derive(Debug)]
pub(crate) struct Message {
    /// When its last byte was here.
    pub(crate) at: Timestamp,
    /// `firing` or `resolved`.
    pub(crate) phase: String,
    pub(crate) service: String,
    pub(crate) migration: String,
    /// The engine's time of the line that made it fire.
    pub(crate) starts_at: Timestamp,
}

/// Listens; what is about `UnexpectedMigration` in `project` comes out of the queue.
pub(crate) async fn listen(
    project: &'static str,
    tasks: &mut JoinSet<()>,
) -> (SocketAddr, mpsc::Receiver<Message>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    let (queue, messages) = mpsc::channel(WAITING);
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((socket, _)) = listener.accept().await {
            let queue = queue.clone();
            let service = service_fn(move |request| take(request, project, queue.clone()));
            connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
        }
    });
    (address, messages)
}

async fn take(
    request: Request<Incoming>,
    project: &str,
    queue: mpsc::Sender<Message>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    if let Ok(body) = request.into_body().collect().await {
        let at = SystemClock.now();
        let message = serde_json::from_slice(&body.to_bytes()).ok();
        if let Some(message) = message.and_then(|message| read(&message, project, at)) {
            // A closed queue: the benchmark ends.
            let _ = queue.send(message).await;
        }
    }
    Ok(Response::new(Empty::new()))
}

fn read(message: &Value, project: &str, at: Timestamp) -> Option<Message> {
    let alert = &message["alert"];
    let label = |name: &str| Some(alert["labels"][name].as_str()?.to_owned());
    if alert["name"] != "UnexpectedMigration" || label("project")? != project {
        return None;
    }
    Some(Message {
        at,
        phase: message["phase"].as_str()?.to_owned(),
        service: label("service")?,
        migration: label("migration")?,
        starts_at: alert["starts_at"].as_str()?.parse().ok()?,
    })
}
