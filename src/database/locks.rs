//! Asks a database who waits for whom.
//!
//! Promises one short statement (MariaDB, MySQL: up to three), no lock, and no literal or secret of a foreign statement. What the user
//! may not see is left out, never an error. Refuses to know whose sessions they are and how long is too long.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use super::connection::{Connection, Texts, within};
use super::problem::{Cause, Failure, Operation};
use super::read::Reader;
use super::statement::head;
use super::url::DatabaseUrl;
use super::{mysql, postgres};
use crate::model::database::DatabaseProblem;
use crate::model::lock::{LockWait, Session};
use crate::model::time::Timestamp;

/// The most waits that are looked at: one is enough to say so, and a queue behind a lock may be as long as the pool.
const MOST: usize = 50;

impl Reader {
    /// Who waits now; `at` is now. In a SQLite file nobody can be seen waiting.
    pub(super) async fn lock_waits(&mut self, at: Timestamp) -> Result<Vec<LockWait>, DatabaseProblem> {
        if matches!(self.target().url, DatabaseUrl::Sqlite(_)) {
            return Ok(Vec::new());
        }
        // as with version tables: a driver may panic over foreign bytes
        let looking = AssertUnwindSafe(self.look_for_waits(at)).catch_unwind().await;
        let gibberish = || Failure {
            operation: Operation::Locks,
            cause: Cause::Gibberish,
        };
        looking
            .unwrap_or_else(|_| Err(gibberish()))
            .map_err(|failure| failure.problem(self.target()))
    }

    async fn look_for_waits(&mut self, at: Timestamp) -> Result<Vec<LockWait>, Failure> {
        let timeout = self.timeout();
        let mut connection = self.connected().await?;
        let result = match connection {
            Connection::MySql(_) => on_mysql(&mut connection, at, timeout).await,
            Connection::Postgres(_) => on_postgres(&mut connection, at, timeout).await,
            Connection::Sqlite(_) => Ok(Vec::new()),
        };
        self.done_with(connection, result.as_ref().err()).await;
        result
    }
}

async fn ask<const N: usize>(
    connection: &mut Connection,
    statement: &str,
    timeout: Duration,
) -> Result<Vec<Texts<N>>, Failure> {
    let statement = format!("{statement} LIMIT {MOST}");
    within(timeout, Operation::Locks, connection.rows(statement, timeout)).await
}

/// What only some users may ask: a refusal is no answer, and no problem.
async fn ask_for_more<const N: usize>(
    connection: &mut Connection,
    statement: &str,
    timeout: Duration,
) -> Result<Vec<Texts<N>>, Failure> {
    match ask(connection, statement, timeout).await {
        Err(failure) if failure.is_refusal() => Ok(Vec::new()),
        result => result,
    }
}

async fn on_mysql(
    connection: &mut Connection,
    at: Timestamp,
    timeout: Duration,
) -> Result<Vec<LockWait>, Failure> {
    let session = |[id, user, host, seconds, statement, command]: Texts<6>| {
        Some(Session {
            id: id?.parse().ok()?,
            user: user.unwrap_or_default(),
            host: without_port(host),
            since: before(at, seconds),
            connected_at: None,
            statement: statement.and_then(|text| head(&text, true)),
            idle: command.as_deref() == Some("Sleep"),
        })
    };
    let tables: Vec<Texts<5>> = ask(connection, mysql::TABLE_WAITS, timeout).await?;
    let holder = if tables.is_empty() {
        None
    } else {
        let oldest: Vec<Texts<6>> = ask_for_more(connection, mysql::OLDEST, timeout).await?;
        oldest.into_iter().find_map(session)
    };
    let waits = |[id, user, host, seconds, statement]: Texts<5>| {
        Some(LockWait {
            waiting: session([id, user, host, seconds, statement, None])?,
            holder: holder.clone(),
            probably: true,
        })
    };
    let mut found: Vec<LockWait> = tables.into_iter().filter_map(waits).collect();
    let rows: Vec<Texts<12>> = ask_for_more(connection, mysql::ROW_WAITS, timeout).await?;
    found.extend(
        rows.into_iter()
            .filter_map(|[a, b, c, d, e, f, g, h, i, j, k, l]| {
                Some(LockWait {
                    waiting: session([a, b, c, d, e, f])?,
                    holder: session([g, h, i, j, k, l]),
                    probably: false,
                })
            }),
    );
    Ok(found)
}

async fn on_postgres(
    connection: &mut Connection,
    at: Timestamp,
    timeout: Duration,
) -> Result<Vec<LockWait>, Failure> {
    let session = |[pid, user, host, seconds, statement, state, login]: Texts<7>| {
        let shown = statement.filter(|text| text != postgres::HIDDEN);
        Some(Session {
            id: pid?.parse().ok()?,
            user: user.unwrap_or_default(),
            host: host.unwrap_or_default(),
            since: before(at, seconds),
            connected_at: before(at, login),
            statement: shown.and_then(|text| head(&text, false)),
            idle: state.is_some_and(|state| state.starts_with("idle")),
        })
    };
    let rows: Vec<Texts<14>> = ask(connection, postgres::WAITS, timeout).await?;
    let waits = |[a, b, c, d, e, f, g, h, i, j, k, l, m, n]: Texts<14>| {
        Some(LockWait {
            waiting: session([a, b, c, d, e, f, g])?,
            holder: session([h, i, j, k, l, m, n]),
            probably: false,
        })
    };
    Ok(rows.into_iter().filter_map(waits).collect())
}

/// MariaDB and MySQL show `address:port`.
fn without_port(host: Option<String>) -> String {
    let host = host.unwrap_or_default();
    match host.rsplit_once(':') {
        Some((address, port)) if port.parse::<u16>().is_ok() => address.to_owned(),
        _ => host,
    }
}

fn before(at: Timestamp, seconds: Option<String>) -> Option<Timestamp> {
    let seconds: f64 = seconds?.parse().ok()?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .map(|ago| at.before(ago))
}
