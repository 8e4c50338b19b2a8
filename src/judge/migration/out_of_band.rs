//! The database moved, and nobody on this host did it: judged by absence, after a time in which evidence that is on its way comes; and
//! taken back, by a fact with its reason, if evidence comes even later.

use super::super::State;
use super::super::schema;
use super::super::settings::Settings;
use super::super::tables::{Move, TableRecord};
use super::super::verdict::{self, Case};
use super::confirming::may_move;
use super::identity::out_of_band_id;
use super::stand::Stand;
use super::{Tracked, reading};
use crate::model::fact::Fact;
use crate::model::migration::{
    Evidence, Grade, Migration, MigrationId, Movement, Outcome, Runner, Trigger, Witness,
};
use crate::model::observation::Observation;
use crate::model::revision::{Heads, Standing, VersionTable};
use crate::model::service::ServiceId;
use crate::model::time::Timestamp;

/// Judges moves that nothing explains.
pub(in super::super) fn decide(
    state: &State,
    settings: &Settings,
    now: Timestamp,
    _: &Observation,
) -> Vec<Fact> {
    let mut facts = Vec::new();
    for (table, record) in &state.durable.tables.known {
        for found in Found::all(record) {
            if now < found.last.at.after(reading::SETTLE) || is_explainable(state, table) {
                break;
            }
            if schema::is_replacement(state, settings, &table.database, found.last.at) {
                continue;
            }
            facts.extend(found.told(state, settings, table));
        }
    }
    facts
}

/// When a move will be taken as nobody's.
pub(in super::super) fn deadlines(state: &State, moments: &mut Vec<Timestamp>) {
    let records = state.durable.tables.known.values();
    moments.extend(
        records
            .flat_map(unexplained)
            .map(|moved| moved.at.after(reading::SETTLE)),
    );
}

/// Moves that no migration explains so far, oldest first. A table that vanishes is no migration.
fn unexplained(record: &TableRecord) -> impl Iterator<Item = &Move> {
    record
        .moves
        .iter()
        .filter(|moved| !moved.explained && moved.to != Standing::Missing)
        // Alembic creates an empty table before its first step: nothing has moved yet.
        .filter(|moved| heads(&moved.from) != heads(&moved.to))
}

/// A table that is not there stands where an empty one does.
fn heads(standing: &Standing) -> Heads {
    match standing {
        Standing::At(heads) => heads.clone(),
        Standing::Missing => Heads::default(),
    }
}

/// Something is at work that may have moved the table, and has not come to its end.
fn is_explainable(state: &State, table: &VersionTable) -> bool {
    let all = state.durable.migrations.all.values();
    all.filter(|tracked| tracked.is_open() && !tracked.is_claim() && !tracked.migration.history)
        .any(|tracked| may_have_moved(state, &tracked.migration.service, table))
}

/// Whose own tables are known, waits for no other's: if a step of it leads there all the same, the finding is superseded.
fn may_have_moved(state: &State, service: &ServiceId, table: &VersionTable) -> bool {
    let mut bound = state.durable.tables.bound(service).peekable();
    match bound.peek() {
        Some(_) => bound.any(|(bound, _)| bound == table),
        None => may_move(state, service, table),
    }
}

/// Moves of one table that follow each other at once, and that nothing explains: on most databases each revision of an upgrade is a move
/// of its own, and a reading may come between any two.
struct Found<'a> {
    first: &'a Move,
    last: &'a Move,
    moves: Vec<&'a Move>,
}

