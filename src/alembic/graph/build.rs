//! Connects the scripts as Alembic does when it loads them, and notes what is wrong, in the order in which Alembic would find it.
//! Refuses to fail: a neighbour that is not there is a problem, and the rest is connected all the same.

use std::collections::{HashMap, HashSet};

use super::{Along, Graph, Node, Place, Problem, cycles};
use crate::model::script::Script;

/// What Alembic forbids in a revision, because identifiers are made of it (`Revision.verify_rev_id`; not yet `:` in 1.16).
const FORBIDDEN: [char; 4] = ['@', '-', '+', ':'];

/// Steps that finding superfluous dependencies may take: thousands of scripts that depend on one another's dependencies.
const EFFORT: usize = 50_000_000;

impl<'a> Graph<'a> {
    /// Connects scripts, given in the order in which Alembic reads them: by path. Never fails; see [`Graph::problems`].
    pub fn new(scripts: &'a [Script]) -> Self {
        let mut graph = Self {
            places: Vec::with_capacity(scripts.len()),
            revisions: HashMap::with_capacity(scripts.len()),
            labels: HashMap::new(),
            names: Vec::with_capacity(scripts.len()),
            heads: Vec::new(),
            effective_heads: Vec::new(),
            bases: Vec::new(),
            problems: Vec::new(),
        };
        graph.add(scripts);
        graph.add_labels();
        graph.connect_dependencies();
        graph.connect_downs();
        graph.find_ends();
        graph.leave_out_superfluous();
        let found = cycles::find(&graph);
        graph.problems.extend(found);
        graph
    }

    fn add(&mut self, scripts: &'a [Script]) {
        for (node, script) in scripts.iter().enumerate() {
            self.problems.extend(own_problems(script));
            let id = script.revision.0.as_str();
            let earlier = self.revisions.insert(id, node);
            let rank = if let Some(earlier) = earlier {
                self.problems.push(Problem::Duplicate {
                    revision: script.revision.clone(),
                    path: self.places[earlier].script.path.clone(),
                    counts: script.path.clone(),
                });
                self.places[earlier].rank
            } else {
                self.names.push(id);
                self.names.len() - 1
            };
            self.places.push(Place {
                script,
                rank,
                down: Vec::new(),
                depends: Vec::new(),
                below: Vec::new(),
                up: Vec::new(),
                above: Vec::new(),
            });
        }
    }

    fn add_labels(&mut self) {
        for node in 0..self.places.len() {
            let script = self.places[node].script;
            for label in &script.branch_labels {
                if let Some(other) = self.key(label) {
                    self.problems.push(Problem::LabelClash {
                        label: label.clone(),
                        path: script.path.clone(),
                        other: self.places[other].script.path.clone(),
                    });
                } else {
                    self.labels.insert(label, node);
                    self.names.push(label);
                }
            }
        }
    }

    /// `depends_on` names a whole revision or a label; parts are not looked up when scripts are loaded.
    fn connect_dependencies(&mut self) {
        for node in 0..self.places.len() {
            let script = self.places[node].script;
            let mut depends = Distinct::default();
            for name in script
                .depends_on
                .iter()
                .filter(|name| **name != script.revision.0)
            {
                match self.key(name) {
                    Some(other) => depends.push(other),
                    None => self.problems.push(Problem::DanglingDependency {
                        path: script.path.clone(),
                        missing: name.clone(),
                    }),
                }
            }
            self.places[node].depends = depends.nodes;
        }
    }

    /// `down_revision` names whole revisions. Alembic warns of a missing one, and then cannot go on.
    fn connect_downs(&mut self) {
        for node in 0..self.places.len() {
            let script = self.places[node].script;
            let mut down = Distinct::default();
            for revision in script.down_revisions.iter().filter(|it| **it != script.revision) {
                match self.revisions.get(revision.0.as_str()) {
                    Some(&other) => down.push(other),
                    None => self.problems.push(Problem::DanglingDown {
                        path: script.path.clone(),
                        missing: revision.clone(),
                    }),
                }
            }
            self.places[node].down = down.nodes;
        }
    }

    /// Nothing leads to a script that is shadowed, and it leads to nothing: it stays an end for ever, as in Alembic
    /// (where it is half there if it has a label, which is not followed).
    fn find_ends(&mut self) {
        for node in 0..self.places.len() {
            if self.is_shadowed(node) {
                continue;
            }
            for other in self.places[node].down.clone() {
                self.places[other].up.push(node);
            }
            for other in self.all_below(node) {
                self.places[other].above.push(node);
            }
        }
        for node in 0..self.places.len() {
            let place = &self.places[node];
            let end = self.revisions.get(place.script.revision.0.as_str()).copied();
            let end = end.unwrap_or(node);
            if self.is_shadowed(node) || place.up.is_empty() {
                self.heads.push(end);
            }
            if self.is_shadowed(node) || place.above.is_empty() {
                self.effective_heads.push(end);
            }
            if place.script.down_revisions.is_empty() {
                self.bases.push(end);
            }
        }
    }

    /// A dependency is superfluous where an ancestor has it already (Alembic's `_normalize_depends_on`).
    fn leave_out_superfluous(&mut self) {
        let mut dependents: HashMap<Node, Vec<Node>> = HashMap::new();
        for (node, place) in self.places.iter().enumerate() {
            for &other in &place.depends {
                dependents.entry(other).or_default().push(node);
            }
        }
        dependents.retain(|_, nodes| nodes.len() > 1);
        let steps: usize = self.places.iter().map(|place| 1 + place.up.len()).sum();
        if dependents.len().saturating_mul(steps) > EFFORT {
            self.problems.push(Problem::TooTangled);
            return;
        }
        let mut superfluous = HashSet::new();
        for (other, nodes) in dependents {
            let covered = self.reach_beyond(&nodes, Along::Up);
            superfluous.extend(
                nodes
                    .into_iter()
                    .filter(|&node| covered[node])
                    .map(|node| (node, other)),
            );
        }
        for node in 0..self.places.len() {
            let place = &self.places[node];
            let mut below = Distinct::default();
            place.down.iter().for_each(|&other| below.push(other));
            let needed = place
                .depends
                .iter()
                .filter(|&&other| !superfluous.contains(&(node, other)));
            needed.for_each(|&other| below.push(other));
            self.places[node].below = below.nodes;
        }
    }

    /// `down` and `depends`.
    pub(super) fn all_below(&self, node: Node) -> Vec<Node> {
        let place = &self.places[node];
        let mut all = Distinct::default();
        place
            .down
            .iter()
            .chain(&place.depends)
            .for_each(|&other| all.push(other));
        all.nodes
    }
}

/// Nodes in their order, each once.
#[derive(Default)]
struct Distinct {
    nodes: Vec<Node>,
    seen: HashSet<Node>,
}

impl Distinct {
    fn push(&mut self, node: Node) {
        if self.seen.insert(node) {
            self.nodes.push(node);
        }
    }
}

/// What is wrong with a script whatever the others are.
fn own_problems(script: &Script) -> Vec<Problem> {
    let path = || script.path.clone();
    let mut problems = Vec::new();
    if script.down_revisions.contains(&script.revision) {
        problems.push(Problem::Loop { path: path() });
    }
    if script.depends_on.contains(&script.revision.0) {
        problems.push(Problem::DependencyLoop { path: path() });
    }
    if script.revision.0.contains(FORBIDDEN) {
        problems.push(Problem::ForbiddenCharacter {
            path: path(),
            revision: script.revision.clone(),
        });
    }
    problems
}
