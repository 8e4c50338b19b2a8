//! Who changed a schema: the migrations that ran near it meanwhile, a replacement of the database, or nobody.

use std::collections::{BTreeMap, BTreeSet};

use super::super::State;
use super::super::code;
use super::super::live::{LiveSchema, Sight};
use super::super::migration::Tracked;
use super::super::settings::Settings;
use super::{SETTLE, SETTLE_MOVED, SKEW, SchemaRecord, is_near, is_restore_approved, replacing};
use crate::model::fact::{
    DatabaseReplaced, Fact, ForeignChange, MigrationSchemaChanged, SchemaChangeShared, SchemaDrifted,
    SchemaSeen, SchemaSettled,
};
use crate::model::migration::{Evidence, Outcome, Witness};
use crate::model::redact::shorten;
use crate::model::revision::DatabaseId;
use crate::model::schema::{ChangeKind, Patch, Schema, TablePatch, changes, in_words};
use crate::model::time::Timestamp;

/// One database with what is known of its schema and what was read last.
pub(super) struct Scene<'a> {
    pub(super) state: &'a State,
    pub(super) settings: &'a Settings,
    pub(super) now: Timestamp,
    pub(super) database: &'a DatabaseId,
    pub(super) live: &'a LiveSchema,
    pub(super) sight: &'a Sight,
    pub(super) record: &'a SchemaRecord,
}

/// A difference, and the time in which it came about.
pub(super) struct Change<'a> {
    /// When it was not there yet.
    pub(super) since: Timestamp,
    /// When it was first seen.
    pub(super) at: Timestamp,
    /// What was there before.
    pub(super) before: &'a Schema,
    /// What is different.
    pub(super) patch: Patch,
    /// migwatch did not run when it happened.
    pub(super) late: bool,
}

impl Change<'_> {
    fn words(&self) -> Vec<String> {
        in_words(&changes(self.before, &self.patch))
    }
}

