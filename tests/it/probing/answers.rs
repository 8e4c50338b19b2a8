//! Answers, wrong answers, odd answers and none.

use std::time::Duration;

use hyper::header::HeaderName;
use migwatch::model::probe::{FailureReason, Phase};
use migwatch::probe::{Ask, HttpAsk, JsonExpectation, Target, probe_once};
use rustls::RootCertStore;
use tokio::net::TcpListener;

use super::{failure, probe, target, tls};
use crate::support::clock::WallClock;
use crate::support::http_service::{HttpService, Reply};
use crate::support::receiver::Down;

#[tokio::test]
async fn a_healthy_service_is_asked_once_on_a_connection_of_its_own_and_each_phase_is_measured() {
    let service = HttpService::always(Reply::with(200, "", r#"{"status":"healthy"}"#)).await;
    let ask = HttpAsk {
        expect_status: vec![200],
        expect_body: Some(regex::Regex::new("healthy").unwrap()),
        expect_json: Some(JsonExpectation {
            pointer: "/status".to_owned(),
            equals: "healthy".into(),
        }),
        headers: vec![(HeaderName::from_static("x-token"), "t0ken".into())],
        ..HttpAsk::get(service.url("/health?deep=1"))
    };
    let result = probe(ask).await;
    assert_eq!((result.failure, result.http_status), (None, Some(200)));
    let phases: Vec<Phase> = result.phases.iter().map(|(phase, _)| *phase).collect();
    assert_eq!(phases, [Phase::Connect, Phase::Response, Phase::Body]);
    let [head] = service.heads().try_into().unwrap();
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("get /health?deep=1 http/1.1\r\n"), "{head}");
    for line in [
        "x-token: t0ken\r\n",
        "connection: close\r\n",
        &format!("host: {}\r\n", service.address),
    ] {
        assert!(head.contains(line), "{line} is missing in {head}");
    }
}

#[tokio::test]
async fn odd_but_whole_answers_are_successes() {
    for reply in [
        Reply::text("HTTP/1.0 200 OK\r\n\r\nhealthy"),
        Reply::text("HTTP/1.1 200 OK\r\n\r\nhealthy, no length, ended by closing"),
        Reply::text("HTTP/1.1 204 No Content\r\n\r\n"),
        Reply::text("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        Reply::Bytes(b"HTTP/1.1 200 \xff\xfe\r\nX-Odd: \xff\r\nContent-Length: 2\r\n\r\n\xff\xfe".to_vec()),
        Reply::text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
        Reply::Endless(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'a'; 4096]),
        Reply::Endless(
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec(),
            vec![0; 4096],
        ),
    ] {
        let service = HttpService::always(reply.clone()).await;
        let result = probe(HttpAsk::get(service.url("/health"))).await;
        assert_eq!(result.failure, None, "{reply:?}");
    }
}

#[tokio::test]
async fn what_is_no_http_is_a_protocol_failure_whatever_it_is() {
    for (reply, sentence) in [
        (
            Reply::text("SSH-2.0-OpenSSH_9.2\r\n"),
            "http://HOST/health does not speak HTTP as it should",
        ),
        (
            Reply::text("HTTP/9.9 200 OK\r\n\r\n"),
            "http://HOST/health does not speak HTTP as it should",
        ),
        (
            Reply::Bytes(vec![0; 512]),
            "http://HOST/health does not speak HTTP as it should",
        ),
        (
            Reply::Greeting(b"J\0\0\0\n11.4.2-MariaDB\0".to_vec()),
            "http://HOST/health does not speak HTTP as it should",
        ),
        (
            Reply::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), b"X-More: and more\r\n".to_vec()),
            "http://HOST/health does not speak HTTP as it should",
        ),
        (
            Reply::Endless(b"HTTP/1.1 200 OK\r\nX-Long: ".to_vec(), vec![b'a'; 4096]),
            "http://HOST/health does not speak HTTP as it should",
        ),
        (
            Reply::text("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"),
            "http://HOST/health closed the connection inside its answer",
        ),
        (
            Reply::text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot hex\r\n"),
            "http://HOST/health does not speak HTTP as it should",
        ),
    ] {
        let service = HttpService::always(reply.clone()).await;
        let (reason, detail) = failure(&service, &probe(HttpAsk::get(service.url("/health"))).await);
        assert_eq!(reason, FailureReason::Protocol, "{reply:?}: {detail}");
        assert!(detail.starts_with(sentence), "{detail}");
    }
}

