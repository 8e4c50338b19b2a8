//! migwatch with edges that a world stands behind: what is reported when, what is lost when it is killed, and from where it goes on. Keeps
//! the promises of the real edges (the first report of a container is a look; lines come after the end of the start before them; what
//! events did not tell, a full look does; evidence hurries the database) and no others.

use std::collections::{BTreeMap, BTreeSet};

use migwatch::judge::{self, Durable, State};
use migwatch::model::container::{ArmedSource, ContainerState};
use migwatch::model::database::DatabaseReading;
use migwatch::model::exec::{ExecCommand, ExecId};
use migwatch::model::fact::Fact;
use migwatch::model::file::{FileId, FilePosition};
use migwatch::model::log::{LineKey, LogLine, ResumeFrom, Saying, Stream};
use migwatch::model::observation::{LogStatus, Observation};
use migwatch::model::service::{ContainerId, ServiceId};
use migwatch::model::time::Timestamp;

use super::heard::Heard;
use super::trouble::Trouble;
use super::world::{Event, What, World, database, ms, process};

/// How often the database is read at rest.
const POLL: u64 = 15_000;

/// The quiet after the last act, in which everything comes to its end.
const AFTERMATH: u64 = 20 * 60 * 1_000;

/// One decision that led to facts.
pub(super) struct Decided {
    pub(super) now: Timestamp,
    pub(super) facts: Vec<Fact>,
}

/// A log that is followed.
#[derive(Clone, Debug)]
struct Tail {
    /// The next line.
    next: usize,
    /// Lines of starts up to this one may come.
    start: Timestamp,
    running: bool,
    open: bool,
    /// When its last line came.
    came: Timestamp,
}

/// What the edges remember; gone with the process.
#[derive(Default)]
struct Edges {
    reported: BTreeSet<ContainerId>,
    /// The moment that the last look at a container showed: no later one is older.
    shown: BTreeMap<ContainerId, Timestamp>,
    tails: BTreeMap<ContainerId, Tail>,
    execs: Vec<(ContainerId, ExecId)>,
    event: usize,
    /// When the last event came.
    came: Timestamp,
    /// A full look is due because events were lost.
    look_due: Option<Timestamp>,
    file: usize,
    file_came: Timestamp,
    /// When the process came up: no look shows an earlier moment.
    up_at: Timestamp,
    /// Lines that are read after a restart are taken to be of that time.
    back_at: Option<Timestamp>,
    reading_due: Timestamp,
    hinted: Option<Timestamp>,
    /// Reports that come again.
    again: Vec<(Timestamp, Observation)>,
}

/// One run of migwatch in a world, with all its deaths.
pub(super) struct Watch<'w> {
    world: &'w World,
    trouble: &'w Trouble,
    spans: Vec<(Timestamp, Timestamp)>,
    now: Timestamp,
    edges: Edges,
    pub(super) state: State,
    /// What is on disk: a snapshot and the facts since.
    snapshot: Option<String>,
    since: Vec<Fact>,
    pub(super) decided: Vec<Decided>,
    pub(super) heard: Heard,
    kills: Vec<(usize, u64)>,
    until_kill: usize,
    killed: bool,
    /// Whether anything was dropped at a compaction, so that all facts give more than the state.
    pub(super) forgot: bool,
}

impl<'w> Watch<'w> {
    /// Watches a world from its installation to the end of everything.
    pub(super) fn all(world: &'w World, trouble: &'w Trouble) -> Self {
        let begin = world.installed_at;
        let kills: Vec<_> = trouble.kills.iter().rev().copied().collect();
        let until_kill = kills.last().map_or(usize::MAX, |kill| kill.0);
        let mut watch = Self {
            world,
            trouble,
            spans: trouble.spans(&world.events),
            now: begin,
            edges: Edges::default(),
            state: State::default(),
            snapshot: None,
            since: Vec::new(),
            decided: Vec::new(),
            heard: Heard::default(),
            kills,
            until_kill,
            killed: false,
            forgot: false,
        };
        watch.comes_up();
        while watch.now < world.now.after(ms(AFTERMATH)) {
            watch.goes_on();
            if watch.killed {
                watch.is_away();
            }
        }
        watch.folds();
        watch
    }

    /// One report is judged, and its facts are written.
    fn sees(&mut self, observation: &Observation, shows: Timestamp) {
        if self.killed {
            return;
        }
        self.heard.takes(observation, shows);
        let facts = judge::decide(&mut self.state, &self.world.settings, self.now, observation);
        self.hurries(observation);
        if facts.is_empty() {
            return;
        }
        self.since.extend(facts.iter().cloned());
        self.decided.push(Decided { now: self.now, facts });
        if self
            .trouble
            .compacted
            .is_some_and(|after| self.since.len() >= after)
        {
            self.compacts();
        }
        if self.until_kill == 0 {
            self.killed = true;
        }
        self.until_kill = self.until_kill.saturating_sub(1);
    }

    fn compacts(&mut self) {
        let mut durable = self.state.durable.clone();
        let left = durable.forget(self.now);
        assert!(left.is_empty(), "no migration of a day is forgotten");
        self.forgot |= durable != self.state.durable;
        self.snapshot = Some(serde_json::to_string(&durable).unwrap());
        self.since.clear();
        self.state.durable = durable;
    }

