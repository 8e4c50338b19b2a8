//! The guides say what is: both languages the same, the snippets the shipped files, the tables what the code has, no link into nothing.
//! Refuses to judge the prose.

mod guide;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use guide::Guide;
use migwatch::config::Config;
use migwatch::http::{Build, metrics};
use migwatch::model::alert::AlertName;
use migwatch::model::probe::FailureReason;

use crate::support::sample_status;

/// The guide in English and in Korean.
const GUIDES: [&str; 2] = ["README.md", "README.ko.md"];

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn guides() -> [Guide; 2] {
    GUIDES.map(|path| Guide::of(path, &read(path)))
}

/// Fails with every item that a guide does not hold.
fn both_hold(what: &str, items: &[&str]) {
    assert!(!items.is_empty(), "found no {what}");
    for guide in guides() {
        let missing: Vec<&&str> = items
            .iter()
            .filter(|item| !guide.prose.contains(**item))
            .collect();
        assert!(missing.is_empty(), "{} lacks the {what} {missing:?}", guide.path);
    }
}

/// The rows of tables that begin with each of the names.
fn both_explain(what: &str, names: impl IntoIterator<Item = impl std::fmt::Display>) {
    let rows: Vec<String> = names.into_iter().map(|name| format!("\n| {name} |")).collect();
    both_hold(what, &rows.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn both_guides_have_the_same_sections_with_the_same_names_tables_lists_and_links() {
    let [english, korean] = guides();
    let levels = |guide: &Guide| {
        guide
            .sections
            .iter()
            .map(|section| section.level)
            .collect::<Vec<_>>()
    };
    assert_eq!(levels(&english), levels(&korean), "the headings differ");
    for (one, other) in english.sections.iter().zip(&korean.sections) {
        let place = format!("{} / {}", one.title, other.title);
        assert_eq!(
            (one.rows, one.items),
            (other.rows, other.items),
            "rows and items of {place}"
        );
        assert_eq!(
            one.codes, other.codes,
            "what stands between backquotes in {place}"
        );
        // Headings of the same page have their own names in each language.
        let links = |section: &guide::Section| {
            let links = section.links.iter().cloned();
            links
                .filter(|link| !GUIDES.contains(&link.as_str()) && !link.starts_with('#'))
                .collect::<BTreeSet<_>>()
        };
        assert_eq!(links(one), links(other), "the links of {place}");
    }
}

#[test]
fn both_guides_show_the_same_code() {
    let [english, korean] = guides();
    assert!(
        english.blocks.len() > 10,
        "only {} blocks were found",
        english.blocks.len()
    );
    assert_eq!(english.blocks, korean.blocks);
}

#[test]
fn the_files_to_copy_are_shown_as_they_are() {
    let [english, _] = guides();
    for entry in std::fs::read_dir(file("docs/examples")).expect("the examples are there") {
        let path = entry.expect("a folder can be listed").path();
        let text = std::fs::read_to_string(&path).expect("an example can be read");
        let is_shown = english.blocks.iter().any(|block| block.text == text);
        assert!(is_shown, "README.md does not show {} as it is", path.display());
    }
}

#[test]
fn every_piece_of_configuration_in_the_guide_is_valid() {
    let [english, _] = guides();
    let pieces: Vec<_> = english
        .blocks
        .iter()
        .filter(|block| block.language == "toml")
        .collect();
    assert!(!pieces.is_empty(), "no configuration was found");
    for piece in pieces {
        let parsed = Config::parse(&piece.text, Path::new("README.md"));
        assert!(
            parsed.is_ok(),
            "{}\n{}",
            parsed.expect_err("it is wrong"),
            piece.text
        );
    }
}

/// The labels of each metric as the sample status shows them.
fn served_labels() -> BTreeMap<String, BTreeSet<String>> {
    let build = Build {
        version: "1".into(),
        revision: "1".into(),
    };
    let mut served: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let text = metrics::of_status(&sample_status::rich(), &build);
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, labels) = line
            .split_once('{')
            .unwrap_or((line.split(' ').next().unwrap_or(line), ""));
        let names = labels
            .split("=\"")
            .map(|before| before.rsplit(['{', ',', '"']).next().unwrap_or(before));
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.pop(); // what follows the last label
        served.entry(name.to_owned()).or_default().extend(names);
    }
    served
}

