//! The database against the code: behind, unknown, several heads, broken; and what the code tells of owners and of runs that did nothing.

use migwatch::judge::plan;
use migwatch::judge::preflight::{self, Question};
use migwatch::model::alert::AlertName;
use migwatch::model::exec::{self, ExecCommand, MigrationCommand};
use migwatch::model::fact::BindingProof;
use migwatch::model::migration::Outcome;
use migwatch::model::policy::Policy;
use migwatch::model::preflight::{CheckName, CheckResult};
use migwatch::model::revision::Revision;
use migwatch::model::script::{Action, Code, ColumnChange};
use migwatch::model::status::StandingWord;

use crate::support::story::{
    A_TO_B, APPLICATION_UP, BACKEND, BACKEND_TABLE, RAG, RAG_TABLE, RUNNING, SKIPPING, Story, armed, code,
    deploy, disarmed, doing, leave, policy, row, script, service_id, serving, with_unreadable,
};

const BEHIND: &str = "RevisionBehind firing";

pub(super) fn upgrade_head() -> ExecCommand {
    ExecCommand::Migrates(MigrationCommand {
        text: "alembic upgrade head".into(),
        action: exec::Action::Upgrade,
        target: Some("head".into()),
        environment: None,
    })
}

pub(super) fn word(story: &Story) -> StandingWord {
    story.service(BACKEND).code[0].tables[0].word
}

#[test]
fn a_database_that_stays_behind_its_code_is_told_after_ten_minutes_until_it_is_there() {
    let mut story = serving(Policy::Explicit);
    story.has(row(&["a1", "b2", "c3"]));
    assert_eq!(word(&story), StandingWord::Behind);
    story.seconds(599);
    assert!(story.is_quiet());
    story.seconds(2);
    assert_eq!(story.sent(), [BEHIND]);
    let alert = story.alert(AlertName::RevisionBehind);
    assert!(
        alert
            .summary
            .contains("is 2 revisions behind the code of coe-demo/coe-backend"),
        "{alert:?}"
    );
    assert!(
        alert.description.contains("- b2 what b2 does\n- c3 what c3 does"),
        "{alert:?}"
    );
    story.reads(&[(BACKEND_TABLE, &["c3"])]).seconds(30);
    assert_eq!(word(&story), StandingWord::AtHead);
    assert!(
        story.sent().contains(&"RevisionBehind resolved".to_owned()),
        "{:?}",
        story.sent()
    );
}

#[test]
fn what_is_behind_is_not_told_while_somebody_expects_a_migration() {
    let mut story = serving(Policy::Deny);
    story.has(row(&["a1", "b2"]));
    story.approved(leave(BACKEND));
    story.seconds(1700);
    assert!(story.is_quiet(), "{:?}", story.sent());
    story.seconds(200);
    let over = [BEHIND, "ExpectedMigrationMissing firing"];
    assert_eq!(story.sent(), over, "the approval is over");
}

#[test]
fn an_alert_about_revisions_outlives_a_restart_of_migwatch_and_ends_when_the_code_says_so() {
    let mut story = serving(Policy::Explicit);
    story.has(row(&["a1", "b2"])).seconds(700);
    assert_eq!(story.sent(), [BEHIND]);
    story.migwatch_is_killed();
    story.seconds_pass(30).migwatch_comes_back();
    story.reads(&[(BACKEND_TABLE, &["a1"])]).seconds(60);
    assert_eq!(story.sent(), [BEHIND], "the code is not read yet");
    story.has(row(&["a1", "b2"])).seconds(60);
    assert_eq!(story.sent(), [BEHIND], "and it does not wait ten minutes again");
    story.has(row(&["a1"])).seconds(1);
    assert_eq!(story.sent(), [BEHIND, "RevisionBehind resolved"]);
}

