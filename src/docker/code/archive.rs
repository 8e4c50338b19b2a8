//! A file or a folder out of a container, as the engine packs it: a tar.
//!
//! Promises bounded time and memory whatever is in it, that a name in it leads nowhere outside of what was asked for, and to say of a file
//! that cannot be had why. Refuses to know what the files mean.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use tokio::sync::mpsc;

use super::super::engine::EngineError;
use super::super::wire::Body;
use crate::alembic::{LONGEST_SCRIPT, paths};
use crate::model::time::Timestamp;

/// The most that is read of one archive: a folder of scripts has a few MiB, and what a container holds may be anything.
const LONGEST_ARCHIVE: u64 = 64 * 1024 * 1024;
/// The most entries that are looked at.
const ENTRIES: usize = 50_000;
/// Every entry has a header of this length, and is filled up to a multiple of it.
const HEADER: u64 = 512;
/// How long one archive may take as a whole.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many links are followed before it is a circle.
const LINKS: usize = 8;
/// How many pieces of a body wait to be unpacked: enough to keep both sides at work.
const PIECES: usize = 4;

/// What was found at an absolute path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// A file's bytes.
    File(Vec<u8>),
    /// A link to this absolute path.
    Link(String),
    /// It is there and cannot be used: why.
    Unusable(String),
}

/// Files and links by their absolute path. Folders are not in it.
pub(super) type Entries = BTreeMap<String, Entry>;

/// What was kept of an archive.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Unpacked {
    pub(super) entries: Entries,
    /// When the newest of them was written, to the second.
    pub(super) written: Timestamp,
}

/// An archive that could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArchiveError {
    /// It is no tar, or too large, and will be so the next time: one sentence.
    #[error("{0}")]
    Unusable(String),
    /// It broke off, or took too long: that says something of the engine, and nothing of what is in it.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Unpacks the answer to a question for `path`, which is absolute; only files that `is_wanted`, and links, are kept.
///
/// # Errors
/// When the answer breaks off, is no tar, is too large or takes too long.
pub(super) async fn unpack(
    body: Body,
    path: &str,
    is_wanted: fn(&str) -> bool,
) -> Result<Unpacked, ArchiveError> {
    let (pieces, waiting) = mpsc::channel(PIECES);
    let root = path.to_owned();
    let unpacking = tokio::task::spawn_blocking(move || entries(Pieces::new(waiting), &root, is_wanted));
    let whole = async {
        // Who has enough of it stops taking pieces: that is no error here.
        let fed = feed(body, pieces).await;
        let unpacked = unpacking.await;
        fed.map_err(|source| EngineError::Broken {
            path: format!("the question for the archive of {path}"),
            source,
        })?;
        let unusable = |error: &dyn std::fmt::Display| {
            ArchiveError::Unusable(format!("the engine's archive of {path} cannot be read: {error}"))
        };
        let unpacked = unpacked.map_err(|error| unusable(&error))?;
        unpacked.map_err(|error| unusable(&error))
    };
    let ended = tokio::time::timeout(PATIENCE, whole).await;
    let late = || EngineError::Asked {
        sentence: format!(
            "the engine's archive of {path} did not end within {} s",
            PATIENCE.as_secs()
        ),
        status: None,
    };
    ended.unwrap_or_else(|_| Err(late().into()))
}

async fn feed(
    mut body: Body,
    pieces: mpsc::Sender<Bytes>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data()
            && pieces.send(data).await.is_err()
        {
            break;
        }
    }
    Ok(())
}

/// A body's pieces, to be read where waiting may block.
struct Pieces {
    waiting: mpsc::Receiver<Bytes>,
    piece: Bytes,
}

impl Pieces {
    fn new(waiting: mpsc::Receiver<Bytes>) -> Self {
        let piece = Bytes::new();
        Self { waiting, piece }
    }
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.waiting.blocking_recv() {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let count = self.piece.len().min(into.len());
        let taken = self.piece.split_to(count);
        if let Some(into) = into.get_mut(..count) {
            into.copy_from_slice(&taken);
        }
        Ok(count)
    }
}

