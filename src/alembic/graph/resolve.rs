//! What an identifier means: a revision, the beginning of one, a label, `head`, `heads`, `base`, each also as `branch@...`.
//!
//! Promises what Alembic's `RevisionMap.get_revisions` finds, and its errors; so a beginning needs no least length, but what it begins must
//! have four characters. Refuses to know relative targets, and `branch@-N` in a version table, which nobody writes there.

use super::{Along, Graph, Node, Refusal};
use crate::model::revision::{Heads, Revision};

/// What begins with part of an identifier counts from this many characters on.
const SHORTEST_WHOLE: usize = 4;

/// An identifier, taken apart.
pub(super) enum Meaning<'t> {
    /// `head`, `heads` and `base`.
    Ends(Vec<Node>),
    /// Anything else is a name.
    Name(&'t str),
}

impl Graph<'_> {
    /// The revisions that an identifier means: none for `base`, several perhaps for `heads`.
    ///
    /// # Errors
    /// If it means nothing, or too much, or the scripts are broken.
    pub fn resolve(&self, identifier: &str) -> Result<Vec<Revision>, Refusal> {
        self.unless_broken()?;
        Ok(self.named_of(&self.all(identifier)?))
    }

    pub(super) fn unless_broken(&self) -> Result<(), Refusal> {
        match self.broken() {
            Some(problem) => Err(Refusal::Broken(problem.clone())),
            None => Ok(()),
        }
    }

    /// `get_revisions`.
    pub(super) fn all(&self, identifier: &str) -> Result<Vec<Node>, Refusal> {
        match self.meaning(identifier)? {
            (Meaning::Name(name), branch) => Ok(vec![self.named(name, branch)?]),
            (Meaning::Ends(nodes), branch) => {
                for &node in &nodes {
                    self.check_branch(node, branch)?;
                }
                Ok(nodes)
            }
        }
    }

    /// `get_revisions` of the version table's rows.
    pub(super) fn rows(&self, current: &Heads) -> Result<Vec<Node>, Refusal> {
        let mut nodes = Vec::new();
        for row in &current.0 {
            nodes.extend(self.all(&row.0)?);
        }
        Ok(nodes)
    }

    /// `get_revision`: at most one, none for `base`.
    pub(super) fn one(&self, identifier: &str) -> Result<Option<Node>, Refusal> {
        let (meaning, branch) = self.meaning(identifier)?;
        let nodes = match meaning {
            Meaning::Name(name) => return self.named(name, branch).map(Some),
            Meaning::Ends(nodes) => nodes,
        };
        if nodes.len() > 1 {
            return Err(self.several(identifier, &nodes));
        }
        if let (None, Some(branch)) = (nodes.first(), branch) {
            self.branch(branch)?;
        }
        for &node in &nodes {
            self.check_branch(node, branch)?;
        }
        Ok(nodes.first().copied())
    }

    /// `_resolve_revision_number`: what it means, and the branch it shall be on.
    pub(super) fn meaning<'t>(&self, identifier: &'t str) -> Result<(Meaning<'t>, Option<&'t str>), Refusal> {
        let (branch, name) = match identifier.split_once('@') {
            Some((branch, name)) => (Some(branch).filter(|branch| !branch.is_empty()), name),
            None => (None, identifier),
        };
        let ends = match (name, branch) {
            ("base", _) => Vec::new(),
            ("heads", None) => self.effective_heads.clone(),
            ("heads" | "head", Some(branch)) => self.of_lineage(&self.heads, branch)?,
            ("head", None) => self.heads.clone(),
            _ => return Ok((Meaning::Name(name), branch)),
        };
        if name == "head" && ends.len() > 1 {
            return Err(self.several(identifier, &ends));
        }
        Ok((Meaning::Ends(ends), branch))
    }

    fn several(&self, argument: &str, heads: &[Node]) -> Refusal {
        Refusal::MultipleHeads {
            argument: argument.to_owned(),
            heads: self.named_of(heads),
        }
    }

    /// `_revision_for_ident`: a whole name, or the beginning of exactly one.
    fn named(&self, name: &str, branch: Option<&str>) -> Result<Node, Refusal> {
        if let Some(branch) = branch {
            self.branch(branch)?;
        }
        let node = match self.key(name) {
            Some(node) => node,
            None => self.begun(name, branch)?,
        };
        self.check_branch(node, branch)?;
        Ok(node)
    }

    fn begun(&self, beginning: &str, branch: Option<&str>) -> Result<Node, Refusal> {
        if beginning.is_empty() {
            return Err(Refusal::Nowhere {
                target: branch.map_or_else(String::new, |branch| format!("{branch}@")),
            });
        }
        let lineage = match branch {
            Some(branch) => self.lineage(branch)?,
            None => None,
        };
        let is_whole = |name: &str| name.chars().nth(SHORTEST_WHOLE - 1).is_some();
        let candidates: Vec<(&str, Node)> = self
            .names
            .iter()
            .filter(|name| name.starts_with(beginning) && is_whole(name))
            .filter_map(|name| Some((*name, self.key(name)?)))
            .filter(|(_, node)| lineage.as_ref().is_none_or(|lineage| lineage[*node]))
            .collect();
        match candidates[..] {
            [] => Err(Refusal::NotFound {
                name: beginning.to_owned(),
            }),
            [(_, node)] => Ok(node),
            _ => Err(Refusal::Ambiguous {
                name: beginning.to_owned(),
                candidates: candidates.iter().map(|(name, _)| (*name).to_owned()).collect(),
            }),
        }
    }

    /// `_resolve_branch`: the script that names a branch, by its label or itself.
    fn branch(&self, branch: &str) -> Result<Node, Refusal> {
        self.named(branch, None).map_err(|_| Refusal::NoSuchBranch {
            branch: branch.to_owned(),
        })
    }

    fn check_branch(&self, node: Node, branch: Option<&str>) -> Result<(), Refusal> {
        let Some(name) = branch else {
            return Ok(());
        };
        let branch = self.branch(name)?;
        if self.reach(&[branch], Along::Down)[node] || self.reach(&[branch], Along::Up)[node] {
            return Ok(());
        }
        Err(Refusal::NotOnBranch {
            revision: self.revision(node),
            branch: name.to_owned(),
        })
    }

    /// `filter_for_lineage`: those that come before or after what names a branch. A branch is looked for only if there is one to compare.
    pub(super) fn of_lineage(&self, nodes: &[Node], branch: &str) -> Result<Vec<Node>, Refusal> {
        if nodes.is_empty() {
            return Ok(Vec::new());
        }
        let lineage = self.lineage(branch)?;
        let is_on = |node: &Node| lineage.as_ref().is_none_or(|lineage| lineage[*node]);
        Ok(nodes.iter().copied().filter(is_on).collect())
    }

    /// What comes before or after what names a branch, by `down_revision`. `None`: everything, as for `base`, which names nothing.
    pub(super) fn lineage(&self, branch: &str) -> Result<Option<Vec<bool>>, Refusal> {
        let (meaning, outer) = self.meaning(branch)?;
        let mut members = Vec::new();
        if let Some(outer) = outer {
            members.push(self.named(outer, None)?);
        }
        match meaning {
            Meaning::Ends(nodes) => members.extend(nodes),
            Meaning::Name(name) => members.push(self.named(name, None)?),
        }
        if members.is_empty() {
            return Ok(None);
        }
        let mut lineage = self.reach(&members, Along::Down);
        for (on, after) in lineage.iter_mut().zip(self.reach(&members, Along::Up)) {
            *on |= after;
        }
        Ok(Some(lineage))
    }
}
