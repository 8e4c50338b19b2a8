//! Execs whose command the engine does not tell: only the database can say whether they migrated.

use super::Live;
use crate::model::exec::{ExecCommand, ExecId};
use crate::model::service::ContainerId;
use crate::model::time::Timestamp;

/// So many are remembered; older ones explain nothing any more.
const KEEP: usize = 64;

/// An exec that nobody can read.
#[derive(Clone, Debug)]
pub struct UntoldExec {
    /// Where.
    pub container: ContainerId,
    /// Which.
    pub exec: ExecId,
    /// When it began.
    pub at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl Live {
    pub(super) fn exec_started(
        &mut self,
        container: &ContainerId,
        exec: &ExecId,
        at: Timestamp,
        command: &ExecCommand,
    ) {
        let is_known = self.untold.iter().any(|known| known.exec == *exec);
        if *command != ExecCommand::Untold || is_known {
            return;
        }
        self.untold.push(UntoldExec {
            container: container.clone(),
            exec: exec.clone(),
            at,
            ended_at: None,
        });
        let surplus = self.untold.len().saturating_sub(KEEP);
        self.untold.drain(..surplus);
    }

    pub(super) fn exec_ended(&mut self, exec: &ExecId, at: Timestamp) {
        for known in self.untold.iter_mut().filter(|known| known.exec == *exec) {
            known.ended_at.get_or_insert(at);
        }
    }
}
