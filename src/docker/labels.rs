//! What a container's labels say: which compose service it is, and what its owner wants of migwatch.
//!
//! Promises compose's own labels of version 1 and 2 and those of podman-compose; and for each `migwatch.*` key that is unknown or has a bad
//! value one sentence that names it. Refuses to fail: a bad label never hides a container.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::container::{FollowLogs, WatchLabels};
use crate::model::policy::Policy;
use crate::model::script::DEFAULT_ENVIRONMENT;
use crate::model::service::{Role, ServiceId};

/// A container's labels.
pub(super) type Labels = BTreeMap<String, String>;

const PREFIX: &str = "migwatch.";
/// Keys of the design whose meaning is still to come, exactly or as a prefix.
const LATER: [&str; 3] = ["db.url", "env.", "health.expect_body"];

/// The compose service that a container belongs to; `None` if compose did not make it.
pub(super) fn service(labels: &Labels) -> Option<ServiceId> {
    let project = first(
        labels,
        ["com.docker.compose.project", "io.podman.compose.project"],
    )?;
    let service = first(
        labels,
        ["com.docker.compose.service", "io.podman.compose.service"],
    )?;
    Some(ServiceId::new(project, service))
}

/// Compose's number of the replica; one-offs have none.
pub(super) fn number(labels: &Labels) -> Option<u32> {
    first(labels, ["com.docker.compose.container-number"])?
        .parse()
        .ok()
}

/// What the container is to its service. podman-compose marks its one-offs only by their name.
pub(super) fn role(labels: &Labels, name: &str) -> Role {
    let is_true = |key| {
        labels
            .get(key)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    };
    let temporary = name
        .rsplit_once("_tmp")
        .is_some_and(|(_, digits)| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()));
    if labels
        .get("com.docker.compose.hook")
        .is_some_and(|hook| !hook.is_empty())
    {
        Role::Hook
    } else if is_true("com.docker.compose.oneoff") || temporary {
        Role::OneOff
    } else {
        Role::Replica
    }
}

fn first<'a, const N: usize>(labels: &'a Labels, keys: [&str; N]) -> Option<&'a str> {
    keys.into_iter()
        .find_map(|key| labels.get(key))
        .map(String::as_str)
        .filter(|value| !value.is_empty())
}

/// The `migwatch.*` labels.
pub(super) fn watch_labels(labels: &Labels) -> WatchLabels {
    let mut parsed = WatchLabels::default();
    for (label, value) in labels {
        let Some(key) = label.strip_prefix(PREFIX) else {
            continue;
        };
        if let Err(problem) = take(&mut parsed, key, value.trim()) {
            parsed.warnings.push(format!("label {label}: {problem}"));
        }
    }
    parsed
}

fn take(into: &mut WatchLabels, key: &str, value: &str) -> Result<(), String> {
    if let Some(environment) = environment(key, ".db.table") {
        into.env_tables.insert(environment.to_owned(), table(value)?);
        return Ok(());
    }
    if let Some(environment) = environment(key, ".dir") {
        into.env_dirs.insert(environment.to_owned(), folder(value)?);
        return Ok(());
    }
    match key {
        "enable" => into.enable = Some(switch(value)?),
        "required" => into.required = Some(switch(value)?),
        "db.enable" => into.db_enable = Some(switch(value)?),
        "migrations" => migrations(into, value)?,
        "app" => into.app = Some(app(value)?),
        "logs" => into.logs = Some(follow(value)?),
        "health.url" => into.health_url = Some(url(value)?),
        "health.interval" => into.health_interval = Some(interval(value)?),
        "health.expect" => into.health_expect = Some(status(value)?),
        "db.table" | "env.default.db.table" => into.db_table = Some(table(value)?),
        "alembic.dir" | "env.default.dir" => {
            into.env_dirs
                .insert(DEFAULT_ENVIRONMENT.to_owned(), folder(value)?);
        }
        _ if LATER.iter().any(|later| key.starts_with(later)) => {
            return Err("not supported yet, so it has no effect".to_owned());
        }
        _ => return Err("unknown key, so it has no effect".to_owned()),
    }
    Ok(())
}

/// The NAME of `env.NAME` + `what`, except `default`.
fn environment<'a>(key: &'a str, what: &str) -> Option<&'a str> {
    let name = key.strip_prefix("env.")?.strip_suffix(what)?;
    let plain = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-');
    Some(name).filter(|name| !name.is_empty() && *name != "default" && name.chars().all(plain))
}

