//! The service or the proxy in front of it: which of the two is down? Both are real and listen on loopback; only their containers are
//! played.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::sync::watch;

use super::*;
use crate::support::http_service::{HttpService, Reply};

/// A service behind a proxy, both up.
struct Site {
    stage: Stage,
    web: Web,
    nginx: ContainerId,
    proxy: HttpService,
    /// Where the proxy finds the service.
    upstream: watch::Sender<SocketAddr>,
}

/// The service: its container, and what listens in it.
struct Web {
    container: ContainerId,
    listens: HttpService,
    frozen: watch::Sender<bool>,
}

impl Web {
    /// The service is asked directly by what migwatch finds in its health check.
    async fn up(stage: &Stage) -> Self {
        let frozen = watch::Sender::new(false);
        let is_frozen = frozen.subscribe();
        let listens = HttpService::start(move |_| {
            if *is_frozen.borrow() {
                Reply::Stall(Vec::new())
            } else {
                Reply::with(200, "", r#"{"status":"healthy"}"#)
            }
        })
        .await;
        let url = format!("http://localhost:{}/health", listens.address.port());
        let mut spec = ContainerSpec {
            healthcheck: Some(["CMD", "curl", "-f", &url].map(str::to_owned).to_vec()),
            address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            ..app("web", "false")
        };
        let interval = ("migwatch.health.interval".to_owned(), "1s".to_owned());
        spec.labels.extend([interval]);
        let container = stage.up(spec, &[SKIP, UP]);
        stage.engine.health(&container, "healthy");
        Self {
            container,
            listens,
            frozen,
        }
    }
}

/// The way through the proxy is configured.
async fn behind_a_proxy() -> Site {
    let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let upstream = watch::Sender::new(nobody);
    let proxy = HttpService::proxy(upstream.subscribe()).await;
    let edge = format!(
        "[probe.web-edge]\nproject = \"{PROJECT}\"\nservice = \"web\"\nvia = \"edge\"\n\
         http = \"{}\"\ninterval = \"1s\"\nexpect_json = {{ pointer = \"/status\", equals = \"healthy\" }}\n",
        proxy.url("/health")
    );
    let stage = Stage::watch("deny", &edge).await;
    let nginx = stage.up(ContainerSpec::service(PROJECT, "nginx"), &[]);
    let web = Web::up(&stage).await;
    upstream.send_replace(web.listens.address);
    answers(&stage, "edge", 1.0).await;
    answers(&stage, "direct", 1.0).await;
    Site {
        stage,
        web,
        nginx,
        proxy,
        upstream,
    }
}

/// Waits until the last probe by this way came to this.
async fn answers(stage: &Stage, via: &str, success: f64) {
    until(&format!("web answers {via}: {success}"), async || {
        let found = stage
            .metric("migwatch_probe_success", "web", &[("via", via)])
            .await;
        if found == Some(success) {
            Ok(())
        } else {
            Err(format!("{found:?} {:#?}", stage.daemon().status().await.probes))
        }
    })
    .await;
}

/// Waits until the probe through the proxy has failed so often that it would be told.
async fn edge_is_given_up(stage: &Stage) {
    let is_given_up = |status: &migwatch::model::status::Status| {
        let mut probes = status.probes.iter();
        probes.any(|probe| probe.probe.name == "web-edge" && probe.failures >= 4)
    };
    stage.daemon().until("the proxy is given up", is_given_up).await;
}

#[tokio::test]
async fn a_proxy_that_is_down_before_a_service_that_is_up_is_told_as_the_proxy() {
    let site = behind_a_proxy().await;
    let stage = &site.stage;
    stage.stop(&site.nginx);
    let _refuses = site.proxy.stop().await;
    let told = stage.told(&["ProxyDown(web)"]).await;
    assert!(words(&told[0]).contains("web-edge"), "{told:?}");
    answers(stage, "direct", 1.0).await;
    answers(stage, "edge", 0.0).await;
    let up = stage.metric("migwatch_service_up", "web", &[]).await;
    assert_eq!(up, Some(1.0));
    edge_is_given_up(stage).await;
    stage.heard_before_the_sentinel(&["ProxyDown(web)"]).await;
}

#[tokio::test]
async fn a_service_that_crashed_behind_a_proxy_that_is_up_is_told_as_the_service() {
    let site = behind_a_proxy().await;
    let stage = &site.stage;
    stage.catch_up();
    stage.engine.die(&site.web.container, 3);
    let _refuses = site.web.listens.stop().await;
    stage.told(&["ServiceDown(web)"]).await;
    answers(stage, "edge", 0.0).await;
    edge_is_given_up(stage).await;
    stage.heard_before_the_sentinel(&["ServiceDown(web)"]).await;
    let up = async |service| stage.metric("migwatch_service_up", service, &[]).await;
    assert_eq!((up("web").await, up("nginx").await), (Some(0.0), Some(1.0)));

    stage.catch_up();
    stage.engine.remove(&site.web.container);
    let web = Web::up(stage).await;
    site.upstream.send_replace(web.listens.address);
    answers(stage, "edge", 1.0).await;
    stage
        .told(&["ServiceDown(web)", "ServiceDown(web) resolved"])
        .await;
}

#[tokio::test]
async fn a_service_that_runs_and_does_not_answer_is_told_as_its_endpoint() {
    let site = behind_a_proxy().await;
    let stage = &site.stage;
    // The container runs on; what serves in it is frozen.
    site.web.frozen.send_replace(true);
    answers(stage, "direct", 0.0).await;
    stage.told(&["EndpointDown(web)"]).await;
    edge_is_given_up(stage).await;
    stage.heard_before_the_sentinel(&["EndpointDown(web)"]).await;
}

#[tokio::test]
async fn a_service_whose_own_health_check_fails_is_told_as_unhealthy_and_never_as_its_proxy() {
    let site = behind_a_proxy().await;
    let stage = &site.stage;
    stage.catch_up();
    stage.engine.health(&site.web.container, "unhealthy");
    stage.told(&["ServiceUnhealthy(web)"]).await;
    let _refuses = site.proxy.stop().await;
    edge_is_given_up(stage).await;
    stage.heard_before_the_sentinel(&["ServiceUnhealthy(web)"]).await;
    stage.engine.health(&site.web.container, "healthy");
    let wanted = [
        "ServiceUnhealthy(web)",
        "ServiceUnhealthy(web) resolved",
        "ProxyDown(web)",
    ];
    stage.told(&wanted).await;
}
