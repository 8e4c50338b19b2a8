//! What is said when a database cannot be read.

use migwatch::database::{DatabaseUrl, Tables};
use migwatch::model::database::DatabaseProblemKind as Kind;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{TIMEOUT, assert_problem, check, named, sqlite, sqlite_url, target, version_table};
use crate::support::databases::{mariadb, postgres};

#[tokio::test]
async fn a_wrong_password_is_named_as_such_and_never_quoted() {
    for (schema, user) in [(mariadb().await, "root"), (postgres().await, "postgres")] {
        let url = DatabaseUrl::parse(&schema.url_as(user, "wr0ng", schema.address())).unwrap();
        let problem = check(url, Tables::Found).await.unwrap_err();
        assert_problem(
            &problem,
            Kind::AccessDenied,
            &["cannot connect", schema.address(), "user and password"],
        );
        assert!(!problem.detail.contains("wr0ng"), "{}", problem.detail);
    }
}

#[tokio::test]
async fn a_wrong_schema_is_named_as_such() {
    for mut schema in [mariadb().await, postgres().await] {
        "no_such".clone_into(&mut schema.name);
        let problem = check(schema.url(), Tables::Found).await.unwrap_err();
        assert_problem(
            &problem,
            Kind::NoSuchDatabase,
            &["cannot connect", "no_such", "correct its name"],
        );
    }
}

#[tokio::test]
async fn a_missing_right_on_a_version_table_is_named_with_the_grant_that_it_takes() {
    let database = postgres().await;
    database.execute(&version_table("alembic_version", &["a1"])).await;
    database
        .execute(&format!(
            "CREATE ROLE reader_{} LOGIN PASSWORD 'pw'",
            database.name
        ))
        .await;
    let user = format!("reader_{}", database.name);
    let url = || DatabaseUrl::parse(&database.url_as(&user, "pw", database.address())).unwrap();
    let problem = check(url(), Tables::Found).await.unwrap_err();
    assert_problem(
        &problem,
        Kind::AccessDenied,
        &["cannot read", "alembic_version", "GRANT USAGE"],
    );
    database
        .execute(&format!("GRANT SELECT ON alembic_version TO {user}"))
        .await;
    assert!(check(url(), Tables::Found).await.is_ok());
}

#[tokio::test]
async fn a_table_that_holds_no_versions_is_named_as_such() {
    let schema = mariadb().await;
    schema
        .execute("CREATE TABLE other (id INT); CREATE TABLE big (version_num INT)")
        .await;
    let problem = check(schema.url(), named(&["other"])).await.unwrap_err();
    assert_problem(
        &problem,
        Kind::Other,
        &["version_num", "no Alembic version table"],
    );
    schema
        .execute("INSERT INTO big SELECT seq FROM seq_1_to_1001")
        .await;
    let problem = check(schema.url(), named(&["big"])).await.unwrap_err();
    assert_problem(&problem, Kind::Other, &["more than 1000 rows"]);
}

#[tokio::test]
async fn a_sqlite_file_that_is_missing_or_damaged_is_named_and_never_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let problem = check(sqlite_url(&path), Tables::Found).await.unwrap_err();
    assert_problem(
        &problem,
        Kind::Connect,
        &["cannot connect", "app.db", "check that the file exists"],
    );
    assert!(!path.exists());
    std::fs::write(
        &path,
        "this is no database, only a text that is long enough for a header. ".repeat(20),
    )
    .unwrap();
    let problem = check(sqlite_url(&path), Tables::Found).await.unwrap_err();
    assert_problem(&problem, Kind::Other, &["no SQLite database"]);
}

#[tokio::test]
async fn a_locked_sqlite_file_is_a_timeout_that_names_the_lock() {
    use sqlx::Connection;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    sqlite(&path, &version_table("alembic_version", &["a1"])).await;
    let mut writer = sqlx::SqliteConnection::connect(&format!("sqlite://{}", path.display()))
        .await
        .unwrap();
    sqlx::raw_sql("BEGIN EXCLUSIVE")
        .execute(&mut writer)
        .await
        .unwrap();
    let problem = migwatch::database::check(&target(sqlite_url(&path), Tables::Found), TIMEOUT)
        .await
        .unwrap_err();
    assert_problem(&problem, Kind::Timeout, &["lock on the file"]);
    sqlx::raw_sql("COMMIT").execute(&mut writer).await.unwrap();
    assert!(check(sqlite_url(&path), Tables::Found).await.is_ok());
}

#[tokio::test]
async fn a_port_where_nothing_listens_is_refused_and_a_silent_one_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    for scheme in ["mysql", "postgresql"] {
        let url = DatabaseUrl::parse(&format!("{scheme}://a:b@{address}/c")).unwrap();
        let patience = std::time::Duration::from_millis(50);
        let problem = migwatch::database::check(&target(url, Tables::Found), patience)
            .await
            .unwrap_err();
        assert_problem(
            &problem,
            Kind::Timeout,
            &["cannot connect", "no answer within 50ms"],
        );
    }
    drop(listener);
    for scheme in ["mysql", "postgresql"] {
        let url = DatabaseUrl::parse(&format!("{scheme}://a:b@{address}/c")).unwrap();
        let problem = check(url, Tables::Found).await.unwrap_err();
        assert_problem(&problem, Kind::Connect, &["refused", "is the server up"]);
    }
}

#[tokio::test]
async fn a_server_that_talks_nonsense_is_a_problem_and_never_a_panic() {
    let nonsense: [&[u8]; 7] = [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x01\x00\x00\x00\x0a",
        b"\x00\x00\x00\x00",
        b"\xff\xff\xff\x00",
        b"N\x00\x00\x00\x00\x00",
        b"R\x00\x00\x00\x08\x00\x00\x00\x05Z\x00\x00\x00\x04",
    ];
    for bytes in nonsense {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = JoinSet::new();
        server.spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.write_all(bytes).await;
                let _ = stream.shutdown().await;
            }
        });
        for scheme in ["mysql", "postgresql"] {
            let url = DatabaseUrl::parse(&format!("{scheme}://a:b@{address}/c")).unwrap();
            let problem = check(url, Tables::Found).await.unwrap_err();
            assert!(
                problem.detail.contains(&address.to_string()),
                "{bytes:?}: {}",
                problem.detail
            );
        }
    }
}

#[tokio::test]
async fn tls_that_a_server_does_not_offer_is_named_as_such() {
    for schema in [mariadb().await, postgres().await] {
        let mut url = schema.url();
        if let DatabaseUrl::MySql(server) | DatabaseUrl::Postgres(server) = &mut url {
            server.tls = migwatch::database::url::Tls::Require;
        }
        let problem = check(url, Tables::Found).await.unwrap_err();
        assert_problem(&problem, Kind::Tls, &["cannot connect", "TLS", "sslmode"]);
    }
}
