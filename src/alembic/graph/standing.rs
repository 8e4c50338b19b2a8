//! How a version table stands to the code.
//! Refuses to judge: that a database is ahead of the code, or was migrated by other code, is for others to conclude.

use super::{Along, Graph, Node, Refusal};
use crate::model::revision::{Heads, Revision};

/// How the rows of a version table stand to the scripts.
///
/// A row is known if Alembic finds its revision. A known row is *left over* if it comes before another known row, by `down_revision` or
/// `depends_on`: two processes that migrate at once leave such a row. `alembic current` hides it, and `alembic upgrade` refuses it
/// ([`Refusal::Overlap`]), though it changes nothing about what has run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeStanding {
    /// Every row is known, and everything has run.
    AtHead {
        /// Rows that are left over.
        left_over: Vec<Revision>,
    },
    /// Every row is known, and something has not run. No rows at all are behind everything.
    Behind {
        /// What `alembic upgrade heads` would run, in its order, were it not for rows that are left over.
        pending: Vec<Revision>,
        /// Rows that are left over.
        left_over: Vec<Revision>,
    },
    /// There are rows, and none is known: the database was migrated by newer or by other code.
    Unknown {
        /// The rows.
        unknown: Vec<Revision>,
    },
    /// Some rows are known and some are not: the code knows only a part of what happened. Known rows on several branches are not diverged,
    /// whatever the branches: each is where the code can go on from.
    Diverged {
        /// The rows that are known.
        known: Vec<Revision>,
        /// The rows that are not.
        unknown: Vec<Revision>,
        /// What has not run of this code, as far as the known rows tell.
        pending: Vec<Revision>,
    },
    /// Nothing can be said: the scripts are broken.
    Unreadable(Refusal),
}

impl Graph<'_> {
    /// How these rows stand to the scripts.
    pub fn standing(&self, current: &Heads) -> CodeStanding {
        self.compared(current).unwrap_or_else(CodeStanding::Unreadable)
    }

    fn compared(&self, current: &Heads) -> Result<CodeStanding, Refusal> {
        self.unless_broken()?;
        let mut nodes: Vec<Node> = Vec::new();
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for row in &current.0 {
            match self.all(&row.0) {
                Ok(found) => {
                    nodes.extend(found);
                    known.push(row.clone());
                }
                Err(_) => unknown.push(row.clone()),
            }
        }
        if known.is_empty() && !unknown.is_empty() {
            return Ok(CodeStanding::Unknown { unknown });
        }
        let everything = self.reach(&self.effective_heads, Along::Below);
        let done = self.reach(&nodes, Along::Below);
        let pending = self.in_order(&everything, &done, &self.effective_heads)?;
        if !unknown.is_empty() {
            return Ok(CodeStanding::Diverged {
                known,
                unknown,
                pending,
            });
        }
        let earlier = self.reach_beyond(&nodes, Along::Below);
        nodes.retain(|&node| earlier[node]);
        let left_over = self.named_of(&nodes);
        Ok(if pending.is_empty() {
            CodeStanding::AtHead { left_over }
        } else {
            CodeStanding::Behind { pending, left_over }
        })
    }
}
