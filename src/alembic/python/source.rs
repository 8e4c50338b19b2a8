//! Bytes of a Python file to text, and what to say of text that is no Python.
//!
//! Promises to read what Python reads as UTF-8, and sentences that tell people what to do. Refuses other encodings.

use std::borrow::Cow;

use crate::alembic::LONGEST_SCRIPT;

/// A file's text.
pub(super) type Text<'s> = Cow<'s, str>;

/// The text of a file: UTF-8. A byte order mark stays: the parser skips it.
pub(super) fn decode(source: &[u8]) -> Result<Text<'_>, String> {
    if source.len() > LONGEST_SCRIPT {
        return Err(format!("longer than {} MiB", LONGEST_SCRIPT >> 20));
    }
    if source.starts_with(b"\xff\xfe") || source.starts_with(b"\xfe\xff") {
        return Err("line 1: UTF-16, only UTF-8 is read".to_owned());
    }
    if let Some(place) = source.iter().position(|byte| *byte == 0) {
        return Err(format!(
            "line {}: a NUL byte, which Python refuses",
            line_of(source, place)
        ));
    }
    let declared = declared(source).filter(|(_, name)| !is_utf8(name));
    if let Some((line, name)) = declared.filter(|_| !source.is_ascii()) {
        return Err(format!(
            "line {line}: the encoding `{name}` is declared, only UTF-8 is read"
        ));
    }
    let text = std::str::from_utf8(source).map_err(|error| {
        let line = line_of(source, error.valid_up_to());
        format!("line {line}: not UTF-8, and no encoding is declared")
    })?;
    // The old end of line: Python takes it, and everything that counts lines is spared of it.
    Ok(if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    })
}

fn line_of(source: &[u8], place: usize) -> usize {
    let before = source.get(..place).unwrap_or_default();
    before.split(|byte| *byte == b'\n').count()
}

/// The encoding that one of the first two lines declares in a comment (PEP 263), with its line.
fn declared(source: &[u8]) -> Option<(usize, String)> {
    let lines = (1..).zip(source.split(|byte| *byte == b'\n').take(2));
    lines
        .filter(|(_, line)| line.trim_ascii_start().starts_with(b"#"))
        .find_map(|(number, line)| {
            let line = String::from_utf8_lossy(line);
            let (_, after) = line.split_once("coding")?;
            let name = after.strip_prefix([':', '='])?.trim_start();
            let name: String = name
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
                .collect();
            (!name.is_empty()).then_some((number, name))
        })
}

fn is_utf8(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    matches!(
        plain.to_ascii_lowercase().as_str(),
        "utf8" | "utf8sig" | "ascii" | "usascii"
    )
}

/// The sentence on text that the parser refuses at this line, for the reason that it gives.
pub(super) fn complaint(text: &str, line: u32, reason: &str) -> String {
    if let Some(line) = conflict(text) {
        return format!("line {line}: the mark of a merge conflict that nobody resolved");
    }
    let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let written = text.lines().nth(index).unwrap_or_default().trim();
    if is_python_2(written) {
        return format!("line {line}: Python 2, which Alembic no longer runs");
    }
    format!("line {line}: no Python: {reason}")
}

/// The line of the first mark, if a second one follows: a lone row of signs may be a heading in a text.
fn conflict(text: &str) -> Option<usize> {
    let mut marks = (1..).zip(text.lines()).filter(|(_, line)| {
        let is_mark = |sign: &str| {
            line.strip_prefix(sign)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        ["<<<<<<<", ">>>>>>>", "======="].iter().any(|sign| is_mark(sign))
    });
    let (line, _) = marks.next()?;
    marks.next().map(|_| line)
}

/// Statements that only Python 2 has.
fn is_python_2(line: &str) -> bool {
    let follows = |word: &str| {
        let rest = line.strip_prefix(word)?;
        let rest = rest.strip_prefix(' ')?.trim_start();
        (!rest.is_empty() && !rest.starts_with(['(', '=', '.', ':', ','])).then_some(rest)
    };
    follows("print").is_some()
        || follows("exec").is_some()
        || follows("raise")
            .is_some_and(|rest| rest.split_once(", ").is_some_and(|(what, _)| !what.contains('(')))
        || ["ur\"", "ur'", "<>", "`"].iter().any(|old| line.contains(old))
}
