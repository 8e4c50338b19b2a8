//! A service to be probed: answers each connection with raw bytes, however odd.
//!
//! Promises that the request's head has been read, and recorded, before a reply begins (unless the reply is a greeting).

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What a proxy says of a service that is not there.
const BAD_GATEWAY: &[u8] = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";

/// What is answered to one request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// These bytes, then the end of the connection.
    Bytes(Vec<u8>),
    /// The first, then the second for ever.
    Endless(Vec<u8>, Vec<u8>),
    /// These bytes, and then nothing, with the connection open.
    Stall(Vec<u8>),
    /// These bytes before the request was read, as database servers do.
    Greeting(Vec<u8>),
}

impl Reply {
    pub(crate) fn text(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }

    /// A plain answer with a status, further header lines (each with its line end) and a body.
    pub(crate) fn with(status: u16, headers: &str, body: &str) -> Self {
        Self::text(&format!(
            "HTTP/1.1 {status} -\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }
}

/// From a request's head to its reply.
type Script = Arc<dyn Fn(&str) -> Reply + Send + Sync>;

/// A service that is up until it is dropped.
pub(crate) struct HttpService {
    pub(crate) address: SocketAddr,
    scheme: &'static str,
    heads: watch::Sender<Vec<String>>,
    /// Whether each TLS session was resumed from an earlier one.
    resumed: watch::Sender<Vec<bool>>,
    tasks: JoinSet<()>,
}

impl HttpService {
    pub(crate) async fn start(script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(None, Arc::new(script)).await
    }

    /// Always the same reply.
    pub(crate) async fn always(reply: Reply) -> Self {
        Self::start(move |_| reply.clone()).await
    }

    pub(crate) async fn with_tls(tls: rustls::ServerConfig, reply: Reply) -> Self {
        Self::serve(
            Some(TlsAcceptor::from(Arc::new(tls))),
            Arc::new(move |_: &str| reply.clone()),
        )
        .await
    }

    async fn serve(tls: Option<TlsAcceptor>, script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let heads = watch::Sender::new(Vec::new());
        let resumed = watch::Sender::new(Vec::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(
            listener,
            tls.zip(Some(resumed.clone())),
            script,
            heads.clone(),
        ));
        Self {
            address,
            scheme,
            heads,
            resumed,
            tasks,
        }
    }

    /// A proxy in front of whatever is at `upstream`: passes on what both sides say, and answers 502 where nobody listens.
    pub(crate) async fn proxy(upstream: watch::Receiver<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let mut tasks = JoinSet::new();
        tasks.spawn(pass_on(listener, upstream));
        Self {
            address,
            scheme: "http",
            heads: watch::Sender::new(Vec::new()),
            resumed: watch::Sender::new(Vec::new()),
            tasks,
        }
    }

    /// It ends as a process does: for as long as what is given is kept, connections to its address are refused.
    pub(crate) async fn stop(mut self) -> TcpSocket {
        self.tasks.shutdown().await;
        let socket = TcpSocket::new_v4().expect("a socket");
        // Connections that it closed linger.
        socket.set_reuseaddr(true).expect("a setting of every socket");
        socket.bind(self.address).expect("nobody was told of its port");
        socket
    }

    pub(crate) fn url(&self, path: &str) -> url::Url {
        format!("{}://{}{path}", self.scheme, self.address)
            .parse()
            .expect("a URL")
    }

    /// The heads of all requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.borrow().clone()
    }

    /// For each TLS session so far, whether it was resumed from an earlier one.
    pub(crate) fn resumed(&self) -> Vec<bool> {
        self.resumed.borrow().clone()
    }
}

async fn accept(
    listener: TcpListener,
    tls: Option<(TlsAcceptor, watch::Sender<Vec<bool>>)>,
    script: Script,
    heads: watch::Sender<Vec<String>>,
) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (script, heads, tls) = (Arc::clone(&script), heads.clone(), tls.clone());
        connections.spawn(async move {
            match tls {
                None => talk(stream, &script, &heads).await,
                Some((acceptor, resumed)) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let kind = stream.get_ref().1.handshake_kind();
                        resumed.send_modify(|all| all.push(kind == Some(rustls::HandshakeKind::Resumed)));
                        talk(stream, &script, &heads).await;
                    }
                }
            }
        });
    }
}

async fn pass_on(listener: TcpListener, upstream: watch::Receiver<SocketAddr>) {
    let mut connections = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        let upstream = *upstream.borrow();
        connections.spawn(async move {
            // Either side may end it.
            if let Ok(mut service) = TcpStream::connect(upstream).await {
                let _ = tokio::io::copy_bidirectional(&mut client, &mut service).await;
            } else if head(&mut client).await.is_some() {
                let _ = client.write_all(BAD_GATEWAY).await;
            }
            let _ = client.shutdown().await;
        });
    }
}

/// A request up to its empty line; none if the client has gone.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// Errors end the talk: the client has gone, which is its right.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    script: &Script,
    heads: &watch::Sender<Vec<String>>,
) {
    if let Reply::Greeting(bytes) = script("") {
        let _ = stream.write_all(&bytes).await;
        let _ = stream.flush().await;
    }
    let Some(head) = head(&mut stream).await else {
        return;
    };
    heads.send_modify(|all| all.push(head.clone()));
    match script(&head) {
        Reply::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
        }
        Reply::Endless(first, more) => {
            let _ = stream.write_all(&first).await;
            while stream.write_all(&more).await.is_ok() {}
        }
        Reply::Stall(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.flush().await;
            // Ends when the client goes.
            let _ = stream.read_u8().await;
        }
        Reply::Greeting(_) => {}
    }
    let _ = stream.shutdown().await;
}
