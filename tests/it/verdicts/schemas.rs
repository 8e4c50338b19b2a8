//! Schemas: which migration changed what, whose tables they were, and what nobody did.

use migwatch::model::alert::{AlertName, Severity};
use migwatch::model::fact::Fact;
use migwatch::model::migration::{Migration, Verdict};
use migwatch::model::policy::Policy;

use crate::support::story::{
    A_TO_B, APPLICATION_UP, BACKEND, BACKEND_TABLE, RAG, RAG_TABLE, RUNNING, SKIPPING, Story, armed,
    disarmed, policy,
};

pub(super) const RAG_STEP: &str = "INFO  [alembic.runtime.migration] Running upgrade r1 -> r2, 문서 테이블";

pub(super) const USERS: (&str, &[&str]) = ("users", &["id", "name"]);
pub(super) const CHATS: (&str, &[&str]) = ("chat_messages", &["id", "text"]);

/// Two services on one database whose schema was read; nothing runs.
pub(super) fn two_services(settings: Policy) -> Story {
    let mut story = Story::new(policy(settings));
    story.created(RAG, disarmed()).started().says(SKIPPING);
    story.created(BACKEND, disarmed()).started().says(SKIPPING);
    story
        .reads(&[(BACKEND_TABLE, &["a1"]), (RAG_TABLE, &["r1"])])
        .reads_schema(&[USERS])
        .seconds(60);
    story
}

/// A new container of a service that migrates, with its first step.
pub(super) fn migrates(story: &mut Story, service: &str, step: &str) {
    let number = Some(u32::try_from(story.looks.len()).unwrap() + 1);
    story
        .created_as(service, armed(), |look| look.number = number)
        .started()
        .says(RUNNING)
        .says(step);
}

/// Both tables after the first step of one service or both.
fn moved<'a>(backend: &'a str, rag: &'a str) -> [(&'static str, [&'a str; 1]); 2] {
    [(BACKEND_TABLE, [backend]), (RAG_TABLE, [rag])]
}

pub(super) fn reads_heads(story: &mut Story, backend: &str, rag: &str) {
    let [(one, a), (two, b)] = moved(backend, rag);
    story.reads(&[(one, &a), (two, &b)]);
}

/// The backend's migration made a table.
pub(super) fn backend_made_chats(settings: Policy) -> Story {
    let mut story = two_services(settings);
    migrates(&mut story, BACKEND, A_TO_B);
    reads_heads(&mut story, "b2", "r1");
    story.reads_schema(&[USERS, CHATS]).says(APPLICATION_UP);
    story.seconds(5).reads_schema(&[USERS, CHATS]).seconds(60);
    story
}

pub(super) fn evidence(migration: &Migration) -> String {
    let texts: Vec<_> = migration.evidence.iter().map(|it| it.text.as_str()).collect();
    texts.join("\n")
}

#[test]
fn what_stands_there_at_the_first_sight_is_a_baseline_and_quiet() {
    let mut story = two_services(Policy::Deny);
    story.seconds(3_600);
    assert!(story.is_quiet(), "{:?}", story.sent());
    let baselines = story
        .facts
        .iter()
        .filter(|fact| matches!(fact, Fact::SchemaBaselined(_)));
    assert_eq!(baselines.count(), 1);
}

#[test]
fn a_change_during_the_only_migration_is_that_migrations_and_told_in_its_evidence() {
    let story = backend_made_chats(Policy::Explicit);
    let text = evidence(story.migration());
    assert!(
        text.contains("the schema changed with it: table chat_messages created"),
        "{text}"
    );
    assert!(story.is_quiet(), "{:?}", story.sent());
}

#[test]
fn a_table_that_another_service_made_and_this_one_drops_is_said_with_its_owner_although_it_was_expected() {
    let mut story = backend_made_chats(Policy::Explicit);
    migrates(&mut story, RAG, RAG_STEP);
    reads_heads(&mut story, "b2", "r2");
    story.reads_schema(&[USERS]).says(APPLICATION_UP);
    let alert = story.alert(AlertName::ForeignSchemaChange);
    assert_eq!(alert.severity, Severity::Critical);
    let whose = "table chat_messages of coe-demo/coe-backend dropped";
    assert!(alert.summary.contains(whose), "{}", alert.summary);
    assert!(alert.labels.contains_key("migration"));
    let of_rag = story.migrations()[1];
    assert_eq!(of_rag.judgement.verdict, Verdict::Expected);
    assert!(evidence(of_rag).contains("chat_messages was made by coe-demo/coe-backend"));
    assert_eq!(story.sent(), ["ForeignSchemaChange firing"]);
    let id = of_rag.id.to_string();
    story.acknowledged(&id);
    assert!(story.firing().is_empty());
}