#[tokio::test]
async fn a_wrong_answer_says_what_was_expected() {
    let service = HttpService::always(Reply::with(502, "", "<html>bad gateway</html>")).await;
    let result = probe(HttpAsk::get(service.url("/health"))).await;
    assert_eq!(result.http_status, Some(502));
    let expected = "http://HOST/health answered 502, expected 2xx".to_owned();
    assert_eq!(failure(&service, &result), (FailureReason::Status, expected));

    let service = HttpService::always(Reply::with(200, "", r#"{"status":"degraded"}"#)).await;
    let expect_json = Some(JsonExpectation {
        pointer: "/status".to_owned(),
        equals: "healthy".into(),
    });
    let result = probe(HttpAsk {
        expect_json,
        ..HttpAsk::get(service.url("/health"))
    })
    .await;
    let expected =
        r#"http://HOST/health answered 200, but /status is "degraded", expected "healthy""#.to_owned();
    assert_eq!(failure(&service, &result), (FailureReason::Body, expected));
}

#[tokio::test]
async fn no_connection_and_no_word_are_connect_failures() {
    let service = HttpService::always(Reply::text("")).await;
    let (reason, detail) = failure(&service, &probe(HttpAsk::get(service.url("/health"))).await);
    assert_eq!(reason, FailureReason::Connect, "{detail}");
    assert!(
        detail.starts_with("http://HOST/health closed the connection before it answered"),
        "{detail}"
    );

    let down = Down::reserve();
    let result = probe(HttpAsk::get(down.url("/health").parse().unwrap())).await;
    let failure = result.failure.unwrap();
    assert_eq!(failure.reason, FailureReason::Connect);
    assert!(
        failure
            .detail
            .ends_with(": nothing listens there (connection refused)"),
        "{}",
        failure.detail
    );
}

#[tokio::test]
async fn a_probe_ends_with_its_timeout_and_says_what_it_waited_for() {
    let unfinished = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab".to_vec();
    for (reply, seconds, waited_for) in [
        (Reply::Stall(Vec::new()), 1, "it did not answer"),
        (Reply::Stall(unfinished), 3, "its answer did not end"),
    ] {
        let service = HttpService::always(reply).await;
        let ask = Ask::Http(HttpAsk::get(service.url("/health")));
        let short = Target {
            timeout: Duration::from_secs(seconds),
            ..target("health", ask)
        };
        let result = probe_once(&short, &tls(RootCertStore::empty()), &WallClock).await;
        let expected = format!("http://HOST/health: {waited_for} within {seconds}s");
        assert_eq!(failure(&service, &result), (FailureReason::Timeout, expected));
        assert!(!result.phases.is_empty());
    }
}

#[tokio::test]
async fn a_tcp_probe_wants_a_connection_and_nothing_else() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let down = Down::reserve();
    let refused: url::Url = down.url("").parse().unwrap();
    for (host, port, reason) in [
        ("localhost", port, None),
        ("127.0.0.1", refused.port().unwrap(), Some(FailureReason::Connect)),
        ("no..name", port, Some(FailureReason::Dns)),
    ] {
        let target = target(
            "tcp",
            Ask::Tcp {
                host: host.to_owned(),
                port,
            },
        );
        let result = probe_once(&target, &tls(RootCertStore::empty()), &WallClock).await;
        assert_eq!(
            result.failure.as_ref().map(|failure| failure.reason),
            reason,
            "{result:?}"
        );
    }
}
