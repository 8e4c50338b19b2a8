//! A soak: the real migwatch on the real engine with a real MariaDB is killed (SIGKILL) again and again at random moments while migrations run,
//! and must end with exactly the migrations that happened. No measurement; it lies here because it takes minutes and waits.
//!
//! `make soak` (needs Docker and the demo's images). `MIGWATCH_SOAK_KILLS` (200), `MIGWATCH_SOAK_SEED` (from the clock; printed).
//! Leaves nothing behind.
#![expect(clippy::print_stdout, reason = "a soak prints what it did")]
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a soak that finds something says it and ends"
)]

mod support {
    //! What the tests have for the same purpose.
    #![expect(dead_code, reason = "the soak needs a part of it")]

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

#[path = "soak/expected.rs"]
mod expected;
#[path = "soak/world.rs"]
mod world;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use migwatch::daemon::clock::SystemClock;
use migwatch::model::migration::{Migration, MigrationId};
use migwatch::model::time::{Clock as _, Timestamp};
use tokio::time::Instant;

use expected::Expected;
use support::daemon::{Daemon, Home};
use support::receiver::Receiver;
use support::waiting::until;
use world::World;

/// Small and good enough: splitmix64.
pub(crate) struct Dice(u64);

impl Dice {
    /// Less than `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a soak is set by its caller's environment"
)]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    runtime.block_on(async {
        tokio::select! {
            () = soak() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    });
}

/// migwatch with all its lives.
struct Watched {
    home: Home,
    daemon: Option<Daemon>,
    kills: u64,
}

impl Watched {
    async fn starts(&mut self) {
        let daemon = self.daemon.insert(self.home.start().await);
        daemon.until_answers("/-/ready", 200).await;
    }

    async fn is_killed(&mut self) {
        self.daemon.take().expect("it runs").kill().await;
        self.kills += 1;
    }

    /// The project's migrations that stand for themselves, oldest first.
    async fn migrations(&self, project: &str) -> Vec<Migration> {
        let daemon = self.daemon.as_ref().expect("it runs");
        let answered = daemon.get(&format!("/api/v1/migrations?project={project}")).await;
        let mut all: Vec<Migration> = serde_json::from_str(&answered.body).expect("the model's JSON");
        all.retain(|migration| migration.superseded_by.is_none() && !migration.history);
        all.sort_by_key(|migration| migration.started_at);
        all
    }
}

async fn soak() {
    let kills = number("MIGWATCH_SOAK_KILLS").unwrap_or(200);
    let seed = number("MIGWATCH_SOAK_SEED").unwrap_or_else(|| SystemClock.now().as_nanos().unsigned_abs());
    println!("seed {seed}, {kills} kills");
    let (mut dice, began) = (Dice(seed), Instant::now());
    let world = World::new().await;
    let webhook = Receiver::start();
    let (project, url) = (world.project().to_owned(), webhook.url("/hook"));
    let home = Home::new(Path::new("/var/run/docker.sock"));
    home.configure(&format!(
        "[receiver.webhook.hook]\nurl = \"{url}\"\n[project.{project}]\nmigrations = \"deny\"\n"
    ));
    let mut watched = Watched {
        home,
        daemon: None,
        kills: 0,
    };
    // What was before is history.
    world.comes_up().await;
    watched.starts().await;
    let mut known = Known::default();
    let mut figures: BTreeMap<String, u64> = BTreeMap::new();
    let mut round = 0;
    while watched.kills < kills {
        round += 1;
        let what = one_round(&mut dice, &world, &mut watched, &mut known).await;
        *figures.entry(what).or_default() += 1;
        if round % 10 == 0 {
            println!("{} kills in {:.0?}: {figures:?}", watched.kills, began.elapsed());
        }
    }
    at_the_end(&watched, &project, &mut known).await;
    messages(&webhook, watched.kills);
    println!(
        "{round} rounds, {} kills in {:.0?}, seed {seed}: {figures:?}",
        watched.kills,
        began.elapsed()
    );
    println!(
        "ended with exactly the {} migrations that happened",
        known.ids.len()
    );
}

