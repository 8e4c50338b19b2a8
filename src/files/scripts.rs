//! The Alembic environment in a local folder: on a developer's machine, or in a pipeline's checkout.
//!
//! Promises bounded time and memory, as for what is read out of a container. Refuses to know what the scripts mean.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::alembic::code::{self, Folders, Source, Sources};
use crate::alembic::{LONGEST_SCRIPT, paths, settings};
use crate::model::script::Code;

/// The most files that are looked at.
const FILES: usize = 50_000;
/// How many folders may lie in one another.
const DEPTH: usize = 16;
/// The section of alembic.ini that is meant where nobody names another.
const SECTION: &str = "alembic";
/// Alembic's configuration files.
const CONFIGS: [&str; 2] = ["alembic.ini", "pyproject.toml"];

/// Why a folder holds no Alembic environment that can be read: one sentence.
#[derive(Debug, thiserror::Error)]
pub enum ScriptsError {
    /// It cannot be opened.
    #[error("cannot read {}", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Its path is no text.
    #[error("{} is no path that Alembic could be told", .0.display())]
    NotText(PathBuf),
    /// The settings are wrong.
    #[error("{path}: {reason}")]
    Settings {
        /// Which file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// Nothing in it is Alembic's.
    #[error(
        "{0} holds no Alembic environment: give the folder of alembic.ini or pyproject.toml, or the one with env.py and versions"
    )]
    Nothing(String),
}

/// Reads the environment in `folder`: that of the configuration in it; else that of the configuration above it; else the folder is taken
/// for Alembic's own, with `versions` in it. Parses: to be called on a deep stack ([`crate::alembic::script::STACK`]).
///
/// # Errors
/// When the folder cannot be read, or holds nothing of Alembic's.
pub fn read(folder: &Path) -> Result<Code, ScriptsError> {
    let io = |source| ScriptsError::Io {
        path: folder.to_owned(),
        source,
    };
    let whole = folder.canonicalize().map_err(io)?;
    let text = whole
        .to_str()
        .ok_or_else(|| ScriptsError::NotText(folder.to_owned()))?
        .to_owned();
    if let Some((config, folders)) = configured(&text, &text)? {
        return Ok(environment(&config, &folders));
    }
    // The configuration of a project lies above the folder that it names.
    if let Some((config, folders)) = configured(paths::parent(&text), paths::parent(&text))?
        && folders
            .all()
            .any(|known| paths::is_within(known, &text) || *known == text)
    {
        return Ok(environment(&config, &folders));
    }
    let versions = paths::join(&text, "versions");
    let is_location = Path::new(&versions).is_dir();
    if !is_location && !whole.join("env.py").is_file() {
        return Err(ScriptsError::Nothing(text));
    }
    let folders = Folders {
        location: text.clone(),
        versions: vec![versions],
        recursive: false,
    };
    Ok(environment(&text, &folders))
}

/// The configuration in a folder, if there is one that names scripts.
fn configured(folder: &str, working_dir: &str) -> Result<Option<(String, Folders)>, ScriptsError> {
    for name in CONFIGS {
        let path = paths::join(folder, name);
        let Source::Bytes(bytes) = file(Path::new(&path)) else {
            continue;
        };
        let settings = settings::read(code::kind(&path), &bytes, folder, SECTION);
        let settings = settings.map_err(|problem| ScriptsError::Settings {
            path: problem.path,
            reason: problem.reason,
        })?;
        if let Some(folders) = Folders::of(&settings, working_dir) {
            return Ok(Some((path, folders)));
        }
    }
    Ok(None)
}

fn environment(config: &str, folders: &Folders) -> Code {
    let mut sources = Sources::new();
    if let Err(error) = std::fs::metadata(&folders.location) {
        sources.insert(folders.location.clone(), Source::Unusable(error.to_string()));
    }
    let env_py = folders.env_py();
    if Path::new(&env_py).exists() {
        sources.insert(env_py.clone(), file(Path::new(&env_py)));
    }
    for folder in &folders.versions {
        collect(folder, if folders.recursive { DEPTH } else { 1 }, &mut sources);
    }
    code::read(config, folders, &sources)
}

fn collect(folder: &str, depth: usize, sources: &mut Sources) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        // Alembic passes over a folder of versions that is not there.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
        Err(error) => {
            sources.insert(folder.to_owned(), Source::Unusable(error.to_string()));
            return;
        }
    };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = paths::join(folder, &name);
        if sources.len() >= FILES {
            let why = format!("it holds more than {FILES} files: no folder of scripts does");
            sources.insert(folder.to_owned(), Source::Unusable(why));
            return;
        }
        if code::is_python(&path) {
            sources.insert(path.clone(), file(Path::new(&path)));
        } else if depth > 1 && Path::new(&path).is_dir() {
            collect(&path, depth - 1, sources);
        }
    }
}

fn file(path: &Path) -> Source {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| {
        if !file.metadata()?.is_file() {
            return Err(std::io::Error::other("it is no regular file"));
        }
        file.take(LONGEST_SCRIPT as u64 + 1).read_to_end(&mut bytes)
    });
    match read {
        Err(error) => Source::Unusable(error.to_string()),
        Ok(_) if bytes.len() > LONGEST_SCRIPT => Source::Unusable(format!(
            "it is longer than {} MiB: no revision script is",
            LONGEST_SCRIPT >> 20
        )),
        Ok(_) => Source::Bytes(bytes),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::read;

    #[test]
    fn a_folder_of_versions_that_is_missing_is_passed_over_and_that_of_env_py_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let named = "[alembic]\nscript_location = db\nversion_locations = db/versions gone\n";
        fs::write(at("alembic.ini"), named).unwrap();
        let missing = read(folder.path()).unwrap().unreadable;
        assert_eq!(missing.len(), 1, "{missing:?}");
        assert!(missing.iter().all(|it| it.path.ends_with("/db")), "{missing:?}");
        fs::create_dir_all(at("db/versions")).unwrap();
        fs::write(at("db/env.py"), "").unwrap();
        fs::write(at("db/versions/a1.py"), "revision = 'a1'\ndown_revision = None\n").unwrap();
        let code = read(folder.path()).unwrap();
        assert!(code.unreadable.is_empty(), "{:?}", code.unreadable);
        assert_eq!(code.scripts.len(), 1);
    }
}
