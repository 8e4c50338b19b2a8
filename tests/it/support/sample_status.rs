//! A status in which everything that can be shown is there: good and bad, long and Korean; also an empty one and one without engine.

use std::collections::BTreeMap;
use std::time::Duration;

use migwatch::model::alert::{Alert, AlertName, Resolution, Severity};
use migwatch::model::container::{
    Armed, ArmedSource, ArmedState, ContainerLook, ContainerState, Health, RestartPolicy, WatchLabels,
};
use migwatch::model::fact::BindingProof;
use migwatch::model::migration::{Outcome, Trigger, Verdict};
use migwatch::model::policy::Policy;
use migwatch::model::probe::{FailureReason, Phase, ProbeFailure, ProbeId, ProbeResult, Via};
use migwatch::model::revision::{DatabaseId, Heads, Standing};
use migwatch::model::service::Role;
use migwatch::model::status::{
    Binding, Condition, ConditionWord, Counters, DatabaseStatus, EngineStatus, LastStart, LogView,
    ProbeStatus, ReceiverStatus, SchemaStatus, ServiceStatus, Status, WatcherStatus,
};

use super::sample_migrations::{self, ago, container, now, service, table};
use super::{sample_approvals, sample_code};

/// Everything at once.
pub(crate) fn rich() -> Status {
    Status {
        at: now(),
        host: "prod-1.example.com".into(),
        engine: EngineStatus {
            endpoint: "unix:///var/run/docker.sock".into(),
            up: true,
            version: Some("20.10.24, API 1.41".into()),
            problem: None,
            since: Some(ago(86_400)),
        },
        services: services(),
        migrations: sample_migrations::all(),
        alerts: vec![unexpected_alert(), proxy_alert(), resolved_alert()],
        databases: databases(),
        probes: probes(),
        approvals: sample_approvals::all(),
        windows: vec![sample_approvals::window()],
        receivers: vec![
            ReceiverStatus { name: "alertmanager".into(), waiting: 0, delivered: 7, failed: 0, problem: None },
            ReceiverStatus { name: "slack".into(), waiting: 2, delivered: 4, failed: 1, problem: Some("answered 503, tried again in 10 s".into()) },
        ],
        watcher: WatcherStatus {
            watching_since: Some(ago(1_209_000)),
            config_ok: false,
            config_problem: Some("/etc/migwatch.toml: probe.edge.http: relative URL without a base; the old config stays in force".into()),
            unwritten: 3,
            blind: vec!["the disk refuses the journal: 3 facts are kept in memory only (no space left on device)".into()],
            warnings: vec!["coe-demo/billing: unknown label migwatch.migration; did you mean migwatch.migrations?".into()],
        },
    }
}

/// The first second after a start.
pub(crate) fn empty() -> Status {
    Status {
        at: now(),
        watcher: WatcherStatus {
            config_ok: true,
            ..WatcherStatus::default()
        },
        ..Status::default()
    }
}

/// The engine went away: what was seen last is still there.
pub(crate) fn engine_away() -> Status {
    let mut status = rich();
    status.engine.up = false;
    status.engine.problem = Some("connection refused: start the engine (systemctl start docker)".into());
    status.engine.since = Some(ago(75));
    status.watcher = WatcherStatus {
        watching_since: Some(ago(9_000)),
        config_ok: true,
        ..WatcherStatus::default()
    };
    status.watcher.blind = vec!["the engine does not answer since 75 s: nothing of it is watched".into()];
    status.alerts.clear();
    for service in &mut status.services {
        service.condition = condition(ConditionWord::Unknown, "the engine is away", 75);
    }
    status
}

pub(crate) fn unexpected_alert() -> Alert {
    let migration = sample_migrations::unexpected();
    let mut alert = alert(
        AlertName::UnexpectedMigration,
        Severity::Critical,
        "coe-ragpipeline",
        95,
    );
    alert.labels.insert("migration".into(), migration.id.to_string());
    alert.summary =
        "coe-demo/coe-ragpipeline ran migrations that nobody planned: 7456428295d9 → c0ffee123456 (3 steps)"
            .into();
    alert.description = format!(
        "{}.\nlog: Running upgrade 7456428295d9 -> 18c18bf4111f, 초기 리비전 이후 대량 인덱스 정리 및 테이블 드롭\nWhat to do: check what the steps dropped before anything else.",
        migration.judgement.reason
    );
    alert
}

