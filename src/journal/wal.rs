//! Looks whether a write-ahead log is whole, before SQLite reads it.
//!
//! SQLite ends silently at the first frame whose checksum is wrong. That is right for the write that a crash cut off, and silent
//! loss when it hides acknowledged transactions behind it. Format: sqlite.org/fileformat2.html, section 4.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// What a log looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Log {
    /// Nothing is missing from it.
    Whole,
    /// Its last write is incomplete.
    Torn,
    /// Transactions are behind a place that cannot be read.
    Damaged,
}

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The magic number whose last bit says that sums are over big-endian words.
const MAGIC: u32 = 0x377f_0682;
/// The largest page of SQLite.
const LARGEST_PAGE: u32 = 65_536;

/// Looks at the log at `path`; a missing or empty one is whole.
pub(super) fn inspect(path: &Path) -> io::Result<Log> {
    let mut file = match File::open(path) {
        Ok(file) => BufReader::new(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Log::Whole),
        Err(error) => return Err(error),
    };
    let mut header = [0; HEADER];
    match filled(&mut file, &mut header)? {
        0 => return Ok(Log::Whole),
        // Shorter than its header: the first write after an empty log was cut off.
        short if short < HEADER => return Ok(Log::Torn),
        _ => {}
    }
    match Header::read(&header) {
        Some(header) => frames(&mut file, &header),
        None => Ok(Log::Damaged),
    }
}

/// The parts of a log's header that its frames must agree with.
struct Header {
    big_endian: bool,
    page: usize,
    salts: (u32, u32),
    sums: (u32, u32),
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut words = words(bytes, true);
        let (magic, _version, page, _checkpoint) =
            (words.next()?, words.next()?, words.next()?, words.next()?);
        let salts = (words.next()?, words.next()?);
        let sums = (words.next()?, words.next()?);
        let big_endian = magic == MAGIC | 1;
        let known = magic == MAGIC || big_endian;
        let computed = sum((0, 0), bytes.get(..HEADER - 8)?, big_endian);
        let whole = known && computed == sums && page.is_power_of_two() && page <= LARGEST_PAGE;
        whole.then_some(Self {
            big_endian,
            page: usize::try_from(page).ok()?,
            salts,
            sums,
        })
    }
}

/// Follows the frames as SQLite does, and then looks on where it would stop.
fn frames(file: &mut impl Read, header: &Header) -> io::Result<Log> {
    let mut frame = vec![0; FRAME_HEADER + header.page];
    let (mut sums, mut broken, mut lost_commits) = (header.sums, false, 0_u32);
    loop {
        let length = filled(file, &mut frame)?;
        let Some(own) = Frame::read(frame.get(..length).unwrap_or_default(), header) else {
            break;
        };
        let whole = length == frame.len() && !broken && own.follows(&frame, header, &mut sums);
        broken = broken || !whole;
        if broken && own.commit {
            lost_commits += 1;
        }
    }
    Ok(match (broken, lost_commits) {
        (false, _) => Log::Whole,
        // Only the last transaction can have been under way: every earlier one was synced before it began.
        (true, 0 | 1) => Log::Torn,
        (true, _) => Log::Damaged,
    })
}

/// A frame of this log's generation; what a former generation left behind is none.
struct Frame {
    commit: bool,
    salts: (u32, u32),
    sums: (u32, u32),
}

impl Frame {
    /// One right salt is enough: the other may be what is damaged.
    fn read(bytes: &[u8], header: &Header) -> Option<Self> {
        let mut words = words(bytes, true);
        let (_page, size) = (words.next()?, words.next()?);
        let salts = (words.next()?, words.next()?);
        let sums = (words.next()?, words.next()?);
        let ours = salts.0 == header.salts.0 || salts.1 == header.salts.1;
        ours.then_some(Self {
            commit: size != 0,
            salts,
            sums,
        })
    }

    /// Whether the frame's sum continues the former ones.
    fn follows(&self, bytes: &[u8], header: &Header, sums: &mut (u32, u32)) -> bool {
        let (Some(head), Some(page)) = (bytes.get(..8), bytes.get(FRAME_HEADER..)) else {
            return false;
        };
        *sums = sum(sum(*sums, head, header.big_endian), page, header.big_endian);
        self.salts == header.salts && *sums == self.sums
    }
}

/// SQLite's checksum over pairs of words.
fn sum((mut first, mut second): (u32, u32), bytes: &[u8], big_endian: bool) -> (u32, u32) {
    let mut words = words(bytes, big_endian);
    while let (Some(a), Some(b)) = (words.next(), words.next()) {
        first = first.wrapping_add(a).wrapping_add(second);
        second = second.wrapping_add(b).wrapping_add(first);
    }
    (first, second)
}

fn words(bytes: &[u8], big_endian: bool) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(4).filter_map(move |chunk| {
        let word: [u8; 4] = chunk.try_into().ok()?;
        Some(if big_endian {
            u32::from_be_bytes(word)
        } else {
            u32::from_le_bytes(word)
        })
    })
}

/// Reads until `buffer` is full or the file ends; the number of bytes read.
fn filled(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::{FRAME_HEADER, HEADER, Log, inspect};
    use rusqlite::Connection;

    /// A log of three transactions as SQLite writes it, with the length of a frame.
    fn log() -> (tempfile::TempDir, Vec<u8>, usize) {
        let dir = tempfile::TempDir::new().unwrap();
        let connection = Connection::open(dir.path().join("db")).unwrap();
        let page: u32 = connection
            .pragma_query_value(None, "page_size", |row| row.get(0))
            .unwrap();
        connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
            .unwrap();
        connection
            .execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)")
            .unwrap();
        let bytes = std::fs::read(dir.path().join("db-wal")).unwrap();
        (dir, bytes, FRAME_HEADER + page as usize)
    }

    fn looked_at(bytes: &[u8]) -> Log {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        inspect(file.path()).unwrap()
    }

    #[test]
    fn a_log_as_sqlite_writes_it_is_whole_and_so_is_one_that_ends_between_transactions() {
        let (_dir, bytes, frame) = log();
        assert_eq!(looked_at(&bytes), Log::Whole);
        assert_eq!(looked_at(&bytes[..bytes.len() - frame]), Log::Whole);
        assert_eq!(looked_at(&[]), Log::Whole);
        assert_eq!(
            inspect(std::path::Path::new("/nowhere/at/all")).unwrap(),
            Log::Whole
        );
    }

    #[test]
    fn only_the_last_write_can_have_been_cut_off() {
        let (_dir, bytes, frame) = log();
        assert_eq!(looked_at(&bytes[..bytes.len() - frame / 2]), Log::Torn);
        assert_eq!(looked_at(&bytes[..HEADER / 2]), Log::Torn);
        for (place, expected) in [
            (bytes.len() - 1, Log::Torn),
            (HEADER + frame - 1, Log::Damaged),
            (20, Log::Damaged),
        ] {
            let mut changed = bytes.clone();
            changed[place] ^= 0x40;
            assert_eq!(looked_at(&changed), expected, "at {place}");
        }
    }

    #[test]
    fn what_a_former_generation_left_behind_is_not_looked_at() {
        let (_dir, mut bytes, frame) = log();
        let (_other_dir, other, other_frame) = log();
        assert_eq!(frame, other_frame);
        bytes.extend_from_slice(&other[HEADER..]);
        assert_eq!(looked_at(&bytes), Log::Whole);
    }
}
