//! What Alembic 1.20 said of these scripts, and what is ours alone: sentences, standings, bounds.

use super::*;
use crate::model::revision::Heads;
use crate::model::script::Body;

/// `0002 <- 0001 0000`: a revision, its `down_revision`s, behind `|` what it depends on, behind `#` its labels.
fn script(text: &str) -> Script {
    let (text, labels) = text.split_once('#').unwrap_or((text, ""));
    let (text, depends) = text.split_once('|').unwrap_or((text, ""));
    let (revision, down) = text.split_once("<-").unwrap_or((text, ""));
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let revision = revision.trim().to_owned();
    Script {
        path: format!("versions/{revision}.py"),
        revision: Revision(revision),
        down_revisions: words(down).into_iter().map(Revision).collect(),
        depends_on: words(depends),
        branch_labels: words(labels),
        title: None,
        upgrade: Body::Missing,
        downgrade: Body::Missing,
    }
}

fn scripts(texts: &[&str]) -> Vec<Script> {
    texts.iter().map(|text| script(text)).collect()
}

fn names(revisions: &[Revision]) -> Vec<&str> {
    revisions.iter().map(|revision| revision.0.as_str()).collect()
}

fn revision(name: &str) -> Revision {
    Revision(name.to_owned())
}

fn run(graph: &Graph<'_>, rows: &[&str], target: &str) -> Result<String, String> {
    let pending = graph.pending(&Heads::of(rows.iter().copied()), target);
    match pending {
        Ok(pending) => Ok(names(&pending).join(" ")),
        Err(refusal) => Err(refusal.to_string()),
    }
}

fn problems(texts: &[&str]) -> Vec<String> {
    let scripts = scripts(texts);
    let graph = Graph::new(&scripts);
    graph.problems().iter().map(ToString::to_string).collect()
}

/// A shop and its bills, each on a branch of its own, and reports that need the bills.
const SHOP: [&str; 7] = [
    "start",
    "shop1 <- start #shop",
    "shop2 <- shop1",
    "bill1 <- start #billing",
    "bill2 <- bill1",
    "both <- shop2 bill2",
    "report | bill1 #reports",
];

#[test]
fn an_upgrade_runs_what_comes_before_its_target_and_has_not_run() {
    let scripts = scripts(&SHOP);
    let graph = Graph::new(&scripts);
    for (rows, target, expected) in [
        (&[][..], "heads", "start bill1 bill2 report shop1 shop2 both"),
        (&[], "both", "start bill1 bill2 shop1 shop2 both"),
        (&[], "shop@head", "start bill1 bill2 shop1 shop2 both"),
        (&[], "report@head", "start bill1 report"),
        (&[], "shop@+1", "start"),
        (&[], "shop2-1", "start shop1"),
        (&[], "bill2+1", "start bill1 bill2 shop1 shop2 both"),
        (&["shop1"], "heads", "bill1 bill2 report shop2 both"),
        (&["shop1"], "+1", "shop2"),
        (&["shop1"], "billing@+1", "bill1"),
        (&["shop1"], "bill2", "bill1 bill2"),
        (&["shop1"], "reports", "bill1 report"),
        (&["shop1", "bill1"], "both", "bill2 shop2 both"),
        (&["both"], "both", ""),
        (&["both"], "start", ""),
        (&["both"], "base", ""),
        (&["both"], "heads", "report"),
    ] {
        assert_eq!(
            run(&graph, rows, target).as_deref(),
            Ok(expected),
            "{rows:?} {target}"
        );
    }
}

#[test]
fn what_alembic_refuses_is_refused_in_a_sentence() {
    let scripts = scripts(&SHOP);
    let graph = Graph::new(&scripts);
    for (rows, target, expected) in [
        (&[][..], "head", "head may be any of several heads: both, report"),
        (
            &[],
            "+1",
            "the target is relative, but leads to several revisions",
        ),
        (
            &[],
            "-1",
            "the target is -1 steps away, but there are not so many",
        ),
        (
            &[],
            "sho",
            "sho is the beginning of several revisions or labels: shop1, shop2, shop",
        ),
        (&[], "shop@report", "revision report is not on the branch shop"),
        (&[], "nothing@head", "no script has the revision or label nothing"),
        (
            &[],
            "nothing@shop1",
            "no script has the revision or label nothing, which shall name a branch",
        ),
        (&[], "a:b", "a:b is a range, which is no target of an upgrade"),
        (&[], "both+1", "both+1 leads to no revision"),
        (
            &["both"],
            "+1",
            "the target is 1 steps away, but there are not so many",
        ),
        (&["gone"], "heads", "no script has the revision or label gone"),
        (
            &["shop1", "bill1"],
            "+1",
            "the target is relative, but the version table has several revisions to count from",
        ),
        (
            &["shop1", "start"],
            "heads",
            "start comes before shop1, and both are asked for or in the version table",
        ),
    ] {
        assert_eq!(
            run(&graph, rows, target).unwrap_err(),
            expected,
            "{rows:?} {target}"
        );
    }
}

