//! Migrations as the demo stack has them, one of each kind that a page must be able to show.

use std::time::Duration;

use migwatch::model::cause::{Cause, CauseClass};
use migwatch::model::log::{Step, StepKind};
use migwatch::model::migration::{
    Acknowledgement, Evidence, Grade, Judgement, Migration, MigrationId, Movement, Outcome, Rule, Runner,
    TimedStep, Trigger, Verdict, Witness,
};
use migwatch::model::policy::Policy;
use migwatch::model::revision::{DatabaseId, Heads, Revision, VersionTable};
use migwatch::model::service::{ContainerId, ServiceId};
use migwatch::model::time::Timestamp;

/// When the samples were taken.
pub(crate) fn now() -> Timestamp {
    "2026-11-23T09:31:06.123456789Z".parse().unwrap()
}

pub(crate) fn ago(seconds: u64) -> Timestamp {
    now().before(Duration::from_secs(seconds))
}

/// Every sample, newest first.
pub(crate) fn all() -> Vec<Migration> {
    vec![
        running(),
        unexpected(),
        failed(),
        nothing_to_do(),
        deployed(),
        interrupted(),
        history(),
    ]
}

pub(crate) fn service(name: &str) -> ServiceId {
    ServiceId::new("coe-demo", name)
}

pub(crate) fn table(name: &str) -> VersionTable {
    VersionTable {
        database: DatabaseId("mariadb:3306/coe".into()),
        table: name.into(),
    }
}

pub(crate) fn container(digit: char) -> ContainerId {
    ContainerId(std::iter::repeat_n(digit, 64).collect())
}

/// A restart of a container whose switch was left on moved the schema.
pub(crate) fn unexpected() -> Migration {
    let reason = "RUN_MIGRATIONS=true was left in this container's environment by an earlier deploy: it was started before, so \
                  nobody asked for migrations this time";
    Migration {
        steps: vec![
            step(
                95,
                &["7456428295d9"],
                "18c18bf4111f",
                "초기 리비전 이후 대량 인덱스 정리 및 테이블 드롭",
            ),
            step(
                94,
                &["18c18bf4111f"],
                "a91f00c2d7be",
                "RAG 분석 결과에 대한 상태 컬럼 추가 — 매우 긴 제목도 한 줄을 넘길 수 있어야 합니다",
            ),
            step(
                92,
                &["a91f00c2d7be", "0f5b7e1122aa"],
                "c0ffee123456",
                "merge: 분기된 두 리비전 병합",
            ),
        ],
        movements: vec![Movement {
            table: table("alembic_version_rag"),
            from: Heads::of(["7456428295d9"]),
            to: Heads::of(["c0ffee123456"]),
            at: ago(91),
        }],
        ended_at: Some(ago(88)),
        moved_at: Some(ago(95)),
        evidence: vec![
            seen(
                97,
                Witness::Engine,
                "container coe-demo-coe-ragpipeline-1 started (not its first start), exit before: 137",
            ),
            seen(96, Witness::Log, "Running Alembic migrations..."),
            seen(
                95,
                Witness::Log,
                "Running upgrade 7456428295d9 -> 18c18bf4111f, 초기 리비전 이후 대량 인덱스 정리 및 테이블 드롭",
            ),
            seen(
                91,
                Witness::Database,
                "alembic_version_rag moved from 7456428295d9 to c0ffee123456",
            ),
        ],
        ..migration(
            'b',
            "coe-ragpipeline",
            97,
            judged(Verdict::Unexpected, Rule::LeftArmed, reason),
        )
    }
}

/// A deploy that declared itself.
pub(crate) fn deployed() -> Migration {
    let reason = "first start of a new container whose environment says RUN_MIGRATIONS=true; its predecessor's did not";
    Migration {
        steps: vec![step(7_200, &[], "7456428295d9", "초기 스키마")],
        ended_at: Some(ago(7_190)),
        moved_at: Some(ago(7_200)),
        ..migration(
            'c',
            "coe-backend",
            7_203,
            judged(Verdict::Expected, Rule::DeclaredDeploy, reason),
        )
    }
}

