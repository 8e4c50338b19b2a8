//! What moves no schema, or moves it as it should: nobody is told.

use migwatch::model::migration::Outcome::{Applied, NothingToDo};
use migwatch::model::migration::Rule::{Approved as ByApproval, DeclaredDeploy, LeftArmed, StricterOwner};
use migwatch::model::migration::Trigger::Startup;
use migwatch::model::migration::Verdict::{Expected, Unexpected};

use super::{DECLARED, NO_MATTER};
use crate::scenarios::row::Database::{MariaDb, PostgreSql};
use crate::scenarios::row::Deed::{
    Checks, Floods, Recreate, Release, Restart, Restarted, Restore, Roll, Run, Says, Scale, SecondUp,
    Settled, Start as Starts, Stop, Up,
};
use crate::scenarios::row::Expectation::{Allow, Approved, Deny, Explicit, Window};
use crate::scenarios::row::{By, FIRST, HEAD, NEXT, Row, Second, Sentinel, Start, Told};
use crate::support::stack::Compose::{One, Two};

const QUIET: Row = Row {
    under: NO_MATTER,
    ..Row::NOTHING
};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "commands that only ask are no runs",
        deeds: &[
            Run(By::Exec, "alembic current"),
            Run(By::Exec, "alembic history"),
            Run(By::Exec, "alembic heads"),
            Run(By::ExecAtTerminal, "alembic check"),
            Run(By::Exec, "alembic upgrade head --sql"),
        ],
        sentinel: Sentinel::Exec,
        real: &[(Deny, PostgreSql, One)],
        ..QUIET
    },
    Row {
        name: "a one-off that only asks is no run",
        deeds: &[
            Run(By::OneOff, "alembic current"),
            Run(By::OneOffAtTerminal, "python3 -V"),
        ],
        real: &[(Allow, PostgreSql, Two)],
        ..QUIET
    },
    Row {
        name: "a command that writes a new script is no run",
        deeds: &[Run(By::Exec, "alembic revision --autogenerate -m more")],
        sentinel: Sentinel::Exec,
        ..QUIET
    },
    Row {
        name: "a new container with the switch off is quiet",
        deeds: &[Release(NEXT), Recreate(Start::Off)],
        ..QUIET
    },
    Row {
        name: "a nightly stop and start of everything is quiet",
        deeds: &[Stop, Starts],
        real: &[(Allow, MariaDb, One)],
        ..QUIET
    },
    Row {
        name: "more replicas and fewer again are quiet",
        deeds: &[Scale(3), Scale(1)],
        real: &[(Allow, PostgreSql, One)],
        ..QUIET
    },
    Row {
        name: "an armed nightly restart at head is quiet",
        deeds: &[Up(Start::On), Settled(1), Stop, Starts, Settled(2), Restart],
        told: &[
            Told::ran(Startup, NothingToDo).judged(Expected, DeclaredDeploy),
            Told::ran(Startup, NothingToDo).judged(Unexpected, LeftArmed),
            Told::ran(Startup, NothingToDo).judged(Unexpected, LeftArmed),
        ],
        under: &[DECLARED[1]],
        real: &[(Explicit, PostgreSql, One)],
        ..QUIET
    },
    Row {
        name: "an access log that quotes the start script is a claim and pages nobody",
        deeds: &[
            Says(
                "172.17.0.1 - - [23/Nov/2026:09:31:06 +0000] \"GET /?q=Running%20it HTTP/1.1\" 200 12 \"Running Alembic migrations...\"",
            ),
            Says(
                "172.17.0.1 - - [23/Nov/2026:09:31:07 +0000] \"POST / HTTP/1.1\" 200 12 \"INFO  [alembic.runtime.migration] Running upgrade c40e1d87f5b3 -> 8e52ba0f63d4, x\"",
            ),
        ],
        real: &[(Allow, PostgreSql, One)],
        ..QUIET
    },
    Row {
        name: "health checks that ask Alembic every two seconds are no runs",
        deeds: &[Up(Start::Checked), Checks(3)],
        sentinel: Sentinel::Exec,
        real: &[(Explicit, MariaDb, Two)],
        ..QUIET
    },
    Row {
        name: "a log that is rotated under load is quiet",
        deeds: &[Floods(3_000)],
        real: &[(Allow, MariaDb, One)],
        ..QUIET
    },
    Row {
        name: "a rolling deploy that declares itself is quiet",
        deeds: &[Scale(2), Release(NEXT), Roll(Start::On)],
        told: &[Told::moved(Startup, Applied, HEAD, NEXT)],
        under: &[DECLARED[0], DECLARED[1], DECLARED[3], DECLARED[4], DECLARED[6]],
        real: &[(Window, MariaDb, Two)],
        ..QUIET
    },
    Row {
        name: "the other half of a deployment that declares its migration is quiet",
        deeds: &[Release(NEXT), SecondUp(Start::On), Settled(1), Stop],
        told: &[Told::moved(Startup, Applied, HEAD, NEXT)],
        under: &[DECLARED[0], DECLARED[1], DECLARED[3], DECLARED[4], DECLARED[6]],
        second: Second::Green,
        real: &[(Allow, MariaDb, One)],
        ..QUIET
    },
    Row {
        name: "a preview stack that moves the database of a stricter one is told whatever it may do itself",
        deeds: &[Release(NEXT), SecondUp(Start::On)],
        told: &[Told::moved(Startup, Applied, HEAD, NEXT).judged(Unexpected, StricterOwner)],
        under: &[DECLARED[1], DECLARED[2]],
        second: Second::Preview,
        real: &[(Explicit, PostgreSql, One)],
        ..QUIET
    },
    Row {
        name: "a restore that somebody approved is quiet",
        deeds: &[Restore(FIRST)],
        under: &[(Approved, Expected, ByApproval)],
        sentinel: Sentinel::Database,
        real: &[(Approved, MariaDb, Two)],
        ..QUIET
    },
    Row {
        name: "a restore that nobody approved is told as a replaced database and not as a migration",
        deeds: &[Restore(FIRST)],
        under: &[
            NO_MATTER[0],
            NO_MATTER[1],
            NO_MATTER[2],
            NO_MATTER[3],
            NO_MATTER[6],
        ],
        alerts: &["DatabaseReplaced(its database)"],
        sentinel: Sentinel::Database,
        real: &[(Allow, PostgreSql, Two)],
        ..QUIET
    },
    Row {
        name: "a restart of migwatch beside a service that serves is quiet",
        deeds: &[Restarted, Restart, Restarted],
        real: &[(Allow, PostgreSql, One)],
        ..QUIET
    },
];
