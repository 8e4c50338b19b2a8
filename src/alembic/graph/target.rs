//! Where an upgrade shall go: an identifier, or steps counted from the version table (`+2`, `branch@+1`) or from a revision (`a1b2+1`).
//!
//! Promises what Alembic's `RevisionMap._parse_upgrade_target` makes of it, with its oddities: whatever follows the number is ignored, and
//! a step up may take any child while a step down may not cross a merge. Refuses targets of downgrades.

use super::{Along, Graph, Node, Refusal};
use crate::model::revision::Heads;

/// `branch@symbol+steps`.
#[derive(Debug, PartialEq, Eq)]
struct Relative<'t> {
    branch: Option<&'t str>,
    symbol: Option<&'t str>,
    steps: i64,
}

/// Where a walk stands.
#[derive(Clone, Copy)]
enum Position {
    At(Node),
    /// Before everything, where no step was made yet: steps down start at the heads.
    Start,
    /// Before everything, after the last step down.
    Base,
    /// It ended before its steps were made.
    Beyond,
}

impl Graph<'_> {
    /// The revisions that shall be reached.
    pub(super) fn targets(&self, current: &Heads, target: &str) -> Result<Vec<Node>, Refusal> {
        let Some(relative) = relative(target) else {
            return self.all(target);
        };
        let reached = match relative.symbol {
            None if relative.steps > 0 => {
                let start = self.start(current, relative.branch)?;
                self.up(start, relative.steps, relative.branch)?
            }
            None => Position::Beyond,
            Some(symbol) if relative.steps > 0 => {
                let start = self.one(symbol)?;
                self.up(start, relative.steps, relative.branch)?
            }
            Some(symbol) => {
                let start = match relative.branch {
                    Some(branch) => self.one(&format!("{branch}@{symbol}"))?,
                    None => self.one(symbol)?,
                };
                self.down(start, relative.steps)?
            }
        };
        match (reached, relative.symbol) {
            (Position::At(node), _) => Ok(vec![node]),
            (_, None) => Err(Refusal::TooFar {
                steps: relative.steps,
            }),
            (_, Some(_)) => Err(Refusal::Nowhere {
                target: target.to_owned(),
            }),
        }
    }

    /// From which one of the rows `+N` counts; `None` is before everything.
    fn start(&self, current: &Heads, branch: Option<&str>) -> Result<Option<Node>, Refusal> {
        let Some(branch) = branch else {
            let mut rows = current.0.iter();
            return match (rows.next(), rows.next()) {
                (None, _) => Ok(None),
                (Some(row), None) => self.one(&row.0),
                (Some(_), Some(_)) => Err(Refusal::AmbiguousStart),
            };
        };
        let rows = self.rows(current)?;
        self.meaning(branch)?;
        let mut starts = self.of_lineage(&rows, branch)?;
        if starts.is_empty() {
            starts = self.tips(&rows, branch)?;
        }
        match starts[..] {
            [] => Ok(None),
            [start] => Ok(Some(start)),
            _ => Err(Refusal::AmbiguousStart),
        }
    }

    /// What has run of a branch on which no row is: its last revisions.
    fn tips(&self, rows: &[Node], branch: &str) -> Result<Vec<Node>, Refusal> {
        let run = self.reach(rows, Along::Below);
        let run: Vec<Node> = (0..run.len()).filter(|&node| run[node]).collect();
        let on_branch = self.of_lineage(&run, branch)?;
        let mut has_later = vec![false; self.places.len()];
        for &node in &on_branch {
            for &earlier in &self.places[node].below {
                has_later[earlier] = true;
            }
        }
        Ok(on_branch.into_iter().filter(|&node| !has_later[node]).collect())
    }

    /// Ends at the latest when no child is left, so that the number of steps may be anything.
    fn up(&self, start: Option<Node>, steps: i64, branch: Option<&str>) -> Result<Position, Refusal> {
        if let Some(branch) = branch {
            self.meaning(branch)?;
        }
        let mut lineage = None;
        let mut position = start;
        for _ in 0..steps {
            let mut children = match position {
                None => self.bases.clone(),
                Some(node) => self.places[node].up.clone(),
            };
            if let (Some(branch), false) = (branch, children.is_empty()) {
                if lineage.is_none() {
                    lineage = Some(self.lineage(branch)?);
                }
                let members = lineage.as_ref().and_then(Option::as_ref);
                children.retain(|&child| members.is_none_or(|members| members[child]));
            }
            position = match children[..] {
                [] => return Ok(Position::Beyond),
                [child] => Some(child),
                _ => return Err(Refusal::AmbiguousWalk),
            };
        }
        Ok(position.map_or(Position::Start, Position::At))
    }

    /// `steps` is not positive. Ends at the latest at the base.
    fn down(&self, start: Option<Node>, steps: i64) -> Result<Position, Refusal> {
        let mut position = start.map_or(Position::Start, Position::At);
        for _ in 0..steps.unsigned_abs() {
            let (parents, written) = match position {
                Position::At(node) => {
                    let place = &self.places[node];
                    (&place.down, place.script.down_revisions.len())
                }
                Position::Start => (&self.heads, self.heads.len()),
                Position::Base | Position::Beyond => return Ok(Position::Beyond),
            };
            position = match parents[..] {
                _ if written > 1 => return Err(Refusal::AmbiguousWalk),
                [] => Position::Base,
                [parent, ..] => Position::At(parent),
            };
        }
        Ok(position)
    }
}

