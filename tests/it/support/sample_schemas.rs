//! Facts about schemas, one of each kind.

use std::sync::Arc;

use migwatch::model::fact::{
    DatabaseReplaced, Fact, ForeignChange, MigrationSchemaChanged, SchemaBaselined, SchemaChangeShared,
    SchemaDrifted, SchemaSeen, SchemaSettled,
};
use migwatch::model::schema::{Patch, Schema, TableShape, changes, in_words};

use super::sample_migrations::{ago, now, service, table, unexpected};

fn shape(columns: &[&str]) -> TableShape {
    // a hash needs all 64 bits
    let named = |names: &[&str]| {
        names
            .iter()
            .map(|name| ((*name).to_owned(), u64::MAX - 1))
            .collect()
    };
    TableShape {
        columns: named(columns),
        indexes: named(&["PRIMARY"]),
        foreign_keys: named(&[]),
    }
}

fn schema(tables: &[(&str, &[&str])]) -> Schema {
    let named = tables
        .iter()
        .map(|(name, columns)| ((*name).to_owned(), shape(columns)));
    Schema(named.collect())
}

/// One of every kind, in the order of the model.
pub(crate) fn facts() -> Vec<Fact> {
    let database = table("").database;
    let before = schema(&[("chat_messages", &["id"]), ("users", &["id"])]);
    let after = schema(&[("rag_documents", &["id", "본문"]), ("users", &["id", "email"])]);
    let patch = before.patch_to(&after);
    let words = in_words(&changes(&before, &patch));
    let (since, at) = (ago(97), ago(91));
    vec![
        Fact::SchemaBaselined(SchemaBaselined {
            database: database.clone(),
            at: ago(300),
            schema: Arc::new(before),
        }),
        Fact::SchemaSeen(SchemaSeen {
            database: database.clone(),
            at: since,
        }),
        Fact::SchemaDrifted(SchemaDrifted {
            database: database.clone(),
            since,
            at,
            patch: patch.clone(),
            changes: words.clone(),
            late: true,
        }),
        Fact::SchemaSettled(SchemaSettled {
            database: database.clone(),
            at,
            patch: Patch::default(),
            reason: "accepted by kim: 핫픽스".into(),
        }),
        Fact::MigrationSchemaChanged(MigrationSchemaChanged {
            id: unexpected().id,
            service: service("coe-ragpipeline"),
            database: database.clone(),
            since,
            at,
            patch: patch.clone(),
            changes: words.clone(),
            foreign: vec![ForeignChange {
                table: "chat_messages".into(),
                owner: service("coe-backend"),
                dropped: true,
            }],
            ownerless: vec!["users".into()],
            fresh: false,
            late: false,
        }),
        Fact::SchemaChangeShared(SchemaChangeShared {
            database: database.clone(),
            since,
            at,
            patch: patch.clone(),
            changes: words.clone(),
            among: vec![unexpected().id],
        }),
        Fact::DatabaseReplaced(DatabaseReplaced {
            database,
            at: now(),
            patch,
            changes: words,
            approved: true,
        }),
    ]
}
