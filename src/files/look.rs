//! Which files a process's log is just now, and what is wrong with them.
//!
//! Refuses to open any for long. It waits for the disk: not for async code.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::Process;
use super::paths::{LogPath, MOST_FILES};
use crate::model::file::FileId;

/// A folder with more entries is not searched for a file that was rotated while nobody watched.
const MOST_ENTRIES: usize = 4096;

/// What is there.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) files: Vec<(PathBuf, FileId)>,
    /// Those that are there and cannot be looked at.
    pub(super) blocked: BTreeSet<PathBuf>,
    /// Where something may happen to them.
    pub(super) folders: BTreeSet<PathBuf>,
    /// One sentence, if something is wrong.
    pub(super) problem: Option<String>,
}

/// Looks which files are there.
pub(super) fn look(log: &LogPath) -> Found {
    let (paths, mut problem) = log.files();
    if paths.len() > MOST_FILES {
        problem = Some(format!(
            "more than {MOST_FILES} files match {log}: it must say more"
        ));
    }
    let mut files = Vec::new();
    let mut blocked = BTreeSet::new();
    for path in paths.iter().take(MOST_FILES) {
        match identity(path) {
            Ok(id) => files.push((path.clone(), id)),
            Err(error) => {
                problem = Some(explain(path, &error));
                if error.kind() != io::ErrorKind::NotFound {
                    blocked.insert(path.clone());
                }
            }
        }
    }
    Found {
        files,
        blocked,
        folders: log.folders(&paths),
        problem,
    }
}

/// What is at `path`, if it is a regular file: opening a pipe would wait for its writer.
fn identity(path: &Path) -> io::Result<FileId> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    Ok(FileId {
        path: path.to_string_lossy().into_owned(),
        device: metadata.dev(),
        inode: metadata.ino(),
    })
}

/// Whatever they are called.
pub(super) fn is_same(one: &FileId, other: &FileId) -> bool {
    (one.device, one.inode) == (other.device, other.inode)
}

/// The file of this identity in a folder.
pub(super) fn find(folder: &Path, id: &FileId) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.take(MOST_ENTRIES).flatten();
    let mut found = entries.filter(|entry| identity(&entry.path()).is_ok_and(|found| is_same(&found, id)));
    found.next().map(|entry| entry.path())
}

/// What is wrong and what to do.
pub(super) fn explain(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => {
            format!("there is no file {path}: is the path right, and its folder mounted?")
        }
        io::ErrorKind::PermissionDenied => {
            format!("{path} may not be read: give migwatch's user the right to read it and its folder")
        }
        _ => format!("{path} cannot be read: {error}"),
    }
}

/// Tries a process's log once: what is there, in a clause.
///
/// # Errors
/// When a file cannot be read, or none is there: the sentence says why.
pub fn check(process: &Process) -> Result<String, String> {
    let found = look(&process.log);
    if let Some(problem) = found.problem {
        return Err(problem);
    }
    for (path, _) in &found.files {
        fs::File::open(path).map_err(|error| explain(path, &error))?;
    }
    match found.files.as_slice() {
        [] => Err(format!("no file matches {}", process.log)),
        [_] => Ok("can be read".to_owned()),
        several => Ok(format!("{} files can be read", several.len())),
    }
}
