//! Whether the database agrees: version tables are compared with what migrations logged. Level-based, so that it does not matter
//! which of the two arrives first.

use std::collections::BTreeSet;

use super::super::State;
use super::super::settings::Settings;
use super::super::tables::{Move, TableRecord};
use super::super::verdict::{self, Case};
use super::part::Part;
use super::reading::{LATE, SETTLE, SKEW};
use super::stand::{Stand, stands};
use super::{Tracked, out_of_band, settling};
use crate::model::fact::{BindingProof, Fact};
use crate::model::migration::{Grade, Movement, Outcome, Trigger};
use crate::model::observation::Observation;
use crate::model::revision::{Heads, Standing, VersionTable};
use crate::model::service::ServiceId;
use crate::model::time::Timestamp;

/// How often what was confirmed may let more be confirmed: a claim and a binding are two steps.
const FURTHER: usize = 4;

/// Confirms migrations by what stands in the version tables.
pub(in super::super) fn decide(
    state: &State,
    settings: &Settings,
    now: Timestamp,
    observation: &Observation,
) -> Vec<Fact> {
    if !matches!(
        observation,
        Observation::Database(_)
            | Observation::Line { .. }
            | Observation::ProcessLine { .. }
            | Observation::ExecEnded { .. }
    ) {
        return Vec::new();
    }
    let mut facts = confirmed(state, settings, now);
    if facts.is_empty() {
        return facts;
    }
    // What is confirmed may let more be confirmed (a claim that is none any more, a table that is bound now): concluded at once, not
    // when the same is read again.
    let mut after = state.clone();
    let mut fresh = facts.clone();
    for _ in 0..FURTHER {
        for fact in &fresh {
            after.apply(fact);
        }
        fresh = confirmed(&after, settings, now);
        if fresh.is_empty() {
            break;
        }
        facts.extend(fresh.iter().cloned());
    }
    facts
}

/// What stands in the tables confirms so much at once.
fn confirmed(state: &State, settings: &Settings, now: Timestamp) -> Vec<Fact> {
    let mut recent: Vec<&Tracked> = state
        .durable
        .migrations
        .all
        .values()
        .map(AsRef::as_ref)
        .filter(|tracked| is_recent(tracked, now))
        .collect();
    recent.sort_by_key(|tracked| tracked.migration.started_at);
    let mut taken = BTreeSet::new();
    recent
        .into_iter()
        .flat_map(|tracked| confirm(state, settings, tracked, now, &mut taken))
        .collect()
}

fn is_recent(tracked: &Tracked, now: Timestamp) -> bool {
    let ended = tracked.migration.ended_at;
    tracked.migration.trigger != Trigger::OutOfBand
        && (tracked.is_open() || ended.is_some_and(|ended| now <= ended.after(LATE)))
}

fn confirm(
    state: &State,
    settings: &Settings,
    tracked: &Tracked,
    now: Timestamp,
    taken: &mut BTreeSet<(VersionTable, Timestamp)>,
) -> Vec<Fact> {
    let migration = &tracked.migration;
    let mut facts = Vec::new();
    for (table, record, is_bound) in candidates(state, tracked) {
        for stand in stands(record)
            .into_iter()
            .filter(|stand| !stand.is_new_and_empty())
        {
            let by_step = is_reached(tracked, table, &stand);
            let is_its = is_bound || is_plausible(state, tracked, table);
            let is_explained = by_step || (is_its && moved_with(state, tracked, table, &stand, now));
            if !is_explained || (tracked.is_claim() && !has_moved(tracked, &stand)) {
                continue;
            }
            if by_step && !is_bound {
                let service = migration.service.clone();
                facts.push(Fact::TableBound {
                    service,
                    table: table.clone(),
                    proof: BindingProof::Learned,
                });
            }
            let finding = out_of_band::superseded(state, tracked, table, &stand);
            let movement = Movement {
                table: table.clone(),
                from: finding.map_or_else(
                    || origin(tracked, table, record, &stand),
                    |(_, found)| found.from.clone(),
                ),
                to: stand.to.clone(),
                at: stand.at,
            };
            let is_anothers = stand.explained && finding.is_none();
            if migration.history || is_anothers || is_told(tracked, &movement) {
                continue;
            }
            if stand.moved && !taken.insert((table.clone(), stand.at)) {
                continue;
            }
            // Judged first: what is counted with the confirmation is counted under the right verdict.
            facts.extend(no_longer_a_claim(state, settings, tracked));
            facts.push(Fact::MigrationConfirmed {
                id: migration.id.clone(),
                movement,
                observed_at: now,
            });
            facts.extend(finding.map(|(id, _)| Fact::MigrationSuperseded {
                id: id.clone(),
                by: migration.id.clone(),
                at: now,
                reason: format!("{} was late to be heard of", migration.service),
            }));
            facts.extend(no_longer_nothing(tracked, &stand));
        }
    }
    facts
}