#[test]
fn the_table_of_metrics_is_the_codes_list_with_its_kinds_and_labels() {
    let served = served_labels();
    for guide in guides() {
        let rows =
            guide.rows_beginning_with(|name| name.starts_with("migwatch_") || name.starts_with("process_"));
        let listed: Vec<(&str, &str)> = rows.iter().map(|row| (row.cell(0), row.cell(1))).collect();
        let expected: Vec<(&str, &str)> = metrics::NAMES
            .iter()
            .map(|(name, kind, _)| (*name, kind.as_str()))
            .collect();
        assert_eq!(listed, expected, "{}", guide.path);
        for row in rows {
            let Some(labels) = served.get(row.cell(0)) else {
                continue;
            };
            let shown: BTreeSet<String> = row
                .cell(2)
                .split(", ")
                .filter(|label| !label.is_empty())
                .map(str::to_owned)
                .collect();
            assert_eq!(shown, *labels, "the labels of {} in {}", row.cell(0), guide.path);
        }
    }
}

#[test]
fn every_alert_is_explained_and_leads_to_its_runbook() {
    let own = AlertName::ALL.iter().map(|alert| alert.as_str());
    let names = own.chain(["MigwatchDown"]);
    both_explain(
        "alert",
        names.map(|alert| format!("[`{alert}`](docs/runbooks/{alert}.md)")),
    );
}

#[test]
fn every_reason_of_a_failed_probe_is_explained() {
    both_explain(
        "reason",
        FailureReason::ALL.map(|reason| format!("`{}`", reason.as_str())),
    );
}

fn help(command: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_migwatch"))
        .args(command)
        .arg("--help")
        .output();
    String::from_utf8(output.expect("migwatch runs").stdout).expect("the help is text")
}

#[test]
fn every_command_flag_and_environment_variable_is_explained() {
    let general = help(&[]);
    let listed = general
        .split("Commands:")
        .nth(1)
        .and_then(|rest| rest.split("Options:").next());
    let commands: Vec<&str> = listed
        .expect("the help lists commands")
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|command| !command.is_empty())
        .collect();
    let texts: Vec<String> = commands
        .iter()
        .filter(|command| **command != "help")
        .map(|command| help(&[command]))
        .chain([general.clone()])
        .collect();
    let words = texts.iter().flat_map(|text| {
        text.split(|character: char| character.is_whitespace() || "[],=".contains(character))
    });
    let names: BTreeSet<&str> = words
        .filter(|word| word.starts_with("--") || word.starts_with("MIGWATCH_"))
        .collect();
    both_hold("flag or variable", &names.into_iter().collect::<Vec<_>>());
    both_explain("command", commands.iter().map(|command| format!("`{command}`")));
}

#[test]
fn every_container_label_is_explained() {
    let source = read("src/docker/labels.rs");
    let arms = source
        .split("match key {")
        .nth(1)
        .and_then(|rest| rest.split("_ if LATER").next());
    let arms = arms.expect("the labels are matched in one place");
    let keys = arms
        .lines()
        .filter_map(|line| line.split("=>").next()?.trim().strip_prefix('"'));
    let keys = keys.flat_map(|keys| keys.split(['"', '|', ' ']).filter(|key| !key.is_empty()));
    let labels: Vec<String> = keys.map(|key| format!("`migwatch.{key}`")).collect();
    assert!(labels.len() >= 9, "only {labels:?} were found");
    both_hold("label", &labels.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn no_page_links_into_nothing() {
    for path in [
        "README.md",
        "README.ko.md",
        "ARCHITECTURE.md",
        "docs/performance.md",
        "demo/README.md",
    ] {
        let guide = Guide::of(path, &read(path));
        let links = guide.sections.iter().flat_map(|section| &section.links);
        for link in links.filter(|link| !link.contains("://")) {
            let (target, heading) = link.split_once('#').unwrap_or((link, ""));
            let is_there = if target.is_empty() {
                guide
                    .sections
                    .iter()
                    .any(|section| anchor(&section.title) == heading)
            } else {
                file(path).with_file_name(target).exists()
            };
            assert!(is_there, "{path} links {link}, which does not exist");
        }
    }
}

/// What a heading is called in links to it.
fn anchor(title: &str) -> String {
    let kept = title.to_lowercase().replace(' ', "-");
    kept.chars()
        .filter(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_'))
        .collect()
}

#[test]
fn the_code_map_names_every_module_and_stays_short() {
    let page = read("ARCHITECTURE.md");
    assert!(
        page.lines().count() <= 200,
        "it has {} lines",
        page.lines().count()
    );
    for entry in std::fs::read_dir(file("src")).expect("the sources are there") {
        let path = entry.expect("a folder can be listed").path();
        let name = path
            .file_stem()
            .expect("a file has a name")
            .to_string_lossy()
            .into_owned();
        assert!(
            page.contains(&format!("\n| `{name}` |")),
            "ARCHITECTURE.md does not name src/{name}"
        );
    }
}
