//! What somebody runs beside the containers, heard by its log file: nothing but text, until the database agrees.

use migwatch::model::migration::Grade::Claimed;
use migwatch::model::migration::Outcome::{Applied, Downgraded, NothingToDo};
use migwatch::model::migration::Rule::ClaimOnly;
use migwatch::model::migration::Trigger::Process;
use migwatch::model::migration::Verdict::Undetermined;

use super::{UNDECLARED, UNDECLARED_TO_FIRST};
use crate::scenarios::row::Database::{MariaDb, PostgreSql};
use crate::scenarios::row::Deed::{Release, Run};
use crate::scenarios::row::Expectation::{Allow, Approved, ApprovedElsewhere, Deny, Explicit, Window};
use crate::scenarios::row::{By, FIRST, HEAD, NEXT, Row, Told};
use crate::support::stack::Compose::{One, Two};

const BESIDE: Row = Row {
    under: UNDECLARED,
    ..Row::NOTHING
};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "a local run that upgrades is told as that process's once the database agrees",
        deeds: &[Release(NEXT), Run(By::Process, "alembic upgrade head")],
        told: &[Told::moved(Process, Applied, HEAD, NEXT)],
        real: &[(Explicit, MariaDb, One), (Deny, PostgreSql, Two)],
        ..BESIDE
    },
    Row {
        name: "a local run that goes down is told as that",
        deeds: &[Run(By::Process, "alembic downgrade -1")],
        told: &[Told::moved(Process, Downgraded, HEAD, FIRST)],
        under: UNDECLARED_TO_FIRST,
        ..BESIDE
    },
    Row {
        name: "a local run at head stays a claim and pages nobody",
        deeds: &[Run(By::Process, "alembic upgrade head")],
        told: &[Told::ran(Process, NothingToDo)
            .graded(Claimed)
            .judged(Undetermined, ClaimOnly)],
        real: &[
            (ApprovedElsewhere, PostgreSql, Two),
            (Allow, MariaDb, Two),
            (Approved, MariaDb, One),
            (Window, PostgreSql, Two),
        ],
        ..BESIDE
    },
];
