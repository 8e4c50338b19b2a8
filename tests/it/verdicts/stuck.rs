//! Migrations that get no further: a lock that somebody else holds, or a step that takes too long.

use migwatch::model::alert::{AlertName, Severity};
use migwatch::model::lock::{LockWait, Session};
use migwatch::model::policy::Policy;

use crate::support::story::{
    A_TO_B, APPLICATION_UP, B_TO_C, BACKEND, BACKEND_TABLE, RUNNING, Story, armed, policy,
};

const ALTER: &str = "ALTER TABLE chat_messages DROP FOREIGN KEY fk_chat";

/// A declared deploy at its first step.
fn migrating(settings: Policy) -> Story {
    let mut story = Story::new(policy(settings));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .says(RUNNING)
        .says(A_TO_B);
    story
}

fn session(id: i64, statement: Option<&str>) -> Session {
    Session {
        id,
        user: "app".into(),
        host: "172.18.0.5".into(),
        since: Some("2026-11-23T09:58:00Z".parse().unwrap()),
        connected_at: None,
        statement: statement.map(str::to_owned),
        idle: statement.is_none(),
    }
}

fn wait(statement: &str, holder: Option<Session>) -> LockWait {
    LockWait {
        waiting: session(57, Some(statement)),
        holder,
        probably: true,
    }
}

/// The same waits, told every second.
fn wait_for(story: &mut Story, seconds: u64, waits: &[LockWait]) {
    for _ in 0..seconds {
        story.sees_waits(waits).seconds(1);
    }
}

#[test]
fn a_migration_that_waits_for_a_lock_is_said_after_five_seconds_with_who_holds_it() {
    let mut story = migrating(Policy::Explicit);
    let waits = [wait(ALTER, Some(session(12, None)))];
    wait_for(&mut story, 4, &waits);
    assert!(story.is_quiet(), "{:?}", story.sent());
    wait_for(&mut story, 1, &waits);
    let alert = story.alert(AlertName::MigrationStuck);
    assert_eq!(alert.severity, Severity::Warning);
    assert!(!alert.labels.contains_key("migration"));
    let said = format!("{}\n{}", alert.summary, alert.description);
    for word in [
        "probably",
        "session 12 of app@172.18.0.5",
        "2026-11-23T09:58:00",
        "idle in a transaction",
        ALTER,
    ] {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
}

#[test]
fn a_wait_is_critical_after_three_times_as_long_and_is_one_alert_whose_words_do_not_change() {
    let mut story = migrating(Policy::Explicit);
    let waits = [wait(
        ALTER,
        Some(session(12, Some("UPDATE users SET name = '…'"))),
    )];
    wait_for(&mut story, 60, &waits);
    assert_eq!(
        story.alert(AlertName::MigrationStuck).severity,
        Severity::Critical
    );
    assert_eq!(story.sent(), ["MigrationStuck firing"]);
    let enriched = story
        .facts
        .iter()
        .filter(|fact| matches!(fact, migwatch::model::fact::Fact::AlertEnriched { .. }));
    assert_eq!(enriched.count(), 1, "when it became critical");
}

#[test]
fn the_alert_ends_when_nobody_waits_any_more_or_the_migration_ends() {
    for end in 0..2 {
        let mut story = migrating(Policy::Explicit);
        wait_for(&mut story, 7, &[wait(ALTER, None)]);
        let alert = story.alert(AlertName::MigrationStuck);
        assert!(
            alert.description.contains("cannot be seen"),
            "{}",
            alert.description
        );
        if end == 0 {
            story.sees_waits(&[]);
        } else {
            story.says(APPLICATION_UP);
        }
        assert_eq!(story.sent(), ["MigrationStuck firing", "MigrationStuck resolved"]);
    }
}

#[test]
fn what_the_application_waits_for_is_no_wait_of_its_migration() {
    let mut story = migrating(Policy::Explicit);
    let waits = [wait("SELECT * FROM users", Some(session(57, Some(ALTER))))];
    wait_for(&mut story, 60, &waits);
    assert!(story.is_quiet(), "{:?}", story.sent());
    let mut younger = wait("UPDATE users SET name = '…'", Some(session(12, None)));
    younger.waiting.connected_at = Some(story.now);
    wait_for(&mut story, 7, &[younger]);
    assert_eq!(
        story.firing(),
        [AlertName::MigrationStuck],
        "one that logged in since is"
    );
}

#[test]
fn a_step_that_takes_longer_than_max_duration_is_said_and_is_over_when_the_next_one_comes() {
    let mut story = migrating(Policy::Explicit);
    story.seconds(299);
    assert!(story.is_quiet());
    story.seconds(1);
    let alert = story.alert(AlertName::MigrationStuck);
    assert_eq!(alert.severity, Severity::Warning);
    assert!(
        alert.description.contains("upgrade a1 -> b2"),
        "{}",
        alert.description
    );
    story.seconds(600);
    assert_eq!(
        story.alert(AlertName::MigrationStuck).severity,
        Severity::Critical
    );
    story.says(B_TO_C);
    assert_eq!(story.sent(), ["MigrationStuck firing", "MigrationStuck resolved"]);
}

#[test]
fn a_start_that_announced_a_run_and_then_only_serves_is_not_stuck() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .says(RUNNING)
        .seconds(3_000);
    assert!(story.is_quiet(), "{:?}", story.sent());
}

#[test]
fn old_lines_that_are_read_late_are_no_silence() {
    let mut story = Story::new(policy(Policy::Explicit));
    story.created(BACKEND, armed()).reads(&[(BACKEND_TABLE, &["a1"])]);
    story.migwatch_is_killed().starts_unheard();
    let lines = [RUNNING, A_TO_B, APPLICATION_UP].map(|text| story.line(text).unwrap());
    story.seconds_pass(1_200).migwatch_comes_back();
    for line in lines {
        story.sees(line);
    }
    story.seconds(60);
    assert!(
        !story.sent().iter().any(|sent| sent.contains("Stuck")),
        "{:?}",
        story.sent()
    );
}

#[test]
fn under_allow_a_stuck_migration_is_a_warning_however_long() {
    let mut story = migrating(Policy::Allow);
    wait_for(&mut story, 60, &[wait(ALTER, None)]);
    assert_eq!(story.alert(AlertName::MigrationStuck).severity, Severity::Warning);
}

#[test]
fn a_restart_of_migwatch_neither_ends_nor_repeats_the_alert() {
    let mut story = migrating(Policy::Explicit);
    let waits = [wait(ALTER, Some(session(12, None)))];
    wait_for(&mut story, 10, &waits);
    story.migwatch_is_killed().seconds_pass(5).migwatch_comes_back();
    story.reads(&[(BACKEND_TABLE, &["a1"])]);
    wait_for(&mut story, 40, &waits);
    assert_eq!(story.sent(), ["MigrationStuck firing"]);
}
