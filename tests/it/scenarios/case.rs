//! A row under one expectation, on one database, with one Compose: what a driver acts.

use std::fmt;
use std::path::Path;

use migwatch::model::migration::{Rule, Trigger, Verdict};

use super::row::{Database, Deed, Expectation, FIRST, PROCESS, Row, Second, Told, Under};
use crate::support::stack::Compose;

/// What is acted.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) row: &'static Row,
    pub(crate) under: Under,
    pub(crate) database: Database,
    pub(crate) compose: Compose,
    /// migwatch is killed and started again in the middle of everything.
    pub(crate) restarts: bool,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, expectation) = (self.row.name, self.under.0);
        let restarts = if self.restarts { ", over restarts" } else { "" };
        write!(
            f,
            "\"{name}\" under {expectation:?}, on {:?}, with Compose {:?}{restarts}",
            self.database, self.compose
        )
    }
}

impl Case {
    pub(crate) fn expectation(&self) -> Expectation {
        self.under.0
    }

    /// The verdict and the rule of one of its migrations.
    pub(crate) fn judged(&self, told: &Told) -> (Verdict, Rule) {
        told.judged.unwrap_or((self.under.1, self.under.2))
    }

    /// All that the receiver is told, in the order of the alphabet.
    pub(crate) fn alerts(&self) -> Vec<String> {
        let is_loud = |told: &&Told| told.moved && self.judged(told).0 == Verdict::Unexpected;
        let unexpected = self.row.told.iter().filter(is_loud);
        let unexpected = unexpected.map(|told| format!("UnexpectedMigration({})", told.service()));
        let others = self.row.alerts.iter().map(|alert| (*alert).to_owned());
        let mut all: Vec<String> = unexpected.chain(others).collect();
        all.sort_unstable();
        all
    }

    /// The policy of its project; none where nothing is configured.
    pub(crate) fn policy(&self) -> Option<&'static str> {
        match self.expectation() {
            Expectation::Nothing => None,
            Expectation::Explicit => Some("explicit"),
            Expectation::Allow => Some("allow"),
            Expectation::Deny
            | Expectation::Approved
            | Expectation::ApprovedElsewhere
            | Expectation::Window => Some("deny"),
        }
    }

    /// What the configuration says of its project, which nobody else has, of the one beside it, and of its process's log file.
    pub(crate) fn configured(&self, project: &str, second: &str, log: &Path) -> String {
        let policy = self.policy();
        let policy = policy.map(|policy| format!("[project.{project}]\nmigrations = \"{policy}\"\n"));
        let mut text = policy.unwrap_or_default();
        if self.expectation() == Expectation::Window {
            text.extend([format!(
                "[window.{project}]\nfrom = \"2020-01-01T00:00\"\nuntil = \"2100-01-01T00:00\"\nzone = \"UTC\"\n\
                 services = [\"{project}\"]\n"
            )]);
        }
        let second = match self.row.second {
            Second::None => String::new(),
            Second::Preview => format!("[project.{second}]\nmigrations = \"allow\"\n"),
            Second::Green => {
                let policy = self.policy().unwrap_or("explicit");
                format!(
                    "[project.{second}]\nmigrations = \"{policy}\"\n[app.{project}]\nprojects = [\"{project}\", \"{second}\"]\n"
                )
            }
        };
        text.push_str(&second);
        if self.row.told.iter().any(|told| told.trigger == Trigger::Process) {
            text.extend([format!(
                "[process.{project}]\nlog = \"{}\"\nproject = \"{project}\"\nservice = \"{PROCESS}\"\n",
                log.display()
            )]);
        }
        text
    }

    /// How it is approved, in the words of the command line; nothing if it is not.
    pub(crate) fn approval(&self, project: &str) -> Option<Vec<String>> {
        let service = self.row.told.last().map_or("app", Told::service);
        let service = format!("{project}/{service}");
        let mut flags = vec!["approve", &service, "--reason", "release 42", "--for", "30m"];
        match self.expectation() {
            Expectation::Approved => {}
            Expectation::ApprovedElsewhere => flags.extend(["--to", FIRST]),
            _ => return None,
        }
        if self.row.deeds.iter().any(|deed| matches!(deed, Deed::Restore(_))) {
            flags.push("--restore");
        }
        Some(flags.into_iter().map(str::to_owned).collect())
    }
}
