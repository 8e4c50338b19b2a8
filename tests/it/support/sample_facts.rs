//! One fact of every kind, and numbered facts for long journals.

use migwatch::model::alert::{Alert, Resolution};
use migwatch::model::container::{Armed, ArmedSource, ArmedState};
use migwatch::model::exec::ExecId;
use migwatch::model::fact::{BindingProof, ContainerDiscovered, Fact, TableSeen};
use migwatch::model::file::{FileId, FilePosition};
use migwatch::model::log::{LineKey, Stream};
use migwatch::model::migration::{Acknowledgement, Grade, Migration, Outcome};
use migwatch::model::revision::{Heads, Standing};
use migwatch::model::service::{Role, ServiceId};

use super::sample_approvals;
use super::sample_migrations::{ago, container, failed, now, service, table, unexpected};
use super::sample_schemas;
use super::sample_status::unexpected_alert;

/// One of every kind, in the order of the model.
pub(crate) fn every_kind() -> Vec<Fact> {
    let mut facts = of_containers();
    facts.extend(of_a_migration(&unexpected(), &failed()));
    facts.extend(of_runners(&unexpected(), &failed()));
    facts.extend(of_processes());
    facts.extend(sample_approvals::facts());
    facts.extend(of_tables());
    facts.extend(sample_schemas::facts());
    facts.extend(of_alerts(&unexpected_alert()));
    facts
}

/// A small fact that tells which one it is.
pub(crate) fn numbered(number: u64) -> Fact {
    Fact::Notified {
        receiver: format!("webhook-수신자-{number}"),
        up_to: number,
    }
}

fn of_containers() -> Vec<Fact> {
    let id = container('b');
    let source = ArmedSource::Environment {
        variable: "RUN_MIGRATIONS".into(),
        value: "true".into(),
    };
    vec![
        Fact::WatchStarted { at: now() },
        Fact::ContainerDiscovered(ContainerDiscovered {
            container: id.clone(),
            service: service("coe-ragpipeline"),
            role: Role::Replica,
            name: "coe-demo-coe-ragpipeline-1".into(),
            number: Some(1),
            created_at: ago(86_400),
            armed: Armed {
                state: ArmedState::Armed,
                source,
            },
            history_until: Some(now()),
            policy: None,
            window: None,
            app: None,
            required: None,
            restart_policy: None,
        }),
        Fact::ContainerStarted {
            container: id.clone(),
            started_at: ago(97),
            first: false,
        },
        Fact::ContainerFinished {
            container: id.clone(),
            finished_at: ago(99),
            exit_code: 137,
            asked: true,
        },
        Fact::ContainerRemoved {
            container: id.clone(),
            at: now(),
        },
        Fact::LogRead {
            container: id.clone(),
            position: ago(1),
        },
        Fact::LogLost {
            container: id.clone(),
            from: ago(9),
            to: ago(8),
        },
        Fact::MigrationSkipped {
            container: id,
            line: line(),
            history: false,
        },
    ]
}

fn of_a_migration(moved: &Migration, failed: &Migration) -> Vec<Fact> {
    let id = moved.id.clone();
    let runner = moved.runners.first().cloned().unwrap();
    let evidence = moved.evidence.first().cloned().unwrap();
    let step = moved.steps.first().cloned().unwrap().step;
    let movement = moved.movements.first().cloned().unwrap();
    let judgement = moved.judgement.clone();
    vec![
        Fact::MigrationOpened {
            id: id.clone(),
            service: moved.service.clone(),
            trigger: moved.trigger,
            runner: runner.clone(),
            grade: Grade::Claimed,
            judgement: judgement.clone(),
            evidence: evidence.clone(),
            line: Some(line()),
            history: false,
        },
        Fact::MigrationRetried {
            id: id.clone(),
            runner,
            line: None,
        },
        Fact::MigrationStepped {
            id: id.clone(),
            step,
            line: line(),
            observed_at: now(),
            container: None,
        },
        Fact::MigrationEvidenced {
            id: id.clone(),
            evidence: Some(evidence),
            line: Some(line()),
            container: None,
        },
        Fact::MigrationErred {
            id: failed.id.clone(),
            cause: failed.cause.clone().unwrap(),
            line: line(),
            container: None,
        },
        Fact::MigrationConfirmed {
            id: id.clone(),
            movement,
            observed_at: now(),
        },
        Fact::MigrationRejudged {
            id: id.clone(),
            grade: Grade::Confirmed,
            judgement,
        },
        Fact::MigrationSettled {
            id: id.clone(),
            outcome: moved.outcome,
            at: ago(88),
            reason: "the application came up".into(),
        },
        Fact::MigrationAcknowledged {
            id,
            acknowledgement: acknowledgement(),
        },
    ]
}

