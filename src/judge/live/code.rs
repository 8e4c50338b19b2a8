//! The code of containers as it was last read, and how version tables stand to it. Worked out where code or tables change, never where
//! somebody asks: putting a thousand scripts in order takes milliseconds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Live;
use crate::alembic::graph::{CodeStanding, Graph};
use crate::alembic::{plan, risk};
use crate::model::database::{DatabaseKind, DatabaseReading};
use crate::model::revision::{DatabaseId, Heads, Revision, Standing, VersionTable};
use crate::model::script::{Code, Script};
use crate::model::service::{ContainerId, ServiceId};
use crate::model::status::{PendingRevision, StandingWord};
use crate::model::time::Timestamp;

/// One Alembic environment of a container.
#[derive(Clone, Debug)]
pub struct LiveEnvironment {
    /// What its files say.
    pub code: Arc<Code>,
    /// When that was last told.
    pub read_at: Timestamp,
    /// Since when it is what it is: its container was made with it, as far as nobody saw it change.
    pub since: Timestamp,
    /// What follows from its scripts together.
    pub graph: Arc<CodeGraph>,
    /// How the tables of the service's databases stand to it.
    pub standings: BTreeMap<VersionTable, LiveStanding>,
}

/// What follows from the scripts of an environment together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodeGraph {
    /// What `alembic heads` shows.
    pub heads: Vec<Revision>,
    /// Every revision that there is.
    pub revisions: BTreeSet<Revision>,
    /// The tables that they create.
    pub creates: BTreeSet<String>,
    /// What is wrong with them, a sentence each; what could not be read, too.
    pub problems: Vec<String>,
}

/// How a version table stands to an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveStanding {
    /// What stood in the table.
    pub heads: Heads,
    /// In one word.
    pub word: StandingWord,
    /// What has not run, in the order in which it would.
    pub pending: Vec<PendingRevision>,
    /// Rows that the code does not know.
    pub unknown: Vec<Revision>,
    /// Why nothing can be said.
    pub reason: Option<String>,
    /// Since when the word is what it is, as far as this process saw.
    pub since: Timestamp,
}

/// The code of every container that may migrate, by service.
#[derive(Clone, Debug, Default)]
pub struct LiveCode(BTreeMap<ServiceId, BTreeMap<ContainerId, Environments>>);

/// The Alembic environments of a container, by name.
pub type Environments = BTreeMap<String, LiveEnvironment>;

impl LiveCode {
    /// The code of a service's containers.
    pub fn of<'a>(
        &'a self,
        service: &ServiceId,
    ) -> impl Iterator<Item = (&'a ContainerId, &'a Environments)> + use<'a> {
        self.0.get(service).into_iter().flatten()
    }

    /// The services of which code is known.
    pub fn services(&self) -> impl Iterator<Item = &ServiceId> {
        self.0.keys()
    }

    /// The code of every container.
    pub fn all(&self) -> impl Iterator<Item = (&ContainerId, &Environments)> {
        self.0.values().flatten()
    }

    fn environments(&self) -> impl Iterator<Item = &LiveEnvironment> {
        self.all().flat_map(|(_, environments)| environments.values())
    }
}

/// Answers that were worked out for one observation: containers of one image share them.
type Answers = BTreeMap<(*const Code, Heads), LiveStanding>;

impl Live {
    /// The code of a container was read.
    pub(super) fn code_read(
        &mut self,
        container: &ContainerId,
        environments: &BTreeMap<String, Arc<Code>>,
        now: Timestamp,
    ) {
        let Some(live) = self.containers.get(container) else {
            return;
        };
        let (service, created_at) = (live.look.service.clone(), live.look.created_at);
        let known = self.code.0.entry(service).or_default();
        let before = known.remove(container).unwrap_or_default();
        let mut fresh = BTreeMap::new();
        for (name, code) in environments {
            let graph = self
                .graph_of(code)
                .unwrap_or_else(|| Arc::new(CodeGraph::of(code)));
            let kept = before.get(name).map(|known| known.standings.clone());
            let since = match before.get(name) {
                None => created_at,
                Some(known) if known.code == *code => known.since,
                Some(_) => now,
            };
            let environment = LiveEnvironment {
                code: Arc::clone(code),
                read_at: now,
                since,
                graph,
                standings: kept.unwrap_or_default(),
            };
            fresh.insert(name.clone(), environment);
        }
        let service = self
            .containers
            .get(container)
            .map(|live| live.look.service.clone());
        let known = service.map(|service| self.code.0.entry(service).or_default());
        known.map(|known| known.insert(container.clone(), fresh));
        let readings: Vec<DatabaseReading> =
            self.databases.values().map(|live| live.reading.clone()).collect();
        for reading in readings {
            self.stand(&reading, Some(container), now);
        }
    }

    /// Whether the code that is known of a container is this; of one that is gone, anything.
    pub fn holds_code(&self, container: &ContainerId, environments: &BTreeMap<String, Arc<Code>>) -> bool {
        let Some(live) = self.containers.get(container) else {
            return true;
        };
        let mut own = self.code.of(&live.look.service);
        let known = own.find(|(id, _)| *id == container).map(|(_, known)| known);
        let known = known.into_iter().flatten();
        let known: Vec<_> = known.map(|(name, known)| (name, &known.code)).collect();
        known == environments.iter().collect::<Vec<_>>()
    }

