//! What a migration is called, and what set it off.

use crate::model::migration::{MigrationId, Trigger};
use crate::model::revision::VersionTable;
use crate::model::service::{ContainerId, Role};
use crate::model::time::Timestamp;

/// What a line of a container with this role says of its migration.
pub(super) fn trigger(role: Role) -> Trigger {
    match role {
        Role::Replica => Trigger::Startup,
        Role::OneOff => Trigger::OneOff,
        Role::Hook => Trigger::Hook,
        Role::Process => Trigger::Process,
    }
}

/// `<container>-<milliseconds, base 36>`: the first runner's, so that up, down, up are three.
pub(super) fn migration_id(container: &ContainerId, at: Timestamp) -> MigrationId {
    let is_hex = container.0.bytes().all(|byte| byte.is_ascii_hexdigit());
    let short: String = if is_hex {
        container.0.chars().take(6).collect()
    } else {
        format!("p{:05x}", hash(&container.0) & 0xf_ffff)
    };
    MigrationId(format!("{short}-{}", base36(at)))
}

/// `<hash of the table>-<milliseconds, base 36>`: from the observed move, where nobody is known to have run it.
pub(super) fn out_of_band_id(table: &VersionTable, at: Timestamp) -> MigrationId {
    let hash = hash(&table.to_string()) & 0xffff;
    MigrationId(format!("db{hash:04x}-{}", base36(at)))
}

/// FNV-1a.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// Milliseconds as digits and letters.
pub(in super::super) fn base36(at: Timestamp) -> String {
    let mut millis = u64::try_from(at.as_nanos() / 1_000_000).unwrap_or(0);
    let mut digits = Vec::new();
    while millis > 0 {
        let digit = u32::try_from(millis % 36).unwrap_or(0);
        digits.push(char::from_digit(digit, 36).unwrap_or('0'));
        millis /= 36;
    }
    digits.into_iter().rev().collect()
}
