//! How PostgreSQL is asked.
//!
//! Promises one read-only statement at a time that waits for no lock longer than half a second and leaves no trace in the session.
//! Refuses to know when it is asked.

use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions};

use super::target::TableName;
use super::url::{Server, Tls};
use crate::model::database::DatabaseProblemKind as Kind;

/// Tables of all ordinary schemas whose only column is `version_num`, with an empty schema for the default one. The catalogue
/// knows tables that the user may not read; in the default schema they are wanted all the same, because being refused is news.
pub(super) const SEARCH: &str = r"SELECT CASE WHEN n.nspname = current_schema() THEN '' ELSE n.nspname::text END AS k, c.relname::text AS v
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'
     AND (n.nspname = current_schema()
          OR (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')))
     AND ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
               WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) = ARRAY['version_num']
     ORDER BY k, v";

/// Logs in. Nothing is set for the session: behind a pooler it may be somebody else's next.
pub(super) async fn open(server: &Server, ca: Option<&Path>) -> sqlx::Result<PgConnection> {
    let mut options = PgConnectOptions::new_without_pgpass()
        .host(&server.host)
        .port(server.port)
        .username(&server.user)
        .password(server.password.expose_secret())
        .database(&server.schema)
        .ssl_mode(ssl_mode(server.tls, ca.is_some()))
        .application_name("migwatch")
        .extra_float_digits(None)
        .disable_statement_logging();
    if let Some(ca) = ca {
        options = options.ssl_root_cert(ca);
    }
    options.connect().await
}

/// Sent in one message with the statement: the server then runs both in one transaction of its own, which it ends before it
/// answers whatever happens to us, and the settings end with it.
pub(super) fn limits(timeout: Duration) -> String {
    let millis = timeout.as_millis();
    let lock = millis.min(500);
    format!(
        "SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = {millis}; SET LOCAL lock_timeout = {lock};"
    )
}

/// Runs `statement` within its limits.
pub(super) async fn rows(
    connection: &mut PgConnection,
    statement: &str,
    timeout: Duration,
) -> sqlx::Result<Vec<sqlx::postgres::PgRow>> {
    let limited = format!("{}{statement}", limits(timeout));
    sqlx::raw_sql(AssertSqlSafe(limited)).fetch_all(connection).await
}

/// One member of the statement that reads all version tables at once; `key` tells whose row it is.
pub(super) fn select(key: usize, table: &TableName) -> String {
    format!(
        "SELECT '{key}' AS k, version_num::text AS v FROM {}",
        table.quoted('"')
    )
}

fn ssl_mode(tls: Tls, own_ca: bool) -> PgSslMode {
    match tls {
        Tls::Off => PgSslMode::Disable,
        Tls::VerifyFull => PgSslMode::VerifyFull,
        Tls::VerifyCa => PgSslMode::VerifyCa,
        Tls::Prefer | Tls::Require if own_ca => PgSslMode::VerifyCa,
        Tls::Require => PgSslMode::Require,
        Tls::Prefer => PgSslMode::Prefer,
    }
}

/// `undefined_table`, also for a schema that does not exist.
pub(super) const NO_SUCH_TABLE: &str = "42P01";

/// What an SQLSTATE means to whoever runs the database. Source: appendix A of PostgreSQL's manual.
pub(super) fn meaning(state: &str) -> Option<(Kind, &'static str)> {
    Some(match state {
        "28P01" => (
            Kind::AccessDenied,
            "check user and password in the database's URL",
        ),
        "28000" => (
            Kind::AccessDenied,
            "check the user and what pg_hba.conf allows from this host",
        ),
        "42501" => (
            Kind::AccessDenied,
            "GRANT USAGE on the schema and SELECT on the version table to this user",
        ),
        "3D000" => (
            Kind::NoSuchDatabase,
            "create the database or correct its name in the URL",
        ),
        "57P03" => (
            Kind::Connect,
            "the server is starting or stopping; it is tried again",
        ),
        "57P01" | "57P02" | "57P05" => (
            Kind::Connect,
            "the server ended the connection; it is tried again",
        ),
        "53300" => (
            Kind::Connect,
            "the server has no connection left: raise max_connections",
        ),
        "57014" | "55P03" => (
            Kind::Timeout,
            "something holds a lock on the version table: look at pg_locks",
        ),
        "42703" => (
            Kind::Other,
            "it is no Alembic version table: check the names under tables",
        ),
        _ => return None,
    })
}
