//! GET, for tests that ask real servers.

use std::sync::LazyLock;

use serde::de::DeserializeOwned;

/// No connection is kept: every test has a runtime of its own, and a kept one would belong to another's.
static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
    migwatch::daemon::tls::install_provider();
    let builder = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
    builder.build().expect("nothing is asked of it that it cannot do")
});

/// A JSON document; `Err` says what came instead.
pub(crate) async fn json<T: DeserializeOwned>(url: &str) -> Result<T, String> {
    let answer = CLIENT.get(url).send().await.map_err(|error| error.to_string())?;
    let status = answer.status();
    let body = answer.text().await.map_err(|error| error.to_string())?;
    if !status.is_success() {
        return Err(format!("{status}: {body}"));
    }
    serde_json::from_str(&body).map_err(|error| format!("{error}: {body}"))
}
