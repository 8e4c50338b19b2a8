//! Local processes: nothing but lines in a file, until the database agrees.

use migwatch::model::file::{FileId, FilePosition};
use migwatch::model::log::{LineKey, LogLine, Stream};
use migwatch::model::migration::{Grade, Outcome, Trigger, Verdict};
use migwatch::model::observation::Observation;
use migwatch::model::policy::Policy;
use migwatch::model::service::ServiceId;

use crate::support::story::{
    A_TO_B, APPLICATION_UP, B_TO_C, BACKEND, BACKEND_TABLE, SKIPPING, Story, disarmed, policy,
};

const ANNOUNCED: &str = "⬆️ Alembic 마이그레이션 적용 중...";
const FINISHED: &str = "✅ Alembic 마이그레이션 완료!";

fn process() -> ServiceId {
    ServiceId::new("local", "coe-backend")
}

/// A laptop's `run.sh` beside a stack whose database it uses.
struct Local {
    story: Story,
    offset: u64,
}

impl Local {
    fn new() -> Self {
        let mut story = Story::new(policy(Policy::Explicit));
        story
            .created(BACKEND, disarmed())
            .started()
            .says(SKIPPING)
            .says(APPLICATION_UP)
            .reads(&[(BACKEND_TABLE, &["a1"])]);
        story.seconds(60).sees(Observation::ProcessWatched {
            process: process(),
            path: "/srv/coe-backend/run.log".into(),
        });
        Self { story, offset: 0 }
    }

    fn line(&mut self, text: &str) -> Observation {
        self.offset += u64::try_from(text.len()).unwrap() + 1;
        let Some(Observation::Line { line, .. }) = self.story.line(text) else {
            panic!("a line that is understood: {text}");
        };
        let key = LineKey {
            at: self.story.now,
            stream: Stream::Stdout,
            hash: self.offset,
            ordinal: 0,
        };
        Observation::ProcessLine {
            process: process(),
            position: FilePosition {
                file: FileId {
                    path: "/srv/coe-backend/run.log".into(),
                    device: 1,
                    inode: 7,
                },
                offset: self.offset,
            },
            line: LogLine {
                key,
                saying: line.saying,
            },
        }
    }

    fn says(&mut self, text: &str) -> &mut Self {
        let line = self.line(text);
        self.story.sees(line);
        self
    }
}

#[test]
fn lines_of_a_process_that_are_lost_blind_its_watch_and_count_as_a_gap_of_its_service() {
    let mut local = Local::new();
    let at = local.story.now;
    let process = process();
    local.story.sees(Observation::ProcessLogGap { process, at });
    let alerts = &local.story.state.durable.alerts.firing;
    let blind: Vec<&str> = alerts.values().map(|alert| alert.description.as_str()).collect();
    let told =
        format!("Lines of local/coe-backend from before {at} are lost: what was logged then was not seen.");
    assert_eq!(blind, [told]);
    let record = &local.story.state.durable.containers.services[&self::process()];
    assert_eq!(record.log_gaps, 1);
}

#[test]
fn a_local_run_that_moves_the_database_is_an_unexpected_migration_of_that_process() {
    let mut local = Local::new();
    local.says(ANNOUNCED).says(A_TO_B);
    assert_eq!(local.story.migration().grade, Grade::Claimed);
    assert!(
        local.story.sent().is_empty(),
        "a line in a file is anybody's text"
    );
    local.story.reads(&[(BACKEND_TABLE, &["b2"])]);
    local.says(FINISHED);
    local.story.seconds(60);
    let migration = local.story.migration();
    assert_eq!(
        (migration.trigger, migration.outcome, migration.grade),
        (Trigger::Process, Outcome::Applied, Grade::Confirmed)
    );
    assert_eq!(migration.judgement.verdict, Verdict::Unexpected);
    assert_eq!(local.story.sent(), ["UnexpectedMigration firing"]);
}

#[test]
fn a_local_run_without_steps_is_named_beside_the_move_that_it_may_have_made() {
    let mut local = Local::new();
    local.says(ANNOUNCED);
    local.story.reads(&[(BACKEND_TABLE, &["b2"])]);
    local.says(FINISHED);
    local.story.seconds(60);
    let all = local.story.migrations();
    let finding = all
        .iter()
        .find(|migration| migration.trigger == Trigger::OutOfBand)
        .unwrap();
    assert!(
        finding
            .judgement
            .reason
            .contains("the log of local/coe-backend claimed a run at that time"),
        "{}",
        finding.judgement.reason
    );
}

