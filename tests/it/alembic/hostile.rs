//! Damaged and hostile scripts: reading them ends, with an answer, within bounds.
//! Refuses to judge what the answer is. `PROPTEST_CASES=100000` looks further.

use std::sync::LazyLock;

use migwatch::alembic::{environment, script};
use migwatch::model::script::{Action, Body, Script, Unreadable};
use proptest::prelude::*;

use super::{on_a_large_stack, scripts};

/// More operations than any reading may find.
const MOST_OPERATIONS: usize = 25_000;

/// What opens and ends things in Python.
const SIGNS: &[u8] = b"()[]{}'\"\n:,.#\\%";

static CORPUS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let read = |path| std::fs::read(path).expect("the script can be read");
    scripts().into_iter().map(read).collect()
});

/// A script whose `upgrade()` has this body.
fn script_with(body: &str) -> Vec<u8> {
    format!("from alembic import op\nrevision = 'h'\ndown_revision = None\n\n\ndef upgrade():\n    {body}\n")
        .into_bytes()
}

fn read(source: Vec<u8>) -> Result<Option<Script>, Unreadable> {
    on_a_large_stack(move || {
        drop(environment::read("env.py", &source));
        script::read("h.py", &source)
    })
}

fn refusal(source: Vec<u8>) -> String {
    match read(source) {
        Err(unreadable) => unreadable.reason,
        Ok(read) => panic!("was read: {read:?}"),
    }
}

/// What is nested in itself some thousand times.
fn nested() -> Vec<String> {
    let around = |open: &str, times: usize, inner: &str, close: &str| {
        format!("{}{inner}{}", open.repeat(times), close.repeat(times))
    };
    vec![
        around("-", 50_000, "1", ""),
        around("not ", 50_000, "1", ""),
        around("a", 1, "", "") + &".b".repeat(120_000),
        around("a", 1, "", "") + &"()".repeat(100_000),
        around("a", 1, "", "") + &"[0]".repeat(80_000),
        around("(", 100_000, "", ")"),
        around("[", 100_000, "", "]"),
        around("{", 100_000, "", "}"),
        around("(", 100_000, "", ""),
        around("(]", 100_000, "", ""),
        around("f(", 80_000, "", ")"),
        around("f'{", 50_000, "1", "}'"),
        around("f'{f\"{", 25_000, "1", "}\"}'"),
        around("lambda: ", 30_000, "1", ""),
        around("lambda a, b: ", 19_000, "1", ""),
        around("1 if 1 else ", 20_000, "1", ""),
        around("2 ** ", 50_000, "1", ""),
        around("2 * 3 + ", 30_000, "1", ""),
        around("await ", 40_000, "1", ""),
        around("*", 200_000, "a", ""),
        around("if a: ", 40_000, "b", ""),
        around("with a, b: ", 20_000, "b", ""),
        around("for a, b in c: ", 16_000, "b", ""),
        around("@", 200_000, "a", ""),
        around("x = yield ", 20_000, "1", ""),
    ]
}

#[test]
fn what_is_nested_without_end_is_refused() {
    for body in nested() {
        let start: String = body.chars().take(12).collect();
        let reason = refusal(script_with(&body));
        let is_told = reason.contains("nested too deeply") || reason.contains("no Python");
        assert!(is_told, "{start}: {reason}");
    }
}

#[test]
fn blocks_as_deep_as_a_file_can_hold_are_refused() {
    let mut text = String::from("revision = 'h'\ndown_revision = None\n");
    for level in 0..2_000 {
        text += &" ".repeat(level);
        text += "if a:
";
    }
    text += &" ".repeat(2_000);
    text += "b
";
    assert!(refusal(text.into_bytes()).contains("nested too deeply"));
}

#[test]
fn what_is_nested_as_deep_as_it_is_read_is_read() {
    let body = format!("op.drop_table({}'a'{})", "(".repeat(500), ")".repeat(500));
    assert!(
        matches!(read(script_with(&body)), Ok(Some(_))),
        "brackets alone are no level of the tree"
    );
    let body = "op.f(".repeat(150) + "'a'" + &")".repeat(150);
    assert!(matches!(read(script_with(&body)), Ok(Some(_))));
}

#[test]
fn a_file_that_is_too_long_is_refused_unread() {
    let literals = "x = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'\n".repeat(100_000);
    assert_eq!(refusal(literals.into_bytes()), "longer than 2 MiB");
    let rows = "op.execute('DELETE FROM a')\n    ".repeat(8_000);
    let Ok(Some(script)) = read(script_with(&rows)) else {
        panic!("a long script is a script");
    };
    assert_eq!(script.upgrade.operations().len(), 8_000);
}

