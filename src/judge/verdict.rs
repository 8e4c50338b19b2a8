//! Expected or not: the rules, each with its reason.

use super::State;
use super::containers::{Known, Start};
use super::settings::Settings;
use crate::model::container::{ArmedSource, ArmedState};
use crate::model::migration::{Grade, Judgement, Rule, Trigger, Verdict};
use crate::model::policy::Policy;
use crate::model::service::ServiceId;
use crate::model::time::Timestamp;

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
}

/// Gives the verdict of a case, with its reason and the rule that matched.
pub fn judge(_: &State, settings: &Settings, case: &Case<'_>) -> Judgement {
    let policy = settings.policy_of(case.service, case.label);
    if case.grade == Grade::Claimed {
        let reason =
            "only a log line says that it ran; no start that can migrate and no database stands behind it";
        return judgement(policy, Verdict::Undetermined, Rule::ClaimOnly, reason.to_owned());
    }
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
                "the policy of {} denies migrations that nobody approved ({})",
                case.service,
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
