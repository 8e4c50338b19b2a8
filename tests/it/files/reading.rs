//! What is read of a growing file, and from where.

use std::collections::BTreeSet;

use migwatch::model::log::Saying;
use migwatch::model::observation::Observation;

use super::watched::{Logs, revision, step, watch, watch_again};

#[tokio::test]
async fn what_a_file_held_before_is_history_and_what_comes_is_told_with_the_position_behind_it() {
    let logs = Logs::new();
    logs.append("run.log", step("b0001d"));
    let mut watched = watch(&logs, "run.log").await;
    logs.append("run.log", "nothing of interest\n");
    logs.append("run.log", step("b0002d"));
    let (position, line) = watched.line().await;
    assert_eq!(revision(&line), "b0002d");
    assert_eq!(
        position.offset,
        std::fs::metadata(logs.path("run.log")).unwrap().len()
    );
    assert!(position.file.inode > 0 && position.file.path.ends_with("run.log"));
    assert_eq!(line.key.at.to_string(), "2026-11-18T11:06:40.000000000Z");
    watched.stop().await;
}

#[tokio::test]
async fn a_line_that_was_being_written_at_the_beginning_is_told_whole() {
    let logs = Logs::new();
    let line = step("b0001d");
    let (half, rest) = line.split_at(line.find("grade").unwrap());
    logs.append("run.log", format!("{}{half}", step("b0000d")));
    let mut watched = watch(&logs, "run.log").await;
    logs.append("run.log", rest);
    assert_eq!(watched.steps(1).await, ["b0001d"]);
    watched.stop().await;
}

#[tokio::test]
async fn the_guides_korean_announcements_are_understood() {
    let logs = Logs::new();
    logs.append("run.log", "");
    let mut watched = watch(&logs, "run.log").await;
    logs.append("run.log", "⬆️ Alembic 마이그레이션 적용 중...\n");
    assert_eq!(watched.line().await.1.saying, Saying::Running);
    logs.append("run.log", "✅ Alembic 마이그레이션 완료!\n");
    assert_eq!(watched.line().await.1.saying, Saying::Finished);
    logs.append(
        "run.log",
        "⏭️  Alembic 마이그레이션 건너뜀 (RUN_MIGRATIONS=false)\r\n",
    );
    assert_eq!(watched.line().await.1.saying, Saying::Skipped);
    watched.stop().await;
}

#[tokio::test]
async fn a_line_is_told_once_it_is_whole_however_it_was_written() {
    let logs = Logs::new();
    logs.append("run.log", "the end of this line is still");
    let mut watched = watch(&logs, "run.log").await;
    logs.append("run.log", " to come\n");
    watched.read_to(38).await;
    let line = step("b0001d");
    let (half, rest) = line.split_at(30);
    logs.append("run.log", half);
    logs.append("beside.log", "x\n");
    logs.append("run.log", rest);
    let (_, line) = watched.line().await;
    assert_eq!(revision(&line), "b0001d");
    watched.stop().await;
}

#[tokio::test]
async fn bytes_that_are_no_text_and_lines_without_end_hide_nothing_behind_them() {
    let logs = Logs::new();
    logs.append("run.log", "");
    let mut watched = watch(&logs, "run.log").await;
    logs.append("run.log", b"\xff\xfe\x00\xc3(\n");
    logs.append("run.log", vec![b'x'; 3 * 1024 * 1024]);
    logs.append("run.log", "\n");
    logs.append(
        "run.log",
        [b"\xf0\x9f ".as_slice(), step("b0001d").as_bytes()].concat(),
    );
    assert_eq!(watched.steps(1).await, ["b0001d"]);
    watched.stop().await;
}

#[tokio::test]
async fn an_error_waits_for_its_statement_but_not_for_ever() {
    let logs = Logs::new();
    logs.append("run.log", "");
    let mut watched = watch(&logs, "run.log").await;
    let error =
        "sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (1091, \"Can't DROP INDEX `x`\")\n";
    logs.append("run.log", error);
    let (position, line) = watched.line().await;
    assert!(matches!(line.saying, Saying::Failed(_)), "{line:?}");
    assert_eq!(position.offset, u64::try_from(error.len()).unwrap());
    watched.stop().await;
}

#[tokio::test]
async fn equal_lines_have_keys_of_their_own() {
    let logs = Logs::new();
    logs.append("run.log", "");
    let mut watched = watch(&logs, "run.log").await;
    logs.append("run.log", step("b0001d").repeat(50));
    let mut keys = BTreeSet::new();
    for _ in 0..50 {
        keys.insert(watched.line().await.1.key.hash);
    }
    assert_eq!(keys.len(), 50);
    watched.stop().await;
}

#[tokio::test]
async fn after_a_restart_reading_goes_on_where_it_stopped() {
    let logs = Logs::new();
    logs.append("run.log", step("b0001d"));
    let mut watched = watch(&logs, "run.log").await;
    logs.append("run.log", step("b0002d"));
    assert_eq!(watched.steps(1).await, ["b0002d"]);
    let kept = watched.stop().await;
    logs.append("run.log", step("b0003d"));
    let mut watched = watch_again(&logs, "run.log", kept);
    assert_eq!(watched.steps(1).await, ["b0003d"]);
    logs.append("run.log", step("b0004d"));
    assert_eq!(watched.steps(1).await, ["b0004d"]);
    watched.stop().await;
}

#[tokio::test]
async fn a_half_written_line_is_read_whole_after_a_restart() {
    let logs = Logs::new();
    logs.append("run.log", "whole\n");
    let mut watched = watch(&logs, "run.log").await;
    let line = step("b0001d");
    let (half, rest) = line.split_at(30);
    logs.append("run.log", format!("more\n{half}"));
    watched.read_to(11).await;
    let kept = watched.stop().await;
    logs.append("run.log", rest);
    let mut watched = watch_again(&logs, "run.log", kept);
    assert_eq!(watched.steps(1).await, ["b0001d"]);
    watched.stop().await;
}

#[tokio::test]
async fn how_far_a_log_without_news_was_read_is_told_with_its_bytes() {
    let logs = Logs::new();
    logs.append("run.log", "");
    let mut watched = watch(&logs, "run.log").await;
    for _ in 0..100 {
        logs.append("run.log", "GET /health 200\n");
    }
    watched.read_to(1600).await;
    let bytes: u64 = watched
        .seen
        .iter()
        .map(|seen| match seen {
            Observation::ProcessRead { bytes, .. } => *bytes,
            _ => 0,
        })
        .sum();
    assert_eq!(bytes, 1600);
    watched.stop().await;
}
