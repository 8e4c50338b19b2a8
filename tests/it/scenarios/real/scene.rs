//! One row for real: its project, its database, and how it is acted from its beginning to its sentinel.

use std::path::PathBuf;

use migwatch::model::service::ServiceId;
use migwatch::model::status::ServiceStatus;
use tokio::process::Child;
use tokio::time::Instant;

use super::application;
use super::ground::Ground;
use super::sentinel::Ringing;
use crate::scenarios::case::Case;
use crate::scenarios::row::{Begins, By, Database, PROCESS, Second, Sentinel, Start};
use crate::scenarios::{check, told};
use crate::support::databases::{self, Schema, encoded_password};
use crate::support::stack::Stack;
use crate::support::waiting::until;

/// A row with all that is its own.
pub(super) struct Scene {
    pub(super) case: Case,
    pub(super) stack: Stack,
    /// The project beside it.
    pub(super) second: Option<Stack>,
    pub(super) schema: Schema,
    ringing: Ringing,
    /// What the application starts with now.
    pub(super) start: Start,
    /// A command that has begun.
    pub(super) begun: Option<(By, Child)>,
    /// Starts that skipped so far.
    pub(super) skips: u64,
    /// Commands that ran for so long that migwatch may have taken them as moving something.
    pub(super) presumed: usize,
}

/// A new database of this kind.
pub(super) async fn schema(database: Database) -> Schema {
    match database {
        Database::PostgreSql => databases::postgres().await,
        Database::MariaDb => {
            let schema = databases::mariadb().await;
            // Python's driver cannot log in with the administrator's password.
            let user = "CREATE USER IF NOT EXISTS coe IDENTIFIED BY 's3cret'; GRANT ALL ON *.* TO coe";
            schema.execute(user).await;
            schema
        }
    }
}

/// The database as SQLAlchemy names it.
pub(super) fn url(database: Database, schema: &Schema) -> String {
    let address = schema.address();
    match database {
        Database::MariaDb => {
            let url = schema.url_as("coe", "s3cret", address);
            url.replacen("mysql", "mysql+pymysql", 1)
        }
        Database::PostgreSql => {
            let url = schema.url_as("postgres", encoded_password(), address);
            url.replacen("postgresql", "postgresql+psycopg", 1)
        }
    }
}

impl Scene {
    pub(super) async fn new(case: Case) -> Self {
        let stack = Stack::with(case.compose).await;
        std::fs::create_dir(stack.path("incoming")).expect("the folder is ours");
        let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(stack.path("incoming"), everybody).expect("it is ours");
        stack.write("run.log", "");
        let second = match case.row.second {
            Second::None => None,
            Second::Green | Second::Preview => Some(Stack::with(case.compose).await),
        };
        Self {
            case,
            second,
            schema: schema(case.database).await,
            ringing: Ringing::new(&stack.project, case.database),
            stack,
            start: Start::Off,
            begun: None,
            skips: 0,
            presumed: 0,
        }
    }

    pub(super) fn project(&self) -> &str {
        &self.stack.project
    }

    fn second_project(&self) -> &str {
        self.second.as_ref().map_or("", |second| &second.project)
    }

    /// What the configuration says because of it.
    pub(super) fn configured(&self) -> String {
        let log = self.stack.path("run.log");
        let own = self.case.configured(self.project(), self.second_project(), &log);
        format!("{own}{}", self.ringing.configured())
    }

    pub(super) fn url(&self) -> String {
        url(self.case.database, &self.schema)
    }

    /// Acts the row and checks all that is told of it; gives back what is still there, since something may be told later.
    #[expect(
        clippy::print_stderr,
        reason = "how long each row takes is part of what is measured"
    )]
    pub(super) async fn act(mut self, ground: &Ground) -> Self {
        let began = Instant::now();
        let row = self.case.row;
        self.begins(ground).await;
        self.expects(ground).await;
        for deed in row.deeds {
            self.does(ground, deed).await;
        }
        self.is_told(ground, row.told.len()).await;
        self.is_heard(ground).await;
        self.ringing.rings(ground, row.sentinel).await;
        self.holds(ground).await;
        eprintln!("{:5.1} s  {}", began.elapsed().as_secs_f32(), self.case);
        self
    }

    async fn begins(&mut self, ground: &Ground) {
        let (Begins::ServingAt(revision) | Begins::Before(revision)) = self.case.row.begins;
        let schema = application::schema_at(revision);
        if !schema.is_empty() {
            self.schema.execute(&schema).await;
        }
        if matches!(self.case.row.begins, Begins::ServingAt(_)) {
            self.up(ground, Start::Off, &[]).await;
            self.stands(ground, Some(revision)).await;
        }
        if self.configured().contains("[process.") {
            let process = ServiceId::new(self.project(), PROCESS);
            let is_followed = |service: &ServiceStatus| service.log.following > 0;
            ground
                .service(&process, "its log file is followed", is_followed)
                .await;
        }
    }

    /// Waits until migwatch knows that the database stands there, or that there is no version table.
    pub(super) async fn stands(&self, ground: &Ground, revision: Option<&str>) {
        let what = format!("{}: its database is read at {revision:?}", self.case);
        until(&what, async || ground.stands(&self.schema.name, revision).await).await;
    }

    async fn expects(&self, ground: &Ground) {
        let Some(approve) = self.case.approval(self.project()) else {
            return;
        };
        let approve: Vec<&str> = approve.iter().map(String::as_str).collect();
        let output = ground.home.run(&approve).await;
        assert!(output.status.success(), "{}: {output:?}", self.case);
    }

    /// Waits until the first `count` migrations are told as the row says.
    pub(super) async fn is_told(&self, ground: &Ground, count: usize) {
        until("what is told is what the row says", async || {
            let all = ground.migrations(&[self.project(), self.second_project()]).await;
            let told = check::migrations(&self.case, &all, count, self.presumed > 0);
            let Err(instead) = told else { return Ok(()) };
            Err(format!("{instead}\n{}", ground.reading(&self.schema.name).await))
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
        let app = ServiceId::new(self.project(), "app");
        ground.service(&app, &what, is_such).await;
    }

    /// Waits until the receiver was told as much as the row says.
    async fn is_heard(&self, ground: &Ground) {
        let wanted = self.case.alerts();
        let own = [self.project(), self.second_project(), &self.schema.name];
        let heard = |all: &[_]| told::about(all, &own).len() >= wanted.len();
        let what = format!("{}: {wanted:?}", self.case);
        ground.receiver.until(&what, heard).await;
    }

    /// Everything is told as the row says, and nothing else is.
    pub(super) async fn holds(&self, ground: &Ground) {
        self.is_told(ground, self.case.row.told.len()).await;
        let own = [self.project(), self.second_project(), &self.schema.name];
        let received = ground.receiver.received();
        let mut told = told::about(&received, &own);
        told::forget_what_was_presumed(&mut told, &self.case.alerts(), self.presumed);
        told::forget_what_was_corrected(&mut told);
        let words = told::words(&received, &own);
        assert_eq!(told, self.case.alerts(), "{}: {words:#?}", self.case);
    }

    pub(super) fn incoming(&self) -> PathBuf {
        self.stack.path("incoming")
    }
}

/// What is heard in the end has come by every way, the longest too.
pub(super) const LONGEST: Sentinel = Sentinel::Database;
