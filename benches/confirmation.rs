//! How soon the database confirms: from the end of a command that migrates to the moment migwatch shows where the version table went.
//!
//! `cargo bench --bench confirmation` (needs Docker and the demo's images). Real Alembic moves a real MariaDB up and down by `docker exec`.
//! `MIGWATCH_BENCH_ROUNDS` (40). Leaves nothing behind.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::panic, reason = "a benchmark that cannot measure says why and ends")]

mod support {
    //! What the tests have for the same purpose.
    #![expect(dead_code, reason = "the benchmark needs a part of it")]

    #[path = "../../tests/it/support/clock.rs"]
    pub(crate) mod clock;
    #[path = "../../tests/it/support/daemon.rs"]
    pub(crate) mod daemon;
    #[path = "../../tests/it/support/receiver.rs"]
    pub(crate) mod receiver;
    #[path = "../../tests/it/support/stack.rs"]
    pub(crate) mod stack;
    #[path = "../../tests/it/support/waiting.rs"]
    pub(crate) mod waiting;
}

#[path = "support/settings.rs"]
mod settings;

use std::path::Path;
use std::time::Duration;

use migwatch::model::migration::{Evidence, Grade, Migration, Outcome};
use support::daemon::{Daemon, Home};
use support::stack::{Stack, docker};
use support::waiting::until;
use tokio::time::Instant;

/// What is over this is shown with what migwatch says of it.
const AIM: Duration = Duration::from_millis(250);
/// How often it is looked whether it is shown: what is measured is that much too long at the most.
const LOOK: Duration = Duration::from_millis(2);

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    runtime.block_on(async {
        tokio::select! {
            () = measure() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    });
}

async fn measure() {
    let rounds = settings::number("MIGWATCH_BENCH_ROUNDS", 40);
    let stack = Stack::new().await;
    let home = Home::new(Path::new("/var/run/docker.sock"));
    let daemon = home.start().await;
    daemon.until_answers("/-/ready", 200).await;
    // The release after the first: one revision on top of a merge, which has two below it.
    let on = [("RUN_MIGRATIONS", "true"), ("RELEASES", "next")];
    stack.up("backend", &on).await;
    stack.healthy("backend").await;
    drop(confirmed(&daemon, &stack.project, 1).await);
    let container = stack.container("backend").await;
    let mut taken = Vec::new();
    for round in 0..rounds {
        let target: &[&str] = if round % 2 == 0 {
            &["downgrade", "-1"]
        } else {
            &["upgrade", "head"]
        };
        docker(&[&["exec", &container, "alembic"], target].concat()).await;
        let ended = Instant::now();
        let newest = confirmed(&daemon, &stack.project, round + 2).await;
        let took = ended.elapsed();
        taken.push(took);
        if took > AIM {
            println!("{took:.1?} in round {round}: {newest:#?}");
        }
    }
    taken.sort_unstable();
    let at = |share: usize| taken[(taken.len() - 1) * share / 100];
    println!(
        "a command has ended -> its migration is shown with where it went, {rounds} times: p50 {:.1?}, p95 {:.1?}, max {:.1?} ({})",
        at(50),
        at(95),
        at(100),
        settings::load()
    );
}

/// Waits until so many migrations of the project have ended and are confirmed; gives what is said of the newest.
async fn confirmed(daemon: &Daemon, project: &str, count: usize) -> Vec<Evidence> {
    let path = format!("/api/v1/migrations?project={project}");
    let began = Instant::now();
    loop {
        let answered = daemon.get(&path).await;
        let all: Vec<Migration> = serde_json::from_str(&answered.body).expect("the model's JSON");
        let is_told = |it: &&Migration| it.grade == Grade::Confirmed && it.outcome != Outcome::Running;
        if all.iter().filter(is_told).count() >= count {
            let newest = all.into_iter().max_by_key(|migration| migration.started_at);
            return newest.map(|migration| migration.evidence).unwrap_or_default();
        }
        if began.elapsed() > Duration::from_secs(60) {
            return until("every migration is confirmed", async || Err(format!("{all:#?}"))).await;
        }
        tokio::time::sleep(LOOK).await;
    }
}
