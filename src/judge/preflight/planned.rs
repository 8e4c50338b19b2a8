//! The checks that follow from a plan alone, wherever it comes from: a container, an image, a folder.

use std::collections::BTreeSet;

use crate::model::plan::{Downgrade, Plan};
use crate::model::preflight::{Check, CheckName, CheckResult};
use crate::model::revision::Revision;

/// Graph, revision, pending and rollback of these plans. `allowed` are destructive revisions that somebody has looked at; `is_backed_up`
/// says that there is a fresh backup to go back to.
pub fn checks(plans: &[Plan], allowed: &BTreeSet<Revision>, is_backed_up: bool) -> Vec<Check> {
    vec![
        graph(plans),
        revision(plans),
        pending(plans, allowed),
        rollback(plans, is_backed_up),
    ]
}

/// The revisions that would run, each once.
pub fn revisions(plans: &[Plan]) -> Vec<Revision> {
    let mut seen = BTreeSet::new();
    let all = plans.iter().flat_map(|plan| &plan.pending);
    all.filter(|pending| seen.insert(&pending.revision))
        .map(|pending| pending.revision.clone())
        .collect()
}

fn graph(plans: &[Plan]) -> Check {
    let name = CheckName::Graph;
    let problems: Vec<String> = plans.iter().flat_map(|plan| plan.problems.clone()).collect();
    if !problems.is_empty() {
        return Check::new(name, CheckResult::Fail, "the scripts do not hold together").with(problems);
    }
    let refusals: Vec<String> = plans
        .iter()
        .filter(|plan| plan.unknown.is_empty())
        .filter_map(|plan| plan.refusal.clone())
        .collect();
    if !refusals.is_empty() {
        return Check::new(name, CheckResult::Fail, "Alembic would refuse").with(refusals);
    }
    let several = plans.iter().find(|plan| plan.heads.len() > 1);
    if let Some(plan) = several {
        let heads = plan.heads.iter().map(ToString::to_string).collect();
        let reason = "there are several heads: `alembic upgrade head` refuses to choose";
        return Check::new(name, CheckResult::Fail, reason).with(heads);
    }
    if plans.iter().all(|plan| plan.heads.is_empty()) {
        return Check::new(name, CheckResult::CannotTell, "there are no revision scripts");
    }
    let heads: BTreeSet<String> = plans
        .iter()
        .flat_map(|plan| plan.heads.iter().map(ToString::to_string))
        .collect();
    let heads: Vec<String> = heads.into_iter().collect();
    Check::new(
        name,
        CheckResult::Pass,
        format!("the scripts hold together; head {}", heads.join(", ")),
    )
}

fn revision(plans: &[Plan]) -> Check {
    let name = CheckName::Revision;
    let unknown: Vec<String> = plans
        .iter()
        .filter(|plan| !plan.unknown.is_empty())
        .map(|plan| {
            let rows: Vec<&str> = plan.unknown.iter().map(|row| row.0.as_str()).collect();
            if plan.known_by.is_empty() {
                rows.join(", ")
            } else {
                format!("{}, known to {}", rows.join(", "), plan.known_by.join(", "))
            }
        })
        .collect();
    if !unknown.is_empty() {
        let reason = "the database stands at a revision that this code does not know";
        return Check::new(name, CheckResult::Fail, reason).with(unknown);
    }
    let mut places = Vec::new();
    for plan in plans {
        let (Some(current), Some(table)) = (&plan.scene.current, &plan.scene.table) else {
            let reason = "where the database stands is not known: no version table of the service was read";
            return Check::new(name, CheckResult::CannotTell, reason);
        };
        places.push(format!("{table} at {current}"));
    }
    let reason = format!("the code knows where the database stands: {}", places.join("; "));
    Check::new(name, CheckResult::Pass, reason)
}