#[test]
fn a_table_that_the_service_made_itself_may_be_dropped_by_it() {
    let mut story = backend_made_chats(Policy::Allow);
    migrates(
        &mut story,
        BACKEND,
        "INFO  [alembic.runtime.migration] Running upgrade b2 -> c3, drop",
    );
    reads_heads(&mut story, "c3", "r1");
    story.reads_schema(&[USERS]).says(APPLICATION_UP).seconds(60);
    assert!(story.is_quiet(), "{:?}", story.sent());
}

#[test]
fn nobody_knows_who_made_what_is_older_than_the_watch_and_that_is_said() {
    let mut story = two_services(Policy::Explicit);
    migrates(&mut story, RAG, RAG_STEP);
    reads_heads(&mut story, "a1", "r2");
    story
        .reads_schema(&[("users", &["id"])])
        .says(APPLICATION_UP)
        .seconds(60);
    let text = evidence(story.migration());
    assert!(text.contains("column users.name dropped"), "{text}");
    assert!(text.contains("who made users is not known"), "{text}");
    assert!(story.is_quiet(), "{:?}", story.sent());
}

#[test]
fn overlapping_migrations_of_two_services_leave_the_owner_unknown_and_both_say_so() {
    let mut story = two_services(Policy::Explicit);
    migrates(&mut story, BACKEND, A_TO_B);
    migrates(&mut story, RAG, RAG_STEP);
    reads_heads(&mut story, "b2", "r2");
    story.reads_schema(&[USERS, CHATS]);
    for migration in story.migrations() {
        let text = evidence(migration);
        assert!(text.contains("cannot be told"), "{text}");
    }
    story.says(APPLICATION_UP).seconds(600);
    story.reads_schema(&[USERS, CHATS]).seconds(60);
    let record = story.state.durable.schemas.known.values().next().unwrap();
    assert!(record.owners.is_empty(), "{:?}", record.owners);
    assert!(!story.firing().contains(&AlertName::SchemaDrift));
}

#[test]
fn an_idle_run_of_the_other_service_does_not_blur_who_did_it() {
    let mut story = two_services(Policy::Explicit);
    story
        .created_as(RAG, armed(), |look| look.number = Some(2))
        .started()
        .says(RUNNING);
    migrates(&mut story, BACKEND, A_TO_B);
    reads_heads(&mut story, "b2", "r1");
    story.reads_schema(&[USERS, CHATS]);
    let record = story.state.durable.schemas.known.values().next().unwrap();
    assert_eq!(record.owners["chat_messages"].service, "coe-backend");
}

#[test]
fn a_change_that_no_migration_explains_is_drift_after_ten_seconds_in_words() {
    let mut story = two_services(Policy::Explicit);
    story
        .reads_schema(&[("users", &["id", "name", "+ix_name"])])
        .seconds(9);
    assert!(story.is_quiet());
    story.seconds(1);
    let alert = story.alert(AlertName::SchemaDrift);
    assert_eq!(alert.severity, Severity::Warning);
    assert!(
        alert.summary.contains("index ix_name of users added"),
        "{}",
        alert.summary
    );
    assert_eq!(alert.labels["database"], "mariadb:3306/coe");
    assert!(!alert.labels.contains_key("service"));
}

#[test]
fn drift_that_is_changed_back_ends_by_itself() {
    let mut story = two_services(Policy::Explicit);
    story.reads_schema(&[]).seconds(20);
    story.reads_schema(&[USERS]).seconds(20);
    assert_eq!(story.sent(), ["SchemaDrift firing", "SchemaDrift resolved"]);
}

#[test]
fn acknowledged_drift_is_the_new_schema_and_the_next_drift_is_told_again() {
    let mut story = two_services(Policy::Explicit);
    story.reads_schema(&[USERS, ("notes", &["id"])]).seconds(20);
    let id = story.alert(AlertName::SchemaDrift).fingerprint().0;
    story.acknowledged(&id).seconds(60);
    assert_eq!(story.sent(), ["SchemaDrift firing", "SchemaDrift resolved"]);
    story.reads_schema(&[USERS]).seconds(20);
    let alert = story.alert(AlertName::SchemaDrift);
    assert!(alert.summary.contains("table notes dropped"), "{}", alert.summary);
}

#[test]
fn drift_grows_and_shrinks_in_its_words_and_is_told_once() {
    let mut story = two_services(Policy::Explicit);
    story.reads_schema(&[USERS, ("notes", &["id"])]).seconds(20);
    story
        .reads_schema(&[USERS, ("notes", &["id"]), ("tags", &["id"])])
        .seconds(20);
    let alert = story.alert(AlertName::SchemaDrift);
    assert!(
        alert
            .description
            .contains("table notes created\n- table tags created")
    );
    story.reads_schema(&[USERS, ("tags", &["id"])]).seconds(20);
    let alert = story.alert(AlertName::SchemaDrift);
    assert!(!alert.description.contains("notes"), "{}", alert.description);
    assert_eq!(story.sent(), ["SchemaDrift firing"]);
}

