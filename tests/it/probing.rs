//! The probe edge against real servers on loopback, well-behaved and odd.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use hyper::header::{AUTHORIZATION, HeaderName};
use migwatch::model::observation::Observation;
use migwatch::model::probe::{FailureReason, Phase, ProbeId, ProbeResult, Via};
use migwatch::model::service::ServiceId;
use migwatch::probe::{Ask, HttpAsk, JsonExpectation, Probes, Target, probe_once};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::clock::{WallClock, wall_clock};
use crate::support::http_service::{HttpService, Reply};
use crate::support::receiver::{Down, PATIENCE};

fn target(name: &str, ask: Ask) -> Target {
    Target {
        id: ProbeId {
            service: ServiceId::new("coe", "backend"),
            name: name.to_owned(),
            via: Via::Direct,
        },
        ask,
        interval: Duration::from_millis(20),
        timeout: PATIENCE,
    }
}

fn tls(roots: RootCertStore) -> Arc<ClientConfig> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Arc::new(
        ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth(),
    )
}

async fn probe(ask: HttpAsk) -> ProbeResult {
    probe_once(
        &target("health", Ask::Http(ask)),
        &tls(RootCertStore::empty()),
        &WallClock,
    )
    .await
}

/// Reason and sentence of a failure, with `service`'s address as `HOST`.
fn failure(service: &HttpService, result: &ProbeResult) -> (FailureReason, String) {
    let failure = result.failure.as_ref().expect("it should have failed");
    (
        failure.reason,
        failure.detail.replace(&service.address.to_string(), "HOST"),
    )
}

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
    let endless_drip = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab".to_vec();
    for (reply, waited_for) in [
        (Reply::Stall(Vec::new()), "it did not answer"),
        (Reply::Stall(endless_drip), "its answer did not end"),
    ] {
        let service = HttpService::always(reply).await;
        let ask = Ask::Http(HttpAsk::get(service.url("/health")));
        let short = Target {
            timeout: Duration::from_millis(300),
            ..target("health", ask)
        };
        let result = probe_once(&short, &tls(RootCertStore::empty()), &WallClock).await;
        let expected = format!("http://HOST/health: {waited_for} within 300ms");
        assert_eq!(failure(&service, &result), (FailureReason::Timeout, expected));
        assert!(!result.phases.is_empty());
    }
}

