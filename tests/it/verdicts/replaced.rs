//! Databases that are replaced: restored, emptied, made anew. Never a storm, never a migration of nobody's, and never silent.

use migwatch::judge::schema::is_replacement;
use migwatch::model::alert::{AlertName, Severity};
use migwatch::model::approval::ApprovalRequest;
use migwatch::model::migration::Outcome;
use migwatch::model::policy::Policy;
use migwatch::model::revision::DatabaseId;

use crate::support::story::{
    BACKEND, BACKEND_TABLE, RUNNING, SKIPPING, Story, armed, disarmed, leave, policy,
};

const FULL: [(&str, &[&str]); 4] = [
    ("chats", &["id"]),
    ("notes", &["id"]),
    ("tags", &["id"]),
    ("users", &["id"]),
];

const FIRST_STEP: &str = "INFO  [alembic.runtime.migration] Running upgrade  -> a1, first";

/// A database with four tables, at rest.
fn full(settings: Policy) -> Story {
    let mut story = Story::new(policy(settings));
    story.created(BACKEND, disarmed()).started().says(SKIPPING);
    story
        .reads(&[(BACKEND_TABLE, &["c3"])])
        .reads_schema(&FULL)
        .seconds(60);
    story
}

fn evidence(story: &Story) -> String {
    let texts: Vec<_> = story
        .migration()
        .evidence
        .iter()
        .map(|it| it.text.as_str())
        .collect();
    texts.join("\n")
}

fn is_replaced(story: &Story) -> bool {
    is_replacement(
        &story.state,
        &story.settings,
        &DatabaseId("mariadb:3306/coe".into()),
        story.now,
    )
}

#[test]
fn a_known_database_that_turns_empty_is_one_warning_and_a_new_baseline() {
    let mut story = full(Policy::Allow);
    assert!(!is_replaced(&story));
    story.reads(&[]).reads_schema(&[]);
    assert!(is_replaced(&story), "while it is not decided on yet");
    story.seconds(5);
    assert!(is_replaced(&story));
    let alert = story.alert(AlertName::DatabaseReplaced);
    assert_eq!(alert.severity, Severity::Warning);
    assert_eq!(alert.labels["database"], "mariadb:3306/coe");
    assert!(
        alert.description.contains("table users dropped"),
        "{}",
        alert.description
    );
    story.seconds(3_600);
    assert_eq!(
        story.sent(),
        ["DatabaseReplaced firing", "DatabaseReplaced resolved"]
    );
}

#[test]
fn a_restore_that_drops_and_makes_each_table_again_is_told_once() {
    let mut story = full(Policy::Deny);
    story.reads(&[]).reads_schema(&[("chats", &["id"])]).seconds(3);
    for count in 2..=4 {
        story.seconds(600);
        story
            .reads(&[(BACKEND_TABLE, &["b2"])])
            .reads_schema(&FULL[..count]);
        assert!(
            count > 2 || is_replaced(&story),
            "the version table came back with it"
        );
    }
    story.seconds(7_200);
    assert_eq!(
        story.sent(),
        ["DatabaseReplaced firing", "DatabaseReplaced resolved"]
    );
    assert!(story.migrations().is_empty());
}

#[test]
fn the_first_migration_of_an_empty_schema_is_applied_with_the_reason_fresh_database() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[])
        .reads_schema(&[]);
    story.says(RUNNING).says(FIRST_STEP);
    story.reads(&[(BACKEND_TABLE, &["a1"])]).reads_schema(&FULL);
    story.dies(0).seconds(12);
    let migration = story.migration();
    assert_eq!(migration.outcome, Outcome::Applied);
    let reason = migration.outcome_reason.as_deref().unwrap();
    assert!(reason.starts_with("fresh_database"), "{reason}");
    assert!(!story.firing().contains(&AlertName::DatabaseReplaced));
    assert!(!story.firing().contains(&AlertName::SchemaDrift));
    assert_eq!(story.counted(BACKEND, Outcome::Applied), 1);
}

#[test]
fn a_volume_that_was_thrown_away_and_migrated_anew_is_a_replacement_and_no_theft_of_tables() {
    let mut story = full(Policy::Explicit);
    story
        .created_as(BACKEND, armed(), |look| look.number = Some(2))
        .started()
        .says(RUNNING)
        .says(FIRST_STEP);
    story.reads(&[]).reads_schema(&[("chats", &["id"])]);
    story.reads(&[(BACKEND_TABLE, &["a1"])]).reads_schema(&FULL);
    story.dies(0).seconds(12);
    assert!(
        !story.firing().contains(&AlertName::ForeignSchemaChange),
        "{:?}",
        story.sent()
    );
    assert!(story.firing().contains(&AlertName::DatabaseReplaced));
    let migration = story.migration();
    let reason = migration.outcome_reason.as_deref().unwrap();
    assert!(reason.starts_with("fresh_database"), "{reason}");
    assert!(!evidence(&story).contains("dropped"), "{}", evidence(&story));
}

#[test]
fn most_tables_dropped_by_a_migration_whose_version_table_stands_are_its_doing() {
    let mut story = full(Policy::Explicit);
    story
        .created_as(BACKEND, armed(), |look| look.number = Some(2))
        .started()
        .says(RUNNING)
        .says("INFO  [alembic.runtime.migration] Running upgrade c3 -> d4, drop tables");
    story.reads(&[(BACKEND_TABLE, &["d4"])]).reads_schema(&FULL[..1]);
    assert!(
        !story.firing().contains(&AlertName::DatabaseReplaced),
        "{:?}",
        story.sent()
    );
    assert!(
        evidence(&story).contains("table notes dropped"),
        "{}",
        evidence(&story)
    );
}

