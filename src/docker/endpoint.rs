//! Where the engine is: a local socket, plain TCP, or TLS.
//!
//! Promises to read what `docker` itself reads (`DOCKER_HOST`, `DOCKER_TLS_VERIFY`, `DOCKER_CERT_PATH`), to find Docker's and Podman's
//! usual sockets, and to say what to do when one cannot be opened. Refuses to read the process's environment: values are handed in.

use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::tls;

/// Where Docker listens when nothing else is said.
const DOCKER_SOCKET: &str = "/var/run/docker.sock";
/// Where rootful Podman listens.
const PODMAN_SOCKET: &str = "/run/podman/podman.sock";
/// Docker's registered ports, without and with TLS.
const PLAIN_PORT: u16 = 2375;
const TLS_PORT: u16 = 2376;

/// Where the engine is.
#[derive(Clone)]
pub enum Endpoint {
    /// A local socket of Docker or Podman.
    Unix(PathBuf),
    /// Plain HTTP, such as a socket proxy on the same network.
    Tcp {
        /// Name or address, IPv6 without brackets.
        host: String,
        /// Its port.
        port: u16,
    },
    /// HTTP over TLS with the client's certificate.
    Tls {
        /// Name or address, IPv6 without brackets.
        host: String,
        /// Its port.
        port: u16,
        /// Whom to trust and who we are.
        client: Arc<rustls::ClientConfig>,
    },
}

