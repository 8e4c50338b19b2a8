//! A server on a free port and on a socket of its own, and callers that write their requests byte by byte.

use std::sync::Arc;
use std::time::Duration;

use migwatch::http::{Build, Command, Config, Http, Reply, Views};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{sample_migrations, sample_status};

/// Long against any machine, short against the server's own limits.
const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const TOKEN: &str = "s3cret-token";

/// A server on a free port and a socket of its own.
pub(crate) struct Served {
    pub(crate) address: std::net::SocketAddr,
    dir: TempDir,
    pub(crate) commands: mpsc::Receiver<(Command, Reply)>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Served {
    pub(crate) async fn with(token: Option<&str>, ready: Result<(), String>) -> Self {
        let dir = TempDir::new().unwrap();
        let listen = Some("127.0.0.1:0".parse().unwrap());
        let token = token.map(SecretString::from);
        let config = Config {
            listen,
            socket: Some(dir.path().join("migwatch.sock")),
            token,
        };
        let http = Http::bind(config).await.unwrap();
        let address = http.address().unwrap();
        let (sender, commands) = mpsc::channel(4);
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(http.serve(views(ready), sender, stop.clone()));
        Self {
            address,
            dir,
            commands,
            stop,
            tasks,
        }
    }

    pub(crate) async fn new() -> Self {
        Self::with(Some(TOKEN), Ok(())).await
    }

    pub(crate) fn socket(&self) -> std::path::PathBuf {
        self.dir.path().join("migwatch.sock")
    }

    pub(crate) async fn over_tcp(&self, request: &str) -> String {
        exchange(
            TcpStream::connect(self.address).await.unwrap(),
            request.as_bytes(),
        )
        .await
    }

    pub(crate) async fn over_socket(&self, request: &str) -> String {
        exchange(
            UnixStream::connect(self.socket()).await.unwrap(),
            request.as_bytes(),
        )
        .await
    }

    /// Asks, and answers the command that the request becomes.
    pub(crate) async fn commanded(
        &mut self,
        request: &str,
        answer: Result<String, String>,
    ) -> (Command, String) {
        let mut stream = UnixStream::connect(self.socket()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let (command, reply) = tokio::time::timeout(PATIENCE, self.commands.recv())
            .await
            .unwrap()
            .unwrap();
        reply.send(answer.map(Into::into)).unwrap();
        (command, exchange(stream, b"").await)
    }

    /// Stops, and waits for the end.
    pub(crate) async fn end(mut self) -> TempDir {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.tasks.join_next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        self.dir
    }
}

fn views(ready: Result<(), String>) -> Views {
    let status = Arc::new(sample_status::rich());
    Views {
        status: Arc::new(move || Arc::clone(&status)),
        ready: Arc::new(move || ready.clone()),
        history: Arc::new(|asked| {
            let all = sample_migrations::all().into_iter();
            let of_service = all.filter(|migration| {
                asked
                    .service
                    .as_ref()
                    .is_none_or(|it| *it == migration.service.service)
            });
            Ok(of_service.take(asked.limit).collect())
        }),
        // As in the daemon, code is read where reading may block.
        refresh: Arc::new(|service| {
            Box::pin(async move {
                let read = tokio::task::spawn_blocking(move || match service.project.as_str() {
                    "away" => Err(format!("the code of {service} cannot be read as it is now")),
                    _ => Ok(()),
                });
                read.await.unwrap()
            })
        }),
        plan: Arc::new(|asked| Err(format!("there is no service {}; known are none", asked.service))),
        preflight: Arc::new(|asked| Err(format!("there is no service {}; known are none", asked.service))),
        registry: prometheus::Registry::new(),
        build: Build {
            version: "0.1.0".into(),
            revision: "abc1234".into(),
        },
    }
}

pub(crate) async fn exchange<S: AsyncReadExt + AsyncWriteExt + Unpin>(
    mut stream: S,
    request: &[u8],
) -> String {
    // A server that refuses early may have closed already.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .unwrap();
    if let Err(error) = read {
        assert!(!answer.is_empty(), "{error}");
    }
    String::from_utf8(answer).unwrap()
}

pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
}

pub(crate) fn post(path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
}

pub(crate) fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}
