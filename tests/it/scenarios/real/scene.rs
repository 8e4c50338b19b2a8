//! One row for real: its project, its database, and how it is acted from its beginning to its sentinel.

use std::time::Instant;

use migwatch::model::status::ServiceStatus;
use tokio::process::Child;

use super::application;
use super::ground::Ground;
use crate::scenarios::case::Case;
use crate::scenarios::row::{Begins, By, Database, Expectation, FIRST, Sentinel, Start};
use crate::scenarios::{check, told};
use crate::support::databases::{self, Schema, encoded_password};
use crate::support::stack::{Stack, docker};
use crate::support::waiting::until;

/// A row with all that is its own.
pub(super) struct Scene {
    pub(super) case: Case,
    pub(super) stack: Stack,
    pub(super) schema: Schema,
    /// What the application starts with now.
    pub(super) start: Start,
    /// A command that has begun.
    pub(super) begun: Option<(By, Child)>,
    /// Starts that skipped so far.
    pub(super) skips: u64,
    /// A command ran for so long that migwatch took it as moving something.
    pub(super) presumed: usize,
}

impl Scene {
    pub(super) async fn new(case: Case) -> Self {
        let schema = match case.database {
            Database::MariaDb => databases::mariadb().await,
            Database::PostgreSql => databases::postgres().await,
        };
        if case.database == Database::MariaDb {
            // Python's driver cannot log in with the administrator's password.
            let user = "CREATE USER IF NOT EXISTS coe IDENTIFIED BY 's3cret'; GRANT ALL ON *.* TO coe";
            schema.execute(user).await;
        }
        Self {
            case,
            stack: Stack::with(case.compose).await,
            schema,
            start: Start::Off,
            begun: None,
            skips: 0,
            presumed: 0,
        }
    }

    pub(super) fn project(&self) -> &str {
        &self.stack.project
    }

    /// The project in which its sentinel is heard.
    pub(super) fn sentinel(&self) -> String {
        format!("{}-sentinel", self.project())
    }

    pub(super) fn configured(&self) -> String {
        format!(
            "{}[project.{}]\nmigrations = \"deny\"\n",
            self.case.configured(self.project()),
            self.sentinel()
        )
    }

    /// The application's database as SQLAlchemy names it.
    pub(super) fn url(&self) -> String {
        let schema = &self.schema;
        match self.case.database {
            Database::MariaDb => {
                schema
                    .url_as("coe", "s3cret", schema.address())
                    .replacen("mysql", "mysql+pymysql", 1)
            }
            Database::PostgreSql => schema
                .url_as("postgres", encoded_password(), schema.address())
                .replacen("postgresql", "postgresql+psycopg", 1),
        }
    }