#[test]
fn a_local_run_that_moved_nothing_stays_a_claim() {
    let mut local = Local::new();
    local.says(ANNOUNCED).says(FINISHED);
    local.story.reads(&[(BACKEND_TABLE, &["a1"])]).seconds(120);
    assert_eq!(
        local.story.judged(),
        [(Outcome::NothingToDo, Verdict::Undetermined)]
    );
    assert!(local.story.is_quiet());
}

#[test]
fn lines_that_are_read_again_after_a_crash_say_nothing_twice() {
    let mut local = Local::new();
    let announced = local.line(ANNOUNCED);
    let step = local.line(A_TO_B);
    local.story.sees(announced.clone()).sees(step.clone());
    local
        .story
        .migwatch_is_killed()
        .seconds_pass(5)
        .migwatch_comes_back();
    let facts = local.story.facts.len();
    let later = |observation: Observation, story: &Story| match observation {
        Observation::ProcessLine {
            process,
            position,
            mut line,
        } => {
            line.key.at = story.now;
            Observation::ProcessLine {
                process,
                position,
                line,
            }
        }
        other => other,
    };
    let again = [later(announced, &local.story), later(step, &local.story)];
    for line in again {
        local.story.sees(line);
    }
    assert_eq!(local.story.facts.len(), facts, "read again with another time");
    assert_eq!(local.story.migrations().len(), 1);
}

#[test]
fn a_process_stays_while_the_engine_is_looked_at() {
    let mut local = Local::new();
    local.story.looks_at_all();
    local.says(ANNOUNCED);
    assert_eq!(local.story.migration().service, process());
}

/// Where a file of that name is to be taken up.
fn resume(local: &Local, path: &str, inode: u64) -> Option<(u64, u64)> {
    let file = FileId {
        path: path.into(),
        device: 1,
        inode,
    };
    let position = local.story.state.file_position(&process(), &file);
    position.map(|position| (position.file.inode, position.offset))
}

#[test]
fn a_file_that_was_cut_and_is_written_anew_is_heard_from_its_beginning() {
    let mut local = Local::new();
    local.says(SKIPPING).says(SKIPPING).says(SKIPPING).says(SKIPPING);
    local.offset = 0;
    let beginning = FilePosition {
        file: FileId {
            path: "/srv/coe-backend/run.log".into(),
            device: 1,
            inode: 7,
        },
        offset: 0,
    };
    local.story.sees(Observation::ProcessRead {
        process: process(),
        position: beginning,
        bytes: 0,
    });
    assert_eq!(resume(&local, "/srv/coe-backend/run.log", 7), Some((7, 0)));
    local.says(ANNOUNCED).says(A_TO_B);
    local.story.reads(&[(BACKEND_TABLE, &["b2"])]);
    assert_eq!(local.story.migration().trigger, Trigger::Process);
}

#[test]
fn a_file_is_taken_up_by_its_number_whatever_it_is_called_and_else_by_its_name() {
    let mut local = Local::new();
    local.says(ANNOUNCED);
    let offset = local.offset;
    assert_eq!(resume(&local, "/srv/coe-backend/run.log", 7), Some((7, offset)));
    assert_eq!(resume(&local, "/srv/coe-backend/run.log.1", 7), Some((7, offset)));
    // Another file has the name: it was rotated.
    assert_eq!(resume(&local, "/srv/coe-backend/run.log", 8), Some((7, offset)));
    assert_eq!(resume(&local, "/srv/other.log", 8), None);
}

#[test]
fn a_local_run_whose_steps_take_more_than_a_minute_is_one_migration() {
    let mut local = Local::new();
    local.says(ANNOUNCED);
    for (step, before, after) in [(A_TO_B, "a1", "b2"), (B_TO_C, "b2", "c3")] {
        local.says(step);
        for _ in 0..9 {
            local.story.seconds(10).reads(&[(BACKEND_TABLE, &[before])]);
        }
        local.story.seconds(5).reads(&[(BACKEND_TABLE, &[after])]);
    }
    local.says(FINISHED);
    local.story.seconds(60);
    assert_eq!(local.story.judged(), [(Outcome::Applied, Verdict::Unexpected)]);
    assert_eq!(local.story.migration().trigger, Trigger::Process);
    assert_eq!(local.story.sent(), ["UnexpectedMigration firing"]);
}
