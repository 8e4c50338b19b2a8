//! Walks through a start command and finds which migration commands would run, and what decides it.
//!
//! Promises an answer in three values for any text, in bounded time. Assumes that ordinary commands succeed. Refuses to run anything and
//! to know which variables are usual.

use std::collections::BTreeMap;

use super::answer::{Asked, Found, Reads, Tri, Variables, note};
use super::condition::{self, HARMLESS};
use super::expansion::assignment;
use super::script::{Token, Word, opens_case, tokens};
use super::shells::{nested, went};
use super::tools::{self, base};

/// How deep shells may be nested in shells.
const DEPTH: u8 = 3;
/// Longer scripts are not start commands.
const LONGEST: usize = 64 * 1024;

/// What joins a command to the one before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    Next,
    And,
    Or,
    Pipe,
}

/// An open `if`, `case` or group.
struct Frame {
    kind: Kind,
    outer: Tri,
    outer_asked: Vec<Asked>,
    /// Whether it is entered at all.
    entered: Tri,
    /// Some earlier branch was taken.
    taken: Tri,
    /// The walk is between `if` and `then`.
    condition: bool,
    joint: Joint,
    status: Tri,
    chain: Vec<Asked>,
    folder: Option<String>,
}

enum Kind {
    If,
    Case(Option<String>),
    Group,
}

/// The state of a walk.
pub(super) struct Walk<'a> {
    pub(super) variables: Variables<'a>,
    /// How deep defaults stand in defaults just now.
    pub(super) defaults: u8,
    pub(super) assigned: BTreeMap<String, (Option<String>, Vec<Asked>)>,
    /// Whether the walk is in a branch that runs, and what decided it.
    live: Tri,
    live_asked: Vec<Asked>,
    /// The last command's success, and what was asked in this chain of `&&` and `||`.
    status: Tri,
    pub(super) chain: Vec<Asked>,
    joint: Joint,
    /// What the last `echo` printed of variables: asked if a pipe follows.
    piped: Vec<Asked>,
    /// `exit` or `exec` came before, and what decided that.
    ended: Tri,
    ended_asked: Vec<Asked>,
    frames: Vec<Frame>,
    pub(super) found: Vec<Found>,
    /// Where `cd` went, from where the command begins.
    folder: Option<String>,
    depth: u8,
}

impl<'a> Walk<'a> {
    pub(super) fn new(variables: Variables<'a>) -> Self {
        Self {
            variables,
            defaults: 0,
            assigned: BTreeMap::new(),
            live: Tri::Yes,
            live_asked: Vec::new(),
            status: Tri::Yes,
            chain: Vec::new(),
            joint: Joint::Next,
            piped: Vec::new(),
            ended: Tri::No,
            ended_asked: Vec::new(),
            frames: Vec::new(),
            found: Vec::new(),
            folder: Some(String::new()),
            depth: 0,
        }
    }

    /// Walks through an argv: one command whose words nothing expands.
    pub(super) fn argv(&mut self, argv: &[String]) {
        let words: Vec<Word> = argv.iter().map(|word| Word::literal(word)).collect();
        self.command(&words);
    }

    fn script(&mut self, text: &str) {
        if text.len() > LONGEST || self.depth >= DEPTH {
            return;
        }
        self.depth += 1;
        let open = self.frames.len();
        let mut words: Vec<Word> = Vec::new();
        let mut patterns: Option<Vec<Word>> = None;
        for token in tokens(text) {
            match (token, patterns.as_mut()) {
                (Token::Word(word), Some(some)) if some.is_empty() && word.keyword() == Some("esac") => {
                    patterns = None;
                    self.leave();
                }
                (Token::Word(word), Some(some)) => some.push(word),
                (Token::Close, Some(some)) => {
                    self.branch(some);
                    patterns = None;
                }
                (_, Some(_)) => {}
                (Token::Word(word), None) => {
                    words.push(word);
                    if opens_case(&words) {
                        self.simple(&std::mem::take(&mut words));
                        patterns = Some(Vec::new());
                    }
                }
                (token, None) => {
                    self.simple(&std::mem::take(&mut words));
                    self.operator(&token);
                    let in_case = matches!(
                        self.frames.last(),
                        Some(Frame {
                            kind: Kind::Case(_),
                            ..
                        })
                    );
                    patterns = (token == Token::CaseEnd && in_case).then(Vec::new);
                }
            }
        }
        self.simple(&words);
        while self.frames.len() > open {
            self.leave();
        }
        self.depth -= 1;
    }

