//! What the daemon is started with, and why it may not start.

use std::path::PathBuf;

use crate::config::{Config, ConfigError};
use crate::docker::Endpoint;
use crate::http::{self, HttpError};
use crate::journal::JournalError;

/// What the daemon is started with.
#[derive(Debug)]
pub struct Options {
    /// The configuration as loaded.
    pub config: Config,
    /// Where it came from: read again at a reload.
    pub config_file: Option<PathBuf>,
    /// Where a reload looks for a file if there was none: the first that is there is taken, and kept.
    pub config_places: Vec<PathBuf>,
    /// Flags win over the file, also at a reload.
    pub overrides: Overrides,
    /// Where the engine is.
    pub endpoint: Endpoint,
    /// Where the journal lives.
    pub data_dir: PathBuf,
    /// Version and revision of this build.
    pub build: http::Build,
}

/// What flags and environment say; wins over the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--web.listen-address`
    pub listen: Option<std::net::SocketAddr>,
    /// `--log.level`
    pub level: Option<String>,
    /// `--log.format`
    pub json: Option<bool>,
}

impl Overrides {
    /// Puts the flags over the file.
    pub fn apply(&self, config: &mut Config) {
        if let Some(listen) = self.listen {
            config.web.listen = listen;
        }
        if let Some(level) = &self.level {
            config.log.level.clone_from(level);
        }
        if let Some(json) = self.json {
            config.log.json = json;
        }
    }
}

/// Why the daemon does not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The HTTP side.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal's snapshot is not one of this program.
    #[error(
        "the snapshot in {dir}/journal.db cannot be read as this version's state: move the file away to begin anew, or use the version that wrote it"
    )]
    Snapshot {
        /// The data folder.
        dir: PathBuf,
        /// What does not fit.
        #[source]
        source: serde_json::Error,
    },
    /// The configuration, at a reload.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A client cannot be made.
    #[error("cannot make the HTTP client for receivers")]
    Client(#[source] reqwest::Error),
    /// A metric cannot be registered.
    #[error("cannot register the metrics")]
    Metrics(#[source] prometheus::Error),
    /// A task ended by itself: a bug.
    #[error("the task {0} ended by itself; this is a bug: please report it with the log above")]
    TaskEnded(String),
}