#[test]
fn history_is_told_newest_first_and_branch_by_branch() {
    let scripts = scripts(&SHOP);
    let graph = Graph::new(&scripts);
    let order = graph.order().unwrap();
    assert_eq!(
        names(&order),
        ["both", "shop2", "shop1", "report", "bill2", "bill1", "start"]
    );
}

#[test]
fn a_merge_has_several_parents_and_a_branch_point_several_children() {
    let scripts = scripts(&SHOP);
    let graph = Graph::new(&scripts);
    assert_eq!(names(&graph.merges()), ["both"]);
    assert_eq!(names(&graph.branch_points()), ["start"]);
    assert_eq!(names(&graph.bases()), ["start", "report"]);
    assert_eq!(names(&graph.heads()), ["both", "report"]);
}

#[test]
fn a_head_on_which_another_depends_is_a_head_but_leaves_no_row() {
    let scripts = scripts(&["one", "other | one"]);
    let graph = Graph::new(&scripts);
    assert_eq!(names(&graph.heads()), ["one", "other"]);
    assert_eq!(names(&graph.effective_heads()), ["other"]);
}

#[test]
fn a_dependency_makes_an_ancestor_and_nothing_is_its_own() {
    let scripts = scripts(&SHOP);
    let graph = Graph::new(&scripts);
    let is_ancestor = |older, newer| graph.is_ancestor(&revision(older), &revision(newer));
    assert!(is_ancestor("bill1", "report"));
    assert!(is_ancestor("start", "report"));
    assert!(!is_ancestor("report", "bill1"));
    assert!(!is_ancestor("shop1", "report"));
    assert!(!is_ancestor("start", "start"));
    assert!(!is_ancestor("gone", "start"));
    assert!(!is_ancestor("start", "gone"));
}

#[test]
fn each_problem_names_its_files() {
    for (texts, expected) in [
        (&["a1 <- a1"][..], "versions/a1.py is its own down_revision"),
        (&["a1 | a1"], "versions/a1.py depends on itself"),
        (
            &["a-1"],
            "the revision a-1 in versions/a-1.py has one of the characters @ - + : in it",
        ),
        (
            &["a1 #shop", "b1 #shop"],
            "the branch label shop in versions/b1.py is already taken by versions/a1.py",
        ),
        (
            &["a1 | gone"],
            "versions/a1.py depends on gone, which no script is or is labelled",
        ),
        (
            &["a1 <- gone"],
            "versions/a1.py comes after gone, which no script is",
        ),
        (
            &["a1", "b1 <- a1 c1", "c1 <- b1", "d1 <- c1"],
            "these come before themselves by down_revision: b1 (versions/b1.py), c1 (versions/c1.py)",
        ),
        (
            &["a1", "b1 <- a1 | c1", "c1 | b1"],
            "these come before themselves by down_revision and depends_on: b1 (versions/b1.py), c1 (versions/c1.py)",
        ),
    ] {
        assert_eq!(problems(texts), [expected], "{texts:?}");
        let scripts = scripts(texts);
        let refused = run(&Graph::new(&scripts), &[], "heads").unwrap_err();
        assert_eq!(refused, format!("the scripts cannot be put in order: {expected}"));
    }
}

#[test]
fn of_two_scripts_with_one_revision_the_later_counts() {
    let mut scripts = scripts(&["a1", "b1 <- a1", "b1"]);
    scripts[2].path = "versions/copy.py".into();
    let graph = Graph::new(&scripts);
    let told: Vec<String> = graph.problems().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["revision b1 is in versions/b1.py and in versions/copy.py; only the latter counts"]
    );
    assert!(graph.broken().is_none());
    assert!(!graph.is_sound());
    let counts = graph.script(&revision("b1")).unwrap();
    assert_eq!(counts.path, "versions/copy.py");
    assert_eq!(run(&graph, &[], "b1").as_deref(), Ok("b1"));
}

