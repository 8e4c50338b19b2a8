//! The journal over whole lives: what was written is there, and only there where it belongs.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use migwatch::journal::{HistoryFilter, Journal, JournalError, Recovered};
use migwatch::model::fact::{FORMAT, Fact};
use migwatch::model::migration::Migration;
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::support::sample_facts::{every_kind, numbered};
use crate::support::sample_migrations::{self, ago, now};

fn reopened(dir: &TempDir) -> Recovered {
    Journal::open(dir.path(), now()).unwrap().1
}

fn history(journal: &Journal, filter: &HistoryFilter) -> Vec<Migration> {
    journal.history(filter).unwrap()
}

#[test]
fn what_was_appended_is_there_after_a_restart_in_its_order() {
    let dir = TempDir::new().unwrap();
    let (mut journal, recovered) = Journal::open(dir.path(), now()).unwrap();
    assert!(recovered.fresh && recovered.facts.is_empty() && recovered.snapshot.is_none());
    let facts = every_kind();
    assert_eq!(journal.append(&facts[..3], now()).unwrap(), 3);
    assert_eq!(journal.append(&[], now()).unwrap(), 3);
    assert_eq!(journal.append(&facts[3..], now()).unwrap(), facts.len() as u64);
    assert_eq!(journal.facts_since_snapshot(), facts.len() as u64);
    drop(journal);
    let recovered = reopened(&dir);
    assert!(!recovered.fresh && !recovered.torn && recovered.moved_aside.is_none());
    assert_eq!(recovered.facts, facts);
}

#[test]
fn a_snapshot_and_the_facts_behind_it_equal_all_facts() {
    let dir = TempDir::new().unwrap();
    let (mut journal, _) = Journal::open(dir.path(), now()).unwrap();
    // The fold of these facts is the list of their numbers.
    let mut fold: Vec<u64> = vec![];
    for number in 0..100 {
        journal.append(&[numbered(number)], now()).unwrap();
        fold.push(number);
        if number % 33 == 32 {
            journal.compact(&json!(fold), &[], now()).unwrap();
            assert_eq!(journal.facts_since_snapshot(), 0);
        }
    }
    drop(journal);
    let recovered = reopened(&dir);
    let mut refolded: Vec<u64> = serde_json::from_value(recovered.snapshot.unwrap()).unwrap();
    assert_eq!(recovered.facts.len(), 1);
    for fact in recovered.facts {
        let Fact::Notified { up_to, .. } = fact else {
            panic!("{fact:?}")
        };
        refolded.push(up_to);
    }
    assert_eq!(refolded, fold);
}

#[test]
fn numbers_go_on_after_a_compaction_that_left_no_facts() {
    let dir = TempDir::new().unwrap();
    let (mut journal, _) = Journal::open(dir.path(), now()).unwrap();
    journal.append(&[numbered(1), numbered(2)], now()).unwrap();
    journal.compact(&json!({}), &[], now()).unwrap();
    drop(journal);
    let (mut journal, recovered) = Journal::open(dir.path(), now()).unwrap();
    assert_eq!((recovered.snapshot, recovered.facts.len()), (Some(json!({})), 0));
    assert_eq!(journal.append(&[numbered(3)], now()).unwrap(), 3);
}

#[test]
fn settled_migrations_are_found_in_the_history_newest_first_and_only_once() {
    let dir = TempDir::new().unwrap();
    let (mut journal, _) = Journal::open(dir.path(), now()).unwrap();
    let mut migrations = sample_migrations::all();
    journal.compact(&json!(1), &migrations[..3], now()).unwrap();
    migrations[2].judgement.reason = "corrected".into();
    journal.compact(&json!(2), &migrations[2..], now()).unwrap();
    let all = HistoryFilter {
        limit: 100,
        ..HistoryFilter::default()
    };
    migrations.sort_by_key(|migration| std::cmp::Reverse(migration.started_at));
    assert_eq!(history(&journal, &all), migrations);
    assert_eq!(
        history(
            &journal,
            &HistoryFilter {
                limit: 2,
                ..all.clone()
            }
        ),
        migrations[..2]
    );
    let recent = HistoryFilter {
        since: Some(ago(97)),
        ..all.clone()
    };
    assert_eq!(history(&journal, &recent), migrations[..2]);
    let of_billing = HistoryFilter {
        service: Some("billing".into()),
        project: Some("coe-demo".into()),
        ..all.clone()
    };
    assert_eq!(history(&journal, &of_billing), [sample_migrations::interrupted()]);
    assert_eq!(
        history(
            &journal,
            &HistoryFilter {
                project: Some("other".into()),
                ..of_billing
            }
        ),
        []
    );
}

