//! What people approve, and what the configuration expects.

use std::time::Duration;

use migwatch::judge::settings::{Scope, Times, Window};
use migwatch::model::approval::{Approval, ApprovalId, ApprovalKind, ApprovalRecord, ApprovalRequest};
use migwatch::model::migration::Migration;
use migwatch::model::observation::Observation;
use migwatch::model::revision::Revision;
use migwatch::model::time::Timestamp;

use super::{Story, service_id};

/// What kim asks for: any migration of this service, for half an hour.
pub(crate) fn leave(service: &str) -> ApprovalRequest {
    ApprovalRequest {
        service: service_id(service),
        by: "kim".into(),
        reason: "release 42".into(),
        lasts: Duration::from_secs(1800),
        to: None,
        triggers: [].into(),
        restore: false,
        kind: ApprovalKind::Approve,
    }
}

/// The same, to one revision.
pub(crate) fn leave_to(service: &str, revision: &str) -> ApprovalRequest {
    ApprovalRequest {
        to: Some(Revision(revision.into())),
        ..leave(service)
    }
}

/// The same, for as long as a command runs.
pub(crate) fn deploy(service: &str) -> ApprovalRequest {
    ApprovalRequest {
        kind: ApprovalKind::Deploy,
        ..leave(service)
    }
}

impl Story {
    /// Somebody approves something now.
    pub(crate) fn approved(&mut self, request: ApprovalRequest) -> ApprovalId {
        let id = self.state.durable.expectations.new_id(self.now);
        let approval: Approval = request.given(id.clone(), self.now);
        self.sees(Observation::Approved(approval));
        id
    }

    pub(crate) fn revoked(&mut self, id: &ApprovalId) -> &mut Self {
        self.sees(Observation::ApprovalRevoked {
            id: id.clone(),
            by: "lee".into(),
        })
    }

    /// The command of a deploy ends.
    pub(crate) fn deploy_ends(&mut self, id: &ApprovalId) -> &mut Self {
        self.sees(Observation::DeployEnded { id: id.clone() })
    }

    pub(crate) fn approval(&self, id: &ApprovalId) -> &ApprovalRecord {
        &self.state.durable.expectations.approvals[id]
    }

    /// Why an approval is over, in words; empty while it is open.
    pub(crate) fn end_of(&self, id: &ApprovalId) -> String {
        let ended = self.approval(id).ended.as_ref();
        ended.map(|ended| ended.why.to_string()).unwrap_or_default()
    }

    /// The latest migration.
    pub(crate) fn latest(&self) -> &Migration {
        self.migrations().pop().expect("there is a migration")
    }

    /// A window of the configuration that is open once, for a service.
    pub(crate) fn window(
        &mut self,
        name: &str,
        service: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> &mut Self {
        let window = Window {
            times: Times::Once { from, until },
            covers: vec![Scope::Service(service_id(service))],
            to: None,
        };
        self.settings.windows.named.insert(name.into(), window);
        self
    }
}
