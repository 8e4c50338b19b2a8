//! Probe targets from what is known of containers: the label `migwatch.health.url`, else the URL that the container's own
//! health check asks. Pure.
//!
//! Promises to ask what the health check asks, of the container itself, and to call healthy what it calls healthy. Refuses to
//! guess: a check that it does not wholly understand (options that change the request, another host, HTTPS with a
//! certificate for `localhost`) gives no target.

mod check;

use std::net::IpAddr;
use std::time::Duration;

use url::Url;

use super::target::{Ask, HttpAsk, Target};
use crate::model::container::{ContainerLook, ContainerState};
use crate::model::probe::{ProbeId, Via};
use crate::model::service::Role;

/// The shortest interval that a label can ask for: a monitor is no load generator.
const SHORTEST: Duration = Duration::from_secs(1);

/// What is known of one container.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Its last look: whose it is, what it is doing, its labels.
    pub look: &'a ContainerLook,
    /// The health check in force (the service's, else the image's), as in Docker's `Healthcheck.Test`.
    pub healthcheck: Option<&'a [String]>,
    /// An address of it that can be reached from here; without one its health check's URL cannot be asked.
    pub address: Option<IpAddr>,
}

/// How often and how long a found target is asked, where its labels do not say.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// From one probe to the next.
    pub interval: Duration,
    /// The longest that one may take; never longer than its interval.
    pub timeout: Duration,
}

/// What was found.
#[derive(Debug, Default, PartialEq)]
pub struct Found {
    /// At most one a container, each with an ID of its own.
    pub targets: Vec<Target>,
    /// One sentence for each label that could not be used.
    pub warnings: Vec<String>,
}