#[test]
fn a_migration_beside_an_open_drift_changes_only_its_own_part() {
    let mut story = two_services(Policy::Explicit);
    story
        .reads_schema(&[("users", &["id", "name", "+ix_name"])])
        .seconds(60);
    migrates(&mut story, BACKEND, A_TO_B);
    reads_heads(&mut story, "b2", "r1");
    story.reads_schema(&[("users", &["id", "name", "email", "+ix_name"])]);
    let text = evidence(story.migration());
    assert!(
        text.contains("column users.email added") && !text.contains("ix_name"),
        "{text}"
    );
    let alert = story.alert(AlertName::SchemaDrift);
    assert!(
        alert.summary.ends_with("index ix_name of users added"),
        "{}",
        alert.summary
    );
}

#[test]
fn a_change_long_after_a_migration_is_not_put_on_it() {
    let mut story = backend_made_chats(Policy::Explicit);
    story.reads_schema(&[USERS]).seconds(20);
    assert_eq!(story.sent(), ["SchemaDrift firing"]);
}

#[test]
fn a_change_read_right_after_the_end_of_a_migration_is_put_on_it() {
    let mut story = two_services(Policy::Explicit);
    migrates(&mut story, BACKEND, A_TO_B);
    reads_heads(&mut story, "b2", "r1");
    story.says(APPLICATION_UP).seconds(1);
    story.reads_schema(&[USERS, CHATS]).seconds(60);
    assert!(evidence(story.migration()).contains("table chat_messages created"));
    assert!(story.is_quiet(), "{:?}", story.sent());
}

#[test]
fn a_migration_found_late_takes_the_drift_upon_itself() {
    let mut story = two_services(Policy::Explicit);
    let began = story.now;
    story.reads_schema(&[USERS, CHATS]).seconds(11);
    assert_eq!(story.firing(), [AlertName::SchemaDrift]);
    let now = std::mem::replace(&mut story.now, began);
    story
        .created_as(BACKEND, armed(), |look| look.number = Some(7))
        .started();
    let (running, step) = (story.line(RUNNING).unwrap(), story.line(A_TO_B).unwrap());
    story.now = now;
    story.sees(running).sees(step);
    assert_eq!(story.sent(), ["SchemaDrift firing", "SchemaDrift resolved"]);
    assert!(evidence(story.migration()).contains("table chat_messages created"));
}

#[test]
fn drift_that_happened_while_migwatch_was_away_is_found_after_the_fact() {
    let mut story = two_services(Policy::Explicit);
    story.migwatch_is_killed().seconds_pass(600).migwatch_comes_back();
    story.reads_schema(&[("users", &["id"])]).seconds(20);
    let alert = story.alert(AlertName::SchemaDrift);
    assert!(
        alert.description.contains("found after the fact"),
        "{}",
        alert.description
    );
    assert!(alert.summary.contains("column users.name dropped"));
}

#[test]
fn a_migration_that_ran_while_migwatch_was_away_is_given_its_changes_after_the_fact() {
    let mut story = two_services(Policy::Explicit);
    story.migwatch_is_killed().seconds_pass(60);
    story
        .created_as(BACKEND, armed(), |look| look.number = Some(2))
        .starts_unheard();
    let (running, step, up) = (
        story.line(RUNNING).unwrap(),
        story.line(A_TO_B).unwrap(),
        story.line(APPLICATION_UP).unwrap(),
    );
    story.migwatch_is_killed().seconds_pass(60).migwatch_comes_back();
    reads_heads(&mut story, "b2", "r1");
    story.reads_schema(&[USERS, CHATS]);
    story.sees(running).sees(step).sees(up).seconds(60);
    let text = evidence(story.migration());
    assert!(
        text.contains("table chat_messages created (found after the fact)"),
        "{text}"
    );
    assert!(story.is_quiet(), "{:?}", story.sent());
}

#[test]
fn a_schema_that_may_not_be_read_is_a_warning_on_the_page_and_no_alert() {
    let mut story = two_services(Policy::Explicit);
    story.cannot_read_schema().seconds(3_600);
    assert!(story.is_quiet());
    let status = migwatch::judge::view::status(&story.state, &story.settings, story.now);
    let warnings = status.watcher.warnings.join("\n");
    assert!(
        warnings.contains("schema of database mariadb:3306/coe is not watched"),
        "{warnings}"
    );
    let quiet = story
        .migwatch_is_killed()
        .migwatch_comes_back()
        .reads_schema(&[USERS])
        .seconds(60);
    assert!(quiet.is_quiet(), "the same schema as before is no drift");
}
