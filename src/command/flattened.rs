//! An argv that was joined by blanks, taken apart again as well as it can be.
//!
//! Only the outer quotes are lost: the script of `sh -c SCRIPT` is whole, for it is one of the joined words.

use super::shells::script_at;

/// Longer texts are no command that anybody typed.
const LONGEST: usize = 64 * 1024;

/// The words of `text`; `None` if it is too long to be looked at.
pub(super) fn argv(text: &str) -> Option<Vec<String>> {
    if text.len() > LONGEST {
        return None;
    }
    let words: Vec<&str> = text.split(' ').collect();
    let script = script_at(words.iter().copied().map(Some)).filter(|at| *at < words.len());
    let (plain, script) = words.split_at(script.unwrap_or(words.len()));
    let mut argv: Vec<String> = plain
        .iter()
        .flat_map(|word| word.split_whitespace())
        .map(str::to_owned)
        .collect();
    if !script.is_empty() {
        argv.push(script.join(" "));
    }
    Some(argv)
}
