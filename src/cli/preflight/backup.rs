//! Whether there is a fresh backup: a file, the newest file of a folder, or what a command says.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use super::Arguments;
use crate::daemon::clock::SystemClock;
use crate::model::preflight::{Check, CheckName, CheckResult};
use crate::model::time::{Clock as _, Timestamp};

const NAME: CheckName = CheckName::Backup;

/// A backup's file.
struct Found {
    path: PathBuf,
    size: u64,
    at: Timestamp,
}

pub(super) fn check(arguments: &Arguments) -> Check {
    if let Some(command) = &arguments.backup_command {
        return by_command(command);
    }
    let Some(path) = &arguments.backup else {
        return Check::unasked(
            NAME,
            "say where the backup is: --backup PATH, or --backup-command COMMAND",
        );
    };
    match newest(path) {
        Ok(Some(found)) => judged(&found, arguments),
        Ok(None) => Check::new(
            NAME,
            CheckResult::Fail,
            format!("there is no file in {}", path.display()),
        ),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Check::new(NAME, CheckResult::Fail, format!("there is no {}", path.display()))
        }
        Err(error) => {
            let reason = format!("{} cannot be looked at: {error}", path.display());
            Check::new(NAME, CheckResult::CannotTell, reason)
        }
    }
}

fn judged(found: &Found, arguments: &Arguments) -> Check {
    let age = Duration::from_secs(SystemClock.now().since(found.at).as_secs());
    let what = format!(
        "{} is {} old and has {} bytes",
        found.path.display(),
        humantime::format_duration(age),
        found.size
    );
    if age > arguments.backup_max_age {
        let most = humantime::format_duration(arguments.backup_max_age);
        return Check::new(NAME, CheckResult::Fail, format!("{what}: older than {most}"));
    }
    if found.size < arguments.backup_min_size {
        let least = arguments.backup_min_size;
        return Check::new(NAME, CheckResult::Fail, format!("{what}: less than {least}"));
    }
    Check::new(NAME, CheckResult::Pass, what)
}

/// The file itself, or the newest one in the folder, not in folders below.
fn newest(path: &Path) -> std::io::Result<Option<Found>> {
    let metadata = path.metadata()?;
    if metadata.is_file() {
        return Ok(Some(found(path.to_owned(), &metadata)?));
    }
    let mut newest: Option<Found> = None;
    for entry in path.read_dir()? {
        let entry = entry?;
        let metadata = entry.path().metadata();
        let Ok(metadata) = metadata else { continue }; // a dangling link, say
        if metadata.is_file() {
            let found = found(entry.path(), &metadata)?;
            if newest.as_ref().is_none_or(|newest| newest.at < found.at) {
                newest = Some(found);
            }
        }
    }
    Ok(newest)
}

fn found(path: PathBuf, metadata: &std::fs::Metadata) -> std::io::Result<Found> {
    let since = metadata.modified()?.duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since.unwrap_or_default().as_secs();
    Ok(Found {
        path,
        size: metadata.len(),
        at: Timestamp::from_seconds(i64::try_from(seconds).unwrap_or(i64::MAX)),
    })
}

/// What it says on stderr is for the person, its exit code for us.
fn by_command(command: &str) -> Check {
    let ended = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    match ended {
        Ok(status) if status.success() => Check::new(
            NAME,
            CheckResult::Pass,
            "the backup command ended with exit code 0",
        ),
        Ok(status) => Check::new(
            NAME,
            CheckResult::Fail,
            format!("the backup command ended with {status}"),
        ),
        Err(error) => Check::new(
            NAME,
            CheckResult::CannotTell,
            format!("the backup command cannot be run: {error}"),
        ),
    }
}
