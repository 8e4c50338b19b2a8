//! What must not matter: where the bytes are cut, by the network or by the engine, and whether there is a terminal.

use migwatch::lines::Framing;
use migwatch::model::log::Stream;
use proptest::prelude::*;

use super::wire::{CUT, Line, cut, framed, line, recorded, stamp, terminal};
use super::{heard, scanner, shorts};

/// Lines of every kind that matters here.
const TEXTS: &[&str] = &[
    "an ordinary line of an application",
    "",
    "Running Alembic migrations...",
    "INFO  [alembic.runtime.migration] Context impl MySQLImpl.",
    "INFO  [alembic.runtime.migration] Running upgrade a1 -> b2, 제목",
    "Skipping Alembic migrations (RUN_MIGRATIONS=false)",
    "[2026-11-23 09:31:06 +0000] [8] [INFO] Booting worker with pid: 8",
    "pymysql.err.OperationalError: (1091, \"Can't DROP INDEX `x`\")",
    "The above exception was the direct cause of the following exception:",
    "  File \"a.py\", line 1, in b",
    "sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (1060, 'Duplicate')",
    "[SQL: ",
    "ALTER TABLE t]",
    "FAILED: Can't locate revision identified by 'x'",
    "2026-11-23T09:31:06.000000001Z a line that begins with a time",
    "half a migration",
    "Generating static SQL",
];

fn any_line() -> impl Strategy<Value = Line> {
    let text = prop_oneof![
        20 => prop::sample::select(TEXTS).prop_map(|text| text.as_bytes().to_vec()),
        2 => prop::collection::vec(any::<u8>().prop_filter("a line has no end inside", |byte| *byte != b'\n'), 0..60),
        1 => (0..3 * CUT, prop::sample::select(TEXTS)).prop_map(|(length, text)| {
            [&vec![b'x'; length][..], b" - ", text.as_bytes()].concat()
        }),
    ];
    (any::<bool>(), 0..1_000_u32, text).prop_map(|(stderr, nanos, text)| Line {
        stream: if stderr { Stream::Stderr } else { Stream::Stdout },
        stamp: stamp(nanos),
        text,
    })
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec(any_line(), 1..40)
}

fn places() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(any::<usize>(), 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn frames_say_the_same_however_they_are_cut(lines in lines(), places in places()) {
        let body = framed(&lines);
        let whole = heard(Framing::Multiplexed, [&body[..]]);
        prop_assert_eq!(&heard(Framing::Multiplexed, cut(&body, &places)), &whole);
        prop_assert_eq!(&heard(Framing::Multiplexed, body.chunks(1)), &whole);
        let mut pieces = scanner(Framing::Multiplexed);
        for piece in cut(&body, &places) {
            pieces.feed(piece, &mut |_| {});
        }
        prop_assert_eq!(pieces.position(), lines.last().and_then(|line| line.stamp.parse().ok()));
        prop_assert_eq!(pieces.first_seen(), lines.first().and_then(|line| line.stamp.parse().ok()));
        prop_assert_eq!(pieces.skipped(), 0);
    }

    #[test]
    fn a_terminal_says_the_same_however_it_is_cut(lines in lines(), places in places()) {
        let body = terminal(&lines);
        for framing in [Framing::Raw, Framing::Plain] {
            let whole = heard(framing, [&body[..]]);
            prop_assert_eq!(&heard(framing, cut(&body, &places)), &whole);
            prop_assert_eq!(&heard(framing, body.chunks(1)), &whole);
        }
        let mut pieces = scanner(Framing::Raw);
        for piece in cut(&body, &places) {
            pieces.feed(piece, &mut |_| {});
        }
        prop_assert_eq!(pieces.position(), lines.last().and_then(|line| line.stamp.parse().ok()));
    }

    #[test]
    fn frames_and_a_terminal_say_the_same(mut lines in lines()) {
        for line in &mut lines {
            line.stream = Stream::Stdout;
            line.text.retain(|byte| *byte != b'\r');
        }
        let framed = heard(Framing::Multiplexed, [&framed(&lines)[..]]);
        prop_assert_eq!(heard(Framing::Raw, [&terminal(&lines)[..]]), framed);
    }

    #[test]
    fn any_bytes_are_survived_and_read_the_same_however_they_are_cut(
        bytes in prop::collection::vec(prop_oneof![3 => 0..4_u8, 1 => any::<u8>(), 1 => Just(b'\n')], 0..2_000),
        places in places(),
    ) {
        for framing in [Framing::Multiplexed, Framing::Raw, Framing::Plain] {
            let mut whole = scanner(framing);
            let mut pieces = scanner(framing);
            whole.feed(&bytes, &mut |_| {});
            for piece in cut(&bytes, &places) {
                pieces.feed(piece, &mut |_| {});
            }
            prop_assert_eq!(pieces.skipped(), whole.skipped());
            prop_assert_eq!(pieces.engine_error(), whole.engine_error());
        }
    }
}

#[test]
fn recorded_logs_say_the_same_one_line_a_chunk() {
    for name in [
        "mariadb_applied",
        "mariadb_drop_missing",
        "postgres_unique",
        "mariadb_offline",
    ] {
        let lines = recorded(name);
        let whole = heard(Framing::Multiplexed, [&framed(&lines)[..]]);
        let bodies: Vec<_> = lines
            .iter()
            .map(|line| framed(std::slice::from_ref(line)))
            .collect();
        assert_eq!(
            heard(Framing::Multiplexed, bodies.iter().map(Vec::as_slice)),
            whole
        );
        assert!(!whole.is_empty());
    }
}

#[test]
fn an_announcement_that_the_engine_cuts_in_two_is_heard_at_every_place_of_the_cut() {
    let words = "Running upgrade a1 -> b2, title";
    for inside in 0..=words.len() {
        let text = format!("{:x<width$}: {words}", "", width = CUT - 2 - inside);
        // Told twice: while everything is listened for, and after the application is up.
        let up = line(1, "Booting worker with pid: 8");
        let lines = [line(0, &text), up, line(2, &text), line(3, "the next line")];
        let expected = ["Upgrade a1 -> b2 | title", "up", "Upgrade a1 -> b2 | title"];
        let frames = heard(Framing::Multiplexed, [&framed(&lines)[..]]);
        assert_eq!(shorts(&frames), expected, "cut after {inside}");
        assert_eq!(
            heard(Framing::Raw, [&terminal(&lines)[..]]),
            frames,
            "cut after {inside}"
        );
    }
}

#[test]
fn parts_of_a_line_on_one_stream_are_joined_across_lines_of_the_other() {
    let long = line(0, &format!("{} Running upgrade a1 -> b2", "x".repeat(CUT)));
    let body = framed(&[long]);
    let first = 8 + 31 + CUT;
    let other = framed(&[Line {
        stream: Stream::Stderr,
        ..line(5, "Skipping migrations")
    }]);
    let mixed = [&body[..first], &other, &body[first..]].concat();
    assert_eq!(
        shorts(&heard(Framing::Multiplexed, [&mixed[..]])),
        ["skipped", "Upgrade a1 -> b2 | -"]
    );
}
