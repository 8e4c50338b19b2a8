//! What a row is made of: words for what is done, and for what is to be told of it. Refuses to know how either is acted.

use migwatch::model::migration::{Grade, Outcome, Rule, Trigger, Verdict};

use crate::support::stack::Compose;

/// Revisions of the application: its first release has two, the others come on top of its head.
pub(crate) const BASE: &str = "";
pub(crate) const FIRST: &str = "2b6f90d1a7ce";
pub(crate) const HEAD: &str = "c40e1d87f5b3";
/// A column more.
pub(crate) const NEXT: &str = "8e52ba0f63d4";
/// A column more, and then a statement that fails: MariaDB keeps the first half, `PostgreSQL` takes it back.
pub(crate) const BROKEN: &str = "39fd7c01e6a8";
/// A column more, and then it waits until it is let go.
pub(crate) const SLOW: &str = "5c0a117e9d24";

/// The service under which a local process is shown.
pub(crate) const PROCESS: &str = "run";

/// One scenario: what is done, and what is told of it.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    /// What it shows: a sentence that is true whatever is expected.
    pub(crate) name: &'static str,
    /// What is there before.
    pub(crate) begins: Begins,
    /// What is done, in order.
    pub(crate) deeds: &'static [Deed],
    /// The migrations of it, oldest first.
    pub(crate) told: &'static [Told],
    /// The verdict on those that say none of their own, by what was expected.
    pub(crate) under: &'static [Under],
    /// What the receiver is told, `UnexpectedMigration` left out: that follows from movement and verdict.
    pub(crate) alerts: &'static [&'static str],
    /// The path on which silence is proved.
    pub(crate) sentinel: Sentinel,
    /// The databases on which it is so.
    pub(crate) on: &'static [Database],
    /// Another project that uses the same database.
    pub(crate) second: Second,
    /// How it is acted for real: under what, on which database, with which Compose.
    pub(crate) real: &'static [(Expectation, Database, Compose)],
}

impl Row {
    /// Nothing is done, and nothing told; what a part of the table has in common is put in its place.
    pub(crate) const NOTHING: Self = Self {
        name: "",
        begins: Begins::ServingAt(HEAD),
        deeds: &[],
        told: &[],
        under: &[],
        alerts: &[],
        sentinel: Sentinel::Log,
        on: &[Database::MariaDb, Database::PostgreSql],
        second: Second::None,
        real: &[],
    };
}

/// Another project that uses the same database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Second {
    None,
    /// The other half of one deployment, under the same policy.
    Green,
    /// A stranger under `allow`.
    Preview,
}

