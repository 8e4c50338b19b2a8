//! The table for real: real containers by both generations of Compose, real databases, the real Alembic, the real program and a webhook.
//!
//! One database server and one migwatch carry all rows of a database and a Compose; each row has a project and a database of its own, so
//! that rows run beside each other and a wait of one costs the others nothing.

mod application;
mod deeds;
mod ground;
mod scene;

use std::rc::Rc;

use tokio::sync::Semaphore;

use super::row::{Database, Deed};
use super::{all_of, table};
use crate::support::stack::Compose;
use ground::Ground;
use scene::Scene;

/// Rows that are at it at the same time: each waits for most of its time.
const AT_ONCE: usize = 3;

#[tokio::test]
async fn every_chosen_row_on_mariadb_with_compose_1() {
    acted(Database::MariaDb, Compose::One).await;
}

#[tokio::test]
async fn every_chosen_row_on_mariadb_with_compose_2() {
    acted(Database::MariaDb, Compose::Two).await;
}

#[tokio::test]
async fn every_chosen_row_on_postgresql_with_compose_1() {
    acted(Database::PostgreSql, Compose::One).await;
}

#[tokio::test]
async fn every_chosen_row_on_postgresql_with_compose_2() {
    acted(Database::PostgreSql, Compose::Two).await;
}

async fn acted(database: Database, compose: Compose) {
    let mut shared = Vec::new();
    let mut alone = Vec::new();
    for case in table::real(database, compose) {
        // Who restarts migwatch has one of his own.
        let restarts = case.row.deeds.iter().any(|deed| matches!(deed, Deed::Restarted));
        let scenes = if restarts { &mut alone } else { &mut shared };
        scenes.push(Scene::new(case).await);
    }
    let ground = Rc::new(Ground::new(&shared.iter().collect::<Vec<_>>()).await);
    let shared = shared.into_iter().map(|scene| (Some(Rc::clone(&ground)), scene));
    let alone = alone.into_iter().map(|scene| (None, scene));
    let turns = Semaphore::new(AT_ONCE);
    let act = async |(ground, scene): (Option<Rc<Ground>>, Scene)| {
        let _turn = turns.acquire().await.expect("nobody closes it");
        let ground = match ground {
            Some(ground) => ground,
            None => Rc::new(Ground::new(&[&scene]).await),
        };
        scene.act(&ground).await;
    };
    all_of(shared.chain(alone).map(act)).await;
}
