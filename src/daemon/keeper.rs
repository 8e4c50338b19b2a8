//! Keeps the receivers' task in step with the configuration: a reload that changes receivers begins it anew, any other leaves it alone.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::model::alert::Outbox;
use crate::model::observation::Observation;
use crate::model::time::Clock;
use crate::notify::{self, Handed, Notify};

/// The longest that one delivery may take.
const DELIVERY: Duration = Duration::from_secs(5);

/// What the receivers' task is connected to.
pub(super) struct Wiring {
    pub(super) outbox: watch::Receiver<Arc<Outbox>>,
    pub(super) inbox: mpsc::Sender<Observation>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) handed: Handed,
}

/// Runs until `stop`.
pub(super) async fn run(
    mut config: watch::Receiver<Arc<Config>>,
    wiring: Wiring,
    client: reqwest::Client,
    stop: CancellationToken,
) {
    let wiring = notify::Wiring {
        outbox: wiring.outbox,
        client,
        inbox: wiring.inbox,
        clock: wiring.clock,
        handed: wiring.handed,
    };
    let mut done = notify::Done::default();
    loop {
        let current = Arc::clone(&config.borrow_and_update());
        let settings = notify::Config {
            resend: current.resend,
            timeout: DELIVERY,
        };
        let child = stop.child_token();
        let edge = Notify::new(settings, current.receivers.clone(), &wiring, done).run(child.clone());
        tokio::pin!(edge);
        let changed = async {
            // When nobody can change the config any more, the stop is near.
            if config.wait_for(|new| differ(&current, new)).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            ended = &mut edge => done = ended,
            () = changed => {
                child.cancel();
                done = edge.await;
            }
        }
        if stop.is_cancelled() {
            return;
        }
    }
}

/// Whether what the receivers' task goes by differs.
fn differ(old: &Config, new: &Config) -> bool {
    old.resend != new.resend || old.receivers != new.receivers
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::differ;
    use crate::config::Config;

    const RECEIVERS: &str = r#"
        [alerts]
        resend = "1m"
        [receiver.alertmanager.main]
        url = "http://alertmanager:9093"
        [receiver.webhook.chat]
        url = "https://hooks.example.com/s3cret"
    "#;

    #[test]
    fn only_what_concerns_the_receivers_begins_their_task_anew() {
        let parsed = |text: &str| Config::parse(text, Path::new("migwatch.toml")).unwrap();
        let before = parsed(RECEIVERS);
        assert!(!differ(&before, &parsed(RECEIVERS)));
        assert!(!differ(
            &before,
            &parsed(&format!("log.level = \"debug\"\n{RECEIVERS}"))
        ));
        for (old, new) in [
            ("1m", "2m"),
            ("9093", "9094"),
            ("s3cret", "another"),
            (".chat", ".pager"),
            ("/s3cret\"", "/s3cret\"\nformat = \"slack\""),
        ] {
            assert!(differ(&before, &parsed(&RECEIVERS.replace(old, new))), "{new}");
        }
    }
}
