//! Whose script it is: `revision`, `down_revision`, `depends_on` and `branch_labels`.
//!
//! Promises what stands there literally, directly or under a name that was literally assigned before. Refuses to compute anything:
//! a wrong revision would be worse than none.

use std::collections::HashMap;

use crate::alembic::python::{Expr, Kind, Module, Stmt, StmtKind};
use crate::model::revision::Revision;

/// What Alembic reads of a script before it runs it. Alembic 1.20 needs `revision` and `down_revision` to be there.
pub(super) struct Metadata {
    pub(super) revision: Revision,
    pub(super) down_revisions: Vec<Revision>,
    pub(super) depends_on: Vec<String>,
    pub(super) branch_labels: Vec<String>,
}

/// What a name of the module was last given.
#[derive(Clone)]
enum Given {
    Nothing,
    One(String),
    Several(Vec<String>),
    /// At this place, by something that has to be run.
    Computed(usize),
}

type Names<'t> = HashMap<&'t str, Given>;

/// The metadata of a module; `None` if it has no `revision`, nor has `name`, where its file is named like one.
///
/// # Errors
///
/// One sentence, if a part of it is computed or is not what it should be.
pub(super) fn read(module: &Module, name: Option<&str>) -> Result<Option<Metadata>, String> {
    let names = names(&module.body);
    // `from … import *` may bring it along.
    let revision = match (names.get("revision").or(names.get("*")), name) {
        (Some(Given::One(revision)), _) => revision.clone(),
        (Some(other), _) => return Err(complaint(module, "revision", other)),
        (None, Some(name)) if names.contains_key("down_revision") => name.to_owned(),
        (None, _) => return Ok(None),
    };
    if !names.contains_key("down_revision") {
        return Err("down_revision is missing, so that Alembic does not load the script".to_owned());
    }
    let down_revisions = several(module, &names, "down_revision")?;
    Ok(Some(Metadata {
        revision: Revision(revision),
        down_revisions: down_revisions.into_iter().map(Revision).collect(),
        depends_on: several(module, &names, "depends_on")?,
        branch_labels: several(module, &names, "branch_labels")?,
    }))
}

fn several(module: &Module, names: &Names<'_>, name: &str) -> Result<Vec<String>, String> {
    match names.get(name) {
        None | Some(Given::Nothing) => Ok(Vec::new()),
        Some(Given::One(one)) => Ok(vec![one.clone()]),
        Some(Given::Several(several)) => Ok(several.clone()),
        Some(computed) => Err(complaint(module, name, computed)),
    }
}

fn complaint(module: &Module, name: &str, given: &Given) -> String {
    match given {
        Given::Computed(at) => format!("line {}: {name} is computed", module.line(*at)),
        _ => format!("{name} is not one text"),
    }
}

fn names(body: &[Stmt]) -> Names<'_> {
    let mut names = Names::new();
    for stmt in body {
        match &stmt.kind {
            StmtKind::Assign(targets, value) => {
                for target in targets {
                    assign(&mut names, target, value);
                }
            }
            // Under a condition nobody knows what ran.
            _ => {
                for name in bound(stmt) {
                    names.insert(name, Given::Computed(stmt.start));
                }
            }
        }
    }
    names
}

fn assign<'t>(names: &mut Names<'t>, target: &'t Expr, value: &Expr) {
    match (&target.kind, &value.kind) {
        (Kind::Name(name), _) => {
            let given = given(names, value);
            names.insert(name, given);
        }
        (Kind::List(targets), Kind::List(values)) if targets.len() == values.len() => {
            for (target, value) in targets.iter().zip(values) {
                assign(names, target, value);
            }
        }
        (Kind::List(targets), _) => {
            for target in targets {
                if let Kind::Name(name) = &target.kind {
                    names.insert(name, Given::Computed(value.start));
                }
            }
        }
        _ => {}
    }
}

fn given(names: &Names<'_>, value: &Expr) -> Given {
    match &value.kind {
        Kind::None => Given::Nothing,
        Kind::Str(text) => Given::One(text.to_string()),
        Kind::Name(name) => names
            .get(&**name)
            .cloned()
            .unwrap_or(Given::Computed(value.start)),
        Kind::List(values) => {
            let one = |value| match given(names, value) {
                Given::One(one) => Some(one),
                _ => None,
            };
            let several: Option<Vec<String>> = values.iter().map(one).collect();
            several.map_or(Given::Computed(value.start), Given::Several)
        }
        _ => Given::Computed(value.start),
    }
}

/// The names that a statement may bind which is no plain assignment.
fn bound(stmt: &Stmt) -> Vec<&str> {
    let mut names = Vec::new();
    match &stmt.kind {
        StmtKind::Import(bindings) => names.extend(bindings.iter().map(|(name, _)| &**name)),
        StmtKind::Augmented(target, _) | StmtKind::For(target, ..) => names.extend(target.as_name()),
        // What a function or a class binds is its own.
        StmtKind::Function(function) => return vec![&function.name],
        StmtKind::Class(name, _) => return vec![name],
        StmtKind::Assign(targets, _) => names.extend(targets.iter().filter_map(Expr::as_name)),
        _ => {}
    }
    for block in stmt.blocks() {
        names.extend(block.iter().flat_map(bound));
    }
    names
}