impl<'a> Found<'a> {
    /// All that there are, oldest first.
    fn all(record: &'a TableRecord) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for moved in unexplained(record) {
            match all.last_mut() {
                Some(found) if found.goes_on(moved) => {
                    found.last = moved;
                    found.moves.push(moved);
                }
                _ => all.push(Self {
                    first: moved,
                    last: moved,
                    moves: vec![moved],
                }),
            }
        }
        all
    }

    /// Back to where it had stood is another movement.
    fn goes_on(&self, next: &Move) -> bool {
        let to = heads(&next.to);
        let has_stood =
            heads(&self.first.from) == to || self.moves.iter().any(|moved| heads(&moved.to) == to);
        next.at <= self.last.at.after(reading::SETTLE)
            && heads(&self.last.to) == heads(&next.from)
            && !has_stood
    }

    fn told(&self, state: &State, settings: &Settings, table: &VersionTable) -> Vec<Fact> {
        let Some(service) = owner(state, settings, table) else {
            return Vec::new();
        };
        let at = self.first.at;
        let id = out_of_band_id(table, at);
        // Where anybody may move it, a shell that happens to be open accuses nobody.
        let is_anybodys = settings.moved_by_anywhere.contains(&table.database);
        let untold = untold(state, table, self.first).filter(|_| !is_anybodys);
        let trigger = if untold.is_some() {
            Trigger::Exec
        } else {
            Trigger::OutOfBand
        };
        let case = Case {
            service: &service,
            trigger,
            began_at: at,
            grade: Grade::Confirmed,
            container: None,
            label: None,
            moved: std::slice::from_ref(table),
        };
        let mut judgement = verdict::judge(state, settings, &case);
        judgement.reason = format!("{}{}", judgement.reason, elsewhere(state, table, self.last));
        let (from, to) = (&self.first.from, &self.last.to);
        let text = format!(
            "{table} moved from {from} to {to}{}",
            while_away(state, self.first)
        );
        let evidence = Evidence {
            at,
            witness: Witness::Database,
            text,
        };
        let mut facts = vec![Fact::MigrationOpened {
            id: id.clone(),
            runner: untold.unwrap_or_else(|| nobody(&service, at)),
            service,
            trigger,
            grade: Grade::Confirmed,
            judgement,
            evidence,
            line: None,
            history: false,
        }];
        facts.extend(self.moves.iter().map(|moved| Fact::MigrationConfirmed {
            id: id.clone(),
            movement: Movement {
                table: table.clone(),
                from: heads(&moved.from),
                to: heads(&moved.to),
                at: moved.at,
            },
            observed_at: moved.at,
        }));
        facts.push(Fact::MigrationSettled {
            id,
            outcome: outcome(state, table, self.first, self.last),
            at: self.last.at,
            reason: "the version table moved, and nothing on this host explains it".to_owned(),
        });
        facts
    }
}

/// The runner of what nobody here ran.
fn nobody(service: &ServiceId, at: Timestamp) -> Runner {
    Runner {
        container: crate::model::service::ContainerId(String::new()),
        name: format!("somebody elsewhere, for {service}"),
        started_at: at,
        at,
        exec: None,
        command: None,
    }
}

/// The first reading after migwatch came back shows what moved while it was away.
fn while_away(state: &State, moved: &Move) -> &'static str {
    let is_first = |since: Timestamp| moved.at >= since && moved.at.since(since) <= reading::FIRST_READING;
    if state.live.since.is_some_and(is_first) {
        " (found when migwatch came back: it moved while nobody watched, or just then)"
    } else {
        ""
    }
}

/// Back to where the table had stood earlier is down; what else it was, only the scripts could tell.
fn outcome(state: &State, table: &VersionTable, begun: &Move, moved: &Move) -> Outcome {
    let record = state.durable.tables.known.get(table);
    let stood: Vec<&Standing> = record
        .into_iter()
        .flat_map(|record| record.moves.iter())
        .take_while(|earlier| earlier.at <= moved.at)
        .flat_map(|earlier| [&earlier.from, &earlier.to])
        .collect();
    let first = |standing: &Standing| stood.iter().position(|stood| *stood == standing);
    if first(&moved.to) < first(&begun.from) {
        Outcome::Downgraded
    } else {
        Outcome::Applied
    }
}

