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

/// The base tables of the URL's schema. MariaDB calls one with a history `SYSTEM VERSIONED`.
pub(super) const TABLES: &str = "SELECT CAST(table_name AS CHAR) FROM information_schema.tables \
     WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')";

/// What they are made of: kind, table, name, definition. A column's place is no part of it, for a column put before it would change
/// it; an index's cardinality neither, for the server counts that by itself.
pub(super) const PARTS: &str = "SELECT 'c', CAST(table_name AS CHAR), CAST(column_name AS CHAR), \
     CAST(CONCAT_WS('|', column_type, is_nullable, IFNULL(CONCAT('=', column_default), ''), extra, IFNULL(collation_name, ''), \
     IFNULL(generation_expression, ''), column_comment) AS CHAR) \
     FROM information_schema.columns WHERE table_schema = DATABASE() \
     UNION ALL SELECT 'i', CAST(table_name AS CHAR), CAST(index_name AS CHAR), \
     CAST(CONCAT_WS('|', LPAD(seq_in_index, 3, '0'), IFNULL(column_name, ''), IFNULL(sub_part, ''), non_unique, index_type) AS CHAR) \
     FROM information_schema.statistics WHERE table_schema = DATABASE() \
     UNION ALL SELECT 'f', CAST(table_name AS CHAR), CAST(constraint_name AS CHAR), \
     CAST(CONCAT_WS('|', LPAD(ordinal_position, 3, '0'), column_name, referenced_table_schema, referenced_table_name, \
     referenced_column_name) AS CHAR) \
     FROM information_schema.key_column_usage WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL \
     UNION ALL SELECT 'f', CAST(table_name AS CHAR), CAST(constraint_name AS CHAR), \
     CAST(CONCAT_WS('|', 'rules', update_rule, delete_rule) AS CHAR) \
     FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE()";

/// Who waits for the lock of a table (metadata): id, user, host, seconds, statement. Without the right PROCESS it shows the sessions of
/// the same user only.
pub(super) const TABLE_WAITS: &str = "SELECT CAST(id AS CHAR), CAST(user AS CHAR), CAST(host AS CHAR), CAST(time AS CHAR), CAST(info AS CHAR) \
     FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID() AND state LIKE 'Waiting for %lock' \
     ORDER BY time DESC";

/// The oldest open transaction of a session that does not wait itself: the server does not say who holds a table's lock, and this is
/// the likeliest one. Needs the right PROCESS.
pub(super) const OLDEST: &str = "SELECT CAST(p.id AS CHAR), CAST(p.user AS CHAR), CAST(p.host AS CHAR), \
     CAST(TIMESTAMPDIFF(SECOND, t.trx_started, NOW()) AS CHAR), CAST(p.info AS CHAR), CAST(p.command AS CHAR) \
     FROM information_schema.innodb_trx t JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id \
     WHERE p.id <> CONNECTION_ID() AND IFNULL(p.state, '') NOT LIKE 'Waiting for %lock' \
     ORDER BY IFNULL(p.db = DATABASE(), 0) DESC, t.trx_started";

/// Who waits for rows, and who holds them: the two sessions as above. Needs the right PROCESS; MySQL 8 keeps this elsewhere.
pub(super) const ROW_WAITS: &str = "SELECT CAST(w.id AS CHAR), CAST(w.user AS CHAR), CAST(w.host AS CHAR), \
     CAST(TIMESTAMPDIFF(SECOND, r.trx_wait_started, NOW()) AS CHAR), CAST(w.info AS CHAR), CAST(w.command AS CHAR), \
     CAST(h.id AS CHAR), CAST(h.user AS CHAR), CAST(h.host AS CHAR), \
     CAST(TIMESTAMPDIFF(SECOND, b.trx_started, NOW()) AS CHAR), CAST(h.info AS CHAR), CAST(h.command AS CHAR) \
     FROM information_schema.innodb_lock_waits l \
     JOIN information_schema.innodb_trx r ON r.trx_id = l.requesting_trx_id \
     JOIN information_schema.innodb_trx b ON b.trx_id = l.blocking_trx_id \
     JOIN information_schema.processlist w ON w.id = r.trx_mysql_thread_id \
     LEFT JOIN information_schema.processlist h ON h.id = b.trx_mysql_thread_id \
     WHERE w.db = DATABASE() ORDER BY r.trx_wait_started, b.trx_started";

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

/// The right PROCESS or another one is missing, or (MySQL 8) `information_schema` has no such table.
pub(super) const REFUSALS: [u16; 4] = [1044, 1109, 1142, 1227];

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
