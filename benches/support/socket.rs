//! Requests over a unix socket in their plainest form: HTTP/1.0, so that a body is raw and ends with the connection.
//!
//! Promises nothing but bytes as they come, which is what a bare follower needs beside the product's own client.

use std::io::{Error, Result};
use std::path::Path;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

/// A body, behind its headers.
pub(crate) type Body = BufReader<UnixStream>;

/// Asks, and returns behind the headers of a success.
pub(crate) async fn open(socket: &Path, method: &str, path: &str, body: &str) -> Result<Body> {
    let mut stream = UnixStream::connect(socket).await?;
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: local\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if answer.read_line(&mut head).await? == 0 {
            return Err(Error::other(format!("{method} {path}: no answer")));
        }
    }
    if head
        .split(' ')
        .nth(1)
        .is_some_and(|status| status.starts_with('2'))
    {
        return Ok(answer);
    }
    let mut said = String::new();
    answer.read_to_string(&mut said).await?;
    let status = head.lines().next().unwrap_or_default();
    Err(Error::other(format!("{method} {path}: {status}: {said}")))
}

/// Asks for a whole body.
pub(crate) async fn whole(socket: &Path, method: &str, path: &str, body: &str) -> Result<String> {
    let mut said = String::new();
    open(socket, method, path, body)
        .await?
        .read_to_string(&mut said)
        .await?;
    Ok(said)
}