#[test]
fn a_long_script_that_was_generated_is_read_as_far_as_its_budget_goes() {
    let column = "sa.Column('name', sa.String(length=255), nullable=False), ";
    let tables = format!("op.create_table('t', {})\n    ", column.repeat(20)).repeat(1_300);
    assert!(tables.len() > 1_500_000);
    let Ok(Some(script)) = read(script_with(&tables)) else {
        panic!("a long script is a script");
    };
    let last = script.upgrade.operations().last().map(|last| &last.action);
    assert!(matches!(last, Some(Action::Unreadable { .. })), "{last:?}");
}

#[test]
fn a_long_loop_that_is_skipped_again_and_again_is_not_looked_through_for_ever() {
    let body = "                x = [y]\n".repeat(60_000);
    let body = format!(
        "from json import loads\n    T = {:?}\n    for a in T:\n      for b in T:\n       for c in T:\n        for z in loads(''):\n          if False:\n{body}",
        ["a"; 60]
    );
    assert!(matches!(read(script_with(&body)), Ok(Some(_))));
}

#[test]
fn a_long_sum_of_texts_is_one_text() {
    let sum = vec!["'DELETE FROM a;'"; 500].join(" + ");
    let Ok(Some(script)) = read(script_with(&format!("op.execute({sum})"))) else {
        panic!("a long sum is Python");
    };
    assert_eq!(script.upgrade.operations().len(), 500);
}

#[test]
fn work_that_grows_without_end_is_cut_off_and_said_to_be() {
    let doubled = "s = 'DROP TABLE a;'\n    ".to_owned() + &"s = s + s\n    ".repeat(60) + "op.execute(s)";
    let loops: Vec<String> = (0..9)
        .map(|level| format!("{}for a{level} in T:", "    ".repeat(level + 1)))
        .collect();
    let looped = format!(
        "T = [1] * 1\n    T = {:?}\n{}{}op.drop_table('a')",
        ["a"; 60],
        loops.join("\n") + "\n",
        "    ".repeat(11)
    );
    let calls: Vec<String> = (0..60)
        .map(|it| format!("def f{it}():\n        f{next}(); f{next}()\n    ", next = it + 1))
        .collect();
    let grown = "l = [1]\n    ".to_owned() + &"l.extend(l)\n    ".repeat(60) + "op.drop_table('a')";
    for body in [doubled, looped, calls.concat() + "f0()", grown] {
        let Ok(Some(script)) = read(script_with(&body)) else {
            panic!("it is Python: {body}");
        };
        let found = script.upgrade.operations();
        assert!(found.len() <= MOST_OPERATIONS, "{} operations", found.len());
        let is_said = found
            .iter()
            .any(|operation| matches!(operation.action, Action::Unreadable { .. }));
        assert!(is_said, "{body}");
    }
}

/// A script of the corpus to which something was done.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let pick = any::<prop::sample::Index>;
    let edits = prop::collection::vec((0..6_u8, pick(), pick(), any::<u8>()), 1..12);
    (pick(), pick(), edits).prop_map(|(first, second, edits)| {
        let mut source = first.get(&CORPUS).clone();
        let other = second.get(&CORPUS);
        for (kind, from, to, byte) in edits {
            if source.is_empty() {
                source.clone_from(other);
                continue;
            }
            let (from, to) = (from.index(source.len()), to.index(source.len()));
            let (from, to) = (from.min(to), from.max(to));
            match kind {
                0 => source[from] ^= byte,
                1 => source.truncate(to),
                2 => drop(source.drain(from..to)),
                3 => {
                    let part = source[from..to].to_vec();
                    let at = to.min(source.len());
                    source.splice(at..at, part);
                }
                4 => {
                    let part = other.get(from..to.min(other.len())).unwrap_or_default().to_vec();
                    source.splice(from..from, part);
                }
                _ => source.insert(from, SIGNS[usize::from(byte) % SIGNS.len()]),
            }
        }
        source
    })
}

proptest! {
    #[test]
    fn a_damaged_script_is_read_or_refused_within_bounds(source in damaged()) {
        let length = source.len();
        let read = read(source);
        if let Ok(Some(script)) = read {
            prop_assert!(length <= 2 * 1024 * 1024);
            for body in [&script.upgrade, &script.downgrade] {
                if let Body::Does(operations) = body {
                    prop_assert!(operations.len() <= MOST_OPERATIONS);
                    let lines = u32::try_from(length + 1).unwrap();
                    prop_assert!(operations.iter().all(|operation| (1..=lines).contains(&operation.line)));
                }
            }
        } else if let Err(unreadable) = read {
            prop_assert!(!unreadable.reason.is_empty());
            prop_assert!(!unreadable.reason.contains('\n'));
        }
    }
}