/// The service whose migration it is: of those that are bound to the table the one with the strictest policy, else of those that use the
/// database.
fn owner(state: &State, settings: &Settings, table: &VersionTable) -> Option<ServiceId> {
    let bindings = &state.durable.tables.bindings;
    let bound = bindings
        .iter()
        .filter(|(_, bound)| bound.tables.contains_key(table))
        .map(|(service, _)| service);
    let live = state.live.databases.get(&table.database);
    let near = live
        .map(|live| live.reading.services.as_slice())
        .unwrap_or_default();
    let strictness = |service: &&ServiceId| {
        let record = state.durable.containers.services.get(*service);
        settings.policy_of(service, record.and_then(|record| record.policy))
    };
    bound
        .min_by_key(strictness)
        .or_else(|| near.iter().min_by_key(strictness))
        .cloned()
}

/// An exec whose command the engine does not tell (Podman), in a container that uses the database, at the right time.
fn untold(state: &State, table: &VersionTable, moved: &Move) -> Option<Runner> {
    let exec = state.live.untold.iter().find(|exec| {
        let is_near = || {
            let known = state.durable.containers.known.get(&exec.container);
            known.is_some_and(|known| may_move(state, &known.service, table))
        };
        let ended = exec.ended_at.map(|at| at.after(reading::SETTLE));
        exec.at <= moved.at && ended.is_none_or(|ended| moved.at <= ended) && is_near()
    })?;
    let known = state.durable.containers.known.get(&exec.container)?;
    Some(Runner {
        container: exec.container.clone(),
        name: known.name.clone(),
        started_at: exec.at,
        at: exec.at,
        exec: Some(exec.exec.clone()),
        command: None,
    })
}

/// It was concluded from a move alone: nobody was known to have made it, or a command that nobody told was blamed for it.
pub(super) fn is_finding(tracked: &Tracked) -> bool {
    tracked.runner().is_some_and(|runner| {
        runner.container.0.is_empty() || (runner.exec.is_some() && runner.command.is_none())
    })
}

/// `; REVISION was reached by PROJECT/SERVICE at the same time, under another name of the same database` where that is so.
fn elsewhere(state: &State, table: &VersionTable, moved: &Move) -> String {
    let is_same_move = |movement: &Movement| {
        movement.table.table == table.table
            && movement.table != *table
            && Standing::At(movement.to.clone()) == moved.to
            && movement.at.since(moved.at) + moved.at.since(movement.at) <= reading::LATE
    };
    let other = state.durable.migrations.all.values().find(|tracked| {
        let migration = &tracked.migration;
        migration.trigger != Trigger::OutOfBand && migration.movements.iter().any(is_same_move)
    });
    if let Some(tracked) = other {
        let Migration { id, service, .. } = &tracked.migration;
        return format!(
            "; {service} reached the same revision at the same time ({id}): it may use this database under another name"
        );
    }
    let claims = |tracked: &&std::sync::Arc<Tracked>| {
        let began = tracked.migration.started_at;
        tracked.is_claim()
            && !tracked.migration.history
            && began <= moved.at
            && moved.at.since(began) <= reading::LATE
    };
    let claim = state.durable.migrations.all.values().find(claims);
    claim.map_or_else(String::new, |tracked| {
        let Migration { id, service, .. } = &tracked.migration;
        format!("; a line in the log of {service} claimed a run at that time ({id})")
    })
}

/// The finding that a migration explains, with what was found: it moved the same table to the same heads, and nobody here had been known
/// to.
pub(super) fn superseded<'a>(
    state: &'a State,
    by: &Tracked,
    table: &VersionTable,
    stand: &Stand<'_>,
) -> Option<(&'a MigrationId, &'a Movement)> {
    let mut findings = state.durable.migrations.all.values().filter(|tracked| {
        tracked.migration.id != by.migration.id
            && tracked.migration.superseded_by.is_none()
            && is_finding(tracked)
    });
    let is_it = |known: &&Movement| known.table == *table && known.to == *stand.to && known.at == stand.at;
    findings.find_map(|tracked| {
        Some((
            &tracked.migration.id,
            tracked.migration.movements.iter().find(is_it)?,
        ))
    })
}
