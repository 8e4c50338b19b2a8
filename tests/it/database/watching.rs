//! How the edge goes about it while databases come, go, hang and move.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use migwatch::database::{Config, DatabaseUrl, Databases, Tables, Target};
use migwatch::model::database::{DatabaseProblemKind as Kind, DatabaseReading};
use migwatch::model::observation::Observation;
use migwatch::model::revision::DatabaseId;
use migwatch::model::service::ServiceId;
use migwatch::model::time::{Clock, Timestamp};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{assert_problem, at, sqlite, sqlite_url, target, version_table};
use crate::support::databases::mariadb;

/// Longer than any test: a reading that comes was not the interval's.
const AT_REST: Duration = Duration::from_hours(1);

/// A condition that never comes true fails the test by then.
const PATIENCE: Duration = Duration::from_mins(1);

/// A clock that moves on by a second each time it is asked.
struct Ticks(AtomicI64);

impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// The edge as the daemon runs it.
pub(super) struct Edge {
    targets: watch::Sender<Arc<Vec<Target>>>,
    hurry: mpsc::Sender<ServiceId>,
    pub(super) migrating: watch::Sender<Arc<BTreeSet<ServiceId>>>,
    inbox: mpsc::Receiver<Observation>,
    stop: CancellationToken,
    task: JoinSet<()>,
}

impl Edge {
    /// Reads once and then only when hurried.
    pub(super) fn at_rest(targets: Vec<Target>) -> Self {
        Self::every(AT_REST, targets)
    }

    pub(super) fn every(interval: Duration, targets: Vec<Target>) -> Self {
        let (targets, targets_seen) = watch::channel(Arc::new(targets));
        let (hurry, hurried) = mpsc::channel(16);
        let (outbox, inbox) = mpsc::channel(16);
        let (migrating, migrating_seen) = watch::channel(Arc::default());
        let config = Config {
            interval,
            timeout: Duration::from_secs(2),
            schema_interval: AT_REST,
        };
        let clock = Arc::new(Ticks(AtomicI64::new(0)));
        let stop = CancellationToken::new();
        let mut task = JoinSet::new();
        let databases =
            Databases::new(config, targets_seen, hurried, outbox, clock).while_migrating(migrating_seen);
        task.spawn(databases.run(stop.clone()));
        Self {
            targets,
            hurry,
            migrating,
            inbox,
            stop,
            task,
        }
    }

    /// Something hints that the databases of a service may be moving.
    pub(super) async fn hurry(&self, service: &ServiceId) {
        self.hurry.send(service.clone()).await.unwrap();
    }

    /// The next report of any kind.
    pub(super) async fn report(&mut self) -> Observation {
        tokio::time::timeout(PATIENCE, self.inbox.recv())
            .await
            .expect("a report comes")
            .expect("the edge runs")
    }

    /// The next report that is no schema and no look at locks: those follow readings as they are due.
    async fn next(&mut self) -> Observation {
        loop {
            let report = self.report().await;
            if !matches!(report, Observation::Schema(_) | Observation::LockWaits(_)) {
                return report;
            }
        }
    }

    /// The next report, which is a reading.
    pub(super) async fn reading(&mut self) -> DatabaseReading {
        match self.next().await {
            Observation::Database(reading) => reading,
            other => panic!("a reading, not {other:?}"),
        }
    }

    /// The first reading that `suits`.
    async fn reading_that(&mut self, suits: impl Fn(&DatabaseReading) -> bool) -> DatabaseReading {
        let wanted = async {
            loop {
                let reading = self.reading().await;
                if suits(&reading) {
                    return reading;
                }
            }
        };
        tokio::time::timeout(PATIENCE, wanted)
            .await
            .expect("such a reading comes")
    }
}

