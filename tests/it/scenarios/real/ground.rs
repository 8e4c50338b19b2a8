//! migwatch on the host's own engine, and whom it tells: what rows share. Refuses to know what they do.

use std::path::Path;

use migwatch::model::migration::Migration;
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
    pub(super) async fn new(scenes: &[&Scene]) -> Self {
        let receiver = Receiver::start();
        let home = Home::new(Path::new(ENGINE));
        let scenes: String = scenes.iter().map(|scene| scene.configured()).collect();
        let url = receiver.url("/");
        home.configure(&format!(
            "[databases]\ninterval = \"2s\"\n[receiver.webhook.test]\nurl = \"{url}\"\n{scenes}"
        ));
        let ground = Self {
            home,
            receiver,
            daemon: RwLock::new(None),
        };
        ground.restart().await;
        ground
    }

    /// Ends migwatch as a crash would, starts it again, and waits until the engine was looked at.
    pub(super) async fn restart(&self) {
        let mut running = self.daemon.write().await;
        if let Some(daemon) = running.take() {
            daemon.kill().await;
        }
        let daemon = self.home.start().await;
        daemon.until_answers("/-/ready", 200).await;
        *running = Some(daemon);
    }

    pub(super) async fn status(&self) -> Status {
        let daemon = self.daemon.read().await;
        daemon.as_ref().expect("it runs").status().await
    }

    /// The migrations of the application of a project.
    pub(super) async fn migrations(&self, project: &str) -> Vec<Migration> {
        let mut all = self.status().await.migrations;
        all.retain(|migration| migration.service.project == project);
        all
    }

    /// Waits until the application of a project is such.
    pub(super) async fn service(
        &self,
        project: &str,
        what: &str,
        is_such: impl Fn(&ServiceStatus) -> bool,
    ) -> ServiceStatus {
        let what = format!("{project}: {what}");
        until(&what, async || {
            let services = self.status().await.services;
            let service = services
                .into_iter()
                .find(|service| service.service.project == project);
            match service {
                Some(service) if is_such(&service) => Ok(service),
                other => Err(format!("{other:#?}")),
            }
        })
        .await
    }
}
