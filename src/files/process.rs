//! One local process: which files are its log, in which order they are read, and how that stands.
//!
//! Promises that a file which was rotated away is read to its end before the one that took its name. Refuses to wait for the disk in async
//! code.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

use super::look::{self, Found, is_same};
use super::paths::LogPath;
use super::tail::{Begin, Said, Tail};
use super::{Process, Wiring};
use crate::model::file::{FileId, FilePosition};
use crate::model::fnv::Fnv;
use crate::model::observation::{LogStatus, Observation};

/// A file that lost its name is written to until its writer opens the new one; after so long in silence it is done.
const ROTATED: Duration = Duration::from_secs(10);
/// Between two files of one name there is none for a moment: that is no news before so long.
const MISSING: Duration = Duration::from_secs(5);
/// How often it is told how far a log without news was read.
const PROGRESS: Duration = Duration::from_secs(1);

/// A process and its open files.
pub(super) struct Followed {
    process: Process,
    /// Those without a name first.
    open: Vec<Open>,
    folders: BTreeSet<PathBuf>,
    /// Files that are there and could not be read so far: what they hold is not new.
    blocked: BTreeSet<PathBuf>,
    /// Everything was looked at once: what comes now is new.
    begun: bool,
    missing_since: Option<Instant>,
    told: Option<LogStatus>,
    progress_at: Instant,
}

/// An open file.
struct Open {
    tail: Tail,
    /// Since when it has no name that is looked for.
    nameless: Option<Instant>,
}

/// What is to be told of one file.
struct Report {
    file: FileId,
    said: Vec<Said>,
    position: FilePosition,
    bytes: u64,
}

/// What came of a turn at all files.
struct Turn {
    open: Vec<Open>,
    reports: Vec<Report>,
    problem: Option<String>,
    is_more: bool,
}

impl Followed {
    pub(super) fn new(process: Process) -> Self {
        Self {
            process,
            open: Vec::new(),
            folders: BTreeSet::new(),
            blocked: BTreeSet::new(),
            begun: false,
            missing_since: None,
            told: None,
            progress_at: Instant::now(),
        }
    }

    pub(super) fn log(&self) -> &LogPath {
        &self.process.log
    }

