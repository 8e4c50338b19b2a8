//! Environments as they are met, and the database that each leads to.

use std::net::IpAddr;

use secrecy::ExposeSecret;

use super::{Found, from_environment, resolve};

fn look(environment: &[(&str, &str)]) -> Option<Found> {
    from_environment(&|name| {
        environment
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned())
    })
}

/// `variable: scheme://user:***@host:port/schema password`.
fn said(environment: &[(&str, &str)]) -> String {
    match look(environment) {
        Some(Found::Url { variable, url }) => {
            format!(
                "{variable}: {url:?} {}",
                url.server().expect("on a server").password.expose_secret()
            )
        }
        Some(Found::NeedsFile { variable, path }) => format!("{variable} needs {path}"),
        Some(Found::Unusable { variable, why }) => format!("{variable} unusable: {why}"),
        None => "nothing".to_owned(),
    }
}

type Environment = &'static [(&'static str, &'static str)];

/// Environment, what it leads to.
const CONVENTIONS: &[(Environment, &str)] = &[
    (
        &[(
            "DATABASE_URL",
            "mysql+pymysql://app:pw@mariadb:3306/coe?charset=utf8mb4",
        )],
        "DATABASE_URL: mysql://app:***@mariadb:3306/coe pw",
    ),
    (
        &[("SQLALCHEMY_DATABASE_URI", "postgres://a:b@pg/c")],
        "SQLALCHEMY_DATABASE_URI: postgresql://a:***@pg:5432/c b",
    ),
    (
        &[
            ("DB_HOST", "mariadb"),
            ("DB_PORT", "3306"),
            ("DB_USER", "app"),
            ("DB_PASSWORD", "p@ w/"),
            ("DB_NAME", "coe"),
        ],
        "DB_HOST: mysql://app:***@mariadb:3306/coe p@ w/",
    ),
    (
        &[
            ("DB_HOST", "data"),
            ("DB_TYPE", "postgresql"),
            ("DB_USERNAME", "app"),
            ("DB_PASS", "x"),
            ("DB_DATABASE", "o"),
        ],
        "DB_HOST: postgresql://app:***@data:5432/o x",
    ),
    (
        &[("DB_HOST", "my-postgres"), ("DB_USER", "app")],
        "DB_HOST: postgresql://app:***@my-postgres:5432/app ",
    ),
    (
        &[
            ("MARIADB_HOST", "db"),
            ("MARIADB_USER", "u"),
            ("MARIADB_PASSWORD", "p"),
            ("MARIADB_DATABASE", "coe"),
        ],
        "MARIADB_HOST: mysql://u:***@db:3306/coe p",
    ),
    (
        &[
            ("MYSQL_HOST", "db"),
            ("MYSQL_ROOT_PASSWORD", "p"),
            ("MYSQL_DATABASE", "coe"),
            ("MYSQL_PORT", "tcp://1.2.3.4:3307"),
        ],
        "MYSQL_HOST: mysql://root:***@db:3307/coe p",
    ),
    (
        &[
            ("POSTGRES_SERVER", "pg"),
            ("POSTGRES_USER", "u"),
            ("POSTGRES_PASSWORD", "p"),
            ("POSTGRES_DB", "o"),
        ],
        "POSTGRES_SERVER: postgresql://u:***@pg:5432/o p",
    ),
    (
        &[
            ("PGHOST", "pg"),
            ("PGPORT", "6432"),
            ("PGUSER", "u"),
            ("PGPASSWORD", "p"),
            ("PGDATABASE", "o"),
        ],
        "PGHOST: postgresql://u:***@pg:6432/o p",
    ),
    (
        &[
            ("MYSQL_HOST", " db:3307 "),
            ("MYSQL_USER", "u "),
            ("MYSQL_PASSWORD", " p "),
            ("MYSQL_DATABASE", "coe\n"),
        ],
        "MYSQL_HOST: mysql://u:***@db:3307/coe  p ",
    ),
    // what cannot be read gives way to what can
    (
        &[
            ("DATABASE_URL", "sqlite:///local.db"),
            ("PGHOST", "pg"),
            ("PGUSER", "u"),
        ],
        "PGHOST: postgresql://u:***@pg:5432/u ",
    ),
];

#[test]
fn each_convention_of_naming_a_database_is_understood() {
    for &(environment, expected) in CONVENTIONS {
        assert_eq!(said(environment), expected);
    }
}

