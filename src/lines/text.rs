//! Takes a message out of what loggers wrap around it: colours, JSON, quotation marks.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

/// Under which names JSON loggers write their message, then their exception.
const FIELDS: &[&str] = &[
    "message",
    "msg",
    "event",
    "log",
    "text",
    "exc_info",
    "exc_text",
    "exception",
    "traceback",
    "stack_trace",
    "stack",
    "error",
    "err",
];

/// How deep messages are looked for in JSON inside JSON.
const DEEPEST: u8 = 3;

static COLOURS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("\x1b\\[[0-9;:?]*[A-Za-z]").expect("a pattern of our own"));

static REQUEST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"["'](?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) [^ ]| HTTP/[0-9]"#)
        .expect("a pattern of our own")
});

/// `line` without colour codes.
pub(super) fn without_colours(line: &str) -> Cow<'_, str> {
    if line.contains('\x1b') {
        COLOURS.replace_all(line, "")
    } else {
        Cow::Borrowed(line)
    }
}

/// The messages of a line: those in its fields if it is JSON, else itself.
pub(super) fn messages(line: &str) -> Vec<Cow<'_, str>> {
    if line.trim_start().starts_with('{') {
        if let Ok(object) = serde_json::from_str::<Map<String, Value>>(line) {
            let mut found = Vec::new();
            collect(&object, DEEPEST, &mut found);
            return found.into_iter().map(Cow::Owned).collect();
        }
        if line.contains("\\u") || line.contains("\\\"") || line.contains("\\n") {
            return vec![Cow::Owned(unescape(line))];
        }
    }
    vec![Cow::Borrowed(line)]
}

fn collect(object: &Map<String, Value>, depth: u8, found: &mut Vec<String>) {
    for field in FIELDS {
        match object.get(*field) {
            Some(Value::String(text)) => found.push(text.clone()),
            Some(Value::Object(inner)) if depth > 0 => collect(inner, depth - 1, found),
            Some(Value::Array(items)) => {
                found.extend(items.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            _ => {}
        }
    }
}

/// `text` with its backslash escapes (JSON's and Python's) undone.
pub(super) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, escaped)) = rest.split_once('\\') {
        plain.push_str(before);
        let mut characters = escaped.chars();
        match characters.next() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some('u') => {
                let code = escaped
                    .get(1..5)
                    .and_then(|digits| u32::from_str_radix(digits, 16).ok());
                if let Some(character) = code.and_then(char::from_u32) {
                    plain.push(character);
                    rest = escaped.get(5..).unwrap_or_default();
                    continue;
                }
                plain.push_str("\\u");
            }
            Some(other) => plain.push(other),
            None => plain.push('\\'),
        }
        rest = characters.as_str();
    }
    plain.push_str(rest);
    plain
}

/// Whether `message` is about an HTTP request, and so quotes what somebody asked for.
pub(super) fn quotes_a_request(message: &str) -> bool {
    REQUEST.is_match(message)
}

/// `text` up to the quotation mark that closes the one before it, if there is one, and at most to the end of its line.
pub(super) fn within_quotes<'a>(before: &str, text: &'a str) -> Cow<'a, str> {
    let text = text.split(['\n', '\r']).next().unwrap_or_default();
    let Some(quote) = before
        .chars()
        .next_back()
        .filter(|last| matches!(last, '"' | '\'' | '`'))
    else {
        return Cow::Borrowed(text);
    };
    let mut escaped = false;
    let end = text.char_indices().find_map(|(index, character)| {
        let closes = character == quote && !escaped;
        escaped = character == '\\' && !escaped;
        closes.then_some(index)
    });
    match end.and_then(|end| text.get(..end)) {
        Some(inside) if inside.contains('\\') => Cow::Owned(unescape(inside)),
        Some(inside) => Cow::Borrowed(inside),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::{messages, quotes_a_request, unescape, within_quotes, without_colours};

    #[test]
    fn colours_disappear() {
        assert_eq!(without_colours("\x1b[1;32mINFO\x1b[0m  up"), "INFO  up");
    }

    #[test]
    fn only_the_message_and_the_exception_of_json_are_looked_at() {
        let line =
            r#"{"request":"Running","level":"info","exc_info":"E\nF","message":"a -\u003e b, \"quoted\""}"#;
        assert_eq!(messages(line), ["a -> b, \"quoted\"", "E\nF"]);
        assert_eq!(messages(r#"{"log":{"message":"inner"}}"#), ["inner"]);
        assert_eq!(messages("{not json"), ["{not json"]);
        assert_eq!(
            messages(r#"{"message": "cut \"off\" \ub9c8"#),
            ["{\"message\": \"cut \"off\" 마"]
        );
    }

    #[test]
    fn escapes_are_undone_and_broken_ones_kept() {
        assert_eq!(unescape(r#"a\'b\\c\"d\n"#), "a'b\\c\"d\n");
        assert_eq!(unescape(r"\uZZZZ \ud800 \u12"), r"\uZZZZ \ud800 \u12");
        assert_eq!(unescape("end\\"), "end\\");
    }

    #[test]
    fn requests_are_told_from_messages() {
        assert!(quotes_a_request(
            r#"10.0.0.1 - - "GET /?q=Running%20migrations HTTP/1.1" 200"#
        ));
        assert!(!quotes_a_request("Running migrations"));
    }

    #[test]
    fn a_quoted_message_ends_at_its_quotation_mark() {
        assert_eq!(
            within_quotes("level=info msg=\"", r#"a \"b\" c" logger=x"#),
            "a \"b\" c"
        );
        assert_eq!(within_quotes("INFO ", "a\" b"), "a\" b");
        assert_eq!(within_quotes("msg=\"", "never closed"), "never closed");
    }
}
