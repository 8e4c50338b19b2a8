//! What goes wrong on the way: damaged frames, the engine's own errors, endless lines, repeated lines, silence.

use migwatch::lines::Framing;
use migwatch::model::log::LogLine;

use super::wire::{Line, frame, framed, line, terminal};
use super::{heard, scanner, short, shorts};

#[test]
fn behind_a_damaged_frame_the_next_good_one_is_heard() {
    let before = framed(&[line(0, "Running migrations")]);
    let after = framed(&[line(1, "Skipping migrations")]);
    for damage in [
        &[9, 0, 0, 0, 0, 0, 0, 1][..],
        &[1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
        b"some text that is no frame at all",
        b"\x01\x00\x00\x01\x00\x00\x00\x00\x01\x00\x00",
    ] {
        let body = [&before[..], damage, &after].concat();
        let mut scanner = scanner(Framing::Multiplexed);
        let mut said = Vec::new();
        scanner.feed(&body, &mut |line| said.push(short(&line)));
        assert_eq!(said, ["running", "skipped"], "{damage:?}");
        assert_eq!(scanner.skipped(), damage.len() as u64, "{damage:?}");
    }
}

#[test]
fn the_engines_own_error_is_kept_apart_and_the_lines_go_on() {
    let body = [
        frame(3, b"error grabbing logs: invalid character 'x' password=s3cret\n"),
        framed(&[line(0, "Running migrations")]),
    ]
    .concat();
    let mut scanner = scanner(Framing::Multiplexed);
    let mut said = Vec::new();
    scanner.feed(&body, &mut |line| said.push(short(&line)));
    assert_eq!(
        scanner.engine_error(),
        Some("error grabbing logs: invalid character 'x' password=***")
    );
    assert_eq!(said, ["running"]);
}

#[test]
fn a_line_without_end_is_cut_off_and_the_next_line_heard() {
    let endless = "Running migrations ".to_owned() + &"x".repeat(3_000_000);
    let lines = [line(0, &endless), line(1, "Skipping migrations")];
    let frames = heard(Framing::Multiplexed, framed(&lines).chunks(4096));
    assert_eq!(shorts(&frames).last().map(String::as_str), Some("skipped"));
    assert_eq!(heard(Framing::Raw, terminal(&lines).chunks(4096)), frames);
}

#[test]
fn a_line_that_its_container_did_not_finish_is_a_line_of_its_own() {
    let unfinished = frame(1, format!("{} Running migrations", line(0, "").stamp).as_bytes());
    let next = framed(&[line(7, "Skipping migrations")]);
    let body = [&unfinished[..], &next].concat();
    assert_eq!(
        shorts(&heard(Framing::Multiplexed, [&body[..]])),
        ["running", "skipped"]
    );
    assert_eq!(
        shorts(&heard(Framing::Multiplexed, [&unfinished[..]])),
        ["running"]
    );
}

#[test]
fn a_line_that_comes_again_has_the_same_key() {
    let lines = [line(5, "Running migrations"), line(5, "Running migrations")];
    let said = heard(Framing::Multiplexed, [&framed(&lines)[..]]);
    assert_eq!(said[0].key, said[1].key);
    let other = heard(
        Framing::Multiplexed,
        [&framed(&[line(5, "Running  migrations")])[..]],
    );
    assert_ne!(said[0].key.hash, other[0].key.hash);
}

#[test]
fn equal_lines_of_one_second_are_told_apart_where_times_are_whole_seconds() {
    let podman = |second: u8| Line {
        stamp: format!("2026-11-23T10:31:{second:02}+01:00"),
        ..line(0, "Running migrations")
    };
    let said = heard(
        Framing::Multiplexed,
        [&framed(&[podman(6), podman(6), podman(7)])[..]],
    );
    let ordinals: Vec<_> = said.iter().map(|line| line.key.ordinal).collect();
    assert_eq!(ordinals, [0, 1, 0]);
    assert_eq!(said[0].key.at, "2026-11-23T09:31:06Z".parse().unwrap());
}

/// What is said after each of these lines.
fn said_after_each(texts: &[&str]) -> Vec<Vec<String>> {
    let mut scanner = scanner(Framing::Multiplexed);
    let after = texts.iter().map(|text| {
        let mut said = Vec::new();
        scanner.feed(&framed(&[line(0, text)]), &mut |line: LogLine| {
            said.push(short(&line));
        });
        said
    });
    after.collect()
}

const KEY_LINE: &str =
    "sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (1060, 'Duplicate column')";

#[test]
fn an_error_waits_for_the_next_line_only() {
    let failed = "failed duplicate_column 1060 | Duplicate column | -".to_owned();
    let said = said_after_each(&[KEY_LINE, "(Background on this error)", "an ordinary line"]);
    assert_eq!(said, [vec![], vec![failed.clone()], vec![]]);
    let said = said_after_each(&[KEY_LINE, "Skipping migrations"]);
    assert_eq!(said[1], [failed, "skipped".into()]);
}

#[test]
fn a_drivers_error_without_sqlalchemys_is_said_when_its_traceback_is_over() {
    let said = said_after_each(&[
        "pymysql.err.OperationalError: (2003, \"Can't connect\")",
        "",
        "During handling of the above exception, another exception occurred:",
        "Traceback (most recent call last):",
        "  File \"x.py\", line 1",
        "RuntimeError: gave up",
    ]);
    assert_eq!(said[..5], [const { Vec::<String>::new() }; 5]);
    assert_eq!(said[5], ["failed cannot_connect 2003 | Can't connect | -"]);
}

#[test]
fn an_error_that_waits_in_a_silent_log_comes_out_on_demand() {
    let mut scanner = scanner(Framing::Multiplexed);
    let mut said = Vec::new();
    scanner.feed(&framed(&[line(0, KEY_LINE)]), &mut |line| said.push(short(&line)));
    assert!(scanner.is_waiting() && said.is_empty());
    scanner.flush(&mut |line| said.push(short(&line)));
    assert!(!scanner.is_waiting());
    assert_eq!(said, ["failed duplicate_column 1060 | Duplicate column | -"]);
}

#[test]
fn servers_are_listened_for_from_the_start_and_after_a_saying_but_not_for_ever() {
    let up = "Booting worker with pid: 8";
    let said = said_after_each(&[up, up, "Skipping migrations", up, up]);
    assert_eq!(said.concat(), ["up", "skipped", "up"]);
    let mut chatter = vec!["an ordinary line"; 20_000];
    chatter.extend([up, "Running migrations", up]);
    assert_eq!(said_after_each(&chatter).concat(), ["running", "up"]);
}
