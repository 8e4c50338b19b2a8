//! Keeps the receivers' task in step with the configuration: a reload that changes receivers begins it anew.

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
    loop {
        let current = Arc::clone(&config.borrow_and_update());
        let settings = notify::Config {
            resend: current.resend,
            timeout: DELIVERY,
        };
        let child = stop.child_token();
        let edge = Notify::new(settings, current.receivers.clone(), &wiring).run(child.clone());
        tokio::pin!(edge);
        let changed = async {
            // When nobody can change the config any more, the stop is near.
            if config.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = &mut edge => {}
            () = changed => {
                child.cancel();
                edge.await;
            }
        }
        if stop.is_cancelled() {
            return;
        }
    }
}
