//! One Alembic environment from its files: which of them are scripts, what env.py says, what could not be read.
//!
//! Promises an answer for any files. Refuses to fetch them: whoever has them, out of a container or a folder, hands them in.

use std::collections::BTreeMap;

use super::settings::{Kind, Settings};
use super::{environment, paths, script};
use crate::model::script::{Code, Unreadable};

/// What Alembic says of a script that lies among the revisions and is none, whatever it is told to do.
const NO_REVISION: &str = "it has no revision, so that Alembic refuses every command: Could not determine revision id from filename";

/// A file's bytes, or why it cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// What is in it.
    Bytes(Vec<u8>),
    /// Why it cannot be used.
    Unusable(String),
}

/// Files by their absolute path, those in folders below too.
pub type Sources = BTreeMap<String, Source>;

/// The folders of an environment, all absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// That of env.py.
    pub location: String,
    /// Those of the revisions.
    pub versions: Vec<String>,
    /// Scripts in folders below them count as well.
    pub recursive: bool,
}

impl Folders {
    /// What settings name, seen from the absolute `working_dir` in which Alembic would be started; `None` if they name no folder.
    pub fn of(settings: &Settings, working_dir: &str) -> Option<Self> {
        let location = settings.script_location.as_ref()?;
        let versions = settings.versions().into_iter();
        Some(Self {
            location: paths::join(working_dir, location),
            versions: versions.map(|folder| paths::join(working_dir, &folder)).collect(),
            recursive: settings.recursive.unwrap_or(false),
        })
    }

    /// Those of Flask-Migrate, which names no folder in its configuration: it takes the one in which `config` lies. `None` if the
    /// settings are none of Flask-Migrate's.
    pub fn of_flask(settings: &Settings, config: &str, working_dir: &str) -> Option<Self> {
        if !settings.has_section || settings.script_location.is_some() || kind(config) != Kind::Ini {
            return None;
        }
        let settings = Settings {
            script_location: Some(paths::parent(config).to_owned()),
            ..settings.clone()
        };
        Self::of(&settings, working_dir)
    }

    /// All of them, that of env.py first.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.location).chain(&self.versions)
    }

    /// The file that Alembic runs.
    pub fn env_py(&self) -> String {
        paths::join(&self.location, "env.py")
    }

    /// Alembic's own rule (`alembic.script.base`): every `.py` in a folder of versions but `__init__…` and an editor's `.#…`; in folders
    /// below it only if that is asked for.
    fn is_script(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or_default();
        if !is_python(path) || name.starts_with("__init__") || name.starts_with(".#") {
            return false;
        }
        let above = paths::parent(path);
        let mut folders = self.versions.iter();
        folders.any(|folder| above == folder || (self.recursive && paths::is_within(above, folder)))
    }
}

/// What a file of settings is written in, by its name.
pub fn kind(config: &str) -> Kind {
    if std::path::Path::new(config)
        .extension()
        .is_some_and(|extension| extension == "toml")
    {
        Kind::Pyproject
    } else {
        Kind::Ini
    }
}

/// The environment of the configuration at `config`. Parses: see [`script::STACK`].
pub fn read(config: &str, folders: &Folders, sources: &Sources) -> Code {
    let mut code = Code {
        config: config.to_owned(),
        ..Code::default()
    };
    for folder in folders.all() {
        // A folder that cannot be had stands for all that would be in it.
        if let Some(Source::Unusable(why)) = sources.get(folder) {
            code.unreadable.push(unreadable(folder, why));
        }
    }
    let env_py = folders.env_py();
    match sources.get(&env_py) {
        Some(Source::Bytes(bytes)) => match environment::read(&env_py, bytes) {
            Ok(environment) => {
                code.version_table = environment.version_table;
                code.version_table_schema = environment.version_table_schema;
            }
            Err(problem) => code.unreadable.push(problem),
        },
        Some(Source::Unusable(why)) => code.unreadable.push(unreadable(&env_py, why)),
        None => {}
    }
    for (path, source) in sources {
        if !folders.is_script(path) {
            continue;
        }
        match source {
            Source::Unusable(why) => code.unreadable.push(unreadable(path, why)),
            Source::Bytes(bytes) => match script::read(path, bytes) {
                Ok(Some(script)) => code.scripts.push(script),
                Ok(None) => code.unreadable.push(unreadable(path, NO_REVISION)),
                Err(problem) => code.unreadable.push(problem),
            },
        }
    }
    code
}

fn unreadable(path: &str, reason: &str) -> Unreadable {
    Unreadable {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Whether a file is worth fetching at all.
pub fn is_python(path: &str) -> bool {
    path.strip_suffix(".py").is_some_and(|name| !name.ends_with('/'))
}
