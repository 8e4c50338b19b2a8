//! Writes lines as the engine sends them: frames, terminals, lines cut at 16 KiB with the time repeated.

use migwatch::model::log::Stream;

/// Where the engine cuts.
pub(crate) const CUT: usize = 16 * 1024;

/// One line as a container wrote it.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) stream: Stream,
    pub(crate) stamp: String,
    pub(crate) text: Vec<u8>,
}

/// The line `text` on stdout, written `nanos` after the start of a certain second.
pub(crate) fn line(nanos: u32, text: &str) -> Line {
    Line {
        stream: Stream::Stdout,
        stamp: stamp(nanos),
        text: text.into(),
    }
}

pub(crate) fn stamp(nanos: u32) -> String {
    format!("2026-11-23T09:31:06.{nanos:09}Z")
}

/// The recorded log `tests/fixtures/logs/NAME.log`: stream, time and text a line.
pub(crate) fn recorded(name: &str) -> Vec<Line> {
    let path = format!("{}/tests/fixtures/logs/{name}.log", env!("CARGO_MANIFEST_DIR"));
    let recorded = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("read {path}: {error}"));
    let lines = recorded.lines().map(|line| {
        let mut parts = line.splitn(3, ' ');
        let stream = if parts.next() == Some("stdout") {
            Stream::Stdout
        } else {
            Stream::Stderr
        };
        let stamp = parts.next().unwrap_or_default().to_owned();
        Line {
            stream,
            stamp,
            text: parts.next().unwrap_or_default().into(),
        }
    });
    lines.collect()
}

/// The body of a log without a terminal.
pub(crate) fn framed(lines: &[Line]) -> Vec<u8> {
    let mut body = Vec::new();
    for line in lines {
        let whole = [&line.text[..], b"\n"].concat();
        let number = if line.stream == Stream::Stdout { 1 } else { 2 };
        for part in whole.chunks(CUT) {
            body.extend(frame(number, &[line.stamp.as_bytes(), b" ", part].concat()));
        }
    }
    body
}

/// One frame.
pub(crate) fn frame(stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len())
        .expect("a frame of a test is short")
        .to_be_bytes();
    [&[stream, 0, 0, 0], &length[..], payload].concat()
}

/// The body of a log with a terminal.
pub(crate) fn terminal(lines: &[Line]) -> Vec<u8> {
    let mut body = Vec::new();
    for line in lines {
        let whole = [&line.text[..], b"\r\n"].concat();
        for part in whole.chunks(CUT) {
            body.extend([line.stamp.as_bytes(), b" ", part].concat());
        }
    }
    body
}

/// `bytes` cut at `places`, each modulo its length.
pub(crate) fn cut<'a>(bytes: &'a [u8], places: &[usize]) -> Vec<&'a [u8]> {
    let mut places: Vec<_> = places.iter().map(|place| place % bytes.len().max(1)).collect();
    places.sort_unstable();
    let mut pieces = Vec::new();
    let mut from = 0;
    for place in places {
        pieces.push(&bytes[from..place]);
        from = place;
    }
    pieces.push(&bytes[from..]);
    pieces
}
