//! What receivers are owed.

use migwatch::model::policy::Policy;

use crate::support::story::{A_TO_B, APPLICATION_UP, BACKEND, RUNNING, Story, armed, policy};

/// Migrations that nobody planned, one for each time asked.
fn alert(story: &mut Story) {
    story
        .created(BACKEND, armed())
        .started()
        .says(RUNNING)
        .says(A_TO_B)
        .says(APPLICATION_UP);
}

fn owed(story: &Story, receiver: &str) -> usize {
    let outbox = story.state.durable.alerts.outbox();
    let has = outbox.delivered[receiver];
    outbox
        .transitions
        .iter()
        .filter(|transition| transition.number > has)
        .count()
}

#[test]
fn each_receiver_has_its_own_position() {
    let mut settings = policy(Policy::Deny);
    settings.receivers = vec!["pager".into(), "chat".into()];
    let mut story = Story::new(settings);
    alert(&mut story);
    story.delivered("pager");
    alert(&mut story);
    assert_eq!((owed(&story, "pager"), owed(&story, "chat")), (1, 2));
    story.delivered("pager").delivered("chat");
    assert!(story.state.durable.alerts.transitions.is_empty());
}

#[test]
fn a_new_receiver_gets_no_old_messages() {
    let mut story = Story::new(policy(Policy::Deny));
    alert(&mut story);
    story.settings.receivers.push("chat".into());
    story.seconds(1);
    assert_eq!((owed(&story, "pager"), owed(&story, "chat")), (1, 0));
    alert(&mut story);
    assert_eq!((owed(&story, "pager"), owed(&story, "chat")), (2, 1));
}

#[test]
fn a_receiver_that_was_removed_holds_nothing_back_and_cannot_come_back_by_a_late_delivery() {
    let mut settings = policy(Policy::Deny);
    settings.receivers = vec!["pager".into(), "chat".into()];
    let mut story = Story::new(settings);
    alert(&mut story);
    story.delivered("pager");
    story.settings.receivers.pop();
    story.seconds(1);
    assert!(story.state.durable.alerts.transitions.is_empty());
    story.delivered("chat");
    assert!(!story.state.durable.alerts.delivered.contains_key("chat"));
}

#[test]
fn what_is_undelivered_survives_a_kill_with_the_same_key() {
    let mut story = Story::new(policy(Policy::Deny));
    alert(&mut story);
    let before = story.state.durable.alerts.outbox();
    story.migwatch_is_killed().seconds_pass(30).migwatch_comes_back();
    let after = story.state.durable.alerts.outbox();
    assert_eq!(before.transitions.len(), 1);
    assert_eq!(before.transitions[0].key(), after.transitions[0].key());
}
