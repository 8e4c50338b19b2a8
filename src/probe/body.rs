//! Whether a body says what was expected. Pure.
//!
//! Promises an answer for any bytes. Refuses to know where they came from.

use regex::Regex;
use serde_json::Value;

use super::target::JsonExpectation;
use crate::model::redact::{redact, shorten};

/// The most of a body that is read and looked at, in bytes: a health answer is far smaller, and an endless one is cut here.
pub(super) const LIMIT: usize = 64 * 1024;

/// The most of a found value that is quoted, in characters.
const QUOTED: usize = 80;

/// What of a body was read.
#[derive(Default)]
pub(super) struct Body {
    /// At most [`LIMIT`] bytes.
    pub(super) bytes: Vec<u8>,
    /// There was more.
    pub(super) cut: bool,
}

impl Body {
    /// Takes `more` in; `false` once enough is there.
    pub(super) fn take(&mut self, more: &[u8]) -> bool {
        let room = LIMIT.saturating_sub(self.bytes.len());
        let (kept, over) = more.split_at(more.len().min(room));
        self.bytes.extend_from_slice(kept);
        self.cut |= !over.is_empty();
        !self.cut
    }

    /// `the body`, or how much of it was looked at.
    fn named(&self) -> String {
        if self.cut {
            format!("the first {} KiB of the body", LIMIT / 1024)
        } else {
            "the body".to_owned()
        }
    }

    /// Checks `pattern`; the error completes the sentence `http://... answered 200, but ...`. Bytes that are no UTF-8 are
    /// looked at as U+FFFD.
    pub(super) fn matches(&self, pattern: &Regex) -> Result<(), String> {
        if pattern.is_match(&String::from_utf8_lossy(&self.bytes)) {
            return Ok(());
        }
        Err(format!(
            "{} does not match {}",
            self.named(),
            shorten(pattern.as_str(), QUOTED)
        ))
    }

    /// Checks `expected`; the error as in [`matches`](Self::matches).
    pub(super) fn holds(&self, expected: &JsonExpectation) -> Result<(), String> {
        let JsonExpectation { pointer, equals } = expected;
        let parsed: Value = serde_json::from_slice(&self.bytes)
            .map_err(|error| format!("{} is no JSON ({error})", self.named()))?;
        match parsed.pointer(pointer) {
            Some(found) if found == equals => Ok(()),
            Some(found) => Err(format!(
                "{pointer} is {}, expected {}",
                quoted(found),
                quoted(equals)
            )),
            None => Err(format!(
                "{} has nothing at {pointer}, expected {}",
                self.named(),
                quoted(equals)
            )),
        }
    }
}

fn quoted(value: &Value) -> String {
    shorten(&redact(&value.to_string()), QUOTED)
}

#[cfg(test)]
mod tests {
    use regex::Regex;
    use serde_json::json;

    use super::{Body, LIMIT};
    use crate::probe::target::JsonExpectation;

    fn body(bytes: &[u8]) -> Body {
        let mut body = Body::default();
        body.take(bytes);
        body
    }

    fn status_is_healthy(bytes: &[u8]) -> Result<(), String> {
        body(bytes).holds(&JsonExpectation {
            pointer: "/status".to_owned(),
            equals: json!("healthy"),
        })
    }

    #[test]
    fn a_body_is_cut_at_its_limit_and_the_sentence_says_so() {
        let mut endless = Body::default();
        assert!(endless.take(&vec![b'a'; LIMIT]));
        assert!(!endless.take(b"healthy"));
        assert_eq!(endless.bytes.len(), LIMIT);
        assert_eq!(
            endless.matches(&Regex::new("healthy").unwrap()),
            Err("the first 64 KiB of the body does not match healthy".to_owned())
        );
    }

    #[test]
    fn a_json_body_is_judged_by_what_the_pointer_finds() {
        assert_eq!(status_is_healthy(br#"{"status":"healthy","db":true}"#), Ok(()));
        for (bytes, sentence) in [
            (
                &br#"{"status":"degraded"}"#[..],
                r#"/status is "degraded", expected "healthy""#,
            ),
            (
                br#"{"state":"healthy"}"#,
                r#"the body has nothing at /status, expected "healthy""#,
            ),
            (
                b"",
                "the body is no JSON (EOF while parsing a value at line 1 column 0)",
            ),
            (
                b"\xff\xfe",
                "the body is no JSON (expected value at line 1 column 1)",
            ),
        ] {
            assert_eq!(status_is_healthy(bytes), Err(sentence.to_owned()));
        }
    }

    #[test]
    fn a_deeply_nested_body_is_an_answer_not_a_crash() {
        assert!(status_is_healthy(&vec![b'['; LIMIT]).is_err());
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_matched_all_the_same() {
        let pattern = Regex::new("status: \u{fffd}+ok").unwrap();
        assert_eq!(body(b"status: \xff\xfeok").matches(&pattern), Ok(()));
    }
}