/// The probes of `containers`. One-offs and hooks have none; nor have containers that do not run.
pub fn targets(containers: &[Seen<'_>], pace: Pace) -> Found {
    let mut found = Found::default();
    for seen in containers.iter().filter(|seen| is_served(seen.look)) {
        match ask_of(seen) {
            Ok(Some(ask)) => {
                let target = target(seen, ask, pace);
                // During a recreate two containers have one number for a moment: the first one keeps its probe.
                if found.targets.iter().all(|known| known.id != target.id) {
                    found.targets.push(target);
                }
            }
            Ok(None) => {}
            Err(warning) => found.warnings.push(warning),
        }
    }
    found
}

fn is_served(look: &ContainerLook) -> bool {
    use ContainerState::{Paused, Restarting, Running};
    look.role == Role::Replica
        && matches!(look.state, Running | Restarting | Paused)
        && look.labels.enable != Some(false)
}

fn target(seen: &Seen<'_>, ask: HttpAsk, pace: Pace) -> Target {
    let name = match seen.look.number {
        None | Some(1) => "health".to_owned(),
        Some(number) => format!("health-{number}"),
    };
    let interval = seen
        .look
        .labels
        .health_interval
        .map_or(pace.interval, |interval| interval.max(SHORTEST));
    Target {
        id: ProbeId {
            service: seen.look.service.clone(),
            name,
            via: Via::Direct,
        },
        ask: Ask::Http(ask),
        interval,
        timeout: pace.timeout.min(interval),
    }
}

fn ask_of(seen: &Seen<'_>) -> Result<Option<HttpAsk>, String> {
    let labels = &seen.look.labels;
    let mut ask = match &labels.health_url {
        Some(text) => HttpAsk::get(labelled(text, seen)?),
        None => match seen
            .healthcheck
            .zip(seen.address)
            .and_then(|(test, address)| check::ask(test, address))
        {
            Some(ask) => ask,
            None => return Ok(None),
        },
    };
    if let Some(status) = labels.health_expect {
        ask.expect_status = vec![status];
    }
    Ok(Some(ask))
}

/// The label's URL as it is.
fn labelled(text: &str, seen: &Seen<'_>) -> Result<Url, String> {
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| {
        format!(
            "container {}: the label migwatch.health.url is no http or https URL; write it like http://HOST:PORT/health",
            seen.look.name
        )
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Found, Pace, Seen, targets};
    use crate::model::container::{
        Armed, ArmedSource, ArmedState, ContainerLook, ContainerState, RestartPolicy, WatchLabels,
    };
    use crate::model::service::{ContainerId, Role, ServiceId};
    use crate::model::time::Timestamp;
    use crate::probe::target::Ask;

    const PACE: Pace = Pace {
        interval: Duration::from_secs(15),
        timeout: Duration::from_secs(5),
    };

    fn look(labels: WatchLabels) -> ContainerLook {
        ContainerLook {
            id: ContainerId("c0ffee".to_owned()),
            name: "coe-backend-1".to_owned(),
            service: ServiceId::new("coe", "backend"),
            role: Role::Replica,
            number: Some(1),
            image: "coe".to_owned(),
            created_at: Timestamp::default(),
            state: ContainerState::Running,
            started_at: None,
            finished_at: None,
            exit_code: 0,
            oom_killed: false,
            restart_count: 0,
            restart_policy: RestartPolicy::Always,
            health: None,
            tty: false,
            runs: None,
            armed: Armed {
                state: ArmedState::Disarmed,
                source: ArmedSource::Nothing,
            },
            labels,
        }
    }

    fn find(look: &ContainerLook) -> Found {
        let test = ["CMD", "curl", "-f", "http://localhost:8000/health"].map(str::to_owned);
        let address = "172.18.0.3".parse().ok();
        targets(
            &[Seen {
                look,
                healthcheck: Some(&test),
                address,
            }],
            PACE,
        )
    }

    #[test]
    fn the_label_goes_before_the_health_check_and_sets_pace_and_status() {
        let labels = WatchLabels {
            health_url: Some("http://localhost/health".to_owned()),
            health_interval: Some(Duration::from_secs(3)),
            health_expect: Some(204),
            ..WatchLabels::default()
        };
        let found = find(&look(labels));
        let [target] = found.targets.as_slice() else {
            panic!("{found:?}")
        };
        let Ask::Http(ask) = &target.ask else {
            panic!("{found:?}")
        };
        assert_eq!(
            (ask.url.as_str(), ask.expect_status.as_slice()),
            ("http://localhost/health", &[204][..])
        );
        assert_eq!(
            (target.interval, target.timeout),
            (Duration::from_secs(3), Duration::from_secs(3))
        );
        assert_eq!(target.id.name, "health");
    }

    #[test]
    fn a_label_cannot_make_a_load_generator() {
        let found = find(&look(WatchLabels {
            health_interval: Some(Duration::ZERO),
            ..WatchLabels::default()
        }));
        assert_eq!(found.targets[0].interval, Duration::from_secs(1));
    }

    #[test]
    fn a_bad_label_is_said_with_the_container_and_not_replaced_by_a_guess() {
        let health_url = Some("localhost:8000/health".to_owned());
        let found = find(&look(WatchLabels {
            health_url,
            ..WatchLabels::default()
        }));
        assert!(found.targets.is_empty());
        assert_eq!(
            found.warnings,
            [
                "container coe-backend-1: the label migwatch.health.url is no http or https URL; \
              write it like http://HOST:PORT/health"
            ]
        );
    }

    #[test]
    fn only_running_replicas_that_are_watched_are_asked() {
        let plain = look(WatchLabels::default());
        assert_eq!(find(&plain).targets.len(), 1);
        let one_off = ContainerLook {
            role: Role::OneOff,
            ..plain.clone()
        };
        let exited = ContainerLook {
            state: ContainerState::Exited,
            ..plain
        };
        let ignored = look(WatchLabels {
            enable: Some(false),
            ..WatchLabels::default()
        });
        for look in [one_off, exited, ignored] {
            assert_eq!(find(&look), Found::default());
        }
    }

    #[test]
    fn replicas_have_probes_of_their_own_and_a_recreate_has_one() {
        let first = look(WatchLabels::default());
        let second = ContainerLook {
            number: Some(2),
            ..first.clone()
        };
        let test = ["CMD-SHELL", "wget -q --spider http://localhost:8000/"].map(str::to_owned);
        let seen = |look, address: &str| Seen {
            look,
            healthcheck: Some(&test),
            address: address.parse().ok(),
        };
        let found = targets(
            &[
                seen(&first, "10.0.0.1"),
                seen(&first, "10.0.0.2"),
                seen(&second, "10.0.0.3"),
            ],
            PACE,
        );
        let shown: Vec<_> = found
            .targets
            .iter()
            .map(|t| (t.id.name.as_str(), t.ask.shown()))
            .collect();
        assert_eq!(
            shown,
            [
                ("health", "http://10.0.0.1:8000/".to_owned()),
                ("health-2", "http://10.0.0.3:8000/".to_owned())
            ]
        );
    }
}
