//! What people ask of the monitor: each command becomes an observation like any other, and is answered once that is written.

use super::Monitor;
use crate::http::{Command, Done, Reply};
use crate::judge::expectation;
use crate::model::approval::{ApprovalEnd, ApprovalId, ApprovalRequest};
use crate::model::fact::Fact;
use crate::model::observation::Observation;

impl Monitor {
    pub(super) fn on_command(&mut self, command: Command, reply: Reply) {
        let answer = match command {
            Command::Acknowledge { id, by, note } => self.acknowledge(&id, by, note),
            Command::Approve(request) => self.approve(request),
            Command::Revoke { id, by } => self.revoke(&id, by),
            Command::EndDeploy { id } => self.end_deploy(&id),
            Command::Reload => Err("reloads are carried out elsewhere".to_owned()),
        };
        // Whoever asked may be gone; what was written stays written.
        let _ = reply.send(answer);
    }

    fn acknowledge(&mut self, id: &str, by: String, note: String) -> Result<Done, String> {
        let facts = self.take(&mut vec![Observation::Acknowledged {
            id: id.to_owned(),
            by,
            note,
        }]);
        let is_closed = facts.iter().any(|fact| {
            matches!(
                fact,
                Fact::MigrationAcknowledged { .. } | Fact::AlertAcknowledged { .. }
            )
        });
        if !is_closed {
            return Err(format!(
                "nothing open has the id {id}: see migwatch status for what fires"
            ));
        }
        Ok(format!("{id} is acknowledged").into())
    }

    fn approve(&mut self, request: ApprovalRequest) -> Result<Done, String> {
        let settings = self.config.borrow().settings.clone();
        if let Some(refusal) = expectation::refusal(&self.state, &settings, &request.service) {
            return Err(refusal);
        }
        let now = self.clock.now();
        let id = self.state.durable.expectations.new_id(now);
        let approval = request.given(id, now);
        self.take(&mut vec![Observation::Approved(approval.clone())]);
        let mut message = format!(
            "a migration of {} is approved until {}: {}",
            approval.service, approval.until, approval.id
        );
        if !self.own.unwritten.is_empty() {
            message.push_str("; the disk refuses it for now: it holds as long as this migwatch runs");
        }
        Ok(Done {
            message,
            approval: Some(approval),
        })
    }

    fn revoke(&mut self, id: &ApprovalId, by: String) -> Result<Done, String> {
        self.is_open(id)?;
        self.take(&mut vec![Observation::ApprovalRevoked { id: id.clone(), by }]);
        Ok(format!("{id} is revoked").into())
    }

    /// One that is over already is no mistake of whoever says so now: its migration may have used it up.
    fn end_deploy(&mut self, id: &ApprovalId) -> Result<Done, String> {
        let approvals = &self.state.durable.expectations.approvals;
        let Some(record) = approvals.get(id) else {
            return Err(unknown(id));
        };
        let service = record.approval.service.clone();
        self.take(&mut vec![Observation::DeployEnded { id: id.clone() }]);
        // What the command did is looked at now.
        self.hurry.service(&service);
        let approvals = &self.state.durable.expectations.approvals;
        let ended = approvals.get(id).and_then(|record| record.ended.as_ref());
        Ok(match ended.map(|ended| &ended.why) {
            Some(ApprovalEnd::CommandEnded) | None => format!("{id} is over"),
            Some(why) => format!("{id} was over already: {why}"),
        }
        .into())
    }

    fn is_open(&self, id: &ApprovalId) -> Result<(), String> {
        let approvals = &self.state.durable.expectations.approvals;
        match approvals.get(id) {
            None => Err(unknown(id)),
            Some(record) => match &record.ended {
                None => Ok(()),
                Some(ended) => Err(format!(
                    "the approval {id} is over since {}: {}",
                    ended.at, ended.why
                )),
            },
        }
    }
}

fn unknown(id: &ApprovalId) -> String {
    format!("no approval has the id {id}: see migwatch approve --list")
}
