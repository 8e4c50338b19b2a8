//! Real MariaDB and PostgreSQL servers, one of each a test process, and a schema of its own for every test.
//!
//! A server lives as long as the process that wanted it: its container ends when the pipe to it closes, also when the process is
//! killed, and removes itself. The engine is asked through its command line, so that nothing of ours tests itself.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use migwatch::database::DatabaseUrl;
use sqlx::{AssertSqlSafe, Connection, MySqlConnection, PgConnection};
use tokio::sync::OnceCell;
use tokio::time::Instant;

/// The password of every server's administrator: with the characters that need care in a URL.
const PASSWORD: &str = "p@ss/wörd:1";

/// The same in a URL.
const ENCODED: &str = "p%40ss%2Fw%C3%B6rd%3A1";

/// A start takes some four seconds; a busy machine may take ten times that.
const STARTED_WITHIN: Duration = Duration::from_mins(2);

static MARIADB: OnceCell<Server> = OnceCell::const_new();
static POSTGRES: OnceCell<Server> = OnceCell::const_new();
static SCHEMAS: AtomicU32 = AtomicU32::new(0);

/// A running database server.
pub(crate) struct Server {
    scheme: &'static str,
    user: &'static str,
    address: String,
    _lifeline: Child,
}

/// One test's own schema (`MariaDB`) or database (`PostgreSQL`).
pub(crate) struct Schema {
    server: &'static Server,
    /// Its name.
    pub(crate) name: String,
}

/// The administrators' password as it stands in a URL.
pub(crate) fn encoded_password() -> &'static str {
    ENCODED
}

/// A new schema on `MariaDB`.
pub(crate) async fn mariadb() -> Schema {
    let environment = [format!("MARIADB_ROOT_PASSWORD={PASSWORD}")];
    let start = || {
        Server::start(
            "migwatch-demo-mariadb",
            ("mysql", "root", 3306),
            &environment,
            "/var/lib/mysql",
        )
    };
    Schema::on(MARIADB.get_or_init(start).await).await
}

/// A new database on `PostgreSQL`.
pub(crate) async fn postgres() -> Schema {
    let environment = [format!("POSTGRES_PASSWORD={PASSWORD}")];
    let start = || {
        Server::start(
            "migwatch-demo-postgres",
            ("postgresql", "postgres", 5432),
            &environment,
            "/var/lib/postgresql/data",
        )
    };
    Schema::on(POSTGRES.get_or_init(start).await).await
}

impl Schema {
    async fn on(server: &'static Server) -> Self {
        // Whoever watches the whole host sees those of other test processes too.
        let number = SCHEMAS.fetch_add(1, Ordering::Relaxed);
        let name = format!("t{}_{number}", std::process::id());
        let home = if server.scheme == "mysql" {
            "mysql"
        } else {
            "postgres"
        };
        server.execute(home, &format!("CREATE DATABASE {name}")).await;
        Self { server, name }
    }

    /// Its URL for the administrator.
    pub(crate) fn url(&self) -> DatabaseUrl {
        DatabaseUrl::parse(&self.url_as(self.server.user, ENCODED, &self.server.address)).unwrap()
    }

    /// Its URL for somebody else, or by another way; `password` percent-encoded.
    pub(crate) fn url_as(&self, user: &str, password: &str, address: &str) -> String {
        format!(
            "{}://{user}:{password}@{address}/{}",
            self.server.scheme, self.name
        )
    }

    /// Its URL through another address.
    pub(crate) fn url_at(&self, address: &str) -> DatabaseUrl {
        DatabaseUrl::parse(&self.url_as(self.server.user, ENCODED, address)).unwrap()
    }

