//! Version tables: two in one schema, which service migrates which, and readings before and after the lines.

use migwatch::model::fact::BindingProof;
use migwatch::model::migration::{Grade, Outcome};
use migwatch::model::policy::Policy;
use migwatch::model::revision::Heads;

use crate::support::story::{
    A_TO_B, APPLICATION_UP, BACKEND, BACKEND_TABLE, RAG, RAG_TABLE, RUNNING, Story, armed, policy,
};

const RAG_STEP: &str = "INFO  [alembic.runtime.migration] Running upgrade r1 -> r2, 문서 테이블";

fn bound(story: &Story, service: &str) -> Vec<(String, BindingProof)> {
    let tables = story.service(service).tables;
    tables
        .into_iter()
        .map(|binding| (binding.table.table, binding.proof))
        .collect()
}

fn both_services() -> Story {
    let mut story = Story::new(policy(Policy::Allow));
    story.created(RAG, armed()).started();
    story.created(BACKEND, armed()).started();
    story.reads(&[(BACKEND_TABLE, &["a1"]), (RAG_TABLE, &["r1"])]);
    story
}

#[test]
fn two_version_tables_in_one_schema_are_kept_apart_and_learned() {
    let mut story = both_services();
    let backend = story.container.clone();
    let rag = story.looks.keys().find(|id| **id != backend).unwrap().clone();
    story
        .says(RUNNING)
        .says(A_TO_B)
        .with(&rag)
        .says(RUNNING)
        .says(RAG_STEP);
    story.reads(&[(BACKEND_TABLE, &["b2"]), (RAG_TABLE, &["r2"])]);
    story.says(APPLICATION_UP).with(&backend).says(APPLICATION_UP);
    assert_eq!(
        bound(&story, BACKEND),
        [(BACKEND_TABLE.to_owned(), BindingProof::Learned)]
    );
    assert_eq!(
        bound(&story, RAG),
        [(RAG_TABLE.to_owned(), BindingProof::Learned)]
    );
    for migration in story.migrations() {
        assert_eq!(
            (migration.outcome, migration.grade),
            (Outcome::Applied, Grade::Confirmed)
        );
        assert_eq!(migration.movements.len(), 1, "{:?}", migration.movements);
    }
}

#[test]
fn the_other_services_move_is_not_put_on_an_idle_run() {
    let mut story = both_services();
    let backend = story.container.clone();
    let rag = story.looks.keys().find(|id| **id != backend).unwrap().clone();
    story.says(RUNNING).with(&rag).says(RUNNING).says(RAG_STEP);
    story.reads(&[(BACKEND_TABLE, &["a1"]), (RAG_TABLE, &["r2"])]);
    story.says(APPLICATION_UP).with(&backend).says(APPLICATION_UP);
    let idle = story
        .migrations()
        .into_iter()
        .find(|migration| migration.service.service == "coe-backend");
    assert_eq!(idle.unwrap().outcome, Outcome::NothingToDo);
}

#[test]
fn another_services_steps_are_not_put_on_an_idle_run() {
    let mut story = Story::new(policy(Policy::Allow));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .says(RUNNING)
        .says(A_TO_B);
    story.created("coe/other", armed()).started().says(RUNNING);
    story.reads(&[(BACKEND_TABLE, &["b2"])]).says(APPLICATION_UP);
    let outcomes: Vec<_> = story.judged().into_iter().map(|(outcome, _)| outcome).collect();
    assert_eq!(outcomes, [Outcome::Running, Outcome::NothingToDo]);
}

#[test]
fn a_reading_that_overtakes_the_line_confirms_as_well() {
    let mut story = Story::new(policy(Policy::Allow));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .says(RUNNING);
    let step = story.line(A_TO_B).unwrap();
    story.seconds(1).reads(&[(BACKEND_TABLE, &["b2"])]).sees(step);
    let migration = story.migration();
    assert_eq!(migration.grade, Grade::Confirmed);
    assert_eq!(
        (migration.from(), migration.to()),
        (Some(Heads::of(["a1"])), Some(Heads::of(["b2"])))
    );
    assert_eq!((migration.movements.len(), migration.steps.len()), (1, 1));
}

#[test]
fn the_first_migration_of_an_empty_database_goes_from_base() {
    let mut story = Story::new(policy(Policy::Allow));
    story.created(BACKEND, armed()).started().reads(&[]).says(RUNNING);
    story.says("INFO  [alembic.runtime.migration] Running upgrade  -> a1, first");
    story.reads(&[(BACKEND_TABLE, &["a1"])]).says(APPLICATION_UP);
    let migration = story.migration();
    assert_eq!(migration.grade, Grade::Confirmed);
    assert_eq!(
        (migration.from(), migration.to()),
        (Some(Heads::default()), Some(Heads::of(["a1"])))
    );
}

#[test]
fn a_table_that_was_the_only_one_does_not_hide_the_services_own() {
    let mut story = Story::new(policy(Policy::Allow));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(RAG_TABLE, &["r1"])]);
    assert_eq!(
        bound(&story, BACKEND),
        [(RAG_TABLE.to_owned(), BindingProof::OnlyTable)]
    );
    story
        .says(RUNNING)
        .says("INFO  [alembic.runtime.migration] Running upgrade  -> a1, first");
    story.reads(&[(RAG_TABLE, &["r1"]), (BACKEND_TABLE, &["a1"])]);
    assert_eq!(story.migration().grade, Grade::Confirmed);
    assert!(bound(&story, BACKEND).contains(&(BACKEND_TABLE.to_owned(), BindingProof::Learned)));
}

#[test]
fn a_reading_that_was_overtaken_by_a_newer_one_moves_nothing() {
    let mut story = Story::new(policy(Policy::Allow));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .says(RUNNING)
        .says(A_TO_B);
    let early = story.now;
    story.seconds(1).reads(&[(BACKEND_TABLE, &["b2"])]);
    let late = std::mem::replace(&mut story.now, early);
    story.reads(&[]).reads(&[(BACKEND_TABLE, &["a1"])]);
    story.now = late;
    assert_eq!(story.migration().to(), Some(Heads::of(["b2"])));
    let table = story.state.durable.tables.known.values().next().unwrap();
    assert_eq!(table.moves.len(), 1);
}

#[test]
fn a_move_that_is_read_before_its_step_is_heard_is_not_the_work_of_the_run_before() {
    let mut story = Story::new(policy(Policy::Explicit));
    story
        .created(BACKEND, armed())
        .started()
        .reads(&[(BACKEND_TABLE, &["a1"])])
        .says(RUNNING)
        .says(APPLICATION_UP)
        .seconds(2)
        .stopped(137)
        .started()
        .says(RUNNING)
        .reads(&[(BACKEND_TABLE, &["b2"])])
        .says(A_TO_B)
        .says(APPLICATION_UP)
        .seconds(60);
    let all = story.migrations();
    let told: Vec<_> = all
        .iter()
        .map(|migration| (migration.outcome, migration.grade))
        .collect();
    assert_eq!(
        told,
        [
            (Outcome::NothingToDo, Grade::Witnessed),
            (Outcome::Applied, Grade::Confirmed)
        ]
    );
}