/// The entries of a tar whose root is the last part of `root`.
fn entries(tar: impl Read, root: &str, is_wanted: fn(&str) -> bool) -> Result<Unpacked, String> {
    let mut archive = tar::Archive::new(tar.take(LONGEST_ARCHIVE + 1));
    let above = paths::parent(root);
    let mut found = Unpacked::default();
    let mut count = 0_usize;
    let mut bytes = 0_u64;
    for entry in archive.entries().map_err(|error| error.to_string())? {
        let mut entry = entry.map_err(|error| error.to_string())?;
        count += 1;
        let size = entry.header().entry_size().unwrap_or_default();
        bytes = bytes.saturating_add(size.div_ceil(HEADER).saturating_add(1).saturating_mul(HEADER));
        if count > ENTRIES || bytes > LONGEST_ARCHIVE {
            return Err(format!(
                "it holds more than {ENTRIES} files or {} MiB: no folder of scripts does",
                LONGEST_ARCHIVE >> 20
            ));
        }
        let Ok(name) = String::from_utf8(entry.path_bytes().into_owned()) else {
            continue;
        };
        let path = paths::join(above, &name);
        let kind = entry.header().entry_type();
        // A link may lead to a folder, whatever it is called.
        let is_kept = path == root || kind == tar::EntryType::Symlink || is_wanted(&path);
        if !paths::is_within(&path, root) || !is_kept {
            continue;
        }
        let what = match kind {
            tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => {
                content(&mut entry)?
            }
            tar::EntryType::Symlink => match target(&entry) {
                Some(target) => Entry::Link(paths::join(paths::parent(&path), &target)),
                None => Entry::Unusable("it is a link to nowhere".to_owned()),
            },
            tar::EntryType::Link => match target(&entry) {
                Some(target) => Entry::Link(paths::join(above, &target)),
                None => Entry::Unusable("it is a link to nowhere".to_owned()),
            },
            tar::EntryType::Directory => continue,
            _ => Entry::Unusable("it is no regular file".to_owned()),
        };
        let written = entry.header().mtime().unwrap_or_default();
        let written = Timestamp::from_seconds(i64::try_from(written).unwrap_or_default());
        found.written = found.written.max(written);
        found.entries.insert(path, what);
    }
    Ok(found)
}

fn target(entry: &tar::Entry<'_, impl Read>) -> Option<String> {
    String::from_utf8(entry.link_name_bytes()?.into_owned()).ok()
}

fn content(entry: &mut tar::Entry<'_, impl Read>) -> Result<Entry, String> {
    let mut bytes = Vec::new();
    let mut head = entry.take(LONGEST_SCRIPT as u64 + 1);
    head.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > LONGEST_SCRIPT {
        return Ok(Entry::Unusable(format!(
            "it is longer than {} MiB: no revision script is",
            LONGEST_SCRIPT >> 20
        )));
    }
    Ok(Entry::File(bytes))
}

/// What stands at `path` once its links are followed within `entries`: the path of its file, or where the links lead out, or why there is
/// nothing.
pub(super) enum Found<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// It lies there, outside of what was asked for.
    Elsewhere(String),
    /// Nothing usable: why.
    Nothing(String),
}

/// Follows links.
pub(super) fn find<'a>(entries: &'a Entries, path: &str) -> Found<'a> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match entries.get(&path) {
            Some(Entry::File(bytes)) => return Found::Bytes(bytes),
            Some(Entry::Unusable(why)) => return Found::Nothing(why.clone()),
            Some(Entry::Link(target)) => path.clone_from(target),
            None => return Found::Elsewhere(path),
        }
    }
    Found::Nothing("its links lead in a circle".to_owned())
}

#[cfg(test)]
mod tests;
