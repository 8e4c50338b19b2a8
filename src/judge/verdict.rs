//! Expected or not: the rules, each with its reason.
//!
//! In this order: what only a log line says is undetermined; where anybody may move the database, what nobody here did is expected;
//! then approvals and windows; then the policy, of the strictest owner of the table.

mod owners;

use super::State;
use super::containers::{Known, Start};
use super::expectation::{self, Leave};
use super::migration::Tracked;
use super::settings::Settings;
use crate::model::container::{ArmedSource, ArmedState};
use crate::model::migration::{Grade, Judgement, Rule, Trigger, Verdict};
use crate::model::policy::Policy;
use crate::model::revision::{DatabaseId, VersionTable};
use crate::model::service::ServiceId;
use crate::model::time::Timestamp;

pub(super) use owners::Asked;
use owners::Owner;

/// What is judged: one occurrence, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The service whose migration it is.
    pub service: &'a ServiceId,
    /// What set it off.
    pub trigger: Trigger,
    /// When it began, by the engine's clock: what expectations are matched against.
    pub began_at: Timestamp,
    /// How sure we are.
    pub grade: Grade,
    /// The container that runs it, and its start; none out of band.
    pub container: Option<(&'a Known, Option<&'a Start>)>,
    /// The policy that the container's label asks for.
    pub label: Option<Policy>,
    /// The version tables that it is known to have moved, beside those that its service is bound to.
    pub moved: &'a [VersionTable],
}

impl<'a> Case<'a> {
    /// The case of a migration that is known already.
    pub(super) fn of(state: &'a State, tracked: &'a Tracked, moved: &'a [VersionTable]) -> Self {
        let migration = &tracked.migration;
        // What its first runner did is what was judged.
        let runner = migration.runners.first();
        let container = runner.and_then(|runner| {
            let known = state.durable.containers.known.get(&runner.container)?;
            Some((known, known.start(runner.started_at)))
        });
        let live = runner.and_then(|runner| state.live.containers.get(&runner.container));
        Self {
            service: &migration.service,
            trigger: migration.trigger,
            began_at: migration.started_at,
            grade: migration.grade,
            container,
            label: live.and_then(|live| live.look.labels.migrations),
            moved,
        }
    }
}

/// Gives the verdict of a case, with its reason and the rule that matched.
pub fn judge(state: &State, settings: &Settings, case: &Case<'_>) -> Judgement {
    judge_as(&Asked::new(state, settings, case, None))
}

/// The same for one of which more may be known.
pub(super) fn judge_as(asked: &Asked<'_>) -> Judgement {
    let (case, policy) = (asked.case, asked.ruling().policy);
    if case.grade == Grade::Claimed {
        let reason =
            "only a log line says that it ran; no start that can migrate and no database stands behind it";
        return judgement(policy, Verdict::Undetermined, Rule::ClaimOnly, reason.to_owned());
    }
    if let Some(database) = moved_by_anybody(asked) {
        let reason = format!("{database} may be moved from anywhere, and nothing on this host did it");
        return judgement(policy, Verdict::Expected, Rule::MovedByAnywhere, reason);
    }
    if let Some(leave) = expectation::leave(asked.state, asked.settings, asked) {
        return expected(policy, &leave);
    }
    match asked.owner() {
        Some(owner) => by_owner(asked, owner),
        None => by_policy(asked, asked.own.policy),
    }
}

/// Out of band, in a database that other hosts migrate too.
fn moved_by_anybody<'a>(asked: &Asked<'a>) -> Option<&'a DatabaseId> {
    let case = asked.case;
    if case.trigger != Trigger::OutOfBand {
        return None;
    }
    let bound = asked.state.durable.tables.bound(case.service);
    let bound = bound.map(|(table, _)| table).filter(|_| case.moved.is_empty());
    let mut databases = case.moved.iter().chain(bound).map(|table| &table.database);
    databases.find(|database| asked.settings.moved_by_anywhere.contains(*database))
}

fn expected(policy: Policy, leave: &Leave<'_>) -> Judgement {
    let (rule, name, reason) = match leave {
        Leave::Approval(record) => {
            let approval = &record.approval;
            let to = approval.to.as_ref().map(|to| format!(" to go to {to}"));
            let reason = format!(
                "{} had approved it{}: {}",
                approval.by,
                to.unwrap_or_default(),
                approval.reason
            );
            (Rule::Approved, approval.id.0.clone(), reason)
        }
        Leave::Window(name, opening) => {
            let reason = format!("it began in the window {name}, open until {}", opening.until);
            (Rule::Window, (*name).to_owned(), reason)
        }
    };
    Judgement {
        expectation: Some(name),
        ..judgement(policy, Verdict::Expected, rule, reason)
    }
}

