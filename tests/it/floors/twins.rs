//! That every scenario runs on both engines: what is tested on the real one is played too, by the same name, so that nobody has to keep
//! a list. Refuses to compare what the two tests do.

use std::collections::BTreeSet;

use super::Violation;
use super::source::Source;

/// The names of all tests in these files.
pub(super) fn names(sources: &[Source]) -> BTreeSet<String> {
    let tests = sources.iter().flat_map(tests);
    tests.map(|(name, _)| name).collect()
}

/// Tests of the real engine that nobody plays.
pub(super) fn missing(real: &Source, played: &BTreeSet<String>) -> Vec<Violation> {
    let alone = tests(real).into_iter().filter(|(name, _)| !played.contains(name));
    alone
        .map(|(name, line)| {
            let what = format!(
                "`{name}` runs on the real engine only: play it through the whole product, by the same name, in tests/it/played_product"
            );
            Violation::new(real, line, what)
        })
        .collect()
}

/// Each test function with its line.
fn tests(source: &Source) -> Vec<(String, usize)> {
    let functions = source.syntax().items.into_iter().filter_map(|item| match item {
        syn::Item::Fn(function) => Some(function),
        _ => None,
    });
    let is_test = |attribute: &syn::Attribute| {
        let last = attribute.path().segments.last();
        last.is_some_and(|last| last.ident == "test")
    };
    functions
        .filter(|function| function.attrs.iter().any(is_test))
        .map(|function| {
            let name = function.sig.ident;
            (name.to_string(), name.span().start().line)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_without_a_twin_is_found_and_a_helper_is_none() {
        let real = Source::planted(
            "tests/it/e2e/a.rs",
            "#[tokio::test]\nasync fn it_is_heard() {}\n#[tokio::test]\nasync fn it_is_quiet() {}\nasync fn helper() {}",
        );
        let played = Source::planted("tests/it/played_product/a.rs", "#[test]\nfn it_is_heard() {}");
        let found = missing(&real, &names(&[played]));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].line, 4);
    }
}
