//! The journal on bad disks: damage anywhere is survived, and never silently.

use std::fs;
use std::path::Path;

use migwatch::journal::{Journal, JournalError, Recovered};
use migwatch::model::fact::Fact;
use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::support::sample_facts::{every_kind, numbered};
use crate::support::sample_migrations::{self, now};

const FILE: &str = "journal.db";
const LOG: &str = "journal.db-wal";

/// The files of a journal as a killed migwatch leaves them: a snapshot, history, facts in the file and in its log.
fn left_behind() -> (Vec<(&'static str, Vec<u8>)>, Vec<Fact>) {
    let dir = TempDir::new().unwrap();
    let (mut journal, _) = Journal::open(dir.path(), now()).unwrap();
    journal.append(&every_kind(), now()).unwrap();
    journal
        .compact(&json!({"folded": "요약"}), &sample_migrations::all(), now())
        .unwrap();
    let mut facts = Vec::new();
    for number in 0..20 {
        let fact = numbered(number);
        journal.append(std::slice::from_ref(&fact), now()).unwrap();
        facts.push(fact);
        if number == 9 {
            // Half of them into the file itself, as SQLite does when its log has grown.
            let shell = Connection::open(dir.path().join(FILE)).unwrap();
            shell
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                .unwrap();
        }
    }
    let copied = [FILE, LOG].map(|name| (name, fs::read(dir.path().join(name)).unwrap()));
    (copied.to_vec(), facts)
}

fn put(files: &[(&str, Vec<u8>)], dir: &Path) {
    for (name, content) in files {
        fs::write(dir.join(name), content).unwrap();
    }
}

/// What a start makes of it: never a panic, and never less than everything without a word.
fn survives(dir: &Path, facts: &[Fact]) -> Result<Recovered, JournalError> {
    let (mut journal, recovered) = Journal::open(dir, now())?;
    if let Some(aside) = &recovered.moved_aside {
        assert!(aside.exists() && recovered.fresh && recovered.damage.is_some());
    } else if recovered.torn {
        assert!(
            facts.starts_with(&recovered.facts) && recovered.facts.len() + 1 >= facts.len(),
            "{recovered:?}"
        );
    } else {
        assert_eq!(recovered.facts, facts);
        assert_eq!(recovered.snapshot, Some(json!({"folded": "요약"})));
    }
    journal.append(&[numbered(99)], now()).unwrap();
    drop(journal);
    let again = Journal::open(dir, now()).unwrap().1;
    assert_eq!(again.facts.last(), Some(&numbered(99)));
    Ok(recovered)
}

#[test]
fn what_a_killed_migwatch_leaves_is_read_whole() {
    let (files, facts) = left_behind();
    assert!(
        files.iter().all(|(_, content)| content.len() > 20_000),
        "both files hold something"
    );
    let dir = TempDir::new().unwrap();
    put(&files, dir.path());
    let recovered = survives(dir.path(), &facts).unwrap();
    assert!(
        recovered.moved_aside.is_none() && !recovered.torn,
        "{recovered:?}"
    );
}

#[test]
fn a_byte_that_changed_anywhere_is_never_read_as_if_nothing_were() {
    let (files, facts) = left_behind();
    let lengths: Vec<usize> = files.iter().map(|(_, content)| content.len()).collect();
    let aside = std::cell::Cell::new(0);
    let config = ProptestConfig {
        cases: 100,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(file in 0_usize..2, place in any::<prop::sample::Index>(), flip in 1_u8..)| {
        let mut files = files.clone();
        let place = place.index(lengths[file]);
        files[file].1[place] ^= flip;
        let dir = TempDir::new().unwrap();
        put(&files, dir.path());
        match survives(dir.path(), &facts) {
            Ok(recovered) => aside.set(aside.get() + usize::from(recovered.moved_aside.is_some())),
            // The format's own number became a higher one: refused is not silent either.
            Err(JournalError::Newer { .. } | JournalError::Open { .. }) => prop_assert!(place < 100),
            Err(error) => panic!("{error:?}"),
        }
    });
    assert!(aside.get() > 10, "only {} of 100 were noticed", aside.get());
}

#[test]
fn a_file_cut_off_anywhere_is_set_aside() {
    let (files, facts) = left_behind();
    for part in 0..16 {
        let mut files = files.clone();
        let whole = files[0].1.len();
        files[0].1.truncate(whole * part / 16);
        let dir = TempDir::new().unwrap();
        put(&files, dir.path());
        let recovered = survives(dir.path(), &facts).unwrap();
        assert!(recovered.moved_aside.is_some(), "cut to {part} sixteenths");
    }
}

#[test]
fn a_file_of_something_else_is_set_aside_with_its_log() {
    let dir = TempDir::new().unwrap();
    put(
        &[
            (
                FILE,
                b"not a database at all, but long enough to be looked at".repeat(40),
            ),
            (LOG, b"x".repeat(99)),
        ],
        dir.path(),
    );
    let (_, recovered) = Journal::open(dir.path(), now()).unwrap();
    let aside = recovered.moved_aside.unwrap();
    assert!(
        aside.ends_with("journal.db.corrupt-20261123T093106Z"),
        "{aside:?}"
    );
    let names: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        names.contains(&"journal.db.corrupt-20261123T093106Z-wal".into()),
        "{names:?}"
    );
}

