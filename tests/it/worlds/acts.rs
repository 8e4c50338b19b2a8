//! What each act does to the world, and what is true of it: starts here, everything else in `commands`. The verdicts here are the guide's
//! rules in a few lines of their own.

mod commands;

use migwatch::model::migration::{Outcome, Trigger, Verdict};
use migwatch::model::policy::Policy;
use migwatch::model::service::ContainerId;
use migwatch::model::time::Timestamp;

use super::plan::{Act, Manners, Plan, Planned, Switch};

use super::truth::{By, Truth};
use super::world::{World, heads, ms, revision};
use crate::support::story::{APPLICATION_UP, CONTEXT, DROP_MISSING, DUPLICATE_COLUMN, RUNNING, SKIPPING};

/// What is tried again within this time after a failure is the same deed.
const ONE_LOOP: std::time::Duration = ms(600_000);

/// The least quiet between two acts: what belongs to one is over before the next.
const QUIET: u64 = 300_000;

/// Rolling replicas follow each other by this much.
const ROLLING: u64 = 90_000;

/// Plays a plan to its end.
pub(super) fn play(plan: &Plan) -> World {
    let mut world = World::new(plan.policies, plan.configured);
    if !plan.configured {
        // So that it can be known whose table is whose.
        for service in 0..2 {
            world.take(&Planned {
                service,
                quiet: 0,
                act: Act::Deploy {
                    switch: Switch::On,
                    replicas: 1,
                    steps: 1,
                    manners: Manners::Wait,
                },
            });
        }
    }
    for planned in &plan.acts {
        world.take(planned);
    }
    world.passes(ms(QUIET));
    world
}

impl World {
    fn take(&mut self, planned: &Planned) {
        self.passes(ms(QUIET + planned.quiet * 1_000));
        let index = planned.service;
        match planned.act {
            Act::Deploy {
                switch,
                replicas,
                steps,
                manners,
            } if manners == Manners::Rolling || switch == Switch::Off => {
                self.rolls(index, switch, replicas, steps);
            }
            Act::Deploy {
                switch,
                replicas,
                steps,
                manners,
            } => self.deploys(index, switch, (replicas, steps), manners),
            Act::Loop {
                switch,
                attempts,
                comes_through,
            } => self.loops(index, switch, attempts, comes_through),
            Act::Lie { switch } => self.lies(index, switch),
            Act::Crash { switch } => self.crashes(index, switch),
            Act::Restart { steps } => self.restarts(index, steps),
            Act::Exec { action, ending, long } => self.execs(index, action, ending, long),
            Act::OneOff { steps, ending } => self.runs_once(index, steps, ending),
            Act::Local { steps } => self.runs_locally(steps),
            Act::Elsewhere { down } => self.moves_elsewhere(index, down),
        }
    }

    /// What is true of something that begins now.
    fn truth(&self, index: usize, trigger: Trigger, by: By) -> Truth {
        let deployed = &self.services[index];
        Truth {
            service: deployed.id.clone(),
            trigger,
            outcome: Outcome::NothingToDo,
            verdict: match deployed.policy {
                Policy::Allow => Verdict::Expected,
                Policy::Explicit | Policy::Deny => Verdict::Unexpected,
            },
            moved: None,
            table: deployed.table,
            stepped: false,
            concurrent: false,
            began_at: self.now,
            moved_at: None,
            policy: deployed.policy,
            by,
        }
    }

    /// The verdict on the first start of a container that is created now.
    fn first_start(&self, index: usize, number: u32, switch: Switch) -> Verdict {
        let deployed = &self.services[index];
        let earlier = deployed.armed.values();
        let before = deployed.armed.get(&number).or_else(|| {
            let is_of_an_earlier_deploy = |(_, at): &&(bool, Timestamp)| at.after(ms(60_000)) < self.now;
            earlier.filter(is_of_an_earlier_deploy).max_by_key(|(_, at)| *at)
        });
        let was_on = before.is_some_and(|(on, _)| *on);
        match deployed.policy {
            Policy::Allow => Verdict::Expected,
            Policy::Explicit if switch == Switch::On && !was_on => Verdict::Expected,
            Policy::Explicit | Policy::Deny => Verdict::Unexpected,
        }
    }

