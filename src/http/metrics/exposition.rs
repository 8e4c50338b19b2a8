//! Gathers samples by metric and labels, and writes them down in the order of [`NAMES`](super::NAMES).
//!
//! Promises that a series is written once, whatever was added, and that any text can be a label's value.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::NAMES;
use crate::model::service::ServiceId;

/// Samples so far: by name, then by labels as written.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    samples: BTreeMap<&'static str, BTreeMap<String, f64>>,
}

impl Exposition {
    /// Sets a sample; the last one holds.
    pub(super) fn set(&mut self, name: &'static str, labels: &[(&str, &str)], value: f64) {
        debug_assert!(
            NAMES.iter().any(|(known, ..)| *known == name),
            "{name} is in no list"
        );
        self.samples
            .entry(name)
            .or_default()
            .insert(written(labels), value);
    }

    /// Adds to a sample that counts things; begins at 0.
    pub(super) fn add(&mut self, name: &'static str, labels: &[(&str, &str)], value: f64) {
        debug_assert!(
            NAMES.iter().any(|(known, ..)| *known == name),
            "{name} is in no list"
        );
        *self
            .samples
            .entry(name)
            .or_default()
            .entry(written(labels))
            .or_default() += value;
    }

    /// As [`Self::set`], for a service.
    pub(super) fn set_of(
        &mut self,
        service: &ServiceId,
        name: &'static str,
        labels: &[(&str, &str)],
        value: f64,
    ) {
        self.set(name, &with_service(service, labels), value);
    }

    /// As [`Self::add`], for a service.
    pub(super) fn add_of(
        &mut self,
        service: &ServiceId,
        name: &'static str,
        labels: &[(&str, &str)],
        value: f64,
    ) {
        self.add(name, &with_service(service, labels), value);
    }

    /// Format 0.0.4.
    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        for (name, kind, help) in NAMES {
            let Some(series) = self.samples.get(name) else {
                continue;
            };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {}", kind.as_str());
            for (labels, value) in series {
                let _ = writeln!(text, "{name}{labels} {value}");
            }
        }
        text
    }
}

fn with_service<'a>(service: &'a ServiceId, labels: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![
        ("project", service.project.as_str()),
        ("service", service.service.as_str()),
    ];
    all.extend_from_slice(labels);
    all
}

/// `{a="b",c="d"}`, or nothing. Label names are ours; values are anybody's.
fn written(labels: &[(&str, &str)]) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let mut text = String::from("{");
    for (index, (name, value)) in labels.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(name);
        text.push_str("=\"");
        for character in value.chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                other => text.push(other),
            }
        }
        text.push('"');
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::Exposition;

    #[test]
    fn any_text_can_be_a_labels_value() {
        let mut exposition = Exposition::default();
        exposition.set("migwatch_docker_up", &[("endpoint", "a\"b\\c\nd\re 한글")], 1.0);
        let text = exposition.to_text();
        assert!(
            text.ends_with("migwatch_docker_up{endpoint=\"a\\\"b\\\\c\\nd\re 한글\"} 1\n"),
            "{text}"
        );
    }

    #[test]
    fn a_series_is_written_once_and_counts_add_up() {
        let mut exposition = Exposition::default();
        exposition.add("migwatch_containers", &[("state", "running")], 1.0);
        exposition.add("migwatch_containers", &[("state", "running")], 1.0);
        assert_eq!(
            exposition
                .to_text()
                .matches("migwatch_containers{state=\"running\"} 2")
                .count(),
            1
        );
    }
}
