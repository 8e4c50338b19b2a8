//! What comes next, and how it is told.

use migwatch::model::container::ContainerLook;
use migwatch::model::database::DatabaseKind;

use super::*;

/// What comes next.
enum Next {
    Event,
    Look,
    Line(ContainerId),
    End(ContainerId),
    FileLine,
    Reading,
    Deadline,
    Again,
}

impl Watch<'_> {
    /// The next thing happens.
    pub(super) fn goes_on(&mut self) {
        let Some((at, next)) = self.next() else { return };
        self.now = self.now.max(at).after(std::time::Duration::from_micros(10));
        match next {
            Next::Event => self.hears_an_event(),
            Next::Look => self.looks_at_all(),
            Next::Line(container) => self.reads_a_line(&container),
            Next::End(container) => {
                self.edges.tails.get_mut(&container).unwrap().open = false;
                let status = LogStatus::Ended;
                self.sees(&Observation::LogStatus { container, status }, at);
            }
            Next::FileLine => self.reads_the_file(),
            Next::Reading => self.reads_the_database(),
            Next::Deadline => self.sees(&Observation::Tick, at),
            Next::Again => {
                let soonest = (0..self.edges.again.len()).min_by_key(|index| self.edges.again[*index].0);
                let (_, observation) = self.edges.again.swap_remove(soonest.unwrap());
                self.sees(&observation, at);
            }
        }
    }

    fn next(&self) -> Option<(Timestamp, Next)> {
        let (edges, world) = (&self.edges, self.world);
        let mut all = vec![(edges.reading_due, Next::Reading)];
        if let Some(event) = world.events.get(edges.event) {
            all.push((
                self.trouble.arrives("events", event.at).max(edges.came),
                Next::Event,
            ));
        }
        all.extend(edges.look_due.map(|at| (at, Next::Look)));
        for (id, tail) in &edges.tails {
            let until = self.readable_until(id, tail);
            let log = world.logs.get(id).map_or(&[][..], Vec::as_slice);
            match log
                .get(tail.next)
                .filter(|line| tail.open && line.key.at <= until)
            {
                Some(line) => {
                    let at = self.trouble.arrives(&id.0, line.key.at).max(tail.came);
                    all.push((at, Next::Line(id.clone())));
                }
                None if tail.open && !tail.running => all.push((tail.came, Next::End(id.clone()))),
                None => {}
            }
        }
        if let Some((written, ..)) = world.file.get(edges.file) {
            let at = self.trouble.arrives("file", *written).max(edges.file_came);
            all.push((at, Next::FileLine));
        }
        all.extend(edges.again.iter().map(|(at, _)| (*at, Next::Again)));
        let deadline = self.state.deadline(&self.world.settings, self.now);
        all.extend(deadline.map(|at| (at, Next::Deadline)));
        all.into_iter().min_by_key(|(at, _)| *at)
    }

    /// The lines of starts that the edge knows of, and that the engine still has or had streamed.
    fn readable_until(&self, id: &ContainerId, tail: &Tail) -> Timestamp {
        let starts = self.world.starts.get(id).map_or(&[][..], Vec::as_slice);
        let known = starts.iter().rfind(|start| start.at <= tail.start);
        known.and_then(|start| start.until).unwrap_or(self.world.now)
    }

    fn hears_an_event(&mut self) {
        let world = self.world;
        let event = &world.events[self.edges.event];
        self.edges.event += 1;
        let cut = self
            .spans
            .iter()
            .filter(|(from, until)| (*from..*until).contains(&event.at));
        if let Some(until) = cut.map(|(_, until)| *until).max() {
            // What comes until the end of the gap is lost with it; then everything is looked at.
            let due = self.trouble.arrives("events", until).max(self.now);
            self.edges.look_due = self.edges.look_due.max(Some(due));
            self.edges.came = self.edges.came.max(due);
            return;
        }
        self.edges.came = self.now;
        let shown = self.shown(event);
        if !self.edges.reported.contains(&event.container) {
            let Some((look, about)) = shown else { return };
            self.edges.reported.insert(event.container.clone());
            self.edges.shown.insert(event.container.clone(), about);
            self.sees(&Observation::Looked(Box::new(look.clone())), about);
            self.tell(event);
            return;
        }
        self.tell(event);
        let is_look_wanted = matches!(event.what, What::Started | What::Died(_));
        if let (true, Some((look, shows))) = (is_look_wanted, shown) {
            self.edges.shown.insert(event.container.clone(), shows);
            self.sees(&Observation::Looked(Box::new(look.clone())), shows);
            let runs = look.state == ContainerState::Running;
            if let Some(started) = look.started_at {
                self.follows(&event.container, started, runs, look.created_at);
            }
        }
    }

    /// What a look behind an event shows, and of which moment; nothing if later events have overtaken it.
    fn shown(&self, event: &Event) -> Option<(ContainerLook, Timestamp)> {
        let before = self.edges.shown.get(&event.container).copied();
        let soon = event
            .at
            .after(ms(100))
            .max(before.unwrap_or_default())
            .max(self.edges.up_at);
        if self.trouble.looks_late(event.at) {
            return Some((self.world.look(&event.container, self.now)?.clone(), self.now));
        }
        let of_it = self
            .world
            .events
            .iter()
            .filter(|other| other.container == event.container);
        let is_overtaken = of_it.clone().any(|other| other.at > event.at && other.at <= soon);
        let is_known = self.edges.reported.contains(&event.container);
        let look = self.world.look(&event.container, soon)?.clone();
        (!is_known || !is_overtaken).then_some((look, soon))
    }

    fn tell(&mut self, event: &Event) {
        let (container, at) = (event.container.clone(), event.at);
        let observation = match &event.what {
            What::Created => return,
            What::Started => {
                if let Some(look) = self.world.look(&container, at) {
                    let created_at = look.created_at;
                    self.follows(&container, at, true, created_at);
                }
                Observation::Started { container, at }
            }
            What::Killed => Observation::Killed { container, at },
            What::Died(exit_code) => {
                if let Some(tail) = self
                    .edges
                    .tails
                    .get_mut(&container)
                    .filter(|tail| tail.start <= at)
                {
                    tail.running = false;
                }
                let exit_code = *exit_code;
                Observation::Died {
                    container,
                    at,
                    exit_code,
                }
            }
            What::Removed => {
                self.edges.reported.remove(&container);
                Observation::Removed { container, at }
            }
            What::ExecStarted(exec, command) => {
                self.edges.execs.push((container.clone(), exec.clone()));
                Observation::ExecStarted {
                    container,
                    exec: exec.clone(),
                    at,
                    command: ExecCommand::Migrates(command.clone()),
                }
            }
            What::ExecEnded(exec, exit_code) => {
                let known = self.edges.execs.iter().position(|(_, open)| open == exec);
                let Some(known) = known else { return };
                self.edges.execs.remove(known);
                Observation::ExecEnded {
                    container,
                    exec: exec.clone(),
                    at,
                    exit_code: Some(*exit_code),
                }
            }
        };
        self.sees(&observation, at);
        if self.trouble.is_doubled("events", at, 4) {
            self.edges.again.push((self.now.after(ms(700)), observation));
        }
    }

    fn reads_a_line(&mut self, id: &ContainerId) {
        let log = &self.world.logs[id];
        let tail = self.edges.tails.get_mut(id).unwrap();
        let line = log[tail.next].clone();
        tail.next += 1;
        tail.came = self.now;
        let at = line.key.at;
        if self.trouble.is_doubled(&id.0, at, 6)
            && tail.next > 1
            && !self
                .edges
                .again
                .iter()
                .any(|(_, one)| matches!(one, Observation::Line { .. }))
        {
            // The stream is cut and opened again: it repeats its last second.
            let from = log.partition_point(|line| line.key.at < at.before(ms(1_000)));
            for (index, line) in log[from..tail.next].iter().enumerate() {
                let container = id.clone();
                let line = line.clone();
                let order = std::time::Duration::from_micros(u64::try_from(index).unwrap() * 20);
                self.edges
                    .again
                    .push((self.now.after(order), Observation::Line { container, line }));
            }
        }
        let container = id.clone();
        self.sees(&Observation::Line { container, line }, at);
        self.sees(
            &Observation::LogProgress {
                container: id.clone(),
                position: Some(at),
                bytes: 100,
            },
            at,
        );
    }

    fn reads_the_file(&mut self) {
        let (written, saying, end) = self.world.file[self.edges.file].clone();
        self.edges.file += 1;
        self.edges.file_came = self.now;
        let at = written.after(ms(5)).max(self.edges.back_at.unwrap_or_default());
        let key = LineKey {
            at,
            stream: Stream::Stdout,
            hash: end,
            ordinal: 0,
        };
        let position = FilePosition {
            file: file(),
            offset: end,
        };
        let process = process();
        let line = LogLine { key, saying };
        self.sees(
            &Observation::ProcessLine {
                process,
                position,
                line,
            },
            at,
        );
    }

    fn reads_the_database(&mut self) {
        let now = self.now;
        let is_close = self
            .edges
            .hinted
            .is_some_and(|hinted| now.since(hinted) < ms(5_000));
        self.edges.reading_due = now.after(ms(if is_close { 500 } else { POLL }));
        let services: Vec<ServiceId> = self
            .world
            .services
            .iter()
            .map(|service| service.id.clone())
            .collect();
        let reading = DatabaseReading {
            database: database(),
            kind: DatabaseKind::MySql,
            services,
            at: now,
            tables: Ok(self.world.standings(now)),
        };
        let observation = Observation::Database(reading);
        self.sees(&observation, now);
        if self.trouble.is_doubled("database", now, 8) {
            self.edges.again.push((now.after(ms(30)), observation));
        }
    }

    /// Evidence hurries the database.
    pub(super) fn hurries(&mut self, observation: &Observation) {
        let known = |container| self.state.durable.containers.known.get(container);
        let is_hint = match observation {
            Observation::ProcessLine { line, .. } => line.saying != Saying::Skipped,
            Observation::ExecStarted { .. } | Observation::ExecEnded { .. } => true,
            Observation::Line { line, .. } if line.saying == Saying::Skipped => false,
            Observation::Line { container, .. }
            | Observation::Started { container, .. }
            | Observation::Died { container, .. } => {
                known(container).is_some_and(|known| known.armed.source != ArmedSource::Nothing)
            }
            _ => false,
        };
        if is_hint {
            self.edges.hinted = Some(self.now);
            self.edges.reading_due = self.edges.reading_due.min(self.now.after(ms(50)));
        }
    }
}