#[test]
fn two_damaged_files_of_one_second_are_both_kept() {
    let dir = TempDir::new().unwrap();
    for text in ["first", "second"] {
        fs::write(dir.path().join(FILE), text).unwrap();
        let aside = Journal::open(dir.path(), now()).unwrap().1.moved_aside.unwrap();
        assert_eq!(fs::read_to_string(aside).unwrap(), text);
    }
}

#[test]
fn a_foreign_database_is_set_aside_and_not_written_into() {
    let dir = TempDir::new().unwrap();
    let foreign = Connection::open(dir.path().join(FILE)).unwrap();
    foreign
        .execute_batch("CREATE TABLE facts (a); INSERT INTO facts VALUES (1)")
        .unwrap();
    foreign.close().unwrap();
    let before = fs::read(dir.path().join(FILE)).unwrap();
    let aside = Journal::open(dir.path(), now()).unwrap().1.moved_aside.unwrap();
    assert_eq!(fs::read(aside).unwrap(), before);
}

#[test]
fn rows_that_vanished_are_missed_wherever_they_stood() {
    for (damage, says) in [
        ("DELETE FROM facts WHERE seq = 5", "fact 5 is missing"),
        ("DELETE FROM facts WHERE seq = 1", "fact 1 is missing"),
        (
            "DELETE FROM facts WHERE seq > 7",
            "facts after number 7 are missing",
        ),
        (
            "UPDATE facts SET body = replace(body, '수신자', '수신인') WHERE seq = 3",
            "fact 3 is not what was written",
        ),
        (
            "UPDATE facts SET at = at || ' ' WHERE seq = 4",
            "fact 4 is not what was written",
        ),
        ("DROP TABLE history", "no such table: history"),
    ] {
        let dir = TempDir::new().unwrap();
        let (mut journal, _) = Journal::open(dir.path(), now()).unwrap();
        journal
            .append(&(1..=10).map(numbered).collect::<Vec<_>>(), now())
            .unwrap();
        drop(journal);
        Connection::open(dir.path().join(FILE))
            .unwrap()
            .execute_batch(damage)
            .unwrap();
        let recovered = Journal::open(dir.path(), now()).unwrap().1;
        assert!(recovered.moved_aside.is_some());
        assert!(
            recovered.damage.as_ref().unwrap().contains(says),
            "{damage}: {recovered:?}"
        );
    }
}

#[test]
fn a_log_without_its_database_is_kept_and_not_mixed_into_the_new_one() {
    let (mut files, _) = left_behind();
    files.remove(0);
    let dir = TempDir::new().unwrap();
    put(&files, dir.path());
    let recovered = Journal::open(dir.path(), now()).unwrap().1;
    assert!(recovered.facts.is_empty());
    let aside = recovered.moved_aside.unwrap();
    assert!(Path::new(&format!("{}-wal", aside.display())).exists());
}

#[test]
fn a_beginning_that_was_cut_off_is_begun_again() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("journal.db.new"), "half").unwrap();
    fs::write(dir.path().join("journal.db.new-wal"), "half").unwrap();
    let recovered = Journal::open(dir.path(), now()).unwrap().1;
    assert!(recovered.fresh && recovered.moved_aside.is_none());
}