/// What was found so far.
#[derive(Default)]
struct Known {
    ids: BTreeSet<MigrationId>,
    /// What happened and was rightly not known when its round ended: it may still be heard of.
    missed: Vec<Expected>,
}

impl Known {
    /// Those of these that are new; what is only heard of now and belongs to an earlier round is taken in.
    fn new_of(&mut self, all: Vec<Migration>, round_began: Timestamp) -> Vec<Migration> {
        let mut new = Vec::new();
        for migration in all {
            let is_late = migration.started_at < round_began;
            let missed = self.missed.iter().position(|expected| expected.is(&migration));
            match missed.filter(|_| is_late) {
                _ if self.ids.contains(&migration.id) => {}
                Some(missed) => {
                    self.missed.remove(missed);
                    self.ids.insert(migration.id);
                }
                None => new.push(migration),
            }
        }
        new
    }
}

/// One thing happens, and migwatch is killed while it does, or right after it; gives the name of what it led to.
async fn one_round(dice: &mut Dice, world: &World, watched: &mut Watched, known: &mut Known) -> String {
    let round_began = SystemClock.now();
    let project = world.project().to_owned();
    let act = world.next(dice).await;
    let before = world.stands(act.service).await;
    let mut running = world.begins(&act).await;
    tokio::time::sleep(Duration::from_millis(dice.roll(3_000))).await;
    let is_shown = watched
        .migrations(&project)
        .await
        .iter()
        .any(|one| !known.ids.contains(&one.id) && one.started_at >= round_began);
    for _ in 0..=dice.roll(5) {
        watched.is_killed().await;
        tokio::time::sleep(Duration::from_millis(dice.roll(1_000))).await;
        watched.starts().await;
        tokio::time::sleep(Duration::from_millis(dice.roll(700))).await;
    }
    while let Some(ended) = running.join_next().await {
        ended.expect("what happens succeeds");
    }
    world.settles(&act).await;
    let after = world.stands(act.service).await;
    let expected = Expected::of(&act, &before, &after, is_shown);
    let what = format!("{act:?}, {before:?} -> {after:?}, shown before the kill: {is_shown}");
    let known = RefCell::new(known);
    let id = until(&what, async || {
        let all = watched.migrations(&project).await;
        let new = known.borrow_mut().new_of(all, round_began);
        expected.is_found_in(&new)
    })
    .await;
    let name = expected.name(&act, id.is_some());
    let known = known.into_inner();
    match id {
        Some(id) => {
            known.ids.insert(id);
        }
        None => known.missed.push(expected),
    }
    name
}

/// Everything that happened is there, once, and counted once.
async fn at_the_end(watched: &Watched, project: &str, known: &mut Known) {
    let all = watched.migrations(project).await;
    let new = known.new_of(all.clone(), SystemClock.now());
    assert!(new.is_empty(), "nothing else happened: {new:#?}");
    let ids: BTreeSet<MigrationId> = all.iter().map(|migration| migration.id.clone()).collect();
    assert_eq!(ids, known.ids, "exactly the migrations that happened");
    let status = watched.daemon.as_ref().expect("it runs").status().await;
    let of_project = status
        .services
        .iter()
        .filter(|service| service.service.project == project);
    let counted: u64 = of_project
        .flat_map(|service| service.counters.migrations.values())
        .sum();
    assert_eq!(
        counted,
        u64::try_from(known.ids.len()).unwrap(),
        "each is counted once"
    );
}

/// At most one repeat a crash, each with its own key.
fn messages(webhook: &Receiver, kills: u64) {
    let mut times: BTreeMap<String, u64> = BTreeMap::new();
    for received in webhook.received() {
        *times.entry(received.key().to_owned()).or_default() += 1;
    }
    let repeats: u64 = times.values().map(|times| times - 1).sum();
    println!("{} messages, {repeats} repeated in {kills} crashes", times.len());
    assert!(!times.contains_key(""), "each message has a key");
    assert!(repeats <= kills, "at most one repeat a crash: {times:?}");
}
