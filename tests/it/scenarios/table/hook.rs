//! What Compose runs around the start of a container: in it right after (`post_start`), or in a container of its own before (`pre_start`,
//! Compose 5.3 and later: nobody has it here, so it is only played).

use migwatch::model::migration::Outcome::{
    Applied, Downgraded, Failed, HalfApplied, Interrupted, NothingToDo,
};
use migwatch::model::migration::Trigger::Hook;

use super::{BARE, BARE_IDLE, DESPITE, DESPITE_IDLE};
use crate::scenarios::row::Database::{MariaDb, PostgreSql};
use crate::scenarios::row::Deed::{Begin, KillIt, Release, Run};
use crate::scenarios::row::Expectation::{Allow, Approved, ApprovedElsewhere, Deny, Nothing, Window};
use crate::scenarios::row::{BROKEN, By, FIRST, HEAD, NEXT, Row, SLOW, Sentinel, Told};
use crate::support::stack::Compose::Two;

const AFTER: Row = Row {
    under: DESPITE,
    sentinel: Sentinel::Exec,
    ..Row::NOTHING
};

const BEFORE: Row = Row {
    under: BARE,
    ..Row::NOTHING
};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "a hook right after the start that upgrades is told as a hook",
        deeds: &[Release(NEXT), Run(By::PostStart, "alembic upgrade head")],
        told: &[Told::moved(Hook, Applied, HEAD, NEXT)],
        real: &[
            (Nothing, MariaDb, Two),
            (ApprovedElsewhere, MariaDb, Two),
            (Deny, MariaDb, Two),
            (Approved, MariaDb, Two),
        ],
        ..AFTER
    },
    Row {
        name: "a hook right after the start at head has nothing to do and pages nobody",
        deeds: &[Run(By::PostStart, "alembic upgrade head")],
        told: &[Told::ran(Hook, NothingToDo)],
        under: DESPITE_IDLE,
        real: &[(Window, PostgreSql, Two), (Allow, MariaDb, Two)],
        ..AFTER
    },
    Row {
        name: "a hook right after the start that goes down is told as that",
        deeds: &[Run(By::PostStart, "alembic downgrade -1")],
        told: &[Told::moved(Hook, Downgraded, HEAD, FIRST)],
        under: DESPITE_IDLE,
        ..AFTER
    },
    Row {
        name: "a hook before the start that upgrades is told with every step",
        deeds: &[Release(NEXT), Run(By::PreStart, "alembic upgrade head")],
        told: &[Told::moved(Hook, Applied, HEAD, NEXT)],
        ..BEFORE
    },
    Row {
        name: "a hook before the start at head has nothing to do and pages nobody",
        deeds: &[Run(By::PreStart, "alembic upgrade head")],
        told: &[Told::ran(Hook, NothingToDo)],
        under: BARE_IDLE,
        ..BEFORE
    },
    Row {
        name: "a hook before the start that fails and is taken back is told as a failure whatever was expected",
        deeds: &[Release(BROKEN), Run(By::PreStart, "alembic upgrade head")],
        told: &[Told::tried(Hook, Failed, HEAD, BROKEN)],
        under: BARE_IDLE,
        alerts: &["MigrationFailed(app)"],
        on: &[PostgreSql],
        ..BEFORE
    },
    Row {
        name: "a hook before the start that fails and leaves a half behind is told as half applied whatever was expected",
        deeds: &[Release(BROKEN), Run(By::PreStart, "alembic upgrade head")],
        told: &[Told::tried(Hook, HalfApplied, HEAD, BROKEN)],
        under: BARE_IDLE,
        alerts: &["MigrationHalfApplied(app)"],
        on: &[MariaDb],
        ..BEFORE
    },
    Row {
        name: "a hook before the start that is killed in its step is told as interrupted",
        deeds: &[Release(SLOW), Begin(By::PreStart, "alembic upgrade head"), KillIt],
        told: &[Told::tried(Hook, Interrupted, HEAD, SLOW)],
        under: BARE_IDLE,
        alerts: &["MigrationInterrupted(app)"],
        ..BEFORE
    },
];
