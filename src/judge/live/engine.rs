//! The engine as last seen. Refuses to know its containers.

use crate::model::time::Timestamp;

/// The engine as last seen.
#[derive(Clone, Debug, Default)]
pub struct Engine {
    /// Where.
    pub endpoint: String,
    /// Its version.
    pub version: Option<String>,
    /// It answers.
    pub up: bool,
    /// Why not.
    pub problem: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Seconds that its clock is ahead of ours; negative behind.
    pub ahead: i64,
    /// A full look was had since this process began.
    pub looked: bool,
}

impl Engine {
    /// ` (the engine's clock is 5 s ahead of ours)` where it is off by more than can be overlooked.
    pub(in crate::judge) fn skew(&self) -> String {
        match self.ahead {
            0 => String::new(),
            ahead if ahead > 0 => format!(" (the engine's clock is {ahead} s ahead of ours)"),
            behind => format!(" (the engine's clock is {} s behind ours)", behind.unsigned_abs()),
        }
    }

    pub(super) fn up(&mut self, endpoint: &str, version: Option<String>, now: Timestamp) {
        if !self.up {
            self.since = Some(now);
        }
        endpoint.clone_into(&mut self.endpoint);
        self.version = version;
        self.up = true;
        self.problem = None;
    }

    pub(super) fn down(&mut self, endpoint: &str, reason: &str, now: Timestamp) {
        if self.up || self.since.is_none() {
            self.since = Some(now);
        }
        endpoint.clone_into(&mut self.endpoint);
        self.up = false;
        self.problem = Some(reason.to_owned());
    }
}
