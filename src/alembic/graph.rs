//! The revision graph of one Alembic environment: which scripts come before which, and what `alembic upgrade` would run.
//!
//! Promises the answers that Alembic gives (`alembic.script.revision.RevisionMap`, compared with 1.16 and 1.20), for any scripts and any
//! rows, without recursion. Where Alembic's own order is left to chance (several `depends_on` of one script pass through a Python set), the
//! order of the text is taken. Where Alembic overlooks a cycle, it is named and nothing is answered. Refuses to know what scripts do, and
//! any file or database.

mod build;
mod cycles;
mod order;
mod pending;
mod problem;
mod refusal;
mod resolve;
mod standing;
mod target;

use std::collections::HashMap;

use crate::model::revision::Revision;
use crate::model::script::Script;

pub use problem::Problem;
pub use refusal::Refusal;
pub use standing::CodeStanding;

/// A script's place among the scripts that were given.
type Node = usize;

/// One script and its neighbours. No list names a neighbour twice.
struct Place<'a> {
    script: &'a Script,
    /// Where its revision was first seen: what Alembic sorts by.
    rank: usize,
    /// `down_revision`.
    down: Vec<Node>,
    /// `depends_on`.
    depends: Vec<Node>,
    /// `down`, and what of `depends` no ancestor depends on already.
    below: Vec<Node>,
    /// Whose `down` it is in.
    up: Vec<Node>,
    /// Whose `down` or `depends` it is in.
    above: Vec<Node>,
}

/// Which neighbours a walk goes on to.
#[derive(Clone, Copy)]
enum Along {
    Down,
    Below,
    Up,
}

impl Place<'_> {
    fn neighbours(&self, along: Along) -> &[Node] {
        match along {
            Along::Down => &self.down,
            Along::Below => &self.below,
            Along::Up => &self.up,
        }
    }
}

/// The scripts of one environment, as Alembic connects them.
pub struct Graph<'a> {
    places: Vec<Place<'a>>,
    /// Of two scripts with one revision the later counts, as in Alembic.
    revisions: HashMap<&'a str, Node>,
    labels: HashMap<&'a str, Node>,
    /// All revisions as first seen, then all labels.
    names: Vec<&'a str>,
    heads: Vec<Node>,
    effective_heads: Vec<Node>,
    bases: Vec<Node>,
    problems: Vec<Problem>,
}

impl<'a> Graph<'a> {
    /// Everything that is wrong with the scripts, in the order in which Alembic would find it.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    /// What makes every Alembic command fail, whatever is asked: the first of such problems.
    pub fn broken(&self) -> Option<&Problem> {
        self.problems.iter().find(|problem| problem.is_fatal())
    }

    /// What `alembic heads` shows: revisions that are no other's `down_revision`, in the order of the scripts.
    pub fn heads(&self) -> Vec<Revision> {
        self.named_of(&self.heads)
    }

    /// The rows of the version table after `alembic upgrade heads`: heads on which nothing depends either.
    pub fn effective_heads(&self) -> Vec<Revision> {
        self.named_of(&self.effective_heads)
    }

    /// Revisions without a `down_revision`, in the order of the scripts.
    pub fn bases(&self) -> Vec<Revision> {
        self.named_of(&self.bases)
    }

    /// Revisions with several `down_revision`s.
    pub fn merges(&self) -> Vec<Revision> {
        self.that(|place| place.script.down_revisions.len() > 1)
    }

    /// Revisions that are the `down_revision` of several others.
    pub fn branch_points(&self) -> Vec<Revision> {
        self.that(|place| place.up.len() > 1)
    }

    /// Whether a script has this very revision.
    pub fn knows(&self, revision: &Revision) -> bool {
        self.revisions.contains_key(revision.0.as_str())
    }

    /// The script with this very revision; of several, the one that counts.
    pub fn script(&self, revision: &Revision) -> Option<&'a Script> {
        self.revisions
            .get(revision.0.as_str())
            .map(|&node| self.places[node].script)
    }

    /// Whether `older` must have run before `newer`, by `down_revision` or `depends_on`. A revision is no ancestor of itself; an unknown
    /// one is nobody's ancestor and has none.
    pub fn is_ancestor(&self, older: &Revision, newer: &Revision) -> bool {
        let known = |revision: &Revision| self.revisions.get(revision.0.as_str()).copied();
        match (known(older), known(newer)) {
            (Some(older), Some(newer)) if older != newer => self.reach(&[newer], Along::Below)[older],
            _ => false,
        }
    }

    /// What can be reached from `start`, with `start`.
    fn reach(&self, start: &[Node], along: Along) -> Vec<bool> {
        let mut reached = vec![false; self.places.len()];
        let mut open = start.to_vec();
        while let Some(node) = open.pop() {
            if !std::mem::replace(&mut reached[node], true) {
                let neighbours = self.places[node].neighbours(along);
                open.extend(neighbours.iter().filter(|&&next| !reached[next]));
            }
        }
        reached
    }

    /// What can be reached from `start` in at least one step.
    fn reach_beyond(&self, start: &[Node], along: Along) -> Vec<bool> {
        let next: Vec<Node> = start
            .iter()
            .flat_map(|&node| self.places[node].neighbours(along))
            .copied()
            .collect();
        self.reach(&next, along)
    }

    /// The script that a name stands for, if it is whole.
    fn key(&self, name: &str) -> Option<Node> {
        self.revisions
            .get(name)
            .or_else(|| self.labels.get(name))
            .copied()
    }

    /// A later script has the same revision: nothing leads to this one.
    fn is_shadowed(&self, node: Node) -> bool {
        self.revisions.get(self.places[node].script.revision.0.as_str()) != Some(&node)
    }

    fn revision(&self, node: Node) -> Revision {
        self.places[node].script.revision.clone()
    }

    fn named_of(&self, nodes: &[Node]) -> Vec<Revision> {
        nodes.iter().map(|&node| self.revision(node)).collect()
    }

    fn that(&self, is_one: impl Fn(&Place<'a>) -> bool) -> Vec<Revision> {
        let live = (0..self.places.len()).filter(|&node| !self.is_shadowed(node));
        live.filter(|&node| is_one(&self.places[node]))
            .map(|node| self.revision(node))
            .collect()
    }
}

#[cfg(test)]
mod tests;
