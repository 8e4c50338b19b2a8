//! What callers send about approvals: opening one, taking it back, the end of a deploy's command.
//!
//! Refuses what cannot be meant, with the sentence that says what would be right; whether the service exists, the judge knows.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;

use super::super::Command;
use super::super::routes::Caller;
use super::service_id;
use crate::model::approval::{ApprovalId, ApprovalKind, ApprovalRequest};
use crate::model::migration::Trigger;
use crate::model::redact::{redact, shorten};
use crate::model::revision::Revision;

/// An approval lasts at least so long ...
const SHORTEST: Duration = Duration::from_mins(1);
/// ... and at most so long: what is to be expected for longer is a window or a policy.
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// What `POST /api/v1/approvals` takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApprovalBody {
    service: String,
    #[serde(rename = "for")]
    lasts: String,
    reason: String,
    #[serde(default)]
    by: String,
    #[serde(default)]
    to: Option<String>,
    #[serde(default)]
    triggers: BTreeSet<Trigger>,
    #[serde(default)]
    restore: bool,
    #[serde(default = "approve")]
    kind: ApprovalKind,
}

fn approve() -> ApprovalKind {
    ApprovalKind::Approve
}

/// What `POST /api/v1/approvals/revoke` and `.../end` take.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndBody {
    id: String,
    #[serde(default)]
    by: String,
}

/// The command that a body of `POST /api/v1/approvals` asks for.
pub(in super::super) fn approval(body: &[u8], caller: &Caller) -> Result<Command, String> {
    let body: ApprovalBody = serde_json::from_slice(body)
        .map_err(|error| format!("the body is not {{\"service\": …, \"for\": …, \"reason\": …}}: {error}"))?;
    let service = service_id(&body.service)?;
    let reason = text("reason", &body.reason, 1000)?;
    if reason.is_empty() {
        return Err("reason: say why, for those who read it later".to_owned());
    }
    let request = ApprovalRequest {
        service,
        by: by(&body.by, caller)?,
        reason,
        lasts: lasts(&body.lasts)?,
        to: body.to.as_deref().map(revision).transpose()?,
        triggers: body.triggers,
        restore: body.restore,
        kind: body.kind,
    };
    Ok(Command::Approve(request))
}

/// The command that a body of `POST /api/v1/approvals/revoke` asks for.
pub(in super::super) fn revocation(body: &[u8], caller: &Caller) -> Result<Command, String> {
    let body = end(body)?;
    let by = by(&body.by, caller)?;
    Ok(Command::Revoke { id: id(&body)?, by })
}

/// The command that a body of `POST /api/v1/approvals/end` asks for.
pub(in super::super) fn end_of_deploy(body: &[u8]) -> Result<Command, String> {
    Ok(Command::EndDeploy { id: id(&end(body)?)? })
}

fn end(body: &[u8]) -> Result<EndBody, String> {
    serde_json::from_slice(body).map_err(|error| format!("the body is not {{\"id\": …}}: {error}"))
}

fn id(body: &EndBody) -> Result<ApprovalId, String> {
    let id = text("id", &body.id, 200)?;
    if id.is_empty() {
        return Err("id: say which approval, as migwatch approve --list shows it".to_owned());
    }
    Ok(ApprovalId(id))
}

fn lasts(text: &str) -> Result<Duration, String> {
    let lasts = humantime::parse_duration(text)
        .map_err(|_| format!("for: {text:?} is no duration: write it as 30m or 1h 30m"))?;
    if (SHORTEST..=LONGEST).contains(&lasts) {
        Ok(lasts)
    } else {
        Err(format!(
            "for: {text:?} is not from 1m to 7days; what is expected for longer is a window"
        ))
    }
}

/// Where `head` is, only the scripts know.
fn revision(text: &str) -> Result<Revision, String> {
    let is_plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
    match text {
        "head" | "heads" => Err(format!(
            "to: give the revision itself: where {text} is, migwatch does not know"
        )),
        _ if !text.is_empty() && text.chars().count() <= 100 && is_plain(text) => {
            Ok(Revision(text.to_owned()))
        }
        _ => Err(format!("to: {:?} is no revision", shorten(text, 40))),
    }
}

fn by(given: &str, caller: &Caller) -> Result<String, String> {
    let given = text("by", given, 200)?;
    Ok(if given.is_empty() {
        caller.to_string()
    } else {
        given
    })
}

