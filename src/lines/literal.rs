//! The literals without which a regular expression cannot match.
//!
//! They are what whole chunks are searched for, so that a pattern costs nothing on lines that cannot match.

use regex_syntax::hir::{Hir, HirKind};

/// The shortest literal that is worth a search.
pub(super) const SHORTEST: usize = 4;

/// The most alternatives of one pattern.
const MOST: usize = 16;

/// Literals of which each match of `hir` contains at least one; `None` if there are no such of [`SHORTEST`] bytes or more.
pub(super) fn required(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Literal(literal) => (literal.0.len() >= SHORTEST).then(|| vec![literal.0.to_vec()]),
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
        HirKind::Concat(parts) => parts
            .iter()
            .filter_map(required)
            .max_by_key(|literals| shortest(literals)),
        HirKind::Alternation(branches) => {
            let all: Option<Vec<_>> = branches.iter().map(required).collect();
            all.map(|all| all.concat())
                .filter(|literals| literals.len() <= MOST)
        }
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

fn shortest(literals: &[Vec<u8>]) -> usize {
    literals.iter().map(Vec::len).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::required;

    fn literals(pattern: &str) -> Option<Vec<String>> {
        let hir = regex_syntax::parse(pattern).unwrap();
        let found = required(&hir)?;
        Some(
            found
                .into_iter()
                .map(|literal| String::from_utf8(literal).unwrap())
                .collect(),
        )
    }

    #[test]
    fn the_longest_required_literal_is_found() {
        assert_eq!(
            literals("^db: migrating schema$"),
            Some(vec!["db: migrating schema".into()])
        );
        assert_eq!(
            literals(r"step \d+ of the upgrade"),
            Some(vec![" of the upgrade".into()])
        );
        assert_eq!(
            literals("(?:bring-up|tear-down) of"),
            Some(vec!["bring-up".into(), "tear-down".into()])
        );
        assert_eq!(literals("(flyway)+"), Some(vec!["flyway".into()]));
    }

    #[test]
    fn what_may_be_absent_is_no_literal() {
        for pattern in [
            "(?i)migrate",
            "(?:flyway)?",
            ".*",
            "abc",
            "(?:flyway|.*)",
            r"\d{4}",
        ] {
            assert_eq!(literals(pattern), None, "{pattern}");
        }
    }
}
