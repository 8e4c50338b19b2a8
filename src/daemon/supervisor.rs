//! Owns a group of tasks: each has a name; one that ends before it is told to is named; the end of all is waited for within a grace.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

/// One group of tasks.
pub(super) struct Supervisor {
    group: &'static str,
    tasks: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

impl Supervisor {
    pub(super) fn new(group: &'static str) -> Self {
        Self {
            group,
            tasks: JoinSet::new(),
            names: HashMap::new(),
        }
    }

    pub(super) fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let id = self.tasks.spawn(task).id();
        self.names.insert(id, name);
    }

    /// The name of the next task that ends; waits for ever where none does.
    pub(super) async fn next_ended(&mut self) -> String {
        match self.tasks.join_next_with_id().await {
            Some(ended) => self.name_of(ended),
            None => std::future::pending().await,
        }
    }

    fn name_of(&mut self, ended: Result<(Id, ()), JoinError>) -> String {
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        let name = self.names.remove(&id).unwrap_or("unnamed");
        if let Err(error) = ended
            && error.is_panic()
        {
            tracing::error!(task = name, "the task panicked");
        }
        name.to_owned()
    }

    /// Waits for one task by name.
    pub(super) async fn finish_one(&mut self, name: &str, grace: Duration) {
        let until = Instant::now() + grace;
        while self.names.values().any(|known| *known == name) {
            match tokio::time::timeout_at(until, self.tasks.join_next_with_id()).await {
                Ok(Some(ended)) => drop(self.name_of(ended)),
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// Waits for all; those that would not end within the grace are named and dropped.
    pub(super) async fn finish(mut self, grace: Duration) {
        let until = Instant::now() + grace;
        while let Ok(Some(ended)) = tokio::time::timeout_at(until, self.tasks.join_next_with_id()).await {
            self.name_of(ended);
        }
        for name in self.names.values() {
            tracing::warn!(task = name, group = self.group, "would not end in time; dropped");
        }
    }
}