/// Foreign text: bounded, and without what looks like a secret.
fn text(name: &str, given: &str, longest: usize) -> Result<String, String> {
    if given.chars().nth(longest).is_some() {
        return Err(format!("{name}: longer than {longest} characters"));
    }
    Ok(redact(given.trim()))
}

#[cfg(test)]
mod tests {
    use super::{Caller, Command, approval, end_of_deploy, revocation};
    use crate::model::approval::{ApprovalId, ApprovalKind, ApprovalRequest};
    use crate::model::migration::Trigger;
    use crate::model::revision::Revision;
    use crate::model::service::ServiceId;
    use std::time::Duration;

    const OWNER: Caller = Caller::Owner { user: 1000 };

    #[test]
    fn an_approval_is_read_with_all_that_it_may_say() {
        let body = r#"{"service": "shop/backend", "for": "1h 30m", "reason": " 릴리스 42 ", "by": "kim", "to": "1975ea83b712",
            "triggers": ["exec", "one_off"], "restore": true, "kind": "deploy"}"#;
        let expected = ApprovalRequest {
            service: ServiceId::new("shop", "backend"),
            by: "kim".into(),
            reason: "릴리스 42".into(),
            lasts: Duration::from_mins(90),
            to: Some(Revision("1975ea83b712".into())),
            triggers: [Trigger::Exec, Trigger::OneOff].into(),
            restore: true,
            kind: ApprovalKind::Deploy,
        };
        assert_eq!(approval(body.as_bytes(), &OWNER), Ok(Command::Approve(expected)));
    }

    #[test]
    fn what_is_left_out_is_any_revision_any_trigger_and_whoever_is_at_the_other_end() {
        let body = br#"{"service": "shop/backend", "for": "30m", "reason": "release"}"#;
        let Ok(Command::Approve(request)) = approval(body, &OWNER) else {
            panic!("it is an approval")
        };
        assert_eq!(request.by, "user 1000");
        assert_eq!(
            (request.to, request.triggers.len(), request.restore),
            (None, 0, false)
        );
        assert_eq!(request.kind, ApprovalKind::Approve);
    }

    fn refused(service: &str, lasts: &str, reason: &str, more: &str) -> String {
        let body = format!(r#"{{"service": "{service}", "for": "{lasts}", "reason": "{reason}"{more}}}"#);
        approval(body.as_bytes(), &OWNER).expect_err(&body)
    }

    #[test]
    fn a_wrong_service_time_or_reason_is_answered_with_what_is_wrong() {
        let no_duration = "for: \"soon\" is no duration: write it as 30m";
        for (service, lasts, reason, says) in [
            (
                "backend",
                "30m",
                "x",
                "service: write PROJECT/SERVICE, not \"backend\"",
            ),
            ("shop/", "30m", "x", "service: write PROJECT/SERVICE"),
            ("shop/backend", "soon", "x", no_duration),
            ("shop/backend", "30s", "x", "for: \"30s\" is not from 1m to 7days"),
            (
                "shop/backend",
                "8days",
                "x",
                "for: \"8days\" is not from 1m to 7days",
            ),
            ("shop/backend", "30m", "  ", "reason: say why"),
        ] {
            let error = refused(service, lasts, reason, "");
            assert!(error.contains(says), "{error}");
        }
        let long = refused("a/b", "1h", &"가".repeat(1001), "");
        assert_eq!(long, "reason: longer than 1000 characters");
    }

    #[test]
    fn a_wrong_limit_is_answered_with_what_is_wrong() {
        for (more, says) in [
            (r#", "to": "head""#, "to: give the revision itself"),
            (r#", "to": "a b""#, "to: \"a b\" is no revision"),
            (r#", "triggers": ["cron"]"#, "unknown variant `cron`"),
            (r#", "until": "1h""#, "unknown field `until`"),
        ] {
            let error = refused("shop/backend", "30m", "x", more);
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn an_end_names_its_approval_and_a_revocation_also_who() {
        let id = ApprovalId("ap-1".into());
        assert_eq!(
            revocation(br#"{"id": "ap-1"}"#, &OWNER),
            Ok(Command::Revoke {
                id: id.clone(),
                by: "user 1000".into()
            })
        );
        assert_eq!(end_of_deploy(br#"{"id": "ap-1"}"#), Ok(Command::EndDeploy { id }));
        let error = revocation(br#"{"id": " "}"#, &OWNER).unwrap_err();
        assert!(error.starts_with("id: say which approval"), "{error}");
        assert!(end_of_deploy(b"").is_err());
    }
}
