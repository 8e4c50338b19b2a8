//! The listeners under bad callers and in bad places.

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use migwatch::http::{Config, Http, HttpError};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use crate::support::served::{Served, get, post};

#[tokio::test]
async fn a_body_without_end_is_cut() {
    let served = Served::new().await;
    let large = post("/api/v1/ack", "", &"x".repeat(17 * 1024));
    let chunked = format!(
        "POST /api/v1/ack HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n8000\r\n{}\r\n",
        "x".repeat(0x8000)
    );
    for request in [large, chunked] {
        let answer = served.over_socket(&request).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    }
}

#[tokio::test]
async fn a_flood_of_silent_connections_leaves_the_socket_open() {
    let served = Served::new().await;
    let mut flood = Vec::new();
    for _ in 0..100 {
        flood.push(TcpStream::connect(served.address).await.unwrap());
    }
    assert!(
        served
            .over_socket(&get("/-/healthy"))
            .await
            .starts_with("HTTP/1.1 200 ")
    );
    drop(flood);
    assert!(
        served
            .over_tcp(&get("/-/healthy"))
            .await
            .starts_with("HTTP/1.1 200 ")
    );
}

#[tokio::test]
async fn any_bytes_are_survived() {
    let served = Served::new().await;
    let mut runner = TestRunner::deterministic();
    let method = prop_oneof!["GET |POST |HEAD |\r\n", "[A-Z]{0,9}"];
    for _ in 0..60 {
        let (start, rest) = (&method, vec(any::<u8>(), 0..200))
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(start.as_bytes()).await.unwrap();
        let _ = stream.write_all(&rest).await;
    }
    assert!(
        served
            .over_tcp(&get("/-/healthy"))
            .await
            .starts_with("HTTP/1.1 200 ")
    );
}

#[tokio::test]
async fn the_end_waits_for_nobody_who_holds_a_connection() {
    let served = Served::new().await;
    let mut half = TcpStream::connect(served.address).await.unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
    let mut kept = UnixStream::connect(served.socket()).await.unwrap();
    kept.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut first = [0; 12];
    kept.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let socket = served.socket();
    let _dir = served.end().await;
    assert!(!socket.exists(), "the socket file is removed");
}

fn on(socket: &Path) -> Config {
    Config {
        socket: Some(socket.to_owned()),
        ..Config::default()
    }
}

#[tokio::test]
async fn the_socket_is_its_owners_and_a_stale_one_is_replaced() {
    let dir = TempDir::new().unwrap();
    let socket = dir.path().join("migwatch.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(
        socket.symlink_metadata().unwrap().file_type().is_socket(),
        "the stale one"
    );
    let _http = Http::bind(on(&socket)).await.unwrap();
    assert_eq!(
        socket.symlink_metadata().unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[tokio::test]
async fn a_socket_on_which_somebody_answers_is_left_alone() {
    let dir = TempDir::new().unwrap();
    let socket = dir.path().join("migwatch.sock");
    let _first = Http::bind(on(&socket)).await.unwrap();
    assert!(matches!(
        Http::bind(on(&socket)).await.unwrap_err(),
        HttpError::SocketTaken { .. }
    ));
    assert!(socket.exists());
}

#[tokio::test]
async fn what_is_no_socket_is_never_removed() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("migwatch.sock");
    std::fs::write(&file, "precious").unwrap();
    assert!(matches!(
        Http::bind(on(&file)).await.unwrap_err(),
        HttpError::NotASocket { .. }
    ));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
}

#[tokio::test]
async fn a_taken_port_and_an_impossible_socket_are_said_with_what_to_do() {
    let served = Served::new().await;
    let config = Config {
        listen: Some(served.address),
        ..Config::default()
    };
    let error = Http::bind(config).await.unwrap_err().to_string();
    assert!(
        error.contains(&served.address.to_string()) && error.contains("--web.listen-address"),
        "{error}"
    );
    let error = Http::bind(on(Path::new("/nowhere/at/all.sock")))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("its folder must exist"), "{error}");
}