#[tokio::test]
async fn redirects_are_followed_only_if_asked_and_do_not_take_secrets_along() {
    let elsewhere = HttpService::always(Reply::with(200, "", "healthy")).await;
    let away = elsewhere.url("/landed");
    let service = HttpService::start(move |head| match head.split(' ').nth(1) {
        Some("/health") => Reply::with(307, "Location: /health/\r\n", ""),
        _ => Reply::with(302, &format!("Location: {away}\r\n"), ""),
    })
    .await;
    let ask = HttpAsk {
        follow_redirects: true,
        headers: vec![(AUTHORIZATION, "Bearer s3cret".into())],
        ..HttpAsk::get(service.url("/health"))
    };
    assert_eq!(probe(ask.clone()).await.failure, None);
    let at_home = service.heads();
    assert_eq!(at_home.len(), 2);
    assert!(
        at_home.iter().all(|head| head.contains("Bearer s3cret")),
        "{at_home:?}"
    );
    let [landed] = elsewhere.heads().try_into().unwrap();
    assert!(!landed.contains("s3cret"), "{landed}");

    let result = probe(HttpAsk {
        follow_redirects: false,
        ..ask
    })
    .await;
    assert_eq!(
        failure(&service, &result).1,
        "http://HOST/health answered 307, expected 2xx"
    );
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let service = HttpService::always(Reply::with(302, "Location: /round?token=s3cret\r\n", "")).await;
    let ask = HttpAsk {
        follow_redirects: true,
        method: Method::POST,
        ..HttpAsk::get(service.url("/health"))
    };
    let expected = "http://HOST/health redirected more than 5 times, last to http://HOST/round?…".to_owned();
    assert_eq!(
        failure(&service, &probe(ask).await),
        (FailureReason::Status, expected)
    );
    let methods: Vec<_> = service
        .heads()
        .iter()
        .map(|head| head.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(methods, ["POST", "GET", "GET", "GET", "GET", "GET"]);
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_a_protocol_failure() {
    for location in ["ftp://coe/health", "http://", "http://[::1/", "\u{1f}"] {
        let headers = format!("Location: {location}\r\n");
        let service = HttpService::always(Reply::with(302, &headers, "")).await;
        let ask = HttpAsk {
            follow_redirects: true,
            ..HttpAsk::get(service.url("/health"))
        };
        let (reason, detail) = failure(&service, &probe(ask).await);
        assert_eq!(reason, FailureReason::Protocol, "{location}: {detail}");
    }
}

/// A self-signed certificate for 127.0.0.1 that ends at `year`, with its key.
fn certificate(year: i32) -> (rcgen::Certificate, rcgen::KeyPair) {
    let mut parameters = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    parameters.not_before = rcgen::date_time_ymd(2000, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(year, 7, 9);
    let key = rcgen::KeyPair::generate().unwrap();
    (parameters.self_signed(&key).unwrap(), key)
}

async fn tls_service(year: i32) -> (HttpService, RootCertStore) {
    let (certificate, key) = certificate(year);
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let key = rustls_pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (
        HttpService::with_tls(config, Reply::with(200, "", "healthy")).await,
        roots,
    )
}

#[tokio::test]
async fn the_end_of_a_servers_certificate_is_read() {
    let (service, roots) = tls_service(2099).await;
    let target = target("health", Ask::Http(HttpAsk::get(service.url("/health"))));
    let tls = tls(roots);
    // Twice: a resumed session would show no fresh certificate.
    for _ in 0..2 {
        let result = probe_once(&target, &tls, &WallClock).await;
        assert_eq!(result.failure, None);
        assert_eq!(
            result.certificate_until.unwrap().to_string(),
            "2099-07-09T00:00:00.000000000Z"
        );
        let phases: Vec<Phase> = result.phases.iter().map(|(phase, _)| *phase).collect();
        assert_eq!(phases, [Phase::Connect, Phase::Tls, Phase::Response, Phase::Body]);
    }
}

#[tokio::test]
async fn an_expired_or_untrusted_certificate_and_no_tls_at_all_are_tls_failures() {
    let (expired, roots) = tls_service(2001).await;
    let (untrusted, _) = tls_service(2099).await;
    let plain = HttpService::always(Reply::Greeting(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())).await;
    let mut no_tls = plain.url("/health");
    no_tls.set_scheme("https").unwrap();
    let tls = tls(roots);
    for (url, word) in [
        (expired.url("/health"), "expired"),
        (untrusted.url("/health"), "certificate"),
        (no_tls, "the TLS handshake with 127.0.0.1 failed"),
    ] {
        let result = probe_once(&target("health", Ask::Http(HttpAsk::get(url))), &tls, &WallClock).await;
        let failure = result.failure.unwrap();
        assert_eq!(failure.reason, FailureReason::Tls, "{}", failure.detail);
        assert!(failure.detail.contains(word), "{}", failure.detail);
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

/// The edge under way, and what it reports.
struct Edge {
    targets: watch::Sender<Arc<Vec<Target>>>,
    inbox: mpsc::Receiver<Observation>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Edge {
    fn start(targets: Vec<Target>) -> Self {
        let (targets, watched) = watch::channel(Arc::new(targets));
        let (reports, inbox) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let probes = Probes::new(watched, tls(RootCertStore::empty()), reports, wall_clock());
        let mut tasks = JoinSet::new();
        tasks.spawn(probes.run(stop.clone()));
        Self {
            targets,
            inbox,
            stop,
            tasks,
        }
    }

    async fn next(&mut self) -> Observation {
        tokio::time::timeout(PATIENCE, self.inbox.recv())
            .await
            .expect("a report")
            .expect("the edge lives")
    }

    /// Reports until `wanted` comes; gives all of them, the wanted one last.
    async fn until(&mut self, wanted: impl Fn(&Observation) -> bool) -> Vec<Observation> {
        let mut seen = Vec::new();
        loop {
            seen.push(self.next().await);
            if seen.last().is_some_and(&wanted) {
                return seen;
            }
        }
    }
}

fn probed(name: &str, status: u16) -> impl Fn(&Observation) -> bool {
    move |observation| match observation {
        Observation::Probed { probe, result } => probe.name == name && result.http_status == Some(status),
        _ => false,
    }
}

fn is_about(observation: &Observation, name: &str) -> bool {
    match observation {
        Observation::Probed { probe, .. } | Observation::ProbeGone(probe) => probe.name == name,
        _ => false,
    }
}

#[tokio::test]
async fn targets_come_change_and_go_while_the_others_go_on() {
    let good = HttpService::always(Reply::with(200, "", "")).await;
    let other = HttpService::always(Reply::with(204, "", "")).await;
    let good_at = |name: &str| target(name, Ask::Http(HttpAsk::get(good.url("/"))));
    let mut edge = Edge::start(vec![good_at("a")]);
    edge.until(probed("a", 200)).await;

    edge.targets
        .send_replace(Arc::new(vec![good_at("a"), good_at("b")]));
    edge.until(probed("b", 200)).await;

    let changed = target("a", Ask::Http(HttpAsk::get(other.url("/"))));
    edge.targets.send_replace(Arc::new(vec![changed, good_at("b")]));
    let seen = edge.until(probed("a", 204)).await;
    assert!(
        !seen
            .iter()
            .any(|report| matches!(report, Observation::ProbeGone(_))),
        "{seen:?}"
    );

    edge.targets.send_replace(Arc::new(vec![good_at("b")]));
    edge.until(|report| matches!(report, Observation::ProbeGone(probe) if probe.name == "a"))
        .await;
    // The other one's later results would come behind any that were left of the first.
    for _ in 0..3 {
        let later = edge.until(probed("b", 200)).await;
        assert!(!later.iter().any(|report| is_about(report, "a")), "{later:?}");
    }
}

#[tokio::test]
async fn a_hanging_service_delays_neither_the_others_nor_the_stop() {
    let hanging = HttpService::always(Reply::Stall(Vec::new())).await;
    let good = HttpService::always(Reply::with(200, "", "")).await;
    let hangs = target("hangs", Ask::Http(HttpAsk::get(hanging.url("/"))));
    let mut edge = Edge::start(vec![
        hangs,
        target("good", Ask::Http(HttpAsk::get(good.url("/")))),
    ]);
    for _ in 0..3 {
        edge.until(probed("good", 200)).await;
    }
    edge.stop.cancel();
    // Nobody reads the full inbox any more: the stop must not wait for it, nor for the hanging service's timeout.
    let ended = tokio::time::timeout(PATIENCE / 2, edge.tasks.join_next()).await;
    assert!(matches!(ended, Ok(Some(Ok(())))), "{ended:?}");
}
