//! `[ ... ]`, `[[ ... ]]` and `test` in three values.
//!
//! Promises the shell's own comparison: `= true` is met by `true` alone, not by `1` or `TRUE`. Refuses to look at files.

use regex::RegexBuilder;

use super::answer::Tri;
use super::script::Word;
use super::walk::Walk;

/// Commands that do nothing of interest under a condition.
pub(super) const HARMLESS: [&str; 11] = [
    "echo", "printf", "export", "set", "exit", "return", "sleep", "cd", "true", ":", "test",
];

/// A regex in a start command is short; what compiles to more than this is not looked at.
const REGEX_BYTES: usize = 1 << 16;
/// Longer tests are not read.
const MOST_WORDS: usize = 64;

/// The words behind `[`, `[[` or `test`.
pub(super) fn test(walk: &mut Walk<'_>, words: &[Word]) -> Tri {
    if words.len() > MOST_WORDS {
        return Tri::Perhaps;
    }
    let closed = words
        .split_last()
        .filter(|(last, _)| matches!(last.written().as_str(), "]" | "]]"));
    expression(walk, closed.map_or(words, |(_, inside)| inside))
}

fn expression(walk: &mut Walk<'_>, words: &[Word]) -> Tri {
    for (joint, either) in [("-o", true), ("-a", false)] {
        if let Some(at) = words.iter().position(|word| word.keyword() == Some(joint)) {
            let (left, right) = words.split_at(at);
            let left = expression(walk, left);
            let right = expression(walk, right.get(1..).unwrap_or_default());
            return if either { left.or(right) } else { left.and(right) };
        }
    }
    match words {
        [not, rest @ ..] if not.keyword() == Some("!") => expression(walk, rest).not(),
        [word] => known(walk.expand(word), |text| Tri::of(!text.is_empty())),
        [operator, word] => unary(walk, &operator.written(), word),
        [left, operator, right] => {
            let (left, right) = (walk.expand(left), walk.expand(right));
            match (left, right) {
                (Some(left), Some(right)) => binary(&left, &operator.written(), &right),
                _ => Tri::Perhaps,
            }
        }
        _ => Tri::Perhaps,
    }
}

fn known(text: Option<String>, judge: impl Fn(&str) -> Tri) -> Tri {
    text.map_or(Tri::Perhaps, |text| judge(&text))
}

fn unary(walk: &mut Walk<'_>, operator: &str, word: &Word) -> Tri {
    match operator {
        "-n" => known(walk.expand(word), |text| Tri::of(!text.is_empty())),
        "-z" => known(walk.expand(word), |text| Tri::of(text.is_empty())),
        _ => Tri::Perhaps,
    }
}

fn binary(left: &str, operator: &str, right: &str) -> Tri {
    match operator {
        "=" | "==" => like(left, right),
        "!=" => like(left, right).not(),
        "=~" => {
            let regex = RegexBuilder::new(right).size_limit(REGEX_BYTES).build();
            regex.map_or(Tri::Perhaps, |regex| Tri::of(regex.is_match(left)))
        }
        "-eq" => Tri::of(left == right),
        "-ne" => Tri::of(left != right),
        _ => Tri::Perhaps,
    }
}

/// Whether `text` is like the shell pattern: literal, `*`, `?` and `[xy]`.
pub(super) fn like(text: &str, pattern: &str) -> Tri {
    if !pattern.contains(['*', '?', '[']) {
        return Tri::of(text == pattern);
    }
    let mut regex = String::from("^(?s)");
    for character in pattern.chars() {
        match character {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' | ']' | '-' => regex.push(character),
            other => regex.push_str(&regex::escape(&other.to_string())),
        }
    }
    regex.push('$');
    let regex = RegexBuilder::new(&regex).size_limit(REGEX_BYTES).build();
    regex.map_or(Tri::Perhaps, |regex| Tri::of(regex.is_match(text)))
}
