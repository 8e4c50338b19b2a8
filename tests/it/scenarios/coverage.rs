//! What the table must cover, shown by the table itself: both drivers take their rows from it and from nowhere else, so that whatever is
//! acted for real is played too. Refuses to act anything.

use std::collections::{BTreeMap, BTreeSet};

use migwatch::model::migration::{Outcome, Trigger, Verdict};

use super::case::Case;
use super::row::{Database, Expectation};
use super::table;
use crate::support::stack::Compose;

/// A machine with two cores acts so many in the time that there is.
const MOST_REAL: usize = 60;

fn real() -> Vec<Case> {
    let of = |database| [Compose::One, Compose::Two].map(|compose| table::real(database, compose));
    let all = [Database::MariaDb, Database::PostgreSql].map(of);
    all.into_iter().flatten().flatten().collect()
}

/// The trigger and the outcome that a row is about.
fn about(case: &Case) -> Option<(Trigger, Outcome)> {
    let told = case.row.told.last()?;
    Some((told.trigger, told.outcome))
}

/// Each kind of pair with all that there is of it.
fn pairs(cases: &[Case]) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut all: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for case in cases {
        let (expectation, database, compose) = (case.expectation(), case.database, case.compose);
        let mut add = |kind, pair| all.entry(kind).or_default().insert(pair);
        add(
            "expectation and database",
            format!("{expectation:?} on {database:?}"),
        );
        add(
            "expectation and Compose",
            format!("{expectation:?} with {compose:?}"),
        );
        add("database and Compose", format!("{database:?} with {compose:?}"));
        let Some((trigger, outcome)) = about(case) else {
            continue;
        };
        add("trigger and outcome", format!("{trigger:?} {outcome:?}"));
        add(
            "trigger and expectation",
            format!("{trigger:?} under {expectation:?}"),
        );
        add("trigger and database", format!("{trigger:?} on {database:?}"));
        add("outcome and database", format!("{outcome:?} on {database:?}"));
        // Hooks need the second generation.
        if trigger != Trigger::Hook {
            add("trigger and Compose", format!("{trigger:?} with {compose:?}"));
            add("outcome and Compose", format!("{outcome:?} with {compose:?}"));
        }
        let verdict = case.judged(case.row.told.last().unwrap()).0;
        if verdict != Verdict::Undetermined {
            add("outcome and verdict", format!("{outcome:?} {verdict:?}"));
        }
    }
    all
}

#[test]
fn what_is_acted_for_real_holds_every_pair_that_the_table_holds_and_is_not_too_much() {
    let real = real();
    assert!(real.len() <= MOST_REAL, "{} rows for real", real.len());
    // What nobody here has can only be played.
    let possible = table::played()
        .into_iter()
        .filter(|case| !case.row.real.is_empty());
    let (wanted, found) = (pairs(&possible.collect::<Vec<_>>()), pairs(&real));
    let missing: Vec<(&str, Vec<&String>)> = wanted
        .iter()
        .map(|(kind, pairs)| (*kind, pairs.difference(&found[kind]).collect::<Vec<_>>()))
        .filter(|(_, missing)| !missing.is_empty())
        .collect();
    assert!(
        missing.is_empty(),
        "{} rows for real lack {missing:#?}",
        real.len()
    );
}

#[test]
fn quiet_rows_are_as_many_as_loud_ones() {
    for (how, cases) in [("for real", real()), ("played", table::played())] {
        let quiet = cases.iter().filter(|case| case.alerts().is_empty()).count();
        let loud = cases.len() - quiet;
        assert!(quiet >= loud, "{how}: {quiet} quiet rows, {loud} loud ones");
    }
}

#[test]
fn every_row_is_a_sentence_of_its_own_and_is_true_where_it_is_acted() {
    let mut names = BTreeSet::new();
    for row in table::rows() {
        assert!(names.insert(row.name), "\"{}\" is there twice", row.name);
        assert!(!row.deeds.is_empty() && !row.under.is_empty(), "\"{}\"", row.name);
        for (_, database, _) in row.real {
            assert!(row.on.contains(database), "\"{}\" on {database:?}", row.name);
        }
    }
}

#[test]
fn every_trigger_is_played_under_everything_that_may_be_expected() {
    let cases = table::played();
    for trigger in Trigger::ALL {
        for expectation in Expectation::ALL {
            let is_it = |case: &&Case| {
                about(case).is_some_and(|(of, _)| of == trigger) && case.expectation() == expectation
            };
            assert!(
                cases.iter().any(|case| is_it(&case)),
                "{trigger:?} under {expectation:?}"
            );
        }
    }
    let outcomes: BTreeSet<Outcome> = cases.iter().filter_map(|case| Some(about(case)?.1)).collect();
    let all: BTreeSet<Outcome> = Outcome::SETTLED.into();
    assert_eq!(outcomes, all);
}
