//! Reads one section of an ini file as Python's `configparser` does with its defaults.
//!
//! Promises the same keys and values, and a refusal wherever it refuses: a line without `=` or `:`, a key or a section that comes twice,
//! anything before the first section. Refuses to keep values of other sections, and `sqlalchemy.url` of any.
//!
//! Source of the facts: Python 3.11, `RawConfigParser._read`.

use std::collections::{BTreeMap, BTreeSet};

use super::interpolation;

/// Its keys count in every section.
const DEFAULT: &str = "DEFAULT";
/// Has passwords in it, and says nothing about scripts.
const SECRET: &str = "sqlalchemy.url";

/// The keys of a section with their raw values.
pub(super) struct Options {
    section: BTreeMap<String, String>,
    defaults: BTreeMap<String, String>,
    /// Without its section a file says nothing, not even in `[DEFAULT]`.
    pub(super) has_section: bool,
}

impl Options {
    /// A value with what it refers to put in.
    pub(super) fn get(&self, name: &str) -> Result<Option<String>, String> {
        match self.raw(name).filter(|_| self.has_section) {
            None => Ok(None),
            Some(raw) => interpolation::interpolated(name, raw, &|name| self.raw(name)).map(Some),
        }
    }

    fn raw(&self, name: &str) -> Option<&str> {
        self.section
            .get(name)
            .or_else(|| self.defaults.get(name))
            .map(String::as_str)
    }
}

/// The section `wanted` of `text`; `here` is a key of every section unless the file says otherwise.
pub(super) fn read(text: &str, here: &str, wanted: &str) -> Result<Options, String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut reader = Reader::new(wanted);
    for (line, number) in text.split('\n').zip(1_usize..) {
        reader
            .line(line)
            .map_err(|what| format!("line {number}: {what}"))?;
    }
    let joined = |values: BTreeMap<String, Vec<&str>>| -> BTreeMap<String, String> {
        values
            .into_iter()
            .map(|(key, lines)| (key, lines.join("\n").trim_end_matches(is_blank).to_owned()))
            .collect()
    };
    let mut defaults = joined(reader.defaults);
    defaults
        .entry("here".to_owned())
        .or_insert_with(|| here.to_owned());
    Ok(Options {
        section: joined(reader.wanted_values),
        defaults,
        has_section: reader.sections.contains(wanted),
    })
}

/// What has been read so far.
struct Reader<'a> {
    wanted: &'a str,
    wanted_values: BTreeMap<String, Vec<&'a str>>,
    defaults: BTreeMap<String, Vec<&'a str>>,
    sections: BTreeSet<&'a str>,
    keys: BTreeSet<(&'a str, String)>,
    section: Option<&'a str>,
    key: Option<String>,
    /// How far the line of the last key or section is indented.
    indent: usize,
}

impl<'a> Reader<'a> {
    fn new(wanted: &'a str) -> Self {
        Self {
            wanted,
            wanted_values: BTreeMap::new(),
            defaults: BTreeMap::new(),
            sections: BTreeSet::new(),
            keys: BTreeSet::new(),
            section: None,
            key: None,
            indent: 0,
        }
    }

    fn line(&mut self, line: &'a str) -> Result<(), &'static str> {
        let value = line.trim_matches(is_blank);
        if value.starts_with(['#', ';']) {
            return Ok(());
        }
        if value.is_empty() {
            // An empty line belongs to a value that goes on behind it.
            self.continued("");
            return Ok(());
        }
        let indent = line.chars().take_while(|letter| is_blank(*letter)).count();
        if self.key.is_some() && indent > self.indent {
            self.continued(value);
            return Ok(());
        }
        self.indent = indent;
        if let Some(header) = header(value) {
            self.key = None;
            self.section = Some(header);
            let is_new = header == DEFAULT || self.sections.insert(header);
            return is_new.then_some(()).ok_or("a section comes twice");
        }
        let section = self.section.ok_or("there is no [section] before it")?;
        let (key, value) = value.split_once(['=', ':']).ok_or("it has neither = nor :")?;
        let key = key.trim_end_matches(is_blank).to_lowercase();
        if key.is_empty() {
            return Err("it has no key");
        }
        if !self.keys.insert((section, key.clone())) {
            return Err("a key comes twice in its section");
        }
        self.key = Some(key.clone());
        if let Some(values) = self.values().filter(|_| key != SECRET) {
            values.insert(key, vec![value.trim_matches(is_blank)]);
        }
        Ok(())
    }

    /// Another line of the last key's value.
    fn continued(&mut self, line: &'a str) {
        let key = self.key.clone();
        if let Some(lines) = key.and_then(|key| self.values()?.get_mut(&key)) {
            lines.push(line);
        }
    }

    /// Where the values of the section go that is being read.
    fn values(&mut self) -> Option<&mut BTreeMap<String, Vec<&'a str>>> {
        match self.section {
            Some(DEFAULT) => Some(&mut self.defaults),
            Some(section) if section == self.wanted => Some(&mut self.wanted_values),
            _ => None,
        }
    }
}

/// `[name]`, with whatever stands behind it.
fn header(line: &str) -> Option<&str> {
    let (name, _) = line.strip_prefix('[')?.rsplit_once(']')?;
    Some(name).filter(|name| !name.is_empty())
}

/// What Python strips from both ends of a line.
fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || ('\x1c'..='\x1f').contains(&letter)
}
