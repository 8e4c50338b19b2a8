//! What the stories' stack says and holds, word for word as the real one.

use migwatch::judge::settings::Settings;
use migwatch::model::container::{
    Armed, ArmedSource, ArmedState, ContainerLook, ContainerState, RestartPolicy, WatchLabels,
};
use migwatch::model::policy::Policy;
use migwatch::model::service::{ContainerId, Role, ServiceId};
use migwatch::model::time::Timestamp;

pub(crate) const BACKEND: &str = "coe-demo/coe-backend";
pub(crate) const RAG: &str = "coe-demo/coe-ragpipeline";
pub(crate) const BACKEND_TABLE: &str = "alembic_version_backend";
pub(crate) const RAG_TABLE: &str = "alembic_version_rag";

pub(crate) const RUNNING: &str = "Running Alembic migrations...";
pub(crate) const SKIPPING: &str = "Skipping Alembic migrations (RUN_MIGRATIONS=false)";
pub(crate) const CONTEXT: &str = "INFO  [alembic.runtime.migration] Context impl MySQLImpl.";
pub(crate) const A_TO_B: &str = "INFO  [alembic.runtime.migration] Running upgrade a1 -> b2, add a column";
pub(crate) const B_TO_C: &str = "INFO  [alembic.runtime.migration] Running upgrade b2 -> c3, 인덱스 추가";
pub(crate) const C_TO_B: &str = "INFO  [alembic.runtime.migration] Running downgrade c3 -> b2, 인덱스 추가";
pub(crate) const APPLICATION_UP: &str =
    "[2026-11-23 09:31:06 +0000] [7] [INFO] Listening at: http://0.0.0.0:8000 (7)";
pub(crate) const DROP_MISSING: &str = "sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (1091, \"Can't DROP FOREIGN KEY `fk_chat`; check that it exists\")";
pub(crate) const DUPLICATE_COLUMN: &str = "sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (1060, \"Duplicate column name 'title'\")";

/// `${RUN_MIGRATIONS:-true}` and nobody set it.
pub(crate) fn unset_means_true() -> Armed {
    Armed {
        state: ArmedState::Armed,
        source: ArmedSource::CommandDefault {
            variable: "RUN_MIGRATIONS".into(),
            value: "true".into(),
        },
    }
}

/// `alembic upgrade head && ...` with no switch.
pub(crate) fn bare_command() -> Armed {
    Armed {
        state: ArmedState::Armed,
        source: ArmedSource::Command,
    }
}

/// The image holds Alembic; nothing says when it runs.
pub(crate) fn unknown() -> Armed {
    Armed {
        state: ArmedState::Unknown,
        source: ArmedSource::Image,
    }
}

/// A container that has nothing to do with migrations.
pub(crate) fn nothing() -> Armed {
    Armed {
        state: ArmedState::Disarmed,
        source: ArmedSource::Nothing,
    }
}

/// A container as created; its ID is still to be given.
pub(super) fn fresh(service: &str, armed: Armed, now: Timestamp) -> ContainerLook {
    ContainerLook {
        id: ContainerId(String::new()),
        name: service.replace('/', "-") + "-1",
        service: service_id(service),
        role: Role::Replica,
        number: Some(1),
        image: "coe:latest".into(),
        created_at: now,
        state: ContainerState::Created,
        started_at: None,
        finished_at: None,
        exit_code: 0,
        oom_killed: false,
        restart_count: 0,
        restart_policy: RestartPolicy::UnlessStopped,
        health: None,
        tty: false,
        armed,
        runs: None,
        labels: WatchLabels::default(),
    }
}

/// Settings with one policy for all, and one receiver.
pub(crate) fn policy(policy: Policy) -> Settings {
    Settings {
        policy,
        receivers: vec!["pager".into()],
        ..Settings::default()
    }
}

pub(crate) fn service_id(name: &str) -> ServiceId {
    let (project, service) = name.split_once('/').unwrap();
    ServiceId::new(project, service)
}

/// `RUN_MIGRATIONS=true` in the environment.
pub(crate) fn armed() -> Armed {
    by_environment(ArmedState::Armed, "true")
}

/// `RUN_MIGRATIONS=false` in the environment.
pub(crate) fn disarmed() -> Armed {
    by_environment(ArmedState::Disarmed, "false")
}

fn by_environment(state: ArmedState, value: &str) -> Armed {
    let source = ArmedSource::Environment {
        variable: "RUN_MIGRATIONS".into(),
        value: value.into(),
    };
    Armed { state, source }
}

/// A service that runs and skipped its migrations, at revision `a1`.
pub(crate) fn serving(with: Policy) -> super::Story {
    let mut story = super::Story::new(policy(with));
    story
        .created(BACKEND, disarmed())
        .started()
        .says(SKIPPING)
        .says(APPLICATION_UP)
        .reads(&[(BACKEND_TABLE, &["a1"])]);
    story.seconds(60);
    story
}
