//! The forms in which databases are named, and what is read from each.

use secrecy::ExposeSecret;

use super::{DatabaseUrl, Tls, UrlError};

fn read(text: &str) -> (String, String, String, Tls) {
    let url = DatabaseUrl::parse(text).unwrap();
    let server = url.server().expect("on a server");
    (
        url.id().0.clone(),
        server.user.clone(),
        server.password.expose_secret().to_owned(),
        server.tls,
    )
}

/// URL, ID, user, password.
const FORMS: &[(&str, &str, &str, &str)] = &[
    (
        "mysql+pymysql://app:pw@mariadb:3307/coe",
        "mariadb:3307/coe",
        "app",
        "pw",
    ),
    (
        "mysql+aiomysql://app:pw@mariadb/coe?charset=utf8mb4",
        "mariadb:3306/coe",
        "app",
        "pw",
    ),
    (
        "mariadb+mariadbconnector://app@MariaDB/coe",
        "mariadb:3306/coe",
        "app",
        "",
    ),
    (
        "postgresql+psycopg://app:pw@pg/orders",
        "pg:5432/orders",
        "app",
        "pw",
    ),
    (
        "postgresql+asyncpg://app:pw@pg:6432/orders?prepared_statement_cache_size=0",
        "pg:6432/orders",
        "app",
        "pw",
    ),
    (
        "postgres://app:p%40%2F%25s@pg/orders",
        "pg:5432/orders",
        "app",
        "p@/%s",
    ),
    ("postgresql://app:pw@pg", "pg:5432/app", "app", "pw"),
    (
        "postgresql:///orders?host=pg&port=6000&user=app&password=pw",
        "pg:6000/orders",
        "app",
        "pw",
    ),
    (
        "mysql://app:a/b?c#d@mariadb/coe",
        "mariadb:3306/coe",
        "app",
        "a/b?c#d",
    ),
    ("mysql://app:a@b@mariadb/coe", "mariadb:3306/coe", "app", "a@b"),
    (
        "mysql://app:a:b+c%+1%@mariadb/coe",
        "mariadb:3306/coe",
        "app",
        "a:b+c%+1%",
    ),
    ("mysql://mariadb/coe?note=a@b", "mariadb:3306/coe", "", ""),
    (
        "mysql://app:pw@[fd00::2]:3306/coe",
        "[fd00::2]:3306/coe",
        "app",
        "pw",
    ),
    ("mysql:///coe", "localhost:3306/coe", "", ""),
    (
        "mysql://사용자:암호@db/스키마",
        "db:3306/스키마",
        "사용자",
        "암호",
    ),
];

#[test]
fn every_form_of_a_server_url_is_read_with_its_default_port_and_without_its_driver() {
    for &(text, id, user, password) in FORMS {
        let (got_id, got_user, got_password, _) = read(text);
        assert_eq!(
            (got_id.as_str(), got_user.as_str(), got_password.as_str()),
            (id, user, password),
            "{text}"
        );
    }
}

#[test]
fn a_sqlite_url_names_a_file() {
    for (text, path) in [
        ("sqlite:///app.db", "app.db"),
        ("sqlite:////data/app.db", "/data/app.db"),
        ("sqlite+aiosqlite:////data/app.db?timeout=5", "/data/app.db"),
        ("sqlite:///file:app.db?mode=ro&uri=true", "app.db"),
        ("sqlite://app.db", "app.db"),
    ] {
        assert_eq!(
            DatabaseUrl::parse(text).unwrap().path().unwrap().to_str(),
            Some(path),
            "{text}"
        );
    }
    assert_eq!(
        DatabaseUrl::parse("sqlite:////data/app.db").unwrap().id().0,
        "sqlite:/data/app.db"
    );
}

#[test]
fn the_strictest_tls_parameter_counts() {
    for (query, tls) in [
        ("", Tls::Prefer),
        ("?sslmode=disable", Tls::Off),
        ("?ssl=true", Tls::Require),
        ("?ssl-mode=VERIFY_IDENTITY", Tls::VerifyFull),
        ("?sslmode=require&sslrootcert=/ca.pem", Tls::VerifyCa),
        ("?ssl_ca=/ca.pem&ssl_verify_identity=true", Tls::VerifyFull),
        ("?sslmode=nonsense", Tls::Prefer),
    ] {
        assert_eq!(read(&format!("mysql://a:b@c/d{query}")).3, tls, "{query}");
    }
}

#[test]
fn a_url_that_cannot_be_read_is_refused_with_its_reason() {
    for (text, error) in [
        ("mariadb:3306/coe", UrlError::NoScheme),
        ("oracle://a:b@c/d", UrlError::UnknownDialect),
        ("mysql://a:b@c:http/d", UrlError::Port),
        ("mysql://a:b@c:99999/d", UrlError::Port),
        ("mysql://a:b@c", UrlError::NoSchema),
        ("mysql://a:b@/d?unix_socket=/run/mysqld.sock", UrlError::Socket),
        ("postgresql:///d?host=/run/postgresql", UrlError::Socket),
        ("postgresql://%2Frun%2Fpostgresql/d", UrlError::Socket),
        ("sqlite://", UrlError::InMemory),
        ("sqlite:///:memory:", UrlError::InMemory),
    ] {
        assert_eq!(DatabaseUrl::parse(text).unwrap_err(), error, "{text}");
    }
}

#[test]
fn no_text_of_a_url_shows_its_password() {
    let url = DatabaseUrl::parse("mysql://app:s3cret@mariadb/coe").unwrap();
    let shown = format!("{url} {url:?} {:?} {}", url.server(), url.id());
    assert!(!shown.contains("s3cret") && shown.contains("***"), "{shown}");
}

#[test]
fn another_password_or_address_is_another_url() {
    let url = DatabaseUrl::parse("mysql://app:one@mariadb/coe").unwrap();
    assert_eq!(
        url,
        DatabaseUrl::parse("mysql+pymysql://app:one@mariadb:3306/coe").unwrap()
    );
    assert_ne!(url, DatabaseUrl::parse("mysql://app:two@mariadb/coe").unwrap());
    assert_ne!(url, url.clone().at([172, 18, 0, 5].into()));
    assert_eq!(url.at([172, 18, 0, 5].into()).id().0, "172.18.0.5:3306/coe");
}
