//! Reading one table of the file: each key is taken once, what is wrong with it is noted and its default used, and what nobody took
//! is an unknown key.

use std::collections::BTreeSet;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::notes::Notes;

/// Shorter than this is a slip that would keep the machine busy.
const SHORTEST: Duration = Duration::from_millis(10);

/// Longer than this is a slip too, and sums of times stay within what clocks can hold.
const LONGEST: Duration = Duration::from_hours(8760);

/// One table of the file while it is read.
pub(super) struct Section<'a> {
    path: String,
    offset: usize,
    table: &'a DeTable<'a>,
    taken: BTreeSet<String>,
    pub(super) notes: &'a Notes<'a>,
}

impl<'a> Section<'a> {
    pub(super) fn root(table: &'a DeTable<'a>, notes: &'a Notes<'a>) -> Self {
        Self {
            path: String::new(),
            offset: 0,
            table,
            taken: BTreeSet::new(),
            notes,
        }
    }

    fn below(&self, key: &str, offset: usize, table: &'a DeTable<'a>) -> Self {
        Self {
            path: self.path_of(key),
            offset,
            table,
            taken: BTreeSet::new(),
            notes: self.notes,
        }
    }

    /// The key's path as TOML would write it.
    fn path_of(&self, key: &str) -> String {
        let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let key = if !key.is_empty() && key.chars().all(is_bare) {
            key.to_owned()
        } else {
            format!("{key:?}")
        };
        if self.path.is_empty() {
            key
        } else {
            format!("{}.{key}", self.path)
        }
    }

    fn take(&mut self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.taken.insert(key.to_owned());
        self.table.get(key)
    }

    /// Notes a problem of a key.
    pub(super) fn wrong(&self, key: &str, sentence: impl Into<String>) {
        let offset = self
            .table
            .get(key)
            .map_or(self.offset, |value| value.span().start);
        self.notes.add(offset, &self.path_of(key), sentence);
    }

