//! Redirects.

use hyper::Method;
use hyper::header::AUTHORIZATION;
use migwatch::model::probe::FailureReason;
use migwatch::probe::HttpAsk;

use super::{failure, probe};
use crate::support::http_service::{HttpService, Reply};

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
