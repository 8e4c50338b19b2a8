//! Floor 6: the command line. Reads flags and environment, once; says what went wrong on stderr; answers with an exit code:
//! 0 good, 1 a finding, 2 wrong usage or something unreachable.

mod ack;
mod approve;
mod check;
mod client;
mod deploy;
mod healthcheck;
mod history;
mod local;
mod output;
mod plan;
mod preflight;
mod reload;
mod run;
mod status;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::Config;
use crate::daemon::Overrides;
use crate::docker::endpoint::{Endpoint, EndpointError, Variables};
use crate::http::Build;

/// All is well.
const GOOD: u8 = 0;
/// Something was found that a person should look at.
const FINDING: u8 = 1;
/// Wrong usage, or something could not be reached.
const UNREACHABLE: u8 = 2;

/// Watches compose stacks whose database migrations must not run by accident.
#[derive(Debug, Parser)]
#[command(name = "migwatch", version, about, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Flags of every command, named as in the Prometheus family.
#[derive(Debug, Args)]
struct Global {
    /// The configuration file [default: `$XDG_CONFIG_HOME/migwatch/migwatch.toml` or /etc/migwatch/migwatch.toml, if there is one]
    #[arg(
        long = "config.file",
        env = "MIGWATCH_CONFIG_FILE",
        global = true,
        value_name = "FILE"
    )]
    config_file: Option<PathBuf>,
    /// Where the journal and the command socket live [default: `$XDG_STATE_HOME/migwatch`, ~/.local/state/migwatch or /var/lib/migwatch]
    #[arg(
        long = "data.dir",
        env = "MIGWATCH_DATA_DIR",
        global = true,
        value_name = "DIR"
    )]
    data_dir: Option<PathBuf>,
    /// Where metrics, page and API are served [default: 127.0.0.1:9778]
    #[arg(
        long = "web.listen-address",
        env = "MIGWATCH_WEB_LISTEN_ADDRESS",
        global = true,
        value_name = "ADDRESS"
    )]
    listen: Option<SocketAddr>,
    /// error, warn, info, debug or trace [default: info]
    #[arg(
        long = "log.level",
        env = "MIGWATCH_LOG_LEVEL",
        global = true,
        value_name = "LEVEL",
        value_parser = crate::config::level
    )]
    level: Option<String>,
    /// text or json [default: text]
    #[arg(
        long = "log.format",
        env = "MIGWATCH_LOG_FORMAT",
        global = true,
        value_name = "FORMAT"
    )]
    format: Option<LogFormat>,
    /// How results are printed
    #[arg(
        long,
        env = "MIGWATCH_OUTPUT",
        global = true,
        value_name = "FORMAT",
        default_value = "table"
    )]
    output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For a review; of `plan` and `preflight` only, the others print a table
    Markdown,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch (the default)
    Run,
    /// Check the configuration and try the engine, each database and each endpoint; prints what to do
    Check,
    /// What runs, what fires, and where migwatch is blind
    Status,
    /// Migrations, newest first
    History(history::Arguments),
    /// What a migration of a service would do: pending revisions, what is destructive, what locks, whose tables it touches
    Plan(plan::Arguments),
    /// The checklist before a deploy; exit 0 if nothing stands in its way
    Preflight(preflight::Arguments),
    /// Close an alert or a migration, with a note
    Ack(ack::Arguments),
    /// Expect one migration of a service, for a while
    Approve(approve::Arguments),
    /// Expect one migration of a service for as long as a command runs, then see what became of it
    Deploy(deploy::Arguments),
    /// Have the daemon read its configuration again
    Reload,
    /// Whether the daemon of this data folder answers; for container health checks
    Healthcheck,
}

