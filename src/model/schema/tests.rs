//! Differences of schemas, in words and as patches.

use proptest::prelude::*;

use super::{ChangeKind, Schema, TableShape, diff, in_words};

fn shape(columns: &[(&str, u64)], indexes: &[(&str, u64)], keys: &[(&str, u64)]) -> TableShape {
    let named = |parts: &[(&str, u64)]| {
        parts
            .iter()
            .map(|(name, hash)| ((*name).to_owned(), *hash))
            .collect()
    };
    TableShape {
        columns: named(columns),
        indexes: named(indexes),
        foreign_keys: named(keys),
    }
}

fn schema(tables: &[(&str, TableShape)]) -> Schema {
    Schema(
        tables
            .iter()
            .map(|(name, shape)| ((*name).to_owned(), shape.clone()))
            .collect(),
    )
}

#[test]
fn every_kind_of_change_is_told_in_words_that_name_table_and_part() {
    let before = schema(&[
        ("chat_messages", shape(&[("id", 1)], &[], &[])),
        (
            "users",
            shape(
                &[("id", 1), ("age", 2)],
                &[("ix_a", 3), ("ix_b", 4)],
                &[("fk_a", 5), ("fk_b", 6)],
            ),
        ),
    ]);
    let after = schema(&[
        ("notes", shape(&[("id", 1)], &[("ix_n", 1)], &[])),
        (
            "users",
            shape(
                &[("id", 1), ("age", 9), ("email", 7)],
                &[("ix_b", 8)],
                &[("fk_b", 6), ("fk_c", 1)],
            ),
        ),
    ]);
    let changes = diff(&before, &after);
    let words: Vec<_> = changes.iter().map(|change| change.words.as_str()).collect();
    assert_eq!(
        words,
        [
            "table chat_messages dropped",
            "table notes created",
            "column users.age changed",
            "column users.email added",
            "index ix_a of users dropped",
            "index ix_b of users changed",
            "foreign key fk_a of users dropped",
            "foreign key fk_c of users added",
        ]
    );
    let kinds: Vec<_> = changes.iter().map(|change| change.kind).collect();
    assert_eq!(
        kinds[..3],
        [ChangeKind::Dropped, ChangeKind::Created, ChangeKind::Altered]
    );
    assert!(diff(&after, &after).is_empty());
}

#[test]
fn thousands_of_changes_are_counted_not_told() {
    let tables: Vec<_> = (0..1_000)
        .map(|table| (format!("t{table:04}"), shape(&[("id", 1)], &[], &[])))
        .collect();
    let after = Schema(tables.into_iter().collect());
    let words = in_words(&diff(&Schema::default(), &after));
    assert_eq!(words.len(), 21);
    assert_eq!(words.last().map(String::as_str), Some("980 more changes"));
    assert!(in_words(&diff(&after, &after)).is_empty());
}

fn any_definitions() -> impl Strategy<Value = std::collections::BTreeMap<String, u64>> {
    prop::collection::btree_map("[ab]{1,2}", 0_u64..3, 0..3)
}

fn any_schema() -> impl Strategy<Value = Schema> {
    let shape = (any_definitions(), any_definitions(), any_definitions());
    let shape = shape.prop_map(|(columns, indexes, foreign_keys)| TableShape {
        columns,
        indexes,
        foreign_keys,
    });
    prop::collection::btree_map("[abc]{1,2}", shape, 0..4).prop_map(Schema)
}

proptest! {
    #[test]
    fn a_patch_leads_from_one_schema_to_the_other_also_through_its_text(before in any_schema(), after in any_schema()) {
        let patch = before.patch_to(&after);
        let text = serde_json::to_string(&patch).unwrap();
        let patch = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(before.patched(&patch), after.clone());
        prop_assert_eq!(before == after, before.fingerprint() == after.fingerprint());
        prop_assert_eq!(before == after, diff(&before, &after).is_empty());
    }
}
