//! What `alembic upgrade` would do with these scripts, where a version table stands now: what runs, in which order, and what it risks.
//!
//! Refuses to know where scripts and rows come from.

use std::collections::BTreeSet;

use super::graph::{Graph, Problem};
use super::risk;
use crate::model::database::DatabaseKind;
use crate::model::plan::{Downgrade, Plan, PlanScene, PlannedOperation, PlannedRevision};
use crate::model::revision::{DatabaseId, Revision};
use crate::model::script::{Action, Body, Code, Operation, Script};
use crate::model::service::ServiceId;

/// What an upgrade is asked for where nobody says: everything.
pub const EVERYTHING: &str = "heads";

/// The plan for these scripts in this place.
pub fn of(code: &Code, scene: PlanScene, target: &str) -> Plan {
    let graph = Graph::new(&code.scripts);
    let current = scene.current.clone().unwrap_or_default();
    let unknown: Vec<Revision> = current
        .0
        .iter()
        .filter(|row| !graph.knows(row))
        .cloned()
        .collect();
    let (pending, refusal) = match graph.pending(&current, target) {
        Ok(pending) => (pending, None),
        Err(refusal) => (Vec::new(), Some(refusal.to_string())),
    };
    let scripts = pending.iter().filter_map(|revision| graph.script(revision));
    let own = created(&code.scripts);
    let own = own.iter().map(|table| scene_name(table, &scene)).collect();
    Plan {
        environment: String::new(),
        config: code.config.clone(),
        image: None,
        target: target.to_owned(),
        heads: graph.heads(),
        problems: problems(code, &graph),
        refusal,
        unknown,
        known_by: Vec::new(),
        pending: scripts.map(|script| planned(script, &scene, &own)).collect(),
        scene,
    }
}

/// What is wrong with these scripts together, a sentence each; what could not be read, too.
pub fn problems(code: &Code, graph: &Graph<'_>) -> Vec<String> {
    let unreadable = code
        .unreadable
        .iter()
        .map(|unreadable| format!("{}: {}", unreadable.path, unreadable.reason));
    let problems = graph.problems().iter().map(Problem::to_string);
    problems.chain(unreadable).collect()
}

/// The name by which a table is compared with others, whoever wrote it and how: without the schema that is the default one anyway, and
/// in small letters, since PostgreSQL takes `Users` without quotes for `users`. Two tables that differ in nothing else are one here.
pub fn compared(table: &str, kind: Option<DatabaseKind>, database: Option<&DatabaseId>) -> String {
    let table = table.to_lowercase();
    let usual = match (kind, database) {
        (Some(DatabaseKind::PostgreSql), _) => "public".to_owned(),
        (Some(DatabaseKind::Sqlite), _) => "main".to_owned(),
        // A schema is a database there, which is what it is called by, or stands at the end of its address.
        (Some(DatabaseKind::MySql), Some(database)) => {
            let name = database.0.rsplit('/').next().unwrap_or_default();
            name.to_lowercase()
        }
        _ => return table,
    };
    match table.split_once('.') {
        Some((schema, name)) if schema == usual => name.to_owned(),
        _ => table,
    }
}

/// The tables that scripts create, by the names that they have in the end too.
pub fn created(scripts: &[Script]) -> BTreeSet<String> {
    let operations = scripts.iter().flat_map(|script| script.upgrade.operations());
    let names = operations.filter_map(|operation| match &operation.action {
        Action::CreateTable { table } => table.clone(),
        Action::RenameTable { to, .. } => to.clone(),
        _ => None,
    });
    names.collect()
}

fn scene_name(table: &str, scene: &PlanScene) -> String {
    let database = scene.table.as_ref().map(|table| &table.database);
    compared(table, scene.kind, database)
}

fn planned(script: &Script, scene: &PlanScene, own: &BTreeSet<String>) -> PlannedRevision {
    let operations = script.upgrade.operations().iter();
    PlannedRevision {
        revision: script.revision.clone(),
        title: script.title.clone(),
        path: script.path.clone(),
        operations: operations
            .map(|operation| risked(operation, scene, own))
            .collect(),
        downgrade: match &script.downgrade {
            Body::Missing => Downgrade::Missing,
            Body::Stub => Downgrade::Stub,
            Body::Does(_) => Downgrade::Present,
        },
    }
}

fn risked(operation: &Operation, scene: &PlanScene, own: &BTreeSet<String>) -> PlannedOperation {
    let risks = risk::risks(&operation.action, scene.kind);
    let is_creating = matches!(operation.action, Action::CreateTable { .. });
    let table = operation.action.table().map(|table| scene_name(table, scene));
    let table = table.filter(|table| !own.contains(table) && !is_creating);
    let owners = table
        .and_then(|table| scene.owners.get(&table))
        .cloned()
        .unwrap_or_default();
    let is_own = |service: &ServiceId| Some(service) == scene.service.as_ref();
    PlannedOperation {
        line: operation.line,
        what: operation.action.to_string(),
        guard: operation.guard.clone(),
        destructive: risks.destructive,
        uncertain: risks.unclear,
        breaking: risks.breaking,
        locking: risks.locking,
        owners: if owners.iter().any(is_own) {
            BTreeSet::new()
        } else {
            owners
        },
    }
}

#[cfg(test)]
mod tests {
    use super::compared;
    use crate::model::database::DatabaseKind;
    use crate::model::revision::DatabaseId;

    #[test]
    fn a_table_is_compared_without_the_schema_that_is_meant_anyway() {
        let coe = DatabaseId("shop/mariadb:3306/coe".to_owned());
        let named = DatabaseId("coe".to_owned());
        for (table, kind, database, expected) in [
            ("public.Users", Some(DatabaseKind::PostgreSql), None, "users"),
            (
                "billing.users",
                Some(DatabaseKind::PostgreSql),
                None,
                "billing.users",
            ),
            ("coe.users", Some(DatabaseKind::MySql), Some(&coe), "users"),
            ("coe.users", Some(DatabaseKind::MySql), Some(&named), "users"),
            ("coe.users", Some(DatabaseKind::MySql), None, "coe.users"),
            (
                "public.users",
                Some(DatabaseKind::MySql),
                Some(&coe),
                "public.users",
            ),
            ("main.users", Some(DatabaseKind::Sqlite), None, "users"),
            ("public.users", None, None, "public.users"),
        ] {
            assert_eq!(compared(table, kind, database), expected, "{table}");
        }
    }
}