    /// The folders in which something may happen to its files.
    pub(super) fn folders(&self) -> impl Iterator<Item = PathBuf> + '_ {
        self.folders.iter().cloned()
    }

    /// When something is to be said that waits.
    pub(super) fn waits_until(&self) -> Option<Instant> {
        self.open.iter().filter_map(|open| open.tail.waits_until()).min()
    }

    /// Looks which files there are, and opens those that are new.
    pub(super) async fn look(&mut self, wiring: &Wiring) {
        let log = self.process.log.clone();
        let Ok(found) = tokio::task::spawn_blocking(move || look::look(&log)).await else {
            return;
        };
        let Found {
            files,
            blocked,
            folders,
            mut problem,
        } = found;
        self.folders = folders;
        let now = Instant::now();
        for open in &mut self.open {
            match files.iter().find(|(_, id)| is_same(id, &open.tail.id)) {
                Some((_, id)) => (open.tail.id, open.nameless) = (id.clone(), None),
                None => open.nameless = open.nameless.or(Some(now)),
            }
        }
        self.open.sort_by_key(|open| open.nameless.is_none());
        for (path, id) in files {
            if !self.has(&id) {
                problem = self.begin(path, &id, wiring).await.or(problem);
            }
        }
        self.begun = true;
        self.blocked.extend(blocked);
        self.tell_status(problem, wiring).await;
    }

    fn has(&self, id: &FileId) -> bool {
        self.open.iter().any(|open| is_same(&open.tail.id, id))
    }

    /// Opens a file that is not open yet; what is wrong with it.
    async fn begin(&mut self, path: PathBuf, id: &FileId, wiring: &Wiring) -> Option<String> {
        let is_new = self.begun && !self.blocked.contains(&path);
        let kept = (wiring.resume)(&self.process.id, id).filter(|_| !is_new);
        let (begin, has_lost) = match &kept {
            Some(position) if is_same(&position.file, id) => (Begin::At(position.offset), false),
            Some(position) => {
                let has_lost = !self.begin_rotated(path.clone(), position, wiring).await;
                (Begin::At(0), has_lost)
            }
            None if is_new => (Begin::At(0), false),
            None => (Begin::End, false),
        };
        match self.open(path.clone(), begin, None, wiring).await {
            Ok(is_cut) => {
                self.blocked.remove(&path);
                if has_lost || is_cut {
                    self.tell_gap(wiring).await;
                }
                None
            }
            Err(problem) => {
                self.blocked.insert(path);
                Some(problem)
            }
        }
    }

    /// Opens the rest of what was rotated away from `path` while nobody watched; whether it is there to be read.
    async fn begin_rotated(&mut self, path: PathBuf, position: &FilePosition, wiring: &Wiring) -> bool {
        if self.has(&position.file) {
            return true;
        }
        let file = position.file.clone();
        let found = tokio::task::spawn_blocking(move || look::find(path.parent()?, &file)).await;
        let Some(path) = found.ok().flatten() else {
            return false;
        };
        let (begin, nameless) = (Begin::At(position.offset), Some(Instant::now()));
        self.open(path, begin, nameless, wiring)
            .await
            .is_ok_and(|is_cut| !is_cut)
    }

    /// Whether it was cut since it was read up to where it is to begin; or what is wrong with it.
    async fn open(
        &mut self,
        path: PathBuf,
        begin: Begin,
        nameless: Option<Instant>,
        wiring: &Wiring,
    ) -> Result<bool, String> {
        let (patterns, now) = (wiring.patterns.clone(), Instant::now());
        let opening =
            move || Tail::open(&path, begin, patterns, now).map_err(|error| look::explain(&path, &error));
        let opened = tokio::task::spawn_blocking(opening).await;
        let tail = opened.map_err(|error| error.to_string()).flatten()?;
        let position = tail.position();
        let is_cut = matches!(begin, Begin::At(offset) if offset != position.offset);
        self.open.push(Open { tail, nameless });
        self.tell_progress(wiring, position, 0).await;
        Ok(is_cut)
    }

    async fn tell_gap(&self, wiring: &Wiring) {
        let process = self.process.id.clone();
        tracing::warn!(%process, "a log file was cut or rotated away before it was read to its end: the rest is lost");
        let at = wiring.clock.now();
        send(wiring, Observation::ProcessLogGap { process, at }).await;
    }

    /// Reads every file for a turn; whether there is more.
    pub(super) async fn read(&mut self, wiring: &Wiring) -> bool {
        let now = Instant::now();
        let is_due = now.duration_since(self.progress_at) >= PROGRESS;
        let open = std::mem::take(&mut self.open);
        let Ok(turn) = tokio::task::spawn_blocking(move || turn(open, now, is_due)).await else {
            tracing::error!(process = %self.process.id, "reading a log failed; its files are opened anew");
            self.begun = false;
            return false;
        };
        self.open = turn.open;
        self.tell(turn.reports, wiring).await;
        if turn.problem.is_some() {
            self.tell_status(turn.problem, wiring).await;
        }
        turn.is_more
    }

    /// Says what waited for lines that do not come.
    pub(super) async fn flush(&mut self, wiring: &Wiring) {
        let now = Instant::now();
        let mut reports = Vec::new();
        for Open { tail, .. } in &mut self.open {
            if tail.waits_until().is_some_and(|until| until <= now) {
                let mut said = Vec::new();
                tail.flush(&mut said);
                reports.push(Report::of(tail, said, true));
            }
        }
        self.tell(reports, wiring).await;
    }

    /// The last word: how far each file was read.
    pub(super) async fn leave(&mut self, wiring: &Wiring) {
        for Open { mut tail, .. } in std::mem::take(&mut self.open) {
            let report = Report::of(&mut tail, Vec::new(), true);
            self.tell(vec![report], wiring).await;
        }
    }

    async fn tell(&mut self, reports: Vec<Report>, wiring: &Wiring) {
        let at = wiring.clock.now();
        for report in reports {
            let position = |offset| FilePosition {
                file: report.file.clone(),
                offset,
            };
            for said in report.said {
                match said {
                    Said::Anew { has_lost } => {
                        if has_lost {
                            self.tell_gap(wiring).await;
                        }
                        self.tell_progress(wiring, position(0), 0).await;
                    }
                    Said::Line(offset, mut line) => {
                        line.key.at = at;
                        line.key.hash = unique(line.key.hash, &report.file, offset);
                        let observation = Observation::ProcessLine {
                            process: self.process.id.clone(),
                            position: position(offset),
                            line,
                        };
                        send(wiring, observation).await;
                    }
                }
            }
            if report.bytes > 0 {
                self.progress_at = Instant::now();
                self.tell_progress(wiring, report.position, report.bytes).await;
            }
        }
    }

    async fn tell_progress(&self, wiring: &Wiring, position: FilePosition, bytes: u64) {
        let observation = Observation::ProcessRead {
            process: self.process.id.clone(),
            position,
            bytes,
        };
        send(wiring, observation).await;
    }

    async fn tell_status(&mut self, problem: Option<String>, wiring: &Wiring) {
        let now = Instant::now();
        let was_unreadable = matches!(self.told, Some(LogStatus::Unreadable { .. }));
        let status = match problem {
            None if self.open.iter().any(|open| open.nameless.is_none()) => LogStatus::Following {
                reconnect: was_unreadable,
            },
            problem => LogStatus::Unreadable {
                reason: problem.unwrap_or_else(|| format!("no file matches {}", self.process.log)),
            },
        };
        let process = self.process.id.clone();
        if let LogStatus::Unreadable { reason } = &status {
            let since = *self.missing_since.get_or_insert(now);
            let was_read = self.told.is_some() && !was_unreadable;
            if self.told.as_ref() == Some(&status) || (was_read && now.duration_since(since) < MISSING) {
                return;
            }
            if !was_unreadable {
                tracing::warn!(%process, reason, "a process's log cannot be read; it is tried again");
            }
        } else {
            self.missing_since = None;
            if matches!(self.told, Some(LogStatus::Following { .. })) {
                return;
            }
            if was_unreadable {
                tracing::info!(%process, "the process's log can be read");
            }
        }
        self.told = Some(status.clone());
        send(wiring, Observation::ProcessLogStatus { process, status }).await;
    }
}

