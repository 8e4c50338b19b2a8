//! Finds a container's database in its environment.
//!
//! Promises an answer from names and values alone, usable or with the sentence that says how to configure it. Pure. Refuses to
//! know containers, networks and whether the database answers. A database server's own container is no client of one.

use std::net::IpAddr;

use super::url::{DatabaseUrl, Server, Tls};
use crate::model::revision::DatabaseId;

/// What the environment says about the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Everything needed to log in.
    Url {
        /// The variable that names the database.
        variable: String,
        /// The database, with the host name as the container knows it.
        url: DatabaseUrl,
    },
    /// A part lies in a file inside the container, where it cannot be read from here.
    NeedsFile {
        /// The variable that names the file.
        variable: String,
        /// The file's path inside the container.
        path: String,
    },
    /// There is a database, but what is said does not suffice.
    Unusable {
        /// The variable that names the database.
        variable: String,
        /// Half a sentence: what is missing.
        why: String,
    },
}

/// A found database as it is reached from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// With the container's address in place of its name.
    pub url: DatabaseUrl,
    /// With the container's name, qualified by its project.
    pub id: DatabaseId,
}

impl Found {
    /// The sentence to warn with, if the database cannot be read as it stands.
    pub fn warning(&self) -> Option<String> {
        match self {
            Self::Url { .. } => None,
            Self::NeedsFile { variable, path } => Some(format!(
                "{variable} names the file {path} inside the container, which cannot be read from outside; \
                 give the database as [database.NAME] with url_file in the config"
            )),
            Self::Unusable { variable, why } => Some(format!(
                "{variable} does not lead to a database: {why}; give it as [database.NAME] in the config"
            )),
        }
    }
}

/// The environment's lookup: a variable's name to its value.
type Get<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Variables that hold a whole URL, most telling first.
const URLS: [&str; 4] = [
    "DATABASE_URL",
    "SQLALCHEMY_DATABASE_URI",
    "SQLALCHEMY_URL",
    "DB_URL",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    MySql,
    Postgres,
}

/// The names under which one convention hands out the parts of a URL.
struct Family {
    dialect: Option<Dialect>,
    host: &'static [&'static str],
    port: &'static [&'static str],
    user: &'static [&'static str],
    password: &'static [&'static str],
    schema: &'static [&'static str],
}

/// A host is what makes a client: the server images know the other names too.
const FAMILIES: [Family; 4] = [
    Family {
        dialect: None,
        host: &["DB_HOST", "DB_HOSTNAME", "DB_SERVER"],
        port: &["DB_PORT"],
        user: &["DB_USER", "DB_USERNAME"],
        password: &["DB_PASSWORD", "DB_PASS"],
        schema: &["DB_NAME", "DB_DATABASE"],
    },
    Family {
        dialect: Some(Dialect::MySql),
        host: &["MARIADB_HOST", "MYSQL_HOST", "MYSQL_SERVER"],
        port: &["MARIADB_PORT", "MYSQL_PORT"],
        user: &["MARIADB_USER", "MYSQL_USER"],
        password: &[
            "MARIADB_PASSWORD",
            "MYSQL_PASSWORD",
            "MARIADB_ROOT_PASSWORD",
            "MYSQL_ROOT_PASSWORD",
        ],
        schema: &["MARIADB_DATABASE", "MYSQL_DATABASE", "MYSQL_DB"],
    },
    Family {
        dialect: Some(Dialect::Postgres),
        host: &["POSTGRES_HOST", "POSTGRES_SERVER", "POSTGRES_HOSTNAME"],
        port: &["POSTGRES_PORT"],
        user: &["POSTGRES_USER"],
        password: &["POSTGRES_PASSWORD"],
        schema: &["POSTGRES_DB", "POSTGRES_DATABASE"],
    },
    Family {
        dialect: Some(Dialect::Postgres),
        host: &["PGHOST", "PGHOSTADDR"],
        port: &["PGPORT"],
        user: &["PGUSER"],
        password: &["PGPASSWORD"],
        schema: &["PGDATABASE"],
    },
];

/// Variables that say which kind of database `DB_HOST` is.
const KINDS: [&str; 5] = ["DB_DIALECT", "DB_TYPE", "DB_ENGINE", "DB_DRIVER", "DB_CONNECTION"];

/// The database that a container with this environment uses: the first one that can be read, else the first that is named at all.
pub fn from_environment(get: Get<'_>) -> Option<Found> {
    let get = &|name: &str| get(name).filter(|value| !value.trim().is_empty());
    let urls = URLS.into_iter().filter_map(|name| from_url(get, name));
    let families = FAMILIES.iter().filter_map(|family| family.find(get));
    let mut named = None;
    for found in urls.chain(families) {
        if matches!(found, Found::Url { .. }) {
            return Some(found);
        }
        named.get_or_insert(found);
    }
    named
}

fn from_url(get: Get<'_>, name: &'static str) -> Option<Found> {
    let (variable, text) = match Value::of(get, &[name])? {
        Value::Text { variable, text } => (variable.to_owned(), text),
        Value::File { variable, path } => return Some(Found::NeedsFile { variable, path }),
    };
    Some(match DatabaseUrl::parse(&text) {
        Ok(DatabaseUrl::Sqlite(_)) => Found::Unusable {
            variable,
            why: "its SQLite file lies inside the container".to_owned(),
        },
        Ok(url) => Found::Url { variable, url },
        Err(error) => Found::Unusable {
            variable,
            why: error.to_string(),
        },
    })
}