#[test]
fn scripts_that_cannot_be_read_are_told_and_nothing_is_called_unknown_because_of_them() {
    let mut story = serving(Policy::Explicit);
    story.has(with_unreadable(row(&["a1"])));
    story.reads(&[(BACKEND_TABLE, &["zz"])]).seconds(60);
    assert!(
        story.firing().contains(&AlertName::RevisionGraphBroken),
        "{:?}",
        story.firing()
    );
    assert!(
        !story.firing().contains(&AlertName::RevisionUnknown),
        "{:?}",
        story.firing()
    );
    let alert = story.alert(AlertName::RevisionGraphBroken);
    assert!(
        alert.summary.contains("z.py: line 3: its revision is computed"),
        "{alert:?}"
    );
}

#[test]
fn several_heads_and_a_broken_graph_are_told_at_once_and_end_with_the_image() {
    let mut story = serving(Policy::Explicit);
    story.seconds(60).has(row(&["a1", "b2"])).seconds(30);
    story.has(code(&[script("a1", ""), script("b2", "a1"), script("c3", "a1")]));
    assert_eq!(story.firing(), [AlertName::MultipleHeads]);
    let began = story.alert(AlertName::MultipleHeads).starts_at;
    assert_eq!(began, story.now, "files changed in a container that is older");
    story.has(code(&[script("b2", "gone")]));
    assert_eq!(story.firing(), [AlertName::RevisionGraphBroken]);
    assert!(
        story
            .alert(AlertName::RevisionGraphBroken)
            .summary
            .contains("gone")
    );
    story
        .recreated(disarmed())
        .says(SKIPPING)
        .says(APPLICATION_UP)
        .has(row(&["a1"]));
    story.seconds(1);
    assert!(story.firing().is_empty(), "{:?}", story.firing());
}

#[test]
fn a_run_that_did_nothing_although_its_own_code_has_more_applied_nothing() {
    let mut story = serving(Policy::Allow);
    story.has(row(&["a1", "b2"]));
    story.execs_as("e1", upgrade_head()).seconds(2);
    story.exec_ends("e1", 0).seconds(3);
    story.reads(&[(BACKEND_TABLE, &["a1"])]).seconds(30);
    story.reads(&[(BACKEND_TABLE, &["a1"])]);
    let migration = story.migration();
    assert_eq!(migration.outcome, Outcome::NothingApplied, "{migration:?}");
    assert!(
        migration
            .outcome_reason
            .as_ref()
            .unwrap()
            .contains("is 1 behind the code in its own container")
    );
}

#[test]
fn a_script_that_came_after_a_run_does_not_make_it_a_run_that_applied_nothing() {
    let mut story = serving(Policy::Allow);
    story.has(row(&["a1"]));
    story.execs_as("e1", upgrade_head()).seconds(2);
    story.exec_ends("e1", 0).seconds(3);
    story.reads(&[(BACKEND_TABLE, &["a1"])]).seconds(30);
    story.has(row(&["a1", "b2"])).seconds(30);
    story.reads(&[(BACKEND_TABLE, &["a1"])]).seconds(30);
    assert_eq!(story.migration().outcome, Outcome::NothingToDo);
}

#[test]
fn a_deploy_without_a_migration_is_not_missed_where_everything_has_run() {
    for (revisions, missed) in [(&["a1"][..], false), (&["a1", "b2"][..], true)] {
        let mut story = serving(Policy::Deny);
        story.has(row(revisions));
        let id = story.approved(deploy(BACKEND));
        story.seconds(10).deploy_ends(&id).seconds(120);
        let fires = story.firing().contains(&AlertName::ExpectedMigrationMissing);
        assert_eq!(fires, missed, "{revisions:?}");
    }
}

/// Two services on one schema; who made the tables was not seen, but their scripts say it.
fn shared(dropping: &str) -> Story {
    sharing("chunks", dropping)
}

