//! Commands inside the engine's containers: their events, and what `GET /exec/ID/json` says of them (measured on 20.10).

use migwatch::model::exec::ExecId;
use migwatch::model::service::ContainerId;
use serde_json::{Value, json};

use super::{FakeEngine, State};

/// One command.
pub(super) struct Exec {
    id: ExecId,
    container: ContainerId,
    running: bool,
    exit_code: Option<i32>,
    pid: u32,
}

impl FakeEngine {
    /// A command starts in a container.
    pub(crate) fn exec(&self, container: &ContainerId, argv: &[&str]) -> ExecId {
        self.exec_as(container, argv, 4711)
    }

    /// A command is started, and there is no such program: its end is never told.
    pub(crate) fn exec_cannot_start(&self, container: &ContainerId, argv: &[&str]) -> ExecId {
        let id = self.exec_as(container, argv, 0);
        self.change_exec(&id, |exec| (exec.running, exec.exit_code) = (false, Some(126)));
        id
    }

    /// The client goes away: the engine says that the command is over, and it goes on.
    pub(crate) fn exec_loses_client(&self, id: &ExecId) {
        self.change_exec(id, |exec| (exec.running, exec.exit_code) = (false, Some(126)));
    }

    /// The command ends.
    pub(crate) fn exec_ends(&self, id: &ExecId, code: i32) {
        let container = self.change_exec(id, |exec| {
            (exec.running, exec.exit_code) = (false, Some(code));
            exec.container.clone()
        });
        let code = code.to_string();
        if self.shared.state().podman {
            self.event(&container, "exec_died", &[("containerExitCode", &code)]);
        } else {
            self.event(&container, "exec_die", &[("execID", &id.0), ("exitCode", &code)]);
        }
    }

    /// The engine forgets the command, as it does some minutes after its end or after a restart of its own.
    pub(crate) fn forget_exec(&self, id: &ExecId) {
        self.shared
            .change(|state, _| state.execs.retain(|exec| exec.id != *id));
    }

    fn exec_as(&self, container: &ContainerId, argv: &[&str], pid: u32) -> ExecId {
        let (id, podman) = self.shared.change(|state, _| {
            let id = ExecId(format!("{:064x}", 0xe0_0000 + state.execs.len()));
            state.execs.push(Exec {
                id: id.clone(),
                container: container.clone(),
                running: true,
                exit_code: None,
                pid,
            });
            (id, state.podman)
        });
        if podman {
            self.event(container, "exec", &[]);
            return id;
        }
        // The engine puts a blank behind the program, whatever follows.
        let (program, arguments) = argv.split_first().expect("a command has a program");
        let text = format!("{program} {}", arguments.join(" "));
        self.event(container, &format!("exec_create: {text}"), &[("execID", &id.0)]);
        self.event(container, &format!("exec_start: {text}"), &[("execID", &id.0)]);
        id
    }

    fn change_exec<T>(&self, id: &ExecId, change: impl FnOnce(&mut Exec) -> T) -> T {
        self.shared.change(|state, _| {
            let exec = state.execs.iter_mut().find(|exec| exec.id == *id);
            change(exec.expect("the test names a command that is there"))
        })
    }
}

/// What `GET /exec/ID/json` answers.
pub(super) fn inspect(state: &State, id: &str) -> Option<Value> {
    let exec = state.execs.iter().find(|exec| exec.id.0 == id)?;
    Some(json!({
        "ID": exec.id.0,
        "Running": exec.running,
        "ExitCode": exec.exit_code,
        "ContainerID": exec.container.0,
        "Pid": exec.pid,
    }))
}
