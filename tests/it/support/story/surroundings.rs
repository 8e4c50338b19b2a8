//! What happens around the containers: databases, probes, the engine, people and receivers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use migwatch::model::database::{
    DatabaseKind, DatabaseProblem, DatabaseProblemKind, DatabaseReading, SchemaReading,
};
use migwatch::model::exec::{Action, ExecCommand, ExecId, MigrationCommand};
use migwatch::model::fnv::Fnv;
use migwatch::model::lock::{LockWait, LockWaits};
use migwatch::model::observation::Observation;
use migwatch::model::probe::{FailureReason, ProbeFailure, ProbeId, ProbeResult, Via};
use migwatch::model::revision::{DatabaseId, Heads, Standing};
use migwatch::model::schema::{Schema, TableShape};
use migwatch::model::service::ServiceId;

use super::{Story, service_id};

fn database_id() -> DatabaseId {
    DatabaseId("mariadb:3306/coe".into())
}

/// The one probe of a service that goes this way.
pub(crate) fn probe_id(service: &str, via: Via) -> ProbeId {
    ProbeId {
        service: service_id(service),
        name: format!("health-{}", via.as_str()),
        via,
    }
}

/// `name`, or `name=definition` where the definition matters; `+name` is an index, `>name` a foreign key.
fn shape(parts: &[&str]) -> TableShape {
    let mut shape = TableShape::default();
    for part in parts {
        let (name, definition) = part.split_once('=').unwrap_or((part, ""));
        let (parts, name) = match (name.strip_prefix('+'), name.strip_prefix('>')) {
            (Some(name), _) => (&mut shape.indexes, name),
            (_, Some(name)) => (&mut shape.foreign_keys, name),
            _ => (&mut shape.columns, name),
        };
        parts.insert(name.to_owned(), Fnv::of([definition]));
    }
    shape
}

impl Story {
    /// The database of the whole stack is read: tables with their heads.
    pub(crate) fn reads(&mut self, tables: &[(&str, &[&str])]) -> &mut Self {
        let found: BTreeMap<String, Standing> = tables
            .iter()
            .map(|(table, heads)| {
                (
                    (*table).to_owned(),
                    Standing::At(Heads::of(heads.iter().copied())),
                )
            })
            .collect();
        self.database(Ok(found))
    }

    /// The schema of the same database is read: tables with their columns.
    pub(crate) fn reads_schema(&mut self, tables: &[(&str, &[&str])]) -> &mut Self {
        let schema = Schema(
            tables
                .iter()
                .map(|(table, columns)| ((*table).to_owned(), shape(columns)))
                .collect(),
        );
        self.schema(Ok(Arc::new(schema)))
    }

    pub(crate) fn cannot_read_schema(&mut self) -> &mut Self {
        self.schema(Err(DatabaseProblem {
            kind: DatabaseProblemKind::AccessDenied,
            detail: "cannot read the schema of mariadb:3306/coe: it is refused".into(),
        }))
    }

    fn schema(&mut self, schema: Result<Arc<Schema>, DatabaseProblem>) -> &mut Self {
        let reading = SchemaReading {
            database: database_id(),
            services: self.services(),
            at: self.now,
            schema,
        };
        self.sees(Observation::Schema(reading))
    }

    /// Somebody waits for a lock of the same database.
    pub(crate) fn sees_waits(&mut self, waits: &[LockWait]) -> &mut Self {
        self.sees(Observation::LockWaits(LockWaits {
            database: database_id(),
            at: self.now,
            waits: waits.to_vec(),
        }))
    }

    fn services(&self) -> Vec<ServiceId> {
        let mut services: Vec<ServiceId> = self.looks.values().map(|look| look.service.clone()).collect();
        services.sort();
        services.dedup();
        services
    }

    pub(crate) fn cannot_read(&mut self, kind: DatabaseProblemKind) -> &mut Self {
        self.database(Err(DatabaseProblem {
            kind,
            detail: "cannot read mariadb:3306/coe: it does not answer".into(),
        }))
    }

    fn database(&mut self, tables: Result<BTreeMap<String, Standing>, DatabaseProblem>) -> &mut Self {
        let reading = DatabaseReading {
            database: database_id(),
            kind: DatabaseKind::MySql,
            services: self.services(),
            at: self.now,
            tables,
        };
        self.sees(Observation::Database(reading))
    }

    /// Somebody starts a command inside the container.
    pub(crate) fn execs(&mut self, exec: &str, text: &str, action: Action) -> &mut Self {
        self.execs_as(
            exec,
            ExecCommand::Migrates(MigrationCommand {
                text: text.into(),
                action,
                target: None,
                environment: None,
            }),
        )
    }

    pub(crate) fn execs_as(&mut self, exec: &str, command: ExecCommand) -> &mut Self {
        self.now = self.now.after(Duration::from_millis(20));
        let (container, at) = (self.container.clone(), self.now);
        self.sees(Observation::ExecStarted {
            container,
            exec: ExecId(exec.into()),
            at,
            command,
        })
    }

    /// That command ends.
    pub(crate) fn exec_ends(&mut self, exec: &str, exit_code: i32) -> &mut Self {
        self.now = self.now.after(Duration::from_millis(20));
        let (container, at) = (self.container.clone(), self.now);
        self.sees(Observation::ExecEnded {
            container,
            exec: ExecId(exec.into()),
            at,
            exit_code: Some(exit_code),
        })
    }

    /// A probe of a service answers as it should.
    pub(crate) fn answers(&mut self, service: &str, via: Via) -> &mut Self {
        self.probed(service, via, None)
    }

    /// A probe of a service fails.
    pub(crate) fn fails(&mut self, service: &str, via: Via) -> &mut Self {
        let failure = ProbeFailure {
            reason: FailureReason::Status,
            detail: "answered 502, expected 200".into(),
        };
        self.probed(service, via, Some(failure))
    }

    /// Nothing is there to be probed: its container stopped, or is made anew.
    pub(crate) fn probe_goes(&mut self, service: &str, via: Via) -> &mut Self {
        self.sees(Observation::ProbeGone(probe_id(service, via)))
    }

    fn probed(&mut self, service: &str, via: Via, failure: Option<ProbeFailure>) -> &mut Self {
        self.seconds(10);
        let probe = probe_id(service, via);
        let result = ProbeResult {
            at: self.now,
            phases: Vec::new(),
            http_status: Some(if failure.is_some() { 502 } else { 200 }),
            certificate_until: None,
            failure,
        };
        self.sees(Observation::Probed { probe, result })
    }

    pub(crate) fn engine_goes_away(&mut self) -> &mut Self {
        self.sees(Observation::EngineDown {
            endpoint: "unix:///var/run/docker.sock".into(),
            reason: "cannot connect to the engine: is it running?".into(),
        })
    }

    /// A person closes what has this ID or fingerprint.
    pub(crate) fn acknowledged(&mut self, id: &str) -> &mut Self {
        self.sees(Observation::Acknowledged {
            id: id.into(),
            by: "kim".into(),
            note: "planned by phone".into(),
        })
    }

    /// A receiver has taken everything so far.
    pub(crate) fn delivered(&mut self, receiver: &str) -> &mut Self {
        self.sees(Observation::Delivered {
            receiver: receiver.into(),
            up_to: self.state.durable.alerts.last_number,
            at: self.now,
        })
    }
}
