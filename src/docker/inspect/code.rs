//! Where a container's code lies, as its inspection tells.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::inventory::CodePlace;
use super::text;
use crate::command::{self, Reading};
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
    CodePlace {
        image_id: text(json, "/Image").unwrap_or_default().to_owned(),
        working_dir: working_dir(json),
        mounts: mounts(json),
        configs: configs(look, command, variables),
    }
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

/// Where labels say that Alembic's environments lie; else the file that the command names (`alembic -c FILE`).
fn configs(
    look: &ContainerLook,
    command: &[String],
    variables: &dyn Fn(&str) -> Option<String>,
) -> BTreeMap<String, String> {
    let mut configs = look.labels.env_dirs.clone();
    if configs.is_empty()
        && let Reading::Migrates(command) = command::of_argv(command, variables)
        && let Some(file) = command.environment.filter(|name| is_config(name))
    {
        configs.insert(DEFAULT_ENVIRONMENT.to_owned(), file);
    }
    configs
}

/// Whether it is a configuration file's name.
pub(in super::super) fn is_config(name: &str) -> bool {
    let extension = std::path::Path::new(name).extension();
    extension.is_some_and(|extension| ["ini", "cfg", "toml"].iter().any(|known| extension == *known))
}