fn switch(value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(format!("{} is neither true nor false", quoted(value))),
    }
}

fn migrations(into: &mut WatchLabels, value: &str) -> Result<(), String> {
    match value {
        "explicit" => into.migrations = Some(Policy::Explicit),
        "deny" => into.migrations = Some(Policy::Deny),
        "allow" => into.migrations = Some(Policy::Allow),
        _ => {
            let problem = "is none of explicit, deny, allow, and no window's name";
            into.window = Some(name(value, problem)?);
        }
    }
    Ok(())
}

fn app(value: &str) -> Result<String, String> {
    name(value, "is no app's name")
}

/// A name of the configuration. Whether there is one of this name, only the configuration can say.
fn name(value: &str, problem: &str) -> Result<String, String> {
    let plain = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.');
    if !value.is_empty() && value.chars().count() <= 64 && value.chars().all(plain) {
        return Ok(value.to_owned());
    }
    Err(format!("{} {problem}", quoted(value)))
}

fn follow(value: &str) -> Result<FollowLogs, String> {
    match value {
        "always" => Ok(FollowLogs::Always),
        "startup" => Ok(FollowLogs::Startup),
        "never" => Ok(FollowLogs::Never),
        _ => Err(format!("{} is none of always, startup, never", quoted(value))),
    }
}

fn url(value: &str) -> Result<String, String> {
    match url::Url::parse(value) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(value.to_owned()),
        Ok(_) => Err("the value is no http:// or https:// address with a host".to_owned()),
        Err(error) => Err(format!("the value is no address: {error}")),
    }
}

fn interval(value: &str) -> Result<Duration, String> {
    let interval = humantime::parse_duration(value);
    let interval = interval.map_err(|_| format!("{} is no duration such as 15s or 1m", quoted(value)))?;
    if interval < Duration::from_secs(1) {
        return Err(format!("{} is shorter than 1s", quoted(value)));
    }
    Ok(interval)
}

fn status(value: &str) -> Result<u16, String> {
    let status = value.parse().ok().filter(|status| (100..600).contains(status));
    status.ok_or_else(|| format!("{} is no HTTP status from 100 to 599", quoted(value)))
}

fn table(value: &str) -> Result<String, String> {
    let plain = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.' | '$');
    if !value.is_empty() && value.chars().count() <= 128 && value.chars().all(plain) {
        return Ok(value.to_owned());
    }
    Err(format!("{} is no table's name", quoted(value)))
}

fn folder(value: &str) -> Result<String, String> {
    let plain = |character: char| !character.is_control();
    if !value.is_empty() && value.chars().count() <= 500 && value.chars().all(plain) {
        return Ok(value.to_owned());
    }
    Err(format!("{} is no folder's path", quoted(value)))
}

