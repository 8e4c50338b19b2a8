//! What moves no schema, or moves it as it should: nobody is told.

use migwatch::model::migration::Outcome::NothingToDo;
use migwatch::model::migration::Rule::{DeclaredDeploy, LeftArmed};
use migwatch::model::migration::Trigger::Startup;
use migwatch::model::migration::Verdict::{Expected, Unexpected};

use super::{BOTH, DECLARED, NO_MATTER};
use crate::scenarios::row::Begins::ServingAt;
use crate::scenarios::row::Database::{MariaDb, PostgreSql};
use crate::scenarios::row::Deed::{Restart, Restarted, Run, Says, Scale, Settled, Start as Starts, Stop, Up};
use crate::scenarios::row::Expectation::{Allow, Deny, Explicit};
use crate::scenarios::row::{By, HEAD, Row, Sentinel, Start, Told};
use crate::support::stack::Compose::{One, Two};

const QUIET: Row = Row {
    name: "",
    begins: ServingAt(HEAD),
    deeds: &[],
    told: &[],
    under: NO_MATTER,
    alerts: &[],
    sentinel: Sentinel::Log,
    on: BOTH,
    real: &[],
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
        real: &[(Deny, MariaDb, One), (Deny, PostgreSql, Two)],
        ..QUIET
    },
    Row {
        name: "a one-off that only asks is no run",
        deeds: &[
            Run(By::OneOff, "alembic current"),
            Run(By::OneOffAtTerminal, "python3 -V"),
        ],
        real: &[(Deny, MariaDb, Two), (Explicit, PostgreSql, One)],
        ..QUIET
    },
    Row {
        name: "a nightly stop and start of everything is quiet",
        deeds: &[Stop, Starts],
        real: &[(Deny, MariaDb, One), (Explicit, PostgreSql, Two)],
        ..QUIET
    },
    Row {
        name: "more replicas and fewer again are quiet",
        deeds: &[Scale(3), Scale(1)],
        real: &[(Deny, PostgreSql, One), (Deny, MariaDb, Two)],
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
        real: &[(Explicit, PostgreSql, One), (Explicit, MariaDb, Two)],
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
        real: &[(Deny, MariaDb, One), (Allow, PostgreSql, Two)],
        ..QUIET
    },
    Row {
        name: "a restart of migwatch beside a service that serves is quiet",
        deeds: &[Restarted, Restart, Restarted],
        real: &[(Deny, PostgreSql, Two)],
        ..QUIET
    },
];
