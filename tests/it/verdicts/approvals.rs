//! Approvals: what they cover, when they end, and what uses them up.

use std::time::Duration;

use migwatch::model::approval::{ApprovalKind, ApprovalRequest};
use migwatch::model::exec::Action;
use migwatch::model::migration::{Outcome, Rule, Trigger, Verdict};
use migwatch::model::policy::Policy;
use migwatch::model::service::Role;

use crate::support::story::{
    A_TO_B, APPLICATION_UP, B_TO_C, BACKEND, BACKEND_TABLE, DROP_MISSING, RAG, RUNNING, Story, armed, deploy,
    leave, policy, serving,
};

/// A stack under `deny` whose backend runs, at head.
fn denied() -> Story {
    let mut story = Story::new(policy(Policy::Deny));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])]);
    story.says(RUNNING).says(APPLICATION_UP).seconds(600);
    story
}

/// The backend is started again, and that migrates.
fn migrates(story: &mut Story, step: &str) {
    story.stopped(137).started().says(RUNNING).says(step);
}

#[test]
fn an_approved_migration_is_expected_and_quiet_and_its_reason_says_who_and_why() {
    let mut story = denied();
    let id = story.approved(leave(BACKEND));
    migrates(&mut story, A_TO_B);
    story.says(APPLICATION_UP).reads(&[(BACKEND_TABLE, &["b2"])]);
    let judgement = &story.latest().judgement;
    assert_eq!(
        (judgement.verdict, judgement.rule),
        (Verdict::Expected, Rule::Approved)
    );
    assert_eq!(judgement.expectation.as_deref(), Some(id.0.as_str()));
    assert_eq!(judgement.reason, "kim had approved it: release 42");
    story.seconds(1200);
    assert!(story.is_quiet(), "{:?}", story.sent());
    assert_eq!(story.end_of(&id), "used up");
    assert_eq!(story.approval(&id).used_by, [story.latest().id.clone()]);
}

#[test]
fn one_that_began_before_the_approval_is_not_covered_by_it() {
    let mut story = denied();
    story.stopped(137).started().says(RUNNING);
    let id = story.approved(leave(BACKEND));
    story.says(A_TO_B).says(APPLICATION_UP);
    assert_eq!(story.latest().judgement.rule, Rule::DenyEverything);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
    assert_eq!(
        story.end_of(&id),
        "",
        "it is still there for the one it was given for"
    );
}

