//! The files of a journal: the directory, the lock, the database as a whole file.
//!
//! Promises that `journal.db` either does not exist or was whole when it appeared, and that nothing is ever deleted but what was
//! never in use.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::{JournalError, schema};
use crate::model::fact::FORMAT;
use crate::model::time::Timestamp;

/// The database's name in the data directory.
pub(super) const FILE: &str = "journal.db";
/// The lock's name. It is never removed: a removed lock would be two locks.
const LOCK: &str = "migwatch.lock";
/// What SQLite keeps beside a database in use.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// Makes the data directory, for its owner only, if it is missing.
pub(super) fn make(dir: &Path) -> Result<(), JournalError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|source| unusable(dir, source))
}

/// Takes the directory for this process, until the file is closed.
pub(super) fn lock(dir: &Path) -> Result<File, JournalError> {
    let path = dir.join(LOCK);
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path);
    let mut file = opened.map_err(|source| unusable(dir, source))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let _ = file.read_to_string(&mut text);
            let holder = match text.trim().parse::<u32>() {
                Ok(process) => format!("process {process}"),
                Err(_) => "another process".to_owned(),
            };
            return Err(JournalError::Locked {
                path: dir.to_owned(),
                holder,
            });
        }
        Err(TryLockError::Error(source)) => return Err(unusable(&path, source)),
    }
    // The number is for people only: a full disk must not keep migwatch from starting.
    let _ = file
        .set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(file)
}

/// Whether something is at `path`, readable or not.
pub(super) fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Whether a write-ahead log with content is there without its database.
pub(super) fn has_orphans(path: &Path) -> bool {
    beside(path, "-wal").metadata().is_ok_and(|log| log.len() > 0)
}

/// Renames the database and what is beside it to `journal.db.corrupt-<time>`, where the `sqlite3` shell can still open them.
pub(super) fn move_aside(path: &Path, now: Timestamp, damage: &str) -> Result<PathBuf, JournalError> {
    let time: String = now
        .to_string()
        .chars()
        .take(19)
        .filter(|c| !matches!(c, '-' | ':'))
        .collect();
    let failed = |source| JournalError::MoveAside {
        path: path.to_owned(),
        damage: damage.to_owned(),
        source,
    };
    let mut target = beside(path, &format!(".corrupt-{time}Z"));
    let mut again = 1_u32;
    while exists(&target) || exists(&beside(&target, "-wal")) {
        again += 1;
        target = beside(path, &format!(".corrupt-{time}Z-{again}"));
    }
    // The log first: a crash in between leaves a database that is noticed again, never one that looks whole.
    for ending in ["-wal", "-shm", ""] {
        match std::fs::rename(beside(path, ending), beside(&target, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    sync_directory(path).map_err(failed)?;
    Ok(target)
}

/// Makes an empty journal: under another name first, so that a crash in the middle leaves nothing half-made.
pub(super) fn begin(path: &Path) -> Result<(), JournalError> {
    let new = beside(path, ".new");
    let unfinished = |source| unusable(path, source);
    for leftover in BESIDE.iter().chain(&["-journal", ""]) {
        match std::fs::remove_file(beside(&new, leftover)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unfinished(error)),
            _ => {}
        }
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .map_err(unfinished)?;
    fill(&new).map_err(|source| JournalError::Open {
        path: new.clone(),
        source,
    })?;
    for ending in BESIDE {
        // An empty log or a mere index may lie around; nothing is in it.
        let _ = std::fs::remove_file(beside(path, ending));
    }
    std::fs::rename(&new, path)
        .and_then(|()| sync_directory(path))
        .map_err(unfinished)
}

fn fill(path: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(schema::CREATE)?;
    transaction.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error)
}

/// `path` with `ending` glued to its name, as SQLite does it.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

fn sync_directory(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

/// The error of a place that this user cannot use.
pub(super) fn unusable(path: &Path, source: io::Error) -> JournalError {
    // The owner of one's own entry in /proc is the user one runs as.
    let user = std::fs::metadata("/proc/self").map_or_else(|_| "65532".to_owned(), |it| it.uid().to_string());
    JournalError::Directory {
        path: path.to_owned(),
        user,
        source,
    }
}