/// Passes connections on to a server, so that a test can take the server away.
async fn relay(at: &str, to: &'static str) -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind(at).await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut relay = JoinSet::new();
    relay.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            connections.spawn(async move {
                let mut server = TcpStream::connect(to).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    (address, relay)
}

#[tokio::test]
async fn a_server_that_goes_down_and_comes_back_is_reported_both_times() {
    let schema = mariadb().await;
    schema.execute(&version_table("alembic_version", &["a1"])).await;
    let (address, mut server) = relay("127.0.0.1:0", schema.address()).await;
    let url = schema.url_at(&address.to_string());
    let mut edge = Edge::every(Duration::from_millis(100), vec![target(url, Tables::Found)]);
    let first = edge.reading().await;
    assert_eq!(first.tables, Ok(at(&[("alembic_version", &["a1"])])));
    server.shutdown().await;
    let down = edge.reading_that(|reading| reading.tables.is_err()).await;
    assert_problem(&down.tables.unwrap_err(), Kind::Connect, &["is the server up"]);
    let (_, _server) = relay(&address.to_string(), schema.address()).await;
    let up = edge.reading_that(|reading| reading.tables.is_ok()).await;
    assert!(up.at > down.at && down.at > first.at);
}

#[tokio::test]
async fn a_connection_that_died_between_two_readings_is_no_problem() {
    let schema = mariadb().await;
    schema.execute(&version_table("alembic_version", &["a1"])).await;
    let mut edge = Edge::at_rest(vec![Target {
        services: vec![backend()],
        ..target(schema.url(), Tables::Found)
    }]);
    edge.reading().await.tables.unwrap();
    let ours = format!(
        "SELECT id FROM information_schema.processlist WHERE db = '{}' AND id <> CONNECTION_ID()",
        schema.name
    );
    let id = schema.number(&ours).await;
    schema
        .execute(&format!(
            "KILL {id}; UPDATE alembic_version SET version_num = 'b2'"
        ))
        .await;
    edge.hurry.send(backend()).await.unwrap();
    assert_eq!(
        edge.reading().await.tables,
        Ok(at(&[("alembic_version", &["b2"])]))
    );
}

#[tokio::test]
async fn a_hanging_server_holds_up_no_other_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    sqlite(&path, &version_table("alembic_version", &["a1"])).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hanging = DatabaseUrl::parse(&format!("mysql://a:b@{}/c", silent.local_addr().unwrap())).unwrap();
    let interval = Duration::from_millis(50);
    let mut edge = Edge::every(
        interval,
        vec![
            target(hanging.clone(), Tables::Found),
            target(sqlite_url(&path), Tables::Found),
        ],
    );
    let mut readings: BTreeMap<DatabaseId, usize> = BTreeMap::new();
    let problem = loop {
        let reading = edge.reading().await;
        *readings.entry(reading.database).or_default() += 1;
        if let Err(problem) = reading.tables {
            break problem;
        }
    };
    assert_problem(&problem, Kind::Timeout, &["no answer within 2s"]);
    assert!(readings.get(&sqlite_url(&path).id()) > Some(&2), "{readings:?}");
}

pub(super) fn backend() -> ServiceId {
    ServiceId::new("coe-demo", "coe-backend")
}

#[tokio::test]
async fn a_hint_brings_a_reading_at_once_that_finds_a_new_version_table() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one.db"), folder.path().join("two.db"));
    sqlite(&one, &version_table("alembic_version", &["a1"])).await;
    sqlite(&two, &version_table("alembic_version", &["z9"])).await;
    let ours = Target {
        services: vec![backend()],
        ..target(sqlite_url(&one), Tables::Found)
    };
    let mut edge = Edge::at_rest(vec![ours.clone(), target(sqlite_url(&two), Tables::Found)]);
    edge.reading().await.tables.unwrap();
    edge.reading().await.tables.unwrap();
    sqlite(&one, &version_table("alembic_version_rag", &["b2"])).await;
    edge.hurry.send(backend()).await.unwrap();
    let expected = at(&[("alembic_version", &["a1"]), ("alembic_version_rag", &["b2"])]);
    for _ in 0..3 {
        // the readings that follow closely are of that database alone
        let reading = edge.reading().await;
        assert_eq!(
            (reading.database, reading.services),
            (ours.id.clone(), ours.services.clone())
        );
        assert_eq!(reading.tables, Ok(expected.clone()));
    }
}

