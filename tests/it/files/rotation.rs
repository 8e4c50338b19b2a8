//! Rotation by rename and by truncation, patterns, and what was rotated while nobody watched.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use migwatch::model::observation::Observation;

use super::watched::{Logs, Watched, step, watch, watch_again};

/// Whether it was told that the file begins anew.
fn began_anew(watched: &Watched) -> bool {
    let reads = watched.seen.iter().filter_map(|seen| match seen {
        Observation::ProcessRead { position, .. } => Some(position.offset),
        _ => None,
    });
    let offsets: Vec<u64> = reads.collect();
    offsets.windows(2).any(|pair| pair[1] == 0 && pair[0] > 0)
}

/// How often it was told that lines are lost.
fn gaps(watched: &Watched) -> usize {
    let is_gap = |seen: &&Observation| matches!(seen, Observation::ProcessLogGap { .. });
    watched.seen.iter().filter(is_gap).count()
}

#[tokio::test]
async fn a_renamed_file_is_read_to_its_end_before_the_one_that_took_its_name() {
    let logs = Logs::new();
    logs.append("run.log", "");
    let mut watched = watch(&logs, "run.log").await;
    let mut writer = OpenOptions::new()
        .append(true)
        .open(logs.path("run.log"))
        .unwrap();
    writer.write_all(step("b0001d").as_bytes()).unwrap();
    logs.rename("run.log", "run.log.1");
    // The writer has not noticed yet.
    writer.write_all(step("b0002d").as_bytes()).unwrap();
    logs.append("run.log", step("b0003d"));
    assert_eq!(watched.steps(3).await, ["b0001d", "b0002d", "b0003d"]);
    writer.write_all(step("b0004d").as_bytes()).unwrap();
    assert_eq!(watched.steps(1).await, ["b0004d"]);
    logs.append("run.log", step("b0005d"));
    assert_eq!(watched.steps(1).await, ["b0005d"]);
    watched.stop().await;
}

#[tokio::test]
async fn the_moment_between_two_files_of_one_name_is_no_news() {
    let logs = Logs::new();
    logs.append("run.log", "");
    let mut watched = watch(&logs, "run.log").await;
    let mut writer = OpenOptions::new()
        .append(true)
        .open(logs.path("run.log"))
        .unwrap();
    logs.rename("run.log", "run.log.1");
    writer.write_all(step("b0001d").as_bytes()).unwrap();
    // What is heard now was heard after the rename.
    assert_eq!(watched.steps(1).await, ["b0001d"]);
    logs.append("run.log", step("b0002d"));
    assert_eq!(watched.steps(1).await, ["b0002d"]);
    let statuses = watched
        .seen
        .iter()
        .filter(|seen| matches!(seen, Observation::ProcessLogStatus { .. }));
    assert_eq!(statuses.count(), 1, "{:#?}", watched.seen);
    watched.stop().await;
}

#[tokio::test]
async fn the_last_line_of_a_rotated_file_counts_without_an_end_once_nobody_writes_any_more() {
    let logs = Logs::new();
    logs.append("run.log", "");
    let mut watched = watch(&logs, "run.log").await;
    logs.append("run.log", step("b0001d").trim_end());
    logs.rename("run.log", "run.log.1");
    logs.append("run.log", "new\n");
    assert_eq!(watched.steps(1).await, ["b0001d"]);
    watched.stop().await;
}

#[tokio::test]
async fn a_truncated_file_is_read_from_its_beginning_and_that_is_told() {
    let logs = Logs::new();
    logs.append("run.log", "");
    let mut watched = watch(&logs, "run.log").await;
    logs.append("run.log", step("b0001d").repeat(3));
    watched.steps(3).await;
    fs::copy(logs.path("run.log"), logs.path("run.log.1")).unwrap();
    logs.truncate("run.log");
    logs.append("run.log", step("b0002d"));
    assert_eq!(watched.steps(1).await, ["b0002d"]);
    assert!(began_anew(&watched), "{:#?}", watched.seen);
    assert_eq!(gaps(&watched), 0, "it was read to its end before");
    watched.stop().await;
}

#[tokio::test]
async fn a_file_that_was_truncated_and_has_outgrown_its_old_length_unseen_is_noticed_all_the_same() {
    let logs = Logs::new();
    logs.append("run.log", "");
    let mut watched = watch(&logs, "run.log").await;
    logs.append("run.log", step("b0001d"));
    watched.steps(1).await;
    // In one go for whoever looks at lengths: a file of the same number with other content.
    let longer = format!("{}{}", step("b0002d"), step("b0003d"));
    fs::write(logs.path("run.log"), &longer).unwrap();
    assert_eq!(watched.steps(2).await, ["b0002d", "b0003d"]);
    assert!(began_anew(&watched));
    watched.stop().await;
}

