//! The server as callers meet it: what each path answers, and who may change something.

use migwatch::http::Command;
use migwatch::model::approval::{ApprovalId, ApprovalRecord};
use migwatch::model::status::Status;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::served::{Served, TOKEN, body, exchange, get, post};
use crate::support::{sample_approvals, sample_status};

#[tokio::test]
async fn every_path_answers_with_its_kind_over_both_listeners() {
    let served = Served::new().await;
    for (path, kind, says) in [
        ("/", "text/html; charset=utf-8", "UnexpectedMigration"),
        (
            "/metrics",
            "text/plain; version=0.0.4; charset=utf-8",
            "migwatch_build_info",
        ),
        ("/-/healthy", "text/plain; charset=utf-8", "migwatch is healthy"),
        ("/-/ready", "text/plain; charset=utf-8", "migwatch is ready"),
        (
            "/api/v1/status",
            "application/json",
            "\"host\":\"prod-1.example.com\"",
        ),
        ("/api/v1/services", "application/json", "\"word\":\"proxy_down\""),
        (
            "/api/v1/migrations",
            "application/json",
            "\"rule\":\"left_armed\"",
        ),
        ("/api/v1/alerts", "application/json", "\"name\":\"ProxyDown\""),
    ] {
        for answer in [
            served.over_tcp(&get(path)).await,
            served.over_socket(&get(path)).await,
        ] {
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {answer}");
            assert!(
                answer.contains(&format!("content-type: {kind}\r\n")),
                "{path}: {answer}"
            );
            assert!(
                answer.contains("x-content-type-options: nosniff\r\n"),
                "{path}: {answer}"
            );
            assert!(body(&answer).contains(says), "{path}: {answer}");
        }
    }
}

#[tokio::test]
async fn the_status_over_the_api_is_the_status() {
    let served = Served::new().await;
    let answer = served.over_tcp(&get("/api/v1/status")).await;
    let mut expected = sample_status::rich();
    expected
        .services
        .iter_mut()
        .for_each(|service| service.counters.probe_failures.clear());
    assert_eq!(serde_json::from_str::<Status>(body(&answer)).unwrap(), expected);
}

#[tokio::test]
async fn head_answers_as_get_without_the_body() {
    let served = Served::new().await;
    for path in ["/", "/metrics", "/api/v1/alerts"] {
        let got = served.over_tcp(&get(path)).await;
        let head = served.over_tcp(&get(path).replace("GET", "HEAD")).await;
        assert!(
            head.starts_with("HTTP/1.1 200 OK\r\n") && body(&head).is_empty(),
            "{head}"
        );
        assert!(
            head.contains(&format!("content-length: {}\r\n", body(&got).len())),
            "{head}"
        );
    }
}

#[tokio::test]
async fn the_page_may_load_and_run_nothing() {
    let answer = Served::new().await.over_tcp(&get("/")).await;
    assert!(
        answer.contains("content-security-policy: default-src 'none'; style-src 'unsafe-inline';"),
        "{answer}"
    );
}

#[test]
fn a_plan_that_waits_for_code_holds_no_thread_that_reading_it_needs() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let question = get("/api/v1/plan?service=shop/backend");
    let answered = runtime.block_on(async {
        let mut asking = JoinSet::new();
        asking.spawn(async move { Served::new().await.over_socket(&question).await });
        asking.join_next().await
    });
    // A thread that is held would hold the end of the test too.
    runtime.shutdown_background();
    let answer = answered.unwrap().unwrap();
    assert!(answer.contains("there is no service shop/backend"), "{answer}");
}