#[test]
fn one_that_began_before_the_approval_and_is_only_heard_of_afterwards_is_not_covered_either() {
    let mut story = denied();
    story.stopped(137).started();
    let lines = [RUNNING, A_TO_B].map(|text| story.line(text).expect("understood"));
    story.seconds(5).approved(leave(BACKEND));
    for line in lines {
        story.sees(line);
    }
    assert_eq!(story.latest().judgement.rule, Rule::DenyEverything);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn one_that_began_after_the_approval_had_ended_is_not_covered_by_it() {
    let mut story = denied();
    let id = story.approved(leave(BACKEND));
    story.seconds(1801);
    assert_eq!(story.end_of(&id), "expired");
    migrates(&mut story, A_TO_B);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn an_approval_that_ends_in_the_middle_changes_nothing() {
    for revoked in [true, false] {
        let mut story = denied();
        // so slow a step is another alert's business
        story.settings.max_duration = Duration::from_secs(3_600);
        let id = story.approved(leave(BACKEND));
        story.stopped(137).started().says(RUNNING).says(A_TO_B);
        if revoked {
            story.revoked(&id);
        } else {
            story.seconds(1801);
        }
        story.says(B_TO_C).says(APPLICATION_UP).seconds(60);
        assert_eq!(story.latest().judgement.rule, Rule::Approved);
        assert!(story.is_quiet());
        assert_eq!(
            story.end_of(&id),
            if revoked { "revoked by lee" } else { "expired" }
        );
    }
}

#[test]
fn a_start_inside_the_approval_is_covered_though_its_migration_is_heard_after_it() {
    let mut story = denied();
    let id = story.approved(deploy(BACKEND));
    story.stopped(137).started().seconds(1);
    story.deploy_ends(&id).seconds(5);
    story.says(RUNNING).says(A_TO_B).says(APPLICATION_UP);
    assert_eq!(story.latest().judgement.rule, Rule::Approved);
    assert!(story.is_quiet());
    assert_eq!(story.end_of(&id), "its command ended");
}

#[test]
fn one_movement_uses_it_up_and_the_next_is_unexpected() {
    let mut story = denied();
    story.approved(leave(BACKEND));
    migrates(&mut story, A_TO_B);
    story.says(APPLICATION_UP).seconds(60);
    assert!(story.is_quiet());
    migrates(&mut story, B_TO_C);
    assert_eq!(story.latest().judgement.rule, Rule::DenyEverything);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn a_run_with_nothing_to_do_uses_nothing_up() {
    let mut story = denied();
    let id = story.approved(leave(BACKEND));
    story
        .stopped(137)
        .started()
        .says(RUNNING)
        .says(APPLICATION_UP)
        .seconds(60);
    assert_eq!(story.latest().outcome, Outcome::NothingToDo);
    assert_eq!(story.end_of(&id), "");
    migrates(&mut story, A_TO_B);
    story.says(APPLICATION_UP);
    assert_eq!(story.latest().judgement.rule, Rule::Approved);
    assert!(story.is_quiet());
}

#[test]
fn retries_of_a_restart_loop_use_one_up_and_its_failure_is_told_all_the_same() {
    let mut story = denied();
    let id = story.approved(leave(BACKEND));
    for _ in 0..3 {
        story
            .stopped(137)
            .started()
            .says(RUNNING)
            .says(A_TO_B)
            .says(DROP_MISSING);
        story.dies(1).seconds(3);
    }
    assert_eq!(story.end_of(&id), "", "whoever fails may try again");
    story.started().says(RUNNING).says(A_TO_B).says(APPLICATION_UP);
    let migration = story.latest();
    assert_eq!(
        (migration.attempts, migration.judgement.rule),
        (4, Rule::Approved)
    );
    assert_eq!(story.end_of(&id), "used up");
    let mut told = story.sent();
    told.retain(|message| message.contains("Migration"));
    assert_eq!(told, ["MigrationFailed firing", "MigrationFailed resolved"]);
}

#[test]
fn another_try_after_a_failure_is_covered_by_what_the_failure_gave_back() {
    let mut story = denied();
    let id = story.approved(leave(BACKEND));
    story
        .stopped(137)
        .started()
        .says(RUNNING)
        .says(A_TO_B)
        .says(DROP_MISSING)
        .dies(1)
        .seconds(30);
    story
        .recreated(armed())
        .says(RUNNING)
        .says(A_TO_B)
        .says(APPLICATION_UP);
    assert_eq!(story.migrations().len(), 3);
    assert_eq!(story.latest().judgement.rule, Rule::Approved);
    assert_eq!(story.approval(&id).used_by.len(), 2);
    assert_eq!(story.end_of(&id), "used up");
}

#[test]
fn two_approvals_cover_two_migrations() {
    let mut story = denied();
    let first = story.approved(leave(BACKEND));
    let second = story.seconds(1).approved(leave(BACKEND));
    assert_ne!(first, second);
    for step in [A_TO_B, B_TO_C] {
        migrates(&mut story, step);
        story.says(APPLICATION_UP).seconds(60);
    }
    assert!(story.is_quiet());
    let by = |index: usize| story.migrations()[index].judgement.expectation.clone();
    assert_eq!(
        (by(1), by(2)),
        (Some(first.0), Some(second.0)),
        "the older one first"
    );
}

#[test]
fn of_two_that_run_under_one_approval_the_first_that_moves_takes_it() {
    let mut settings = policy(Policy::Deny);
    for project in ["shop-blue", "shop-green"] {
        settings.apps.insert(project.into(), "shop".into());
    }
    let mut story = Story::new(settings);
    story.created("shop-blue/backend", armed());
    let blue = story.container.clone();
    story.approved(leave("shop-blue/backend"));
    story.started().says(RUNNING);
    story
        .created("shop-green/backend", armed())
        .started()
        .says(RUNNING)
        .says(A_TO_B);
    assert!(
        story.is_quiet(),
        "green moved first, and the approval covers that"
    );
    story.with(&blue).says(B_TO_C);
    let all = story.migrations();
    let [blue, green] = all.as_slice() else {
        panic!("two migrations: {all:#?}")
    };
    assert_eq!(green.judgement.rule, Rule::Approved);
    assert_eq!(blue.judgement.rule, Rule::DenyEverything);
    assert!(
        blue.judgement.reason.contains("is used by the migration"),
        "{}",
        blue.judgement.reason
    );
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn a_second_environment_of_one_start_is_covered_by_the_same_approval() {
    let mut story = denied();
    let id = story.approved(leave(BACKEND));
    story.stopped(137).started().says(RUNNING).says(A_TO_B);
    story.says("✅ Alembic 마이그레이션 완료!");
    assert_eq!(story.end_of(&id), "used up");
    story.says(RUNNING).says(B_TO_C).says(APPLICATION_UP);
    assert_eq!(story.migrations().len(), 3);
    assert_eq!(story.latest().judgement.rule, Rule::Approved);
    assert!(story.is_quiet());
}

#[test]
fn a_revoked_approval_covers_nothing_from_then_on() {
    let mut story = denied();
    let id = story.approved(leave(BACKEND));
    story.revoked(&id);
    migrates(&mut story, A_TO_B);
    assert_eq!(story.sent(), ["UnexpectedMigration firing"]);
    assert_eq!(story.end_of(&id), "revoked by lee");
}

#[test]
fn an_approval_of_another_service_covers_nothing_here() {
    let mut story = denied();
    story.approved(leave(RAG));
    migrates(&mut story, A_TO_B);
    assert_eq!(story.latest().judgement.rule, Rule::DenyEverything);
}

#[test]
fn an_approval_for_some_triggers_covers_no_other() {
    let by_hand = |trigger| ApprovalRequest {
        triggers: [trigger].into(),
        ..leave(BACKEND)
    };
    for (trigger, rule) in [
        (Trigger::OneOff, Rule::Approved),
        (Trigger::Exec, Rule::DenyEverything),
    ] {
        let mut story = denied();
        story.approved(by_hand(trigger));
        story.created_as(BACKEND, armed(), |look| {
            look.role = Role::OneOff;
            look.number = None;
        });
        story.started().says(RUNNING).says(A_TO_B).dies(0);
        assert_eq!(story.latest().trigger, Trigger::OneOff);
        assert_eq!(story.latest().judgement.rule, rule, "{trigger:?}");
    }
}

#[test]
fn approvals_outlive_migwatch_and_what_began_under_one_is_covered_whenever_it_is_heard_of() {
    let mut story = denied();
    let id = story.approved(ApprovalRequest {
        lasts: Duration::from_secs(300),
        ..leave(BACKEND)
    });
    story.migwatch_is_killed();
    story.ends_unheard(137).starts_unheard();
    let running = story.line(RUNNING).expect("understood");
    let step = story.line(A_TO_B).expect("understood");
    story.seconds_pass(600).migwatch_comes_back();
    assert_eq!(story.end_of(&id), "expired");
    story.sees(running).sees(step);
    assert_eq!(story.latest().judgement.rule, Rule::Approved);
    assert!(story.is_quiet());
    assert_eq!(story.approval(&id).used_by, [story.latest().id.clone()]);
}

#[test]
fn an_open_approval_is_never_forgotten_and_one_that_ended_long_ago_is() {
    let mut story = denied();
    let ended = story.approved(leave(BACKEND));
    story.seconds(8 * 24 * 3600);
    let long = ApprovalRequest {
        lasts: Duration::from_secs(30 * 24 * 3600),
        kind: ApprovalKind::Approve,
        ..leave(BACKEND)
    };
    let open = story.approved(long);
    let mut durable = story.state.durable.clone();
    durable.forget(story.now.after(Duration::from_secs(20 * 24 * 3600)));
    assert!(durable.expectations.approvals.contains_key(&open));
    assert!(!durable.expectations.approvals.contains_key(&ended));
}

#[test]
fn an_armed_container_is_quiet_while_something_is_expected_of_it() {
    let mut story = Story::new(policy(Policy::Deny));
    story.created(BACKEND, armed()).started();
    story.approved(ApprovalRequest {
        lasts: Duration::from_secs(7200),
        ..leave(BACKEND)
    });
    story.seconds(7100);
    assert!(story.is_quiet());
    story.seconds(200);
    assert_eq!(story.sent(), ["MigrationArmed firing"]);
}

#[test]
fn a_command_that_took_long_over_nothing_gives_the_approval_back() {
    let mut story = serving(Policy::Deny);
    let id = story.approved(leave(BACKEND));
    story
        .execs("e1", "alembic upgrade head", Action::Upgrade)
        .seconds(8)
        .exec_ends("e1", 0)
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .seconds(20);
    assert_eq!(story.latest().outcome, Outcome::NothingToDo);
    assert_eq!(story.end_of(&id), "");
    story
        .execs("e2", "alembic upgrade head", Action::Upgrade)
        .seconds(1)
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .exec_ends("e2", 0)
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .seconds(20);
    assert_eq!(story.latest().judgement.rule, Rule::Approved);
    assert_eq!(story.end_of(&id), "used up");
    assert!(story.is_quiet(), "{:?}", story.sent());
}
