//! Expected or not: the rules, each with its reason.

use super::containers::{Known, Start};
use super::settings::Settings;
use crate::model::container::{ArmedSource, ArmedState};
use crate::model::migration::{Grade, Judgement, Rule, Verdict};
use crate::model::policy::Policy;
use crate::model::service::Role;

/// Judges a migration of the container `known` in its start `start`, under the policy that its label asks for (if any).
pub fn judge(
    settings: &Settings,
    known: &Known,
    start: Option<&Start>,
    label: Option<Policy>,
    grade: Grade,
) -> Judgement {
    let policy = settings.policy_of(&known.service, label);
    if grade == Grade::Claimed {
        let reason =
            "only a log line says that it ran; no start that can migrate and no database stands behind it";
        return judgement(policy, Verdict::Undetermined, Rule::ClaimOnly, reason.to_owned());
    }
    match policy {
        Policy::Allow => judgement(
            policy,
            Verdict::Expected,
            Rule::AllowEverything,
            format!("the policy of {} allows every migration", known.service),
        ),
        Policy::Deny => judgement(
            policy,
            Verdict::Unexpected,
            Rule::DenyEverything,
            format!(
                "the policy of {} denies migrations that nobody approved ({})",
                known.service,
                armed(known)
            ),
        ),
        Policy::Explicit => explicit(known, start),
    }
}

/// What was before the watch is history.
pub fn baseline(settings: &Settings, known: &Known, label: Option<Policy>) -> Judgement {
    let policy = settings.policy_of(&known.service, label);
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
    }
}

fn armed(known: &Known) -> String {
    known.armed.source.explain()
}

/// The guide's rule: only a deploy that declares itself migrates.
fn explicit(known: &Known, start: Option<&Start>) -> Judgement {
    let unexpected = |rule, reason| judgement(Policy::Explicit, Verdict::Unexpected, rule, reason);
    if known.role == Role::OneOff {
        let reason = "a one-off container ran it, and nobody approved that".to_owned();
        return unexpected(Rule::NobodyDeclared, reason);
    }
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
