//! How long a start needs for a large journal: opened, checked, read and folded, as the daemon does it before it serves anything.
//!
//! `cargo bench --bench replay`. `MIGWATCH_BENCH_FACTS` (100000) facts of a busy host: starts, migrations with steps, alerts, positions.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::panic, reason = "a benchmark that cannot measure says why and ends")]

#[path = "support/settings.rs"]
mod settings;

use std::time::Duration;

use migwatch::journal::Journal;
use migwatch::judge::Durable;
use migwatch::model::fact::Fact;
use migwatch::model::time::Timestamp;

/// Facts of one deploy, with their places for the container and the time.
const DEPLOY: &str = include_str!("replay/deploy.jsonl");

/// Best of so many: noise only slows things down.
const ROUNDS: usize = 5;

/// Facts appended in one transaction.
const BATCH: usize = 500;

fn main() {
    let wanted = settings::number("MIGWATCH_BENCH_FACTS", 100_000);
    let load = settings::load();
    let now = Timestamp::from_seconds(1_800_000_000);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let facts = facts(wanted);
    let (mut journal, _) = Journal::open(folder.path(), now).expect("the folder is ours");
    for batch in facts.chunks(BATCH) {
        journal.append(batch, now).expect("there is room");
    }
    drop(journal);
    let mut best = [Duration::MAX; 3];
    for _ in 0..ROUNDS {
        #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
        let began = std::time::Instant::now();
        let (_journal, recovered) = Journal::open(folder.path(), now).expect("it was just written");
        let read = began.elapsed();
        let mut durable = Durable::default();
        for fact in &recovered.facts {
            durable.apply(fact);
        }
        let whole = began.elapsed();
        assert_eq!(recovered.facts.len(), facts.len(), "all of them are read");
        assert!(!durable.migrations.all.is_empty(), "they mean something");
        for (best, took) in best.iter_mut().zip([read, whole.saturating_sub(read), whole]) {
            *best = (*best).min(took);
        }
    }
    let [read, fold, whole] = best;
    println!(
        "{wanted} facts: read {read:.0?}, folded {fold:.0?}, together {whole:.0?} (best of {ROUNDS}, {load})"
    );
}

/// The facts of as many deploys as it takes, of 50 services in turn.
fn facts(wanted: usize) -> Vec<Fact> {
    let mut facts = Vec::with_capacity(wanted);
    for deploy in 0.. {
        let (container, service) = (format!("{deploy:064x}"), format!("s{}", deploy % 50));
        let second = format!(
            "{:02}:{:02}:{:02}",
            deploy / 3_600 % 24,
            deploy / 60 % 60,
            deploy % 60
        );
        for line in DEPLOY.lines() {
            if facts.len() == wanted {
                return facts;
            }
            let line = line.replace("CONTAINER", &container).replace("SERVICE", &service);
            let line = line
                .replace("TIME", &second)
                .replace("NUMBER", &deploy.to_string());
            facts.push(serde_json::from_str(&line).expect("a fact of this format"));
        }
    }
    facts
}