/// What can go wrong before a command does its work.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error(transparent)]
    Client(#[from] client::ClientError),
    #[error(transparent)]
    Daemon(#[from] crate::daemon::DaemonError),
    #[error(transparent)]
    Engine(#[from] crate::docker::EngineError),
    #[error(transparent)]
    Scripts(#[from] crate::files::scripts::ScriptsError),
    #[error("{0}")]
    Usage(String),
    #[error("cannot start the runtime")]
    Runtime(#[source] std::io::Error),
    #[error("cannot take {0}")]
    Signal(&'static str, #[source] std::io::Error),
    #[error("cannot run {0}: nothing was done")]
    Command(String, #[source] std::io::Error),
    #[error("cannot print the result as JSON")]
    Json(#[source] serde_json::Error),
}

/// Parses the command line and carries it out.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::error(&error);
            ExitCode::from(UNREACHABLE)
        }
    }
}

fn dispatch(cli: &Cli) -> Result<u8, CliError> {
    match &cli.command {
        None | Some(Command::Run) => run::run(&cli.global),
        Some(Command::Check) => check::check(&cli.global),
        Some(Command::Status) => status::status(&cli.global),
        Some(Command::History(arguments)) => history::history(&cli.global, arguments),
        Some(Command::Plan(arguments)) => plan::plan(&cli.global, arguments),
        Some(Command::Preflight(arguments)) => preflight::preflight(&cli.global, arguments),
        Some(Command::Ack(arguments)) => ack::ack(&cli.global, arguments),
        Some(Command::Approve(arguments)) => approve::approve(&cli.global, arguments),
        Some(Command::Deploy(arguments)) => deploy::deploy(&cli.global, arguments),
        Some(Command::Reload) => reload::reload(&cli.global),
        Some(Command::Healthcheck) => healthcheck::healthcheck(&cli.global),
    }
}

impl Global {
    fn overrides(&self) -> Overrides {
        Overrides {
            listen: self.listen,
            level: self.level.clone(),
            json: self.format.map(|format| format == LogFormat::Json),
        }
    }

    /// The file that is asked for, else the first that is there.
    fn config_file(&self) -> Option<PathBuf> {
        let first = || config_places().into_iter().find(|file| file.is_file());
        self.config_file.clone().or_else(first)
    }

    fn config(&self) -> Result<Config, CliError> {
        let mut config = Config::load(self.config_file().as_deref())?;
        self.overrides().apply(&mut config);
        Ok(config)
    }

    fn data_dir(&self, config: &Config) -> PathBuf {
        let of_home = || {
            variable("XDG_STATE_HOME")
                .map(PathBuf::from)
                .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".local/state")))
                .map(|place| place.join("migwatch"))
        };
        let given = self.data_dir.clone().or_else(|| config.data_dir.clone());
        given
            .or_else(of_home)
            .unwrap_or_else(|| PathBuf::from("/var/lib/migwatch"))
    }

    /// The socket over which commands reach the daemon.
    fn socket(&self, config: &Config) -> PathBuf {
        config
            .web
            .socket
            .clone()
            .unwrap_or_else(|| self.data_dir(config).join("migwatch.sock"))
    }
}

/// Where a configuration file is looked for when none is named, the first before the others.
fn config_places() -> Vec<PathBuf> {
    let home = variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".config")));
    let places = [home, Some(PathBuf::from("/etc"))];
    places
        .into_iter()
        .flatten()
        .map(|place| place.join("migwatch/migwatch.toml"))
        .collect()
}

/// Where the engine is, by config and the variables that Docker's own tools read.
fn endpoint(config: &Config) -> Result<Endpoint, CliError> {
    let variables = Variables {
        host: config.engine_host.clone(),
        docker_host: variable("DOCKER_HOST"),
        docker_tls_verify: variable("DOCKER_TLS_VERIFY"),
        docker_cert_path: variable("DOCKER_CERT_PATH").map(PathBuf::from),
        home: variable("HOME").map(PathBuf::from),
        xdg_runtime_dir: variable("XDG_RUNTIME_DIR").map(PathBuf::from),
    };
    Ok(Endpoint::choose(&variables)?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment is read here and nowhere else"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Who acts, where nobody says so.
fn person(given: Option<&str>) -> String {
    let given = given.map(str::to_owned);
    let by = given
        .or_else(|| variable("SUDO_USER"))
        .or_else(|| variable("USER"));
    by.unwrap_or_default()
}

/// Version and revision of this build.
fn build() -> Build {
    Build {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        revision: option_env!("MIGWATCH_BUILD_REVISION")
            .unwrap_or("unknown")
            .to_owned(),
    }
}

/// A small runtime for commands that ask and print.
fn block_on<T>(work: impl std::future::Future<Output = T>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.map_err(CliError::Runtime)?.block_on(work))
}
