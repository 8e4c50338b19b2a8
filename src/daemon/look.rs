//! One look at the engine for `migwatch check`: what would be watched.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::clock::SystemClock;
use super::targets::{self, Targets};
use crate::config::Config;
use crate::docker::{self, Docker, Endpoint};
use crate::model::log::ResumeFrom;
use crate::model::observation::Observation;

/// How long the first look may take.
const LOOK: Duration = Duration::from_secs(10);

/// Observations that nobody judges: they are only made room for.
const UNJUDGED: usize = 64;

/// What would be read and probed, as config and containers say.
pub async fn targets(config: &Config, endpoint: Endpoint) -> Targets {
    let (inbox, mut unjudged) = mpsc::channel(UNJUDGED);
    let (inventory, mut view) = watch::channel(Arc::new(Vec::new()));
    let (_sender, config_view) = watch::channel(Arc::new(config.clone()));
    let wiring = docker::Wiring {
        inbox,
        inventory,
        clock: Arc::new(SystemClock),
        choose: targets::choose(config_view),
        resume: Arc::new(|_, _| ResumeFrom::Recent),
        begun: Vec::new(),
        patterns: Arc::new(config.compile_patterns()),
    };
    let stop = CancellationToken::new();
    let edge = Docker::new(
        docker::Config {
            endpoint,
            resync: config.resync,
        },
        wiring,
    )
    .run(stop.clone());
    let looked = async {
        let first = view.changed();
        tokio::pin!(first);
        loop {
            tokio::select! {
                _ = &mut first => return,
                // Nothing to publish: the inventory stays as it is.
                Some(seen) = unjudged.recv() => {
                    if matches!(seen, Observation::FullLook(containers) if containers.is_empty()) {
                        return;
                    }
                }
            }
        }
    };
    tokio::select! {
        () = edge => {}
        _ = tokio::time::timeout(LOOK, looked) => {}
    }
    stop.cancel();
    let containers = Arc::clone(&view.borrow());
    targets::derive(config, &containers)
}

/// What the configuration alone says.
pub fn configured(config: &Config) -> Targets {
    targets::derive(config, &[])
}