/// A service under a laxer policy moved what a stricter one owns. Only a deploy of the same project or app declares itself for both.
fn by_owner(asked: &Asked<'_>, owner: &Owner<'_>) -> Judgement {
    let strict = by_policy(asked, owner.ruling.policy);
    if strict.verdict == Verdict::Expected && owner.is_kin {
        return strict;
    }
    let why = if strict.verdict == Verdict::Expected {
        String::new()
    } else {
        format!(" ({})", strict.reason)
    };
    let reason = format!(
        "{} is also migrated by {}, whose policy is {}{}; that of {} is {}{why}",
        owner.table,
        owner.service,
        owner.ruling.policy,
        outside(owner.ruling.window),
        asked.case.service,
        asked.own.policy,
    );
    judgement(
        owner.ruling.policy,
        Verdict::Unexpected,
        Rule::StricterOwner,
        reason,
    )
}

fn outside(window: Option<&str>) -> String {
    window
        .map(|name| format!(" outside the window {name}"))
        .unwrap_or_default()
}

fn by_policy(asked: &Asked<'_>, policy: Policy) -> Judgement {
    let case = asked.case;
    match policy {
        Policy::Allow => judgement(
            policy,
            Verdict::Expected,
            Rule::AllowEverything,
            format!("the policy of {} allows every migration", case.service),
        ),
        Policy::Deny => judgement(
            policy,
            Verdict::Unexpected,
            Rule::DenyEverything,
            format!(
                "the policy of {} denies migrations that nobody approved{} ({})",
                asked.owner().map_or(case.service, |owner| owner.service),
                outside(asked.ruling().window),
                seen(case)
            ),
        ),
        Policy::Explicit => explicit(case),
    }
}

/// What was before the watch is history.
pub fn baseline(settings: &Settings, service: &ServiceId, label: Option<Policy>) -> Judgement {
    let policy = settings.policy_of(service, label);
    judgement(
        policy,
        Verdict::Undetermined,
        Rule::Baseline,
        "it began before migwatch watched".to_owned(),
    )
}

fn judgement(policy: Policy, verdict: Verdict, rule: Rule, reason: String) -> Judgement {
    Judgement {
        verdict,
        policy,
        rule,
        reason,
        expectation: None,
    }
}

/// What is known of how it came about, in one clause.
fn seen(case: &Case<'_>) -> String {
    match (case.trigger, case.container) {
        (Trigger::Startup | Trigger::OneOff | Trigger::Hook, Some((known, _))) => armed(known),
        (trigger, _) => nobody(trigger).to_owned(),
    }
}

/// Who ran what no start declares.
fn nobody(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Startup => "a start ran it",
        Trigger::OneOff => "a one-off container ran it",
        Trigger::Hook => "a hook ran it",
        Trigger::Exec => "a command inside a running container ran it",
        Trigger::Process => "a local process ran it",
        Trigger::OutOfBand => "the database moved, and nothing on this host did it",
    }
}

fn armed(known: &Known) -> String {
    known.armed.source.explain()
}

/// The guide's rule: only a deploy that declares itself migrates.
fn explicit(case: &Case<'_>) -> Judgement {
    let unexpected = |rule, reason| judgement(Policy::Explicit, Verdict::Unexpected, rule, reason);
    let (known, start) = match (case.trigger, case.container) {
        (Trigger::Startup | Trigger::Hook, Some(container)) => container,
        (Trigger::OutOfBand, _) => return unexpected(Rule::NobodyHere, nobody(case.trigger).to_owned()),
        (trigger, _) => {
            let reason = format!("{}, and nobody approved that", nobody(trigger));
            return unexpected(Rule::NobodyDeclared, reason);
        }
    };
    if known.armed.state == ArmedState::Disarmed {
        let reason = format!("it ran although {}", armed(known));
        return unexpected(Rule::DespiteDisarmed, reason);
    }
    match &known.armed.source {
        ArmedSource::Environment { .. } if !start.is_some_and(|start| start.first) => {
            let reason = format!(
                "{}, but this is not the container's first start: the value was left on",
                armed(known)
            );
            unexpected(Rule::LeftArmed, reason)
        }
        ArmedSource::Environment { .. } if known.predecessor_armed => {
            let reason = format!(
                "{}, but the container before it had it too: the value was left on",
                armed(known)
            );
            unexpected(Rule::PredecessorArmed, reason)
        }
        ArmedSource::Environment { .. } => judgement(
            Policy::Explicit,
            Verdict::Expected,
            Rule::DeclaredDeploy,
            format!(
                "the first start of a new container that declares it: {}",
                armed(known)
            ),
        ),
        ArmedSource::CommandDefault { .. } => unexpected(
            Rule::UnsetMeansTrue,
            format!("nobody asked for it: {}", armed(known)),
        ),
        ArmedSource::Command => unexpected(
            Rule::BareCommand,
            format!("nobody asked for it: {}", armed(known)),
        ),
        ArmedSource::Image | ArmedSource::Nothing => unexpected(
            Rule::NobodyDeclared,
            format!("nobody declared it: {}", armed(known)),
        ),
    }
}
