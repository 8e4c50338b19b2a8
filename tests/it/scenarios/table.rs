//! The table: rows by trigger, and the quiet ones. Nothing here but data and what is chosen from it.

mod exec;
mod hook;
mod one_off;
mod out_of_band;
mod process;
mod quiet;
mod startup;

use migwatch::model::migration::Rule::{
    AllowEverything, Approved as ByApproval, BareCommand, DeclaredDeploy, DenyEverything, DespiteDisarmed,
    NobodyDeclared, NobodyHere, Window as ByWindow,
};
use migwatch::model::migration::Verdict::{Expected, Unexpected};

use super::case::Case;
use super::row::Database;
use super::row::Expectation::{Allow, Approved, ApprovedElsewhere, Deny, Explicit, Nothing, Window};
use super::row::{Row, Under};
use crate::support::stack::Compose;

/// What nobody declares.
const UNDECLARED: &[Under] = &[
    (Nothing, Unexpected, NobodyDeclared),
    (Explicit, Unexpected, NobodyDeclared),
    (Deny, Unexpected, DenyEverything),
    (Allow, Expected, AllowEverything),
    (Approved, Expected, ByApproval),
    (ApprovedElsewhere, Unexpected, DenyEverything),
    (Window, Expected, ByWindow),
];

/// What nobody declares, and what never comes to any revision: it may have been on its way to the approved one.
const UNDECLARED_IDLE: &[Under] = &[
    (Nothing, Unexpected, NobodyDeclared),
    (Explicit, Unexpected, NobodyDeclared),
    (Deny, Unexpected, DenyEverything),
    (Allow, Expected, AllowEverything),
    (Approved, Expected, ByApproval),
    (ApprovedElsewhere, Expected, ByApproval),
    (Window, Expected, ByWindow),
];

/// What nobody declares, and what goes to the very revision that is approved as the other one.
const UNDECLARED_TO_FIRST: &[Under] = UNDECLARED_IDLE;

/// What a hook does beside a container that says that it does not migrate.
const DESPITE: &[Under] = &[
    (Nothing, Unexpected, DespiteDisarmed),
    (Explicit, Unexpected, DespiteDisarmed),
    (Deny, Unexpected, DenyEverything),
    (Allow, Expected, AllowEverything),
    (Approved, Expected, ByApproval),
    (ApprovedElsewhere, Unexpected, DenyEverything),
    (Window, Expected, ByWindow),
];

/// The same where no revision is come to but perhaps the approved one.
const DESPITE_IDLE: &[Under] = &[
    (Nothing, Unexpected, DespiteDisarmed),
    (Explicit, Unexpected, DespiteDisarmed),
    (Deny, Unexpected, DenyEverything),
    (Allow, Expected, AllowEverything),
    (Approved, Expected, ByApproval),
    (ApprovedElsewhere, Expected, ByApproval),
    (Window, Expected, ByWindow),
];

/// A container whose command migrates and asks no switch.
const BARE: &[Under] = &[
    (Nothing, Unexpected, BareCommand),
    (Explicit, Unexpected, BareCommand),
    (Deny, Unexpected, DenyEverything),
    (Allow, Expected, AllowEverything),
    (Approved, Expected, ByApproval),
    (ApprovedElsewhere, Unexpected, DenyEverything),
    (Window, Expected, ByWindow),
];

/// The same where no revision is come to.
const BARE_IDLE: &[Under] = &[
    (Nothing, Unexpected, BareCommand),
    (Explicit, Unexpected, BareCommand),
    (Deny, Unexpected, DenyEverything),
    (Allow, Expected, AllowEverything),
    (Approved, Expected, ByApproval),
    (ApprovedElsewhere, Expected, ByApproval),
    (Window, Expected, ByWindow),
];

/// A new container that says that it migrates.
const DECLARED: &[Under] = &[
    (Nothing, Expected, DeclaredDeploy),
    (Explicit, Expected, DeclaredDeploy),
    (Deny, Unexpected, DenyEverything),
    (Allow, Expected, AllowEverything),
    (Approved, Expected, ByApproval),
    (ApprovedElsewhere, Unexpected, DenyEverything),
    (Window, Expected, ByWindow),
];

/// The same where no revision is come to.
const DECLARED_IDLE: &[Under] = &[
    (Nothing, Expected, DeclaredDeploy),
    (Explicit, Expected, DeclaredDeploy),
    (Deny, Unexpected, DenyEverything),
    (Allow, Expected, AllowEverything),
    (Approved, Expected, ByApproval),
    (ApprovedElsewhere, Expected, ByApproval),
    (Window, Expected, ByWindow),
];

/// What somebody did who is not on this host.
const NOBODYS: &[Under] = &[
    (Nothing, Unexpected, NobodyHere),
    (Explicit, Unexpected, NobodyHere),
    (Deny, Unexpected, DenyEverything),
    (Allow, Expected, AllowEverything),
    (Approved, Expected, ByApproval),
    (ApprovedElsewhere, Unexpected, DenyEverything),
    (Window, Expected, ByWindow),
];

/// Where nothing is told whatever is expected, its verdict is no matter.
const NO_MATTER: &[Under] = DESPITE;

/// Every row.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    let parts: [&'static [Row]; 7] = [
        hook::ROWS,
        process::ROWS,
        startup::ROWS,
        exec::ROWS,
        one_off::ROWS,
        out_of_band::ROWS,
        quiet::ROWS,
    ];
    parts.into_iter().flatten()
}

/// What is acted for real on this database with this Compose.
pub(crate) fn real(database: Database, compose: Compose) -> Vec<Case> {
    rows()
        .flat_map(|row| row.real.iter().map(move |chosen| (row, chosen)))
        .filter(|(_, (_, on, with))| (*on, *with) == (database, compose))
        .map(|(row, (expectation, ..))| Case {
            row,
            under: under(row, *expectation),
            database,
            compose,
            restarts: false,
        })
        .collect()
}

fn under(row: &'static Row, expectation: super::row::Expectation) -> Under {
    let found = row.under.iter().find(|under| under.0 == expectation);
    *found.unwrap_or_else(|| {
        panic!(
            "\"{}\" is acted under {expectation:?} and says no verdict",
            row.name
        )
    })
}

/// What is played: every row under everything, on one of its databases in turn, with one Compose in turn, and once over restarts.
pub(crate) fn played() -> Vec<Case> {
    let composes = [Compose::One, Compose::Two];
    let mut all = Vec::new();
    for (number, row) in rows().enumerate() {
        for (turn, under) in row.under.iter().enumerate() {
            let turn = number + turn;
            all.push(Case {
                row,
                under: *under,
                database: row.on[turn % row.on.len()],
                compose: composes[turn / 2 % 2],
                restarts: false,
            });
        }
        all.push(Case {
            row,
            under: row.under[0],
            database: row.on[number % row.on.len()],
            compose: composes[number % 2],
            restarts: true,
        });
    }
    all
}
