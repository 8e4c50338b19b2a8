//! The revision graph, compared with Alembic: generated scripts, rows and targets, of which some are broken.
//!
//! Promises that both give the same steps in the same order, or the same error. `PROPTEST_CASES=5000` looks longer.

mod oracle;
mod plan;

use migwatch::alembic::graph::{CodeStanding, Graph, Problem, Refusal};
use migwatch::model::revision::{Heads, Revision};
use proptest::prelude::*;
use serde_json::Value;

use oracle::Oracle;
use plan::{Case, case};

/// Cases where nobody asks for more: some seconds.
#[expect(
    clippy::disallowed_methods,
    reason = "longer runs are asked for by the environment"
)]
fn config() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(256),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..ProptestConfig::default()
    }
}

#[test]
fn the_graph_answers_as_alembic_does() {
    let oracle = std::cell::RefCell::new(Oracle::start(super::oracle_command()));
    proptest!(config(), |(case in case())| {
        let answer = oracle.borrow_mut().ask(&case);
        agrees(&case, &answer)?;
    });
}

fn agrees(case: &Case, answer: &Value) -> Result<(), TestCaseError> {
    let graph = Graph::new(&case.scripts);
    let is_cyclic =
        |problem: &Problem| matches!(problem, Problem::Cycle { .. } | Problem::DependencyCycle { .. });
    if let Some(problem) = graph.broken() {
        let class = class_of_problem(problem);
        prop_assert_eq!(
            graph.pending(&case.rows, "heads"),
            Err(Refusal::Broken(problem.clone()))
        );
        // Alembic overlooks some cycles, and then answers somehow or never, or finds another.
        let told = &answer["broken"]["class"];
        let is_overlooked =
            is_cyclic(problem) && answer["cyclic"] == true && (told.is_null() || told == "dependency_cycle");
        // A label as down_revision is never found, but Alembic may call that a cycle.
        let is_misnamed = has_label_as_down(case) && !answer["broken"].is_null();
        prop_assert!(
            is_overlooked || is_misnamed || *told == class,
            "{class}: {answer}"
        );
        return Ok(());
    }
    prop_assert!(
        answer["broken"].is_null(),
        "Alembic finds the scripts broken: {answer}"
    );
    prop_assert_eq!(answer["cyclic"].as_bool(), Some(false));
    prop_assert_eq!(graph.problems().len(), usize_of(&answer["duplicates"]));
    prop_assert_eq!(names(&graph.heads()), strings(&answer["heads"]));
    prop_assert_eq!(
        names(&graph.effective_heads()),
        strings(&answer["effective_heads"])
    );
    prop_assert_eq!(names(&graph.bases()), strings(&answer["bases"]));
    prop_assert_eq!(sorted(&graph.merges()), strings(&answer["merges"]));
    prop_assert_eq!(sorted(&graph.branch_points()), strings(&answer["branch_points"]));
    same(
        &graph.order(),
        &answer["history"],
        &answer["history"]["run"],
        "history",
    )?;
    for (target, told) in case.targets.iter().zip(array(&answer["answers"])) {
        let pending = graph.pending(&case.rows, target);
        same(&pending, told, &told["as_written"], target)?;
        if let Ok(pending) = &pending {
            let run = strings(&told["run"]);
            if has_several_dependencies(case) {
                is_an_order_of(&graph, pending, &run)?;
            } else {
                prop_assert_eq!(names(pending), run, "{}", target);
            }
        }
        stands_as_pending(&graph, &case.rows, target, &pending)?;
    }
    Ok(())
}

/// The same steps in the same order, or the same error about the same revision.
fn same(
    ours: &Result<Vec<Revision>, Refusal>,
    told: &Value,
    steps: &Value,
    target: &str,
) -> Result<(), TestCaseError> {
    match ours {
        Ok(ours) => {
            prop_assert!(told["class"].is_null(), "{target}: {ours:?}, but {told}");
            prop_assert_eq!(names(ours), strings(steps), "{}", target);
        }
        Err(refusal) => {
            prop_assert_eq!(
                told["class"].as_str(),
                Some(class_of(refusal)),
                "{}: {} {}",
                target,
                refusal,
                told
            );
            if let Refusal::Overlap { revision, with } = refusal {
                let text = told["text"].as_str().unwrap_or_default();
                let beginning =
                    format!("Requested revision {revision} overlaps with other requested revisions ");
                let mut others: Vec<&str> = text
                    .strip_prefix(&beginning)
                    .unwrap_or_default()
                    .split(", ")
                    .collect();
                others.sort_unstable();
                prop_assert_eq!(sorted(with), others, "{}", text);
            }
        }
    }
    Ok(())
}

