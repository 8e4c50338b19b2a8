//! Where a database is and who asks it: the URLs that SQLAlchemy understands, without their drivers.
//!
//! Promises that a password never shows in `Debug`, `Display`, errors or the ID, and that the ID of one database is always the
//! same text. Refuses to know how to connect.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use crate::model::database::DatabaseKind;
use crate::model::revision::DatabaseId;

/// The address of one database with what is needed to log in.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// MariaDB or MySQL.
    MySql(Server),
    /// PostgreSQL.
    Postgres(Server),
    /// A SQLite file.
    Sqlite(PathBuf),
}

/// A database on a server.
#[derive(Clone)]
pub struct Server {
    /// A host name or an address, IPv6 without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// Who logs in.
    pub user: String,
    /// With what; empty for none.
    pub password: SecretString,
    /// The schema (MariaDB, MySQL) or database (PostgreSQL).
    pub schema: String,
    /// How much TLS is asked for.
    pub tls: Tls,
}

/// How much TLS is asked for, after PostgreSQL's `sslmode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tls {
    /// Never.
    Off,
    /// If the server offers it; its certificate is not looked at.
    #[default]
    Prefer,
    /// Always; the certificate is not looked at.
    Require,
    /// Always; the certificate must come from a known authority.
    VerifyCa,
    /// Always; the certificate must also name the host.
    VerifyFull,
}

/// What is wrong with a database URL. Never quotes it: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// No `scheme://`.
    #[error("a database URL begins with mysql://, mariadb://, postgresql:// or sqlite:///")]
    NoScheme,
    /// Another kind of database.
    #[error("only mysql, mariadb, postgresql and sqlite URLs can be read")]
    UnknownDialect,
    /// The port is no number.
    #[error(
        "the port of a database URL is a number up to 65535; write :, / and @ in a password as %3A, %2F and %40"
    )]
    Port,
    /// Nothing after the host.
    #[error("the URL names no schema: end it with /NAME")]
    NoSchema,
    /// A local socket.
    #[error("databases are read over TCP: give a host and a port in place of a socket")]
    Socket,
    /// `sqlite://` without a file.
    #[error("a SQLite database in memory cannot be read from outside: name a file")]
    InMemory,
}

impl DatabaseUrl {
    /// What kind of database it names.
    pub fn kind(&self) -> DatabaseKind {
        match self {
            Self::MySql(_) => DatabaseKind::MySql,
            Self::Postgres(_) => DatabaseKind::PostgreSql,
            Self::Sqlite(_) => DatabaseKind::Sqlite,
        }
    }

    /// From a SQLAlchemy URL; `+driver` and parameters that only a driver understands are dropped.
    ///
    /// # Errors
    /// When it names no database that can be read over TCP or as a file.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(UrlError::NoScheme)?;
        let dialect = scheme.split('+').next().unwrap_or_default();
        match dialect.to_ascii_lowercase().as_str() {
            "mysql" | "mariadb" => server(rest, 3306).map(Self::MySql),
            "postgresql" | "postgres" => server(rest, 5432).map(Self::Postgres),
            "sqlite" => file(rest).map(Self::Sqlite),
            _ => Err(UrlError::UnknownDialect),
        }
    }

    /// `host:port/schema`, or `sqlite:PATH`.
    pub fn id(&self) -> DatabaseId {
        DatabaseId(self.to_string())
    }

    /// The server, unless it is a file.
    pub fn server(&self) -> Option<&Server> {
        match self {
            Self::MySql(server) | Self::Postgres(server) => Some(server),
            Self::Sqlite(_) => None,
        }
    }

    /// The file, unless it is on a server.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            _ => None,
        }
    }

    /// The same database, reached at `address`.
    pub fn at(mut self, address: IpAddr) -> Self {
        if let Self::MySql(server) | Self::Postgres(server) = &mut self {
            server.host = address.to_string();
        }
        self
    }

    fn scheme(&self) -> &'static str {
        match self {
            Self::MySql(_) => "mysql",
            Self::Postgres(_) => "postgresql",
            Self::Sqlite(_) => "sqlite",
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::MySql(Server {
                host, port, schema, ..
            })
            | Self::Postgres(Server {
                host, port, schema, ..
            }) => {
                let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
                write!(f, "{open}{host}{close}:{port}/{schema}")
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.server() {
            Some(server) => write!(f, "{}://{}:***@{self}", self.scheme(), server.user),
            None => write!(f, "{self}"),
        }
    }
}

impl PartialEq for DatabaseUrl {
    fn eq(&self, other: &Self) -> bool {
        match (self.server(), other.server()) {
            (Some(one), Some(two)) => self.scheme() == other.scheme() && one == two,
            _ => self.path() == other.path() && self.scheme() == other.scheme(),
        }
    }
}

impl Eq for DatabaseUrl {}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:***@{}:{}/{}", self.user, self.host, self.port, self.schema)
    }
}