/// Whose a change is.
enum Whose<'a> {
    Nobodys,
    Of(&'a Tracked),
    OneOf(Vec<&'a Tracked>),
}

impl<'a> Scene<'a> {
    /// What was read last is not what is known.
    pub(super) fn is_different(&self) -> bool {
        self.sight.fingerprint != self.record.fingerprint
    }

    /// Explains the difference between what is known and what was read last; nothing while it may still be explained otherwise.
    pub(super) fn explain(&self) -> Vec<Fact> {
        if self.sight.last_at < self.record.at {
            return Vec::new();
        }
        let change = self.change();
        let suspects = self.suspects(change.since, change.at);
        if replacing::is_swept(self, &change, &suspects) {
            return self.swept(&change, &suspects);
        }
        match decided(&suspects) {
            None => Vec::new(),
            Some(Whose::Nobodys) => self.unexplained(change),
            Some(Whose::Of(tracked)) => vec![self.done_by(tracked, change)],
            Some(Whose::OneOf(several)) => self.shared(&several, &change),
        }
    }

    /// A drift that late evidence explains after all.
    pub(super) fn explained_late(&self) -> Vec<Fact> {
        let drift = self.record.drift.as_ref();
        let Some((drift, last)) = drift.and_then(|drift| Some((drift, drift.last.as_ref()?))) else {
            return Vec::new();
        };
        let change = Change {
            since: last.since,
            at: last.at,
            before: &drift.accepted,
            patch: last.patch.clone(),
            late: drift.late,
        };
        match decided(&self.suspects(change.since, change.at)) {
            None | Some(Whose::Nobodys) => Vec::new(),
            Some(Whose::Of(tracked)) => vec![self.done_by(tracked, change)],
            Some(Whose::OneOf(several)) => self.shared(&several, &change),
        }
    }

    /// The difference between what is known and what was read last.
    pub(super) fn change(&self) -> Change<'a> {
        let (record, sight) = (self.record, self.sight);
        let seen_before = self
            .live
            .before
            .filter(|(fingerprint, _)| *fingerprint == record.fingerprint);
        let since = seen_before.map_or(record.at, |(_, last_at)| last_at.max(record.at));
        Change {
            since,
            at: sight.first_at,
            before: &record.schema,
            patch: record.schema.patch_to(&sight.schema),
            late: self.live.before.is_none() && record.at < self.state.live.since.unwrap_or_default(),
        }
    }

    /// A judged migration near this database; what was before the watch and what only a line claims is none.
    pub(super) fn is_suspicious(&self, tracked: &Tracked) -> bool {
        let migration = &tracked.migration;
        !migration.history
            && !tracked.is_claim()
            && migration.superseded_by.is_none()
            && is_near(self.state, tracked, self.database)
    }

    /// Says that what ended before the last reading did not change the schema: another change after it is not its doing.
    pub(super) fn seen(&self) -> Option<Fact> {
        let read_at = self.sight.last_at;
        let is_over = |tracked: &Tracked| {
            let ended = tracked.migration.ended_at.filter(|_| !tracked.is_open());
            ended.is_some_and(|ended| {
                let over = ended.after(SKEW);
                self.record.at < over && over <= read_at
            })
        };
        let mut all = self.state.durable.migrations.all.values();
        let is_due = all.any(|tracked| self.is_suspicious(tracked) && is_over(tracked));
        is_due.then(|| {
            Fact::SchemaSeen(SchemaSeen {
                database: self.database.clone(),
                at: read_at,
            })
        })
    }

    fn suspects(&self, since: Timestamp, at: Timestamp) -> Vec<&'a Tracked> {
        let all = self.state.durable.migrations.all.values();
        let ran = |tracked: &&Tracked| {
            let migration = &tracked.migration;
            let ended = migration.ended_at.filter(|_| !tracked.is_open());
            migration.started_at <= at.after(SKEW) && ended.is_none_or(|ended| ended.after(SKEW) > since)
        };
        all.map(AsRef::as_ref)
            .filter(ran)
            .filter(|tracked| self.is_suspicious(tracked))
            .collect()
    }

    fn done_by(&self, tracked: &Tracked, change: Change<'_>) -> Fact {
        let migration = &tracked.migration;
        let mut foreign = BTreeSet::new();
        let mut ownerless = BTreeSet::new();
        for it in changes(change.before, &change.patch) {
            // Who made it was seen, or the scripts say so; whose own scripts nobody has read may run another service's.
            let made = self.record.owners.get(&it.table);
            let creators = if code::of(self.state, &migration.service).is_empty() {
                BTreeSet::new()
            } else {
                code::creators(self.state, self.database, &it.table)
            };
            let is_own = made.is_none() && creators.contains(&migration.service);
            match made.or(creators.first().copied()) {
                _ if it.kind == ChangeKind::Created || is_own => {}
                Some(owner) if *owner == migration.service => {}
                Some(owner) => {
                    foreign.insert(ForeignChange {
                        table: it.table,
                        owner: owner.clone(),
                        dropped: it.kind == ChangeKind::Dropped,
                    });
                }
                None => {
                    ownerless.insert(it.table);
                }
            }
        }
        Fact::MigrationSchemaChanged(MigrationSchemaChanged {
            id: migration.id.clone(),
            service: migration.service.clone(),
            database: self.database.clone(),
            since: change.since,
            at: change.at,
            changes: change.words(),
            foreign: foreign.into_iter().collect(),
            ownerless: ownerless.into_iter().collect(),
            fresh: change.before.0.is_empty(),
            late: change.late,
            patch: change.patch,
        })
    }

    fn shared(&self, several: &[&Tracked], change: &Change<'_>) -> Vec<Fact> {
        let words = change.words();
        let text = format!(
            "while migrations of several services ran, the schema changed: {}; which of them did it, and whose what was made is, cannot be told",
            words.join(", ")
        );
        let mut facts = vec![Fact::SchemaChangeShared(SchemaChangeShared {
            database: self.database.clone(),
            since: change.since,
            at: change.at,
            patch: change.patch.clone(),
            changes: words,
            among: several
                .iter()
                .map(|tracked| tracked.migration.id.clone())
                .collect(),
        })];
        facts.extend(several.iter().map(|tracked| Fact::MigrationEvidenced {
            id: tracked.migration.id.clone(),
            evidence: Some(Evidence {
                at: change.at,
                witness: Witness::Database,
                text: shorten(&text, 600),
            }),
            line: None,
            container: None,
        }));
        facts
    }

    /// The database is another one; what stands in it by now is the work of whoever migrates it.
    fn swept(&self, change: &Change<'_>, suspects: &[&Tracked]) -> Vec<Fact> {
        let approved = is_restore_approved(self.state, self.settings, self.database, change.at);
        let Whose::Of(tracked) = whose(suspects) else {
            return vec![self.replaced(change.patch.clone(), change.words(), approved)];
        };
        let dropped = |schema: &Schema| {
            let tables = schema.0.keys();
            Patch(tables.map(|table| (table.clone(), TablePatch::Dropped)).collect())
        };
        let (all, nothing) = (dropped(change.before), Schema(BTreeMap::new()));
        let words = in_words(&changes(change.before, &all));
        let mut facts = vec![self.replaced(all, words, approved)];
        if !self.sight.schema.0.is_empty() {
            let rebuilt = Change {
                before: &nothing,
                patch: nothing.patch_to(&self.sight.schema),
                ..*change
            };
            facts.push(self.done_by(tracked, rebuilt));
        }
        facts
    }

    fn unexplained(&self, change: Change<'_>) -> Vec<Fact> {
        let words = change.words();
        if is_restore_approved(self.state, self.settings, self.database, change.at) {
            return vec![self.replaced(change.patch, words, true)];
        }
        if replacing::is_return(self, &change) {
            let replaced = self.state.durable.schemas.replaced.get(self.database);
            let is_approved = replaced.is_some_and(|replaced| replaced.approved);
            return vec![self.replaced(change.patch, words, is_approved)];
        }
        if self.is_changed_back() {
            return vec![Fact::SchemaSettled(SchemaSettled {
                database: self.database.clone(),
                at: change.at,
                patch: change.patch,
                reason: "the schema is again what it was".to_owned(),
            })];
        }
        if replacing::is_wholesale(self, &change) {
            let is_due = self.now >= self.sight.seen_at.after(replacing::WAIT);
            return if is_due {
                vec![self.replaced(change.patch, words, false)]
            } else {
                Vec::new()
            };
        }
        if replacing::is_returning(self.state, self.database) {
            return Vec::new();
        }
        let settle = if replacing::is_moved(self.state, self.database, &change) {
            SETTLE_MOVED
        } else {
            SETTLE
        };
        if self.now < self.sight.seen_at.after(settle) {
            return Vec::new();
        }
        vec![Fact::SchemaDrifted(SchemaDrifted {
            database: self.database.clone(),
            since: change.since,
            at: change.at,
            patch: change.patch,
            changes: words,
            late: change.late,
        })]
    }

    fn replaced(&self, patch: Patch, changes: Vec<String>, approved: bool) -> Fact {
        Fact::DatabaseReplaced(DatabaseReplaced {
            database: self.database.clone(),
            at: self.sight.first_at,
            patch,
            changes,
            approved,
        })
    }

    fn is_changed_back(&self) -> bool {
        let drift = self.record.drift.as_ref();
        drift.is_some_and(|drift| drift.accepted == self.sight.schema)
    }
}