/// Takes a relative target apart: the first `@` that a number of steps follows, with at most a word between, ends the branch.
fn relative(target: &str) -> Option<Relative<'_>> {
    let line = target.split('\n').next().unwrap_or_default();
    let with_branch = line
        .match_indices('@')
        .filter(|(at, _)| *at > 0)
        .find_map(|(at, _)| {
            let (symbol, steps) = steps(&target[at + 1..])?;
            Some(Relative {
                branch: Some(&target[..at]),
                symbol,
                steps,
            })
        });
    with_branch.or_else(|| {
        let (symbol, steps) = steps(target)?;
        Some(Relative {
            branch: None,
            symbol,
            steps,
        })
    })
}

/// `word+2` at the beginning of a text: the word, if there is one, and the number, as far as 64 bits hold it.
fn steps(text: &str) -> Option<(Option<&str>, i64)> {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let (word, rest) = text.split_at(text.find(|character| !is_word(character))?);
    let (is_down, digits) = match rest.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, rest.strip_prefix('+')?),
    };
    let digits = digits.split(|digit: char| !digit.is_ascii_digit()).next()?;
    if digits.is_empty() {
        return None;
    }
    let number = digits.parse().unwrap_or(i64::MAX);
    let steps = if is_down { -number } else { number };
    Some((Some(word).filter(|word| !word.is_empty()), steps))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_target_is_taken_apart() {
        let relative = |branch, symbol, steps| {
            Some(Relative {
                branch,
                symbol,
                steps,
            })
        };
        for (target, expected) in [
            ("+1", relative(None, None, 1)),
            ("-2", relative(None, None, -2)),
            ("a1b2+10", relative(None, Some("a1b2"), 10)),
            ("shop@+1", relative(Some("shop"), None, 1)),
            ("shop@a1-1", relative(Some("shop"), Some("a1"), -1)),
            ("a@b@+1", relative(Some("a@b"), None, 1)),
            ("a@b+1@c", relative(Some("a"), Some("b"), 1)),
            ("@+1", None),
            ("+", None),
            ("a+b", None),
            ("heads", None),
            ("shop@head", None),
            ("+1 and whatever follows", relative(None, None, 1)),
            ("+99999999999999999999", relative(None, None, i64::MAX)),
            ("", None),
        ] {
            assert_eq!(super::relative(target), expected, "{target}");
        }
    }
}