fn is_told(tracked: &Tracked, movement: &Movement) -> bool {
    let is_it = |known: &Movement| known.table == movement.table && known.to == movement.to;
    tracked.migration.movements.iter().any(is_it)
}

/// Whether a service's migrations may move a table: it is bound to it, or uses its database and the configuration names no other.
pub(in super::super) fn may_move(state: &State, service: &ServiceId, table: &VersionTable) -> bool {
    let tables = &state.durable.tables;
    let is_configured = || {
        tables
            .bound(service)
            .any(|(_, proof)| proof == BindingProof::Configured)
    };
    let is_near = || {
        let live = state.live.databases.get(&table.database);
        live.is_some_and(|live| live.reading.services.contains(service))
    };
    tables.bound(service).any(|(bound, _)| bound == table) || (!is_configured() && is_near())
}

/// The tables that this migration may have moved (the only table so far may be another service's).
fn candidates<'a>(
    state: &'a State,
    tracked: &'a Tracked,
) -> impl Iterator<Item = (&'a VersionTable, &'a TableRecord, bool)> {
    let tables = &state.durable.tables;
    let service = &tracked.migration.service;
    // Nobody tells which database a local process uses.
    let is_anywhere = tracked.migration.trigger == Trigger::Process && tables.bound(service).next().is_none();
    tables.known.iter().filter_map(move |(table, record)| {
        let is_bound = tables.bound(service).any(|(bound, _)| bound == table);
        (is_anywhere || may_move(state, service, table)).then_some((table, record, is_bound))
    })
}

/// A command that migrates and says no steps, of a service that is bound to no table: it may be any that is nobody else's.
fn is_plausible(state: &State, tracked: &Tracked, table: &VersionTable) -> bool {
    let tables = &state.durable.tables;
    let has_command = tracked.runners().any(|runner| runner.command.is_some());
    let is_unbound = tables.bound(&tracked.migration.service).next().is_none();
    let is_nobodys = || {
        !tables
            .bindings
            .values()
            .any(|bound| bound.tables.contains_key(table))
    };
    has_command && is_unbound && is_nobodys()
}

/// A logged step reached it, beyond where this migration is known to have moved the table.
fn is_reached(tracked: &Tracked, table: &VersionTable, stand: &Stand<'_>) -> bool {
    let migration = &tracked.migration;
    // What was found there before the run began, if only just, was not brought there by it.
    let since = if stand.moved || stand.at >= migration.started_at {
        stand.at.after(SKEW)
    } else {
        stand.at
    };
    // What an attempt said explains nothing that moved after it had ended.
    let is_spent = |at: Timestamp| {
        let is_earlier = at < tracked.last_attempt_at();
        let ended = tracked.earlier_ended_at.filter(|_| is_earlier);
        let is_in_time = ended.map_or_else(
            || is_in_time(tracked, stand),
            |ended| stand.may_have_moved_by(ended),
        );
        stand.moved && !is_in_time
    };
    let last_to = |heads: &Heads| {
        migration.steps.iter().rposition(|timed| {
            since >= timed.at
                && !is_spent(timed.at)
                && if timed.step.to.is_empty() {
                    heads.0.is_empty()
                } else {
                    timed.step.to.iter().all(|revision| heads.0.contains(revision))
                }
        })
    };
    let known = migration.movements.iter().find(|known| known.table == *table);
    let before = known.and_then(|known| last_to(&known.to));
    last_to(stand.to).is_some_and(|reached| before.is_none_or(|before| reached >= before))
}