    /// `host:port` of its server.
    pub(crate) fn address(&self) -> &'static str {
        &self.server.address
    }

    /// Runs statements in it, in a session of their own.
    pub(crate) async fn execute(&self, sql: &str) {
        self.server.execute(&self.name, sql).await;
    }

    /// The first column of the first row, as a number.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let (sql, url) = (AssertSqlSafe(sql.to_owned()), self.server.url(&self.name));
        if self.server.scheme == "mysql" {
            sqlx::query_scalar(sql)
                .fetch_one(&mut MySqlConnection::connect(&url).await.unwrap())
                .await
                .unwrap()
        } else {
            sqlx::query_scalar(sql)
                .fetch_one(&mut PgConnection::connect(&url).await.unwrap())
                .await
                .unwrap()
        }
    }
}

impl Server {
    /// The data lies in memory. The shell in front ends the server when its standard input does.
    async fn start(
        image: &str,
        (scheme, user, port): (&'static str, &'static str, u16),
        environment: &[String],
        data: &str,
    ) -> Self {
        let known = Command::new("docker")
            .args(["image", "inspect", image])
            .output()
            .expect("docker is installed");
        assert!(
            known.status.success(),
            "the image {image} is missing: run \"make images\" first"
        );
        let name = format!("migwatch-test-{scheme}-{}-{}", std::process::id(), image.len());
        let watched = "/usr/local/bin/start & server=$!; cat >/dev/null; kill $server; wait $server";
        let lifeline = Command::new("docker")
            .args([
                "run",
                "--rm",
                "--interactive",
                "--name",
                &name,
                "--tmpfs",
                data,
                "--entrypoint",
                "/bin/sh",
            ])
            .args(
                environment
                    .iter()
                    .flat_map(|variable| ["--env", variable.as_str()]),
            )
            .args([image, "-c", watched])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker run starts");
        let server = Self {
            scheme,
            user,
            address: address_of(&name, port).await,
            _lifeline: lifeline,
        };
        server.answers(&name).await;
        server
    }

    fn url(&self, schema: &str) -> String {
        format!(
            "{}://{}:{ENCODED}@{}/{schema}",
            self.scheme, self.user, self.address
        )
    }

    async fn answers(&self, name: &str) {
        let home = if self.scheme == "mysql" {
            "mysql"
        } else {
            "postgres"
        };
        let tried_until = Instant::now() + STARTED_WITHIN;
        let mut pause = tokio::time::interval(Duration::from_millis(100));
        while let Err(error) = self.try_execute(home, "SELECT 1").await {
            let logs = || String::from_utf8_lossy(&docker(&["logs", name]).stderr).into_owned();
            assert!(
                Instant::now() < tried_until,
                "{name} does not answer: {error}\n{}",
                logs()
            );
            pause.tick().await;
        }
    }

    async fn execute(&self, schema: &str, sql: &str) {
        self.try_execute(schema, sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    async fn try_execute(&self, schema: &str, sql: &str) -> sqlx::Result<()> {
        let (sql, url) = (sqlx::raw_sql(AssertSqlSafe(sql.to_owned())), self.url(schema));
        if self.scheme == "mysql" {
            let mut connection = MySqlConnection::connect(&url).await?;
            sql.execute(&mut connection).await?;
            connection.close().await
        } else {
            let mut connection = PgConnection::connect(&url).await?;
            sql.execute(&mut connection).await?;
            connection.close().await
        }
    }
}

/// The container's own address: nothing is published, so no port can be taken.
async fn address_of(name: &str, port: u16) -> String {
    let tried_until = Instant::now() + STARTED_WITHIN;
    let mut pause = tokio::time::interval(Duration::from_millis(50));
    loop {
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let answer = docker(&["inspect", "--format", format, name]);
        let address = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
        if !address.is_empty() {
            return format!("{address}:{port}");
        }
        assert!(
            Instant::now() < tried_until,
            "{name}: {}",
            String::from_utf8_lossy(&answer.stderr)
        );
        pause.tick().await;
    }
}

fn docker(arguments: &[&str]) -> std::process::Output {
    Command::new("docker")
        .args(arguments)
        .output()
        .expect("docker is installed")
}
