//! What the code of services says about their version tables, as metrics. What cannot be said is absent.

use super::exposition::Exposition;
use super::host::{count, truth};
use crate::model::revision::DatabaseId;
use crate::model::status::{CodeStatus, ServiceStatus, StandingWord, Status, TableCode};

/// Adds how every version table stands to the newest code of its services.
pub(super) fn add(to: &mut Exposition, status: &Status) {
    for service in &status.services {
        for code in &service.code {
            for table in &code.tables {
                add_heads(to, service, code, table);
                if is_up(status, &table.table.database) {
                    add_standing(to, service, table);
                }
            }
        }
    }
}

/// Where a table stands is known while its database is read; what stood there once would be taken for what stands there.
fn is_up(status: &Status, database: &DatabaseId) -> bool {
    let mut databases = status.databases.iter();
    databases.any(|known| known.database == *database && known.up)
}

fn add_heads(to: &mut Exposition, service: &ServiceStatus, code: &CodeStatus, table: &TableCode) {
    let heads = count(code.heads.len() as u64);
    let labels = [("table", table.table.table.as_str())];
    to.set_of(&service.service, "migwatch_code_heads", &labels, heads);
}

fn add_standing(to: &mut Exposition, service: &ServiceStatus, table: &TableCode) {
    let name = table.table.table.as_str();
    if table.word == StandingWord::Unreadable {
        return;
    }
    let labels = [("database", table.table.database.0.as_str()), ("table", name)];
    let mut set = |metric: &'static str, value: f64| to.set_of(&service.service, metric, &labels, value);
    set(
        "migwatch_revision_at_head",
        truth(table.word == StandingWord::AtHead),
    );
    let is_unknown = matches!(table.word, StandingWord::Unknown | StandingWord::Diverged);
    set("migwatch_revision_unknown", truth(is_unknown));
    // How much is pending cannot be told where no row is known.
    if table.word == StandingWord::Unknown {
        return;
    }
    let destructive = table.pending.iter().filter(|pending| pending.destructive);
    set("migwatch_revisions_pending", count(table.pending.len() as u64));
    set(
        "migwatch_revisions_pending_destructive",
        count(destructive.count() as u64),
    );
}
