//! Something loud, in a project of its own: what was quiet before was quiet because nothing was said.

use super::application;
use super::ground::Ground;
use super::scene;
use crate::scenarios::row::{Database, HEAD, NEXT, Sentinel};
use crate::scenarios::told;
use crate::support::stack::docker;
use crate::support::waiting::until;

/// Where a sentinel rings.
pub(super) struct Ringing {
    project: String,
    database: Database,
}

impl Ringing {
    /// Beside this project.
    pub(super) fn new(project: &str, database: Database) -> Self {
        Self {
            project: format!("{project}-sentinel"),
            database,
        }
    }

    /// Nothing of it is expected.
    pub(super) fn configured(&self) -> String {
        format!("[project.{}]\nmigrations = \"deny\"\n", self.project)
    }

    /// A migration that nobody planned, on this path; back when the receiver was told.
    pub(super) async fn rings(&self, ground: &Ground, sentinel: Sentinel) {
        match sentinel {
            Sentinel::Log => {
                let says = "echo 'Running Alembic migrations...'; \
                            echo 'INFO  [alembic.runtime.migration] Running upgrade  -> 1, x'; ";
                self.starts(says, "RUN_MIGRATIONS=true").await;
            }
            Sentinel::Exec => {
                self.starts("", "RUN_MIGRATIONS=true").await;
                // There is no Alembic; what runs on is taken as moving something.
                let command = "alembic upgrade head || tail -f /dev/null";
                docker(&["exec", "--detach", &self.project, "sh", "-c", command]).await;
            }
            Sentinel::Database => self.moves(ground).await,
        }
        let is_heard = |all: &[_]| !told::about(all, &[&self.project]).is_empty();
        let what = format!("{} is heard", self.project);
        ground.receiver.until(&what, is_heard).await;
        docker(&["rm", "--force", "--volumes", &self.project]).await;
    }

    /// Somebody elsewhere moves a database that a container here uses.
    async fn moves(&self, ground: &Ground) {
        let schema = scene::schema(self.database).await;
        schema.execute(&application::schema_at(HEAD)).await;
        let url = scene::url(self.database, &schema);
        self.starts("", &format!("DATABASE_URL={url}")).await;
        let what = format!("{}: its database is read", self.project);
        until(&what, async || ground.stands(&schema.name, Some(HEAD)).await).await;
        let moves = format!("UPDATE alembic_version SET version_num = '{NEXT}'");
        schema.execute(&moves).await;
    }

    async fn starts(&self, says: &str, variable: &str) {
        let project = format!("com.docker.compose.project={}", self.project);
        let script = format!("{says}exec tail -f /dev/null");
        let run = ["run", "--detach", "--name", &self.project, "--label", &project];
        let what = [
            "--label",
            "com.docker.compose.service=sentinel",
            "--label",
            "migwatch.migrations=deny",
            "--env",
            variable,
            "migwatch-demo-base",
            "sh",
            "-c",
            &script,
        ];
        docker(&[&run[..], &what].concat()).await;
    }
}

impl Drop for Ringing {
    /// What a failed row left.
    fn drop(&mut self) {
        let mut remove = std::process::Command::new("docker");
        let removed = remove
            .args(["rm", "--force", "--volumes", &self.project])
            .output();
        drop(removed);
    }
}
