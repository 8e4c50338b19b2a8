//! A story for the judge: what happens to a stack, step by step, told as the edges would report it. Every step goes through
//! `judge::decide` and nothing else; time goes on as the daemon lets it go on, tick by tick at the judge's own deadlines.
//! After every step two promises are checked: the facts alone give the same state, and the same report again concludes nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use migwatch::judge::settings::Settings;
use migwatch::judge::{self, Durable, State};
use migwatch::lines::{Patterns, understand};
use migwatch::model::container::{Armed, ContainerLook, ContainerState};
use migwatch::model::fact::Fact;
use migwatch::model::log::{LineKey, LogLine, Stream};
use migwatch::model::observation::{LogStatus, Observation};
use migwatch::model::service::ContainerId;
use migwatch::model::time::Timestamp;

mod asked;
mod code;
mod expecting;
mod parts;
mod surroundings;

pub(crate) use code::*;
pub(crate) use expecting::*;
use parts::fresh;
pub(crate) use parts::*;
pub(crate) use surroundings::*;

/// One story.
pub(crate) struct Story {
    pub(crate) state: State,
    pub(crate) settings: Settings,
    /// Our clock; the engine's is the same.
    pub(crate) now: Timestamp,
    /// Every fact so far.
    pub(crate) facts: Vec<Fact>,
    /// Every report so far.
    pub(crate) seen: Vec<Observation>,
    /// The containers as the engine has them.
    pub(crate) looks: BTreeMap<ContainerId, ContainerLook>,
    /// Every line as it was delivered, for those that come again.
    pub(crate) lines: Vec<Observation>,
    /// The container that the next steps are about.
    pub(crate) container: ContainerId,
    /// The fold of the facts.
    replayed: Durable,
    patterns: Patterns,
    made: u8,
}

impl Story {
    /// A fresh install on an engine without containers, one hour ago.
    pub(crate) fn new(settings: Settings) -> Self {
        let mut story = Self::before_install(settings);
        story.installed().after(Duration::from_secs(3600));
        story
    }

    /// A stack that migwatch does not watch yet: steps only change the engine.
    pub(crate) fn before_install(settings: Settings) -> Self {
        Self {
            state: State::default(),
            settings,
            now: "2026-11-23T09:00:00Z".parse().unwrap(),
            facts: Vec::new(),
            seen: Vec::new(),
            looks: BTreeMap::new(),
            lines: Vec::new(),
            container: ContainerId(String::new()),
            replayed: Durable::default(),
            patterns: Patterns::builtin(),
            made: 0,
        }
    }

    /// migwatch comes up: the engine answers, a full look follows.
    pub(crate) fn installed(&mut self) -> &mut Self {
        self.sees(Observation::EngineUp {
            endpoint: "unix:///var/run/docker.sock".into(),
            version: "20.10.24, API 1.41".into(),
        })
        .looks_at_all()
    }

    pub(crate) fn looks_at_all(&mut self) -> &mut Self {
        let looks = self.looks.values().cloned().collect();
        self.sees(Observation::FullLook(looks))
    }

    /// One report, at the present time.
    pub(crate) fn sees(&mut self, observation: Observation) -> &mut Self {
        self.now = self.now.after(Duration::from_micros(10));
        let facts = judge::decide(&mut self.state, &self.settings, self.now, &observation);
        for fact in &facts {
            self.replayed.apply(fact);
        }
        assert_eq!(
            self.replayed, self.state.durable,
            "the facts alone give the same state, after {observation:?}"
        );
        let mut again = self.state.clone();
        let more = judge::decide(&mut again, &self.settings, self.now, &observation);
        assert_eq!(
            more,
            [],
            "the same report again concludes nothing: {observation:?}, which had given {facts:#?}"
        );
        self.facts.extend(facts);
        self.seen.push(observation);
        self
    }

