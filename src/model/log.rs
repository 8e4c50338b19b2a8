//! What a container's log says about migrations, line by line.

use serde::{Deserialize, Serialize};

use super::cause::Cause;
use super::revision::Revision;
use super::time::Timestamp;

/// Which of the two streams a line came from; with a terminal everything is `Stdout`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the field's own words")]
pub enum Stream {
    Stdout,
    Stderr,
}

/// What makes a line the same line when the engine delivers it again (rotation, overlap, reconnect).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LineKey {
    /// The engine's timestamp of the line.
    pub at: Timestamp,
    /// The stream it came from.
    pub stream: Stream,
    /// A hash of its whole text, stable over builds.
    pub hash: u64,
    /// 0 for the first of equal lines with an equal timestamp; more only where the engine's timestamps are too coarse to tell lines apart.
    pub ordinal: u32,
}

/// One understood line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Its identity, with its time.
    pub key: LineKey,
    /// What it says.
    pub saying: Saying,
}

/// What a line says. Nothing is concluded from it here: a line is anybody's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "snake_case")]
pub enum Saying {
    /// `Running Alembic migrations...` and its sisters: a run is announced.
    Running,
    /// `Skipping Alembic migrations (RUN_MIGRATIONS=false)` and its sisters.
    Skipped,
    /// `✅ Alembic 마이그레이션 완료!` and its sisters.
    Finished,
    /// `Context impl MySQLImpl.`: Alembic talks to a database; also for harmless commands.
    Context {
        /// `MySQLImpl`, `PostgresqlImpl`, ...
        dialect: String,
    },
    /// `Running upgrade A -> B, title`: printed before the step is carried out.
    Step(Step),
    /// `FAILED: X`, or the key line of a database error.
    Failed(Cause),
    /// The application announces that it serves: migrations before it are over.
    ApplicationUp,
}

/// One step that Alembic says it begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Up, down or stamp.
    pub kind: StepKind,
    /// The revisions it leaves; empty is base.
    pub from: Vec<Revision>,
    /// The revisions it reaches; empty is base.
    pub to: Vec<Revision>,
    /// The revision's title, any language, at most 200 characters; absent if the script has none.
    pub title: Option<String>,
}

/// The kinds of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "Alembic's own words")]
pub enum StepKind {
    Upgrade,
    Downgrade,
    Stamp,
}

/// From where a container's log is read when it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResumeFrom {
    /// A container that ran before it was ever seen: only its recent lines, as history.
    Recent,
    /// A container born under our eyes, or while we were away: all of it.
    Everything,
    /// Everything after this time was not yet taken in (overlap is the reader's business).
    Position(Timestamp),
}
