//! What must be found of an act: exactly what it was, or, where migwatch died before it had written that it saw a command, what the
//! database shows.

use migwatch::model::migration::{Migration, MigrationId, Outcome, Trigger, Verdict};
use migwatch::model::revision::Heads;

use crate::world::{Act, Way};

pub(crate) struct Expected {
    /// Any of these.
    triggers: Vec<Trigger>,
    /// From, to; `None`: it had nothing to do.
    moved: Option<(Heads, Heads)>,
    down: bool,
    may_be_missed: bool,
}

impl Expected {
    pub(crate) fn of(act: &Act, before: &Heads, after: &Heads, is_shown: bool) -> Self {
        let moved = (before != after).then(|| (before.clone(), after.clone()));
        let own = match act.way {
            Way::Restart => Trigger::Startup,
            Way::Exec => Trigger::Exec,
            Way::OneOff => Trigger::OneOff,
            Way::Elsewhere => Trigger::OutOfBand,
        };
        // A container that stays tells by its log, whenever it is read.
        let is_lost = !is_shown && matches!(act.way, Way::Exec | Way::OneOff);
        let mut triggers = vec![own];
        triggers.extend((is_lost && moved.is_some()).then_some(Trigger::OutOfBand));
        Self {
            triggers,
            may_be_missed: is_lost && moved.is_none(),
            moved,
            down: act.down,
        }
    }

    /// The one new migration, if it is as it should be; `None` if rightly nothing is known.
    pub(crate) fn is_found_in(&self, new: &[Migration]) -> Result<Option<MigrationId>, String> {
        match new {
            [] if self.may_be_missed => Ok(None),
            [one] if self.is(one) => Ok(Some(one.id.clone())),
            other => Err(format!("{other:#?}")),
        }
    }

    /// Whether it is as it should be.
    pub(crate) fn is(&self, migration: &Migration) -> bool {
        let outcome = match (&self.moved, self.down) {
            (None, _) => migration.outcome == Outcome::NothingToDo,
            // Where nobody saw who did it, whether it was up or down is a guess.
            _ if migration.trigger == Trigger::OutOfBand => {
                matches!(migration.outcome, Outcome::Applied | Outcome::Downgraded)
            }
            (Some(_), true) => migration.outcome == Outcome::Downgraded,
            (Some(_), false) => migration.outcome == Outcome::Applied,
        };
        let moved = match (&self.moved, migration.movements.as_slice()) {
            (None, []) => true,
            (Some((from, to)), [movement]) => (&movement.from, &movement.to) == (from, to),
            _ => false,
        };
        let is_judged = migration.judgement.verdict == Verdict::Unexpected;
        self.triggers.contains(&migration.trigger) && outcome && moved && is_judged
    }

    /// For the figures.
    pub(crate) fn name(&self, act: &Act, is_known: bool) -> String {
        let what = match (&self.moved, is_known) {
            (Some(_), _) => "moved",
            (None, true) => "nothing to do",
            (None, false) => "nothing to do, missed",
        };
        format!("{:?} {what}", act.way).to_lowercase()
    }
}