/// The same, where one service's scripts call its table so, and the other's drop what they call so.
fn sharing(making: &str, dropping: &str) -> Story {
    let creates = |table: &str| Action::CreateTable {
        table: Some(table.into()),
    };
    let mut story = Story::before_install(policy(Policy::Allow));
    story.created(RAG, disarmed()).started().says(APPLICATION_UP);
    let rag = story.container.clone();
    story.created(BACKEND, armed()).started().says(APPLICATION_UP);
    let backend = story.container.clone();
    story.installed();
    story.reads(&[(BACKEND_TABLE, &["a1"]), (RAG_TABLE, &["r1"])]);
    story.reads_schema(&[("users", &["id"]), ("chunks", &["id"])]);
    story.with(&rag).has(Code {
        version_table: Some(RAG_TABLE.into()),
        ..code(&[doing(script("r1", ""), &[creates(making)])])
    });
    let drop = Action::DropTable {
        table: Some(dropping.into()),
    };
    story.with(&backend).has(Code {
        version_table: Some(BACKEND_TABLE.into()),
        ..code(&[
            doing(script("a1", ""), &[creates("users")]),
            doing(script("b2", "a1"), &[drop]),
        ])
    });
    story.seconds(60);
    story
}

#[test]
fn env_py_binds_a_service_to_its_table_where_there_are_several() {
    let story = shared("chunks");
    for (service, table) in [(BACKEND, BACKEND_TABLE), (RAG, RAG_TABLE)] {
        let tables = story.service(service).tables;
        let bound: Vec<(&str, BindingProof)> = tables
            .iter()
            .map(|binding| (binding.table.table.as_str(), binding.proof))
            .collect();
        assert_eq!(bound, [(table, BindingProof::EnvPy)]);
    }
}

#[test]
fn a_table_that_another_services_scripts_create_is_foreign_although_nobody_saw_it_made() {
    for (dropping, foreign) in [("chunks", true), ("users", false)] {
        let mut story = shared(dropping);
        let plans = plan::plans(&story.state, &service_id(BACKEND), "heads").unwrap();
        let owners = &plans[0].pending[0].operations[0].owners;
        assert_eq!(owners.contains(&service_id(RAG)), foreign, "{plans:#?}");
        let left = if foreign { "users" } else { "chunks" };
        story.execs_as("e1", upgrade_head()).seconds(2);
        story.reads(&[(BACKEND_TABLE, &["b2"]), (RAG_TABLE, &["r1"])]);
        story.reads_schema(&[(left, &["id"])]);
        story.exec_ends("e1", 0).seconds(60);
        let fires = story.firing().contains(&AlertName::ForeignSchemaChange);
        assert_eq!(fires, foreign, "{:?}", story.firing());
    }
}

#[test]
fn a_table_of_another_service_is_foreign_however_its_name_is_written() {
    for dropping in ["coe.chunks", "Chunks", "COE.chunks"] {
        let story = shared(dropping);
        let plans = plan::plans(&story.state, &service_id(BACKEND), "heads").unwrap();
        let owners = &plans[0].pending[0].operations[0].owners;
        assert!(owners.contains(&service_id(RAG)), "{dropping}: {plans:#?}");
    }
    let story = shared("elsewhere.chunks");
    let plans = plan::plans(&story.state, &service_id(BACKEND), "heads").unwrap();
    assert!(plans[0].pending[0].operations[0].owners.is_empty());
}

#[test]
fn a_service_whose_scripts_write_its_tables_with_their_schema_owns_them() {
    let mut story = sharing("coe.Chunks", "chunks");
    let plans = plan::plans(&story.state, &service_id(BACKEND), "heads").unwrap();
    assert!(
        plans[0].pending[0].operations[0]
            .owners
            .contains(&service_id(RAG))
    );
    story.execs_as("e1", upgrade_head()).seconds(2);
    story.reads(&[(BACKEND_TABLE, &["b2"]), (RAG_TABLE, &["r1"])]);
    story.reads_schema(&[("users", &["id"])]);
    story.exec_ends("e1", 0).seconds(60);
    assert!(
        story.firing().contains(&AlertName::ForeignSchemaChange),
        "{:?}",
        story.firing()
    );
}