    /// Time goes by; the judge is woken at its deadlines.
    pub(crate) fn after(&mut self, by: Duration) -> &mut Self {
        let until = self.now.after(by);
        let mut woken = 0;
        while let Some(deadline) = self.state.deadline(&self.settings, self.now) {
            if deadline > until {
                break;
            }
            woken += 1;
            assert!(woken < 10_000, "the deadlines make a busy loop at {deadline}");
            self.now = deadline;
            self.sees(Observation::Tick);
            let next = self.state.deadline(&self.settings, deadline);
            assert!(
                next.is_none_or(|next| next > deadline),
                "a deadline that has come is over: {deadline}"
            );
        }
        self.now = until;
        self.sees(Observation::Tick)
    }

    pub(crate) fn seconds(&mut self, seconds: u64) -> &mut Self {
        self.after(Duration::from_secs(seconds))
    }

    /// A new first replica of a service.
    pub(crate) fn created(&mut self, service: &str, armed: Armed) -> &mut Self {
        self.created_as(service, armed, |_| {})
    }

    /// A new container, with something special about it.
    pub(crate) fn created_as(
        &mut self,
        service: &str,
        armed: Armed,
        change: impl FnOnce(&mut ContainerLook),
    ) -> &mut Self {
        self.made += 1;
        self.now = self.now.after(Duration::from_millis(50));
        let mut look = fresh(service, armed, self.now);
        look.id = ContainerId(format!("{:02x}", self.made).repeat(32));
        change(&mut look);
        self.container = look.id.clone();
        self.looks.insert(look.id.clone(), look);
        self.looked()
    }

    pub(crate) fn looked(&mut self) -> &mut Self {
        let look = self.look().clone();
        self.sees(Observation::Looked(Box::new(look)))
    }

    pub(crate) fn look(&self) -> &ContainerLook {
        &self.looks[&self.container]
    }

    pub(crate) fn change(&mut self, change: impl FnOnce(&mut ContainerLook)) -> &mut Self {
        change(self.looks.get_mut(&self.container).unwrap());
        self
    }

    /// The engine starts it; nobody is told yet.
    pub(crate) fn starts_unheard(&mut self) -> &mut Self {
        let now = self.now.after(Duration::from_millis(50));
        self.now = now;
        self.change(|look| {
            look.state = ContainerState::Running;
            look.started_at = Some(now);
        })
    }

    /// It starts: event, log, look.
    pub(crate) fn started(&mut self) -> &mut Self {
        self.starts_unheard().hears_of_the_start().follows().looked()
    }

    /// The `start` event, a little after `StartedAt`.
    pub(crate) fn hears_of_the_start(&mut self) -> &mut Self {
        let at = self.look().started_at.unwrap().after(Duration::from_millis(2));
        let container = self.container.clone();
        self.sees(Observation::Started { container, at })
    }

    pub(crate) fn follows(&mut self) -> &mut Self {
        self.log(LogStatus::Following { reconnect: false })
    }

    pub(crate) fn log(&mut self, status: LogStatus) -> &mut Self {
        let container = self.container.clone();
        self.sees(Observation::LogStatus { container, status })
    }

    /// A line of its log, 20 ms later.
    pub(crate) fn says(&mut self, text: &str) -> &mut Self {
        let line = self
            .line(text)
            .unwrap_or_else(|| panic!("a line that is understood: {text}"));
        self.lines.push(line.clone());
        self.sees(line)
    }

    pub(crate) fn line(&mut self, text: &str) -> Option<Observation> {
        self.now = self.now.after(Duration::from_millis(20));
        self.line_at(text, self.now)
    }

