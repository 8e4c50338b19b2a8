//! Where a container's code lies, as its inspection tells.

use serde_json::Value;

use super::super::inventory::CodePlace;
use super::text;
use crate::alembic::paths;
use crate::command;
use crate::model::container::ContainerLook;
use crate::model::script::DEFAULT_ENVIRONMENT;

/// Where an application keeps its Alembic configuration, relative to the working directory or absolute.
pub(in super::super) const CONFIGS: [&str; 3] = ["alembic.ini", "migrations/alembic.ini", "/app/alembic.ini"];

/// Image, working directory, mounts and what is named.
pub(super) fn place(
    json: &Value,
    look: &ContainerLook,
    command: &[String],
    variables: &dyn Fn(&str) -> Option<String>,
) -> CodePlace {
    let mut place = CodePlace {
        image_id: text(json, "/Image").unwrap_or_default().to_owned(),
        working_dir: working_dir(json),
        mounts: mounts(json),
        configs: look.labels.env_dirs.clone(),
        section: None,
    };
    // What labels name lies where the container's commands start.
    if place.configs.is_empty()
        && let Some(named) = command::place(command, variables)
    {
        place.working_dir = paths::join(&place.working_dir, &named.folder);
        place.section = named.section;
        if let Some(file) = named.config.filter(|name| is_config(name)) {
            place.configs.insert(DEFAULT_ENVIRONMENT.to_owned(), file);
        }
    }
    place
}

/// Where the container's commands start.
pub(in super::super) fn working_dir(json: &Value) -> String {
    let dir = text(json, "/Config/WorkingDir").filter(|dir| !dir.is_empty());
    dir.unwrap_or("/").to_owned()
}

/// What is mounted from elsewhere, in order.
fn mounts(json: &Value) -> Vec<String> {
    let mounts = json
        .pointer("/Mounts")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let mut paths: Vec<String> = mounts
        .filter_map(|mount| mount.get("Destination")?.as_str())
        .map(str::to_owned)
        .collect();
    paths.sort_unstable();
    paths
}

/// Whether it is a configuration file's name.
pub(in super::super) fn is_config(name: &str) -> bool {
    let extension = std::path::Path::new(name).extension();
    extension.is_some_and(|extension| ["ini", "cfg", "toml"].iter().any(|known| extension == *known))
}
