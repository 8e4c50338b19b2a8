//! Commands that people run inside running containers: nothing of them is in any log.

use migwatch::model::migration::Outcome::{
    Applied, Downgraded, Failed, HalfApplied, Interrupted, NothingToDo, Stamped,
};
use migwatch::model::migration::Trigger::Exec;

use super::{UNDECLARED, UNDECLARED_IDLE, UNDECLARED_TO_FIRST};
use crate::scenarios::row::Database::{MariaDb, PostgreSql};
use crate::scenarios::row::Deed::{Begin, KillIt, LetGo, Release, Restarted, Run, Unwatched};
use crate::scenarios::row::Expectation::{
    Allow, Approved, ApprovedElsewhere, Deny, Explicit, Nothing, Window,
};
use crate::scenarios::row::{BROKEN, By, FIRST, HEAD, NEXT, Row, SLOW, Sentinel, Told};
use crate::support::stack::Compose::{One, Two};

const EXEC: Row = Row {
    under: UNDECLARED,
    sentinel: Sentinel::Exec,
    ..Row::NOTHING
};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "an exec that upgrades is told by what it moved though no log says a word",
        deeds: &[Release(NEXT), Run(By::Exec, "alembic upgrade head")],
        told: &[Told::moved(Exec, Applied, HEAD, NEXT)],
        real: &[(Window, PostgreSql, One)],
        ..EXEC
    },
    Row {
        name: "an exec at a terminal is told as any other",
        deeds: &[Release(NEXT), Run(By::ExecAtTerminal, "alembic upgrade head")],
        told: &[Told::moved(Exec, Applied, HEAD, NEXT)],
        real: &[(ApprovedElsewhere, MariaDb, One)],
        ..EXEC
    },
    Row {
        name: "an exec through a shell is read as the shell reads it",
        deeds: &[
            Release(NEXT),
            Run(
                By::Exec,
                "sh -c 'cd /srv/reports && python3 -m alembic -c alembic.ini upgrade +1'",
            ),
        ],
        told: &[Told::moved(Exec, Applied, HEAD, NEXT)],
        real: &[(Nothing, MariaDb, Two)],
        ..EXEC
    },
    Row {
        name: "an exec at head has nothing to do and pages nobody",
        deeds: &[Run(By::Exec, "alembic upgrade head")],
        told: &[Told::ran(Exec, NothingToDo)],
        under: UNDECLARED_IDLE,
        real: &[(Allow, PostgreSql, Two)],
        ..EXEC
    },
    Row {
        name: "an exec that goes down is told as that",
        deeds: &[Run(By::Exec, "alembic downgrade -1")],
        told: &[Told::moved(Exec, Downgraded, HEAD, FIRST)],
        // An approval to the revision that it goes to is no approval to another one.
        under: UNDECLARED_TO_FIRST,
        real: &[(Approved, MariaDb, One)],
        ..EXEC
    },
    Row {
        name: "an exec that stamps is told as a jump without steps",
        deeds: &[Release(NEXT), Run(By::Exec, "alembic stamp 8e52ba0f63d4")],
        told: &[Told::moved(Exec, Stamped, HEAD, NEXT)],
        real: &[(ApprovedElsewhere, PostgreSql, Two), (Window, MariaDb, One)],
        ..EXEC
    },
    Row {
        name: "an exec that stamps where the database already stands has nothing to do and pages nobody",
        deeds: &[Run(By::Exec, "alembic stamp c40e1d87f5b3")],
        told: &[Told::ran(Exec, NothingToDo)],
        under: UNDECLARED_IDLE,
        ..EXEC
    },
    Row {
        name: "an exec that fails and is taken back is told as a failure whatever was expected",
        deeds: &[Release(BROKEN), Run(By::Exec, "alembic upgrade head")],
        told: &[Told::ran(Exec, Failed)],
        under: UNDECLARED_IDLE,
        alerts: &["MigrationFailed(app)"],
        on: &[PostgreSql],
        real: &[(Explicit, PostgreSql, Two)],
        ..EXEC
    },
    Row {
        name: "an exec that fails and leaves a half behind is told as half applied whatever was expected",
        deeds: &[Release(BROKEN), Run(By::Exec, "alembic upgrade head")],
        told: &[Told::ran(Exec, HalfApplied)],
        under: UNDECLARED_IDLE,
        alerts: &["MigrationHalfApplied(app)"],
        on: &[MariaDb],
        real: &[(Window, MariaDb, One)],
        ..EXEC
    },
    Row {
        name: "an exec that is killed in its step is told as interrupted",
        deeds: &[Release(SLOW), Begin(By::Exec, "alembic upgrade head"), KillIt],
        told: &[Told {
            moved: true,
            ..Told::ran(Exec, Interrupted)
        }],
        under: UNDECLARED_IDLE,
        alerts: &["MigrationInterrupted(app)"],
        real: &[(Deny, MariaDb, Two)],
        ..EXEC
    },
    Row {
        name: "an exec over a restart of migwatch is one migration",
        deeds: &[
            Release(SLOW),
            Begin(By::Exec, "alembic upgrade head"),
            Restarted,
            LetGo,
        ],
        told: &[Told::moved(Exec, Applied, HEAD, SLOW)],
        real: &[(Nothing, MariaDb, One)],
        ..EXEC
    },
    Row {
        name: "an exec that begins and ends while migwatch is down is found in what the engine remembers",
        deeds: &[Release(NEXT), Unwatched(By::Exec, "alembic upgrade head")],
        told: &[Told::moved(Exec, Applied, HEAD, NEXT)],
        ..EXEC
    },
];