    fn operator(&mut self, token: &Token) {
        match token {
            Token::And => self.joint = Joint::And,
            Token::Or => self.joint = Joint::Or,
            Token::Pipe => {
                self.joint = Joint::Pipe;
                note(&mut self.chain, std::mem::take(&mut self.piped));
            }
            Token::Open => self.enter(Kind::Group),
            Token::Close => self.leave_group(),
            Token::CaseEnd | Token::End | Token::Word(_) => self.next(),
        }
    }

    fn next(&mut self) {
        self.joint = Joint::Next;
        let asked = std::mem::take(&mut self.chain);
        if self.frames.last().is_some_and(|frame| frame.condition) {
            note(&mut self.live_asked, asked);
        }
    }

    /// Whether the next command would run, as far as its chain decides.
    fn go(&self) -> Tri {
        match self.joint {
            Joint::Next | Joint::Pipe => Tri::Yes,
            Joint::And => self.status,
            Joint::Or => self.status.not(),
        }
    }

    fn succeed(&mut self, joint: Joint, before: Tri, result: Tri) {
        self.status = match joint {
            Joint::Next | Joint::Pipe => result,
            Joint::And => before.and(result),
            Joint::Or => before.or(result),
        };
    }

    fn enter(&mut self, kind: Kind) {
        let live = self.live.and(self.go());
        let frame = Frame {
            condition: matches!(kind, Kind::If),
            kind,
            entered: live,
            outer: std::mem::replace(&mut self.live, live),
            outer_asked: self.live_asked.clone(),
            taken: Tri::No,
            joint: self.joint,
            status: self.status,
            chain: self.chain.clone(),
            folder: self.folder.clone(),
        };
        note(&mut self.live_asked, std::mem::take(&mut self.chain));
        self.frames.push(frame);
        self.next();
    }

    fn leave(&mut self) {
        if let Some(frame) = self.frames.pop() {
            if self.live != Tri::Yes {
                self.folder = frame.folder;
            }
            self.live = frame.outer;
            self.live_asked = frame.outer_asked;
            self.chain = frame.chain;
            self.succeed(frame.joint, frame.status, Tri::Yes);
        }
    }

    fn leave_group(&mut self) {
        if matches!(
            self.frames.last(),
            Some(Frame {
                kind: Kind::Group,
                ..
            })
        ) {
            self.leave();
        }
    }

    /// The branch of the open `if` or `case` whose condition is `taken_now`.
    fn take_branch(&mut self, taken_now: Tri) {
        self.next();
        if let Some(frame) = self.frames.last_mut() {
            self.live = frame.entered.and(frame.taken.not()).and(taken_now);
            frame.taken = frame.taken.or(taken_now);
            frame.condition = false;
        }
    }

