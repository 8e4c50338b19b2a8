//! The parts of the file that are about migwatch itself and about policy.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use super::expecting::{self, Names};
use super::section::Section;
use super::{Config, Log, Web, targets};
use crate::database;
use crate::docker::endpoint::{Endpoint, EndpointError, Variables};
use crate::judge::settings::{ServiceSettings, Settings};
use crate::lines::{ExtraPatterns, Patterns};
use crate::model::container::FollowLogs;
use crate::model::revision::DatabaseId;
use crate::model::service::ServiceId;
use crate::notify::Receiver;

/// Where metrics, page and API are served unless something else is said: only on this machine.
const LISTEN: &str = "127.0.0.1:9778";

/// How many starts of a container are remembered bounds how long a restart loop may be counted.
const MOST_RESTARTS: u32 = 7;

const FOLLOW: [(&str, FollowLogs); 3] = [
    ("always", FollowLogs::Always),
    ("startup", FollowLogs::Startup),
    ("never", FollowLogs::Never),
];

/// What a service may name, right ones and wrong ones: whoever names a wrong one has made no second mistake.
struct Known {
    windows: Names,
    databases: Vec<String>,
}

/// Reads the whole file.
pub(super) fn read(root: &mut Section<'_>) -> Config {
    let (engine_host, resync) = engine(root.section("engine"));
    let web = web(root.section("web"));
    let data_dir = data(root.section("data"));
    let log = log(root.section("log"));
    let mut settings = Settings::default();
    let resend = alerts(root.section("alerts"), &mut settings);
    let windows = expecting::windows(root, &mut settings);
    expecting::apps(root, &mut settings);
    policy(root.section("policy"), &windows, &mut settings);
    let named_databases = root.named("database");
    let known = Known {
        windows,
        databases: named_databases.iter().map(|(name, _)| name.clone()).collect(),
    };
    let mut follow = BTreeMap::new();
    for (name, section) in root.named("project") {
        project(&name, section, &known, &mut settings, &mut follow);
    }
    let receivers = targets::receivers(root);
    settings.receivers = receivers
        .iter()
        .map(|receiver: &Receiver| receiver.name().to_owned())
        .collect();
    let probes = targets::probes(root);
    settings.configured_probes = probes.iter().map(|probe| probe.id.clone()).collect();
    let (use_found_databases, reading) = databases(root.section("databases"));
    Config {
        engine_host,
        resync,
        web,
        data_dir,
        log,
        follow,
        resend,
        receivers,
        probes,
        processes: targets::processes(root),
        databases: targets::databases(named_databases, &mut settings),
        use_found_databases,
        reading,
        patterns: patterns(root.section("patterns")),
        settings,
    }
}

fn engine(section: Option<Section<'_>>) -> (Option<String>, Duration) {
    const RESYNC: Duration = Duration::from_mins(1);
    let Some(mut section) = section else {
        return (None, RESYNC);
    };
    let host = section.given("host");
    if let Some(problem) = host.as_ref().and_then(|host| unusable(host)) {
        section.wrong("host", problem);
    }
    let resync = section.duration("resync", RESYNC);
    section.finish();
    (host, resync)
}

/// What is wrong with the engine's address. Certificates are looked at when it is used: where they lie, the environment says.
fn unusable(host: &str) -> Option<String> {
    let variables = Variables {
        host: Some(host.to_owned()),
        ..Variables::default()
    };
    match Endpoint::choose(&variables) {
        Ok(_) | Err(EndpointError::Tls(_)) => None,
        Err(error) => Some(error.to_string()),
    }
}

fn web(section: Option<Section<'_>>) -> Web {
    let default: SocketAddr = LISTEN
        .parse()
        .unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], 9778)));
    let Some(mut section) = section else {
        return Web {
            listen: default,
            socket: None,
            token: None,
        };
    };
    let listen = section.text("listen_address").map_or(default, |text| {
        text.parse().unwrap_or_else(|_| {
            section.wrong(
                "listen_address",
                format!("{text:?} is no address: write it as {LISTEN} or [::1]:9778"),
            );
            default
        })
    });
    let socket = section.given("socket").map(PathBuf::from);
    let token = section.secret("token").map(|given| given.secret);
    section.finish();
    Web {
        listen,
        socket,
        token,
    }
}

fn data(section: Option<Section<'_>>) -> Option<PathBuf> {
    let mut section = section?;
    let dir = section.given("dir").map(PathBuf::from);
    section.finish();
    dir
}

fn log(section: Option<Section<'_>>) -> Log {
    let mut log = Log {
        level: "info".to_owned(),
        json: false,
    };
    let Some(mut section) = section else { return log };
    if let Some(text) = section.text("level") {
        match level(&text) {
            Ok(level) => log.level = level,
            Err(problem) => section.wrong("level", problem),
        }
    }
    log.json = section
        .choice("format", &[("text", false), ("json", true)])
        .unwrap_or(false);
    section.finish();
    log
}

