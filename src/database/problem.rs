//! Says why a database could not be read: which operation, on which database, and what to do.
//!
//! Promises a kind of the closed set and one sentence without secrets. Refuses to know what follows from it.

use std::fmt;
use std::io::ErrorKind;
use std::time::Duration;

use sqlx::mysql::MySqlDatabaseError;

use super::target::Target;
use super::{mysql, postgres, sqlite};
use crate::model::database::{DatabaseProblem, DatabaseProblemKind as Kind};
use crate::model::redact::{redact, shorten};

/// The longest quotation of a server's own words, in characters.
const QUOTED: usize = 200;

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Connect,
    Search,
    Read,
    Schema,
    Locks,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "cannot connect to",
            Self::Search => "cannot look for version tables in",
            Self::Read => "cannot read the version tables of",
            Self::Schema => "cannot read the schema of",
            Self::Locks => "cannot see who waits for a lock in",
        })
    }
}

/// An operation that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) operation: Operation,
    pub(super) cause: Cause,
}

/// What it failed for.
#[derive(Debug)]
pub(super) enum Cause {
    /// The driver or the server said so.
    Sql(sqlx::Error),
    /// No answer within this time.
    Slow(Duration),
    /// More rows than a version table has.
    TooMany(usize),
    /// More of something than is looked at.
    TooLarge {
        /// Of what.
        what: &'static str,
        /// How many are looked at.
        most: usize,
    },
    /// The driver panicked over what the server sent.
    Gibberish,
}

impl Failure {
    /// The server refused in so many words: the connection itself is good, and a new one would hear the same.
    pub(super) fn is_answer(&self) -> bool {
        match &self.cause {
            Cause::Sql(error @ sqlx::Error::Database(_)) => {
                // a server that shuts down says so, and a schema that was dropped leaves the session without one
                !matches!(meaning(error), Some((Kind::Connect | Kind::NoSuchDatabase, _)))
            }
            Cause::TooMany(_) | Cause::TooLarge { .. } => true,
            _ => false,
        }
    }

    /// A table that was asked for is not there.
    pub(super) fn is_no_such_table(&self) -> bool {
        let Cause::Sql(sqlx::Error::Database(error)) = &self.cause else {
            return false;
        };
        if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
            return error.number() == mysql::NO_SUCH_TABLE;
        }
        error.code().as_deref() == Some(postgres::NO_SUCH_TABLE) || sqlite::is_no_such_table(error.message())
    }

    /// The user may not ask this.
    pub(super) fn is_refusal(&self) -> bool {
        let Cause::Sql(sqlx::Error::Database(error)) = &self.cause else {
            return false;
        };
        let error = error.try_downcast_ref::<MySqlDatabaseError>();
        error.is_some_and(|error| mysql::REFUSALS.contains(&error.number()))
    }

    /// What an error number means is told of version tables; a catalogue is another thing.
    fn advice(&self, kind: Kind, advice: &'static str) -> &'static str {
        match (self.operation, kind) {
            (Operation::Schema | Operation::Locks, Kind::Timeout) => slow(self.operation),
            (Operation::Schema | Operation::Locks, Kind::AccessDenied) => {
                "the user may not read the server's catalogue: nothing is said of the schema"
            }
            _ => advice,
        }
    }

    /// For people.
    pub(super) fn problem(&self, target: &Target) -> DatabaseProblem {
        let (kind, what, advice) = match &self.cause {
            Cause::Slow(limit) => (
                Kind::Timeout,
                format!("no answer within {limit:?}"),
                slow(self.operation),
            ),
            Cause::TooMany(rows) => (
                Kind::Other,
                format!("there are more than {rows} rows"),
                "a version table has one row a head: check the names under tables",
            ),
            Cause::TooLarge { what, most } => (
                Kind::Other,
                format!("there are more than {most} {what}"),
                "its schema is not watched; version tables are",
            ),
            Cause::Gibberish => (
                Kind::Other,
                "the answer was not understood".to_owned(),
                "check host and port",
            ),
            Cause::Sql(error) => {
                let (kind, advice) = explain(error);
                (kind, said(error), self.advice(kind, advice))
            }
        };
        DatabaseProblem {
            kind,
            detail: format!("{} {}: {what}; {advice}", self.operation, object(target)),
        }
    }
}

/// What people call it, and where it is if its name does not say so.
fn object(target: &Target) -> String {
    let (id, place) = (&target.id.0, target.url.to_string());
    if id.ends_with(&place) {
        id.clone()
    } else {
        format!("{id} at {place}")
    }
}

fn slow(operation: Operation) -> &'static str {
    match operation {
        Operation::Connect => "check host, port and firewall, or raise databases.timeout",
        Operation::Search | Operation::Read | Operation::Schema | Operation::Locks => {
            "the server is busy or hangs; it is tried again"
        }
    }
}

/// The server's or driver's own words, in one line.
fn said(error: &sqlx::Error) -> String {
    let text = match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Configuration(_) if wants_rsa(error) => {
            "MySQL's caching_sha2_password refuses to log in without TLS".to_owned()
        }
        sqlx::Error::Configuration(error) | sqlx::Error::Tls(error) => error.to_string(),
        other => other.to_string(),
    };
    shorten(
        &redact(&text.split_whitespace().collect::<Vec<_>>().join(" ")),
        QUOTED,
    )
}

/// The driver is built without RSA, which is how a password travels when there is no TLS; it says so in a text for developers.
fn wants_rsa(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Configuration(cause) if cause.to_string().starts_with("RSA auth"))
}