/// Where Alembic's order is left to chance, both are orders of the same steps.
fn is_an_order_of(graph: &Graph<'_>, ours: &[Revision], run: &[String]) -> Result<(), TestCaseError> {
    let mut other = run.to_vec();
    other.sort();
    prop_assert_eq!(sorted(ours), other);
    let run: Vec<Revision> = run.iter().cloned().map(Revision).collect();
    for steps in [ours, &run] {
        for (at, later) in steps.iter().enumerate() {
            let is_early = |earlier: &Revision| !graph.is_ancestor(later, earlier);
            prop_assert!(steps[..at].iter().all(is_early), "{:?}", steps);
        }
    }
    Ok(())
}

/// What is told of rows agrees with what an upgrade to `heads` would do.
fn stands_as_pending(
    graph: &Graph<'_>,
    rows: &Heads,
    target: &str,
    pending: &Result<Vec<Revision>, Refusal>,
) -> Result<(), TestCaseError> {
    if target != "heads" || !graph.is_sound() {
        return Ok(());
    }
    let standing = graph.standing(rows);
    let agrees = match (&standing, pending) {
        (CodeStanding::AtHead { left_over }, Ok(pending)) => pending.is_empty() && left_over.is_empty(),
        (
            CodeStanding::Behind {
                pending: ours,
                left_over,
            },
            Ok(pending),
        ) => ours == pending && left_over.is_empty(),
        (
            CodeStanding::AtHead { left_over } | CodeStanding::Behind { left_over, .. },
            Err(Refusal::Overlap { .. }),
        ) => !left_over.is_empty(),
        (CodeStanding::Unknown { .. } | CodeStanding::Diverged { .. }, Err(_)) => true,
        _ => false,
    };
    prop_assert!(agrees, "{standing:?} {pending:?}");
    Ok(())
}

fn class_of_problem(problem: &Problem) -> &'static str {
    match problem {
        Problem::Loop { .. } => "loop",
        Problem::DependencyLoop { .. } => "dependency_loop",
        Problem::ForbiddenCharacter { .. } => "forbidden_character",
        Problem::Duplicate { .. } => "duplicate",
        Problem::LabelClash { .. } => "label_clash",
        Problem::DanglingDependency { .. } | Problem::DanglingDown { .. } => "dangling",
        Problem::Cycle { .. } => "cycle",
        Problem::DependencyCycle { .. } => "dependency_cycle",
        Problem::TooTangled => "too_tangled",
    }
}

fn class_of(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Broken(problem) => class_of_problem(problem),
        Refusal::Range { .. } => "range",
        Refusal::NotFound { .. } => "not_found",
        Refusal::Ambiguous { .. } => "ambiguous",
        Refusal::NoSuchBranch { .. } => "no_such_branch",
        Refusal::NotOnBranch { .. } => "not_on_branch",
        Refusal::MultipleHeads { .. } => "multiple_heads",
        Refusal::Overlap { .. } => "overlap",
        Refusal::AmbiguousStart => "ambiguous_start",
        Refusal::AmbiguousWalk => "ambiguous_walk",
        Refusal::TooFar { .. } => "too_far",
        Refusal::Nowhere { .. } => "nowhere",
        Refusal::TooTangled => "too_tangled",
    }
}

fn has_several_dependencies(case: &Case) -> bool {
    case.scripts.iter().any(|script| script.depends_on.len() > 1)
}

fn has_label_as_down(case: &Case) -> bool {
    let labels = || case.scripts.iter().flat_map(|script| &script.branch_labels);
    let mut downs = case.scripts.iter().flat_map(|script| &script.down_revisions);
    downs.any(|down| labels().any(|label| *label == down.0))
}

fn names(revisions: &[Revision]) -> Vec<String> {
    revisions.iter().map(|revision| revision.0.clone()).collect()
}

fn sorted(revisions: &[Revision]) -> Vec<String> {
    let mut names = names(revisions);
    names.sort();
    names
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn strings(value: &Value) -> Vec<String> {
    let strings = array(value)
        .iter()
        .filter_map(|one| Some(one.as_str()?.to_owned()));
    strings.collect()
}

fn usize_of(value: &Value) -> usize {
    value
        .as_u64()
        .and_then(|number| usize::try_from(number).ok())
        .unwrap_or(usize::MAX)
}
