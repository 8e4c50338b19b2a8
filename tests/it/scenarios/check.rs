//! Whether what was told is what the row says. Refuses to know who acted it.

use migwatch::model::migration::{Grade, Migration, Outcome, Rule, Trigger, Verdict};
use migwatch::model::revision::Heads;

use super::case::Case;
use super::row::Told;

const MOVED: &str = "moved";
const STILL: &str = "still";

/// The first `count` migrations are as the row says, and there are no others; else what is different. What runs for long is presumed to
/// move something: where the machine is so slow that this was said of a run (`is_slow`), it is said of one that stands still too.
pub(crate) fn migrations(case: &Case, all: &[Migration], count: usize, is_slow: bool) -> Result<(), String> {
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
    let is_as_wanted = |(wanted, found): (&String, &String)| {
        let is_presumed = || {
            let (still, moved) = (wanted.strip_suffix(STILL), found.strip_suffix(MOVED));
            still.is_some() && still == moved
        };
        wanted == found || (is_slow && is_presumed())
    };
    if wanted.len() == found.len() && wanted.iter().zip(&found).all(is_as_wanted) {
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
    let moved = if moved { MOVED } else { STILL };
    format!("{trigger:?} {outcome:?} {span} {grade:?} {verdict:?} by {rule:?}, {moved}")
}