    /// Takes away what a deploy of so many replicas has no use for, and replaces one.
    fn replaces(&mut self, index: usize, number: u32, switch: Switch) -> ContainerId {
        self.services[index].failed = None;
        let old = self.services[index].replicas.get(&number).cloned();
        let new = self.creates_replica(index, number, switch);
        if let Some(old) = old {
            self.stops(&old);
            self.removes(&old);
        }
        self.passes(ms(300));
        self.starts_now(&new);
        self.passes(ms(200));
        new
    }

    fn scales_to(&mut self, index: usize, replicas: u32) {
        let surplus: Vec<u32> = self.services[index].replicas.keys().copied().collect();
        for number in surplus.into_iter().filter(|number| *number > replicas) {
            let container = self.services[index].replicas.remove(&number).unwrap();
            self.stops(&container);
            self.removes(&container);
        }
    }

    /// A start comes to its migrations.
    fn announces(&mut self, container: &ContainerId, switch: Switch) {
        self.says(container, if switch == Switch::Bare { CONTEXT } else { RUNNING });
        self.passes(ms(400));
    }

    fn comes_up(&mut self, container: &ContainerId) {
        self.passes(ms(200));
        self.says(container, APPLICATION_UP);
    }

    fn step(&self, index: usize, from: u32) -> String {
        let table = self.services[index].table;
        let (from, to) = (revision(table, from), revision(table, from + 1));
        format!("INFO  [alembic.runtime.migration] Running upgrade {from} -> {to}, 열 추가")
    }

    /// Logs the next steps and carries each out.
    fn climbs(&mut self, container: &ContainerId, index: usize, steps: u32) {
        for _ in 0..steps {
            let head = self.services[index].head;
            self.says(container, &self.step(index, head));
            self.passes(ms(300));
            self.moves_to(index, head + 1);
        }
    }

    /// Finishes a truth: what moved since `from`.
    fn settles(&mut self, mut truth: Truth, index: usize, from: u32, moved: Outcome) {
        let (table, head) = (self.services[index].table, self.services[index].head);
        if head != from {
            truth.moved = Some((heads(table, from), heads(table, head)));
            truth.moved_at = self.tables[table].last().map(|(at, _)| *at);
            truth.outcome = moved;
        }
        self.truths.push(truth);
    }

    fn deploys(&mut self, index: usize, switch: Switch, (replicas, steps): (u32, u32), manners: Manners) {
        self.scales_to(index, replicas);
        let mut truth = self.truth(index, Trigger::Startup, By::Starts { restarted: vec![] });
        truth.verdict = Verdict::Expected;
        let mut containers = Vec::new();
        for number in 1..=replicas {
            let verdict = self.first_start(index, number, switch);
            truth.verdict = truth.verdict.max(verdict);
            let container = self.replaces(index, number, switch);
            self.announces(&container, switch);
            containers.push(container);
        }
        self.services[index].switch = switch;
        truth.concurrent = replicas > 1;
        truth.stepped = steps > 0;
        let from = self.services[index].head;
        let (first, others) = containers.split_first().unwrap();
        if manners == Manners::Race && steps > 0 {
            let mut again = Vec::new();
            self.says(first, &self.step(index, from));
            for other in others {
                self.says(other, &self.step(index, from));
                self.says(other, DUPLICATE_COLUMN);
                self.dies(other, 1);
                self.restarts_by_policy(other);
                again.push((other.clone(), self.now));
                self.announces(other, switch);
            }
            truth.by = By::Starts { restarted: again };
            self.passes(ms(300));
            self.moves_to(index, from + 1);
            self.climbs(first, index, steps - 1);
        } else {
            self.climbs(first, index, steps);
        }
        for container in &containers {
            self.comes_up(container);
        }
        self.settles(truth, index, from, Outcome::Applied);
    }

    fn rolls(&mut self, index: usize, switch: Switch, replicas: u32, steps: u32) {
        self.scales_to(index, replicas);
        self.services[index].switch = switch;
        for number in 1..=replicas {
            let verdict = self.first_start(index, number, switch);
            let container = self.replaces(index, number, switch);
            if switch == Switch::Off {
                self.says(&container, SKIPPING);
                self.comes_up(&container);
                continue;
            }
            let mut truth = self.truth(index, Trigger::Startup, By::Starts { restarted: vec![] });
            let (from, steps) = (self.services[index].head, if number == 1 { steps } else { 0 });
            (truth.verdict, truth.stepped) = (verdict, steps > 0);
            self.announces(&container, switch);
            self.climbs(&container, index, steps);
            self.comes_up(&container);
            self.settles(truth, index, from, Outcome::Applied);
            self.passes(ms(ROLLING));
        }
    }

