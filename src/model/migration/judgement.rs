//! Whether a migration was expected, by which rule, and why.

use serde::{Deserialize, Serialize};

use crate::model::policy::Policy;

/// Whether it was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the three words are the product")]
pub enum Verdict {
    Expected,
    Unexpected,
    Undetermined,
}

impl Verdict {
    /// Every verdict, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Expected, Self::Unexpected, Self::Undetermined];

    /// The word used in metrics and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expected => "expected",
            Self::Unexpected => "unexpected",
            Self::Undetermined => "undetermined",
        }
    }
}

/// A verdict with why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The policy that was asked.
    pub policy: Policy,
    /// The rule that matched.
    pub rule: Rule,
    /// One sentence for people.
    pub reason: String,
    /// The window or approval that allowed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expectation: Option<String>,
}

/// The rules that give a verdict; a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Policy `allow`.
    AllowEverything,
    /// Policy `deny` and nothing that covers it.
    DenyEverything,
    /// `explicit`: the first start of a new container whose environment says so, and its predecessor's did not.
    DeclaredDeploy,
    /// `explicit`: the container was started before; the switch was left on.
    LeftArmed,
    /// `explicit`: its predecessor was armed too.
    PredecessorArmed,
    /// `explicit`: nobody set the switch; the command's default migrates.
    UnsetMeansTrue,
    /// `explicit`: the command migrates with no switch.
    BareCommand,
    /// `explicit`: the environment says no, and yet it ran.
    DespiteDisarmed,
    /// `explicit`: nothing readable says who asked for it.
    NobodyDeclared,
    /// Only a log line says that it ran.
    ClaimOnly,
    /// It began before migwatch saw this container.
    Baseline,
    /// A window of the configuration was open when it began.
    Window,
    /// Somebody approved it before it began.
    Approved,
    /// The database may be moved by anybody, from anywhere (`moved_by = "anywhere"`).
    MovedByAnywhere,
    /// The database moved, and nothing on this host did it.
    NobodyHere,
    /// A stack under a laxer policy moved a table that a stricter one owns.
    StricterOwner,
}

impl Rule {
    /// The word used in JSON and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllowEverything => "allow_everything",
            Self::DenyEverything => "deny_everything",
            Self::DeclaredDeploy => "declared_deploy",
            Self::LeftArmed => "left_armed",
            Self::PredecessorArmed => "predecessor_armed",
            Self::UnsetMeansTrue => "unset_means_true",
            Self::BareCommand => "bare_command",
            Self::DespiteDisarmed => "despite_disarmed",
            Self::NobodyDeclared => "nobody_declared",
            Self::ClaimOnly => "claim_only",
            Self::Baseline => "baseline",
            Self::Window => "window",
            Self::Approved => "approved",
            Self::MovedByAnywhere => "moved_by_anywhere",
            Self::NobodyHere => "nobody_here",
            Self::StricterOwner => "stricter_owner",
        }
    }
}