impl Report {
    /// Of one file; whether its progress is told too.
    fn of(tail: &mut Tail, said: Vec<Said>, with_progress: bool) -> Self {
        let bytes = if with_progress || !said.is_empty() {
            std::mem::take(&mut tail.unreported)
        } else {
            0
        };
        Self {
            file: tail.id.clone(),
            said,
            position: tail.position(),
            bytes,
        }
    }
}

async fn send(wiring: &Wiring, observation: Observation) {
    // A closed inbox means that the daemon stops; so does this edge, right after.
    let _ = wiring.inbox.send(observation).await;
}

/// Reads files in their order. One without a name that holds more makes the others wait: its lines are older.
fn turn(files: Vec<Open>, now: Instant, is_due: bool) -> Turn {
    let mut turn = Turn {
        open: Vec::new(),
        reports: Vec::new(),
        problem: None,
        is_more: false,
    };
    let mut waits = false;
    for Open { mut tail, nameless } in files {
        if waits {
            turn.open.push(Open { tail, nameless });
            continue;
        }
        let mut said = Vec::new();
        let read = tail.read(now, &mut said);
        let silent_since = nameless.map(|since| since.max(tail.grew));
        let is_done = matches!(read, Ok(false))
            && silent_since.is_some_and(|since| now.duration_since(since) >= ROTATED);
        if is_done {
            tail.end(now, &mut said);
        }
        turn.reports.push(Report::of(&mut tail, said, is_due || is_done));
        match read {
            Ok(is_more) => {
                turn.is_more |= is_more;
                waits = is_more && nameless.is_some();
            }
            Err(error) => turn.problem = Some(look::explain(tail.id.path.as_ref(), &error)),
        }
        if !is_done {
            turn.open.push(Open { tail, nameless });
        }
    }
    turn
}

/// Equal lines of one file are different lines: their time is only that of the reading.
fn unique(hash: u64, id: &FileId, offset: u64) -> u64 {
    let mut unique = Fnv::default();
    for number in [hash, id.device, id.inode, offset] {
        unique.number(number);
    }
    unique.hash()
}