    pub(crate) fn line_at(&self, text: &str, at: Timestamp) -> Option<Observation> {
        let hash = text.bytes().fold(7_u64, |hash, byte| {
            hash.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        let key = LineKey {
            at,
            stream: Stream::Stdout,
            hash,
            ordinal: 0,
        };
        let saying = understand(&self.patterns, text)?;
        Some(Observation::Line {
            container: self.container.clone(),
            line: LogLine { key, saying },
        })
    }

    /// How far its log was read.
    pub(crate) fn read_on(&mut self) -> &mut Self {
        let container = self.container.clone();
        let position = Some(self.now);
        self.sees(Observation::LogProgress {
            container,
            position,
            bytes: 1_000,
        })
    }

    /// Its process ends; nobody is told yet.
    pub(crate) fn ends_unheard(&mut self, exit_code: i32) -> &mut Self {
        let now = self.now.after(Duration::from_millis(50));
        self.now = now;
        self.change(|look| {
            look.state = ContainerState::Exited;
            look.finished_at = Some(now);
            look.exit_code = exit_code;
            look.health = None;
        })
    }

    /// It ends by itself: event, end of the log, look.
    pub(crate) fn dies(&mut self, exit_code: i32) -> &mut Self {
        self.ends_unheard(exit_code)
            .hears_of_the_end()
            .log(LogStatus::Ended)
            .looked()
    }

    pub(crate) fn hears_of_the_end(&mut self) -> &mut Self {
        let at = self.look().finished_at.unwrap().after(Duration::from_millis(2));
        let (container, exit_code) = (self.container.clone(), self.look().exit_code);
        self.sees(Observation::Died {
            container,
            at,
            exit_code,
        })
    }

    /// Somebody stops it through the API.
    pub(crate) fn stopped(&mut self, exit_code: i32) -> &mut Self {
        let (container, at) = (self.container.clone(), self.now);
        self.sees(Observation::Killed { container, at })
            .seconds(1)
            .dies(exit_code)
    }

    pub(crate) fn removed(&mut self) -> &mut Self {
        let (container, at) = (self.container.clone(), self.now);
        self.looks.remove(&container);
        self.sees(Observation::Removed { container, at })
    }

    /// As compose recreates: the new one is created, the old one stopped and removed, the new one started.
    pub(crate) fn recreated(&mut self, armed: Armed) -> &mut Self {
        let old = self.look().clone();
        self.created_as(&old.service.to_string(), armed, |look| look.number = old.number);
        let new = std::mem::replace(&mut self.container, old.id);
        self.stopped(137).removed();
        self.container = new;
        self.started()
    }

    /// A container that runs since its creation and of which nobody was told.
    pub(crate) fn made_in_advance(
        &mut self,
        service: &str,
        armed: Armed,
        created_at: Timestamp,
    ) -> &mut Self {
        self.made += 1;
        let mut look = fresh(service, armed, created_at);
        look.id = ContainerId(format!("{:02x}", self.made).repeat(32));
        look.state = ContainerState::Running;
        look.started_at = Some(created_at);
        self.container = look.id.clone();
        self.looks.insert(look.id.clone(), look);
        self
    }

    /// Time goes by while migwatch does not run.
    pub(crate) fn seconds_pass(&mut self, seconds: u64) -> &mut Self {
        self.now = self.now.after(Duration::from_secs(seconds));
        self
    }

    /// The container that the next steps are about.
    pub(crate) fn with(&mut self, container: &ContainerId) -> &mut Self {
        self.container = container.clone();
        self
    }

    /// migwatch is killed and started again: the journal gives the state, the engine is looked at anew.
    pub(crate) fn migwatch_is_killed(&mut self) -> &mut Self {
        let snapshot = serde_json::to_string(&self.state.durable).unwrap();
        let durable: Durable = serde_json::from_str(&snapshot).unwrap();
        assert_eq!(durable, self.state.durable, "a snapshot gives the same state");
        self.state = State {
            durable,
            ..State::default()
        };
        self
    }

    /// It comes up again and tails the logs of what runs.
    pub(crate) fn migwatch_comes_back(&mut self) -> &mut Self {
        self.sees(Observation::Tick).installed();
        let running = self
            .looks
            .values()
            .filter(|look| look.state == ContainerState::Running);
        for container in running.map(|look| look.id.clone()).collect::<Vec<_>>() {
            let status = LogStatus::Following { reconnect: false };
            self.sees(Observation::LogStatus { container, status });
        }
        self
    }

    /// The log delivers again what was read in the last two seconds.
    pub(crate) fn lines_come_again(&mut self) -> &mut Self {
        for line in self.lines.clone() {
            self.sees(line);
        }
        self
    }
}