#[test]
fn a_table_is_at_head_behind_unknown_or_diverged() {
    let scripts = scripts(&SHOP);
    let graph = Graph::new(&scripts);
    let standing = |rows: &[&str]| graph.standing(&Heads::of(rows.iter().copied()));
    let all = |names: &[&str]| names.iter().map(|name| revision(name)).collect::<Vec<_>>();
    let at_head = CodeStanding::AtHead {
        left_over: Vec::new(),
    };
    assert_eq!(standing(&["both", "report"]), at_head);
    let behind = |pending: &[&str]| CodeStanding::Behind {
        pending: all(pending),
        left_over: Vec::new(),
    };
    assert_eq!(standing(&["shop2", "bill2"]), behind(&["report", "both"]));
    assert_eq!(
        standing(&[]),
        behind(&["start", "bill1", "bill2", "report", "shop1", "shop2", "both"])
    );
    let unknown = CodeStanding::Unknown {
        unknown: all(&["gone", "lost"]),
    };
    assert_eq!(standing(&["gone", "lost"]), unknown);
    let diverged = CodeStanding::Diverged {
        known: all(&["both"]),
        unknown: all(&["gone"]),
        pending: all(&["report"]),
    };
    assert_eq!(standing(&["both", "gone"]), diverged);
}

#[test]
fn a_row_that_comes_before_another_is_left_over_and_changes_nothing_about_what_has_run() {
    let scripts = scripts(&SHOP);
    let graph = Graph::new(&scripts);
    let standing = graph.standing(&Heads::of(["both", "report", "start", "bill1"]));
    let left_over = vec![revision("bill1"), revision("start")];
    assert_eq!(standing, CodeStanding::AtHead { left_over });
    let standing = graph.standing(&Heads::of(["both", "start"]));
    let behind = CodeStanding::Behind {
        pending: vec![revision("report")],
        left_over: vec![revision("start")],
    };
    assert_eq!(standing, behind);
}

#[test]
fn nothing_is_said_of_a_table_when_the_scripts_are_broken() {
    let scripts = scripts(&["a1 <- gone"]);
    let graph = Graph::new(&scripts);
    let standing = graph.standing(&Heads::of(["a1"]));
    assert!(
        matches!(standing, CodeStanding::Unreadable(Refusal::Broken(_))),
        "{standing:?}"
    );
}

#[test]
fn without_scripts_nothing_is_pending_and_nothing_is_known() {
    let graph = Graph::new(&[]);
    assert!(graph.is_sound());
    assert_eq!(run(&graph, &[], "head").as_deref(), Ok(""));
    assert!(!graph.knows(&revision("a1")));
    assert_eq!(
        graph.standing(&Heads::default()),
        CodeStanding::AtHead {
            left_over: Vec::new()
        }
    );
}

#[test]
fn a_line_of_many_thousand_revisions_needs_no_recursion() {
    let names: Vec<String> = (0..20_000).map(|number| format!("{number:06}")).collect();
    let mut texts = vec![names[0].clone()];
    texts.extend(names.windows(2).map(|pair| format!("{} <- {}", pair[1], pair[0])));
    let scripts: Vec<Script> = texts.iter().map(|text| script(text)).collect();
    let graph = Graph::new(&scripts);
    let pending = graph.pending(&Heads::of(["000009"]), "head").unwrap();
    assert_eq!(pending.len(), 19_990);
    assert_eq!(
        graph.resolve("000010+5000").unwrap_err().to_string(),
        "no script has the revision or label 000010+5000"
    );
    assert_eq!(
        graph.pending(&Heads::of(["000009"]), "+9999999999").unwrap_err(),
        Refusal::TooFar { steps: 9_999_999_999 }
    );
}

#[test]
fn an_order_that_takes_too_long_is_given_up() {
    let texts: Vec<String> = (0..30)
        .map(|number| {
            let before: Vec<String> = (0..number).map(|before| format!("{before:04}")).collect();
            format!("{number:04} <- {}", before.join(" "))
        })
        .collect();
    let scripts: Vec<Script> = texts.iter().map(|text| script(text)).collect();
    let graph = Graph::new(&scripts);
    let sorted = |effort| graph.sorted_within(effort, vec![true; 30], &[29]);
    assert_eq!(sorted(1_000), Err(Refusal::TooTangled));
    assert_eq!(sorted(100_000).map(|nodes| nodes.len()), Ok(30));
}
