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

/// The statement for the tables, and the one for what they are made of: kind, table, name, definition. Of the default schema, and of
/// those that `schemas` names. Partitions are left out: they come and go by themselves.
///
/// The functions that print a definition (`pg_get_indexdef` and the like) take a lock on its table and so would wait for a migration:
/// the catalogues are read as they are. An expression without columns is printed without a lock.
pub(super) fn schema_statements<'a>(schemas: impl Iterator<Item = &'a str>) -> (String, String) {
    let list = schemas.map(|schema| format!(", '{}'", schema.replace('\'', "''")));
    let tables = format!(
        "SELECT CASE WHEN n.nspname = current_schema() THEN '' ELSE n.nspname::text || '.' END || c.relname::text AS name, c.oid \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname IN (current_schema(){})",
        list.collect::<String>()
    );
    let parts = format!("WITH t AS ({tables}) {COLUMNS} UNION ALL {INDEXES} UNION ALL {FOREIGN_KEYS}");
    (tables, parts)
}

/// A default is printed without its table, which only the expression of a generated column needs. That one is taken as it is kept, but
/// for the places at which its parts stood in the statement: the same column made by another statement is the same column.
const COLUMNS: &str = "SELECT 'c', t.name, a.attname::text, concat_ws('|', format_type(a.atttypid, a.atttypmod), a.attnotnull, \
     a.attidentity, a.attgenerated, a.attcollation, \
     CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, 0) \
     ELSE regexp_replace(d.adbin::text, ':(stmt_)?location -?[0-9]+', '', 'g') END) \
     FROM t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped \
     LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum";

/// One that is still being built (`CONCURRENTLY`) is not there yet.
const INDEXES: &str = "SELECT 'i', t.name, c.relname::text, concat_ws('|', i.indisunique, i.indisprimary, m.amname, \
     (SELECT string_agg(coalesce(a.attname::text, ''), ',' ORDER BY k.place) FROM unnest(i.indkey) WITH ORDINALITY k(attnum, place) \
     LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum), \
     i.indoption::text, i.indclass::text, \
     regexp_replace(i.indexprs::text, ':(stmt_)?location -?[0-9]+', '', 'g'), \
     regexp_replace(i.indpred::text, ':(stmt_)?location -?[0-9]+', '', 'g')) \
     FROM t JOIN pg_catalog.pg_index i ON i.indrelid = t.oid AND i.indisvalid \
     JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = c.relam";

/// One that refers to a partitioned table has a second row, and more, one for each partition of that, from PostgreSQL 12 on. They come and
/// go with the partitions, and have a parent, a column that older servers do not have.
const FOREIGN_KEYS: &str = "SELECT 'f', t.name, f.conname::text, concat_ws('|', rn.nspname, r.relname, f.confupdtype, f.confdeltype, \
     f.confmatchtype, f.condeferrable, f.condeferred, \
     (SELECT string_agg(a.attname::text || '>' || b.attname::text, ',' ORDER BY k.place) \
     FROM unnest(f.conkey, f.confkey) WITH ORDINALITY k(here, there, place) \
     JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.here \
     JOIN pg_catalog.pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = k.there)) \
     FROM t JOIN pg_catalog.pg_constraint f ON f.conrelid = t.oid AND f.contype = 'f' \
     AND COALESCE(to_jsonb(f)->>'conparentid', '0') = '0' \
     JOIN pg_catalog.pg_class r ON r.oid = f.confrelid JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace";

/// Who waits, and the first that does not wait itself of those who are in its way: for each pid, user, host, seconds of its statement or
/// transaction, statement, state, and seconds since its login. Any user may see who waits; statements and hosts of others take the role
/// `pg_read_all_stats`.
pub(super) const WAITS: &str = "SELECT w.pid::text, w.usename::text, host(w.client_addr), \
     extract(epoch FROM clock_timestamp() - w.query_start)::text, w.query, w.state, \
     extract(epoch FROM clock_timestamp() - w.backend_start)::text, \
     h.pid::text, h.usename::text, host(h.client_addr), \
     extract(epoch FROM clock_timestamp() - h.xact_start)::text, h.query, h.state, \
     extract(epoch FROM clock_timestamp() - h.backend_start)::text \
     FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity w ON w.pid = l.pid \
     LEFT JOIN LATERAL (SELECT a.* FROM pg_catalog.pg_stat_activity a WHERE a.pid = ANY (pg_blocking_pids(l.pid)) \
     ORDER BY EXISTS (SELECT 1 FROM pg_catalog.pg_locks b WHERE b.pid = a.pid AND NOT b.granted), a.xact_start LIMIT 1) h ON true \
     WHERE NOT l.granted AND w.datname = current_database() AND w.pid <> pg_backend_pid() ORDER BY w.query_start";

/// What PostgreSQL shows in place of a statement that the user may not see.
pub(super) const HIDDEN: &str = "<insufficient privilege>";

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

#[cfg(test)]
mod tests {
    use super::{COLUMNS, FOREIGN_KEYS, INDEXES};

    #[test]
    fn what_a_server_changes_by_itself_or_a_statement_by_its_layout_is_not_read() {
        assert!(FOREIGN_KEYS.contains("conparentid"));
        for (statement, trees) in [(COLUMNS, 1), (INDEXES, 2)] {
            let stripped = statement.matches("::text, ':(stmt_)?location -?[0-9]+', '', 'g')");
            assert_eq!(stripped.count(), trees, "{statement}");
        }
    }
}
