//! The table for real: real containers by both generations of Compose, real databases, the real Alembic, the real program and a webhook.
//!
//! One database server and one migwatch carry all rows of a database and a Compose; each row has a project and a database of its own, so
//! that rows run beside each other and a wait of one costs the others nothing.

mod application;
mod deeds;
mod ground;
mod scene;
mod sentinel;

use std::rc::Rc;

use tokio::sync::{OnceCell, Semaphore};

use super::row::{Database, Deed};
use super::{all_of, table};
use crate::support::stack::Compose;
use ground::Ground;
use scene::Scene;
use sentinel::Ringing;

/// Rows that are at it at the same time: each waits for most of its time.
const AT_ONCE: usize = 5;

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
        let is_one = |deed: &Deed| matches!(deed, Deed::Restarted | Deed::Unwatched(..));
        let restarts = case.row.deeds.iter().any(is_one);
        let scenes = if restarts { &mut alone } else { &mut shared };
        scenes.push(Scene::new(case).await);
    }
    let ground = ground_of(&shared.iter().collect::<Vec<_>>(), database).await;
    let turns = Semaphore::new(AT_ONCE);
    let act = async |scene: Scene, is_alone: bool| {
        let _turn = turns.acquire().await.expect("nobody closes it");
        let ground = if is_alone {
            ground_of(&[&scene], database).await
        } else {
            Rc::clone(&ground)
        };
        let scene = scene.act(&ground.ground).await;
        (ground, scene)
    };
    let shared = shared.into_iter().map(|scene| (scene, false));
    let alone = alone.into_iter().map(|scene| (scene, true));
    let acts = shared.chain(alone).map(|(scene, is_alone)| act(scene, is_alone));
    let acted = all_of(acts).await;
    // Once more, after what takes longest to be judged.
    let held = acted.into_iter().map(async |(shared, scene)| {
        let rings = async || shared.ringing.rings(&shared.ground, scene::LONGEST).await;
        shared.rung.get_or_init(rings).await;
        scene.holds(&shared.ground).await;
    });
    all_of(held).await;
}

/// What several rows share.
struct Shared {
    ground: Ground,
    ringing: Ringing,
    rung: OnceCell<()>,
}

async fn ground_of(scenes: &[&Scene], database: Database) -> Rc<Shared> {
    let first = scenes.first().map_or("nobody", |scene| scene.project());
    let ringing = Ringing::new(&format!("{first}-all"), database);
    Rc::new(Shared {
        ground: Ground::new(scenes, &ringing.configured()).await,
        ringing,
        rung: OnceCell::new(),
    })
}