/// Two attempts that failed, acknowledged.
pub(crate) fn failed() -> Migration {
    let cause = Cause {
        class: CauseClass::DropMissing,
        code: Some("1091".into()),
        message: "(pymysql.err.OperationalError) (1091, \"Can't DROP FOREIGN KEY `fk_<b>user</b>`; check that it exists\")".into(),
        statement: Some("ALTER TABLE analysis_requests DROP FOREIGN KEY fk_user".into()),
    };
    let mut failed = Migration {
        steps: vec![step(1_790, &["c0ffee123456"], "deadbeef0001", "외래 키 제거")],
        outcome: Outcome::Failed,
        outcome_reason: Some("exit 1 after the error".into()),
        cause: Some(cause),
        ended_at: Some(ago(1_740)),
        moved_at: Some(ago(1_790)),
        acknowledged: Some(Acknowledgement {
            at: ago(600),
            by: "kim".into(),
            note: "롤백 후 재배포 예정".into(),
        }),
        ..migration(
            'd',
            "coe-backend",
            1_800,
            judged(
                Verdict::Expected,
                Rule::DeclaredDeploy,
                "a deploy that declared itself",
            ),
        )
    };
    let again = failed.runners.first().cloned().unwrap();
    failed.runners.push(Runner {
        started_at: ago(1_760),
        at: ago(1_755),
        ..again
    });
    failed
}

/// One that runs now and has moved nothing yet.
pub(crate) fn running() -> Migration {
    Migration {
        outcome: Outcome::Running,
        outcome_reason: None,
        grade: Grade::Witnessed,
        ..migration(
            'e',
            "billing-with-a-very-long-service-name-that-does-not-fit",
            4,
            judged(Verdict::Undetermined, Rule::ClaimOnly, "only a log line says so"),
        )
    }
}

pub(crate) fn nothing_to_do() -> Migration {
    Migration {
        outcome: Outcome::NothingToDo,
        ended_at: Some(ago(3_598)),
        ..migration(
            'f',
            "coe-backend",
            3_600,
            judged(Verdict::Unexpected, Rule::LeftArmed, "the switch was left on"),
        )
    }
}

pub(crate) fn interrupted() -> Migration {
    Migration {
        outcome: Outcome::Interrupted,
        outcome_reason: Some("killed (137) while it ran".into()),
        ended_at: Some(ago(90_000)),
        ..migration(
            'a',
            "billing",
            90_010,
            judged(
                Verdict::Unexpected,
                Rule::BareCommand,
                "the command migrates with no switch",
            ),
        )
    }
}

/// Older than the watch.
pub(crate) fn history() -> Migration {
    Migration {
        history: true,
        ended_at: Some(ago(1_209_590)),
        moved_at: Some(ago(1_209_595)),
        ..migration(
            '9',
            "coe-backend",
            1_209_600,
            judged(
                Verdict::Undetermined,
                Rule::Baseline,
                "it ran before the watch began",
            ),
        )
    }
}

fn judged(verdict: Verdict, rule: Rule, reason: &str) -> Judgement {
    Judgement {
        verdict,
        policy: Policy::Explicit,
        rule,
        reason: reason.into(),
        expectation: None,
    }
}

fn migration(digit: char, name: &str, began: u64, judgement: Judgement) -> Migration {
    let container = container(digit);
    Migration {
        id: MigrationId(format!("{}-mfx2{began:x}", container.short())),
        service: service(name),
        trigger: Trigger::Startup,
        runners: vec![Runner {
            name: format!("coe-demo-{name}-1"),
            container,
            started_at: ago(began),
            at: ago(began - 1),
            exec: None,
            command: None,
        }],
        attempts: 1,
        steps: vec![],
        movements: vec![],
        outcome: Outcome::Applied,
        outcome_reason: Some("the application came up".into()),
        grade: Grade::Confirmed,
        judgement,
        cause: None,
        started_at: ago(began),
        ended_at: None,
        moved_at: None,
        history: false,
        evidence: vec![seen(began, Witness::Log, "Running Alembic migrations...")],
        acknowledged: None,
        concurrent: false,
        superseded_by: None,
    }
}

fn seen(seconds: u64, witness: Witness, text: &str) -> Evidence {
    Evidence {
        at: ago(seconds),
        witness,
        text: text.into(),
    }
}

fn step(seconds: u64, from: &[&str], to: &str, title: &str) -> TimedStep {
    let from = from.iter().map(|revision| Revision((*revision).into())).collect();
    let to = vec![Revision(to.into())];
    TimedStep {
        at: ago(seconds),
        step: Step {
            kind: StepKind::Upgrade,
            from,
            to,
            title: Some(title.into()),
        },
    }
}
