//! What moves the database and is not on this host: a colleague's laptop, a script in another data centre.

use migwatch::model::migration::Outcome::{Applied, Downgraded};
use migwatch::model::migration::Trigger::OutOfBand;

use super::NOBODYS;
use crate::scenarios::row::Database::{MariaDb, PostgreSql};
use crate::scenarios::row::Deed::{Release, Run, Settled};
use crate::scenarios::row::Expectation::{Allow, Approved, ApprovedElsewhere, Deny, Nothing, Window};
use crate::scenarios::row::{By, HEAD, NEXT, Row, Told};
use crate::support::stack::Compose::{One, Two};

const ELSEWHERE: Row = Row {
    under: NOBODYS,
    ..Row::NOTHING
};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "a colleague's migration is told by what the database says",
        deeds: &[Release(NEXT), Run(By::Elsewhere, "alembic upgrade head")],
        told: &[Told::moved(OutOfBand, Applied, HEAD, NEXT)],
        real: &[
            (Window, MariaDb, One),
            (Deny, PostgreSql, One),
            (Approved, MariaDb, Two),
            (ApprovedElsewhere, PostgreSql, Two),
        ],
        ..ELSEWHERE
    },
    Row {
        name: "a colleague who goes up and down is told twice and where it had been is down",
        deeds: &[
            Release(NEXT),
            Run(By::Elsewhere, "alembic upgrade head"),
            Settled(1),
            Run(By::Elsewhere, "alembic downgrade -1"),
        ],
        told: &[
            Told::moved(OutOfBand, Applied, HEAD, NEXT),
            Told::moved(OutOfBand, Downgraded, NEXT, HEAD),
        ],
        under: &[NOBODYS[0], NOBODYS[1], NOBODYS[2], NOBODYS[3], NOBODYS[6]],
        real: &[(Nothing, PostgreSql, Two), (Allow, PostgreSql, One)],
        ..ELSEWHERE
    },
];
