//! Code that the daemon does not have: in a folder, or in an image of which no container runs.

use std::collections::BTreeMap;
use std::path::Path;

use super::{CliError, Global, block_on, endpoint};
use crate::alembic::{plan, script};
use crate::docker::{self, Environments};
use crate::files::scripts;
use crate::model::plan::{Plan, PlanScene};
use crate::model::script::{Code, DEFAULT_ENVIRONMENT};

/// Reads a folder on a stack that is deep enough for any script that is taken.
pub(super) fn folder(folder: &Path) -> Result<Code, CliError> {
    let folder = folder.to_owned();
    let thread = std::thread::Builder::new()
        .name("scripts".to_owned())
        .stack_size(script::STACK)
        .spawn(move || scripts::read(&folder));
    let read = thread.map_err(CliError::Runtime)?.join();
    match read {
        Ok(read) => Ok(read?),
        Err(_) => Err(CliError::Usage("reading the scripts failed".to_owned())),
    }
}

/// Reads an image by a container that is created from it for that, never started, and removed: the environments that the service has.
pub(super) fn image(global: &Global, image: &str, known: &[Plan]) -> Result<Environments, CliError> {
    let endpoint = endpoint(&global.config()?)?;
    let configs: BTreeMap<String, String> = known
        .iter()
        .map(|plan| (plan.environment.clone(), plan.config.clone()))
        .collect();
    Ok(block_on(docker::code_of_image(&endpoint, image, configs))??)
}

/// The plan of this code in that place.
pub(super) fn plan(code: &Code, scene: PlanScene, target: &str) -> Plan {
    Plan {
        environment: DEFAULT_ENVIRONMENT.to_owned(),
        ..plan::of(code, scene, target)
    }
}
