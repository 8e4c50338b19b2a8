//! Shells inside commands: where the script begins that they are given.

use super::options::is_option;
use super::script::Word;
use super::tools::base;

/// The shells of ordinary images.
pub(super) const SHELLS: [&str; 7] = ["sh", "bash", "ash", "dash", "zsh", "ksh", "busybox"];

/// Whether a command of this name takes `-c SCRIPT`.
pub(super) fn is_shell(name: &str) -> bool {
    SHELLS.contains(&name) || matches!(name, "su" | "runuser")
}

/// Of words: where the script of `sh -c SCRIPT` stands, anywhere in a command (`tini -- sh -c ...`, `timeout 60 bash -lc ...`).
/// A word that cannot be known is `None`.
pub(super) fn script_at<'a>(words: impl Iterator<Item = Option<&'a str>>) -> Option<usize> {
    let mut shell = "";
    let mut before = "";
    for (at, word) in words.enumerate() {
        let Some(word) = word.filter(|word| !word.is_empty()) else {
            continue;
        };
        if shell.is_empty() || is_shell(base(word)) {
            shell = Some(base(word)).filter(|name| is_shell(name)).unwrap_or_default();
        } else if is_option(word) {
            if !word.starts_with("--") && word.contains('c') {
                return Some(at + 1);
            }
        } else if SHELLS.contains(&shell) && !before.ends_with('o') {
            shell = ""; // the name of a script, or a word of busybox
        }
        before = word;
    }
    None
}

/// The script that a shell among the words is given.
pub(super) fn nested(words: &[Word], texts: &[Option<String>]) -> Option<String> {
    if texts.first().and_then(Option::as_deref) == Some("eval") {
        let written: Vec<String> = words.iter().skip(1).map(Word::written).collect();
        return Some(written.join(" "));
    }
    let at = script_at(texts.iter().map(Option::as_deref))?;
    Some(words.get(at)?.written())
}

/// Where `cd` with these words goes from `folder`; `None` where that cannot be known.
pub(super) fn went(folder: Option<String>, words: &[Option<String>]) -> Option<String> {
    let mut words = words.iter().skip(1).filter(|word| word.as_deref() != Some("--"));
    let to = words.next()?.as_deref()?;
    if to.is_empty() || to.starts_with(['-', '~']) {
        return None;
    }
    if to.starts_with('/') {
        return Some(to.to_owned());
    }
    let folder = folder?;
    Some(if folder.is_empty() {
        to.to_owned()
    } else {
        format!("{folder}/{to}")
    })
}
