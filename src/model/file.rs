//! Log files of processes outside of containers, and how far they were read.

use serde::{Deserialize, Serialize};

/// One file, told from others that had or will have its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FileId {
    /// Where it was opened.
    pub path: String,
    /// The device that holds it.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
}

/// How far a file was taken in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FilePosition {
    /// Which file.
    pub file: FileId,
    /// Bytes from its beginning, always the end of a line.
    pub offset: u64,
}
