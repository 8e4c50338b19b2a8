//! The parts of the file that name others: receivers, probes, databases.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};
use regex::Regex;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::secrets::Given;
use super::section::Section;
use crate::database::{DatabaseUrl, Tables, Target as Database};
use crate::files::{LogPath, Process};
use crate::judge::settings::Settings;
use crate::lines::gist;
use crate::model::probe::{ProbeId, Via};
use crate::model::revision::DatabaseId;
use crate::model::service::ServiceId;
use crate::notify::{Format, Receiver};
use crate::probe::{Ask, HttpAsk, JsonExpectation, Target as Probe};

/// The project of local processes.
const LOCAL: &str = "local";

/// Receivers, in the order of their names.
pub(super) fn receivers(root: &mut Section<'_>) -> Vec<Receiver> {
    let Some(mut section) = root.section("receiver") else {
        return Vec::new();
    };
    let mut receivers: BTreeMap<String, Receiver> = BTreeMap::new();
    for (name, mut one) in section.named("alertmanager") {
        if let Some(url) = http_url(&mut one, "url", "it says where the Alertmanager is") {
            receivers.insert(name.clone(), Receiver::Alertmanager { name, url });
        }
        one.finish();
    }
    for (name, mut one) in section.named("webhook") {
        if receivers.contains_key(&name) {
            one.wrong(
                "url",
                format!("the name {name} is also an Alertmanager's: receivers need names of their own"),
            );
        }
        let format = one.choice("format", &[("json", Format::Json), ("slack", Format::Slack)]);
        if let Some(url) = webhook_url(&mut one) {
            let format = format.unwrap_or(Format::Json);
            receivers.insert(name.clone(), Receiver::Webhook { name, url, format });
        }
        one.finish();
    }
    section.finish();
    receivers.into_values().collect()
}

/// A webhook's URL is a secret as a whole.
fn webhook_url(section: &mut Section<'_>) -> Option<SecretString> {
    let Given { key, secret } = section.needed_secret("url")?;
    parsed(section, &key, secret.expose_secret())?;
    Some(secret)
}

fn http_url(section: &mut Section<'_>, key: &str, why: &str) -> Option<Url> {
    let text = section.needed(key, why)?;
    parsed(section, key, &text)
}

fn parsed(section: &Section<'_>, key: &str, text: &str) -> Option<Url> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(url),
        _ => {
            section.wrong(
                key,
                "is no URL: it begins with http:// or https:// and names a host",
            );
            None
        }
    }
}

/// Probes, in the order of their names.
pub(super) fn probes(root: &mut Section<'_>) -> Vec<Probe> {
    let each = root
        .named("probe")
        .into_iter()
        .filter_map(|(name, section)| probe(name, section));
    each.collect()
}

fn probe(name: String, mut section: Section<'_>) -> Option<Probe> {
    const INTERVAL: Duration = Duration::from_secs(15);
    const TIMEOUT: Duration = Duration::from_secs(5);
    let service = service(&mut section);
    let via = section
        .choice("via", &[("direct", Via::Direct), ("edge", Via::Edge)])
        .unwrap_or_default();
    let interval = section.duration("interval", INTERVAL);
    let timeout = section.duration("timeout", TIMEOUT.min(interval));
    if timeout > interval {
        let limit = humantime::format_duration(interval);
        section.wrong(
            "timeout",
            format!("must not be longer than its interval ({limit})"),
        );
    }
    let tcp = tcp_ask(&mut section);
    let ask = match (section.has("http"), section.has("tcp")) {
        (false, true) => tcp,
        (has_http, has_tcp) => {
            if has_http && has_tcp {
                section.wrong("tcp", "and http are both given: leave one out");
            }
            http_ask(&mut section).map(Ask::Http)
        }
    };
    section.finish();
    Some(Probe {
        id: ProbeId {
            service: service?,
            name,
            via,
        },
        ask: ask?,
        interval,
        timeout,
    })
}

fn service(section: &mut Section<'_>) -> Option<ServiceId> {
    const WHOSE: &str = "it says whose health this is";
    let project = section.needed("project", WHOSE);
    let service = section.needed("service", WHOSE);
    Some(ServiceId::new(project?, service?))
}

fn tcp_ask(section: &mut Section<'_>) -> Option<Ask> {
    let text = section.text("tcp")?;
    let split = text
        .rsplit_once(':')
        .and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    match split {
        Some((host, port)) if !host.is_empty() => Some(Ask::Tcp {
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
        }),
        _ => {
            section.wrong("tcp", "is no address: write it as host:port");
            None
        }
    }
}

