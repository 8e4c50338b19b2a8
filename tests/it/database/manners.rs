//! That a reader is never in anybody's way.

use migwatch::database::{DatabaseUrl, Tables};
use migwatch::model::database::DatabaseProblemKind as Kind;

use super::watching::Edge;
use super::{TIMEOUT, assert_problem, target, version_table};
use crate::support::databases::{encoded_password, mariadb, postgres};

/// A table must be altered and a schema dropped while our session is open.
#[tokio::test]
async fn ddl_on_a_mariadb_version_table_is_not_blocked_by_an_open_reader() {
    let schema = mariadb().await;
    schema.execute(&version_table("alembic_version", &["a1"])).await;
    let mut edge = Edge::at_rest(vec![target(schema.url(), Tables::Found)]);
    edge.reading().await.tables.unwrap();
    let ours = format!(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE db = '{}' AND id <> CONNECTION_ID()",
        schema.name
    );
    assert_eq!(schema.number(&ours).await, 1, "the reader keeps its session");
    schema
        .execute("SET lock_wait_timeout = 1; ALTER TABLE alembic_version ADD COLUMN note INT")
        .await;
    schema
        .execute(&format!(
            "SET lock_wait_timeout = 1; DROP DATABASE {}",
            schema.name
        ))
        .await;
}

#[tokio::test]
async fn a_postgresql_database_can_be_dropped_while_it_is_watched() {
    let (database, other) = (postgres().await, postgres().await);
    database.execute(&version_table("alembic_version", &["a1"])).await;
    let mut edge = Edge::at_rest(vec![target(database.url(), Tables::Found)]);
    edge.reading().await.tables.unwrap();
    other.execute(&format!("DROP DATABASE {}", database.name)).await;
}

/// What a server is asked is taken from its own log.
#[tokio::test]
async fn mariadb_hears_only_settings_and_selects_in_a_read_only_session() {
    let schema = mariadb().await;
    schema.execute(&version_table("alembic_version", &["a1"])).await;
    let user = format!("reader_{}", schema.name);
    schema
        .execute(&format!(
            "CREATE USER {user}@'%' IDENTIFIED BY 'pw'; GRANT SELECT ON {}.* TO {user}@'%'",
            schema.name
        ))
        .await;
    schema
        .execute("SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = 1")
        .await;
    let url = DatabaseUrl::parse(&schema.url_as(&user, "pw", schema.address())).unwrap();
    let mut edge = Edge::at_rest(vec![target(url, Tables::Found)]);
    edge.reading().await.tables.unwrap();
    let heard = |condition: &str| {
        format!(
            "SELECT COUNT(*) FROM mysql.general_log WHERE user_host LIKE '{user}[%' \
             AND command_type NOT IN ('Connect', 'Quit') AND {condition}"
        )
    };
    assert_eq!(
        schema
            .number(&heard("argument LIKE 'SET SESSION TRANSACTION READ ONLY%'"))
            .await,
        1
    );
    assert_eq!(
        schema
            .number(&heard("argument LIKE '%FROM `alembic_version`%'"))
            .await,
        1
    );
    assert_eq!(
        schema
            .number(&heard(
                "argument NOT LIKE 'SELECT %' AND argument NOT LIKE 'SET %'"
            ))
            .await,
        0
    );
}

/// The sentence about locks comes only from the server's own limit, which is shorter than ours.
#[tokio::test]
async fn a_lock_on_the_version_table_is_given_up_on_by_the_server_itself() {
    use sqlx::Connection;
    let schema = mariadb().await;
    schema.execute(&version_table("alembic_version", &["a1"])).await;
    let url = schema.url_as("root", encoded_password(), schema.address());
    let mut locker = sqlx::MySqlConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("LOCK TABLES alembic_version WRITE")
        .execute(&mut locker)
        .await
        .unwrap();
    let tables = Tables::Named(vec!["alembic_version".to_owned()]);
    let problem = migwatch::database::check(&target(schema.url(), tables), super::PATIENT)
        .await
        .unwrap_err();
    assert_problem(&problem, Kind::Timeout, &["cannot read", "SHOW PROCESSLIST"]);

    let database = postgres().await;
    database.execute(&version_table("alembic_version", &["a1"])).await;
    let url = database.url_as("postgres", encoded_password(), database.address());
    let mut locker = sqlx::PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE alembic_version")
        .execute(&mut locker)
        .await
        .unwrap();
    let problem = migwatch::database::check(&target(database.url(), Tables::Found), TIMEOUT)
        .await
        .unwrap_err();
    assert_problem(&problem, Kind::Timeout, &["cannot read", "pg_locks"]);
}
