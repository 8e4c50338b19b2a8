//! Floor 3: the configuration file, parsed once into things that cannot be wrong.
//!
//! Promises that no file at all is a valid configuration; that every problem is reported at once, each with line, path and a
//! sentence; and that unknown keys are problems. Refuses to know the daemon. `config/migwatch.toml` shows every key.

mod parts;
mod section;
mod targets;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use crate::database;
use crate::judge::settings::Settings;
use crate::lines::{ExtraPatterns, Patterns};
use crate::model::container::FollowLogs;
use crate::model::service::ServiceId;
use crate::notify::Receiver;
use crate::probe;

use section::{Notes, Section};

/// Everything that can be configured.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the engine is; `None` leaves it to `DOCKER_HOST` and the local sockets.
    pub engine_host: Option<String>,
    /// How often everything is looked at again.
    pub resync: Duration,
    /// The HTTP side.
    pub web: Web,
    /// Where the journal lives; `None` is the default place.
    pub data_dir: Option<PathBuf>,
    /// Our own log.
    pub log: Log,
    /// What the judge is told.
    pub settings: Settings,
    /// Services whose log is not followed always.
    pub follow: BTreeMap<ServiceId, FollowLogs>,
    /// How often firing alerts are sent again.
    pub resend: Duration,
    /// Who is told.
    pub receivers: Vec<Receiver>,
    /// Configured probes.
    pub probes: Vec<probe::Target>,
    /// Configured databases.
    pub databases: Vec<database::Target>,
    /// Credentials found in containers may be used.
    pub use_found_databases: bool,
    /// How databases are read.
    pub reading: database::Config,
    /// Patterns of one's own beside the built-in ones.
    pub patterns: ExtraPatterns,
}

/// The HTTP side.
#[derive(Clone, Debug)]
pub struct Web {
    /// Where metrics, page and API are served.
    pub listen: SocketAddr,
    /// The unix socket for the command line; `None` is `<data dir>/migwatch.sock`.
    pub socket: Option<PathBuf>,
    /// What a POST over TCP must carry; `None` forbids it.
    pub token: Option<SecretString>,
}

/// Our own log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// A tracing filter: `info`, `migwatch=debug`, ...
    pub level: String,
    /// One JSON object a line instead of text.
    pub json: bool,
}

/// One problem of a configuration file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The line, counted from 1.
    pub line: usize,
    /// The key's path: `probe.web.timeout`; empty for the file as a whole.
    pub path: String,
    /// What is wrong and what would be right.
    pub sentence: String,
}

/// Why a configuration is not used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}: check that it exists and may be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Its content is wrong.
    #[error("{} in {path}:\n{}", count(.problems.len()), list(.path, .problems))]
    Problems {
        /// The file.
        path: PathBuf,
        /// All of them, in the order of the file.
        problems: Vec<Problem>,
    },
}

fn count(problems: usize) -> String {
    if problems == 1 {
        "one problem".to_owned()
    } else {
        format!("{problems} problems")
    }
}

fn list(path: &Path, problems: &[Problem]) -> String {
    let lines = problems
        .iter()
        .map(|problem| format!("  {}:{problem}", path.display()));
    lines.collect::<Vec<_>>().join("\n")
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.line)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.sentence)
    }
}

impl Config {
    /// Reads `path`, or gives the defaults where there is none.
    ///
    /// # Errors
    /// The file cannot be read, or has problems: all of them.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = path else {
            return Self::parse("", Path::new(""));
        };
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Parses the text of the file `path` (which only names it in errors, and is where relative secret files are looked for).
    ///
    /// # Errors
    /// Every problem of the text.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let notes = Notes::new(text, folder);
        let (document, errors) = toml::de::DeTable::parse_recoverable(text);
        for error in &errors {
            let at = error.span().map_or(0, |span| span.start);
            notes.add(at, "", error.message());
        }
        let config = if errors.is_empty() {
            let mut root = Section::root(document.get_ref(), &notes);
            let config = parts::read(&mut root);
            root.finish();
            Some(config)
        } else {
            None
        };
        match (config, notes.into_problems()) {
            (Some(config), problems) if problems.is_empty() => Ok(config),
            (_, problems) => Err(ConfigError::Problems {
                path: path.to_owned(),
                problems,
            }),
        }
    }

    /// The compiled patterns.
    pub fn compile_patterns(&self) -> Patterns {
        // They were compiled once when the file was checked; nothing can be wrong with them now.
        Patterns::with(&self.patterns).unwrap_or_else(|_| Patterns::builtin())
    }
}
