//! What may happen in a world, as proptest makes it up: acts on a stack of two services that share one schema, one after the other. Each
//! act leaves the next one alone, so that what belongs together is never a question; what happens inside an act is.

use migwatch::model::exec::Action;
use migwatch::model::policy::Policy;
use proptest::prelude::*;

/// A world before it is played.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The policies of the two services.
    pub(super) policies: [Policy; 2],
    /// The configuration names each service's version table; else the lines of its first deploy tell.
    pub(super) configured: bool,
    /// What happens, in this order.
    pub(super) acts: Vec<Planned>,
}

/// One act and the quiet before it.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    /// Of the first service or of the second.
    pub(super) service: usize,
    /// Seconds of quiet beyond the least.
    pub(super) quiet: u64,
    pub(super) act: Act,
}

/// How a container is made to migrate at its start, or not to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Switch {
    /// `RUN_MIGRATIONS=true`
    On,
    /// `RUN_MIGRATIONS=false`
    Off,
    /// `${RUN_MIGRATIONS:-true}`, and nobody set it.
    Unset,
    /// `alembic upgrade head && ...`
    Bare,
}

/// What several replicas do that find somebody at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manners {
    /// They wait for the lock, and then have nothing to do.
    Wait,
    /// They fail, are restarted, and then have nothing to do.
    Race,
    /// They are started one after the other.
    Rolling,
}

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Well,
    AtHead,
    Fails,
    NotFound,
    Killed,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// New containers, which may bring new revisions.
    Deploy {
        switch: Switch,
        replicas: u32,
        steps: u32,
        manners: Manners,
    },
    /// A new container whose revision fails, and that is restarted until it comes through or the engine gives up.
    Loop {
        switch: Switch,
        attempts: u32,
        comes_through: bool,
    },
    /// A deploy that says that it migrates, ends well, and leaves the table where it is.
    Lie { switch: Switch },
    /// The same containers are started anew, with new revisions or without.
    Restart { steps: u32 },
    /// A container is killed in the middle of its step.
    Crash { switch: Switch },
    /// A command in a running container.
    Exec {
        action: Action,
        ending: Ending,
        long: bool,
    },
    /// `compose run --rm`
    OneOff { steps: u32, ending: Ending },
    /// `./run.sh` on this host, beside the first service.
    Local { steps: u32 },
    /// Somebody elsewhere moves the table.
    Elsewhere { down: bool },
}

fn switch() -> impl Strategy<Value = Switch> {
    prop_oneof![
        4 => Just(Switch::On),
        2 => Just(Switch::Unset),
        1 => Just(Switch::Bare),
    ]
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        4 => Just(Ending::Well),
        2 => Just(Ending::AtHead),
        2 => Just(Ending::Fails),
        1 => Just(Ending::NotFound),
        1 => Just(Ending::Killed),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let manners = prop_oneof![Just(Manners::Wait), Just(Manners::Race), Just(Manners::Rolling)];
    let action =
        prop_oneof![3 => Just(Action::Upgrade), 1 => Just(Action::Downgrade), 1 => Just(Action::Stamp)];
    prop_oneof![
        4 => (switch(), 1_u32..4, 0_u32..3, manners).prop_map(|(switch, replicas, steps, manners)| Act::Deploy {
            switch,
            replicas,
            steps,
            manners,
        }),
        2 => (1_u32..3).prop_map(|replicas| Act::Deploy {
            switch: Switch::Off,
            replicas,
            steps: 0,
            manners: Manners::Rolling,
        }),
        2 => (switch(), 1_u32..5, any::<bool>()).prop_map(|(switch, attempts, comes_through)| Act::Loop {
            switch,
            attempts,
            comes_through,
        }),
        1 => switch().prop_map(|switch| Act::Lie { switch }),
        1 => switch().prop_map(|switch| Act::Crash { switch }),
        2 => (0_u32..2).prop_map(|steps| Act::Restart { steps }),
        4 => (action, ending(), any::<bool>()).prop_map(|(action, ending, long)| Act::Exec {
            action,
            ending,
            long,
        }),
        2 => (1_u32..3, ending()).prop_map(|(steps, ending)| Act::OneOff { steps, ending }),
        1 => (1_u32..3).prop_map(|steps| Act::Local { steps }),
        2 => any::<bool>().prop_map(|down| Act::Elsewhere { down }),
    ]
}

fn policy() -> impl Strategy<Value = Policy> {
    prop_oneof![
        3 => Just(Policy::Explicit),
        2 => Just(Policy::Deny),
        1 => Just(Policy::Allow),
    ]
}

/// Any world of up to `most` acts.
pub(super) fn plan(most: usize) -> impl Strategy<Value = Plan> {
    let planned =
        (0_usize..2, 0_u64..120, act()).prop_map(|(service, quiet, act)| Planned { service, quiet, act });
    (
        [policy(), policy()],
        any::<bool>(),
        prop::collection::vec(planned, 1..=most),
    )
        .prop_map(|(policies, configured, acts)| Plan {
            policies,
            configured,
            acts,
        })
}