#[tokio::test]
async fn databases_come_go_and_move_while_the_edge_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one.db"), folder.path().join("two.db"));
    sqlite(&one, &version_table("alembic_version", &["a1"])).await;
    sqlite(&two, &version_table("alembic_version", &["b2"])).await;
    let id = DatabaseId("coe-demo/db".to_owned());
    let first = Target {
        id: id.clone(),
        ..target(sqlite_url(&one), Tables::Found)
    };
    let moved = Target {
        id: id.clone(),
        ..target(sqlite_url(&two), Tables::Found)
    };
    let mut edge = Edge::at_rest(Vec::new());
    edge.targets.send_replace(Arc::new(vec![first.clone()]));
    assert_eq!(
        edge.reading().await.tables,
        Ok(at(&[("alembic_version", &["a1"])]))
    );
    edge.targets.send_replace(Arc::new(vec![moved]));
    assert_eq!(
        edge.reading().await.tables,
        Ok(at(&[("alembic_version", &["b2"])]))
    );
    edge.targets.send_replace(Arc::new(Vec::new()));
    assert_eq!(edge.next().await, Observation::DatabaseGone(id));
    edge.targets.send_replace(Arc::new(vec![first]));
    assert_eq!(
        edge.reading().await.tables,
        Ok(at(&[("alembic_version", &["a1"])]))
    );
}

#[tokio::test]
async fn a_replaced_sqlite_file_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("app.db"), folder.path().join("restored.db"));
    sqlite(&path, &version_table("alembic_version", &["a1"])).await;
    sqlite(&other, &version_table("alembic_version", &["b2"])).await;
    let mut edge = Edge::every(
        Duration::from_millis(50),
        vec![target(sqlite_url(&path), Tables::Found)],
    );
    assert_eq!(
        edge.reading().await.tables,
        Ok(at(&[("alembic_version", &["a1"])]))
    );
    std::fs::rename(&other, &path).unwrap();
    let restored = at(&[("alembic_version", &["b2"])]);
    edge.reading_that(|reading| reading.tables.as_ref() == Ok(&restored))
        .await;
}

/// What is logged, line by line.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_problem_is_logged_once_when_it_begins_and_once_when_it_ends() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _logged = tracing::subscriber::set_default(subscriber);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let mut edge = Edge::every(
        Duration::from_millis(20),
        vec![target(sqlite_url(&path), Tables::Found)],
    );
    for _ in 0..3 {
        edge.reading().await.tables.unwrap_err();
    }
    sqlite(&path, &version_table("alembic_version", &["a1"])).await;
    for _ in 0..2 {
        edge.reading_that(|reading| reading.tables.is_ok()).await;
    }
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let levels: Vec<_> = text
        .lines()
        .map(|line| line.split_whitespace().nth(1).unwrap())
        .collect();
    assert_eq!(levels, ["WARN", "INFO"], "{text}");
}

#[tokio::test]
async fn the_edge_stops_when_it_is_told_to_even_if_nobody_takes_its_reports() {
    let folder = tempfile::tempdir().unwrap();
    let missing = sqlite_url(&folder.path().join("none.db"));
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hanging = DatabaseUrl::parse(&format!("postgres://a:b@{}/c", silent.local_addr().unwrap())).unwrap();
    let mut edge = Edge::every(
        Duration::from_millis(1),
        vec![target(missing, Tables::Found), target(hanging, Tables::Found)],
    );
    let full = async {
        while edge.inbox.capacity() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, full)
        .await
        .expect("the inbox fills");
    edge.stop.cancel();
    tokio::time::timeout(PATIENCE, edge.task.join_next())
        .await
        .expect("it stops")
        .expect("it ran")
        .unwrap();
}
