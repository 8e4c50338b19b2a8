//! What a full look found: who came, who went, and everybody as they are.

use std::collections::{BTreeMap, BTreeSet};

use super::super::inventory::Container;
use super::super::look::Seen;
use super::super::memory::Known;
use super::Watching;
use crate::model::observation::Observation;
use crate::model::service::ContainerId;

impl Watching<'_> {
    pub(super) async fn looked_at_all(&mut self, began: u64, seen: BTreeMap<ContainerId, Seen>) {
        self.full_look = false;
        let gone = |(id, known): (&ContainerId, &Known)| {
            let listed = seen.get(id).is_some_and(|seen| !matches!(seen, Seen::Absent));
            (!listed && known.touched <= began).then(|| id.clone())
        };
        for id in self.memory.known.iter().filter_map(gone).collect::<Vec<_>>() {
            self.memory.tails.removed(&id);
            self.memory.unreadable.remove(&id);
            self.execs_ended(&id, self.wiring.clock.now()).await;
            self.memory.known.remove(&id);
        }
        let mut unshown = BTreeSet::new();
        for (id, seen) in seen {
            let known = self.memory.known.get(&id);
            let overtaken = known.is_some_and(|known| known.touched > began && known.inspected.is_some());
            match seen {
                Seen::Shown(_) if overtaken || self.removed.contains(&id) => {}
                Seen::Shown(inspected) => drop(self.remember(&id, *inspected)),
                Seen::Unreadable(reason) => {
                    let is_unseen = known.is_none_or(|known| known.inspected.is_none());
                    self.unreadable(&id, &reason);
                    if is_unseen {
                        // A look of its own may take longer.
                        unshown.insert(id);
                    }
                }
                Seen::Absent => {}
            }
        }
        if self.memory.unshown != unshown {
            self.memory.unshown.clone_from(&unshown);
            self.send(Observation::Unshown(unshown.clone())).await;
        }
        self.report_all(began).await;
        for id in &unshown {
            self.look_at(id);
        }
        self.ask_for_execs().await;
        self.begun = true;
        if std::mem::take(&mut self.full_again) {
            self.look_at_all();
        }
    }

    async fn report_all(&mut self, began: u64) {
        let containers: Vec<(Container, bool)> = self
            .enabled()
            .map(|(known, container)| (container.clone(), known.touched <= began))
            .collect();
        self.send(Observation::FullLook(
            containers
                .iter()
                .map(|(container, _)| container.look.clone())
                .collect(),
        ))
        .await;
        self.memory.tails.looked_at_all();
        for (container, newest) in &containers {
            self.follow(container, *newest).await;
            let Some(known) = self.memory.known.get_mut(&container.look.id) else {
                continue;
            };
            known.reported = true;
            let pending = std::mem::take(&mut known.pending);
            self.tell_waiting(&container.look.id, pending).await;
        }
        for known in self
            .memory
            .known
            .values_mut()
            .filter(|known| known.inspected.is_some())
        {
            known.reported = true;
        }
        self.publish();
    }
}
