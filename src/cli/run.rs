//! `migwatch run`: the daemon, until SIGTERM or SIGINT.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{CliError, GOOD, Global, build, config_places, endpoint};
use crate::daemon::clock::SystemClock;
use crate::daemon::{self, Options, logging};

/// Reload requests under way; more at once say nothing more.
const RELOADS: usize = 1;

/// Blocking file and database work beside the two workers.
const BLOCKING_THREADS: usize = 8;

pub(super) fn run(global: &Global) -> Result<u8, CliError> {
    let config = global.config()?;
    logging::begin(&config.log.level, config.log.json);
    let options = Options {
        endpoint: endpoint(&config)?,
        data_dir: global.data_dir(&config),
        config_file: global.config_file(),
        config_places: config_places(),
        overrides: global.overrides(),
        build: build(),
        config,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()
        .map_err(CliError::Runtime)?;
    // A task of its own: what `block_on` polls itself is woken across threads, twelve times slower on streams.
    let ended = runtime.block_on(async { runtime.spawn(watch(options)).await });
    runtime.shutdown_background();
    match ended {
        Ok(ended) => ended,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

async fn watch(options: Options) -> Result<u8, CliError> {
    let mut terminate =
        signal(SignalKind::terminate()).map_err(|error| CliError::Signal("SIGTERM", error))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| CliError::Signal("SIGINT", error))?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(|error| CliError::Signal("SIGHUP", error))?;
    let (reload, reloads) = mpsc::channel(RELOADS);
    let stop = CancellationToken::new();
    let endpoint = options.endpoint.to_string();
    let daemon = daemon::run(options, Arc::new(SystemClock), reloads, stop.clone(), |address| {
        let address = address.map_or_else(|| "nowhere".to_owned(), |address| format!("http://{address}/"));
        tracing::info!(
            version = build().version,
            page = address,
            engine = endpoint,
            "migwatch watches"
        );
    });
    tokio::pin!(daemon);
    loop {
        tokio::select! {
            ended = &mut daemon => {
                ended?;
                tracing::info!("stopped as asked");
                return Ok(GOOD);
            }
            Some(()) = terminate.recv() => stop.cancel(),
            Some(()) = interrupt.recv() => stop.cancel(),
            Some(()) = hang_up.recv() => {
                // One that waits already will read the newest file.
                let _ = reload.try_send(());
            }
        }
    }
}
