//! What the code of a service says about its version tables: what is pending and what of it destroys something, what nobody knows.

use maud::{Markup, html};

use super::words::{Tone, badge};
use crate::model::revision::VersionTable;
use crate::model::status::{PendingRevision, ServiceStatus, StandingWord, TableCode};

/// How many pending revisions are shown; `migwatch plan` shows all.
const SHOWN: usize = 5;

/// How a table stands to the newest code of the service; nothing where that is not known.
pub(super) fn of_table(service: &ServiceStatus, table: &VersionTable) -> Markup {
    let mut all = service.code.iter().flat_map(|code| &code.tables);
    let Some(code) = all.find(|code| code.table == *table) else {
        return html! {};
    };
    html! {
        small { (standing(code)) }
        @for pending in code.pending.iter().take(SHOWN) { small { (one(pending)) } }
        @if code.pending.len() > SHOWN { small { "and " (code.pending.len() - SHOWN) " more" } }
    }
}

fn standing(code: &TableCode) -> Markup {
    let unknown = || {
        let rows: Vec<&str> = code.unknown.iter().map(|row| row.0.as_str()).collect();
        let who = if code.known_by.is_empty() {
            "nobody on this host knows it".to_owned()
        } else {
            format!("known to {}", code.known_by.join(", "))
        };
        format!("{}: {who}", rows.join(", "))
    };
    let destructive = code.pending.iter().filter(|pending| pending.destructive).count();
    html! {
        @match code.word {
            StandingWord::AtHead => (badge(Tone::Good, "at head")),
            StandingWord::Behind => {
                (badge(Tone::Busy, &format!("{} pending", code.pending.len())))
                @if destructive > 0 { " " (badge(Tone::Bad, &format!("{destructive} destructive"))) }
            }
            StandingWord::Unknown | StandingWord::Diverged => {
                (badge(Tone::Doubtful, "not known to the code")) " " (unknown())
            }
            StandingWord::Unreadable => {
                (badge(Tone::Doubtful, "scripts unreadable")) " " (code.reason.as_deref().unwrap_or_default())
            }
        }
    }
}

fn one(pending: &PendingRevision) -> Markup {
    html! {
        code { (pending.revision) } " " (pending.title.as_deref().unwrap_or("(no title)"))
        @if pending.destructive { " " (badge(Tone::Bad, "destructive")) }
    }
}

/// What is wrong with the code as a whole.
pub(super) fn of_service(service: &ServiceStatus) -> Markup {
    html! {
        @for code in &service.code {
            @if code.heads.len() > 1 { small { (badge(Tone::Doubtful, &format!("{} heads", code.heads.len()))) } }
            @if let Some(first) = code.problems.first() {
                small {
                    (badge(Tone::Doubtful, "scripts broken")) " " (first)
                    @if code.problems.len() > 1 { " and " (code.problems.len() - 1) " more" }
                }
            }
        }
    }
}
