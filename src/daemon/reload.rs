//! Reads the configuration again when asked (SIGHUP, `POST /-/reload`): a bad file keeps the old one and says so.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::ExposeSecret;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::logging::with_causes;
use super::{Options, Overrides};
use crate::config::Config;
use crate::http::{Command, Reply};

/// How the last reload went: `None` is well.
pub(super) type Status = Arc<Mutex<Option<String>>>;

/// Commands under way to the monitor.
const TO_MONITOR: usize = 16;

/// Takes commands: carries out reloads, hands the rest on.
pub(super) struct Reload {
    file: Option<PathBuf>,
    /// Where one is looked for as long as there is none.
    places: Vec<PathBuf>,
    overrides: Overrides,
    config: watch::Sender<Arc<Config>>,
    commands: mpsc::Receiver<(Command, Reply)>,
    signals: mpsc::Receiver<()>,
    monitor: mpsc::Sender<(Command, Reply)>,
    status: Status,
}

impl Reload {
    /// Also gives where the monitor takes its commands.
    pub(super) fn new(
        options: &Options,
        config: watch::Sender<Arc<Config>>,
        commands: mpsc::Receiver<(Command, Reply)>,
        signals: mpsc::Receiver<()>,
    ) -> (Self, mpsc::Receiver<(Command, Reply)>) {
        let (monitor, handed_on) = mpsc::channel(TO_MONITOR);
        let reload = Self {
            file: options.config_file.clone(),
            places: options.config_places.clone(),
            overrides: options.overrides.clone(),
            config,
            commands,
            signals,
            monitor,
            status: Arc::default(),
        };
        (reload, handed_on)
    }

    pub(super) fn status(&self) -> Status {
        Arc::clone(&self.status)
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some((command, reply)) = self.commands.recv() => match command {
                    Command::Reload => {
                        // Whoever asked may be gone; the reload was made all the same.
                        let _ = reply.send(self.reload().map(Into::into));
                    }
                    other => {
                        // The monitor ends after this task.
                        let _ = self.monitor.send((other, reply)).await;
                    }
                },
                Some(()) = self.signals.recv() => {
                    let _ = self.reload();
                }
                else => {
                    stop.cancelled().await;
                    return;
                }
            }
        }
    }

    fn reload(&mut self) -> Result<String, String> {
        if self.file.is_none() {
            self.file = self.places.iter().find(|file| file.is_file()).cloned();
        }
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        match Config::load(self.file.as_deref()) {
            Ok(mut new) => {
                self.overrides.apply(&mut new);
                for part in needs_restart(&self.config.borrow(), &new) {
                    tracing::warn!(part, "this part of the configuration changes only at a restart");
                }
                self.config.send_replace(Arc::new(new));
                *status = None;
                let from = self.file.as_ref().map_or_else(
                    || "no file is there, so the defaults hold".to_owned(),
                    |file| format!("from {}", file.display()),
                );
                tracing::info!(from, "configuration reloaded");
                Ok(format!("configuration reloaded: {from}"))
            }
            Err(error) => {
                let text = with_causes(&error);
                tracing::error!(
                    error = text,
                    "the new configuration is not used; the old one stays"
                );
                *status = Some(text.clone());
                Err(text)
            }
        }
    }
}

/// The parts that a running daemon does not take up.
fn needs_restart(old: &Config, new: &Config) -> Vec<&'static str> {
    let token = |config: &Config| {
        let token = config.web.token.as_ref();
        token.map(|token| token.expose_secret().to_owned())
    };
    let mut parts = Vec::new();
    if token(old) != token(new) || old.web.listen != new.web.listen || old.web.socket != new.web.socket {
        parts.push("web");
    }
    if old.engine_host != new.engine_host || old.resync != new.resync {
        parts.push("engine");
    }
    if old.data_dir != new.data_dir {
        parts.push("data");
    }
    if old.log != new.log {
        parts.push("log");
    }
    if old.reading != new.reading {
        parts.push("databases");
    }
    if old.patterns != new.patterns {
        parts.push("patterns");
    }
    parts
}
