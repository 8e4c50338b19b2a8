//! The migrations: verdict, outcome, steps and evidence of each.

use maud::{Markup, html};

use super::expectations;
use super::words::{Tone, badge, lasted, moment, time_of_day};
use crate::model::alert::{Alert, AlertName};
use crate::model::cause::Cause;
use crate::model::log::StepKind;
use crate::model::migration::{Migration, Outcome, TimedStep, Verdict};
use crate::model::revision::{Heads, Revision};
use crate::model::status::Status;

/// Recent migrations and every open one.
pub(super) fn section(status: &Status) -> Markup {
    html! {
        section #migrations {
            h2 { "Migrations" }
            @if status.migrations.is_empty() { p.quiet { "No migration was seen yet." } }
            @for migration in &status.migrations { (card(status, migration)) }
        }
    }
}

fn card(status: &Status, migration: &Migration) -> Markup {
    let (class, tone, verdict) = verdict(migration);
    html! {
        article class=(class) id={ "m-" (migration.id) } {
            p.head {
                (badge(tone, verdict)) " "
                (badge(outcome_tone(migration.outcome), &migration.outcome.as_str().replace('_', " "))) " "
                strong { (migration.service) } " "
                span.quiet { (moment(status.at, migration.started_at)) }
            }
            p.move {
                @if let (Some(from), Some(to)) = (migration.from(), migration.to()) { code { (from) " → " (to) } " " }
                span.quiet { (told(migration)) }
            }
            @if let Some(alert) = stuck(status, migration) {
                p { (badge(Tone::Bad, "stuck")) " " (alert.summary) ", began " (moment(status.at, alert.starts_at)) }
            }
            p {
                (migration.judgement.reason)
                span.quiet { " (" (migration.judgement.rule.as_str()) ")" (expectations::covered(migration)) }
            }
            @if let Some(cause) = &migration.cause { (failure(cause)) }
            @if !migration.steps.is_empty() {
                ol.steps { @for step in &migration.steps { (line_of(step)) } }
            }
            @if let Some(acknowledgement) = &migration.acknowledged {
                p { "Acknowledged by " (acknowledgement.by) " " (moment(status.at, acknowledgement.at))
                    @if !acknowledgement.note.is_empty() { ": " (acknowledgement.note) } }
            }
            (evidence(migration))
        }
    }
}

/// What says that a running migration gets no further.
fn stuck<'a>(status: &'a Status, migration: &Migration) -> Option<&'a Alert> {
    let label = |alert: &Alert, key: &str, value: &str| alert.labels.get(key).is_some_and(|it| it == value);
    let service = &migration.service;
    status.alerts.iter().find(|alert| {
        migration.outcome == Outcome::Running
            && !migration.history
            && alert.name == AlertName::MigrationStuck
            && alert.resolved.is_none()
            && label(alert, "project", &service.project)
            && label(alert, "service", &service.service)
    })
}

/// What was before the watch, and runs that moved nothing, are never loud.
fn verdict(migration: &Migration) -> (&'static str, Tone, &'static str) {
    let loud = migration.moved()
        || matches!(
            migration.outcome,
            Outcome::Failed | Outcome::HalfApplied | Outcome::Interrupted
        );
    match migration.judgement.verdict {
        _ if migration.history => ("card", Tone::Quiet, "before the watch"),
        Verdict::Expected => ("card", Tone::Good, "expected"),
        Verdict::Unexpected if loud && migration.acknowledged.is_none() => {
            ("card critical", Tone::Bad, "unexpected")
        }
        Verdict::Unexpected => ("card", Tone::Doubtful, "unexpected"),
        Verdict::Undetermined => ("card", Tone::Quiet, "undetermined"),
    }
}

fn outcome_tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Running => Tone::Busy,
        Outcome::Applied | Outcome::NothingToDo => Tone::Good,
        Outcome::Downgraded | Outcome::Stamped | Outcome::NothingApplied => Tone::Doubtful,
        Outcome::Failed | Outcome::HalfApplied | Outcome::Interrupted => Tone::Bad,
    }
}

/// `confirmed · startup of NAME · took 9 s · 2 attempts · because …`
fn told(migration: &Migration) -> String {
    let mut parts = vec![migration.grade.as_str().to_owned()];
    let runner = migration
        .runners
        .first()
        .map_or("an unknown container", |runner| runner.name.as_str());
    parts.push(format!("{} of {runner}", migration.trigger.as_str()));
    if let Some(ended) = migration.ended_at {
        parts.push(format!("took {}", lasted(ended.since(migration.started_at))));
    }
    if migration.runners.len() > 1 {
        parts.push(format!("{} attempts", migration.runners.len()));
    }
    parts.extend(migration.outcome_reason.clone());
    parts.join(" · ")
}

fn failure(cause: &Cause) -> Markup {
    html! {
        div.cause {
            p { strong { (cause.class.as_str().replace('_', " ")) } @if let Some(code) = &cause.code { " " (code) } ": " (cause.message) }
            @if let Some(statement) = &cause.statement { p { code { (statement) } } }
            p.quiet { (cause.class.remedy()) }
        }
    }
}

fn line_of(TimedStep { at, step }: &TimedStep) -> Markup {
    let heads = |revisions: &[Revision]| Heads(revisions.iter().cloned().collect());
    html! {
        li {
            span.quiet { (time_of_day(*at)) } " "
            @match step.kind {
                StepKind::Upgrade => {},
                StepKind::Downgrade => { (badge(Tone::Doubtful, "downgrade")) " " },
                StepKind::Stamp => { (badge(Tone::Doubtful, "stamp")) " " },
            }
            code { (heads(&step.from)) " → " (heads(&step.to)) }
            @if let Some(title) = &step.title { " " (title) }
        }
    }
}

fn evidence(migration: &Migration) -> Markup {
    html! {
        details {
            summary { "Evidence (" (migration.evidence.len()) ") · " code { (migration.id) } }
            ol.steps {
                @for evidence in &migration.evidence {
                    li { span.quiet { (time_of_day(evidence.at)) " " (evidence.witness.as_str()) } " " (evidence.text) }
                }
            }
        }
    }
}
