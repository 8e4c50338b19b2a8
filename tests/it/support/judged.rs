//! What is asked of a judged migration again and again. Refuses to judge.

use migwatch::model::migration::{Grade, Migration, Outcome, Rule, Verdict};
use migwatch::model::revision::Heads;

/// A migration that came through and stands in the database.
pub(crate) fn is_confirmed(migration: &Migration) -> bool {
    migration.outcome == Outcome::Applied && migration.grade == Grade::Confirmed
}

/// Verdict and rule.
pub(crate) fn judgement(migration: &Migration) -> (Verdict, Rule) {
    (migration.judgement.verdict, migration.judgement.rule)
}

/// Where it began and where it ended, by the database where that was read.
pub(crate) fn span(migration: &Migration) -> (Option<Heads>, Option<Heads>) {
    (migration.from(), migration.to())
}

/// The span that is wanted: no revision is base.
pub(crate) fn from_to(from: &[&str], to: &[&str]) -> (Option<Heads>, Option<Heads>) {
    (Some(Heads::of(from.to_vec())), Some(Heads::of(to.to_vec())))
}