    /// One new container, at the beginning of its migrations; what is true of it so far.
    fn begins_alone(&mut self, index: usize, switch: Switch) -> (ContainerId, Truth) {
        self.scales_to(index, 1);
        self.services[index].switch = switch;
        let verdict = self.first_start(index, 1, switch);
        let container = self.replaces(index, 1, switch);
        let mut truth = self.truth(index, Trigger::Startup, By::Starts { restarted: vec![] });
        (truth.verdict, truth.stepped) = (verdict, true);
        self.announces(&container, switch);
        (container, truth)
    }

    fn loops(&mut self, index: usize, switch: Switch, attempts: u32, comes_through: bool) {
        let (container, mut truth) = self.begins_alone(index, switch);
        let from = self.services[index].head;
        let failures = if comes_through { attempts - 1 } else { attempts };
        for attempt in 0..failures {
            self.says(&container, &self.step(index, from));
            let error = if attempt == 0 {
                DROP_MISSING
            } else {
                DUPLICATE_COLUMN
            };
            self.says(&container, error);
            self.dies(&container, 1);
            if attempt + 1 < attempts {
                self.restarts_by_policy(&container);
                if let By::Starts { restarted } = &mut truth.by
                    && restarted.is_empty()
                {
                    restarted.push((container.clone(), self.now));
                }
                self.announces(&container, switch);
            }
        }
        truth.outcome = Outcome::Failed;
        if comes_through {
            self.climbs(&container, index, 1);
            self.comes_up(&container);
        } else {
            self.services[index].failed = Some((truth.began_at, self.now));
        }
        self.settles(truth, index, from, Outcome::Applied);
    }

    fn lies(&mut self, index: usize, switch: Switch) {
        let (container, mut truth) = self.begins_alone(index, switch);
        let from = self.services[index].head;
        self.says(&container, &self.step(index, from));
        self.comes_up(&container);
        truth.outcome = Outcome::NothingApplied;
        self.truths.push(truth);
    }

    fn crashes(&mut self, index: usize, switch: Switch) {
        let (container, mut truth) = self.begins_alone(index, switch);
        let from = self.services[index].head;
        self.says(&container, &self.step(index, from));
        self.stops(&container);
        truth.outcome = Outcome::Interrupted;
        self.services[index].failed = Some((truth.began_at, self.now));
        self.truths.push(truth);
    }

    fn restarts(&mut self, index: usize, steps: u32) {
        let containers: Vec<_> = self.services[index].replicas.values().cloned().collect();
        let switch = self.services[index].switch;
        for container in &containers {
            self.stops(container);
        }
        let mut truth = self.truth(index, Trigger::Startup, By::Starts { restarted: vec![] });
        let mut said_at = self.now;
        for container in &containers {
            self.passes(ms(300));
            self.starts_now(container);
            said_at = self.now;
            if switch == Switch::Off {
                self.says(container, SKIPPING);
                self.comes_up(container);
            } else {
                self.announces(container, switch);
            }
        }
        if switch == Switch::Off {
            return;
        }
        let failed = self.services[index].failed.take();
        // What failed comes through at last: somebody mended it.
        let steps = if failed.is_some() { 1 } else { steps };
        let from = self.services[index].head;
        self.climbs(&containers[0], index, steps);
        for container in &containers {
            self.comes_up(container);
        }
        let soon = failed.filter(|(_, failed_at)| said_at <= failed_at.after(ONE_LOOP));
        if let Some((began, _)) = soon {
            // It is the same migration, tried again.
            let at = self
                .truths
                .iter()
                .position(|truth| truth.began_at == began)
                .unwrap();
            truth = self.truths.remove(at);
            return self.settles(truth, index, from, Outcome::Applied);
        }
        (truth.stepped, truth.concurrent) = (steps > 0, containers.len() > 1);
        self.settles(truth, index, from, Outcome::Applied);
    }
}
