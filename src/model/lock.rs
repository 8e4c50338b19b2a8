//! Who waits for whom in a database.

use std::fmt;

use super::revision::DatabaseId;
use super::time::Timestamp;

/// One look at the sessions of a database that wait for a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockWaits {
    /// Which database.
    pub database: DatabaseId,
    /// When it was looked at.
    pub at: Timestamp,
    /// Who waits; nobody, or nobody that may be seen.
    pub waits: Vec<LockWait>,
}

/// One session that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockWait {
    /// Who waits.
    pub waiting: Session,
    /// Whom it waits for; `None` if that may not be seen.
    pub holder: Option<Session>,
    /// The holder is the likeliest one: the server does not say who it is.
    pub probably: bool,
}

/// One session of a database server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// What the server calls it: what a person needs to end it.
    pub id: i64,
    /// Who is logged in.
    pub user: String,
    /// From where; empty if it may not be seen.
    pub host: String,
    /// Since when its transaction or statement runs, by our clock.
    pub since: Option<Timestamp>,
    /// When it logged in, by our clock, where the server tells.
    pub connected_at: Option<Timestamp>,
    /// The beginning of its statement (of its last one if it is idle), literals and secrets taken out; `None` if that may not be seen.
    pub statement: Option<String>,
    /// It does nothing now; a transaction of its is open all the same.
    pub idle: bool,
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {} of {}", self.id, self.user)?;
        if !self.host.is_empty() {
            write!(f, "@{}", self.host)?;
        }
        Ok(())
    }
}