#[tokio::test]
async fn wrong_questions_are_answered_with_what_is_right() {
    let served = Served::new().await;
    for (request, status, says) in [
        (get("/nothing"), "404 Not Found", "the page is at /"),
        (
            post("/metrics", "", ""),
            "405 Method Not Allowed",
            "this path takes GET, HEAD only",
        ),
        (
            get("/-/reload"),
            "405 Method Not Allowed",
            "this path takes POST only",
        ),
        (get("/api/v1/migrations?limit=0"), "400 Bad Request", "limit: "),
        (
            get("/api/v1/migrations?x=1"),
            "400 Bad Request",
            "unknown parameter",
        ),
        (
            get("/api/v1/plan?service=away/backend"),
            "503 Service Unavailable",
            "cannot be read as it is now",
        ),
        (
            get("/api/v1/plan?service=shop/backend"),
            "404 Not Found",
            "there is no service",
        ),
    ] {
        let answer = served.over_tcp(&request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{answer}");
        let problem: serde_json::Value = serde_json::from_str(body(&answer)).unwrap();
        assert!(problem["error"].as_str().unwrap().contains(says), "{answer}");
        assert_eq!(
            answer.contains("\r\nallow: "),
            status.starts_with("405"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn history_is_asked_for_by_service_and_limit() {
    let served = Served::new().await;
    let answer = served
        .over_tcp(&get("/api/v1/migrations?service=coe-backend&limit=2"))
        .await;
    let migrations: Vec<serde_json::Value> = serde_json::from_str(body(&answer)).unwrap();
    let services: Vec<_> = migrations
        .iter()
        .map(|it| it["service"]["service"].as_str().unwrap())
        .collect();
    assert_eq!(services, ["coe-backend"; 2]);
}

#[tokio::test]
async fn it_is_not_ready_until_everything_has_started() {
    let served = Served::with(None, Err("the first full look is not done yet".into())).await;
    let answer = served.over_tcp(&get("/-/ready")).await;
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("the first full look is not done yet"),
        "{answer}"
    );
    assert!(
        served
            .over_tcp(&get("/-/healthy"))
            .await
            .starts_with("HTTP/1.1 200 ")
    );
}

#[tokio::test]
async fn over_tcp_nothing_changes_without_the_token() {
    let mut served = Served::new().await;
    for headers in [
        "",
        "Authorization: Bearer wrong\r\n",
        "Authorization: Bearer \r\n",
        "Authorization: Basic czNjcmV0LXRva2Vu\r\n",
        "Cookie: token=s3cret-token\r\n",
    ] {
        let answer = served.over_tcp(&post("/-/reload", headers, "")).await;
        assert!(
            answer.starts_with("HTTP/1.1 403 ") && answer.contains("Authorization: Bearer"),
            "{answer}"
        );
    }
    assert!(served.commands.try_recv().is_err());
    for token in [None, Some("")] {
        let mut served = Served::with(token, Ok(())).await;
        let answer = served
            .over_tcp(&post("/-/reload", "Authorization: Bearer \r\n", ""))
            .await;
        assert!(
            answer.starts_with("HTTP/1.1 403 ") && answer.contains("needs the unix socket"),
            "{answer}"
        );
        assert!(served.commands.try_recv().is_err());
    }
}

#[tokio::test]
async fn the_token_opens_commands_over_tcp() {
    let mut served = Served::new().await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let request = post(
        "/api/v1/ack",
        &format!("Authorization: Bearer {TOKEN}\r\n"),
        r#"{"id": "abc-1"}"#,
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let (command, reply) = served.commands.recv().await.unwrap();
    let by = "token holder at 127.0.0.1".to_owned();
    assert_eq!(
        command,
        Command::Acknowledge {
            id: "abc-1".into(),
            by,
            note: String::new()
        }
    );
    reply.send(Ok("closed".to_owned().into())).unwrap();
    assert!(
        exchange(stream, b"")
            .await
            .ends_with("\r\n\r\n{\"message\":\"closed\"}")
    );
}

#[tokio::test]
async fn the_sockets_owner_is_heard_and_told_what_became_of_it() {
    let mut served = Served::new().await;
    let ack = post(
        "/api/v1/ack",
        "",
        r#"{"id": "abc-1", "note": "계획된 작업", "by": "kim"}"#,
    );
    let (command, answer) = served.commanded(&ack, Ok("closed".into())).await;
    assert_eq!(
        command,
        Command::Acknowledge {
            id: "abc-1".into(),
            by: "kim".into(),
            note: "계획된 작업".into()
        }
    );
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let (command, answer) = served
        .commanded(&post("/-/reload", "", ""), Err("line 3: unknown key".into()))
        .await;
    assert_eq!(command, Command::Reload);
    assert!(
        answer.starts_with("HTTP/1.1 422 ") && answer.contains("line 3: unknown key"),
        "{answer}"
    );
}

#[tokio::test]
async fn approvals_are_shown_to_everybody_and_opened_by_those_who_may() {
    let mut served = Served::new().await;
    let shown = served.over_tcp(&get("/api/v1/approvals")).await;
    let records: Vec<ApprovalRecord> = serde_json::from_str(body(&shown)).unwrap();
    assert_eq!(records, sample_approvals::all());
    let asked = r#"{"service": "shop/backend", "for": "30m", "reason": "release 42"}"#;
    let answer = served.over_tcp(&post("/api/v1/approvals", "", asked)).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    for path in ["/api/v1/approvals/revoke", "/api/v1/approvals/end"] {
        let answer = served.over_tcp(&post(path, "", r#"{"id": "ap-1"}"#)).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        assert!(served.over_tcp(&get(path)).await.starts_with("HTTP/1.1 405 "));
    }
    assert!(served.commands.try_recv().is_err());
    let (command, answer) = served
        .commanded(&post("/api/v1/approvals", "", asked), Ok("approved".into()))
        .await;
    assert!(matches!(command, Command::Approve(_)), "{command:?}");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let wrong = asked.replace("30m", "30s");
    let answer = served.over_socket(&post("/api/v1/approvals", "", &wrong)).await;
    assert!(
        answer.starts_with("HTTP/1.1 400 ") && answer.contains("from 1m to 7days"),
        "{answer}"
    );
    let (command, _) = served
        .commanded(
            &post("/api/v1/approvals/end", "", r#"{"id": "ap-1"}"#),
            Ok("over".into()),
        )
        .await;
    assert_eq!(
        command,
        Command::EndDeploy {
            id: ApprovalId("ap-1".into())
        }
    );
}

#[tokio::test]
async fn a_command_that_nobody_takes_is_said_to_have_changed_nothing() {
    let mut served = Served::new().await;
    served.commands.close();
    let answer = served.over_socket(&post("/-/reload", "", "")).await;
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("nothing was changed"),
        "{answer}"
    );
}
