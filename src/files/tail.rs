//! One open log file, read from a position on: whole lines, understood, each with the position behind it.
//!
//! Promises bounded memory whatever is in the file, and to notice when it was written anew from its beginning, also if it has grown beyond
//! the old position since. Refuses to know names: a file stays the same file whatever it is called. It waits for the disk: not for async code.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::lines::{Framing, Patterns, Scanner};
use crate::model::file::{FileId, FilePosition};
use crate::model::log::LogLine;

/// How much is read at once.
const CHUNK: usize = 64 * 1024;
/// How many times it is read before others have their turn.
const TURN: usize = 16;
/// What is kept of a line; its end is found in any case. The scanner keeps no more.
const LONGEST_LINE: usize = 64 * 1024;
/// So many bytes before the position must still be what they were.
const ANCHOR: usize = 64;
/// How long an error waits for the line behind it, which may be its statement.
const SAYING_GRACE: Duration = Duration::from_millis(500);

/// What a file said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A line, and the offset behind it.
    Line(u64, LogLine),
    /// It was written anew: what follows counts from its beginning.
    Anew {
        /// There was more to be read before.
        has_lost: bool,
    },
}

/// Where a file is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// At its last line's end: what it holds is history.
    End,
    /// At this offset.
    At(u64),
}

/// An open file.
pub(super) struct Tail {
    pub(super) id: FileId,
    file: File,
    /// How far it was read.
    offset: u64,
    /// The last bytes before `offset`.
    anchor: Vec<u8>,
    /// Where the line begins that is not whole yet.
    line_start: u64,
    /// What there is of that line, cut.
    line: Vec<u8>,
    scanner: Scanner,
    patterns: Arc<Patterns>,
    /// Where the line begins that waits in the scanner, and since when.
    held: Option<(u64, Instant)>,
    /// The last turn left something for the next one.
    is_behind: bool,
    /// When it was last seen to grow.
    pub(super) grew: Instant,
    /// Bytes read since the last report.
    pub(super) unreported: u64,
}