    /// Acts the row and checks all that is told of it.
    #[expect(
        clippy::print_stderr,
        reason = "how long each row takes is part of what is measured"
    )]
    pub(super) async fn act(mut self, ground: &Ground) {
        let began = Instant::now();
        let row = self.case.row;
        self.begins(ground).await;
        self.expects(ground).await;
        for deed in row.deeds {
            self.does(ground, deed).await;
        }
        self.is_told(ground, row.told.len()).await;
        self.silence_is_proved(ground).await;
        self.is_told(ground, row.told.len()).await;
        eprintln!("{:5.1} s  {}", began.elapsed().as_secs_f32(), self.case);
    }

    async fn begins(&mut self, ground: &Ground) {
        std::fs::create_dir(self.incoming()).expect("the folder is ours");
        let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(self.incoming(), everybody).expect("it is ours");
        let (Begins::ServingAt(revision) | Begins::Before(revision)) = self.case.row.begins;
        let schema = application::schema_at(revision);
        if !schema.is_empty() {
            self.schema.execute(&schema).await;
        }
        if matches!(self.case.row.begins, Begins::ServingAt(_)) {
            self.up(ground, Start::Off, &[]).await;
            self.is_read(ground).await;
        }
    }

    /// Waits until the database is known as it stands.
    async fn is_read(&self, ground: &Ground) {
        let project = self.project();
        until(&format!("{project}: its database is read"), async || {
            let all = ground.status().await.databases;
            let mut own = all
                .iter()
                .filter(|database| database.services.iter().any(|service| service.project == project));
            let is_read = own.any(|database| database.up && !database.tables.is_empty());
            is_read.then_some(()).ok_or_else(|| format!("{all:#?}"))
        })
        .await;
    }

    async fn expects(&self, ground: &Ground) {
        let to: &[&str] = match self.case.expectation() {
            Expectation::Approved => &[],
            Expectation::ApprovedElsewhere => &["--to", FIRST],
            _ => return,
        };
        let service = format!("{}/app", self.project());
        let approve = ["approve", &service, "--for", "30m", "--reason", "release 42"];
        let output = ground.home.run(&[&approve[..], to].concat()).await;
        assert!(output.status.success(), "{}: {output:?}", self.case);
    }

    /// Waits until the first `count` migrations are told as the row says.
    pub(super) async fn is_told(&self, ground: &Ground, count: usize) {
        until("what is told is what the row says", async || {
            let all = ground.migrations(self.project()).await;
            check::migrations(&self.case, &all, count)
        })
        .await;
    }

    /// Waits until the application is such.
    pub(super) async fn service(
        &self,
        ground: &Ground,
        what: &str,
        is_such: impl Fn(&ServiceStatus) -> bool,
    ) {
        let what = format!("{}: {what}", self.case);
        ground.service(self.project(), &what, is_such).await;
    }

    /// Something loud comes last, on the same path; by then the receiver was told all that the row says, and no more.
    async fn silence_is_proved(&self, ground: &Ground) {
        let wanted = self.case.alerts();
        let project = self.project();
        let own = [project, &self.schema.name];
        let heard = |all: &[_]| told::about(all, &own).len() >= wanted.len();
        ground
            .receiver
            .until(&format!("{}: {wanted:?}", self.case), heard)
            .await;
        self.rings().await;
        let sentinel = self.sentinel();
        let is_heard = |all: &[_]| !told::about(all, &[&sentinel]).is_empty();
        let all = ground
            .receiver
            .until(&format!("{}: its sentinel", self.case), is_heard)
            .await;
        let mut told = told::about(&all, &own);
        told::forget_what_was_presumed(&mut told, self.presumed);
        assert_eq!(told, wanted, "{}", self.case);
        docker(&["rm", "--force", "--volumes", &sentinel]).await;
    }

    /// A migration that nobody planned, in a project of its own.
    async fn rings(&self) {
        let sentinel = self.sentinel();
        let project = format!("com.docker.compose.project={sentinel}");
        let says = match self.case.row.sentinel {
            Sentinel::Log => {
                "echo 'Running Alembic migrations...'; echo 'INFO  [alembic.runtime.migration] Running upgrade  -> 1, x'; "
            }
            Sentinel::Exec => "",
        };
        let script = format!("{says}exec tail -f /dev/null");
        let run = ["run", "--detach", "--name", &sentinel, "--label", &project];
        let what = [
            "--label",
            "com.docker.compose.service=sentinel",
            "--env",
            "RUN_MIGRATIONS=true",
            "migwatch-demo-base",
            "sh",
            "-c",
            &script,
        ];
        docker(&[&run[..], &what].concat()).await;
        if self.case.row.sentinel == Sentinel::Exec {
            // There is no Alembic; what runs on is taken as moving something.
            let command = "alembic upgrade head || tail -f /dev/null";
            docker(&["exec", "--detach", &sentinel, "sh", "-c", command]).await;
        }
    }

    pub(super) fn incoming(&self) -> std::path::PathBuf {
        self.stack.path("incoming")
    }
}
