//! The journal of a process that is killed at any instruction keeps all that it acknowledged.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use migwatch::journal::Journal;
use migwatch::model::fact::Fact;
use serde_json::json;
use tempfile::TempDir;

use crate::support::sample_facts::numbered;
use crate::support::sample_migrations::now;

/// Tells the child test where to append.
const DIRECTORY: &str = "MIGWATCH_TEST_JOURNAL";
/// The line in front of each acknowledged number.
const ACKNOWLEDGED: &str = "acknowledged ";
/// A prime, so that kills fall everywhere between two compactions.
const COMPACT_EVERY: u64 = 37;

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let dir = TempDir::new().unwrap();
    let mut before = 0;
    for round in 0..6 {
        let mut child = appending_child(dir.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let mut acknowledged = before;
        let mut seen = 0;
        for line in lines.by_ref() {
            if let Some(number) = line
                .split_once(ACKNOWLEDGED)
                .map(|(_, number)| number.parse().unwrap())
            {
                (acknowledged, seen) = (number, seen + 1);
            }
            if seen == 40 + round * 11 {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had said before the kill came is in the pipe; a last line may be cut.
        let rest = lines.filter_map(|line| line.split_once(ACKNOWLEDGED)?.1.parse::<u64>().ok());
        acknowledged = rest.fold(acknowledged, u64::max);
        assert!(acknowledged > before, "the child did nothing");
        before = whole(dir.path());
        assert!(before >= acknowledged, "{before} of {acknowledged}");
    }
}

/// The number of facts in the journal, which are there without a gap and once each.
fn whole(dir: &Path) -> u64 {
    let (_, recovered) = Journal::open(dir, now()).unwrap();
    assert!(
        !recovered.fresh && recovered.moved_aside.is_none(),
        "{recovered:?}"
    );
    let mut number = recovered
        .snapshot
        .map_or(0, |snapshot| snapshot["up_to"].as_u64().unwrap());
    for fact in recovered.facts {
        let Fact::Notified { up_to, .. } = fact else {
            panic!("{fact:?}")
        };
        assert_eq!(up_to, number + 1);
        number = up_to;
    }
    number
}

fn appending_child(dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "journal_killed::appends_until_it_is_killed",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(DIRECTORY, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The child of the test above; alone, it only shows that it is not one.
#[test]
fn appends_until_it_is_killed() {
    let Some(dir) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let (mut journal, recovered) = Journal::open(Path::new(&dir), now()).unwrap();
    let covered = recovered
        .snapshot
        .map_or(0, |snapshot| snapshot["up_to"].as_u64().unwrap());
    let mut number = covered + recovered.facts.len() as u64;
    let mut output = std::io::stdout().lock();
    loop {
        number += 1;
        journal.append(&[numbered(number)], now()).unwrap();
        writeln!(output, "{ACKNOWLEDGED}{number}").unwrap();
        if number.is_multiple_of(COMPACT_EVERY) {
            journal.compact(&json!({ "up_to": number }), &[], now()).unwrap();
        }
    }
}
