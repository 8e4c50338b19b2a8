//! What is shipped in `config/`: every key with its true default, and examples that work.
//! Refuses to know the keys: the parser itself names them.

use std::collections::BTreeSet;
use std::path::Path;

use migwatch::config::Config;
use migwatch::notify::Receiver;

const SHIPPED: &str = "config/migwatch.toml";

fn read(path: &str) -> String {
    std::fs::read_to_string(path).expect("it is shipped")
}

fn parse(text: &str, folder: &Path) -> Config {
    let parsed = Config::parse(text, &folder.join("migwatch.toml"));
    parsed.unwrap_or_else(|error| panic!("{error}"))
}

/// Takes `mark` away from lines like `#key = value` and `#[table]`.
fn uncommented(text: &str, mark: &str) -> String {
    let is_toml = |line: &str| {
        let key = line.split(" = ").next().unwrap_or_default();
        line.starts_with('[')
            || (line.contains(" = ") && key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
    };
    let line = |line: &str| {
        let bare = line.strip_prefix(mark).filter(|bare| is_toml(bare));
        format!("{}\n", bare.unwrap_or(line))
    };
    text.lines().map(line).collect()
}

/// The shipped file with its examples in force, and a folder with the files that they name.
fn with_examples() -> (String, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for (name, content) in [
        ("chat-webhook-url", "https://hooks.example.com/chat"),
        ("reports-database-url", "postgresql://reader:secret@db/reports"),
        ("reports-ca.pem", "a certificate"),
    ] {
        std::fs::write(folder.path().join(name), content).expect("it can be written");
    }
    (uncommented(&read(SHIPPED), "#"), folder)
}

#[test]
fn the_shipped_file_holds_the_defaults() {
    let defaults = Config::load(None).expect("no file is fine");
    let shipped = Config::load(Some(Path::new(SHIPPED))).expect("the shipped file is fine");
    assert_eq!(format!("{shipped:#?}"), format!("{defaults:#?}"));
}

#[test]
fn the_examples_work_and_their_defaults_are_true() {
    let (examples, folder) = with_examples();
    let bare = parse(&examples, folder.path());
    let receivers: Vec<&str> = bare.receivers.iter().map(Receiver::name).collect();
    assert_eq!(receivers, ["chat", "deploys", "main"]);
    assert_eq!((bare.probes.len(), bare.databases.len()), (2, 2));
    assert_eq!(bare.processes.len(), 1);
    let spelled = uncommented(&examples, "# ");
    assert_ne!(spelled, examples);
    let mut spelled = parse(&spelled, folder.path());
    // Whether a service must be there may also be left to its label: `false` is what that comes to without one.
    for service in spelled.settings.services.values_mut() {
        assert_eq!(service.required.take(), Some(false));
    }
    spelled
        .follow
        .retain(|_, follow| *follow != migwatch::model::container::FollowLogs::Always);
    assert_eq!(format!("{spelled:#?}"), format!("{bare:#?}"));
}

#[test]
fn the_shipped_file_shows_every_key_that_is_known() {
    const UNKNOWN: &str = "no_such_key = 1";
    let (examples, folder) = with_examples();
    let shown = uncommented(&examples, "# ");
    let probed: String = shown
        .lines()
        .map(|line| {
            if line.starts_with('[') {
                format!("{line}\n{UNKNOWN}\n")
            } else {
                format!("{line}\n")
            }
        })
        .collect();
    let error = Config::parse(&probed, &folder.path().join("migwatch.toml")).expect_err("unknown keys");
    let mut tables = 0;
    for line in error
        .to_string()
        .lines()
        .filter(|line| line.contains("no_such_key"))
    {
        let (place, known) = line.split_once("known are ").expect("it lists what is known");
        for key in known.split(", ") {
            assert!(
                keys(&shown).contains(key),
                "{key} is known but not shown: {place}"
            );
        }
        tables += 1;
    }
    assert_eq!(tables, shown.lines().filter(|line| line.starts_with('[')).count());
}

/// All keys and all parts of table names.
fn keys(text: &str) -> BTreeSet<&str> {
    text.lines()
        .flat_map(|line| match line.strip_prefix('[') {
            Some(table) => table.trim_end_matches(']').split('.').collect::<Vec<_>>(),
            None => line.split(" = ").take(1).collect(),
        })
        .collect()
}

#[test]
fn the_small_file_tells_one_alertmanager() {
    let config = Config::load(Some(Path::new("config/minimal.toml"))).expect("the small file is fine");
    let receivers: Vec<&str> = config.receivers.iter().map(Receiver::name).collect();
    assert_eq!(receivers, ["main"]);
}