/// What is there before anything is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Begins {
    /// The application serves, its start skipped migrations, its database stands at this revision.
    ServingAt(&'static str),
    /// A database at this revision that nobody uses yet.
    Before(&'static str),
}

/// What somebody does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed {
    /// `compose up` of the application, whose container says this about migrations.
    Up(Start),
    /// The same, made anew although nothing changed.
    Recreate(Start),
    /// `compose restart`
    Restart,
    /// `compose stop`
    Stop,
    /// `compose start`
    Start,
    /// So many replicas.
    Scale(u32),
    /// A new replica that starts so; then the old ones go, one after the other.
    Roll(Start),
    /// `compose up` of the other project.
    SecondUp(Start),
    /// A later release's script comes into the image.
    Release(&'static str),
    /// A command runs to its end.
    Run(By, &'static str),
    /// A command begins and ends while migwatch is down.
    Unwatched(By, &'static str),
    /// A command begins, and is in its slow step when this is done.
    Begin(By, &'static str),
    /// Waits until the slow step has begun and migwatch knows that something moves.
    AtWork,
    /// The slow step is let go; its end is waited for.
    LetGo,
    /// The slow step's process is killed.
    KillIt,
    /// The application says so, as it might in its access log.
    Says(&'static str),
    /// So many lines in its log, which is rotated meanwhile.
    Floods(usize),
    /// So many health checks pass.
    Checks(usize),
    /// A backup is played back that stands at this revision.
    Restore(&'static str),
    /// Waits for the migrations that are told so far.
    Settled(usize),
    /// migwatch is killed and started again.
    Restarted,
}

/// What a container of the application does about migrations when it starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Start {
    /// `RUN_MIGRATIONS=false`
    Off,
    /// `RUN_MIGRATIONS=true`
    On,
    /// The same, with a health check every two seconds that asks Alembic.
    Checked,
    /// Nobody sets the switch, and the start script's default is on.
    Unset,
    /// The switch is on, and this is what it switches.
    OnTo(&'static str),
    /// This command stands in front of the server, without any switch.
    Bare(&'static str),
    /// The same with a switch beside it that is off and that nobody asks.
    Despite(&'static str),
}

/// Who runs a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum By {
    /// `compose exec -T`
    Exec,
    /// `compose exec` at a terminal.
    ExecAtTerminal,
    /// `compose run --rm -T`
    OneOff,
    /// `compose run --rm` at a terminal.
    OneOffAtTerminal,
    /// Compose, right after it started the container.
    PostStart,
    /// Compose, in a container of its own before the application's.
    PreStart,
    /// Somebody who works beside the containers, into a log file.
    Process,
    /// A colleague's laptop.
    Elsewhere,
}

/// What is told of one migration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) trigger: Trigger,
    pub(crate) outcome: Outcome,
    /// From where to where, by the database or its steps; none where neither says anything.
    pub(crate) span: Option<(&'static str, &'static str)>,
    pub(crate) grade: Grade,
    /// Whether it moved a schema or was taken as moving one.
    pub(crate) moved: bool,
    /// Its own verdict, whatever is expected of the others.
    pub(crate) judged: Option<(Verdict, Rule)>,
}

impl Told {
    /// The database agrees that it moved.
    pub(crate) const fn moved(
        trigger: Trigger,
        outcome: Outcome,
        from: &'static str,
        to: &'static str,
    ) -> Self {
        Self {
            trigger,
            outcome,
            span: Some((from, to)),
            grade: Grade::Confirmed,
            moved: true,
            judged: None,
        }
    }

    /// It said its steps, and the database did not move.
    pub(crate) const fn tried(
        trigger: Trigger,
        outcome: Outcome,
        from: &'static str,
        to: &'static str,
    ) -> Self {
        Self {
            grade: Grade::Witnessed,
            ..Self::moved(trigger, outcome, from, to)
        }
    }

    /// It ran, and nothing was seen to move.
    pub(crate) const fn ran(trigger: Trigger, outcome: Outcome) -> Self {
        Self {
            trigger,
            outcome,
            span: None,
            grade: Grade::Witnessed,
            moved: false,
            judged: None,
        }
    }

    /// Whose it is: what runs beside the containers is a service of its own.
    pub(crate) const fn service(&self) -> &'static str {
        match self.trigger {
            Trigger::Process => PROCESS,
            _ => "app",
        }
    }

    pub(crate) const fn judged(self, verdict: Verdict, rule: Rule) -> Self {
        Self {
            judged: Some((verdict, rule)),
            ..self
        }
    }

    pub(crate) const fn graded(self, grade: Grade) -> Self {
        Self { grade, ..self }
    }
}

/// What is expected.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Expectation {
    /// Nothing is configured.
    Nothing,
    /// The policy `explicit`.
    Explicit,
    /// The policy `deny`.
    Deny,
    /// The policy `allow`.
    Allow,
    /// `deny`, and somebody approved it.
    Approved,
    /// `deny`, and somebody approved that the database goes to another revision.
    ApprovedElsewhere,
    /// `deny`, and a window is open.
    Window,
}

impl Expectation {
    pub(crate) const ALL: [Self; 7] = [
        Self::Nothing,
        Self::Explicit,
        Self::Deny,
        Self::Allow,
        Self::Approved,
        Self::ApprovedElsewhere,
        Self::Window,
    ];
}

/// What is expected, and what that makes of the row.
pub(crate) type Under = (Expectation, Verdict, Rule);

/// What the database does about a statement that changes a schema.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Database {
    /// Each one stays, whatever comes after.
    MariaDb,
    /// All of a migration or nothing.
    PostgreSql,
}

/// Where a loud migration comes last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sentinel {
    /// In the log of a container that starts.
    Log,
    /// In a command inside a container.
    Exec,
    /// In a database that somebody moves from elsewhere: what takes longest to be judged.
    Database,
}