    /// What is on disk gives the state.
    fn folds(&self) -> Durable {
        let mut durable = self.snapshot.as_ref().map_or_else(Durable::default, |snapshot| {
            serde_json::from_str(snapshot).expect("it was written by the same program")
        });
        for fact in &self.since {
            let written = serde_json::to_string(fact).unwrap();
            durable.apply(&serde_json::from_str(&written).unwrap());
        }
        assert_eq!(
            durable, self.state.durable,
            "a snapshot and the facts since give the state"
        );
        durable
    }

    /// Killed between writing and showing: nothing but the disk is left, and time goes by.
    fn is_away(&mut self) {
        let (_, away) = self.kills.pop().unwrap_or_default();
        if let Some((_, down)) = self.heard.lives.last_mut() {
            *down = Some(self.now);
        }
        self.until_kill = self.kills.last().map_or(usize::MAX, |kill| kill.0);
        self.killed = false;
        self.state = State {
            durable: self.folds(),
            ..State::default()
        };
        self.now = self.now.after(ms(away));
        self.comes_up();
    }

    /// migwatch starts: everything is looked at, every log is taken up where it was left.
    fn comes_up(&mut self) {
        let (world, now) = (self.world, self.now);
        self.heard.lives.push((now, None));
        let heard = world
            .events
            .partition_point(|event| event.at < now.before(ms(2_000)));
        let open = self.state.open_execs();
        let open: Vec<_> = open.map(|(container, exec, _)| (container, exec)).collect();
        self.edges = Edges {
            event: heard,
            came: now,
            up_at: now,
            file_came: now,
            back_at: self.state.durable.watch_since.map(|_| now),
            reading_due: now.after(ms(120)),
            execs: open,
            ..Edges::default()
        };
        let read = |line: &&(Timestamp, Saying, u64)| {
            let known = self.state.file_position(&process(), &file());
            known.is_some_and(|known| line.2 <= known.offset)
        };
        self.edges.file = world.file.iter().take_while(read).count();
        self.sees(&Observation::Tick, now);
        let path = "/srv/coe-backend/run.log".to_owned();
        let process = process();
        self.sees(&Observation::ProcessWatched { process, path }, now);
        self.sees(
            &Observation::EngineUp {
                endpoint: "unix:///var/run/docker.sock".into(),
                version: "20.10.24, API 1.41".into(),
            },
            now,
        );
        self.looks_at_all();
    }

    fn looks_at_all(&mut self) {
        let (world, now) = (self.world, self.now);
        let looks = world.full_look(now);
        self.edges.look_due = None;
        self.sees(&Observation::FullLook(looks.clone()), now);
        self.edges.shown = looks.iter().map(|look| (look.id.clone(), now)).collect();
        self.edges.reported = looks.iter().map(|look| look.id.clone()).collect();
        for look in &looks {
            if let Some(started) = look.started_at {
                let runs = look.state == ContainerState::Running;
                self.follows(&look.id, started, runs, look.created_at);
            }
        }
        for (id, tail) in &mut self.edges.tails {
            tail.running &= looks.iter().any(|look| look.id == *id);
        }
        // Commands whose end was not heard are asked for.
        for (container, exec) in std::mem::take(&mut self.edges.execs) {
            match world.exec_end(&exec).filter(|(at, _)| *at <= now) {
                Some((_, exit_code)) => self.sees(
                    &Observation::ExecEnded {
                        container,
                        exec,
                        at: now,
                        exit_code: Some(exit_code),
                    },
                    now,
                ),
                None => self.edges.execs.push((container, exec)),
            }
        }
    }

    /// Takes care that the log of a start is followed.
    fn follows(&mut self, id: &ContainerId, start: Timestamp, runs: bool, created_at: Timestamp) {
        let status = LogStatus::Following { reconnect: false };
        let now = self.now;
        if let Some(tail) = self.edges.tails.get_mut(id) {
            let is_later = start > tail.start.after(ms(1_000)) || (start > tail.start && !tail.running);
            tail.running = if is_later || tail.running { runs } else { false };
            tail.start = tail.start.max(start);
            if is_later && !tail.open {
                tail.open = true;
                let container = id.clone();
                self.sees(&Observation::LogStatus { container, status }, now);
            }
            return;
        }
        let log = self.world.logs.get(id).map_or(&[][..], Vec::as_slice);
        let next = match self.state.resume_from(id, created_at) {
            ResumeFrom::Everything | ResumeFrom::Recent => 0,
            ResumeFrom::Position(position) => {
                log.partition_point(|line| line.key.at < position.before(ms(1_000)))
            }
        };
        let tail = Tail {
            next,
            start,
            running: runs,
            open: true,
            came: now,
        };
        self.edges.tails.insert(id.clone(), tail);
        let container = id.clone();
        self.sees(&Observation::LogStatus { container, status }, now);
    }
}

/// The log file of the local process.
pub(super) fn file() -> FileId {
    FileId {
        path: "/srv/coe-backend/run.log".into(),
        device: 1,
        inode: 7,
    }
}

mod reports;