#[test]
fn what_cannot_be_read_from_outside_is_named_with_the_way_to_configure_it() {
    for (environment, expected) in [
        (
            &[("DATABASE_URL_FILE", "/run/secrets/url")][..],
            "DATABASE_URL_FILE needs /run/secrets/url",
        ),
        (
            &[
                ("MYSQL_HOST", "db"),
                ("MYSQL_DATABASE", "coe"),
                ("MYSQL_PASSWORD_FILE", "/run/secrets/pw"),
            ],
            "MYSQL_PASSWORD_FILE needs /run/secrets/pw",
        ),
        (
            &[("DATABASE_URL", "sqlite:////app/a.db")],
            "DATABASE_URL unusable: its SQLite file lies inside the container",
        ),
        (
            &[("PGHOST", "/run/postgresql")],
            "PGHOST unusable: a local socket cannot be read from outside",
        ),
        (
            &[("MYSQL_HOST", "db"), ("MYSQL_USER", "u")],
            "MYSQL_HOST unusable: none of MARIADB_DATABASE, MYSQL_DATABASE, MYSQL_DB is set",
        ),
    ] {
        assert_eq!(said(environment), expected);
        let warning = look(environment)
            .and_then(|found| found.warning())
            .expect("a warning");
        assert!(warning.contains("[database.NAME]"), "{warning}");
    }
    assert!(said(&[("DB_HOST", "data"), ("DB_NAME", "x")]).contains("which kind"));
}

#[test]
fn a_database_servers_own_container_is_no_client() {
    for environment in [
        &[
            ("MARIADB_ROOT_PASSWORD", "r"),
            ("MARIADB_DATABASE", "coe"),
            ("MARIADB_USER", "u"),
            ("MARIADB_PASSWORD", "p"),
        ][..],
        &[
            ("POSTGRES_USER", "u"),
            ("POSTGRES_PASSWORD", "p"),
            ("POSTGRES_DB", "o"),
            ("PGDATA", "/var/lib/postgresql/data"),
        ],
        &[("DATABASE_URL", " "), ("DB_HOST", "")],
        &[],
    ] {
        assert_eq!(look(environment), None);
    }
}

#[test]
fn a_found_password_never_shows() {
    let found = look(&[
        ("DB_HOST", "mariadb"),
        ("DB_PASSWORD", "s3cret"),
        ("DB_NAME", "coe"),
    ])
    .unwrap();
    assert!(!format!("{found:?}").contains("s3cret"));
}

#[test]
fn the_id_keeps_the_containers_name_and_is_qualified_by_its_project() {
    let up: IpAddr = [172, 18, 0, 3].into();
    let loopback: IpAddr = [127, 0, 0, 1].into();
    for (host, answer, expected) in [
        (
            "mariadb",
            Some(up),
            Some(("172.18.0.3:3306/coe", "coe-demo/mariadb:3306/coe")),
        ),
        (
            "mariadb",
            None,
            Some(("mariadb:3306/coe", "coe-demo/mariadb:3306/coe")),
        ),
        (
            "db.internal",
            Some(up),
            Some(("172.18.0.3:3306/coe", "coe-demo/db.internal:3306/coe")),
        ),
        (
            "db.example.com",
            None,
            Some(("db.example.com:3306/coe", "db.example.com:3306/coe")),
        ),
        ("10.1.2.3", None, Some(("10.1.2.3:3306/coe", "10.1.2.3:3306/coe"))),
        ("localhost", None, None),
        (
            "localhost",
            Some(up),
            Some(("172.18.0.3:3306/coe", "coe-demo/localhost:3306/coe")),
        ),
        (
            "127.0.0.1",
            Some(loopback),
            Some(("127.0.0.1:3306/coe", "127.0.0.1:3306/coe")),
        ),
        (
            "host.docker.internal",
            Some(loopback),
            Some(("127.0.0.1:3306/coe", "host.docker.internal:3306/coe")),
        ),
    ] {
        let found = look(&[("MYSQL_HOST", host), ("MYSQL_DATABASE", "coe")]).unwrap();
        let resolved = resolve(&found, "coe-demo", &|name| answer.filter(|_| name == host));
        let got = resolved.map(|resolved| (resolved.url.id().0, resolved.id.0));
        assert_eq!(
            got,
            expected.map(|(url, id)| (url.to_owned(), id.to_owned())),
            "{host}"
        );
    }
}
