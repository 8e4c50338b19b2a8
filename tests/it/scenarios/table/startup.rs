//! Starts of the application's own containers.

use migwatch::model::migration::Outcome::{
    Applied, Downgraded, Failed, HalfApplied, Interrupted, NothingApplied, NothingToDo, Stamped,
};
use migwatch::model::migration::Rule::{
    BareCommand, DeclaredDeploy, LeftArmed, PredecessorArmed, UnsetMeansTrue,
};
use migwatch::model::migration::Trigger::Startup;
use migwatch::model::migration::Verdict::{Expected, Unexpected};

use super::{DECLARED, DECLARED_IDLE};
use crate::scenarios::row::Begins::Before;
use crate::scenarios::row::Database::{MariaDb, PostgreSql};
use crate::scenarios::row::Deed::{
    AtWork, KillIt, LetGo, Recreate, Release, Restart, Restarted, Settled, Up,
};
use crate::scenarios::row::Expectation::{
    Allow, Approved, ApprovedElsewhere, Deny, Explicit, Nothing, Window,
};
use crate::scenarios::row::{BASE, BROKEN, FIRST, HEAD, NEXT, Row, SLOW, Start, Told};
use crate::support::stack::Compose::{One, Two};

const START: Row = Row {
    under: DECLARED,
    ..Row::NOTHING
};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "a deploy that migrates is told with where it went",
        deeds: &[Release(NEXT), Up(Start::On)],
        told: &[Told::moved(Startup, Applied, HEAD, NEXT)],
        real: &[(Explicit, MariaDb, One), (ApprovedElsewhere, PostgreSql, One)],
        ..START
    },
    Row {
        name: "the first migration of an empty database is told as any other",
        begins: Before(BASE),
        deeds: &[Up(Start::On)],
        told: &[Told::moved(Startup, Applied, BASE, HEAD)],
        under: &[DECLARED[0], DECLARED[1], DECLARED[2], DECLARED[3], DECLARED[6]],
        real: &[(Nothing, PostgreSql, Two), (Deny, MariaDb, Two)],
        ..START
    },
    Row {
        name: "a deploy at head has nothing to do and pages nobody",
        deeds: &[Up(Start::On)],
        told: &[Told::ran(Startup, NothingToDo)],
        under: DECLARED_IDLE,
        real: &[(Deny, PostgreSql, One)],
        ..START
    },
    Row {
        name: "a deploy that goes down is told as that",
        deeds: &[Up(Start::OnTo("alembic downgrade -1"))],
        told: &[Told::moved(Startup, Downgraded, HEAD, FIRST)],
        under: DECLARED_IDLE,
        real: &[(Approved, MariaDb, Two)],
        ..START
    },
    Row {
        name: "a deploy that stamps is told as a jump without steps",
        deeds: &[Release(NEXT), Up(Start::OnTo("alembic stamp 8e52ba0f63d4"))],
        told: &[Told::moved(Startup, Stamped, HEAD, NEXT)],
        real: &[(Window, PostgreSql, One)],
        ..START
    },
    Row {
        name: "a deploy that migrates another database and serves all the same applied nothing",
        deeds: &[
            Release(NEXT),
            Up(Start::OnTo("env DATABASE_URL=sqlite:// alembic upgrade head")),
        ],
        told: &[Told::tried(Startup, NothingApplied, "", NEXT)],
        alerts: &["MigrationNothingApplied(app)"],
        real: &[(Window, MariaDb, Two)],
        ..START
    },
    Row {
        name: "a deploy that fails and is taken back is told as a failure whatever was expected",
        deeds: &[Release(BROKEN), Up(Start::On)],
        told: &[Told::tried(Startup, Failed, HEAD, BROKEN)],
        under: DECLARED_IDLE,
        alerts: &["MigrationFailed(app)", "ServiceDown(app)"],
        on: &[PostgreSql],
        real: &[(Nothing, PostgreSql, One)],
        ..START
    },
    Row {
        name: "a deploy that fails and leaves a half behind is told as half applied whatever was expected",
        deeds: &[Release(BROKEN), Up(Start::On)],
        told: &[Told::tried(Startup, HalfApplied, HEAD, BROKEN)],
        under: DECLARED_IDLE,
        alerts: &["MigrationHalfApplied(app)", "ServiceDown(app)"],
        on: &[MariaDb],
        real: &[(Allow, MariaDb, One)],
        ..START
    },
    Row {
        name: "a deploy that is killed in its step is told as interrupted",
        deeds: &[Release(SLOW), Up(Start::On), KillIt],
        told: &[Told::tried(Startup, Interrupted, HEAD, SLOW)],
        under: DECLARED_IDLE,
        alerts: &["MigrationInterrupted(app)"],
        real: &[(Explicit, PostgreSql, One)],
        ..START
    },
    Row {
        name: "a restart with the switch left on is unexpected where a deploy was not",
        deeds: &[Up(Start::On), Settled(1), Release(NEXT), Restart],
        told: &[
            Told::ran(Startup, NothingToDo).judged(Expected, DeclaredDeploy),
            Told::moved(Startup, Applied, HEAD, NEXT).judged(Unexpected, LeftArmed),
        ],
        under: &[DECLARED[0], DECLARED[1]],
        real: &[(Explicit, PostgreSql, Two)],
        ..START
    },
    Row {
        name: "a new container whose predecessor had the switch on too declares nothing",
        deeds: &[Up(Start::On), Settled(1), Release(NEXT), Recreate(Start::On)],
        told: &[
            Told::ran(Startup, NothingToDo).judged(Expected, DeclaredDeploy),
            Told::moved(Startup, Applied, HEAD, NEXT).judged(Unexpected, PredecessorArmed),
        ],
        under: &[DECLARED[0], DECLARED[1]],
        real: &[(Nothing, MariaDb, One)],
        ..START
    },
    Row {
        name: "a switch that nobody set and that is on by itself declares nothing",
        deeds: &[Release(NEXT), Up(Start::Unset)],
        told: &[Told::moved(Startup, Applied, HEAD, NEXT)],
        under: &[
            (Nothing, Unexpected, UnsetMeansTrue),
            (Explicit, Unexpected, UnsetMeansTrue),
            DECLARED[3],
        ],
        real: &[(Explicit, MariaDb, Two)],
        ..START
    },
    Row {
        name: "a command that migrates without any switch declares nothing",
        deeds: &[Release(NEXT), Up(Start::Bare("alembic upgrade head"))],
        told: &[Told::moved(Startup, Applied, HEAD, NEXT)],
        under: &[
            (Nothing, Unexpected, BareCommand),
            (Explicit, Unexpected, BareCommand),
            DECLARED[3],
        ],
        real: &[(Allow, PostgreSql, One)],
        ..START
    },
    Row {
        name: "a switch that the command does not ask is no switch",
        deeds: &[Release(NEXT), Up(Start::Despite("alembic upgrade head"))],
        told: &[Told::moved(Startup, Applied, HEAD, NEXT)],
        under: &[
            (Nothing, Unexpected, BareCommand),
            (Explicit, Unexpected, BareCommand),
            DECLARED[3],
        ],
        ..START
    },
    Row {
        name: "a deploy over a restart of migwatch is one migration",
        deeds: &[Release(SLOW), Up(Start::On), AtWork, Restarted, LetGo],
        told: &[Told::moved(Startup, Applied, HEAD, SLOW)],
        real: &[(Window, MariaDb, One)],
        ..START
    },
];
