//! Which of several equal lines of one second this is, for engines whose times are whole seconds (Podman).

use crate::model::log::Stream;
use crate::model::time::Timestamp;

/// How many different lines of one second are told apart. Only understood lines count, so that more is no migration but a flood;
/// what goes beyond gets ordinal 0.
const DIFFERENT_LINES: usize = 256;

/// The understood lines of the present second, one of these a stream.
#[derive(Debug, Default)]
pub(super) struct Equals {
    second: Option<Timestamp>,
    seen: Vec<(u64, u32)>,
}

/// Equals of both streams.
#[derive(Debug, Default)]
pub(super) struct EqualsByStream([Equals; 2]);

impl EqualsByStream {
    /// 0 for the first line with this hash in this second on this stream, 1 for the next.
    pub(super) fn ordinal(&mut self, at: Timestamp, stream: Stream, hash: u64) -> u32 {
        let [stdout, stderr] = &mut self.0;
        let equals = match stream {
            Stream::Stdout => stdout,
            Stream::Stderr => stderr,
        };
        if equals.second != Some(at) {
            equals.second = Some(at);
            equals.seen.clear();
        }
        if let Some((_, count)) = equals.seen.iter_mut().find(|(seen, _)| *seen == hash) {
            *count = count.saturating_add(1);
            return *count;
        }
        if equals.seen.len() < DIFFERENT_LINES {
            equals.seen.push((hash, 0));
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::{DIFFERENT_LINES, EqualsByStream};
    use crate::model::log::Stream;
    use crate::model::time::Timestamp;

    #[test]
    fn equal_lines_of_one_second_and_stream_are_counted_up() {
        let mut equals = EqualsByStream::default();
        let second = Timestamp::from_seconds(1);
        assert_eq!(equals.ordinal(second, Stream::Stdout, 7), 0);
        assert_eq!(equals.ordinal(second, Stream::Stdout, 7), 1);
        assert_eq!(equals.ordinal(second, Stream::Stderr, 7), 0);
        assert_eq!(equals.ordinal(second, Stream::Stdout, 8), 0);
        assert_eq!(equals.ordinal(Timestamp::from_seconds(2), Stream::Stdout, 7), 0);
    }

    #[test]
    fn a_flood_of_different_lines_does_not_grow_the_memory() {
        let mut equals = EqualsByStream::default();
        for hash in 0..10_000 {
            assert_eq!(
                equals.ordinal(Timestamp::from_seconds(1), Stream::Stdout, hash),
                0
            );
        }
        assert_eq!(equals.0[0].seen.len(), DIFFERENT_LINES);
    }
}