impl Tail {
    /// Opens `path`. It is what is opened that counts, whatever lay there a moment ago.
    ///
    /// # Errors
    /// Those of the system.
    pub(super) fn open(path: &Path, begin: Begin, patterns: Arc<Patterns>, now: Instant) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        let id = FileId {
            path: path.to_string_lossy().into_owned(),
            device: metadata.dev(),
            inode: metadata.ino(),
        };
        let offset = match begin {
            Begin::End => last_line_end(&file, metadata.len())?,
            // A position is the end of a line. Else this is another file, with the number of the old one.
            Begin::At(offset) if is_line_end(&file, offset)? => offset,
            Begin::At(_) => 0,
        };
        Ok(Self {
            anchor: before(&file, offset, ANCHOR)?,
            id,
            file,
            offset,
            line_start: offset,
            line: Vec::new(),
            scanner: Scanner::new(Arc::clone(&patterns), Framing::Plain),
            patterns,
            held: None,
            is_behind: false,
            grew: now,
            unreported: 0,
        })
    }

    /// Where to go on after a restart: behind the last line that was said, or that says nothing.
    pub(super) fn position(&self) -> FilePosition {
        let held = self.held.map(|(start, _)| start);
        FilePosition {
            file: self.id.clone(),
            offset: held.unwrap_or(self.line_start),
        }
    }

    /// When what waits for the next line is said without it.
    pub(super) fn waits_until(&self) -> Option<Instant> {
        self.held.map(|(_, since)| since + SAYING_GRACE)
    }

    /// Reads what there is, for one turn; whether there is more.
    ///
    /// # Errors
    /// Those of the system.
    pub(super) fn read(&mut self, now: Instant, said: &mut Vec<Said>) -> io::Result<bool> {
        let length = self.file.metadata()?.len();
        if length == self.offset {
            return Ok(false);
        }
        self.grew = now;
        if length < self.offset || before(&self.file, self.offset, ANCHOR)? != self.anchor {
            self.begin_anew(said);
        }
        let mut chunk = vec![0; CHUNK];
        for _ in 0..TURN {
            let filled = self.file.read_at(&mut chunk, self.offset)?;
            self.is_behind = filled > 0;
            if !self.is_behind {
                break;
            }
            self.take(chunk.get(..filled).unwrap_or_default(), now, said);
        }
        Ok(self.is_behind)
    }

    /// Says what waits for the next line.
    pub(super) fn flush(&mut self, said: &mut Vec<Said>) {
        let behind = self.line_start;
        self.scanner
            .flush(&mut |line| said.push(Said::Line(behind, line)));
        self.held = None;
    }

    /// Nobody writes here any more: a last line without an end is a line.
    pub(super) fn end(&mut self, now: Instant, said: &mut Vec<Said>) {
        if !self.line.is_empty() {
            self.end_line(now, said);
        }
        self.flush(said);
    }

    fn begin_anew(&mut self, said: &mut Vec<Said>) {
        tracing::debug!(path = self.id.path, "a log file was written anew");
        self.flush(said);
        said.push(Said::Anew {
            has_lost: std::mem::take(&mut self.is_behind),
        });
        (self.offset, self.line_start) = (0, 0);
        self.anchor.clear();
        self.line.clear();
        self.scanner = Scanner::new(Arc::clone(&self.patterns), Framing::Plain);
    }

    fn take(&mut self, chunk: &[u8], now: Instant, said: &mut Vec<Said>) {
        self.unreported = self.unreported.saturating_add(length(chunk));
        for part in chunk.split_inclusive(|byte| *byte == b'\n') {
            self.offset = self.offset.saturating_add(length(part));
            let text = if self.line.is_empty() {
                without_hole(part)
            } else {
                part
            };
            let room = LONGEST_LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(text.get(..room).unwrap_or(text));
            if part.ends_with(b"\n") {
                self.end_line(now, said);
            }
        }
        let new = chunk
            .get(chunk.len().saturating_sub(ANCHOR)..)
            .unwrap_or_default();
        self.anchor.extend_from_slice(new);
        self.anchor.drain(..self.anchor.len().saturating_sub(ANCHOR));
    }

    fn end_line(&mut self, now: Instant, said: &mut Vec<Said>) {
        let (start, behind) = (self.line_start, self.offset);
        self.line_start = behind;
        if !self.line.ends_with(b"\n") {
            self.line.push(b'\n');
        }
        let mut waited = self.held.is_some();
        let before = said.len();
        self.scanner.feed(&self.line, &mut |line| {
            // What waited is said first, and by then everything before this line is taken in.
            let position = if std::mem::take(&mut waited) {
                start
            } else {
                behind
            };
            said.push(Said::Line(position, line));
        });
        let goes_on = self.held.filter(|_| said.len() == before);
        self.held = self.scanner.is_waiting().then(|| goes_on.unwrap_or((start, now)));
        self.line.clear();
        self.line.shrink_to(CHUNK / 16);
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// A writer that does not append leaves a hole of zeros where a file was cut.
fn without_hole(part: &[u8]) -> &[u8] {
    let zeros = part.iter().take_while(|byte| **byte == 0).count();
    part.get(zeros..).unwrap_or_default()
}

/// At most `most` bytes before `offset`; fewer if the file is shorter by now.
fn before(file: &File, offset: u64, most: usize) -> io::Result<Vec<u8>> {
    let wanted = usize::try_from(offset).unwrap_or(most).min(most);
    let mut bytes = vec![0; wanted];
    let from = offset.saturating_sub(length(&bytes));
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(
            rest,
            from.saturating_add(u64::try_from(filled).unwrap_or_default()),
        )? {
            0 => break,
            more => filled += more,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// Whether a line ends there, or the file begins.
fn is_line_end(file: &File, offset: u64) -> io::Result<bool> {
    Ok(offset == 0 || before(file, offset, 1)? == b"\n")
}

/// Where the last whole line ends: what is behind it is still being written.
fn last_line_end(file: &File, end: u64) -> io::Result<u64> {
    let last = before(file, end, LONGEST_LINE)?;
    let unfinished =
        memchr::memrchr(b'\n', &last).map_or(last.as_slice(), |at| last.get(at + 1..).unwrap_or_default());
    Ok(end.saturating_sub(length(unfinished)))
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write as _;
    use std::path::Path;
    use std::sync::Arc;

    use tokio::time::Instant;

    use super::{Begin, CHUNK, LONGEST_LINE, Said, TURN, Tail, last_line_end};
    use crate::lines::Patterns;
    use crate::model::log::Saying;

    const ERROR: &str =
        "sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (1091, \"Can't DROP INDEX `x`\")\n";

    fn append(path: &Path, text: &[u8]) {
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.unwrap().write_all(text).unwrap();
    }

    fn open(path: &Path, begin: Begin) -> Tail {
        Tail::open(path, begin, Arc::new(Patterns::builtin()), Instant::now()).unwrap()
    }

    #[tokio::test]
    async fn a_position_never_lies_behind_what_was_not_said_yet() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.log");
        append(&path, b"before\n");
        let mut tail = open(&path, Begin::At(0));
        append(&path, ERROR.as_bytes());
        let mut said = Vec::new();
        tail.read(Instant::now(), &mut said).unwrap();
        assert!(said.is_empty(), "{said:?}");
        assert_eq!(tail.position().offset, 7, "the error waits for its statement");
        tail.flush(&mut said);
        let behind = 7 + u64::try_from(ERROR.len()).unwrap();
        assert!(
            matches!(&said[..], [Said::Line(at, line)] if *at == behind && matches!(line.saying, Saying::Failed(_))),
            "{said:?}"
        );
        assert_eq!(tail.position().offset, behind);
    }

    #[tokio::test]
    async fn what_waited_and_the_line_that_ends_its_wait_have_positions_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.log");
        append(&path, ERROR.as_bytes());
        append(&path, "⬆️ Alembic 마이그레이션 적용 중...\n".as_bytes());
        let mut tail = open(&path, Begin::At(0));
        let mut said = Vec::new();
        tail.read(Instant::now(), &mut said).unwrap();
        let error = u64::try_from(ERROR.len()).unwrap();
        let positions: Vec<u64> = said
            .iter()
            .map(|said| match said {
                Said::Line(at, _) => *at,
                Said::Anew { .. } => 0,
            })
            .collect();
        assert_eq!(positions, [error, std::fs::metadata(&path).unwrap().len()]);
    }

    #[tokio::test]
    async fn what_is_cut_off_before_it_was_read_is_lost_and_what_was_read_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.log");
        append(&path, &vec![b'\n'; CHUNK * (TURN + 1)]);
        let mut tail = open(&path, Begin::At(0));
        for has_lost in [true, false] {
            tail.read(Instant::now(), &mut Vec::new()).unwrap();
            std::fs::write(&path, "anew\n").unwrap();
            let mut said = Vec::new();
            tail.read(Instant::now(), &mut said).unwrap();
            assert_eq!(said, [Said::Anew { has_lost }]);
            std::fs::write(&path, "once more\n").unwrap();
            tail.read(Instant::now(), &mut Vec::new()).unwrap();
        }
    }

    #[tokio::test]
    async fn memory_is_bounded_whatever_a_line_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.log");
        append(&path, &vec![b'x'; 4 * LONGEST_LINE]);
        let mut tail = open(&path, Begin::At(0));
        tail.read(Instant::now(), &mut Vec::new()).unwrap();
        assert!(
            tail.line.capacity() <= 2 * LONGEST_LINE,
            "{}",
            tail.line.capacity()
        );
        append(&path, b"\n");
        tail.read(Instant::now(), &mut Vec::new()).unwrap();
        assert!(tail.line.capacity() < CHUNK);
    }

    #[test]
    fn the_line_that_is_still_being_written_is_no_history() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.log");
        for (content, expected) in [("", 0), ("a\nb\n", 4), ("a\nb", 2), ("a", 0)] {
            std::fs::write(&path, content).unwrap();
            let file = std::fs::File::open(&path).unwrap();
            let length = file.metadata().unwrap().len();
            assert_eq!(last_line_end(&file, length).unwrap(), expected, "{content:?}");
        }
    }
}