fn http_ask(section: &mut Section<'_>) -> Option<HttpAsk> {
    let url = http_url(section, "http", "give http = \"URL\" or tcp = \"host:port\"");
    let method = section.text("method").map_or(Method::GET, |text| {
        Method::from_bytes(text.as_bytes()).unwrap_or_else(|_| {
            section.wrong("method", format!("{text:?} is no HTTP method"));
            Method::GET
        })
    });
    let headers = headers(section);
    let expect_status = section.integers("expect_status", 100..=599);
    let expect_body = section.given("expect_body").and_then(|pattern| {
        Regex::new(&pattern)
            .map_err(|error| {
                section.wrong(
                    "expect_body",
                    format!("is no regular expression: {}", gist(&error)),
                );
            })
            .ok()
    });
    let expect_json = expect_json(section);
    let follow_redirects = section.boolean("follow_redirects", false);
    Some(HttpAsk {
        url: url?,
        method,
        headers,
        expect_status,
        expect_body,
        expect_json,
        follow_redirects,
    })
}

fn headers(section: &mut Section<'_>) -> Vec<(HeaderName, SecretString)> {
    let Some(mut inner) = section.section("headers") else {
        return Vec::new();
    };
    let mut headers = Vec::new();
    for (name, value) in inner.text_entries() {
        match (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(&value),
        ) {
            (Ok(name), Ok(_)) => headers.push((name, SecretString::from(value))),
            (Err(_), _) => inner.wrong(&name, "is no name of an HTTP header"),
            (_, Err(_)) => inner.wrong(&name, "has a value that cannot be sent as a header"),
        }
    }
    headers
}

fn expect_json(section: &mut Section<'_>) -> Option<JsonExpectation> {
    let mut inner = section.section("expect_json")?;
    let pointer = inner.text("pointer");
    let equals = inner.json("equals");
    if !inner.has("pointer") || !inner.has("equals") {
        inner.wrong(
            "pointer",
            "expect_json needs pointer and equals: { pointer = \"/status\", equals = \"healthy\" }",
        );
    }
    if pointer.as_ref().is_some_and(|pointer| !pointer.starts_with('/')) {
        inner.wrong("pointer", "begins with a slash: \"/status\"");
    }
    inner.finish();
    Some(JsonExpectation {
        pointer: pointer?,
        equals: equals?,
    })
}

/// Databases, in the order of their names. Services bound to one of them by name are told its tables.
pub(super) fn databases(named: Vec<(String, Section<'_>)>, settings: &mut Settings) -> Vec<Database> {
    let mut databases = Vec::new();
    for (name, mut section) in named {
        databases.extend(database(&name, &mut section, settings));
        section.finish();
    }
    for (service, configured) in &settings.services {
        let Some(wanted) = &configured.database else {
            continue;
        };
        let Some(database) = databases.iter_mut().find(|database| database.id == *wanted) else {
            continue;
        };
        if !database.services.contains(service) {
            database.services.push(service.clone());
        }
    }
    databases
}

fn database(name: &str, section: &mut Section<'_>, settings: &mut Settings) -> Option<Database> {
    if section.choice("moved_by", &[("here", false), ("anywhere", true)]) == Some(true) {
        settings.moved_by_anywhere.insert(DatabaseId(name.to_owned()));
    }
    let project = section.text("project");
    let mut services: Vec<ServiceId> = Vec::new();
    for service in section.texts("services") {
        match (service.split_once('/'), &project) {
            (Some((project, service)), _) => services.push(ServiceId::new(project, service)),
            (None, Some(project)) => services.push(ServiceId::new(project, service)),
            (None, None) => section.wrong(
                "services",
                format!("{service:?} needs a project: give project, or write it as project/{service}"),
            ),
        }
    }
    let tables = section.texts("tables");
    let ca = section.file("ca_file");
    let url = section.needed_secret("url").and_then(|given| {
        DatabaseUrl::parse(given.secret.expose_secret())
            .map_err(|error| section.wrong(&given.key, error.to_string()))
            .ok()
    });
    let bound = settings
        .services
        .values()
        .filter(|service| service.database.as_ref().is_some_and(|id| id.0 == name));
    let mut named: Vec<String> = tables;
    if !named.is_empty() {
        named.extend(bound.filter_map(|service| service.table.clone()));
        named.sort();
        named.dedup();
    }
    let tables = if named.is_empty() {
        Tables::Found
    } else {
        Tables::Named(named)
    };
    Some(Database {
        id: DatabaseId(name.to_owned()),
        services,
        url: url?,
        tables,
        ca,
    })
}

/// Local processes, in the order of their names.
pub(super) fn processes(root: &mut Section<'_>) -> Vec<Process> {
    let mut processes: Vec<Process> = Vec::new();
    for (name, mut section) in root.named("process") {
        let project = section.given("project").unwrap_or_else(|| LOCAL.to_owned());
        let service = section.given("service").unwrap_or(name);
        let id = ServiceId::new(project, service);
        let log = section.needed("log", "it says where the process's log file is");
        let log = log.and_then(|log| {
            LogPath::parse(&log, section.notes.folder())
                .map_err(|error| section.wrong("log", error.to_string()))
                .ok()
        });
        if processes.iter().any(|known| known.id == id) {
            section.wrong(
                "service",
                format!("{id} is another process already: give this one a name of its own"),
            );
        }
        processes.extend(log.map(|log| Process { id, log }));
        section.finish();
    }
    processes
}