#[test]
fn status_and_plan_agree_on_what_is_destructive_in_the_services_own_database() {
    // MySQL's REAL holds a DOUBLE, PostgreSQL's does not.
    let change = ColumnChange {
        type_from: Some("DOUBLE".into()),
        type_to: Some("REAL".into()),
        ..ColumnChange::default()
    };
    let alter = Action::AlterColumn {
        table: Some("users".into()),
        column: Some("weight".into()),
        change,
    };
    let mut story = serving(Policy::Explicit);
    story.has(code(&[script("a1", ""), doing(script("b2", "a1"), &[alter])]));
    let plans = plan::plans(&story.state, &service_id(BACKEND), "heads").unwrap();
    let status = story.service(BACKEND);
    let shown = &status.code[0].tables[0].pending[0];
    assert!(!plans[0].pending[0].is_destructive());
    assert!(!shown.destructive, "{shown:?}");
}

#[test]
fn the_checklist_asks_for_a_rehearsal_for_peace_and_for_nobody_being_armed() {
    let mut story = serving(Policy::Allow);
    story.has(row(&["a1", "b2"]));
    let result = |story: &Story, rehearsed_in: Option<&str>, name: CheckName| {
        let question = Question {
            service: service_id(BACKEND),
            revisions: vec![Revision("b2".into())],
            rehearsed_in: rehearsed_in.map(str::to_owned),
        };
        let history: Vec<_> = story.migrations().into_iter().cloned().collect();
        let checks =
            preflight::checks(&story.state, &story.settings, &question, (&history, story.now)).unwrap();
        checks.into_iter().find(|check| check.name == name).unwrap()
    };
    for name in [CheckName::Alone, CheckName::Healthy, CheckName::Armed] {
        assert_eq!(result(&story, None, name).result, CheckResult::Pass, "{name:?}");
    }
    let unasked = result(&story, None, CheckName::Rehearsed);
    assert!(unasked.unasked && !unasked.is_obstacle(), "{unasked:?}");
    let never = result(&story, Some("coe-demo"), CheckName::Rehearsed);
    assert!(never.is_obstacle() && never.details == ["b2"], "{never:?}");

    story.recreated(armed()).says(RUNNING).says(A_TO_B);
    assert_eq!(result(&story, None, CheckName::Alone).result, CheckResult::Fail);
    assert_eq!(result(&story, None, CheckName::Armed).result, CheckResult::Fail);
    story.reads(&[(BACKEND_TABLE, &["b2"])]).says(APPLICATION_UP);
    story.seconds(60);
    let rehearsed = result(&story, Some("coe-demo"), CheckName::Rehearsed);
    assert_eq!(rehearsed.result, CheckResult::Pass, "{rehearsed:?}");
    story.dies(1).seconds(60);
    assert_eq!(result(&story, None, CheckName::Healthy).result, CheckResult::Fail);
}

#[test]
fn a_start_that_was_to_go_no_further_than_a_revision_has_not_failed_to_go_further() {
    for (target, outcome) in [("a1", Outcome::NothingToDo), ("head", Outcome::NothingApplied)] {
        let mut story = serving(Policy::Allow);
        story.created_as(BACKEND, armed(), |look| {
            look.runs = Some(MigrationCommand {
                text: format!("alembic upgrade {target}"),
                action: exec::Action::Upgrade,
                target: Some(target.into()),
                environment: None,
            });
        });
        story
            .started()
            .has(row(&["a1", "b2"]))
            .says(RUNNING)
            .says(APPLICATION_UP);
        story.seconds(5).reads(&[(BACKEND_TABLE, &["a1"])]).seconds(30);
        story.reads(&[(BACKEND_TABLE, &["a1"])]);
        assert_eq!(story.latest().outcome, outcome, "{target}");
    }
}