    /// `elif`: its condition is looked at when no branch before was taken.
    fn next_condition(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            self.live = frame.entered.and(frame.taken.not());
            frame.condition = true;
        }
        self.next();
    }

    /// The branch of the open `case` behind these patterns.
    fn branch(&mut self, patterns: &[Word]) {
        let Some(Frame {
            kind: Kind::Case(value),
            ..
        }) = self.frames.last()
        else {
            return;
        };
        let matches = |pattern: &Word| match (value.as_deref(), pattern.written().as_str()) {
            (_, "*") => Tri::Yes,
            (Some(value), pattern) => condition::like(value, pattern),
            (None, _) => Tri::Perhaps,
        };
        let taken = patterns.iter().map(matches).fold(Tri::No, Tri::or);
        self.take_branch(taken);
    }

    /// A simple command, perhaps behind keywords.
    fn simple(&mut self, mut words: &[Word]) {
        while let Some((first, rest)) = words.split_first() {
            match first.keyword() {
                Some("if") => self.enter(Kind::If),
                Some("then") => self.take_branch(self.status),
                Some("elif") => self.next_condition(),
                Some("else") => self.take_branch(Tri::Yes),
                Some("fi" | "}" | "esac") => self.leave(),
                Some("{") => self.enter(Kind::Group),
                Some("done") => self.status = Tri::Yes,
                Some("do" | "while" | "until" | "time") => {}
                Some("for") => return,
                Some("case") => {
                    let value = rest.first().and_then(|word| self.expand(word));
                    return self.enter(Kind::Case(value));
                }
                _ => return self.command(words),
            }
            words = rest;
        }
    }

    fn command(&mut self, words: &[Word]) {
        let (joint, before, go) = (self.joint, self.status, self.go());
        let result = self.result(words, self.live.and(go).and(self.ended.not()));
        self.succeed(joint, before, result);
    }

    fn result(&mut self, mut words: &[Word], runs: Tri) -> Tri {
        let mut is_negated = false;
        while let Some((first, rest)) = words.split_first() {
            if first.keyword() == Some("!") {
                is_negated = !is_negated;
            } else if let Some((name, value)) = assignment(first) {
                self.assign(name, &value);
            } else {
                break;
            }
            words = rest;
        }
        let result = self.bare(words, runs);
        if is_negated { result.not() } else { result }
    }

    /// A command without what stands before it.
    fn bare(&mut self, words: &[Word], runs: Tri) -> Tri {
        let Some((first, rest)) = words.split_first() else {
            return Tri::Yes;
        };
        let texts: Vec<Option<String>> = words.iter().map(|word| self.quietly(word)).collect();
        let name = texts
            .first()
            .and_then(Option::as_deref)
            .map(base)
            .unwrap_or_default();
        match name {
            "[" | "[[" | "test" => condition::test(self, rest),
            "true" | "false" => {
                self.expand(first);
                Tri::of(name == "true")
            }
            ":" | "export" => {
                self.assign_all(rest);
                Tri::Yes
            }
            "echo" | "printf" => {
                let before = self.chain.len();
                for word in rest {
                    drop(self.expand(word));
                }
                self.piped = self.chain.split_off(before);
                Tri::Yes
            }
            "cd" => {
                self.folder = went(self.folder.take(), &texts);
                Tri::Yes
            }
            "grep" => Tri::Perhaps,
            _ => {
                let result = self.external(words, &texts, runs);
                if matches!(name, "exec" | "exit" | "return") {
                    self.ended = self.ended.or(runs);
                    let asked: Vec<Asked> = self.live_asked.iter().chain(&self.chain).cloned().collect();
                    note(&mut self.ended_asked, asked);
                }
                result
            }
        }
    }

    fn external(&mut self, words: &[Word], texts: &[Option<String>], runs: Tri) -> Tri {
        if let Some(script) = nested(words, texts) {
            let ended = (self.ended, self.ended_asked.len());
            self.enter(Kind::Group);
            self.live = runs;
            self.script(&script);
            self.leave();
            self.ended = ended.0;
            self.ended_asked.truncate(ended.1);
            return Tri::Yes;
        }
        let texts: Vec<&str> = texts
            .iter()
            .map(|text| text.as_deref().unwrap_or_default())
            .collect();
        let reads = tools::read(&texts);
        let asked: Vec<Asked> = self
            .ended_asked
            .iter()
            .chain(&self.live_asked)
            .chain(&self.chain)
            .cloned()
            .collect();
        let harmless = texts.first().is_some_and(|name| HARMLESS.contains(&base(name)));
        if reads != Reads::Nothing || (!asked.is_empty() && !harmless) {
            self.found.push(Found {
                runs,
                asked,
                reads,
                folder: self.folder.clone(),
                text: texts.join(" "),
            });
        }
        tools::result(&texts)
    }
}
