//! The JSON API: serde forms of the model, and the bodies that callers send.
//!
//! Refuses to know HTTP: takes texts, gives values or the sentence that says what is wrong with the question.

mod approvals;

use serde::Deserialize;

use super::routes::Caller;
use super::{Command, HistoryQuery, PlanQuery};
use crate::alembic::plan;
use crate::judge::preflight::Question;
use crate::model::revision::Revision;
use crate::model::service::ServiceId;

pub(super) use approvals::{approval, end_of_deploy, revocation};

/// How many migrations are given when nobody says.
const DEFAULT_LIMIT: usize = 100;
/// The most migrations of one answer, so that one question cannot load years into memory.
const LARGEST_LIMIT: usize = 1000;
/// The longest ID, name and note that are taken, in characters.
const LONGEST: [(&str, usize); 3] = [("id", 200), ("by", 200), ("note", 1000)];

/// What `POST /api/v1/ack` takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AckBody {
    id: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    by: String,
}

/// `project=&service=&since=&limit=`; an empty value is as none.
pub(super) fn history_query(query: &str) -> Result<HistoryQuery, String> {
    let mut asked = HistoryQuery {
        project: None,
        service: None,
        since: None,
        limit: DEFAULT_LIMIT,
    };
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if value.is_empty() {
            continue;
        }
        match key.as_ref() {
            "project" => asked.project = Some(value.into_owned()),
            "service" => asked.service = Some(value.into_owned()),
            "since" => asked.since = Some(value.parse().map_err(|error| format!("since: {error}"))?),
            "limit" => asked.limit = limit(&value)?,
            other => {
                return Err(format!(
                    "unknown parameter {other:?}: project, service, since and limit are known"
                ));
            }
        }
    }
    Ok(asked)
}

/// `service=PROJECT/SERVICE&target=`
pub(super) fn plan_query(query: &str) -> Result<PlanQuery, String> {
    let (mut service, mut target) = (None, plan::EVERYTHING.to_owned());
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match key.as_ref() {
            "service" => service = Some(service_id(&value)?),
            "target" if !value.is_empty() => target = value.into_owned(),
            "target" => {}
            other => {
                return Err(format!(
                    "unknown parameter {other:?}: service and target are known"
                ));
            }
        }
    }
    let service = service.ok_or("service: say which, as PROJECT/SERVICE")?;
    Ok(PlanQuery { service, target })
}

/// `service=PROJECT/SERVICE&rehearsed_in=PROJECT&revision=&revision=...`
pub(super) fn preflight_query(query: &str) -> Result<Question, String> {
    let (mut service, mut rehearsed_in, mut revisions) = (None, None, Vec::new());
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match key.as_ref() {
            "service" => service = Some(service_id(&value)?),
            "rehearsed_in" => rehearsed_in = Some(value.into_owned()).filter(|value| !value.is_empty()),
            "revision" => revisions.push(Revision(value.into_owned())),
            other => {
                return Err(format!(
                    "unknown parameter {other:?}: service, rehearsed_in and revision are known"
                ));
            }
        }
    }
    let service = service.ok_or("service: say which, as PROJECT/SERVICE")?;
    Ok(Question {
        service,
        revisions,
        rehearsed_in,
    })
}

/// `PROJECT/SERVICE`
pub(super) fn service_id(text: &str) -> Result<ServiceId, String> {
    match text.split_once('/') {
        Some((project, service)) if !project.is_empty() && !service.is_empty() => {
            Ok(ServiceId::new(project, service))
        }
        _ => Err(format!("service: write PROJECT/SERVICE, not {text:?}")),
    }
}

fn limit(value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(limit @ 1..=LARGEST_LIMIT) => Ok(limit),
        _ => Err(format!("limit: {value:?} is no number from 1 to {LARGEST_LIMIT}")),
    }
}

/// The command that a body of `POST /api/v1/ack` asks for.
pub(super) fn acknowledgement(body: &[u8], caller: &Caller) -> Result<Command, String> {
    let AckBody { id, note, by } = serde_json::from_slice(body)
        .map_err(|error| format!("the body is not {{\"id\": …, \"note\": …}}: {error}"))?;
    if id.trim().is_empty() {
        return Err("id: say which migration or alert, as its alert shows it".to_owned());
    }
    for ((name, longest), text) in LONGEST.iter().zip([&id, &by, &note]) {
        if text.chars().nth(*longest).is_some() {
            return Err(format!("{name}: longer than {longest} characters"));
        }
    }
    let by = if by.trim().is_empty() {
        caller.to_string()
    } else {
        by
    };
    Ok(Command::Acknowledge { id, by, note })
}

#[cfg(test)]
mod tests {
    use super::{Caller, Command, HistoryQuery, acknowledgement, history_query};

    #[test]
    fn a_history_question_is_read_with_its_escapes() {
        let asked =
            history_query("project=coe%20demo&service=coe-backend&limit=7&since=2026-11-23T09:00:00Z")
                .unwrap();
        let since = Some("2026-11-23T09:00:00Z".parse().unwrap());
        let (project, service) = (Some("coe demo".into()), Some("coe-backend".into()));
        assert_eq!(
            asked,
            HistoryQuery {
                project,
                service,
                since,
                limit: 7
            }
        );
    }

    #[test]
    fn a_wrong_history_question_is_answered_with_what_is_wrong() {
        for (query, says) in [
            ("limit=0", "limit: \"0\" is no number from 1 to 1000"),
            ("limit=1001", "limit: \"1001\" is no number"),
            ("limit=many", "limit: \"many\" is no number"),
            ("since=yesterday", "since: not an RFC 3339 time: \"yesterday\""),
            ("servise=x", "unknown parameter \"servise\""),
        ] {
            let error = history_query(query).unwrap_err();
            assert!(error.starts_with(says), "{error}");
        }
    }

    #[test]
    fn an_acknowledgement_without_a_name_is_by_whoever_is_at_the_other_end() {
        let command = acknowledgement(
            br#"{"id": "abc-1", "note": "planned"}"#,
            &Caller::Owner { user: 1000 },
        );
        let (id, by, note) = ("abc-1".to_owned(), "user 1000".to_owned(), "planned".to_owned());
        assert_eq!(command, Ok(Command::Acknowledge { id, by, note }));
    }

    #[test]
    fn a_wrong_acknowledgement_is_answered_with_what_is_wrong() {
        let long = format!(r#"{{"id": "a", "note": "{}"}}"#, "가".repeat(1001));
        for (body, says) in [
            ("", "the body is not {\"id\""),
            ("{}", "missing field `id`"),
            (r#"{"id": " "}"#, "id: say which"),
            (r#"{"id": "a", "nota": "b"}"#, "unknown field `nota`"),
            (long.as_str(), "note: longer than 1000 characters"),
        ] {
            let error = acknowledgement(body.as_bytes(), &Caller::Owner { user: 0 }).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