    /// Whether the key is given.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.get(key).is_some()
    }

    fn expected(&self, key: &str, what: &str, value: &DeValue<'_>) {
        self.wrong(key, format!("must be {what}, not {}", kind(value)));
    }

    /// A text.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let value = self.take(key)?.get_ref();
        if let Some(text) = value.as_str() {
            Some(text.to_owned())
        } else {
            self.expected(key, "a text", value);
            None
        }
    }

    /// A text; an empty one counts as left out.
    pub(super) fn given(&mut self, key: &str) -> Option<String> {
        self.text(key).filter(|text| !text.is_empty())
    }

    /// A text that may not be left out; `why` says what it is for.
    pub(super) fn needed(&mut self, key: &str, why: &str) -> Option<String> {
        let said = self.notes.count();
        let text = self.given(key);
        if text.is_none() && self.notes.count() == said {
            self.wrong(key, format!("is needed: {why}"));
        }
        text
    }

    /// A boolean.
    pub(super) fn boolean(&mut self, key: &str, default: bool) -> bool {
        self.optional_boolean(key).unwrap_or(default)
    }

    /// A boolean that may be left out.
    pub(super) fn optional_boolean(&mut self, key: &str) -> Option<bool> {
        let value = self.take(key)?.get_ref();
        if value.as_bool().is_none() {
            self.expected(key, "true or false", value);
        }
        value.as_bool()
    }

    /// A whole number within bounds.
    pub(super) fn integer(&mut self, key: &str, default: u32, bounds: std::ops::RangeInclusive<u32>) -> u32 {
        let Some(value) = self.take(key) else {
            return default;
        };
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|number| u32::from_str_radix(number.as_str(), number.radix()).ok());
        if let Some(number) = number.filter(|number| bounds.contains(number)) {
            number
        } else {
            self.wrong(
                key,
                format!(
                    "must be a whole number from {} to {}",
                    bounds.start(),
                    bounds.end()
                ),
            );
            default
        }
    }

    /// A duration as people write it.
    pub(super) fn duration(&mut self, key: &str, default: Duration) -> Duration {
        let Some(text) = self.text(key) else {
            return default;
        };
        match humantime::parse_duration(&text) {
            Ok(duration) if (SHORTEST..=LONGEST).contains(&duration) => duration,
            Ok(_) => {
                self.wrong(key, "must be from 10ms to 365days");
                default
            }
            Err(_) => {
                self.wrong(
                    key,
                    format!("{text:?} is no duration: write it as 500ms, 15s, 2m or 1h 30m"),
                );
                default
            }
        }
    }

    /// One of a closed set of words.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let chosen = words
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, chosen)| *chosen);
        if chosen.is_none() {
            let list: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
            self.wrong(key, format!("must be one of {}, not {text:?}", list.join(", ")));
        }
        chosen
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        let list = value.get_ref().as_array();
        let texts: Option<Vec<String>> = list.and_then(|list| {
            list.iter()
                .map(|entry| entry.get_ref().as_str().map(str::to_owned))
                .collect()
        });
        if texts.is_none() {
            self.wrong(key, "must be a list of texts");
        }
        texts.unwrap_or_default()
    }

    /// A list of whole numbers within bounds.
    pub(super) fn integers(&mut self, key: &str, bounds: std::ops::RangeInclusive<u16>) -> Vec<u16> {
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        let number = |entry: &Spanned<DeValue<'_>>| {
            let number = entry.get_ref().as_integer()?;
            let number = u16::from_str_radix(number.as_str(), number.radix()).ok()?;
            bounds.contains(&number).then_some(number)
        };
        let list = value
            .get_ref()
            .as_array()
            .and_then(|list| list.iter().map(number).collect());
        list.unwrap_or_else(|| {
            self.wrong(
                key,
                format!(
                    "must be a list of numbers from {} to {}",
                    bounds.start(),
                    bounds.end()
                ),
            );
            Vec::new()
        })
    }

    /// Any value as JSON, to compare foreign JSON with.
    pub(super) fn json(&mut self, key: &str) -> Option<serde_json::Value> {
        let value = self.take(key)?.get_ref();
        let json = match value {
            DeValue::String(text) => Some(serde_json::Value::from(text.as_ref())),
            DeValue::Boolean(boolean) => Some(serde_json::Value::from(*boolean)),
            DeValue::Integer(number) => whole(number).map(serde_json::Value::from),
            DeValue::Float(number) => number.as_str().parse().ok().and_then(finite),
            _ => None,
        };
        if json.is_none() {
            self.expected(key, "a text, a number, true or false", value);
        }
        json
    }

    /// A table below this one.
    pub(super) fn section(&mut self, key: &str) -> Option<Section<'a>> {
        let value = self.take(key)?;
        if let Some(table) = value.get_ref().as_table() {
            Some(self.below(key, value.span().start, table))
        } else {
            self.expected(key, "a table", value.get_ref());
            None
        }
    }

    /// The tables of `[key.NAME]`, with their names.
    pub(super) fn named(&mut self, key: &str) -> Vec<(String, Section<'a>)> {
        let Some(mut parent) = self.section(key) else {
            return Vec::new();
        };
        let names: Vec<String> = parent
            .table
            .keys()
            .map(|name| name.get_ref().to_string())
            .collect();
        names
            .into_iter()
            .filter_map(|name| parent.section(&name).map(|section| (name, section)))
            .collect()
    }

    /// Everything as texts: for headers.
    pub(super) fn text_entries(&mut self) -> Vec<(String, String)> {
        let keys: Vec<String> = self.table.keys().map(|key| key.get_ref().to_string()).collect();
        keys.into_iter()
            .filter_map(|key| self.text(&key).map(|text| (key, text)))
            .collect()
    }

    /// Whatever was not taken is unknown.
    pub(super) fn finish(self) {
        for (key, value) in self.table {
            let name = key.get_ref().as_ref();
            if !self.taken.contains(name) {
                let mut known: Vec<&str> = self.taken.iter().map(String::as_str).collect();
                known.sort_unstable();
                let sentence = format!("is not known here; known are {}", known.join(", "));
                self.notes.add(
                    key.span().start.min(value.span().start),
                    &self.path_of(name),
                    sentence,
                );
            }
        }
    }
}

fn whole(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// JSON has no infinity.
fn finite(number: f64) -> Option<serde_json::Value> {
    serde_json::Number::from_f64(number).map(serde_json::Value::Number)
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
