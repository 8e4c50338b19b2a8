//! The service or the proxy in front of it: which of the two is down?

use super::*;

/// The service is asked directly by what migwatch finds in its health check; the way through the proxy is configured.
async fn behind_a_proxy() -> Scene {
    let stack = Stack::new().await;
    stack.up("nginx", &[]).await;
    let (project, nginx) = (&stack.project, stack.address("nginx").await);
    let edge = format!(
        "[probe.web-edge]\nproject = \"{project}\"\nservice = \"web\"\nvia = \"edge\"\n\
         http = \"http://{nginx}/health\"\ninterval = \"1s\"\nexpect_json = {{ pointer = \"/status\", equals = \"healthy\" }}\n"
    );
    stack.up("web", &[]).await;
    stack.healthy("web").await;
    let scene = Scene::watch(stack, "deny", &edge).await;
    answers(&scene, "edge", 1.0).await;
    answers(&scene, "direct", 1.0).await;
    scene
}

/// Waits until the last probe by this way came to this.
async fn answers(scene: &Scene, via: &str, success: f64) {
    until(&format!("web answers {via}: {success}"), async || {
        let found = scene
            .metric("migwatch_probe_success", "web", &[("via", via)])
            .await;
        if found == Some(success) {
            Ok(())
        } else {
            Err(format!("{found:?} {:#?}", scene.daemon().status().await.probes))
        }
    })
    .await;
}

#[tokio::test]
async fn a_proxy_that_is_down_before_a_service_that_is_up_is_told_as_the_proxy() {
    let scene = behind_a_proxy().await;
    scene.stack.stop("nginx").await;
    let alerts = scene.alerts(&["ProxyDown(web)"]).await;
    assert!(
        alerts[0].annotation("description").contains("web-edge"),
        "{alerts:?}"
    );
    answers(&scene, "direct", 1.0).await;
    answers(&scene, "edge", 0.0).await;
    assert_eq!(scene.metric("migwatch_service_up", "web", &[]).await, Some(1.0));
    scene.heard_beside_the_sentinel(&["ProxyDown(web)"]).await;
}

#[tokio::test]
async fn a_service_that_crashed_behind_a_proxy_that_is_up_is_told_as_the_service() {
    let scene = behind_a_proxy().await;
    scene.stack.exec("web", &["touch", "/tmp/crash"]).await;
    scene.alerts(&["ServiceDown(web)"]).await;
    answers(&scene, "edge", 0.0).await;
    scene.heard_beside_the_sentinel(&["ServiceDown(web)"]).await;
    assert_eq!(scene.metric("migwatch_service_up", "web", &[]).await, Some(0.0));
    assert_eq!(scene.metric("migwatch_service_up", "nginx", &[]).await, Some(1.0));

    scene.stack.recreate("web", &[]).await;
    scene.alerts(&["UnexpectedMigration(sentinel)"]).await;
    answers(&scene, "edge", 1.0).await;
}

#[tokio::test]
async fn a_service_that_runs_and_does_not_answer_is_told_as_its_endpoint() {
    let scene = behind_a_proxy().await;
    // The container runs on; what serves in it is frozen.
    let freeze = "for of in /proc/[0-9]*; do if grep -q '[g]unicorn' $of/cmdline; then kill -STOP ${of#/proc/}; fi; done";
    scene.stack.exec("web", &["sh", "-c", freeze]).await;

    answers(&scene, "direct", 0.0).await;
    scene.alerts(&["EndpointDown(web)"]).await;
    scene.heard_beside_the_sentinel(&["EndpointDown(web)"]).await;
}