/// Runs that show work come first: the others announced themselves and had nothing to do, as far as anybody saw.
fn whose<'a>(suspects: &[&'a Tracked]) -> Whose<'a> {
    let working: Vec<&Tracked> = suspects.iter().copied().filter(|it| shows_work(it)).collect();
    let likely = if working.is_empty() {
        let is_idle = |tracked: &&Tracked| tracked.migration.outcome == Outcome::NothingToDo;
        suspects.iter().copied().filter(|it| !is_idle(it)).collect()
    } else {
        working
    };
    let services: BTreeSet<_> = likely.iter().map(|tracked| &tracked.migration.service).collect();
    if services.len() > 1 {
        return Whose::OneOf(likely);
    }
    let latest = likely.into_iter().max_by_key(|tracked| tracked.last_attempt_at());
    latest.map_or(Whose::Nobodys, Whose::Of)
}

/// Whose it is, once everybody whose it may be has shown whether it had anything to do.
fn decided<'a>(suspects: &[&'a Tracked]) -> Option<Whose<'a>> {
    let whose = whose(suspects);
    let is_open = match &whose {
        Whose::Nobodys => false,
        Whose::Of(tracked) => is_undecided(tracked),
        Whose::OneOf(several) => several.iter().any(|it| is_undecided(it)),
    };
    (!is_open).then_some(whose)
}

/// It has only just begun: by its end, its first step or its length it shows whether it had anything to do.
fn is_undecided(tracked: &Tracked) -> bool {
    tracked.is_open() && !tracked.migration.moved()
}

/// It logged steps, moved a version table, or is a command that migrates and whose output nobody reads.
fn shows_work(tracked: &Tracked) -> bool {
    let migration = &tracked.migration;
    let is_silent_command = || {
        let mut runners = migration.runners.iter();
        runners.any(|runner| runner.command.is_some()) && migration.outcome != Outcome::NothingToDo
    };
    !migration.steps.is_empty() || !migration.movements.is_empty() || is_silent_command()
}