#[test]
fn a_small_schema_that_doubles_at_a_revision_is_somebodys_migration_and_no_replacement() {
    let mut story = full(Policy::Explicit);
    let more: [(&str, &[&str]); 4] = [("a", &["id"]), ("b", &["id"]), ("c", &["id"]), ("d", &["id"])];
    story
        .reads(&[(BACKEND_TABLE, &["d4"])])
        .reads_schema(&[FULL, more].concat());
    story.seconds(120);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
    assert!(
        evidence(&story).contains("table a created"),
        "{}",
        evidence(&story)
    );
    assert!(!is_replaced(&story));
}

#[test]
fn where_the_schema_cannot_be_read_vanished_version_tables_tell_of_a_replacement() {
    let mut story = Story::new(policy(Policy::Explicit));
    story.created(BACKEND, disarmed()).started().says(SKIPPING);
    story
        .reads(&[(BACKEND_TABLE, &["c3"])])
        .cannot_read_schema()
        .seconds(60);
    story.reads(&[]).seconds(5);
    assert!(is_replaced(&story) && story.is_quiet());
    story.seconds(10);
    assert_eq!(story.firing(), [AlertName::DatabaseReplaced]);
    story.reads(&[(BACKEND_TABLE, &["c3"])]);
    assert!(is_replaced(&story));
    story.seconds(7_200);
    assert_eq!(
        story.sent(),
        ["DatabaseReplaced firing", "DatabaseReplaced resolved"]
    );
}

#[test]
fn a_small_backup_that_is_played_back_between_two_readings_of_the_schema_is_told_all_the_same() {
    let mut story = full(Policy::Deny);
    story.reads(&[]).seconds(1).reads(&[(BACKEND_TABLE, &["a1"])]);
    story.seconds(60);
    assert!(story.migrations().is_empty());
    story.seconds(7_200);
    assert_eq!(
        story.sent(),
        ["DatabaseReplaced firing", "DatabaseReplaced resolved"]
    );
}

#[test]
fn what_a_backup_brings_before_its_version_tables_is_part_of_the_replacement_and_no_drift() {
    let mut story = full(Policy::Explicit);
    let brought: [(&str, &[&str]); 1] = [("brought", &["id"])];
    story.reads(&[]).seconds(1);
    story
        .reads_schema(&[FULL.as_slice(), brought.as_slice()].concat())
        .seconds(1);
    story.reads(&[(BACKEND_TABLE, &["a1"])]).seconds(120);
    assert_eq!(story.sent(), ["DatabaseReplaced firing"]);
    assert!(story.migrations().is_empty());
}

#[test]
fn what_goes_right_before_the_version_tables_do_is_part_of_the_replacement_and_no_drift() {
    let mut story = full(Policy::Explicit);
    let (_, left) = FULL.split_first().unwrap();
    story.reads_schema(left).seconds(1);
    story.reads(&[]).seconds(1);
    story
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .reads_schema(left)
        .seconds(120);
    assert_eq!(story.sent(), ["DatabaseReplaced firing"]);
    assert!(story.migrations().is_empty());
}

#[test]
fn a_version_table_that_goes_and_comes_back_beside_one_that_stays_is_somebodys_work() {
    let mut story = full(Policy::Deny);
    let other = ("other_version", &["z9"][..]);
    story.reads(&[(BACKEND_TABLE, &["c3"]), other]).seconds(60);
    story.reads(&[other]).seconds(1);
    story.reads(&[(BACKEND_TABLE, &["a1"]), other]).seconds(60);
    assert_eq!(story.latest().from().unwrap().to_string(), "base");
    assert!(!story.firing().contains(&AlertName::DatabaseReplaced));
}

#[test]
fn an_acknowledged_replacement_is_quiet_and_stays_so() {
    let mut story = full(Policy::Explicit);
    story.reads(&[]).reads_schema(&[]).seconds(5);
    let id = story.alert(AlertName::DatabaseReplaced).fingerprint().0;
    story.acknowledged(&id).seconds(7_200);
    assert_eq!(
        story.sent(),
        ["DatabaseReplaced firing", "DatabaseReplaced resolved"]
    );
}

#[test]
fn a_database_found_empty_after_migwatch_was_away_is_told_as_well() {
    let mut story = full(Policy::Explicit);
    story
        .migwatch_is_killed()
        .seconds_pass(3_600)
        .migwatch_comes_back();
    story.reads(&[]).reads_schema(&[]).seconds(5);
    assert_eq!(story.firing(), [AlertName::DatabaseReplaced]);
    story.migwatch_is_killed().migwatch_comes_back().seconds(60);
    assert_eq!(story.sent(), ["DatabaseReplaced firing"], "and once");
}

#[test]
fn a_restore_that_somebody_approved_is_quiet_though_the_version_table_goes_with_the_rest() {
    let mut story = full(Policy::Deny);
    story.approved(ApprovalRequest {
        restore: true,
        ..leave(BACKEND)
    });
    story.seconds(1).reads(&[]).reads_schema(&[]).seconds(30);
    story
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .reads_schema(&FULL)
        .seconds(120);
    assert!(story.sent().is_empty(), "{:?}", story.sent());
    assert!(story.migrations().is_empty());
}
