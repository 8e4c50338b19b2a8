//! Floor 4: the configuration file, parsed once into things that cannot be wrong.
//!
//! Promises that no file at all is a valid configuration; that every problem is reported at once, each with line, path and a
//! sentence (where the text is no TOML, everything that keeps it from being so); and that unknown keys are problems. Refuses to know the daemon. `config/migwatch.toml` shows every key.

mod expecting;
mod notes;
mod parts;
mod secrets;
mod section;
mod targets;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::Utf8Error;
use std::time::Duration;

use secrecy::SecretString;

use crate::database;
use crate::files;
use crate::judge::settings::Settings;
use crate::lines::{ExtraPatterns, Patterns};
use crate::model::container::FollowLogs;
use crate::model::service::ServiceId;
use crate::notify::Receiver;
use crate::probe;

use notes::Notes;
pub use parts::level;
use section::Section;

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
    /// Local processes that are watched through their logs.
    pub processes: Vec<files::Process>,
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

/// What the parser says, with what it leaves out: the key, the likely slip.
fn syntax(message: &str, at: Option<&str>) -> String {
    match at {
        Some(key) if message == "duplicate key" => format!("{key} is given twice here"),
        _ if message.ends_with("expected nothing") => format!("{message}; is it a text without its quotes?"),
        _ => message.to_owned(),
    }
}

fn not_utf8(bytes: &[u8], error: Utf8Error) -> Problem {
    Problem {
        line: notes::line(bytes.get(..error.valid_up_to()).unwrap_or(bytes)),
        path: String::new(),
        sentence: "is not UTF-8: save the file in this encoding".to_owned(),
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
        let bytes = std::fs::read(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        match str::from_utf8(&bytes) {
            Ok(text) => Self::parse(text, path),
            Err(error) => Err(ConfigError::Problems {
                path: path.to_owned(),
                problems: vec![not_utf8(&bytes, error)],
            }),
        }
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
            let span = error.span().unwrap_or_default();
            notes.add(span.start, "", syntax(error.message(), text.get(span)));
        }
        let config = if errors.is_empty() {
            let mut root = Section::root(document.get_ref(), &notes);
            let config = parts::read(&mut root);
            root.finish();
            Some(config)
        } else {
            None
        };
        let mut problems = notes.into_problems();
        if config.is_none() {
            // One slip makes the parser stumble on over the same line.
            problems.dedup_by_key(|problem| problem.line);
        }
        match (config, problems) {
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Config, ConfigError, Problem};

    /// Every place that may hold a secret.
    const SECRETIVE: &str = r#"
        web.token = "s3cret"
        [receiver.alertmanager.main]
        url = "http://kim:s3cret@alertmanager:9093?key=s3cret"
        [receiver.webhook.chat]
        url = "https://hooks.example.com/s3cret"
        [probe.page]
        project = "shop"
        service = "backend"
        http = "https://kim:s3cret@shop.example.com/health?key=s3cret"
        headers = { Authorization = "Bearer s3cret" }
        [database.shop]
        url = "mariadb://kim:s3cret@db/shop"
    "#;

    #[test]
    fn no_secret_of_a_configuration_is_ever_printed() {
        let config = Config::parse(SECRETIVE, Path::new("migwatch.toml")).unwrap();
        let places = (
            config.receivers.len(),
            config.probes.len(),
            config.databases.len(),
        );
        assert_eq!(places, (2, 1, 1));
        let printed = format!("{config:#?}");
        assert!(!printed.contains("s3cret"), "{printed}");
    }

    #[test]
    fn an_error_names_the_file_and_lists_every_problem_with_its_line() {
        let problem = |line, path: &str, sentence: &str| Problem {
            line,
            path: path.to_owned(),
            sentence: sentence.to_owned(),
        };
        let error = |problems| {
            let path = Path::new("migwatch.toml").to_owned();
            ConfigError::Problems { path, problems }.to_string()
        };
        let one = problem(7, "alerts.keep", "must be a text, not a number");
        assert_eq!(
            error(vec![one.clone()]),
            "one problem in migwatch.toml:\n  migwatch.toml:7: alerts.keep: must be a text, not a number"
        );
        assert_eq!(
            error(vec![problem(2, "", "is not UTF-8"), one]),
            "2 problems in migwatch.toml:\n  migwatch.toml:2: is not UTF-8\n  \
             migwatch.toml:7: alerts.keep: must be a text, not a number"
        );
    }
}
