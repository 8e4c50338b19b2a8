//! Whether what was told is what the row says. Refuses to know who acted it.

use migwatch::model::migration::{Grade, Migration, Outcome, Rule, Trigger, Verdict};
use migwatch::model::revision::Heads;

use super::case::Case;
use super::row::Told;

/// The first `count` migrations are as the row says, and there are no others; else what is different.
pub(crate) fn migrations(case: &Case, all: &[Migration], count: usize) -> Result<(), String> {
    // What stands for another is told as that; what only a line claims is told once it is over.
    let is_shown = |migration: &&Migration| {
        let is_claim = migration.grade == Grade::Claimed && migration.outcome == Outcome::Running;
        migration.superseded_by.is_none() && !is_claim
    };
    let mut all: Vec<&Migration> = all.iter().filter(is_shown).collect();
    all.sort_by_key(|migration| migration.started_at);
    let wanted: Vec<String> = case
        .row
        .told
        .iter()
        .take(count)
        .map(|told| as_wanted(case, told))
        .collect();
    let found: Vec<String> = all.iter().map(|migration| as_found(migration)).collect();
    if wanted == found {
        return Ok(());
    }
    Err(format!(
        "{case}\nwanted: {wanted:#?}\nfound: {found:#?}\nin whole: {all:#?}"
    ))
}

fn as_wanted(case: &Case, told: &Told) -> String {
    let (verdict, rule) = case.judged(told);
    let heads = |revision: &str| Heads::of((!revision.is_empty()).then(|| revision.to_owned()));
    let span = told.span.map(|(from, to)| (heads(from), heads(to)));
    let trigger = told.trigger;
    line(
        trigger,
        told.outcome,
        span,
        told.grade,
        (verdict, rule, told.moved),
    )
}

fn as_found(migration: &Migration) -> String {
    let span = migration.from().zip(migration.to());
    let judgement = &migration.judgement;
    let judged = (judgement.verdict, judgement.rule, migration.moved());
    line(
        migration.trigger,
        migration.outcome,
        span,
        migration.grade,
        judged,
    )
}

fn line(
    trigger: Trigger,
    outcome: Outcome,
    span: Option<(Heads, Heads)>,
    grade: Grade,
    (verdict, rule, moved): (Verdict, Rule, bool),
) -> String {
    let span = span.map_or_else(|| "nowhere".to_owned(), |(from, to)| format!("{from} -> {to}"));
    let moved = if moved { "moved" } else { "still" };
    format!("{trigger:?} {outcome:?} {span} {grade:?} {verdict:?} by {rule:?}, {moved}")
}