    fn graph_of(&self, code: &Arc<Code>) -> Option<Arc<CodeGraph>> {
        self.code
            .environments()
            .find(|known| Arc::ptr_eq(&known.code, code))
            .map(|known| Arc::clone(&known.graph))
    }

    /// How the tables of a database stand to the code of whoever uses it (or to that of one container, whose code is new).
    pub(super) fn stand(&mut self, reading: &DatabaseReading, only: Option<&ContainerId>, now: Timestamp) {
        let Ok(tables) = &reading.tables else {
            return;
        };
        let mut answers = Answers::new();
        let own = self
            .code
            .0
            .iter_mut()
            .filter(|(service, _)| reading.services.contains(service));
        for (id, environments) in own.flat_map(|(_, known)| known) {
            if only.is_some_and(|only| only != id) {
                continue;
            }
            for environment in environments.values_mut() {
                let is_here = |table: &VersionTable| table.database == reading.database;
                environment
                    .standings
                    .retain(|table, _| !is_here(table) || tables.contains_key(&table.table));
                for (name, standing) in tables {
                    let table = VersionTable {
                        database: reading.database.clone(),
                        table: name.clone(),
                    };
                    let place = (reading.kind, &mut answers, now);
                    environment.stand_at(table, standing, only.is_some(), place);
                }
            }
        }
    }

    /// Where the tables of a database that is no longer read stand, nobody can say.
    pub(super) fn forget_standings(&mut self, database: &DatabaseId) {
        let containers = self.code.0.values_mut().flat_map(BTreeMap::values_mut);
        for environment in containers.flat_map(BTreeMap::values_mut) {
            environment
                .standings
                .retain(|table, _| table.database != *database);
        }
    }

    /// The code of containers that are no longer there is forgotten.
    pub(super) fn forget_code(&mut self) {
        let containers = &self.containers;
        self.code.0.retain(|_, known| {
            known.retain(|id, _| containers.contains_key(id));
            !known.is_empty()
        });
    }
}

impl LiveEnvironment {
    fn stand_at(
        &mut self,
        table: VersionTable,
        standing: &Standing,
        is_new: bool,
        (kind, answers, now): (DatabaseKind, &mut Answers, Timestamp),
    ) {
        let base = Heads::default();
        let heads = match standing {
            Standing::At(heads) => heads,
            Standing::Missing => &base,
        };
        let before = self.standings.get(&table);
        if !is_new && before.is_some_and(|before| before.heads == *heads) {
            return;
        }
        let answer = answers
            .entry((Arc::as_ptr(&self.code), heads.clone()))
            .or_insert_with(|| LiveStanding::of(&self.code, heads.clone(), (kind, now)));
        let mut fresh = answer.clone();
        if let Some(before) = before.filter(|before| before.word == fresh.word) {
            fresh.since = before.since;
        }
        self.standings.insert(table, fresh);
    }
}

impl CodeGraph {
    fn of(code: &Code) -> Self {
        let graph = Graph::new(&code.scripts);
        Self {
            heads: graph.heads(),
            revisions: code
                .scripts
                .iter()
                .map(|script| script.revision.clone())
                .collect(),
            creates: plan::created(&code.scripts),
            problems: plan::problems(code, &graph),
        }
    }
}

impl LiveStanding {
    fn of(code: &Code, heads: Heads, (kind, now): (DatabaseKind, Timestamp)) -> Self {
        let graph = Graph::new(&code.scripts);
        let (word, pending, unknown, reason) = match graph.standing(&heads) {
            CodeStanding::AtHead { .. } => (StandingWord::AtHead, Vec::new(), Vec::new(), None),
            CodeStanding::Behind { pending, .. } => (StandingWord::Behind, pending, Vec::new(), None),
            CodeStanding::Unknown { unknown } => (StandingWord::Unknown, Vec::new(), unknown, None),
            CodeStanding::Diverged { pending, unknown, .. } => {
                (StandingWord::Diverged, pending, unknown, None)
            }
            CodeStanding::Unreadable(why) => (
                StandingWord::Unreadable,
                Vec::new(),
                Vec::new(),
                Some(why.to_string()),
            ),
        };
        let scripts = pending.iter().filter_map(|revision| graph.script(revision));
        Self {
            heads,
            word,
            pending: scripts.map(|script| pending_of(script, kind)).collect(),
            unknown,
            reason,
            since: now,
        }
    }
}

/// How it is shown where a whole plan is too much.
fn pending_of(script: &Script, kind: DatabaseKind) -> PendingRevision {
    let operations = script.upgrade.operations().iter();
    let is_destructive = operations
        .into_iter()
        .any(|operation| risk::risks(&operation.action, Some(kind)).destructive.is_some());
    PendingRevision {
        revision: script.revision.clone(),
        title: script.title.clone(),
        destructive: is_destructive,
    }
}