/// Checks how much is logged: a level, or several `target=level` with commas between.
///
/// # Errors
/// A sentence, when it is neither. A word alone would otherwise be taken for a target, and silence all others.
pub fn level(text: &str) -> Result<String, String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let ends_in_level = |piece: &str| {
        let level = piece.rsplit('=').next().unwrap_or(piece);
        LEVELS.contains(&level.trim().to_ascii_lowercase().as_str())
    };
    if text.split(',').all(ends_in_level) && EnvFilter::try_new(text).is_ok() {
        return Ok(text.to_owned());
    }
    Err(format!(
        "{text:?} is no level: write error, warn, info, debug or trace"
    ))
}

/// Fills what the judge is told of alerts; returns how often they are sent again.
fn alerts(section: Option<Section<'_>>, settings: &mut Settings) -> Duration {
    const RESEND: Duration = Duration::from_mins(1);
    let Some(mut section) = section else { return RESEND };
    settings.host = section.text("host").unwrap_or_default();
    settings.keep = section.duration("keep", settings.keep);
    settings.behind_after = section.duration("behind_after", settings.behind_after);
    settings.armed_after = section.duration("armed_after", settings.armed_after);
    settings.max_duration = section.duration("max_duration", settings.max_duration);
    settings.database_grace = section.duration("database_grace", settings.database_grace);
    settings.blind_grace = section.duration("blind_grace", settings.blind_grace);
    settings.failures = section.integer("failures", settings.failures, 1..=1000);
    let restarts = section.integer("restarts", 3, 1..=MOST_RESTARTS);
    settings.restarts = usize::try_from(restarts).unwrap_or(settings.restarts);
    settings.restarts_within = section.duration("restarts_within", settings.restarts_within);
    let resend = section.duration("resend", RESEND);
    section.finish();
    resend
}

fn policy(section: Option<Section<'_>>, windows: &Names, settings: &mut Settings) {
    let Some(mut section) = section else { return };
    if let Some(given) = expecting::policy(&mut section, windows) {
        settings.policy = given.policy;
        settings.windows.everywhere = given.window;
    }
    section.finish();
}

fn project(
    name: &str,
    mut section: Section<'_>,
    known: &Known,
    settings: &mut Settings,
    follow: &mut BTreeMap<ServiceId, FollowLogs>,
) {
    if let Some(given) = expecting::policy(&mut section, &known.windows) {
        settings.projects.insert(name.to_owned(), given.policy);
        let window = given.window.map(|window| (name.to_owned(), window));
        settings.windows.projects.extend(window);
    }
    for (service, mut section) in section.named("service") {
        let id = ServiceId::new(name, service);
        if let Some(logs) = section.choice("logs", &FOLLOW) {
            follow.insert(id.clone(), logs);
        }
        let given = expecting::policy(&mut section, &known.windows);
        let window = given.as_ref().and_then(|given| given.window.clone());
        settings
            .windows
            .services
            .extend(window.map(|window| (id.clone(), window)));
        let service = ServiceSettings {
            policy: given.map(|given| given.policy),
            required: section.optional_boolean("required"),
            database: database_of(&mut section, known),
            table: section.given("table"),
        };
        settings.services.insert(id, service);
        section.finish();
    }
    section.finish();
}

/// The database that a service names: one of this file.
fn database_of(section: &mut Section<'_>, known: &Known) -> Option<DatabaseId> {
    let name = section.given("database")?;
    if !known.databases.contains(&name) {
        section.wrong(
            "database",
            format!("{name:?} is no database of this file: give it a [database.{name}], or leave it out"),
        );
    }
    Some(DatabaseId(name))
}

fn databases(section: Option<Section<'_>>) -> (bool, database::Config) {
    let default = database::Config::default();
    let Some(mut section) = section else {
        return (true, default);
    };
    let enable = section.boolean("enable", true);
    let interval = section.duration("interval", default.interval);
    let timeout = section.duration("timeout", default.timeout.min(interval / 2));
    if timeout >= interval {
        let limit = humantime::format_duration(interval);
        section.wrong("timeout", format!("must be shorter than the interval ({limit})"));
    }
    let schema_interval = section.duration("schema_interval", default.schema_interval.max(interval));
    if schema_interval < interval {
        let limit = humantime::format_duration(interval);
        section.wrong(
            "schema_interval",
            format!("must not be shorter than the interval ({limit})"),
        );
    }
    section.finish();
    let reading = database::Config {
        interval,
        timeout,
        schema_interval,
    };
    (enable, reading)
}

fn patterns(section: Option<Section<'_>>) -> ExtraPatterns {
    let Some(mut section) = section else {
        return ExtraPatterns::default();
    };
    let extra = ExtraPatterns {
        running: section.texts("running"),
        skipped: section.texts("skipped"),
        finished: section.texts("finished"),
        application_up: section.texts("application_up"),
    };
    if let Err(problems) = Patterns::with(&extra) {
        for problem in problems {
            section.wrong(
                problem.list,
                format!("entry {}: {}", problem.index.saturating_add(1), problem.sentence),
            );
        }
    }
    section.finish();
    extra
}
