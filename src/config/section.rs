//! Reading one table of the file: each key is taken once, what is wrong with it is noted and its default used, and what nobody took
//! is an unknown key.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Problem;

/// The problems found so far, and the text they lie in.
pub(super) struct Notes<'t> {
    text: &'t str,
    folder: PathBuf,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> Notes<'t> {
    pub(super) fn new(text: &'t str, folder: PathBuf) -> Self {
        Self {
            text,
            folder,
            problems: RefCell::new(Vec::new()),
        }
    }

    /// Notes a problem at a byte offset.
    pub(super) fn add(&self, offset: usize, path: &str, sentence: impl Into<String>) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count().saturating_add(1);
        self.problems.borrow_mut().push(Problem {
            line,
            path: path.to_owned(),
            sentence: sentence.into(),
        });
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort();
        problems
    }
}

/// One table of the file while it is read.
pub(super) struct Section<'a> {
    path: String,
    offset: usize,
    table: &'a DeTable<'a>,
    taken: BTreeSet<String>,
    notes: &'a Notes<'a>,
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

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
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
        match value.as_str() {
            Some(text) => Some(text.to_owned()),
            None => {
                self.expected(key, "a text", value);
                None
            }
        }
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
            .and_then(|number| number.as_str().parse::<u32>().ok());
        match number.filter(|number| bounds.contains(number)) {
            Some(number) => number,
            None => {
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
    }

    /// A duration as people write it; zero is refused.
    pub(super) fn duration(&mut self, key: &str, default: Duration) -> Duration {
        let Some(text) = self.text(key) else {
            return default;
        };
        match humantime::parse_duration(&text) {
            Ok(duration) if !duration.is_zero() => duration,
            Ok(_) => {
                self.wrong(key, "must be longer than zero");
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
            self.expected(key, "a list of texts", value.get_ref());
        }
        texts.unwrap_or_default()
    }

    /// A list of whole numbers within bounds.
    pub(super) fn integers(&mut self, key: &str, bounds: std::ops::RangeInclusive<u16>) -> Vec<u16> {
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        let number = |entry: &Spanned<DeValue<'_>>| {
            let number: u16 = entry.get_ref().as_integer()?.as_str().parse().ok()?;
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

    /// A secret, given as it is (`key`) or by a file (`key_file`).
    pub(super) fn secret(&mut self, key: &str) -> Option<SecretString> {
        let file_key = format!("{key}_file");
        let given = self.text(key);
        let Some(file) = self.text(&file_key) else {
            return given.map(SecretString::from);
        };
        if given.is_some() {
            self.wrong(&file_key, format!("and {key} are both given: leave one out"));
        }
        let path = self.notes.folder.join(&file);
        match std::fs::read_to_string(&path) {
            Ok(text) => Some(SecretString::from(text.trim_end_matches(['\n', '\r']).to_owned())),
            Err(error) => {
                self.wrong(&file_key, format!("cannot read {}: {error}", path.display()));
                None
            }
        }
    }

    /// Any value as JSON, to compare foreign JSON with.
    pub(super) fn json(&mut self, key: &str) -> Option<serde_json::Value> {
        let value = self.take(key)?.get_ref();
        let json = match value {
            DeValue::String(text) => Some(serde_json::Value::from(text.as_ref())),
            DeValue::Boolean(boolean) => Some(serde_json::Value::from(*boolean)),
            DeValue::Integer(number) => serde_json::from_str(number.as_str()).ok(),
            DeValue::Float(number) => serde_json::from_str(number.as_str()).ok(),
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
        match value.get_ref().as_table() {
            Some(table) => Some(self.below(key, value.span().start, table)),
            None => {
                self.expected(key, "a table", value.get_ref());
                None
            }
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
    pub(super) fn text_entries(mut self) -> Vec<(String, String)> {
        let keys: Vec<String> = self.table.keys().map(|key| key.get_ref().to_string()).collect();
        keys.into_iter()
            .filter_map(|key| self.text(&key).map(|text| (key, text)))
            .collect()
    }

    /// Whatever was not taken is unknown.
    pub(super) fn finish(self) {
        for (key, value) in self.table.iter() {
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
