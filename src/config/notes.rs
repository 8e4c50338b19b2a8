//! The problems of one file, each with the line it lies in.
//!
//! Refuses to know what makes a problem.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

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
        self.problems.borrow_mut().push(Problem {
            line: line(before.as_bytes()),
            path: path.to_owned(),
            sentence: sentence.into(),
        });
    }

    /// How many problems are noted.
    pub(super) fn count(&self) -> usize {
        self.problems.borrow().len()
    }

    /// Where files that the configuration names are looked for.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// All of them, in the order of the file.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort();
        problems
    }
}

/// The number of the line, counted from 1, in which `before` ends.
pub(super) fn line(before: &[u8]) -> usize {
    before.split(|byte| *byte == b'\n').count()
}
