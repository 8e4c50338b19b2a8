//! Approvals and windows as the demo stack might have them: open, used up, over.

use migwatch::model::approval::{Approval, ApprovalEnd, ApprovalId, ApprovalKind, ApprovalRecord, Ended};
use migwatch::model::fact::Fact;
use migwatch::model::migration::Trigger;
use migwatch::model::revision::Revision;
use migwatch::model::status::{ExpectationsOpen, OpenWindow};

use super::sample_migrations::{ago, now, service, unexpected};

/// Open for five more minutes, for one revision.
pub(crate) fn approval() -> Approval {
    Approval {
        id: ApprovalId("ap-mfx0z4qa".into()),
        service: service("coe-backend"),
        by: "kim".into(),
        reason: "릴리스 42 <b>".into(),
        from: ago(1_500),
        until: now().after(std::time::Duration::from_secs(300)),
        to: Some(Revision("c0ffee123456".into())),
        triggers: [Trigger::Exec, Trigger::OneOff].into(),
        restore: true,
        kind: ApprovalKind::Approve,
    }
}

/// Every sample, newest first.
pub(crate) fn all() -> Vec<ApprovalRecord> {
    let deploy = Approval {
        id: ApprovalId("ap-mfx0a1b2".into()),
        service: service("coe-ragpipeline"),
        reason: "release 41".into(),
        from: ago(4_000),
        until: ago(400),
        to: None,
        triggers: [].into(),
        restore: false,
        kind: ApprovalKind::Deploy,
        ..approval()
    };
    let used = ApprovalRecord {
        used_by: vec![unexpected().id],
        ended: Some(Ended {
            at: ago(3_900),
            why: ApprovalEnd::UsedUp,
        }),
        ..ApprovalRecord::new(deploy)
    };
    vec![ApprovalRecord::new(approval()), used]
}

/// Open, for one service.
pub(crate) fn window() -> OpenWindow {
    OpenWindow {
        name: "nightly".into(),
        from: ago(600),
        until: now().after(std::time::Duration::from_secs(3_000)),
        services: vec![service("coe-ragpipeline")],
        to: None,
    }
}

/// How many of these cover a service.
pub(crate) fn open_for(name: &str) -> ExpectationsOpen {
    ExpectationsOpen {
        approvals: u32::from(name == "coe-backend"),
        windows: u32::from(name == "coe-ragpipeline"),
    }
}

/// One fact of every kind.
pub(crate) fn facts() -> Vec<Fact> {
    let id = approval().id;
    vec![
        Fact::ApprovalOpened { approval: approval() },
        Fact::ApprovalUsed {
            id: id.clone(),
            migration: unexpected().id,
        },
        Fact::ApprovalClosed {
            id,
            at: now(),
            reason: ApprovalEnd::Revoked { by: "lee".into() },
        },
    ]
}
