//! The repository's own files as they would be committed: what git tracks, and what is new and not ignored.
//! Knows one rule, the only one that is about any text: no file names the machine it was written on.

use std::path::Path;
use std::process::Command;

use proc_macro2::TokenStream;

use super::Violation;

/// Folders of the machines that this was written on. In two halves, so that this file does not break its own rule.
const MACHINE_PATHS: [&str; 2] = [concat!("/wo", "rk/"), concat!("/tmp", "/wt")];

/// One text file of the repository.
#[derive(Debug)]
pub(super) struct Source {
    /// Within the repository, with `/`.
    pub(super) path: String,
    /// Bytes that are no UTF-8 are replaced: no rule is about them.
    pub(super) text: String,
}

impl Source {
    /// A source that exists only in a test.
    pub(super) fn planted(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// The file as Rust tokens: no comments, and strings are single tokens.
    pub(super) fn tokens(&self) -> TokenStream {
        self.text
            .parse()
            .unwrap_or_else(|error| panic!("{} is no Rust: {error}", self.path))
    }

    /// The file as a Rust syntax tree.
    pub(super) fn syntax(&self) -> syn::File {
        syn::parse_file(&self.text).unwrap_or_else(|error| panic!("{} is no Rust: {error}", self.path))
    }

    /// The module that the file is, from its path: `src/docker/tail.rs` is `[docker, tail]`, `src/lib.rs` is `[]`.
    pub(super) fn module(&self) -> Vec<String> {
        let inner = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let inner = inner.strip_suffix(".rs").unwrap_or(inner);
        if inner == "lib" || inner == "main" {
            return Vec::new();
        }
        inner.split('/').map(str::to_owned).collect()
    }
}

/// Every file that is, or would be, committed.
pub(super) fn all() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listing = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .expect("git runs: it tells which files belong to the project");
    let said = String::from_utf8_lossy(&listing.stderr);
    assert!(
        listing.status.success(),
        "git does not list the project's files: {said}"
    );
    String::from_utf8(listing.stdout)
        .expect("the project's file names are UTF-8")
        .split_terminator('\0')
        // Deleted but not yet committed files are listed, too.
        .filter_map(|path| Some((path, std::fs::read(root.join(path)).ok()?)))
        .map(|(path, bytes)| Source::planted(path, &String::from_utf8_lossy(&bytes)))
        .collect()
}

/// The Rust files below one folder.
pub(super) fn rust(folder: &str) -> Vec<Source> {
    let below = |source: &Source| {
        Path::new(&source.path).starts_with(folder)
            && Path::new(&source.path).extension().is_some_and(|e| e == "rs")
    };
    all().into_iter().filter(below).collect()
}

/// No file names a folder of the machine that it was written on: it would be wrong everywhere else.
pub(super) fn machine_paths(source: &Source) -> Vec<Violation> {
    let lines = (1..).zip(source.text.lines());
    lines
        .flat_map(|(number, line)| {
            let named = MACHINE_PATHS.iter().filter(move |path| line.contains(**path));
            named.map(move |path| {
                Violation::new(
                    source,
                    number,
                    format!("names {path}, which only one machine has"),
                )
            })
        })
        .collect()
}

#[test]
fn a_planted_machine_path_is_found_in_any_kind_of_file() {
    let text = format!("# fine: /var/lib\ncd {}main\n", MACHINE_PATHS[0]);
    let found = machine_paths(&Source::planted("demo/demo.sh", &text));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].line, 2);
    assert!(machine_paths(&Source::planted("README.md", "networks work, /workers/ too")).is_empty());
}

#[test]
fn the_module_of_a_file_follows_from_its_path() {
    assert_eq!(
        Source::planted("src/docker/tail.rs", "").module(),
        ["docker", "tail"]
    );
    assert_eq!(Source::planted("src/docker.rs", "").module(), ["docker"]);
    assert!(Source::planted("src/lib.rs", "").module().is_empty());
}

#[test]
fn the_listing_holds_this_very_file() {
    assert!(
        rust("tests/it")
            .iter()
            .any(|source| source.path == "tests/it/floors/source.rs")
    );
}