#[tokio::test]
async fn a_writer_that_does_not_append_leaves_a_hole_in_a_truncated_file_that_hides_nothing() {
    let logs = Logs::new();
    logs.append("run.log", "");
    let mut watched = watch(&logs, "run.log").await;
    let mut writer = OpenOptions::new().write(true).open(logs.path("run.log")).unwrap();
    writer
        .write_all(format!("{}{}", "GET /health 200\n".repeat(10_000), step("b0001d")).as_bytes())
        .unwrap();
    watched.steps(1).await;
    logs.truncate("run.log");
    writer.write_all(step("b0002d").as_bytes()).unwrap();
    assert_eq!(watched.steps(1).await, ["b0002d"]);
    watched.stop().await;
}

#[tokio::test]
async fn what_was_rotated_while_nobody_watched_is_read_from_the_old_file_and_the_new_one() {
    let logs = Logs::new();
    logs.append("run.log", step("b0001d"));
    let mut watched = watch(&logs, "run.log").await;
    logs.append("run.log", step("b0002d"));
    watched.steps(1).await;
    let kept = watched.stop().await;
    // More than is read at once.
    logs.append("run.log", "GET /health 200\n".repeat(300_000));
    logs.append("run.log", step("b0003d"));
    logs.rename("run.log", "run.log.1");
    logs.append("run.log", step("b0004d"));
    let mut watched = watch_again(&logs, "run.log", kept);
    assert_eq!(watched.steps(2).await, ["b0003d", "b0004d"]);
    assert_eq!(gaps(&watched), 0);
    watched.stop().await;
}

#[tokio::test]
async fn a_file_that_was_truncated_while_nobody_watched_is_read_from_its_beginning() {
    let logs = Logs::new();
    logs.append("run.log", step("b0001d").repeat(5));
    let mut watched = watch(&logs, "run.log").await;
    logs.append("run.log", step("b0002d"));
    watched.steps(1).await;
    let kept = watched.stop().await;
    // Cut, or another file with the number of the old one, which is longer than that ever was.
    let long = format!("{}{}\n", step("b0004d"), "x".repeat(5000));
    for (content, expected) in [(step("b0003d"), "b0003d"), (long, "b0004d")] {
        logs.truncate("run.log");
        logs.append("run.log", content);
        let mut watched = watch_again(&logs, "run.log", kept.copy());
        assert_eq!(watched.steps(1).await, [expected]);
        assert_eq!(gaps(&watched), 1);
        watched.stop().await;
    }
}

#[tokio::test]
async fn the_rest_of_a_file_that_was_rotated_away_for_good_while_nobody_watched_is_told_to_be_lost() {
    let logs = Logs::new();
    logs.append("run.log", step("b0001d").repeat(5));
    let mut watched = watch(&logs, "run.log").await;
    logs.append("run.log", step("b0002d"));
    watched.steps(1).await;
    let kept = watched.stop().await;
    logs.append("run.log", step("b0003d"));
    fs::remove_file(logs.path("run.log")).unwrap();
    logs.append("run.log", step("b0004d"));
    let mut watched = watch_again(&logs, "run.log", kept.copy());
    assert_eq!(watched.steps(1).await, ["b0004d"]);
    assert_eq!(gaps(&watched), 1);
    let kept = watched.stop().await;
    // It is told once.
    logs.append("run.log", step("b0005d"));
    let mut watched = watch_again(&logs, "run.log", kept);
    assert_eq!(watched.steps(1).await, ["b0005d"]);
    assert_eq!(gaps(&watched), 0);
    watched.stop().await;
}

#[tokio::test]
async fn every_file_that_matches_is_read_and_one_that_comes_later_from_its_beginning() {
    let logs = Logs::new();
    fs::create_dir(logs.path("a")).unwrap();
    logs.append("a/run.log", step("b0001d"));
    logs.append("a/run.txt", "");
    let mut watched = watch(&logs, "*/run*.log").await;
    logs.append("a/run.txt", step("b0002d"));
    logs.append("a/run-2.log", step("b0003d"));
    assert_eq!(watched.steps(1).await, ["b0003d"]);
    fs::create_dir(logs.path("b")).unwrap();
    logs.append("b/run.log", step("b0004d"));
    assert_eq!(watched.steps(1).await, ["b0004d"]);
    logs.append("a/run.log", step("b0005d"));
    assert_eq!(watched.steps(1).await, ["b0005d"]);
    // Another name that matches too: the same file, nothing is new in it.
    logs.rename("a/run.log", "a/run-old.log");
    logs.append("a/run-old.log", step("b0006d"));
    assert_eq!(watched.steps(1).await, ["b0006d"]);
    watched.stop().await;
}

#[tokio::test]
async fn a_link_that_is_turned_to_another_file_is_followed() {
    let logs = Logs::new();
    logs.append("one", "");
    std::os::unix::fs::symlink(logs.path("one"), logs.path("run.log")).unwrap();
    let mut watched = watch(&logs, "run.log").await;
    logs.append("one", step("b0001d"));
    assert_eq!(watched.steps(1).await, ["b0001d"]);
    logs.append("two", step("b0002d"));
    std::os::unix::fs::symlink(logs.path("two"), logs.path("next")).unwrap();
    logs.rename("next", "run.log");
    assert_eq!(watched.steps(1).await, ["b0002d"]);
    watched.stop().await;
}
