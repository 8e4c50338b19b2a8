//! The table played: the real program, a webhook and a database that it reads, on the played engine; every row under everything that
//! may be expected, and once over restarts of migwatch in the middle of it.

mod deeds;
mod play;
mod world;

use tokio::sync::Semaphore;

use migwatch::model::migration::Trigger;

use super::case::Case;
use super::{all_of, table};
use play::Play;

/// Plays that are on at the same time: each waits for most of its time.
const AT_ONCE: usize = 12;

#[tokio::test]
async fn every_row_of_starts_is_played() {
    played(|case| first(case) == Some(Trigger::Startup)).await;
}

#[tokio::test]
async fn every_row_of_execs_is_played() {
    played(|case| first(case) == Some(Trigger::Exec)).await;
}

#[tokio::test]
async fn every_row_of_one_offs_and_hooks_is_played() {
    played(|case| matches!(first(case), Some(Trigger::OneOff | Trigger::Hook))).await;
}

#[tokio::test]
async fn every_row_of_others_than_containers_is_played() {
    played(|case| matches!(first(case), Some(Trigger::Process | Trigger::OutOfBand))).await;
}

#[tokio::test]
async fn every_row_without_a_migration_is_played() {
    played(|case| first(case).is_none()).await;
}

fn first(case: &Case) -> Option<Trigger> {
    case.row.told.first().map(|told| told.trigger)
}

async fn played(is_wanted: impl Fn(&Case) -> bool) {
    let turns = Semaphore::new(AT_ONCE);
    let act = async |case: Case| {
        let _turn = turns.acquire().await.expect("nobody closes it");
        Play::new(case).await.act().await;
    };
    let cases = table::played().into_iter().filter(is_wanted);
    all_of(cases.map(act)).await;
}
