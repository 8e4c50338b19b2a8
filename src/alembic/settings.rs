//! Reads where an Alembic environment has its scripts: alembic.ini, or `[tool.alembic]` in pyproject.toml.
//!
//! Promises the folders that Alembic itself would use, after its rules for sections, interpolation and separators, in bounded time.
//! Refuses to keep anything else of the file: `sqlalchemy.url` is not even taken in. Refuses to know where Python finds a package:
//! `package:folder` is the folder in the package's folder, as seen from where Alembic starts.
//!
//! Source of the facts: `alembic.config` and `alembic.script.base` of Alembic 1.20, Python's `configparser`.

mod ini;
mod interpolation;
mod pyproject;

use crate::alembic::LONGEST_FILE;
use crate::alembic::paths::{join, normal};
use crate::model::script::Unreadable;

/// What a file of settings is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// alembic.ini, or whatever `-c` names that is not called pyproject.toml.
    Ini,
    /// pyproject.toml.
    Pyproject,
}

impl Kind {
    /// Its usual name.
    fn file(self) -> &'static str {
        match self {
            Self::Ini => "alembic.ini",
            Self::Pyproject => "pyproject.toml",
        }
    }
}

/// Where scripts are, as far as a file says so. Relative paths are seen from the folder in which Alembic is started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The file has a section for Alembic at all.
    pub has_section: bool,
    /// The folder of env.py.
    pub script_location: Option<String>,
    /// The folders of the revisions; none: `versions` in the folder of env.py.
    pub version_locations: Vec<String>,
    /// Scripts in folders below count as well; `None` if the file does not say so.
    pub recursive: Option<bool>,
}

impl Settings {
    /// These, and from `other` what they do not say: Alembic asks alembic.ini first, then pyproject.toml.
    pub fn or(self, other: Self) -> Self {
        let own = !self.version_locations.is_empty();
        Self {
            has_section: self.has_section || other.has_section,
            script_location: self.script_location.or(other.script_location),
            version_locations: if own {
                self.version_locations
            } else {
                other.version_locations
            },
            recursive: self.recursive.or(other.recursive),
        }
    }

    /// The folders in which revisions lie; none if nothing says where.
    pub fn versions(&self) -> Vec<String> {
        if self.version_locations.is_empty() {
            self.script_location
                .iter()
                .map(|location| join(location, "versions"))
                .collect()
        } else {
            self.version_locations.clone()
        }
    }
}

/// The settings in a file of the folder `here`, an absolute path without trailing slash. `section` is what `-n` names, else `alembic`;
/// pyproject.toml has only one.
///
/// # Errors
///
/// What Alembic could not read either, with the line if there is one. The path is the file's usual name in `here`.
pub fn read(kind: Kind, bytes: &[u8], here: &str, section: &str) -> Result<Settings, Unreadable> {
    let settings = match std::str::from_utf8(bytes) {
        _ if bytes.len() > LONGEST_FILE => Err(format!("it has {} bytes: settings are shorter", bytes.len())),
        Err(_) => Err("it is not UTF-8".to_owned()),
        Ok(text) if kind == Kind::Ini => of_ini(text, here, section),
        Ok(text) => pyproject::read(text, here),
    };
    settings.map_err(|reason| Unreadable {
        path: join(here, kind.file()),
        reason,
    })
}

fn of_ini(text: &str, here: &str, section: &str) -> Result<Settings, String> {
    let options = ini::read(text, here, section)?;
    let get = |name: &str| options.get(name);
    let locations = get("version_locations")?.filter(|locations| !locations.is_empty());
    let version_locations = match locations {
        None => Vec::new(),
        Some(locations) => {
            let new = get("path_separator")?;
            let separator = if new.is_some() {
                new
            } else {
                get("version_path_separator")?
            };
            split(&locations, separator.as_deref())?
        }
    };
    Ok(Settings {
        has_section: options.has_section,
        script_location: get("script_location")?.map(|location| folder(&location)),
        version_locations: version_locations
            .iter()
            .map(|location| folder(location))
            .collect(),
        recursive: get("recursive_version_locations")?.map(|value| value == "true"),
    })
}

/// Without a separator Alembic splits as it always did: on commas and blanks.
fn split(locations: &str, separator: Option<&str>) -> Result<Vec<String>, String> {
    let separator = match separator {
        None => return Ok(split_on_commas(locations)),
        Some("space") => " ",
        Some("newline") => "\n",
        // What it is on the system that a container runs.
        Some("os" | ":") => ":",
        Some(";") => ";",
        Some(_) => return Err("its path_separator is none of space, newline, os, : and ;".to_owned()),
    };
    let parts = locations.split(separator).filter(|part| !part.is_empty());
    Ok(parts.map(|part| part.trim().to_owned()).collect())
}

/// A comma with the blanks behind it, or a run of blanks.
fn split_on_commas(locations: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = locations;
    while let Some(at) = rest.find([',', ' ']) {
        let (part, behind) = rest.split_at(at);
        parts.push(part.to_owned());
        rest = behind.strip_prefix(',').unwrap_or(behind).trim_start_matches(' ');
    }
    parts.push(rest.to_owned());
    parts
}

/// A folder, or `package.part:folder`, which lies in that package.
fn folder(location: &str) -> String {
    if location.starts_with('/') {
        return normal(location);
    }
    match location.split_once(':') {
        Some((package, folder)) => normal(&format!(
            "{}/{}",
            package.replace('.', "/"),
            folder.replace(':', "/")
        )),
        None => normal(location),
    }
}

#[cfg(test)]
mod tests;
