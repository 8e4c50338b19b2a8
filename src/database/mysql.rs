//! How MariaDB and MySQL are asked.
//!
//! Promises a read-only session in autocommit that waits for no lock longer than a second. Refuses to know when it is asked.

use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions};

use super::target::TableName;
use super::url::{Server, Tls};
use crate::model::database::DatabaseProblemKind as Kind;

/// Tables of the URL's schema whose only column is `version_num`, with an empty schema: it is the default one. The casts are for
/// MySQL 8, whose `information_schema` answers in `VARBINARY`.
pub(super) const SEARCH: &str = "SELECT '' AS k, CAST(t.table_name AS CHAR) AS v \
     FROM information_schema.tables t JOIN information_schema.columns c \
     ON c.table_schema = t.table_schema AND c.table_name = t.table_name \
     WHERE t.table_schema = DATABASE() AND c.table_schema = DATABASE() AND t.table_type = 'BASE TABLE' \
     GROUP BY t.table_name HAVING COUNT(*) = 1 AND MAX(c.column_name) = 'version_num' ORDER BY v";

/// Opens a session that cannot write and cannot wait long.
pub(super) async fn open(
    server: &Server,
    ca: Option<&Path>,
    timeout: Duration,
) -> sqlx::Result<MySqlConnection> {
    let mut options = MySqlConnectOptions::new()
        .host(&server.host)
        .port(server.port)
        .username(&server.user)
        .password(server.password.expose_secret())
        .database(&server.schema)
        .ssl_mode(ssl_mode(server.tls, ca.is_some()))
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .timezone(None)
        .disable_statement_logging();
    if let Some(ca) = ca {
        options = options.ssl_ca(ca);
    }
    let mut connection = options.connect().await?;
    sqlx::raw_sql(AssertSqlSafe(session(timeout)))
        .execute(&mut connection)
        .await?;
    Ok(connection)
}

/// What makes a session harmless. `autocommit`, because a server may have it off and a transaction left open blocks DDL. The
/// statement's limit has two names: MariaDB alone reads `/*M!` comments, and skips versions 50700 to 99999 of the others.
fn session(timeout: Duration) -> String {
    let (seconds, millis) = (timeout.as_secs_f64(), timeout.as_millis());
    format!(
        "SET SESSION TRANSACTION READ ONLY; SET SESSION autocommit = 1, lock_wait_timeout = 1 \
         /*M!100100 , max_statement_time = {seconds:.3} */ /*!50708 , max_execution_time = {millis} */"
    )
}

/// One member of the statement that reads all version tables at once; `key` tells whose row it is.
pub(super) fn select(key: usize, table: &TableName) -> String {
    format!(
        "SELECT '{key}' AS k, CAST(version_num AS CHAR) AS v FROM {}",
        table.quoted('`')
    )
}

fn ssl_mode(tls: Tls, own_ca: bool) -> MySqlSslMode {
    match tls {
        Tls::Off => MySqlSslMode::Disabled,
        Tls::VerifyFull => MySqlSslMode::VerifyIdentity,
        Tls::VerifyCa => MySqlSslMode::VerifyCa,
        Tls::Prefer | Tls::Require if own_ca => MySqlSslMode::VerifyCa,
        Tls::Require => MySqlSslMode::Required,
        Tls::Prefer => MySqlSslMode::Preferred,
    }
}

/// "Table doesn't exist".
pub(super) const NO_SUCH_TABLE: u16 = 1146;

/// What an error number means to whoever runs the database. Source: MariaDB's and MySQL's error references.
pub(super) fn meaning(number: u16) -> Option<(Kind, &'static str)> {
    Some(match number {
        1045 | 1698 => (
            Kind::AccessDenied,
            "check user and password in the database's URL",
        ),
        1044 => (
            Kind::AccessDenied,
            "check that the schema exists and that the user has rights on it",
        ),
        1142 | 1143 => (
            Kind::AccessDenied,
            "GRANT SELECT on the version table to this user",
        ),
        1130 => (Kind::AccessDenied, "allow the user to log in from this host"),
        1049 => (
            Kind::NoSuchDatabase,
            "create the schema or correct its name in the database's URL",
        ),
        1046 => (
            Kind::NoSuchDatabase,
            "the schema was dropped; it is looked for again",
        ),
        1040 | 1203 | 1226 => (
            Kind::Connect,
            "the server has no connection left: raise max_connections",
        ),
        1129 => (
            Kind::Connect,
            "the server blocks this host: run FLUSH HOSTS there",
        ),
        1053 | 1152 | 1927 => (
            Kind::Connect,
            "the server ended the connection; it is tried again",
        ),
        1205 | 1969 | 3024 => (
            Kind::Timeout,
            "something holds a lock on the version table: look at SHOW PROCESSLIST",
        ),
        3159 => (
            Kind::Tls,
            "the server asks for TLS: add ?sslmode=require to the database's URL",
        ),
        1251 | 1524 => (
            Kind::AccessDenied,
            "give the user the plugin mysql_native_password or caching_sha2_password",
        ),
        1054 => (
            Kind::Other,
            "it is no Alembic version table: check the names under tables",
        ),
        _ => return None,
    })
}
