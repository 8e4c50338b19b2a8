//! How Alembic is read without being run: whole scripts by what they say, damaged ones by what must not happen, SQL against a full parser, and
//! the revision graph against Alembic itself, which answers in the demo's application image.

use std::path::{Path, PathBuf};
use std::process::Command;

mod corpus;
mod graph;
mod hostile;
mod sql;

/// Has Alembic as the demo's services use it.
const IMAGE: &str = "migwatch-demo-app";

/// Starts the process that answers what Alembic would do.
fn oracle_command() -> Command {
    let has_image = Command::new("docker")
        .args(["image", "inspect", IMAGE])
        .output()
        .is_ok_and(|output| output.status.success());
    assert!(
        has_image,
        "the image {IMAGE} is missing: run \"make images\" first"
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/alembic/oracle.py");
    let mut command = Command::new("docker");
    command
        .args(["run", "--rm", "--interactive", "--network", "none", "--volume"])
        .arg(format!("{}:/oracle.py:ro", script.display()))
        .args([IMAGE, "python3", "-u", "/oracle.py"]);
    command
}

/// Every script of the corpus, in the order of their names.
fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/scripts");
    let entries = std::fs::read_dir(folder).expect("the corpus is there");
    let paths = entries.map(|entry| entry.expect("the corpus can be listed").path());
    let mut scripts: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|e| e == "py"))
        .collect();
    scripts.sort();
    scripts
}

/// Does it where scripts are read: on a stack of the size that the reader asks for.
fn on_a_large_stack<T: Send + 'static>(what: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(migwatch::alembic::script::STACK);
    let thread = thread.spawn(what).expect("a thread starts");
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