/// Why it is not known what would run: Alembic would refuse.
fn untold(plans: &[Plan], name: CheckName) -> Option<Check> {
    let refusals: Vec<String> = plans.iter().filter_map(|plan| plan.refusal.clone()).collect();
    let reason = "what would run cannot be told: Alembic would refuse";
    (!refusals.is_empty()).then(|| Check::new(name, CheckResult::CannotTell, reason).with(refusals))
}

fn pending(plans: &[Plan], allowed: &BTreeSet<Revision>) -> Check {
    let name = CheckName::Pending;
    if let Some(untold) = untold(plans, name) {
        return untold;
    }
    let count = revisions(plans).len();
    let all = || plans.iter().flat_map(|plan| &plan.pending);
    let mut against = BTreeSet::new();
    let mut is_destructive = false;
    for pending in all().filter(|pending| !allowed.contains(&pending.revision)) {
        let title = pending.title.as_deref().unwrap_or("no title");
        for operation in &pending.operations {
            let owners: Vec<String> = operation.owners.iter().map(ToString::to_string).collect();
            let whose = if owners.is_empty() {
                String::new()
            } else {
                format!(", and the table is made by {}", owners.join(", "))
            };
            let why = operation.destructive.as_ref().or(operation.uncertain.as_ref());
            is_destructive |= operation.destructive.is_some() || !owners.is_empty();
            if why.is_some() || !owners.is_empty() {
                let why = why.map(|why| format!(": {why}")).unwrap_or_default();
                against.insert(format!(
                    "{} ({title}): {}{why}{whose}",
                    pending.revision, operation.what
                ));
            }
        }
    }
    let titles: Vec<String> = all()
        .map(|pending| {
            format!(
                "{} {}",
                pending.revision,
                pending.title.as_deref().unwrap_or("(no title)")
            )
        })
        .collect();
    if against.is_empty() {
        let reason = match count {
            0 => "nothing is pending".to_owned(),
            1 => "1 revision is pending, not destructive or allowed by name".to_owned(),
            _ => format!("{count} revisions are pending, none destructive but what is allowed by name"),
        };
        return Check::new(name, CheckResult::Pass, reason).with(titles);
    }
    let (result, reason) = if is_destructive {
        (
            CheckResult::Fail,
            "destructive; after a review allow it by name: --allow-destructive REVISION",
        )
    } else {
        (
            CheckResult::CannotTell,
            "some of it cannot be read from the script; after a review allow it by name: --allow-destructive REVISION",
        )
    };
    Check::new(name, result, format!("{count} pending, {reason}")).with(against.into_iter().collect())
}

fn rollback(plans: &[Plan], is_backed_up: bool) -> Check {
    let name = CheckName::Rollback;
    if let Some(untold) = untold(plans, name) {
        return untold;
    }
    // What does nothing, as a merge, has nothing to take back.
    let pending = plans.iter().flat_map(|plan| &plan.pending);
    let pending = pending.filter(|pending| !pending.operations.is_empty());
    let without: Vec<String> = pending
        .filter(|pending| pending.downgrade != Downgrade::Present)
        .map(|pending| {
            format!(
                "the downgrade of {} is {}",
                pending.revision,
                pending.downgrade.as_str()
            )
        })
        .collect();
    let lost: Vec<String> = plans
        .iter()
        .flat_map(|plan| &plan.pending)
        .filter(|pending| pending.is_destructive())
        .map(|pending| format!("no downgrade brings back what {} destroys", pending.revision))
        .collect();
    let against: Vec<String> = without.into_iter().chain(lost).collect();
    if against.is_empty() {
        return Check::new(name, CheckResult::Pass, "every pending revision has a downgrade");
    }
    if is_backed_up {
        let reason = "only by the backup: not every pending revision can be taken back";
        return Check::new(name, CheckResult::Pass, reason).with(against);
    }
    let reason = "not every pending revision can be taken back, and no fresh backup is known (--backup PATH)";
    Check::new(name, CheckResult::Fail, reason).with(against)
}