/// The table was seen to move since the claim was made: that the right revision stands there proves nothing.
fn has_moved(tracked: &Tracked, stand: &Stand<'_>) -> bool {
    stand.moved && stand.at >= tracked.migration.started_at.before(SKEW)
}

/// The service's own table moved while a run was at work whose steps do not tell, and nobody else's steps explain it.
fn moved_with(
    state: &State,
    tracked: &Tracked,
    table: &VersionTable,
    stand: &Stand<'_>,
    now: Timestamp,
) -> bool {
    if tracked.is_claim() || !stand.moved || !begins_there(tracked, stand) {
        return false;
    }
    // The same revisions are reached elsewhere too: in another project's database, or in this one at another time.
    let by_steps = |other: &Tracked| {
        let steps = &other.migration.steps;
        let last_to = |heads: &Heads| {
            steps.iter().rposition(|timed| {
                stand.at.after(SKEW) >= timed.at
                    && !timed.step.to.is_empty()
                    && timed.step.to.iter().all(|revision| heads.0.contains(revision))
            })
        };
        let Some(reached) = last_to(stand.to) else {
            return false;
        };
        // What has brought the table there once has not done it twice, and what is past that step does not go back to it.
        let mut movements = other.migration.movements.iter();
        let is_spent = movements.any(|known| {
            known.table == *table
                && known.at < stand.at
                && (known.to == *stand.to || last_to(&known.to).is_some_and(|before| before > reached))
        });
        // Whose time is over takes no move upon itself, and so leaves it to others.
        !is_spent
            && !other.migration.history
            && is_recent(other, now)
            && is_in_time(other, stand)
            && may_move(state, &other.migration.service, table)
    };
    let all = &state.durable.migrations.all;
    // A reading is dated by its question: its answer may show what began after that.
    stand.at.after(SKEW) >= tracked.last_attempt_at()
        && is_in_time(tracked, stand)
        && is_soon_enough(tracked, stand)
        && !has_ended_before(state, tracked, table, stand)
        && !all.values().any(|other| by_steps(other))
}

/// A run that had ended before the table was read where it stood, or before the next start or another run set to work, did not move it.
fn has_ended_before(state: &State, tracked: &Tracked, table: &VersionTable, stand: &Stand<'_>) -> bool {
    let Some(ended) = tracked.migration.ended_at.filter(|_| !tracked.is_open()) else {
        return false;
    };
    let is_at_work = |other: &Tracked| {
        let began = other.last_attempt_at();
        let is_its_time = ended <= began && began <= stand.at;
        other.is_open()
            && !other.is_claim()
            && is_its_time
            && may_move(state, &other.migration.service, table)
    };
    // A restart forgets when the table was last read, not what a reading after the end has shown.
    let is_shown = |known: &Movement| known.table == *table && known.at >= ended && known.at < stand.at;
    let mut all = state.durable.migrations.all.values();
    stand.read_before.is_some_and(|read| ended < read)
        || Part::main(tracked).is_some_and(|part| part.is_followed(state, stand.at))
        || tracked.migration.movements.iter().any(is_shown)
        || all.any(|other| is_at_work(other))
}

/// Whether a move may be this migration's: it runs, or had not ended when the table was last read where it stood before.
fn is_in_time(tracked: &Tracked, stand: &Stand<'_>) -> bool {
    let settled_at = tracked.migration.ended_at.filter(|_| !tracked.is_open());
    let ended_at = settled_at.or(tracked.exec_end.as_ref().map(|end| end.at));
    ended_at.is_none_or(|ended| stand.may_have_moved_by(ended))
}

