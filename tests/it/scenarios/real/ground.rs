//! migwatch on the host's own engine, and whom it tells: what rows share. Refuses to know what they do.

use std::path::Path;

use migwatch::model::migration::Migration;
use migwatch::model::revision::{DatabaseId, Heads, Standing};
use migwatch::model::service::ServiceId;
use migwatch::model::status::{ServiceStatus, Status};
use tokio::sync::RwLock;

use super::scene::Scene;
use crate::support::daemon::{Daemon, Home};
use crate::support::receiver::Receiver;
use crate::support::waiting::until;

/// The host's own engine.
const ENGINE: &str = "/var/run/docker.sock";

/// A watched host.
pub(super) struct Ground {
    pub(super) home: Home,
    pub(super) receiver: Receiver,
    daemon: RwLock<Option<Daemon>>,
}

impl Ground {
    /// Watches, with what these scenes configure.
    pub(super) async fn new(scenes: &[&Scene], more: &str) -> Self {
        let receiver = Receiver::start();
        let home = Home::new(Path::new(ENGINE));
        let scenes: String = scenes.iter().map(|scene| scene.configured()).collect();
        let url = receiver.url("/");
        home.configure(&format!(
            "[databases]\ninterval = \"3s\"\ntimeout = \"2s\"\n[receiver.webhook.test]\nurl = \"{url}\"\n{scenes}{more}"
        ));
        let ground = Self {
            home,
            receiver,
            daemon: RwLock::new(None),
        };
        ground.restart().await;
        ground
    }

    /// Ends migwatch as a crash would.
    pub(super) async fn kill(&self) {
        if let Some(daemon) = self.daemon.write().await.take() {
            daemon.kill().await;
        }
    }

    /// Ends it so if it runs, starts it again, and waits until the engine was looked at.
    pub(super) async fn restart(&self) {
        self.kill().await;
        let mut running = self.daemon.write().await;
        let daemon = self.home.start().await;
        daemon.until_answers("/-/ready", 200).await;
        *running = Some(daemon);
    }

    pub(super) async fn status(&self) -> Status {
        let daemon = self.daemon.read().await;
        daemon.as_ref().expect("it runs").status().await
    }

    /// The migrations of these projects.
    pub(super) async fn migrations(&self, projects: &[&str]) -> Vec<Migration> {
        let mut all = self.status().await.migrations;
        all.retain(|migration| projects.contains(&migration.service.project.as_str()));
        all
    }

    /// What is known of the database of this name and of what moved it, for who waits in vain.
    pub(super) async fn reading(&self, schema: &str) -> String {
        let status = self.status().await;
        let is_its = |database: &DatabaseId| database.0.ends_with(&format!("/{schema}"));
        let own = status
            .databases
            .iter()
            .find(|database| is_its(&database.database));
        let has_moved = |migration: &&Migration| {
            let mut moves = migration.movements.iter();
            moves.any(|moved| is_its(&moved.table.database))
        };
        let moved = status.migrations.iter().filter(has_moved);
        let moved: Vec<_> = moved
            .map(|migration| (&migration.service, &migration.movements))
            .collect();
        format!("its database: {own:#?}\nmoved by: {moved:#?}")
    }

    /// Whether it is known that the database of this name stands there, or has no version table; else what is known.
    pub(super) async fn stands(&self, schema: &str, revision: Option<&str>) -> Result<(), String> {
        let all = self.status().await.databases;
        let own = all
            .iter()
            .find(|database| database.database.0.ends_with(&format!("/{schema}")));
        let is_there = |standing: &Standing| match (standing, revision) {
            (Standing::At(heads), Some(revision)) => *heads == Heads::of([revision]),
            (Standing::Missing, None) => true,
            _ => false,
        };
        let stands = own.is_some_and(|own| own.up && own.tables.values().any(is_there));
        stands.then_some(()).ok_or_else(|| format!("{own:#?}"))
    }

    /// Waits until a service is such.
    pub(super) async fn service(
        &self,
        id: &ServiceId,
        what: &str,
        is_such: impl Fn(&ServiceStatus) -> bool,
    ) -> ServiceStatus {
        let what = format!("{id}: {what}");
        until(&what, async || {
            let services = self.status().await.services;
            let service = services.into_iter().find(|service| service.service == *id);
            match service {
                Some(service) if is_such(&service) => Ok(service),
                other => Err(format!("{other:#?}")),
            }
        })
        .await
    }
}
