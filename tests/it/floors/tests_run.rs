//! That tests mean something: each of them runs, and none waits for time instead of for a condition.
//! Refuses to judge what they test.

use super::Violation;
use super::source::Source;
use super::tokens;

/// Calls that wait for time to pass.
const SLEEPS: [&str; 4] = ["sleep", "sleep_ms", "sleep_until", "park_timeout"];

/// No test is left out of a run, neither a function nor an example in the documentation.
pub(super) fn ignored(source: &Source) -> Vec<Violation> {
    let attributes = tokens::attributes(source.tokens());
    let left_out = attributes.iter().filter(|attribute| {
        let first = attribute.names.first().map(String::as_str);
        first == Some("ignore")
            || (first == Some("cfg_attr") && attribute.names.iter().any(|name| name == "ignore"))
    });
    let examples = (1..).zip(source.text.lines()).filter(|(_, line)| {
        let line = line.trim_start();
        line.starts_with("//") && line.contains("```") && line.contains("ignore")
    });
    let lines = left_out
        .map(|attribute| attribute.line)
        .chain(examples.map(|(number, _)| number));
    let what = "is ignored: a test that never runs proves nothing and hides that it broke";
    lines.map(|line| Violation::new(source, line, what)).collect()
}

/// No test sleeps: it would be slow on a fast machine and fail on a slow one.
pub(super) fn sleeping(source: &Source) -> Vec<Violation> {
    let is_test_file = source.path.starts_with("tests/");
    let paths = tokens::paths(source.tokens());
    let sleeping = paths.iter().filter(|path| {
        let called = path
            .segments
            .last()
            .is_some_and(|last| SLEEPS.contains(&last.as_str()));
        called && path.arguments.is_some() && (is_test_file || path.in_test)
    });
    let what = "sleeps in a test: wait on a condition, with a generous time-out";
    sleeping
        .map(|path| Violation::new(source, path.line, what))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_found(rule: fn(&Source) -> Vec<Violation>, path: &str, text: &str) -> Vec<usize> {
        rule(&Source::planted(path, text))
            .iter()
            .map(|violation| violation.line)
            .collect()
    }

    #[test]
    fn an_ignored_test_is_found() {
        assert_eq!(
            lines_found(ignored, "tests/it/a.rs", "#[test]\n#[ignore]\nfn t() {}"),
            [2]
        );
        assert_eq!(
            lines_found(
                ignored,
                "tests/it/a.rs",
                "#[test]\n#[ignore = \"slow\"]\nfn t() {}"
            ),
            [2]
        );
        assert_eq!(
            lines_found(
                ignored,
                "src/a.rs",
                "mod tests { #[cfg_attr(unix, ignore)] fn t() {} }"
            ),
            [1]
        );
        assert_eq!(
            lines_found(ignored, "src/a.rs", "/// ```ignore\n/// x\n/// ```\nfn f() {}"),
            [1]
        );
        assert!(
            lines_found(
                ignored,
                "src/a.rs",
                "//! ```\n#[test]\nfn ignore() { ignore(1); }"
            )
            .is_empty()
        );
    }

    #[test]
    fn a_sleep_is_found_in_tests_only() {
        let test = "#[cfg(test)]\nmod tests {\n fn t() { std::thread::sleep(d); }\n}";
        assert_eq!(lines_found(sleeping, "src/a.rs", test), [3]);
        assert_eq!(
            lines_found(
                sleeping,
                "tests/it/a.rs",
                "async fn t() {\n tokio::time::sleep(d).await; }"
            ),
            [2]
        );
        assert!(
            lines_found(
                sleeping,
                "src/a.rs",
                "async fn f() { tokio::time::sleep(d).await; }"
            )
            .is_empty()
        );
        assert!(lines_found(sleeping, "tests/it/a.rs", "fn t() { let sleep = \"sleep(1)\"; }").is_empty());
    }
}