/// Several runners, long ones, and late evidence.
fn of_runners(moved: &Migration, failed: &Migration) -> Vec<Fact> {
    let (id, runner) = (&moved.id, &moved.runners[0]);
    vec![
        Fact::MigrationJoined {
            id: id.clone(),
            runner: runner.clone(),
            line: Some(line()),
        },
        Fact::MigrationRunnerEnded {
            id: id.clone(),
            runner: runner.clone(),
            outcome: Outcome::NothingToDo,
            at: ago(88),
            reason: "its process exited 0".into(),
        },
        Fact::MigrationExecEnded {
            id: id.clone(),
            exec: ExecId("e".repeat(64)),
            at: ago(87),
            exit_code: Some(0),
        },
        Fact::MigrationPresumed {
            id: id.clone(),
            at: ago(90),
            reason: "it still runs after 5 s".into(),
        },
        Fact::MigrationSuperseded {
            id: id.clone(),
            by: failed.id.clone(),
            at: ago(80),
            reason: "its steps were read late".into(),
        },
    ]
}

/// A local process's log file, read.
fn of_processes() -> Vec<Fact> {
    let file = FileId {
        path: "/var/log/coe-backend.log".into(),
        device: 2_049,
        inode: 131_072,
    };
    vec![Fact::FileRead {
        process: ServiceId::new("local", "coe-backend"),
        position: FilePosition { file, offset: 4_096 },
    }]
}

fn of_tables() -> Vec<Fact> {
    let table = table("alembic_version_rag");
    let at = |revisions: &[&str]| Standing::At(Heads::of(revisions.iter().copied()));
    vec![
        Fact::DatabaseConnected {
            database: table.database.clone(),
            at: now(),
        },
        Fact::TableDiscovered {
            table: table.clone(),
            standing: Standing::Missing,
            at: now(),
        },
        Fact::TableMoved {
            table: table.clone(),
            from: at(&[]),
            to: at(&["18c18bf4111f", "a91f00c2d7be"]),
            at: now(),
            read_before: None,
        },
        Fact::TableSeen(TableSeen {
            table: table.clone(),
            at: now(),
        }),
        Fact::TableBound {
            service: service("coe-ragpipeline"),
            table,
            proof: BindingProof::Learned,
        },
    ]
}

fn of_alerts(alert: &Alert) -> Vec<Fact> {
    let fingerprint = alert.fingerprint();
    vec![
        Fact::AlertFired { alert: alert.clone() },
        Fact::AlertEnriched { alert: alert.clone() },
        Fact::AlertResolved {
            fingerprint: fingerprint.clone(),
            resolution: Resolution {
                at: now(),
                reason: "acknowledged by kim".into(),
            },
        },
        Fact::AlertAcknowledged {
            fingerprint,
            acknowledgement: acknowledgement(),
        },
        Fact::Notified {
            receiver: "alertmanager".into(),
            up_to: 7,
        },
        Fact::ReceiverRemoved {
            receiver: "old".into(),
        },
    ]
}

fn acknowledgement() -> Acknowledgement {
    Acknowledgement {
        at: now(),
        by: "kim".into(),
        note: "계획된 작업".into(),
    }
}

/// A line whose hash needs all 64 bits.
fn line() -> LineKey {
    LineKey {
        at: ago(95),
        stream: Stream::Stderr,
        hash: u64::MAX - 1,
        ordinal: 0,
    }
}
