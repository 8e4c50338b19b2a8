//! The order of revisions, as Alembic sorts them (`RevisionMap._topological_sort`), newest first.
//!
//! Promises that every revision comes before all that it builds on, and that a line of revisions stays together as long as nothing
//! else must come first. Refuses to take longer than a bounded number of steps.

use super::{Graph, Node, Refusal};
use crate::model::revision::Revision;

/// Steps and bytes that a sort may take: half a second. A line of 1,000 revisions takes some thousand steps; only thousands that merge
/// again and again take more than this.
const EFFORT: usize = 100_000_000;

impl Graph<'_> {
    /// All revisions in the order in which `alembic history` prints them: newest first.
    ///
    /// # Errors
    /// What makes `alembic history` fail.
    pub fn order(&self) -> Result<Vec<Revision>, Refusal> {
        self.unless_broken()?;
        let everything = self.with_ancestors(&self.effective_heads)?;
        Ok(self.named_of(&self.sorted(everything, &self.effective_heads)?))
    }

    /// Sorts what is needed to reach the targets, newest first. With a revision, all that it needs must be among it or none.
    pub(super) fn sorted(&self, needed: Vec<bool>, targets: &[Node]) -> Result<Vec<Node>, Refusal> {
        self.sorted_within(EFFORT, needed, targets)
    }

    pub(super) fn sorted_within(
        &self,
        effort: usize,
        needed: Vec<bool>,
        targets: &[Node],
    ) -> Result<Vec<Node>, Refusal> {
        let mut starts: Vec<Node> = targets.iter().copied().filter(|&node| needed[node]).collect();
        starts.sort_unstable_by_key(|&node| self.places[node].rank);
        starts.dedup();
        let mut sort = Sort {
            graph: self,
            is_front: vec![false; needed.len()],
            todo: needed,
            fronts: Vec::new(),
            effort,
        };
        for node in starts {
            sort.open(node)?;
        }
        sort.run()
    }
}

/// Where a walk down has come to.
struct Front {
    node: Node,
    /// What is to be sorted and comes before `node`; perhaps also `node`, and what is sorted already.
    before: Set,
}

/// A walk down from several fronts at once, on one of them as long as it goes. What is to be sorted is always a front or before one.
struct Sort<'g, 's> {
    graph: &'g Graph<'s>,
    todo: Vec<bool>,
    fronts: Vec<Front>,
    is_front: Vec<bool>,
    /// What is left of it.
    effort: usize,
}

impl Sort<'_, '_> {
    fn run(mut self) -> Result<Vec<Node>, Refusal> {
        let mut sorted = Vec::new();
        let mut at = 0;
        while let Some(node) = self.fronts.get(at).map(|front| front.node) {
            if let Some(later) = self.must_come_first(node)? {
                at = later;
                continue;
            }
            self.todo[node] = false;
            self.is_front[node] = false;
            sorted.push(node);
            let below = &self.graph.places[node].below;
            let mut next = below
                .iter()
                .copied()
                .filter(|&other| self.todo[other] && !self.is_front[other]);
            let (first, rest) = (next.next(), next.collect::<Vec<Node>>());
            let Some(first) = first else {
                self.spend(self.fronts.len())?;
                self.fronts.remove(at);
                at = at.saturating_sub(1);
                continue;
            };
            self.is_front[first] = true;
            self.fronts[at].node = first;
            if below.len() > 1 {
                self.fronts[at].before = self.before(first)?;
            }
            for other in rest {
                self.open(other)?;
            }
        }
        Ok(sorted)
    }

    fn open(&mut self, node: Node) -> Result<(), Refusal> {
        self.is_front[node] = true;
        let before = self.before(node)?;
        self.fronts.push(Front { node, before });
        Ok(())
    }

    /// The first front that builds on this one: there is one exactly as long as something that builds directly on it is to be sorted.
    fn must_come_first(&mut self, node: Node) -> Result<Option<usize>, Refusal> {
        let above = &self.graph.places[node].above;
        self.spend(above.len())?;
        if !above.iter().any(|&later| self.todo[later]) {
            return Ok(None);
        }
        self.spend(self.fronts.len())?;
        let builds_on = |front: &Front| front.node != node && front.before.has(node);
        Ok(self.fronts.iter().position(builds_on))
    }

    fn before(&mut self, node: Node) -> Result<Set, Refusal> {
        let mut before = Set::below(self.todo.len());
        self.spend(before.bytes())?;
        let mut open = vec![node];
        while let Some(one) = open.pop() {
            let below = &self.graph.places[one].below;
            self.spend(1 + below.len())?;
            for &other in below {
                if self.todo[other] && before.insert(other) {
                    open.push(other);
                }
            }
        }
        Ok(before)
    }

    fn spend(&mut self, steps: usize) -> Result<(), Refusal> {
        self.effort = self.effort.checked_sub(steps).ok_or(Refusal::TooTangled)?;
        Ok(())
    }
}

/// A set of nodes, a bit each.
struct Set(Vec<u64>);

impl Set {
    /// For nodes below `limit`.
    fn below(limit: usize) -> Self {
        Self(vec![0; limit.div_ceil(64)])
    }

    fn bytes(&self) -> usize {
        size_of_val(&self.0[..])
    }

    /// Whether it is new.
    fn insert(&mut self, node: Node) -> bool {
        let is_new = !self.has(node);
        self.0[node / 64] |= 1 << (node % 64);
        is_new
    }

    fn has(&self, node: Node) -> bool {
        self.0[node / 64] & (1 << (node % 64)) != 0
    }
}
