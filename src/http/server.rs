//! Listens, bounds each connection, and ends them in time.
//!
//! Promises at most [`TCP_CONNECTIONS`] and [`SOCKET_CONNECTIONS`] at once, each with a bounded wait for its request's head and
//! a bounded life, and an end within [`DRAIN`] of the stop. Refuses to know what is asked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::listener::SocketFile;
use super::routes::{Caller, Routes};
use super::{Commands, Config, HttpError, Views};
use crate::model::backoff;

/// TCP connections at once: a few scrapers and browsers. More wait in the kernel's queue.
const TCP_CONNECTIONS: usize = 64;
/// Connections of the unix socket at once. Counted apart, so that a flood on TCP never locks the operator out.
const SOCKET_CONNECTIONS: usize = 16;
/// How long a request's head may take, and how long a connection may idle between requests.
const HEAD: Duration = Duration::from_secs(30);
/// How long a connection may live, so that one that reads nothing cannot hold its place for ever.
const LIFE: Duration = Duration::from_mins(5);
/// How long open requests may take to end at the stop.
const DRAIN: Duration = Duration::from_millis(400);
/// The most bytes of a request's head.
const HEAD_BYTES: usize = 16 * 1024;

/// The bound listeners; serves once [`Http::serve`] is called.
#[derive(Debug)]
pub struct Http {
    tcp: Option<TcpListener>,
    socket: Option<SocketFile>,
    config: Config,
}

impl Http {
    /// Opens the listeners, so that a taken port is known before anything starts.
    ///
    /// # Errors
    /// The port or the socket cannot be had.
    pub async fn bind(config: Config) -> Result<Self, HttpError> {
        let tcp = match config.listen {
            Some(address) => {
                let bound = TcpListener::bind(address).await;
                Some(bound.map_err(|source| HttpError::Listen { address, source })?)
            }
            None => None,
        };
        let socket = config.socket.as_deref().map(SocketFile::bind).transpose()?;
        Ok(Self { tcp, socket, config })
    }

    /// The TCP address as bound, with the real port.
    pub fn address(&self) -> Option<SocketAddr> {
        self.tcp.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// Serves until `stop`, then ends within half a second; the socket file is gone afterwards.
    pub async fn serve(self, views: Views, commands: Commands, stop: CancellationToken) {
        let routes = Arc::new(Routes::new(views, commands, self.config.token));
        let mut connections = JoinSet::new();
        let tcp_places = Arc::new(Semaphore::new(TCP_CONNECTIONS));
        let socket_places = Arc::new(Semaphore::new(SOCKET_CONNECTIONS));
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                (place, stream, peer) = next_tcp(self.tcp.as_ref(), &tcp_places) => {
                    let caller = Caller::Network(peer);
                    connections.spawn(connection(stream, caller, Arc::clone(&routes), place, stop.clone()));
                }
                (place, stream, user) = next_local(self.socket.as_ref(), &socket_places) => {
                    let caller = Caller::Owner { user };
                    connections.spawn(connection(stream, caller, Arc::clone(&routes), place, stop.clone()));
                }
                Some(_) = connections.join_next() => {}
            }
        }
        drop(self.tcp);
        drop(self.socket);
        let drained = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(DRAIN, drained).await;
        connections.shutdown().await;
    }
}

/// The next TCP connection, once there is a place for it; never without a listener.
async fn next_tcp(
    listener: Option<&TcpListener>,
    places: &Arc<Semaphore>,
) -> (Option<OwnedSemaphorePermit>, TcpStream, SocketAddr) {
    let Some(listener) = listener else {
        return std::future::pending().await;
    };
    let place = Arc::clone(places).acquire_owned().await.ok();
    let mut failures = 0;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (place, stream, peer),
            Err(error) => refused_by_system(&error, &mut failures).await,
        }
    }
}

/// The next connection of the unix socket by its owner or root; never without a socket.
async fn next_local(
    socket: Option<&SocketFile>,
    places: &Arc<Semaphore>,
) -> (Option<OwnedSemaphorePermit>, UnixStream, u32) {
    let Some(socket) = socket else {
        return std::future::pending().await;
    };
    let place = Arc::clone(places).acquire_owned().await.ok();
    let mut failures = 0;
    loop {
        match socket.accept().await {
            Ok(Some((stream, user))) => return (place, stream, user),
            Ok(None) => {}
            Err(error) => refused_by_system(&error, &mut failures).await,
        }
    }
}

/// Accepting failed (no file descriptors left, a peer that is already gone): said once in a row, then tried again with back-off.
async fn refused_by_system(error: &std::io::Error, failures: &mut u32) {
    if *failures == 0 {
        tracing::warn!(%error, "cannot accept a connection; trying on");
    }
    tokio::time::sleep(backoff::delay(*failures, 0)).await;
    *failures = failures.saturating_add(1);
}

/// One connection from its first to its last request.
async fn connection<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    caller: Caller,
    routes: Arc<Routes>,
    place: Option<OwnedSemaphorePermit>,
    stop: CancellationToken,
) {
    let service = service_fn(move |request| {
        let routes = Arc::clone(&routes);
        let caller = caller.clone();
        async move { Ok::<_, std::convert::Infallible>(routes.answer(&caller, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    // A peer that hangs up or sends rubbish is its own affair: hyper has answered what can be answered.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = end_of_life(&stop) => {
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(DRAIN, connection).await;
        }
    }
    drop(place);
}

/// The stop, or the end of a connection's life.
async fn end_of_life(stop: &CancellationToken) {
    let _ = tokio::time::timeout(LIFE, stop.cancelled()).await;
}
