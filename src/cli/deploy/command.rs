//! Runs a command as if it had been called directly: same streams, same folder, signals passed on, its own exit code.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;
use tokio::signal::unix::{Signal as Heard, SignalKind, signal};

use super::super::{CliError, UNREACHABLE};

/// What is added to the number of a signal that ended a command, as shells do.
const BY_SIGNAL: i32 = 128;

/// The signals that ask a command to end.
struct Signals {
    hang_up: Heard,
    interrupt: Heard,
    quit: Heard,
    terminate: Heard,
}

impl Signals {
    fn heard() -> Result<Self, CliError> {
        let hear = |kind, name| signal(kind).map_err(|error| CliError::Signal(name, error));
        Ok(Self {
            hang_up: hear(SignalKind::hangup(), "SIGHUP")?,
            interrupt: hear(SignalKind::interrupt(), "SIGINT")?,
            quit: hear(SignalKind::quit(), "SIGQUIT")?,
            terminate: hear(SignalKind::terminate(), "SIGTERM")?,
        })
    }

    /// The next one that the command has not heard itself.
    async fn next(&mut self, has_terminal: bool) -> Signal {
        loop {
            let (signal, is_typed) = tokio::select! {
                Some(()) = self.hang_up.recv() => (Signal::HUP, false),
                Some(()) = self.interrupt.recv() => (Signal::INT, true),
                Some(()) = self.quit.recv() => (Signal::QUIT, true),
                Some(()) = self.terminate.recv() => (Signal::TERM, false),
            };
            // What is typed at a terminal goes to the command as well; twice would mean more than once (compose kills then).
            if !(is_typed && has_terminal) {
                return signal;
            }
        }
    }
}

/// Runs it to its end; gives its exit code, or 128 and the number of the signal that ended it.
pub(super) async fn run(command: &[OsString]) -> Result<u8, CliError> {
    let Some((program, arguments)) = command.split_first() else {
        return Ok(UNREACHABLE);
    };
    let mut signals = Signals::heard()?;
    let has_terminal =
        std::io::stdin().is_terminal() || std::io::stdout().is_terminal() || std::io::stderr().is_terminal();
    let spawned = tokio::process::Command::new(program).args(arguments).spawn();
    let failed = |error| CliError::Command(program.to_string_lossy().into_owned(), error);
    let mut child = spawned.map_err(failed)?;
    loop {
        tokio::select! {
            ended = child.wait() => return ended.map(code).map_err(failed),
            signal = signals.next(has_terminal) => pass_on(&child, signal),
        }
    }
}

/// `work` to its end, or the exit code for the signal that came before: the command is over, so signals mean us.
pub(super) async fn uninterrupted<T>(work: impl Future<Output = T>) -> Result<T, u8> {
    let interrupted = async {
        match Signals::heard() {
            Ok(mut signals) => signals.next(false).await,
            // What cannot be heard ends us by itself.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        signal = interrupted => Err(exit_code(signal.as_raw().saturating_add(BY_SIGNAL))),
        done = work => Ok(done),
    }
}

fn pass_on(child: &Child, signal: Signal) {
    let id = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw);
    if let Some(id) = id {
        // One that has just ended needs no signal any more.
        let _ = kill_process(id, signal);
    }
}

fn code(status: ExitStatus) -> u8 {
    let by_signal = status.signal().map(|signal| signal.saturating_add(BY_SIGNAL));
    let code = status.code().or(by_signal).unwrap_or(i32::from(UNREACHABLE));
    exit_code(code)
}

fn exit_code(code: i32) -> u8 {
    u8::try_from(code).unwrap_or(u8::MAX)
}
