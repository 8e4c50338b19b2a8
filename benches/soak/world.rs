//! The stack that is watched: two services on one schema, whose tables are moved up and down in every way there is.

use std::sync::Arc;
use std::time::Duration;

use migwatch::model::revision::Heads;
use tokio::task::JoinSet;

use crate::Dice;
use crate::support::stack::{Stack, docker};

/// How long the database and the application are given to come to rest after an act: nothing of ours depends on it.
const REST: Duration = Duration::from_millis(300);

/// Both services with their version tables.
const SERVICES: [(&str, &str); 2] = [
    ("backend", "alembic_version_backend"),
    ("ragpipeline", "alembic_version_rag"),
];

/// How something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The container is started anew, and migrates to the head.
    Restart,
    Exec,
    OneOff,
    /// Somebody migrates who belongs to no project.
    Elsewhere,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) service: usize,
    pub(crate) way: Way,
    pub(crate) down: bool,
}

/// The stack.
pub(crate) struct World {
    stack: Arc<Stack>,
    /// Each service's head and the revision below.
    heads: tokio::sync::OnceCell<[(Heads, Heads); 2]>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self {
            stack: Arc::new(Stack::new().await),
            heads: tokio::sync::OnceCell::new(),
        }
    }

    pub(crate) fn project(&self) -> &str {
        &self.stack.project
    }

    /// Both services are deployed, with migrations on, and the release after the first.
    pub(crate) async fn comes_up(&self) {
        let on = [
            ("RUN_MIGRATIONS", "true"),
            ("RELEASES", "next"),
            ("RESTART", "no"),
        ];
        for (service, _) in SERVICES {
            self.stack.up(service, &on).await;
            self.stack.healthy(service).await;
        }
        let mut heads = Vec::new();
        for service in 0..2 {
            let head = self.stands(service).await;
            self.run(service, &["alembic", "downgrade", "-1"]).await;
            let below = self.stands(service).await;
            self.run(service, &["alembic", "upgrade", "head"]).await;
            heads.push((head, below));
        }
        let heads = heads.try_into().expect("two services");
        self.heads.set(heads).expect("it comes up once");
    }

    async fn run(&self, service: usize, command: &[&str]) {
        self.stack.exec(SERVICES[service].0, command).await;
    }

    async fn sql(&self, statement: &str) -> String {
        let command = [
            "exec",
            "-T",
            "mariadb",
            "mariadb",
            "--user=root",
            "--password=root",
            "--batch",
            "--skip-column-names",
            "--execute",
            statement,
            "coe",
        ];
        self.stack.compose(&command, &[]).await
    }

    /// What stands in a service's version table.
    pub(crate) async fn stands(&self, service: usize) -> Heads {
        let table = SERVICES[service].1;
        let rows = self.sql(&format!("SELECT version_num FROM {table}")).await;
        Heads::of(rows.lines().map(str::trim).filter(|line| !line.is_empty()))
    }

    /// What happens next.
    pub(crate) async fn next(&self, dice: &mut Dice) -> Act {
        let service = usize::try_from(dice.roll(2)).expect("0 or 1");
        let is_up = self.stands(service).await == self.heads.get().expect("it is up")[service].0;
        let down = is_up && dice.roll(4) > 0;
        let way = match dice.roll(8) {
            0 | 1 if !down => Way::Restart,
            2 | 3 => Way::OneOff,
            4 => Way::Elsewhere,
            _ => Way::Exec,
        };
        // Of somebody elsewhere who has nothing to do, nobody hears.
        let way = if way == Way::Elsewhere && is_up && !down {
            Way::Exec
        } else {
            way
        };
        Act { service, way, down }
    }

    /// Lets it happen; what is returned ends with it.
    pub(crate) async fn begins(&self, act: &Act) -> JoinSet<()> {
        let service = SERVICES[act.service].0;
        let alembic = if act.down {
            "alembic downgrade -1"
        } else {
            "alembic upgrade head"
        };
        let id = self.stack.container(service).await;
        let arguments = match act.way {
            Way::Restart => vec!["restart".into(), "--time".into(), "1".into(), id],
            Way::Exec => vec!["exec".into(), id, "sh".into(), "-c".into(), alembic.into()],
            Way::OneOff => {
                let script = format!("release next >/dev/null && {alembic}");
                let run = ["run", "--rm", "-T", "--no-deps", service, "sh", "-c", &script];
                run.map(str::to_owned).to_vec()
            }
            Way::Elsewhere => self.elsewhere(service, alembic),
        };
        let (stack, is_compose) = (Arc::clone(&self.stack), act.way == Way::OneOff);
        let mut running = JoinSet::new();
        running.spawn(async move {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            if is_compose {
                stack.compose(&arguments, &[]).await;
            } else {
                docker(&arguments).await;
            }
        });
        running
    }

    /// A container of nobody's project: to whoever watches compose services, somebody on another host.
    fn elsewhere(&self, service: &str, alembic: &str) -> Vec<String> {
        let script = format!("cd /srv/{service} && release next >/dev/null && {alembic}");
        let network = format!("--network={}_default", self.project());
        let database = [
            "DB_HOST=mariadb",
            "DB_PORT=3306",
            "DB_USER=coe",
            "DB_PASSWORD=s3cret/of:coe",
            "DB_NAME=coe",
        ];
        let mut arguments = vec!["run".to_owned(), "--rm".to_owned(), network];
        arguments.extend(database.map(|variable| format!("--env={variable}")));
        arguments.extend(["migwatch-demo-app", "sh", "-c", &script].map(str::to_owned));
        arguments
    }

    /// Waits until what happened has come to its end in the stack.
    pub(crate) async fn settles(&self, act: &Act) {
        if act.way == Way::Restart {
            self.stack.healthy(SERVICES[act.service].0).await;
        }
        tokio::time::sleep(REST).await;
    }
}