fn proxy_alert() -> Alert {
    let mut alert = alert(AlertName::ProxyDown, Severity::Warning, "coe-backend", 40);
    alert.summary =
        "coe-demo/coe-backend answers itself, but not through the proxy (answered 502, expected 200)".into();
    alert
}

fn resolved_alert() -> Alert {
    let mut alert = alert(AlertName::ServiceDown, Severity::Critical, "billing", 4_000);
    alert.resolved = Some(Resolution {
        at: ago(3_000),
        reason: "the service is up".into(),
    });
    alert
}

fn alert(name: AlertName, severity: Severity, of: &str, began: u64) -> Alert {
    Alert {
        name,
        severity,
        labels: BTreeMap::from([
            ("project".into(), "coe-demo".into()),
            ("service".into(), of.into()),
        ]),
        summary: format!("coe-demo/{of}: {}", name.as_str()),
        description: "Seen by the engine.".into(),
        starts_at: ago(began),
        observed_at: ago(began),
        resolved: None,
    }
}

fn services() -> Vec<ServiceStatus> {
    let rag = sample_service("coe-ragpipeline", 'b', ConditionWord::Up, "runs, healthy");
    let backend = sample_service(
        "coe-backend",
        'c',
        ConditionWord::ProxyDown,
        "answers itself, but not through the proxy",
    );
    let billing = sample_service(
        "billing",
        'a',
        ConditionWord::RestartLoop,
        "restarted 7 times in 10 m; first cause: exit 3 (설정 파일 없음)",
    );
    let long = "billing-with-a-very-long-service-name-that-does-not-fit";
    let running = sample_service(
        long,
        'e',
        ConditionWord::Migrating,
        "a migration runs before it serves",
    );
    let bare = ServiceStatus {
        containers: vec![],
        armed: None,
        last_start: None,
        tables: vec![],
        counters: Counters::default(),
        removed_at: Some(ago(1_200)),
        log: LogView {
            following: 0,
            unreadable: None,
            not_followed: Some("nothing says that it can migrate".into()),
        },
        ..sample_service("mariadb", '1', ConditionWord::Stopped, "somebody removed it")
    };
    vec![
        billing,
        ServiceStatus {
            unexpected_open: 0,
            expectations: sample_approvals::open_for("billing"),
            last_start: None,
            ..running
        },
        backend,
        rag,
        bare,
    ]
}

fn sample_service(name: &str, digit: char, word: ConditionWord, detail: &str) -> ServiceStatus {
    let skipped = word == ConditionWord::ProxyDown;
    let armed = Armed {
        state: if skipped {
            ArmedState::Disarmed
        } else {
            ArmedState::Armed
        },
        source: ArmedSource::Environment {
            variable: "RUN_MIGRATIONS".into(),
            value: (!skipped).to_string(),
        },
    };
    let unreadable = (word == ConditionWord::RestartLoop)
        .then(|| "the engine refuses: log driver none does not support reading".into());
    ServiceStatus {
        service: service(name),
        condition: condition(word, detail, 97),
        containers: vec![look(name, digit, armed.clone())],
        policy: Policy::Explicit,
        window: None,
        armed: Some(armed),
        last_start: Some(LastStart { at: ago(97), skipped }),
        log: LogView {
            following: 1,
            unreadable,
            not_followed: None,
        },
        tables: vec![Binding {
            table: table(if name == "coe-ragpipeline" {
                "alembic_version_rag"
            } else {
                "alembic_version_backend"
            }),
            proof: BindingProof::Learned,
        }],
        code: vec![sample_code::of(name)],
        counters: Counters {
            migrations: BTreeMap::from([(Outcome::Applied, 2), (Outcome::Failed, 1)]),
            verdicts: BTreeMap::from([((Trigger::Startup, Verdict::Unexpected), 1)]),
            skips: 12,
            restarts: 7,
            log_bytes: 123_456_789,
            log_gaps: 0,
            log_reconnects: 1,
            probe_failures: BTreeMap::from([(("edge".into(), Via::Edge, FailureReason::Status), 9)]),
        },
        removed_at: None,
        unexpected_open: u32::from(name == "coe-ragpipeline"),
        expectations: sample_approvals::open_for(name),
    }
}