/// A bad value as shown in a warning: short, and no secret that was put there by mistake.
fn quoted(value: &str) -> String {
    let shown = crate::model::redact::shorten(&crate::model::redact::redact(value), 40);
    format!("{shown:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn compose_1_compose_2_and_podman_compose_name_project_and_service() {
        let compose = [
            ("com.docker.compose.project", "p"),
            ("com.docker.compose.service", "s"),
        ];
        assert_eq!(service(&labels(&compose)), Some(ServiceId::new("p", "s")));
        let podman = [
            ("io.podman.compose.project", "p"),
            ("com.docker.compose.service", "s"),
        ];
        assert_eq!(service(&labels(&podman)), Some(ServiceId::new("p", "s")));
        assert_eq!(service(&labels(&compose[..1])), None);
        assert_eq!(service(&labels(&[])), None);
    }

    #[test]
    fn a_one_off_is_known_by_its_label_or_by_podman_composes_name_and_a_hook_by_its_label() {
        for (label, name, expected) in [
            (
                ("com.docker.compose.oneoff", "True"),
                "p_s_run_0123456789ab",
                Role::OneOff,
            ),
            (("com.docker.compose.oneoff", "False"), "p_s_1", Role::Replica),
            (("io.podman.compose.project", "p"), "p_s_tmp12345", Role::OneOff),
            (("io.podman.compose.project", "p"), "p_s_tmp", Role::Replica),
            (
                ("com.docker.compose.hook", "pre_start"),
                "p-s-pre_start",
                Role::Hook,
            ),
        ] {
            assert_eq!(role(&labels(&[label]), name), expected, "{name}");
        }
    }

    #[test]
    fn every_good_label_is_taken_without_a_warning() {
        let parsed = watch_labels(&labels(&[
            ("migwatch.enable", "TRUE"),
            ("migwatch.migrations", "deny"),
            ("migwatch.app", "shop"),
            ("migwatch.required", "no"),
            ("migwatch.logs", "startup"),
            ("migwatch.health.url", "http://backend:8000/health"),
            ("migwatch.health.interval", "30s"),
            ("migwatch.health.expect", "204"),
            ("migwatch.db.enable", "off"),
            ("migwatch.db.table", "alembic_version_backend"),
            ("migwatch.env.rag.db.table", "alembic_version_rag"),
            ("migwatch.alembic.dir", "/srv/app"),
            ("migwatch.env.tenants.dir", "tenants/alembic.ini"),
            ("traefik.enable", "perhaps"),
        ]));
        let expected = WatchLabels {
            env_dirs: [("default", "/srv/app"), ("tenants", "tenants/alembic.ini")]
                .map(|(name, dir)| (name.to_owned(), dir.to_owned()))
                .into(),
            enable: Some(true),
            migrations: Some(Policy::Deny),
            window: None,
            app: Some("shop".to_owned()),
            required: Some(false),
            logs: Some(FollowLogs::Startup),
            health_url: Some("http://backend:8000/health".to_owned()),
            health_interval: Some(Duration::from_secs(30)),
            health_expect: Some(204),
            db_enable: Some(false),
            db_table: Some("alembic_version_backend".to_owned()),
            env_tables: [("rag".to_owned(), "alembic_version_rag".to_owned())].into(),
            warnings: Vec::new(),
        };
        assert_eq!(parsed, expected);
        let tables = [Some("rag"), Some("other"), None].map(|environment| parsed.table_of(environment));
        let default = Some("alembic_version_backend");
        assert_eq!(tables, [Some("alembic_version_rag"), default, default]);
    }

    #[test]
    fn a_policy_that_is_none_of_the_three_words_is_the_name_of_a_window() {
        let parsed = watch_labels(&labels(&[("migwatch.migrations", "sunday-night")]));
        assert_eq!(parsed.window.as_deref(), Some("sunday-night"));
        assert_eq!((parsed.migrations, parsed.warnings), (None, Vec::new()));
    }

    #[test]
    fn each_bad_or_unknown_label_warns_by_its_name_and_changes_nothing() {
        for (label, value, part) in [
            ("migwatch.enable", "perhaps", "neither true nor false"),
            ("migwatch.migrations", "on sundays", "none of explicit"),
            ("migwatch.app", "", "no app's name"),
            ("migwatch.required", "", "neither true nor false"),
            ("migwatch.logs", "sometimes", "none of always"),
            ("migwatch.health.url", "ftp://x/", "http://"),
            ("migwatch.health.url", "/health", "no address"),
            ("migwatch.health.interval", "fast", "no duration"),
            ("migwatch.health.interval", "10ms", "shorter than 1s"),
            ("migwatch.health.expect", "ok", "no HTTP status"),
            ("migwatch.health.expect", "99", "no HTTP status"),
            ("migwatch.db.enable", "2", "neither true nor false"),
            ("migwatch.db.table", "a; drop", "no table's name"),
            ("migwatch.env.rag.db.url", "mysql://db/x", "not supported yet"),
            ("migwatch.env.rag.db.table", "a; drop", "no table's name"),
            ("migwatch.env.a.b.db.table", "v", "not supported yet"),
            ("migwatch.env..db.table", "v", "not supported yet"),
            ("migwatch.enabled", "true", "unknown key"),
        ] {
            let parsed = watch_labels(&labels(&[(label, value)]));
            let [warning] = parsed.warnings.as_slice() else {
                panic!("{label}: {:?}", parsed.warnings)
            };
            assert!(warning.contains(label) && warning.contains(part), "{warning}");
            assert_eq!(
                WatchLabels {
                    warnings: Vec::new(),
                    ..parsed
                },
                WatchLabels::default()
            );
        }
    }

    #[test]
    fn a_secret_in_a_bad_value_stays_out_of_its_warning() {
        let parsed = watch_labels(&labels(&[("migwatch.db.table", "mysql://root:s3cret@db/app")]));
        assert!(!format!("{parsed:?}").contains("s3cret"), "{parsed:?}");
    }
}
