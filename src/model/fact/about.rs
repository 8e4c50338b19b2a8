//! What a fact is about: its migration, its line.

use super::{Fact, MigrationSchemaChanged};
use crate::model::log::LineKey;
use crate::model::migration::MigrationId;
use crate::model::service::ContainerId;

impl Fact {
    /// The migration that this fact is about.
    pub fn migration(&self) -> Option<&MigrationId> {
        match self {
            Self::MigrationOpened { id, .. }
            | Self::MigrationRetried { id, .. }
            | Self::MigrationStepped { id, .. }
            | Self::MigrationEvidenced { id, .. }
            | Self::MigrationErred { id, .. }
            | Self::MigrationJoined { id, .. }
            | Self::MigrationRunnerEnded { id, .. }
            | Self::MigrationExecEnded { id, .. }
            | Self::MigrationPresumed { id, .. }
            | Self::MigrationSuperseded { id, .. }
            | Self::MigrationConfirmed { id, .. }
            | Self::MigrationRejudged { id, .. }
            | Self::MigrationSettled { id, .. }
            | Self::MigrationAcknowledged { id, .. }
            | Self::MigrationSchemaChanged(MigrationSchemaChanged { id, .. }) => Some(id),
            _ => None,
        }
    }

    /// The line that this fact takes in for a migration that is already open, and whose line it is if not the latest runner's.
    pub fn migration_line(&self) -> Option<(&MigrationId, &LineKey, Option<&ContainerId>)> {
        match self {
            Self::MigrationStepped {
                id, line, container, ..
            }
            | Self::MigrationErred {
                id, line, container, ..
            }
            | Self::MigrationEvidenced {
                id,
                line: Some(line),
                container,
                ..
            } => Some((id, line, container.as_ref())),
            _ => None,
        }
    }
}
