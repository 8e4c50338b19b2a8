//! Reads `Running upgrade A, B -> C, title`.
//!
//! The words are those of Alembic's `runtime/migration.py` (`MigrationStep.__str__`): name, revisions joined by `, `, arrow, revisions,
//! and `, ` with the script's first line where it has one. An upgrade reaches exactly one revision, a stamp has no title; only the
//! downgrade of a merge has both several revisions and a title, and there a title could be taken for a revision.

use crate::model::log::{Step, StepKind};
use crate::model::redact::shorten;
use crate::model::revision::Revision;

use super::text::within_quotes;

const KINDS: &[(&str, StepKind)] = &[
    ("unning upgrade ", StepKind::Upgrade),
    ("unning downgrade ", StepKind::Downgrade),
    ("unning stamp_revision ", StepKind::Stamp),
];

/// The longest title, in characters.
const LONGEST_TITLE: usize = 200;

/// The longest revision that is believed, in bytes; Alembic's own column holds 32.
const LONGEST_REVISION: usize = 128;

/// The most revisions on one side of the arrow that are believed.
const MOST_REVISIONS: usize = 64;

/// The step that `message` announces.
pub(super) fn parse(message: &str) -> Option<Step> {
    KINDS.iter().find_map(|(words, kind)| {
        let (before, after) = message.split_once(words)?;
        let before = before.strip_suffix(['R', 'r'])?;
        // `-- Running upgrade` is a comment in the SQL that offline mode prints.
        if before.ends_with(char::is_alphanumeric) || before.trim_end().ends_with("--") {
            return None;
        }
        parse_revisions(&within_quotes(before, after), *kind)
    })
}

fn parse_revisions(text: &str, kind: StepKind) -> Option<Step> {
    let (from, to) = text.split_once("->")?;
    let from = if from.trim().is_empty() {
        Vec::new()
    } else {
        from.split(',')
            .take(MOST_REVISIONS)
            .map(|word| revision(word.trim()))
            .collect::<Option<_>>()?
    };
    let mut parts = to.trim().split(',').map(str::trim);
    // Behind the revision's first blank stands what a logger adds at the line's end.
    let first = parts
        .next()
        .and_then(|part| part.split_whitespace().next())
        .unwrap_or_default();
    let mut reached = if first.is_empty() {
        Vec::new()
    } else {
        vec![revision(first)?]
    };
    let goes_on = |part: &&str| match kind {
        StepKind::Upgrade => false,
        StepKind::Downgrade => are_alike(first, part),
        StepKind::Stamp => true,
    };
    reached.extend(
        parts
            .take_while(goes_on)
            .take(MOST_REVISIONS)
            .filter_map(revision),
    );
    let title = to
        .trim()
        .splitn(reached.len().max(1) + 1, ',')
        .nth(reached.len().max(1))
        .map(str::trim);
    let title = title.filter(|title| !title.is_empty() && kind != StepKind::Stamp);
    // Shortening adds an ellipsis.
    Some(Step {
        kind,
        from,
        to: reached,
        title: title.map(|title| shorten(title, LONGEST_TITLE - 1)),
    })
}

fn revision(word: &str) -> Option<Revision> {
    let believable = !word.is_empty()
        && word.len() <= LONGEST_REVISION
        && !word.contains(|c: char| {
            c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '<' | '>' | '(' | ')' | ':')
        });
    believable.then(|| Revision(word.to_owned()))
}

/// Whether `word` looks like a revision as `first` is one: Alembic's own are hexadecimal and of one length; hand-made ones at least have
/// a digit and no blank.
fn are_alike(first: &str, word: &str) -> bool {
    let hexadecimal = |word: &str| word.len() >= 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hexadecimal(first) {
        return hexadecimal(word) && word.len() == first.len();
    }
    !first.is_empty() && revision(word).is_some() && word.contains(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::model::log::StepKind;

    /// Kind, from, to and title as one text.
    fn said(message: &str) -> Option<String> {
        let step = parse(message)?;
        let join = |revisions: &[super::Revision]| {
            revisions
                .iter()
                .map(|revision| revision.0.as_str())
                .collect::<Vec<_>>()
                .join("+")
        };
        Some(format!(
            "{:?} {}>{}|{}",
            step.kind,
            join(&step.from),
            join(&step.to),
            step.title.unwrap_or_else(|| "none".into())
        ))
    }

    #[test]
    fn alembics_own_lines_are_read() {
        for (line, expected) in [
            (
                "Running upgrade  -> 7456428295d9, title",
                "Upgrade >7456428295d9|title",
            ),
            (
                "Running upgrade a1, b2 -> c3, merge a, b",
                "Upgrade a1+b2>c3|merge a, b",
            ),
            ("Running upgrade a1 -> b2", "Upgrade a1>b2|none"),
            (
                "INFO  [alembic.runtime.migration] Running upgrade a1 -> b2, 사용자 표",
                "Upgrade a1>b2|사용자 표",
            ),
            ("Running downgrade b2 -> a1, title", "Downgrade b2>a1|title"),
            (
                "Running downgrade b2 -> , first, of all",
                "Downgrade b2>|first, of all",
            ),
            ("Running downgrade b2 ->", "Downgrade b2>|none"),
            ("Running stamp_revision a1 -> b2", "Stamp a1>b2|none"),
            (
                "Running stamp_revision  -> 1234567890ab, 234567890abc",
                "Stamp >1234567890ab+234567890abc|none",
            ),
            (
                "Running upgrade a1 -> b2     migration.py:622",
                "Upgrade a1>b2|none",
            ),
            (
                r#"level=info msg="running upgrade a1 -> b2, t" logger=x"#,
                "Upgrade a1>b2|t",
            ),
        ] {
            assert_eq!(said(line).as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn a_downgraded_merge_gives_both_revisions_and_its_title() {
        let merge = "Running downgrade 1234567890ab -> 234567890abc, 34567890abcd, cafe, beans";
        assert_eq!(
            said(merge).as_deref(),
            Some("Downgrade 1234567890ab>234567890abc+34567890abcd|cafe, beans")
        );
        let by_hand = "Running downgrade 0003_m -> 0001_a, 0002_b, rename";
        assert_eq!(
            said(by_hand).as_deref(),
            Some("Downgrade 0003_m>0001_a+0002_b|rename")
        );
    }

    #[test]
    fn sql_comments_and_other_sentences_are_no_steps() {
        for line in [
            "-- Running upgrade a1 -> b2",
            "Running upgrade from 1.0 -> 2.0",
            "Running upgrade of everything",
            "pruning upgrade a -> b",
            "Running upgrade a -> \"b\"",
        ] {
            assert_eq!(said(line), None, "{line}");
        }
    }

    #[test]
    fn a_title_has_at_most_200_characters() {
        let step = parse(&format!("Running upgrade a1 -> b2, {}", "긴".repeat(500))).unwrap();
        assert_eq!(step.kind, StepKind::Upgrade);
        assert_eq!(step.title.unwrap().chars().count(), 200);
    }
}