/// A start that announced a run and logged no step most likely had nothing to do: only what is seen right after it is put on it. A
/// command says no more than that it ran.
fn is_soon_enough(tracked: &Tracked, stand: &Stand<'_>) -> bool {
    let has_command = tracked.runners().any(|runner| runner.command.is_some());
    let ended = tracked.migration.ended_at.filter(|_| !tracked.is_open());
    has_command || ended.is_none_or(|ended| stand.at <= ended.after(SETTLE))
}

/// No step is known; or a command went on from where its first step began, and the rest of its log was lost with its container.
fn begins_there(tracked: &Tracked, stand: &Stand<'_>) -> bool {
    let Some(first) = tracked.migration.steps.first() else {
        return true;
    };
    let from = Heads(first.step.from.iter().cloned().collect());
    let is_command = tracked.runner().is_some_and(|runner| runner.command.is_some());
    is_command && stand.from == Some(&Standing::At(from))
}

/// Where the table stood before: its first move since the migration began that is nobody else's, else what the first step said.
fn origin(tracked: &Tracked, table: &VersionTable, record: &TableRecord, stand: &Stand<'_>) -> Heads {
    let known = tracked.migration.movements.iter();
    if let Some(known) = known.into_iter().find(|known| known.table == *table) {
        return known.from.clone();
    }
    let began = tracked.migration.started_at.before(SKEW);
    let is_its = |moved: &&Move| moved.at >= began && (!moved.explained || moved.at == stand.at);
    let first = record.moves.iter().find(is_its);
    match first.map(|moved| &moved.from).or(stand.from) {
        Some(Standing::At(heads)) => heads.clone(),
        Some(Standing::Missing) => Heads::default(),
        None => tracked
            .migration
            .steps
            .first()
            .map(|timed| Heads(timed.step.from.iter().cloned().collect()))
            .unwrap_or_default(),
    }
}

/// A claim that the database confirms is judged by the policy.
fn no_longer_a_claim(state: &State, settings: &Settings, tracked: &Tracked) -> Option<Fact> {
    if !tracked.is_claim() {
        return None;
    }
    let runner = tracked.runner()?;
    let known = state.durable.containers.known.get(&runner.container)?;
    let label = state
        .live
        .containers
        .get(&runner.container)
        .and_then(|live| live.look.labels.migrations);
    let start = known.start(runner.started_at);
    let case = Case {
        service: &tracked.migration.service,
        trigger: tracked.migration.trigger,
        began_at: tracked.migration.started_at,
        grade: Grade::Confirmed,
        container: Some((known, start)),
        label,
        moved: &[],
    };
    let mut judgement = verdict::judge(state, settings, &case);
    judgement.reason = format!(
        "{}; at first only a log line said so, then the database moved",
        judgement.reason
    );
    Some(Fact::MigrationRejudged {
        id: tracked.migration.id.clone(),
        grade: Grade::Confirmed,
        judgement,
    })
}

/// A run that was taken for idle, or as having moved nothing, moved its table after all.
fn no_longer_nothing(tracked: &Tracked, stand: &Stand<'_>) -> Option<Fact> {
    let migration = &tracked.migration;
    let is_nothing = matches!(migration.outcome, Outcome::NothingToDo | Outcome::NothingApplied);
    let last = migration.steps.last().map(|timed| timed.step.kind);
    let command = tracked.runner().and_then(|runner| runner.command.as_ref());
    let action = command.map(|command| command.action);
    (!tracked.is_open() && is_nothing).then(|| Fact::MigrationSettled {
        id: migration.id.clone(),
        outcome: last.map_or_else(|| settling::by_action(action), settling::by_kind),
        at: migration.ended_at.unwrap_or(stand.at),
        reason: "its version table moved, as a reading after its end showed".to_owned(),
    })
}