fn meaning(error: &sqlx::Error) -> Option<(Kind, &'static str)> {
    let sqlx::Error::Database(error) = error else {
        return None;
    };
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        return mysql::meaning(error.number());
    }
    let code = error.code()?;
    match error.try_downcast_ref::<sqlx::sqlite::SqliteError>() {
        Some(_) => code.parse().ok().and_then(sqlite::meaning),
        None => postgres::meaning(&code),
    }
}

fn explain(error: &sqlx::Error) -> (Kind, &'static str) {
    match error {
        sqlx::Error::Database(_) => meaning(error).unwrap_or((Kind::Other, "see the server's log")),
        sqlx::Error::Configuration(_) if wants_rsa(error) => (
            Kind::Tls,
            "switch TLS on at the server, or use a user with the plugin mysql_native_password",
        ),
        sqlx::Error::Tls(_) => (Kind::Tls, "check ca_file and the sslmode of the database's URL"),
        sqlx::Error::Io(error) => explain_io(error),
        sqlx::Error::Protocol(text) if text.contains("auth") => (
            Kind::AccessDenied,
            "give the user a plain password plugin such as mysql_native_password",
        ),
        sqlx::Error::Protocol(_) => (Kind::Other, "check that a database of this kind listens there"),
        _ => (Kind::Other, "it is tried again"),
    }
}

fn explain_io(error: &std::io::Error) -> (Kind, &'static str) {
    if error
        .get_ref()
        .and_then(|cause| cause.downcast_ref::<rustls::Error>())
        .is_some()
    {
        return (
            Kind::Tls,
            "check ca_file, and that the server's certificate names this host",
        );
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => (Kind::Connect, "is the server up, and is the port right?"),
        ErrorKind::NotFound => (Kind::Tls, "ca_file names a file that is not there"),
        ErrorKind::PermissionDenied => (Kind::Tls, "let migwatch read ca_file"),
        ErrorKind::TimedOut => (Kind::Timeout, "check host, port and firewall"),
        ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionReset
        | ErrorKind::BrokenPipe
        | ErrorKind::ConnectionAborted => (
            Kind::Connect,
            "the server closed the connection; it is tried again",
        ),
        _ => (
            Kind::Connect,
            "check that the host's name is known here and that it can be reached",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{Cause, Failure, Operation};
    use crate::database::{DatabaseUrl, Tables, Target};
    use crate::model::database::{DatabaseProblem, DatabaseProblemKind as Kind};
    use crate::model::revision::DatabaseId;
    use std::io::{Error, ErrorKind};

    fn problem(id: &str, error: sqlx::Error) -> DatabaseProblem {
        let url = DatabaseUrl::parse("mysql://app:s3cret@172.18.0.3/coe").unwrap();
        let target = Target {
            id: DatabaseId(id.to_owned()),
            services: Vec::new(),
            url,
            tables: Tables::Found,
            ca: None,
        };
        Failure {
            operation: Operation::Connect,
            cause: Cause::Sql(error),
        }
        .problem(&target)
    }

    #[test]
    fn a_problem_names_the_database_as_people_call_it_and_where_it_was_looked_for() {
        let refused = || sqlx::Error::Io(Error::from(ErrorKind::ConnectionRefused));
        assert_eq!(
            problem("coe-demo/mariadb:3306/coe", refused()).detail,
            "cannot connect to coe-demo/mariadb:3306/coe at 172.18.0.3:3306/coe: connection refused; is the server up, and is the port right?"
        );
        let detail = problem("172.18.0.3:3306/coe", refused()).detail;
        assert!(
            detail.starts_with("cannot connect to 172.18.0.3:3306/coe: "),
            "{detail}"
        );
    }

    #[test]
    fn a_mysql_login_that_takes_tls_says_so_instead_of_the_drivers_own_words() {
        let words = "RSA auth backend disabled; enable feature `mysql-rsa` or use TLS.";
        let problem = problem("x", sqlx::Error::Configuration(words.into()));
        assert_eq!(problem.kind, Kind::Tls);
        assert!(problem.detail.contains("caching_sha2_password") && problem.detail.contains("switch TLS on"));
        assert!(!problem.detail.contains("feature"), "{}", problem.detail);
    }

    #[test]
    fn every_error_of_the_transport_has_its_kind() {
        let certificate = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        for (error, kind) in [
            (
                sqlx::Error::Io(Error::other("failed to lookup address information")),
                Kind::Connect,
            ),
            (
                sqlx::Error::Io(Error::from(ErrorKind::UnexpectedEof)),
                Kind::Connect,
            ),
            (sqlx::Error::Io(Error::from(ErrorKind::TimedOut)), Kind::Timeout),
            (sqlx::Error::Io(Error::from(ErrorKind::NotFound)), Kind::Tls),
            (
                sqlx::Error::Io(Error::new(ErrorKind::InvalidData, certificate)),
                Kind::Tls,
            ),
            (sqlx::Error::Tls("invalid peer certificate".into()), Kind::Tls),
            (
                sqlx::Error::Protocol("unknown authentication plugin: client_ed25519".to_owned()),
                Kind::AccessDenied,
            ),
            (sqlx::Error::Protocol("unexpected packet".to_owned()), Kind::Other),
            (sqlx::Error::WorkerCrashed, Kind::Other),
        ] {
            let said = error.to_string();
            assert_eq!(problem("x", error).kind, kind, "{said}");
        }
    }

    #[test]
    fn what_a_server_says_is_cut_short_and_holds_no_secret() {
        let words = format!("{} password=s3cret {}", "x".repeat(10), "y\n".repeat(1_000));
        let detail = problem("x", sqlx::Error::Protocol(words)).detail;
        assert!(
            !detail.contains("s3cret") && !detail.contains('\n') && detail.len() < 500,
            "{detail}"
        );
    }
}