/// The values that choose an endpoint, read from config and environment by the caller. Empty counts as not given.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    /// `engine.host` of the config: wins over everything.
    pub host: Option<String>,
    /// `DOCKER_HOST`
    pub docker_host: Option<String>,
    /// `DOCKER_TLS_VERIFY`: any value but an empty one asks for TLS.
    pub docker_tls_verify: Option<String>,
    /// `DOCKER_CERT_PATH`: holds `ca.pem`, `cert.pem`, `key.pem`.
    pub docker_cert_path: Option<PathBuf>,
    /// `HOME`: `.docker` in it is the default of `DOCKER_CERT_PATH`.
    pub home: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`: rootless Docker and Podman keep their sockets there.
    pub xdg_runtime_dir: Option<PathBuf>,
}

/// An endpoint that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The text is no address of an engine.
    #[error(
        "cannot read the engine's address {host:?}: {problem}; write unix:///var/run/docker.sock or tcp://HOST:PORT"
    )]
    Address {
        /// As written, credentials removed.
        host: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A known way to reach an engine that migwatch does not have.
    #[error(
        "cannot reach the engine over {scheme}: forward its socket to a local path or a TCP port and name that"
    )]
    Unsupported {
        /// `ssh`, `npipe`, `fd`
        scheme: String,
    },
    /// The certificates for TLS cannot be used.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
}

impl Endpoint {
    /// The endpoint that the values ask for, else the first local socket there is, else Docker's own place (it may come later).
    ///
    /// # Errors
    /// When the address cannot be read or the certificates of a TLS endpoint cannot be used.
    pub fn choose(variables: &Variables) -> Result<Self, EndpointError> {
        let given = [&variables.host, &variables.docker_host];
        match given.into_iter().flatten().find(|host| !host.trim().is_empty()) {
            Some(host) => Self::parse(host.trim(), variables),
            None => Ok(Self::local(variables)),
        }
    }

    fn local(variables: &Variables) -> Self {
        let rootless = variables
            .xdg_runtime_dir
            .iter()
            .flat_map(|dir| ["podman/podman.sock", "docker.sock"].map(|name| dir.join(name)));
        let mut candidates = [PathBuf::from(DOCKER_SOCKET)]
            .into_iter()
            .chain(rootless)
            .chain([PathBuf::from(PODMAN_SOCKET)]);
        Self::Unix(
            candidates
                .find(|path| path.exists())
                .unwrap_or_else(|| PathBuf::from(DOCKER_SOCKET)),
        )
    }

    fn parse(text: &str, variables: &Variables) -> Result<Self, EndpointError> {
        let problem = |problem| EndpointError::Address {
            host: without_credentials(text),
            problem,
        };
        if text.starts_with('/') {
            return Ok(Self::Unix(text.into()));
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("tcp", text));
        match scheme {
            "unix" if Path::new(rest).is_absolute() => Ok(Self::Unix(rest.into())),
            "unix" => Err(problem("the socket's path must be absolute")),
            "tcp" | "http" | "https" => {
                let verify = variables
                    .docker_tls_verify
                    .as_ref()
                    .is_some_and(|value| !value.is_empty());
                let secure = scheme == "https" || (scheme == "tcp" && verify);
                let (host, port) =
                    host_and_port(rest, if secure { TLS_PORT } else { PLAIN_PORT }).map_err(problem)?;
                if !secure {
                    return Ok(Self::Tcp { host, port });
                }
                let client = tls::client(&certificates(variables))?;
                Ok(Self::Tls { host, port, client })
            }
            "ssh" | "npipe" | "fd" => Err(EndpointError::Unsupported {
                scheme: scheme.to_owned(),
            }),
            _ => Err(problem("unknown scheme")),
        }
    }

    /// The group that owns the socket, when there is one: what `group_add` wants. `None` for TCP and for a socket that cannot be seen.
    pub fn socket_group(&self) -> Option<u32> {
        match self {
            Self::Unix(path) => std::fs::metadata(path).ok().map(|metadata| metadata.gid()),
            Self::Tcp { .. } | Self::Tls { .. } => None,
        }
    }

    /// What a failed attempt to connect means here and what to do about it: one sentence, without secrets.
    pub fn explain(&self, error: &io::Error) -> String {
        let Self::Unix(path) = self else {
            return format!(
                "cannot connect to {self}: {error}; is the engine (or its socket proxy) up and reachable from here?"
            );
        };
        let path = path.display();
        match error.kind() {
            io::ErrorKind::PermissionDenied => {
                let group = self
                    .socket_group()
                    .map_or_else(|| "GID".to_owned(), |group| group.to_string());
                format!(
                    "may not open {path}: it belongs to group {group}; give migwatch that group \
                     (docker run --group-add {group}, compose group_add: [\"{group}\"], or usermod -aG)"
                )
            }
            io::ErrorKind::NotFound => {
                format!(
                    "there is no socket at {path}; start the engine, mount the socket into the container, or set engine.host or DOCKER_HOST"
                )
            }
            io::ErrorKind::ConnectionRefused => {
                format!(
                    "nobody listens on {path}; start the engine (a mounted socket must be mounted again after the engine made a new one)"
                )
            }
            _ => format!("cannot connect to {path}: {error}"),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port } => write!(f, "tcp://{}:{port}", bracketed(host)),
            Self::Tls { host, port, .. } => write!(f, "https://{}:{port}", bracketed(host)),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

fn certificates(variables: &Variables) -> PathBuf {
    let given = variables
        .docker_cert_path
        .clone()
        .filter(|path| !path.as_os_str().is_empty());
    given.unwrap_or_else(|| variables.home.clone().unwrap_or_default().join(".docker"))
}

fn without_credentials(text: &str) -> String {
    let Some(at) = text.rfind('@') else {
        return text.to_owned();
    };
    let scheme = text.find("://").filter(|scheme| *scheme < at);
    let scheme = scheme.map_or("", |scheme| text.get(..scheme + 3).unwrap_or_default());
    format!("{scheme}***{}", text.get(at..).unwrap_or_default())
}

fn host_and_port(rest: &str, default: u16) -> Result<(String, u16), &'static str> {
    let authority = rest.trim_end_matches('/');
    if authority.contains('/') {
        return Err("a path behind the port is not supported");
    }
    if authority.contains('@') {
        return Err("credentials in the address are not supported");
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(bracketed) => {
            let (host, after) = bracketed
                .split_once(']')
                .ok_or("the bracket of the IPv6 address is not closed")?;
            (host, after.strip_prefix(':'))
        }
        None => match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if host.is_empty() {
        return Err("the host is missing");
    }
    let port = port.map_or(Ok(default), |port| {
        port.parse()
            .map_err(|_| "the port is not a number from 0 to 65535")
    })?;
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, Variables};

    fn from_docker_host(host: &str) -> Result<String, String> {
        let variables = Variables {
            docker_host: Some(host.to_owned()),
            ..Variables::default()
        };
        Endpoint::choose(&variables)
            .map(|endpoint| endpoint.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn every_usual_form_of_an_address_is_understood() {
        for (host, shown) in [
            (
                "unix:///run/user/1000/docker.sock",
                "unix:///run/user/1000/docker.sock",
            ),
            ("/run/docker.sock", "unix:///run/docker.sock"),
            ("tcp://proxy:2375", "tcp://proxy:2375"),
            ("tcp://proxy", "tcp://proxy:2375"),
            ("proxy:1234", "tcp://proxy:1234"),
            ("http://10.0.0.1:80/", "tcp://10.0.0.1:80"),
            ("tcp://[::1]:2375", "tcp://[::1]:2375"),
        ] {
            assert_eq!(from_docker_host(host).as_deref(), Ok(shown), "{host}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_used_says_why_and_shows_no_credentials() {
        for (host, part) in [
            ("unix://relative.sock", "absolute"),
            ("tcp://host:99999", "port"),
            ("tcp://:2375", "host is missing"),
            ("tcp://me:s3cret@host:1", "credentials"),
            ("ssh://me@host", "forward its socket"),
            ("gopher://host", "unknown scheme"),
            ("tcp://host:1/prefix", "path"),
        ] {
            let error = from_docker_host(host).unwrap_err();
            assert!(
                error.contains(part) && !error.contains("s3cret"),
                "{host}: {error}"
            );
        }
    }

    #[test]
    fn the_config_wins_over_the_environment_and_empty_values_do_not_count() {
        let variables = Variables {
            host: Some("tcp://config:1".to_owned()),
            docker_host: Some("tcp://environment:2".to_owned()),
            docker_tls_verify: Some(String::new()),
            ..Variables::default()
        };
        assert_eq!(
            Endpoint::choose(&variables).unwrap().to_string(),
            "tcp://config:1"
        );
        let variables = Variables {
            host: Some(" ".to_owned()),
            ..variables
        };
        assert_eq!(
            Endpoint::choose(&variables).unwrap().to_string(),
            "tcp://environment:2"
        );
    }

    #[test]
    fn tls_without_certificates_names_the_file_that_is_missing() {
        let variables = Variables {
            docker_host: Some("tcp://host:2376".to_owned()),
            docker_tls_verify: Some("1".to_owned()),
            docker_cert_path: Some("/nowhere/at/all".into()),
            ..Variables::default()
        };
        let error = Endpoint::choose(&variables).unwrap_err().to_string();
        assert!(error.contains("/nowhere/at/all/ca.pem"), "{error}");
    }

    #[test]
    fn a_socket_that_may_not_be_opened_names_its_group_and_the_option_that_gives_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker.sock");
        std::fs::write(&path, "").unwrap();
        let endpoint = Endpoint::Unix(path);
        let group = endpoint.socket_group().unwrap();
        let sentence = endpoint.explain(&std::io::ErrorKind::PermissionDenied.into());
        assert!(
            sentence.contains(&format!("--group-add {group}")) && sentence.contains("group_add"),
            "{sentence}"
        );
        assert!(
            Endpoint::Unix("/nowhere".into())
                .explain(&std::io::ErrorKind::NotFound.into())
                .contains("DOCKER_HOST")
        );
    }
}