fn condition(word: ConditionWord, detail: &str, since: u64) -> Condition {
    Condition {
        word,
        detail: detail.into(),
        since: Some(ago(since)),
    }
}

fn look(name: &str, digit: char, armed: Armed) -> ContainerLook {
    ContainerLook {
        id: container(digit),
        name: format!("coe-demo-{name}-1"),
        service: service(name),
        role: Role::Replica,
        number: Some(1),
        image: "migwatch-demo-app:latest".into(),
        created_at: ago(86_400),
        state: ContainerState::Running,
        started_at: Some(ago(97)),
        finished_at: Some(ago(99)),
        exit_code: 137,
        oom_killed: false,
        restart_count: 7,
        restart_policy: RestartPolicy::Always,
        health: Some(if name == "coe-ragpipeline" {
            Health::Healthy
        } else {
            Health::Starting
        }),
        tty: false,
        armed,
        runs: None,
        labels: WatchLabels::default(),
    }
}

fn databases() -> Vec<DatabaseStatus> {
    let tables = BTreeMap::from([
        (
            "alembic_version_backend".into(),
            Standing::At(Heads::of(["18c18bf4111f", "a91f00c2d7be"])),
        ),
        (
            "alembic_version_rag".into(),
            Standing::At(Heads::of(["c0ffee123456"])),
        ),
        ("alembic_version_empty".into(), Standing::At(Heads::default())),
        ("alembic_version_gone".into(), Standing::Missing),
    ]);
    let good = DatabaseStatus {
        database: table("").database,
        services: vec![service("coe-backend"), service("coe-ragpipeline")],
        up: true,
        never_reached: false,
        problem: None,
        last_read: Some(ago(3)),
        tables,
        schema: Some(SchemaStatus {
            tables: 41,
            last_read: Some(ago(3)),
            problem: None,
            drift: vec![
                "table chat_messages dropped".into(),
                "column users.본문 added".into(),
            ],
            drift_since: Some(ago(600)),
        }),
    };
    let denied = DatabaseStatus {
        database: DatabaseId("coe-demo/postgres:5432/billing".into()),
        services: vec![service("billing")],
        up: false,
        never_reached: true,
        problem: Some("password refused for user migwatch: check [database.billing] url".into()),
        last_read: None,
        tables: BTreeMap::new(),
        schema: None,
    };
    let lost = DatabaseStatus {
        database: DatabaseId("legacy".into()),
        never_reached: false,
        last_read: Some(ago(300)),
        problem: Some("no answer within 2 s".into()),
        ..denied.clone()
    };
    vec![good, denied, lost]
}

fn probes() -> Vec<ProbeStatus> {
    let refused = ProbeFailure {
        reason: FailureReason::Status,
        detail: "answered 502, expected 200".into(),
    };
    vec![
        probe(Via::Direct, 200, None),
        probe(Via::Edge, 502, Some(refused)),
    ]
}

fn probe(via: Via, code: u16, failure: Option<ProbeFailure>) -> ProbeStatus {
    let took = |phase, micros| (phase, Duration::from_micros(micros));
    let failures = if failure.is_some() { 3 } else { 0 };
    ProbeStatus {
        probe: ProbeId {
            service: service("coe-backend"),
            name: via.as_str().into(),
            via,
        },
        result: ProbeResult {
            at: ago(2),
            phases: vec![
                took(Phase::Connect, 310),
                took(Phase::Response, 4_250),
                took(Phase::Body, 90),
            ],
            http_status: Some(code),
            certificate_until: None,
            failure,
        },
        failures,
    }
}
