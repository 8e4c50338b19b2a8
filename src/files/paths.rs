//! Where a process's log is: one file, or all that match a pattern.
//!
//! Promises an absolute path that can be looked at every other second: `**` is refused. Refuses to open files.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Component, Path, PathBuf};

/// More files than these are not one process's log.
pub(super) const MOST_FILES: usize = 256;

/// A path or a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPath {
    path: PathBuf,
    is_pattern: bool,
}

/// A path that cannot be one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogPathError {
    /// Folders below folders without end.
    #[error("holds **, which is not supported: name the folders, or * for each")]
    Recursive,
    /// A bracket that is not closed, and the like.
    #[error("is no pattern: {0}")]
    Pattern(String),
    /// It names no file.
    #[error("names no file")]
    Empty,
}

impl LogPath {
    /// A path, or a pattern with `*`, `?` and `[...]`; relative ones begin in `folder`.
    ///
    /// # Errors
    /// A clause that continues "the path ...".
    pub fn parse(text: &str, folder: &Path) -> Result<Self, LogPathError> {
        if Path::new(text).file_name().is_none() {
            return Err(LogPathError::Empty);
        }
        let is_pattern = text.contains(['*', '?', '[']);
        if text.contains("**") {
            return Err(LogPathError::Recursive);
        }
        if is_pattern {
            glob::Pattern::new(text).map_err(|error| LogPathError::Pattern(error.msg.to_owned()))?;
        }
        Ok(Self {
            path: folder.join(text),
            is_pattern,
        })
    }

    /// The files that are there, in the order of their names, no more than [`MOST_FILES`] and one; with what could not be looked into.
    pub(super) fn files(&self) -> (Vec<PathBuf>, Option<String>) {
        if !self.is_pattern {
            return (vec![self.path.clone()], None);
        }
        let mut problem = None;
        let matches = match glob::glob(&self.path.to_string_lossy()) {
            Ok(matches) => matches,
            Err(error) => return (Vec::new(), Some(error.msg.to_owned())),
        };
        let files = matches.filter_map(|found| found.map_err(|error| problem = Some(error.to_string())).ok());
        let files: Vec<PathBuf> = files.take(MOST_FILES + 1).collect();
        (files, problem)
    }

    /// The folders in which something may happen: those of the files, and the deepest one that is no pattern.
    pub(super) fn folders(&self, files: &[PathBuf]) -> BTreeSet<PathBuf> {
        let is_plain = |part: &Component<'_>| !part.as_os_str().to_string_lossy().contains(['*', '?', '[']);
        let fixed: PathBuf = match self.path.parent() {
            Some(folder) if self.is_pattern => folder.components().take_while(is_plain).collect(),
            folder => folder.map(Path::to_owned).unwrap_or_default(),
        };
        let mut folders: BTreeSet<PathBuf> = [fixed].into();
        for file in files {
            folders.extend(file.parent().map(Path::to_owned));
            // A link is changed in one place, its file in another.
            if let Ok(real) = file.canonicalize() {
                folders.extend(real.parent().map(Path::to_owned));
            }
        }
        folders
    }
}

impl fmt::Display for LogPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{LogPath, LogPathError};

    fn parse(text: &str) -> Result<LogPath, LogPathError> {
        LogPath::parse(text, Path::new("/etc/migwatch"))
    }

    #[test]
    fn relative_paths_begin_at_the_given_folder_and_bad_ones_say_why() {
        assert_eq!(parse("run.log").unwrap().to_string(), "/etc/migwatch/run.log");
        assert_eq!(parse("/srv/run.log").unwrap().to_string(), "/srv/run.log");
        assert_eq!(parse("/srv/**/run.log"), Err(LogPathError::Recursive));
        assert_eq!(
            (parse(""), parse("/")),
            (Err(LogPathError::Empty), Err(LogPathError::Empty))
        );
        assert!(matches!(parse("run[.log"), Err(LogPathError::Pattern(_))));
    }

    #[test]
    fn a_pattern_finds_its_files_and_the_folders_where_more_may_come() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["a", "b"] {
            std::fs::create_dir(at(name)).unwrap();
        }
        for name in ["a/run.log", "b/run.log", "b/other.txt"] {
            std::fs::write(at(name), "").unwrap();
        }
        let pattern = LogPath::parse("*/*.log", folder.path()).unwrap();
        let (files, problem) = pattern.files();
        assert_eq!(
            (files.clone(), problem),
            (vec![at("a/run.log"), at("b/run.log")], None)
        );
        let folders = pattern.folders(&files);
        let expected: [PathBuf; 3] = [folder.path().to_owned(), at("a"), at("b")];
        assert!(
            expected.iter().all(|folder| folders.contains(folder)),
            "{folders:?}"
        );
        let plain = LogPath::parse("[x/run.log", Path::new("/srv"));
        assert!(plain.is_err(), "a bracket begins a pattern");
    }
}