#[test]
fn a_second_migwatch_on_the_same_directory_is_refused_by_the_firsts_number() {
    let dir = TempDir::new().unwrap();
    let first = Journal::open(dir.path(), now()).unwrap();
    let error = Journal::open(dir.path(), now()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with(&format!("process {} keeps its journal in", std::process::id())),
        "{error}"
    );
    assert!(!error.is_transient());
    drop(first);
    Journal::open(dir.path(), now()).unwrap();
}

#[test]
fn a_newer_format_is_refused_and_left_as_it_is() {
    let dir = TempDir::new().unwrap();
    let (mut journal, _) = Journal::open(dir.path(), now()).unwrap();
    journal.append(&every_kind(), now()).unwrap();
    drop(journal);
    let file = dir.path().join("journal.db");
    let newer = Connection::open(&file).unwrap();
    newer.pragma_update(None, "user_version", FORMAT + 1).unwrap();
    newer.execute_batch("ALTER TABLE facts RENAME TO things").unwrap();
    newer.close().unwrap();
    let before = std::fs::read(&file).unwrap();
    let error = Journal::open(dir.path(), now()).unwrap_err();
    assert!(
        matches!(
            error,
            JournalError::Newer {
                found: 2,
                known: 1,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("start the newer migwatch again"),
        "{error}"
    );
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn a_fact_of_a_newer_version_is_refused_too() {
    let dir = TempDir::new().unwrap();
    let (mut journal, _) = Journal::open(dir.path(), now()).unwrap();
    journal.append(&[numbered(1)], now()).unwrap();
    drop(journal);
    let newer = Connection::open(dir.path().join("journal.db")).unwrap();
    let sum = fnv(&["1", &now().to_string(), "clairvoyance", "9", "{}"]);
    newer
        .execute(
            "UPDATE facts SET kind = 'clairvoyance', version = 9, body = '{}', sum = ?1",
            [sum],
        )
        .unwrap();
    newer.close().unwrap();
    let error = Journal::open(dir.path(), now()).unwrap_err();
    assert!(matches!(error, JournalError::Newer { found: 9, .. }), "{error:?}");
}

#[test]
fn a_missing_directory_is_made_for_its_owner_only() {
    let dir = TempDir::new().unwrap();
    let deep = dir.path().join("state/migwatch");
    Journal::open(&deep, now()).unwrap();
    assert_eq!(deep.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(
        deep.join("journal.db").metadata().unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn a_place_that_cannot_be_written_is_refused_with_the_command_that_helps() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let error = Journal::open(&dir.path().join("file/below"), now()).unwrap_err();
    assert!(matches!(error, JournalError::Directory { .. }), "{error:?}");
    assert!(error.to_string().contains("run `chown -R "), "{error}");
}

#[test]
fn the_first_releases_journal_holds_every_kind_and_is_read_and_written_the_same() {
    let fixture = include_str!("../fixtures/journal/v1.jsonl");
    let mut kinds = BTreeSet::new();
    for line in fixture.lines() {
        let fact: Fact = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(serde_json::to_string(&fact).unwrap(), line);
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        kinds.insert(value["kind"].as_str().unwrap().to_owned());
    }
    assert_eq!(kinds, every_known_kind());
}

/// The kinds as serde knows them: they stand in its complaint about an unknown one.
fn every_known_kind() -> BTreeSet<String> {
    let error = serde_json::from_str::<Fact>(r#"{"kind": "?"}"#)
        .unwrap_err()
        .to_string();
    let (_, kinds) = error.split_once("expected one of ").unwrap();
    kinds.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The sum over a row, written down a second time: it is part of the format.
fn fnv(parts: &[&str]) -> i64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in parts.iter().flat_map(|part| part.bytes().chain([0xff])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash.cast_signed()
}
