//! What the tables of a database look like, as far as it takes to tell what changed: names, and a hash of each definition.
//!
//! Promises that two schemas are equal exactly if nothing that is told apart here differs, and that a patch leads from one to the
//! other. Views and version tables are no part of it. Refuses to know how a schema is read and who may change it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fnv::Fnv;

/// Schemas with more tables than this are not looked at: a schema a tenant may hold tens of thousands, and all of it is kept.
pub const MOST_TABLES: usize = 2_000;

/// The most changes that are told one by one.
const MOST_WORDS: usize = 20;

/// Names of columns, indexes or foreign keys, each with the hash of its definition.
pub type Definitions = BTreeMap<String, u64>;

/// The tables of one database by name (with their schema if it is not the default one).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schema(pub BTreeMap<String, TableShape>);

/// What one table is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableShape {
    /// Its columns.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: Definitions,
    /// Its indexes and keys.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub indexes: Definitions,
    /// Its foreign keys.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub foreign_keys: Definitions,
}

/// What leads from one schema to another, by table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Patch(pub BTreeMap<String, TablePatch>);

/// What happened to one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TablePatch {
    /// It is there now.
    Created(TableShape),
    /// It is gone.
    Dropped,
    /// It is another.
    Altered(Alteration),
}

/// The parts of a table that changed: the new hash, or none where it is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Alteration {
    /// Columns.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, Option<u64>>,
    /// Indexes and keys.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub indexes: BTreeMap<String, Option<u64>>,
    /// Foreign keys.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub foreign_keys: BTreeMap<String, Option<u64>>,
}

/// One change as people are told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaChange {
    /// The table.
    pub table: String,
    /// What happened to the table as a whole.
    pub kind: ChangeKind,
    /// `table a dropped`, `column a.b added`, `index i of a dropped`, `foreign key f of a changed`.
    pub words: String,
}

/// What happened to a table as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It is there now.
    Created,
    /// It is gone.
    Dropped,
    /// A part of it is there, gone or another.
    Altered,
}

impl Schema {
    /// One number for all of it.
    pub fn fingerprint(&self) -> u64 {
        let mut hash = Fnv::default();
        for (name, shape) in &self.0 {
            hash.eat(name);
            for part in [&shape.columns, &shape.indexes, &shape.foreign_keys] {
                for (name, definition) in part {
                    hash.eat(name);
                    hash.number(*definition);
                }
                hash.eat("");
            }
        }
        hash.hash()
    }

    /// What leads from this one to `after`.
    pub fn patch_to(&self, after: &Self) -> Patch {
        let mut patch = BTreeMap::new();
        for (name, shape) in &after.0 {
            let change = match self.0.get(name) {
                None => TablePatch::Created(shape.clone()),
                Some(before) if before == shape => continue,
                Some(before) => TablePatch::Altered(Alteration {
                    columns: difference(&before.columns, &shape.columns),
                    indexes: difference(&before.indexes, &shape.indexes),
                    foreign_keys: difference(&before.foreign_keys, &shape.foreign_keys),
                }),
            };
            patch.insert(name.clone(), change);
        }
        let gone = self.0.keys().filter(|name| !after.0.contains_key(*name));
        patch.extend(gone.map(|name| (name.clone(), TablePatch::Dropped)));
        Patch(patch)
    }

    /// This one with `patch` carried out. What the patch says of tables that are not here is of no consequence.
    pub fn patched(&self, patch: &Patch) -> Self {
        let mut schema = self.clone();
        for (name, change) in &patch.0 {
            match change {
                TablePatch::Created(shape) => {
                    schema.0.insert(name.clone(), shape.clone());
                }
                TablePatch::Dropped => {
                    schema.0.remove(name);
                }
                TablePatch::Altered(alteration) => {
                    if let Some(shape) = schema.0.get_mut(name) {
                        carry_out(&mut shape.columns, &alteration.columns);
                        carry_out(&mut shape.indexes, &alteration.indexes);
                        carry_out(&mut shape.foreign_keys, &alteration.foreign_keys);
                    }
                }
            }
        }
        schema
    }
}

fn difference(before: &Definitions, after: &Definitions) -> BTreeMap<String, Option<u64>> {
    let new = after
        .iter()
        .filter(|(name, hash)| before.get(*name) != Some(hash))
        .map(|(name, hash)| (name.clone(), Some(*hash)));
    let gone = before
        .keys()
        .filter(|name| !after.contains_key(*name))
        .map(|name| (name.clone(), None));
    new.chain(gone).collect()
}

fn carry_out(definitions: &mut Definitions, changes: &BTreeMap<String, Option<u64>>) {
    for (name, hash) in changes {
        match hash {
            Some(hash) => definitions.insert(name.clone(), *hash),
            None => definitions.remove(name),
        };
    }
}

/// What differs between two schemas, in words, by table.
pub fn diff(before: &Schema, after: &Schema) -> Vec<SchemaChange> {
    changes(before, &before.patch_to(after))
}

/// What `patch` does to `before`, in words, by table.
pub fn changes(before: &Schema, patch: &Patch) -> Vec<SchemaChange> {
    let nothing = TableShape::default();
    let mut told = Vec::new();
    for (table, change) in &patch.0 {
        let mut tell = |kind, words| {
            told.push(SchemaChange {
                table: table.clone(),
                kind,
                words,
            });
        };
        match change {
            TablePatch::Created(_) => tell(ChangeKind::Created, format!("table {table} created")),
            TablePatch::Dropped => tell(ChangeKind::Dropped, format!("table {table} dropped")),
            TablePatch::Altered(alteration) => {
                let was = before.0.get(table).unwrap_or(&nothing);
                for (name, hash) in &alteration.columns {
                    let done = done(was.columns.contains_key(name), hash.is_some());
                    tell(ChangeKind::Altered, format!("column {table}.{name} {done}"));
                }
                for (name, hash) in &alteration.indexes {
                    let done = done(was.indexes.contains_key(name), hash.is_some());
                    tell(ChangeKind::Altered, format!("index {name} of {table} {done}"));
                }
                for (name, hash) in &alteration.foreign_keys {
                    let done = done(was.foreign_keys.contains_key(name), hash.is_some());
                    tell(
                        ChangeKind::Altered,
                        format!("foreign key {name} of {table} {done}"),
                    );
                }
            }
        }
    }
    told
}

fn done(was_there: bool, is_there: bool) -> &'static str {
    match (was_there, is_there) {
        (_, false) => "dropped",
        (false, true) => "added",
        (true, true) => "changed",
    }
}

/// The changes as they are kept and shown: one by one up to a bound, then how many more there are.
pub fn in_words(changes: &[SchemaChange]) -> Vec<String> {
    let mut words: Vec<String> = changes
        .iter()
        .take(MOST_WORDS)
        .map(|change| change.words.clone())
        .collect();
    match changes.len().saturating_sub(MOST_WORDS) {
        0 => {}
        1 => words.push("1 more change".to_owned()),
        more => words.push(format!("{more} more changes")),
    }
    words
}

#[cfg(test)]
mod tests;
