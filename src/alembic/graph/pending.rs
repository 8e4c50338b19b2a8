//! What `alembic upgrade` would run.
//!
//! Promises Alembic's list and Alembic's order (`RevisionMap._collect_upgrade_revisions`), with what `depends_on` pulls in. Refuses to know
//! whether the steps would succeed.

use super::{Along, Graph, Node, Refusal};
use crate::model::revision::{Heads, Revision};

impl Graph<'_> {
    /// The revisions that `alembic upgrade TARGET` would run, in its order, with these rows in the version table.
    ///
    /// A row is read as Alembic reads it: the beginning of a revision and a label are good enough. If a script depends on several
    /// revisions that are not yet run, Alembic's order among those varies from run to run; here it is that of the script.
    ///
    /// # Errors
    /// What Alembic refuses before it runs anything.
    pub fn pending(&self, current: &Heads, target: &str) -> Result<Vec<Revision>, Refusal> {
        if target.contains(':') {
            return Err(Refusal::Range {
                target: target.to_owned(),
            });
        }
        self.unless_broken()?;
        let targets = self.targets(current, target)?;
        let required = self.with_ancestors(&targets)?;
        let done = self.with_ancestors(&self.rows(current)?)?;
        self.in_order(&required, &done, &targets)
    }

    /// What is required and not done, the first step first.
    pub(super) fn in_order(
        &self,
        required: &[bool],
        done: &[bool],
        targets: &[Node],
    ) -> Result<Vec<Revision>, Refusal> {
        let needed = required
            .iter()
            .zip(done)
            .map(|(required, done)| *required && !*done)
            .collect();
        let mut nodes = self.sorted(needed, targets)?;
        nodes.reverse();
        Ok(self.named_of(&nodes))
    }

    /// Revisions and all that comes before them; none of them may come before another.
    pub(super) fn with_ancestors(&self, nodes: &[Node]) -> Result<Vec<bool>, Refusal> {
        let earlier = self.reach_beyond(nodes, Along::Below);
        if nodes.iter().any(|&node| earlier[node]) {
            return Err(self.overlap(nodes));
        }
        Ok(self.reach(nodes, Along::Below))
    }

    /// Names the first revision of these that has others before it.
    fn overlap(&self, nodes: &[Node]) -> Refusal {
        let before = |node: Node| {
            let reached = self.reach_beyond(&[node], Along::Below);
            let mut before: Vec<Node> = nodes.iter().copied().filter(|&other| reached[other]).collect();
            before.sort_unstable();
            before.dedup();
            before
        };
        let found = nodes
            .iter()
            .map(|&node| (node, before(node)))
            .find(|(_, before)| !before.is_empty());
        match found {
            Some((node, before)) => Refusal::Overlap {
                revision: self.revision(node),
                with: self.named_of(&before),
            },
            None => Refusal::TooTangled,
        }
    }
}
