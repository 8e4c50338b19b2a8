//! Every sentence that a configuration can be answered with: `tests/fixtures/config/NAME.toml` holds the mistake, `NAME.err` each
//! problem as `LINE: PATH: SENTENCE`.
//! Refuses to know how the file is read.

use std::path::{Path, PathBuf};

use migwatch::config::{Config, ConfigError, Problem};

const FIXTURES: &str = "tests/fixtures/config";

/// The broken files, by name.
fn broken() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(FIXTURES).expect("the fixtures are there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    assert!(files.len() > 40, "only {} fixtures: where are they?", files.len());
    files
}

fn problems(outcome: Result<Config, ConfigError>, file: &Path) -> Vec<Problem> {
    match outcome {
        Err(ConfigError::Problems { problems, .. }) => problems,
        other => panic!("{} has problems, not {other:?}", file.display()),
    }
}

fn listed(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    lines.join("\n") + "\n"
}

#[test]
fn each_mistake_is_answered_with_its_line_its_path_and_what_would_be_right() {
    for file in broken() {
        let expected = file.with_extension("err");
        let expected = std::fs::read_to_string(&expected).unwrap_or_default();
        let found = listed(&problems(Config::load(Some(&file)), &file));
        assert_eq!(found, expected, "{}", file.display());
    }
}

#[test]
fn lines_are_right_whatever_editor_wrote_the_file() {
    for file in broken() {
        // A file that is not even text is another test's.
        let Ok(text) = std::fs::read_to_string(&file) else {
            continue;
        };
        let plain = problems(Config::parse(&text, &file), &file);
        for (editor, text) in [
            ("CRLF", text.replace('\n', "\r\n")),
            ("a byte order mark", format!("\u{feff}{text}")),
            ("both", format!("\u{feff}{}", text.replace('\n', "\r\n"))),
        ] {
            let found = problems(Config::parse(&text, &file), &file);
            assert_eq!(listed(&found), listed(&plain), "{} with {editor}", file.display());
        }
    }
}

#[test]
fn no_sentence_quotes_a_secret() {
    for file in broken() {
        let error = Config::load(Some(&file)).expect_err("a broken file");
        let told = format!("{error} {error:?}");
        assert!(!told.contains("s3cret"), "{}: {told}", file.display());
    }
}

#[test]
fn a_file_that_is_away_is_named() {
    let error = Config::load(Some(Path::new("no/such/file.toml"))).expect_err("no such file");
    assert_eq!(
        error.to_string(),
        "cannot read the configuration file no/such/file.toml: check that it exists and may be read"
    );
}
