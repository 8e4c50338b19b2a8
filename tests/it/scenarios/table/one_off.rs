//! Containers of `compose run`: short-lived, removed by themselves, and every line of them is seen.

use migwatch::model::migration::Outcome::{
    Applied, Downgraded, Failed, HalfApplied, Interrupted, NothingApplied, NothingToDo, Stamped,
};
use migwatch::model::migration::Trigger::OneOff;

use super::{UNDECLARED, UNDECLARED_IDLE, UNDECLARED_TO_FIRST};
use crate::scenarios::row::Database::{MariaDb, PostgreSql};
use crate::scenarios::row::Deed::{Begin, KillIt, LetGo, Release, Restarted, Run};
use crate::scenarios::row::Expectation::{Allow, Approved, ApprovedElsewhere, Deny, Explicit, Window};
use crate::scenarios::row::{BROKEN, By, FIRST, HEAD, NEXT, Row, SLOW, Told};
use crate::support::stack::Compose::{One, Two};

const ONE_OFF: Row = Row {
    under: UNDECLARED,
    ..Row::NOTHING
};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "a one-off that upgrades is told with every step",
        deeds: &[Release(NEXT), Run(By::OneOff, "alembic upgrade head")],
        told: &[Told::moved(OneOff, Applied, HEAD, NEXT)],
        real: &[(Approved, MariaDb, One), (Deny, PostgreSql, Two)],
        ..ONE_OFF
    },
    Row {
        name: "a one-off at a terminal is told as any other",
        deeds: &[Release(NEXT), Run(By::OneOffAtTerminal, "alembic upgrade head")],
        told: &[Told::moved(OneOff, Applied, HEAD, NEXT)],
        real: &[(Explicit, MariaDb, Two), (Window, PostgreSql, One)],
        ..ONE_OFF
    },
    Row {
        name: "a one-off at head has nothing to do and pages nobody",
        deeds: &[Run(By::OneOff, "alembic upgrade head")],
        told: &[Told::ran(OneOff, NothingToDo)],
        under: UNDECLARED_IDLE,
        real: &[(Deny, MariaDb, Two)],
        ..ONE_OFF
    },
    Row {
        name: "a one-off that goes down is told as that",
        deeds: &[Run(By::OneOff, "alembic downgrade -1")],
        told: &[Told::moved(OneOff, Downgraded, HEAD, FIRST)],
        under: UNDECLARED_TO_FIRST,
        real: &[(ApprovedElsewhere, MariaDb, One)],
        ..ONE_OFF
    },
    Row {
        name: "a one-off that stamps is told as a jump without steps",
        deeds: &[Release(NEXT), Run(By::OneOff, "alembic stamp 8e52ba0f63d4")],
        told: &[Told::moved(OneOff, Stamped, HEAD, NEXT)],
        real: &[(Window, MariaDb, One)],
        ..ONE_OFF
    },
    Row {
        name: "a one-off that fails and is taken back is told as a failure whatever was expected",
        deeds: &[Release(BROKEN), Run(By::OneOff, "alembic upgrade head")],
        told: &[Told::tried(OneOff, Failed, HEAD, BROKEN)],
        under: UNDECLARED_IDLE,
        alerts: &["MigrationFailed(app)"],
        on: &[PostgreSql],
        real: &[(Approved, PostgreSql, One)],
        ..ONE_OFF
    },
    Row {
        name: "a one-off that fails and leaves a half behind is told as half applied whatever was expected",
        deeds: &[Release(BROKEN), Run(By::OneOff, "alembic upgrade head")],
        told: &[Told::tried(OneOff, HalfApplied, HEAD, BROKEN)],
        under: UNDECLARED_IDLE,
        alerts: &["MigrationHalfApplied(app)"],
        on: &[MariaDb],
        real: &[(Deny, MariaDb, Two)],
        ..ONE_OFF
    },
    Row {
        name: "a one-off that migrates another database and exits 0 applied nothing",
        deeds: &[
            Release(NEXT),
            Run(By::OneOff, "env DATABASE_URL=sqlite:// alembic upgrade head"),
        ],
        told: &[Told::tried(OneOff, NothingApplied, "", NEXT)],
        alerts: &["MigrationNothingApplied(app)"],
        real: &[(Explicit, PostgreSql, Two)],
        ..ONE_OFF
    },
    Row {
        name: "a one-off that is killed in its step is told as interrupted",
        deeds: &[Release(SLOW), Begin(By::OneOff, "alembic upgrade head"), KillIt],
        told: &[Told::tried(OneOff, Interrupted, HEAD, SLOW)],
        under: UNDECLARED_IDLE,
        alerts: &["MigrationInterrupted(app)"],
        real: &[(Allow, PostgreSql, Two)],
        ..ONE_OFF
    },
    Row {
        name: "a one-off over a restart of migwatch is one migration",
        deeds: &[
            Release(SLOW),
            Begin(By::OneOff, "alembic upgrade head"),
            Restarted,
            LetGo,
        ],
        told: &[Told::moved(OneOff, Applied, HEAD, SLOW)],
        real: &[(Deny, PostgreSql, One)],
        ..ONE_OFF
    },
];
