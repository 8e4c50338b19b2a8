//! One migration as it is kept. What each fact changes about it is in `applying`.

mod applying;

use serde::{Deserialize, Serialize};

use super::super::schema::SchemaWork;
use crate::model::fact::Fact;
use crate::model::migration::{Grade, Migration, Outcome, Runner};
use crate::model::time::Timestamp;

pub(in crate::judge) use applying::in_words;

/// A migration with what only the judge needs to know of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tracked {
    /// The migration as shown.
    pub migration: Migration,
    /// What of it has been counted.
    #[serde(default)]
    pub counts: Counted,
    /// When the evidence of its first movement had arrived here (our clock).
    pub moved_observed_at: Option<Timestamp>,
    /// When it was first settled as failed or interrupted.
    pub failed_at: Option<Timestamp>,
    /// As which of the two it was settled then.
    pub failed_as: Option<Outcome>,
    /// An end was reported for the latest attempt.
    pub settled: bool,
    /// The latest attempt logged an error.
    pub erred_in_this_attempt: bool,
    /// When its last error was logged.
    #[serde(default)]
    pub erred_at: Option<Timestamp>,
    /// The process that runs it, or ran it last; absent in old journals.
    #[serde(default)]
    pub main: Option<Runner>,
    /// How the exec that runs it ended.
    #[serde(default)]
    pub exec_end: Option<ExecEnd>,
    /// Runners that work on it beside the main one, and the main one itself once it has come to its end before them.
    #[serde(default)]
    pub runs: Vec<Run>,
    /// When the attempt before the latest had ended.
    #[serde(default)]
    pub earlier_ended_at: Option<Timestamp>,
    /// When it was taken as moving something because it ran for so long.
    #[serde(default)]
    pub presumed_at: Option<Timestamp>,
    /// What it did to schemas.
    #[serde(default)]
    pub schema: SchemaWork,
}

/// What has been counted of a migration: each once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Its outcome.
    pub outcome: bool,
    /// Its verdict.
    pub verdict: bool,
}

/// How an exec ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecEnd {
    /// When.
    pub at: Timestamp,
    /// The exit code, if anybody can tell.
    pub exit_code: Option<i32>,
}

/// One of several runners.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Who.
    pub runner: Runner,
    /// It logged an error.
    pub erred: bool,
    /// How it ended, when and why.
    pub end: Option<(Outcome, Timestamp, String)>,
    /// How its exec ended, if it is one.
    #[serde(default)]
    pub exec_end: Option<ExecEnd>,
}

impl Tracked {
    pub(super) fn opened(fact: &Fact) -> Option<Self> {
        let Fact::MigrationOpened {
            id,
            service,
            trigger,
            runner,
            grade,
            judgement,
            evidence,
            history,
            ..
        } = fact
        else {
            return None;
        };
        let migration = Migration {
            id: id.clone(),
            service: service.clone(),
            trigger: *trigger,
            runners: vec![runner.clone()],
            attempts: 1,
            steps: Vec::new(),
            movements: Vec::new(),
            outcome: Outcome::Running,
            outcome_reason: None,
            grade: *grade,
            judgement: judgement.clone(),
            cause: None,
            started_at: runner.at,
            ended_at: None,
            moved_at: None,
            history: *history,
            evidence: vec![evidence.clone()],
            acknowledged: None,
            concurrent: false,
            superseded_by: None,
        };
        Some(Self {
            migration,
            counts: Counted::default(),
            moved_observed_at: None,
            failed_at: None,
            failed_as: None,
            settled: false,
            erred_in_this_attempt: false,
            erred_at: None,
            main: Some(runner.clone()),
            exec_end: None,
            runs: Vec::new(),
            earlier_ended_at: None,
            presumed_at: None,
            schema: SchemaWork::default(),
        })
    }

    /// It has not ended, or is tried again.
    pub fn is_open(&self) -> bool {
        !self.settled
    }

    /// Nothing but a line stands behind it.
    pub fn is_claim(&self) -> bool {
        self.migration.grade == Grade::Claimed
    }

    /// The process that runs it, or ran it last; of several the one that began it.
    pub fn runner(&self) -> Option<&Runner> {
        self.main.as_ref().or_else(|| self.migration.runners.last())
    }

    /// Every process that works on it or did so in its latest attempt.
    pub fn runners(&self) -> impl Iterator<Item = &Runner> {
        let main = self.runner();
        let others = self.runs.iter().map(|run| &run.runner);
        main.into_iter()
            .chain(others.filter(move |other| Some(*other) != main))
    }

    /// It runs beside the main runner, or the main one has ended before others.
    pub fn run(&self, runner: &Runner) -> Option<&Run> {
        self.runs.iter().find(|run| run.runner == *runner)
    }

    /// Every runner but the main one has come to its end.
    pub fn is_alone(&self) -> bool {
        self.runs.iter().all(|run| run.end.is_some())
    }

    /// When its latest attempt began.
    pub fn last_attempt_at(&self) -> Timestamp {
        self.runner()
            .map_or(self.migration.started_at, |runner| runner.at)
    }

    /// What it will be once this fact is believed.
    pub(in super::super) fn with(&self, fact: &Fact) -> Self {
        let mut next = self.clone();
        next.apply(fact);
        next
    }

    pub(super) fn is_countable(&self) -> bool {
        self.settled && !self.migration.history && !self.is_claim() && self.migration.superseded_by.is_none()
    }
}
