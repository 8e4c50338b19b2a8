//! Commands, local runs, and moves from elsewhere.

use migwatch::model::exec::{Action, MigrationCommand};
use migwatch::model::migration::{Outcome, Trigger};

use super::super::plan::{Ending, Switch};
use super::super::truth::By;
use super::super::world::{World, ms, process};
use crate::support::story::{CONTEXT, DROP_MISSING};

impl World {
    pub(super) fn execs(&mut self, index: usize, action: Action, ending: Ending, long: bool) {
        let container = self.services[index].replicas[&1].clone();
        if self.services[index].failed.is_some() {
            return;
        }
        let command = command(action);
        let at = self.now;
        let exec = self.exec_starts(&container, command);
        let by = By::Exec {
            exec: exec.clone(),
            at,
            until: at,
        };
        let mut truth = self.truth(index, Trigger::Exec, by);
        let (from, took) = (self.services[index].head, if long { 9_000 } else { 1_500 });
        self.passes(ms(took * 2 / 3));
        let (outcome, code) = match ending {
            Ending::Well => {
                let (outcome, to) = match action {
                    Action::Upgrade => (Outcome::Applied, from + 1),
                    Action::Downgrade => (Outcome::Downgraded, from - 1),
                    Action::Stamp => (Outcome::Stamped, from + 3),
                };
                self.moves_to(index, to);
                (outcome, 0)
            }
            Ending::AtHead => (Outcome::NothingToDo, 0),
            Ending::Fails => (Outcome::Failed, 1),
            Ending::NotFound => (Outcome::NothingToDo, 127),
            Ending::Killed => (Outcome::Interrupted, 137),
        };
        self.passes(ms(took / 3));
        self.exec_ends(&container, exec.clone(), code);
        truth.outcome = outcome;
        truth.by = By::Exec {
            exec,
            at,
            until: self.now,
        };
        self.settles(truth, index, from, outcome);
    }

    pub(super) fn runs_once(&mut self, index: usize, steps: u32, ending: Ending) {
        let service = self.services[index].id.clone();
        let container = self.creates(&service, Switch::Bare, None);
        self.shows(&container, |look| look.runs = Some(command(Action::Upgrade)));
        self.passes(ms(300));
        self.starts_now(&container);
        let by = By::OneOff {
            container: container.clone(),
            lines: 0,
        };
        let mut truth = self.truth(index, Trigger::OneOff, by);
        let from = self.services[index].head;
        self.passes(ms(700));
        self.says(&container, CONTEXT);
        let does = !matches!(ending, Ending::AtHead | Ending::NotFound);
        let steps = if does { steps } else { 0 };
        for step in 0..steps {
            self.says(&container, &self.step(index, from + step));
            self.passes(ms(200));
        }
        truth.stepped = steps > 0;
        let (outcome, code) = match ending {
            Ending::Well => {
                // In one transaction.
                self.moves_to(index, from + steps);
                (Outcome::Applied, 0)
            }
            Ending::AtHead | Ending::NotFound => (Outcome::NothingToDo, 0),
            Ending::Fails => {
                self.says(&container, DROP_MISSING);
                (Outcome::Failed, 1)
            }
            Ending::Killed => (Outcome::Interrupted, 137),
        };
        self.passes(ms(200));
        self.dies(&container, code);
        self.removes(&container);
        truth.outcome = outcome;
        truth.by = By::OneOff {
            lines: self.logs[&container].len(),
            container,
        };
        self.settles(truth, index, from, outcome);
    }

    pub(super) fn runs_locally(&mut self, steps: u32) {
        let mut truth = self.truth(0, Trigger::Process, By::Local { lines: vec![] });
        truth.service = process();
        let (from, before) = (self.services[0].head, self.file.len());
        self.writes("⬆️ Alembic 마이그레이션 적용 중...");
        self.passes(ms(500));
        for step in 0..steps {
            self.writes(&self.step(0, from + step));
            self.passes(ms(200));
        }
        let lines = self.file[before..].iter().map(|line| line.2).collect();
        self.moves_to(0, from + steps);
        self.passes(ms(200));
        self.writes("✅ Alembic 마이그레이션 완료!");
        truth.stepped = true;
        truth.by = By::Local { lines };
        self.settles(truth, 0, from, Outcome::Applied);
    }

    pub(super) fn moves_elsewhere(&mut self, index: usize, down: bool) {
        let truth = self.truth(index, Trigger::OutOfBand, By::Elsewhere);
        let from = self.services[index].head;
        self.moves_to(index, if down { from - 1 } else { from + 1 });
        self.settles(truth, index, from, Outcome::Applied);
    }
}

fn command(action: Action) -> MigrationCommand {
    MigrationCommand {
        text: format!("alembic {} head", action.as_str()),
        action,
        target: Some("head".into()),
        environment: None,
    }
}
