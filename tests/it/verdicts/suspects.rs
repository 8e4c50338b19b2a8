//! On which of several runs a change of the schema is put, and when it waits for their end.

use migwatch::model::alert::{AlertName, Severity};
use migwatch::model::container::ContainerLook;
use migwatch::model::exec::Action;
use migwatch::model::migration::Outcome;
use migwatch::model::policy::Policy;

use super::schemas::{CHATS, RAG_STEP, USERS, backend_made_chats, evidence, reads_heads, two_services};
use crate::support::story::{
    APPLICATION_UP, BACKEND, BACKEND_TABLE, RAG, RAG_TABLE, RUNNING, Story, armed, disarmed, policy,
};

#[test]
fn what_somebody_changed_by_hand_is_not_put_on_a_command_that_had_nothing_to_do() {
    let mut story = two_services(Policy::Allow);
    // The reading that the command hurries is the first to show it.
    story
        .execs("e1", "alembic upgrade head", Action::Upgrade)
        .reads_schema(&[("users", &["id"])])
        .seconds(1)
        .exec_ends("e1", 0);
    reads_heads(&mut story, "a1", "r1");
    story.reads_schema(&[("users", &["id"])]).seconds(30);
    assert_eq!(story.migration().outcome, Outcome::NothingToDo);
    let drift = story.alert(AlertName::SchemaDrift);
    assert!(
        drift.summary.contains("column users.name dropped"),
        "{}",
        drift.summary
    );
}

#[test]
fn what_a_command_changed_is_put_on_it_once_its_table_has_moved() {
    let mut story = two_services(Policy::Allow);
    story
        .execs("e1", "alembic upgrade head", Action::Upgrade)
        .seconds(1)
        .reads_schema(&[USERS, CHATS]);
    reads_heads(&mut story, "b2", "r1");
    story.exec_ends("e1", 0).seconds(1);
    reads_heads(&mut story, "b2", "r1");
    story.reads_schema(&[USERS, CHATS]).seconds(60);
    let text = evidence(story.migration());
    assert!(text.contains("table chat_messages created"), "{text}");
    assert!(story.is_quiet(), "{:?}", story.sent());
}

#[test]
fn a_table_of_a_service_whose_label_allows_everything_is_told_as_a_warning() {
    let mut story = backend_made_chats(Policy::Explicit);
    let allows = |look: &mut ContainerLook| {
        look.number = Some(9);
        look.labels.migrations = Some(Policy::Allow);
    };
    story.created_as(BACKEND, disarmed(), allows);
    story.created_as(RAG, armed(), allows).started();
    story.says(RUNNING).says(RAG_STEP);
    reads_heads(&mut story, "b2", "r2");
    story.reads_schema(&[USERS]).says(APPLICATION_UP).seconds(60);
    assert_eq!(
        story.alert(AlertName::ForeignSchemaChange).severity,
        Severity::Warning
    );
}

/// The change is the dead container's as soon as the idle run beside it has ended; only then the move is nobody's.
#[test]
fn a_move_that_waited_for_what_changed_beside_it_is_told_at_once_when_that_is_known() {
    let mut story = Story::new(policy(Policy::Deny));
    let before = ["a", "b", "c", "users"].map(|table| (table, &["id"][..]));
    story.reads_schema(&before);
    story.created(BACKEND, armed()).started();
    story.reads(&[(BACKEND_TABLE, &[]), (RAG_TABLE, &["a1"])]);
    story.says(RUNNING).recreated(armed()).says(RUNNING);
    story.reads(&[(BACKEND_TABLE, &["a1"]), (RAG_TABLE, &["b2"])]);
    story.reads_schema(&[("a", &["id"]), ("d", &["id"])]);
    story.seconds(15 * 60 - 1);
    assert!(!story.sent().contains(&"UnexpectedMigration firing".to_owned()));
    story.seconds(1);
    assert!(story.sent().contains(&"UnexpectedMigration firing".to_owned()));
}