/// A variable's value, or the file that its `_FILE` twin names.
enum Value {
    Text { variable: &'static str, text: String },
    File { variable: String, path: String },
}

impl Value {
    fn of(get: Get<'_>, names: &[&'static str]) -> Option<Self> {
        names.iter().find_map(|&variable| {
            let file = format!("{variable}_FILE");
            get(variable)
                .map(|text| Self::Text { variable, text })
                .or_else(|| get(&file).map(|path| Self::File { variable: file, path }))
        })
    }
}

impl Family {
    fn find(&self, get: Get<'_>) -> Option<Found> {
        let (variable, host) = match Value::of(get, self.host)? {
            Value::Text { variable, text } => (variable.to_owned(), text),
            Value::File { variable, path } => return Some(Found::NeedsFile { variable, path }),
        };
        Some(match self.url(get, &host) {
            Ok(url) => Found::Url { variable, url },
            Err(Gap::File { variable, path }) => Found::NeedsFile { variable, path },
            Err(Gap::Missing(why)) => Found::Unusable { variable, why },
        })
    }

    fn url(&self, get: Get<'_>, host: &str) -> Result<DatabaseUrl, Gap> {
        if host.starts_with('/') {
            return Err(Gap::Missing(
                "a local socket cannot be read from outside".to_owned(),
            ));
        }
        let text = |names: &[&'static str]| match Value::of(get, names) {
            Some(Value::File { variable, path }) => Err(Gap::File { variable, path }),
            Some(Value::Text { text, .. }) => Ok(Some(text)),
            None => Ok(None),
        };
        let (host, own_port) = match host.trim().split_once(':') {
            Some((name, number)) if !number.contains(':') => (name, port(number)),
            _ => (host.trim(), None), // also an IPv6 address
        };
        let port = own_port.or(text(self.port)?.and_then(|text| port(&text)));
        let Some(dialect) = self.dialect.or_else(|| kind(get, host, port)) else {
            return Err(Gap::Missing(format!(
                "{} does not say which kind it is, nor does DB_PORT",
                KINDS.join(", ")
            )));
        };
        let (administrator, default_port) = match dialect {
            Dialect::MySql => ("root", 3306),
            Dialect::Postgres => ("postgres", 5432),
        };
        let user = text(self.user)?.map_or_else(|| administrator.to_owned(), |user| user.trim().to_owned());
        let schema = match (text(self.schema)?, dialect) {
            (Some(schema), _) => schema.trim().to_owned(),
            (None, Dialect::Postgres) => user.clone(), // PostgreSQL's own default
            (None, Dialect::MySql) => {
                return Err(Gap::Missing(format!("none of {} is set", self.schema.join(", "))));
            }
        };
        let password = text(self.password)?.unwrap_or_default().into();
        let tls = get("PGSSLMODE")
            .and_then(|word| Tls::of_word(&word))
            .unwrap_or_default();
        let host = host.to_ascii_lowercase();
        let server = Server {
            host,
            port: port.unwrap_or(default_port),
            user,
            password,
            schema,
            tls,
        };
        Ok(match dialect {
            Dialect::MySql => DatabaseUrl::MySql(server),
            Dialect::Postgres => DatabaseUrl::Postgres(server),
        })
    }
}

/// Why the parts give no URL.
enum Gap {
    File { variable: String, path: String },
    Missing(String),
}

/// A number; or the end of `tcp://address:number`, which container links put into `*_PORT`.
fn port(text: &str) -> Option<u16> {
    text.trim()
        .rsplit(':')
        .next()
        .and_then(|number| number.parse().ok())
}

/// What kind of database `DB_HOST` is: said outright, or by its port, or by its name.
fn kind(get: Get<'_>, host: &str, port: Option<u16>) -> Option<Dialect> {
    let of_word = |word: &str| {
        let word = word.to_ascii_lowercase();
        match () {
            () if word.contains("mysql") || word.contains("maria") => Some(Dialect::MySql),
            () if word.contains("postgres") || word.contains("pgsql") || word.contains("psycopg") => {
                Some(Dialect::Postgres)
            }
            () => None,
        }
    };
    let of_port = |port| match port {
        3306 => Some(Dialect::MySql),
        5432 => Some(Dialect::Postgres),
        _ => None,
    };
    let said = KINDS
        .iter()
        .filter_map(|name| get(name))
        .find_map(|word| of_word(&word));
    said.or_else(|| port.and_then(of_port)).or_else(|| of_word(host))
}

/// The database as it is reached from outside the container, and its ID, which stays the same while containers come and go.
///
/// `hosts` knows the names of the container's networks. A name of one label (`mariadb`) belongs to the project whether it is up or
/// not; others only if `hosts` knows them. `localhost` is the container itself: unless `hosts` gives its address (a loopback
/// address for a container on the host's network), there is no answer rather than a wrong database on this host.
pub fn resolve(found: &Found, project: &str, hosts: &dyn Fn(&str) -> Option<IpAddr>) -> Option<Resolved> {
    let Found::Url { url, .. } = found else {
        return None;
    };
    let host = url.server()?.host.as_str();
    let own = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let address = hosts(host);
    if own && address.is_none() {
        return None;
    }
    let on_host = address.is_some_and(|address| address.is_loopback());
    let is_address = host.parse::<IpAddr>().is_ok();
    let local = !on_host && (own || (!is_address && (address.is_some() || !host.contains('.'))));
    let id = if local {
        DatabaseId(format!("{project}/{url}"))
    } else {
        url.id()
    };
    let url = address.map_or_else(|| url.clone(), |address| url.clone().at(address));
    Some(Resolved { url, id })
}

#[cfg(test)]
mod tests;
