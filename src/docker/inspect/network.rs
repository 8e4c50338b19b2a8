//! Where a container can be reached, from the engine's JSON of it.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::{text, texts};
use crate::docker::inventory::{NetworkAddress, PublishedPort};

fn object<'a>(json: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
    json.pointer(pointer)
        .and_then(Value::as_object)
        .map(Map::iter)
        .into_iter()
        .flatten()
}

pub(super) fn networks(json: &Value) -> Vec<NetworkAddress> {
    let address = |(network, settings): (&String, &Value)| {
        let ip = ["/IPAddress", "/GlobalIPv6Address"]
            .into_iter()
            .find_map(|key| text(settings, key)?.parse::<IpAddr>().ok())?;
        Some(NetworkAddress {
            network: network.clone(),
            ip,
            aliases: texts(settings, "/Aliases"),
        })
    };
    object(json, "/NetworkSettings/Networks")
        .filter_map(address)
        .collect()
}

/// `"80/tcp"`
fn port(text: &str) -> Option<(u16, &str)> {
    let (port, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    Some((port.parse().ok()?, protocol))
}

pub(super) fn published(json: &Value) -> Vec<PublishedPort> {
    let mut published = Vec::new();
    for (inside, bindings) in object(json, "/NetworkSettings/Ports") {
        let Some((container_port, protocol)) = port(inside) else {
            continue;
        };
        for binding in bindings.as_array().into_iter().flatten() {
            let host_ip = text(binding, "/HostIp")
                .and_then(|ip| ip.parse().ok())
                .unwrap_or(IpAddr::from([0, 0, 0, 0]));
            let Some(host_port) = text(binding, "/HostPort").and_then(|port| port.parse().ok()) else {
                continue;
            };
            published.push(PublishedPort {
                container_port,
                host_ip,
                host_port,
                protocol: protocol.to_owned(),
            });
        }
    }
    published
}

pub(super) fn exposed(json: &Value) -> Vec<u16> {
    let ports = object(json, "/Config/ExposedPorts").filter_map(|(text, _)| port(text));
    let mut ports: Vec<u16> = ports
        .filter(|(_, protocol)| *protocol == "tcp")
        .map(|(port, _)| port)
        .collect();
    ports.sort_unstable();
    ports
}