impl PartialEq for Server {
    fn eq(&self, other: &Self) -> bool {
        self.host.eq_ignore_ascii_case(&other.host)
            && (self.port, &self.user, &self.schema, self.tls)
                == (other.port, &other.user, &other.schema, other.tls)
            && self.password.expose_secret() == other.password.expose_secret()
    }
}

/// `/relative`, `//absolute`; also the shorter forms of other libraries. Source: SQLAlchemy's SQLite dialect.
fn file(rest: &str) -> Result<PathBuf, UrlError> {
    let path = rest.split('?').next().unwrap_or_default();
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_prefix("file:").unwrap_or(path);
    if path.is_empty() || path.starts_with(":memory:") {
        return Err(UrlError::InMemory);
    }
    Ok(PathBuf::from(path))
}

fn server(rest: &str, default_port: u16) -> Result<Server, UrlError> {
    let (login, rest) = split_login(rest);
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let query: HashMap<String, String> = url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let (place, path) = address.split_once('/').unwrap_or((address, ""));
    let (host, port) = split_port(place)?;
    let or_query = |text: String, key: &str| {
        if text.is_empty() {
            query.get(key).cloned().unwrap_or_default()
        } else {
            text
        }
    };
    let host = or_query(host.to_ascii_lowercase(), "host");
    if host.starts_with('/') || host.starts_with("%2f") || query.contains_key("unix_socket") {
        return Err(UrlError::Socket);
    }
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let user = or_query(decode(user), "user");
    let port = match (port, query.get("port")) {
        (None, Some(text)) => text.parse().map_err(|_| UrlError::Port)?,
        (port, _) => port.unwrap_or(default_port),
    };
    let mut schema = or_query(decode(path), "dbname");
    if schema.is_empty() && default_port == 5432 {
        schema.clone_from(&user); // PostgreSQL's own default
    }
    if schema.is_empty() {
        return Err(UrlError::NoSchema);
    }
    Ok(Server {
        host: if host.is_empty() {
            "localhost".to_owned()
        } else {
            host
        },
        port,
        user,
        password: or_query(decode(password), "password").into(),
        schema,
        tls: tls(&query),
    })
}

/// `user:password` and what follows its `@`. As in SQLAlchemy a password may hold `/`, `?` and `#`; here also a bare `@`.
fn split_login(rest: &str) -> (&str, &str) {
    let Some(first) = rest.find('@') else {
        return ("", rest);
    };
    let user_ends = rest.find([':', '/', '?']).unwrap_or(rest.len());
    if user_ends < first && rest.as_bytes().get(user_ends) != Some(&b':') {
        return ("", rest); // the @ belongs to the path or the query
    }
    let tail = rest.get(first..).unwrap_or_default();
    let host_ends = tail.find(['/', '?']).unwrap_or(tail.len());
    let last = tail
        .get(..host_ends)
        .and_then(|hosts| hosts.rfind('@'))
        .unwrap_or(0);
    (
        rest.get(..first + last).unwrap_or_default(),
        tail.get(last + 1..).unwrap_or_default(),
    )
}

fn split_port(place: &str) -> Result<(&str, Option<u16>), UrlError> {
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':').unwrap_or_default()),
        None => place.split_once(':').unwrap_or((place, "")),
    };
    if port.is_empty() {
        return Ok((host, None));
    }
    port.parse()
        .map(|port| (host, Some(port)))
        .map_err(|_| UrlError::Port)
}

/// The strictest of what the drivers' parameters ask for: libpq's and `PyMySQL`'s names.
fn tls(query: &HashMap<String, String>) -> Tls {
    let asked = |(key, value): (&String, &String)| match key.as_str() {
        "sslmode" | "ssl-mode" | "ssl_mode" | "ssl" => Tls::of_word(value),
        "ssl_ca" | "ssl-ca" | "sslrootcert" => Some(Tls::VerifyCa),
        "ssl_verify_cert" if is_true(value) => Some(Tls::VerifyCa),
        "ssl_verify_identity" if is_true(value) => Some(Tls::VerifyFull),
        _ => None,
    };
    query.iter().filter_map(asked).max().unwrap_or_default()
}

fn is_true(word: &str) -> bool {
    matches!(word.to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "on")
}

impl Tls {
    /// From libpq's, MySQL's and asyncpg's words.
    pub fn of_word(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().replace('_', "-").as_str() {
            "disable" | "disabled" | "false" => Some(Self::Off),
            "allow" | "prefer" | "preferred" => Some(Self::Prefer),
            "require" | "required" | "true" => Some(Self::Require),
            "verify-ca" => Some(Self::VerifyCa),
            "verify-full" | "verify-identity" => Some(Self::VerifyFull),
            _ => None,
        }
    }
}

/// Percent-decoding as in the user, password and path of a URL: `+` stays, a broken escape stays as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = tail
            .get(..2)
            .filter(|hex| byte == b'%' && hex.iter().all(u8::is_ascii_hexdigit));
        let decoded = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(decoded.unwrap_or(byte));
        rest = if decoded.is_some() {
            tail.get(2..).unwrap_or_default()
        } else {
            tail
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
