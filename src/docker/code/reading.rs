//! One container's Alembic environments, question by question: the configuration, the folders that it names, the scripts in them.
//!
//! Promises a bounded number of questions and that the scripts are parsed where a deep one cannot overflow the stack. Refuses to remember.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::engine::{Engine, EngineError};
use super::super::inspect::{CONFIGS, is_config};
use super::super::inventory::CodePlace;
use super::Environments;
use super::archive::{self, ArchiveError, Entries, Entry, Found};
use crate::alembic::code::{self, Folders, Source, Sources};
use crate::alembic::{paths, script, settings};
use crate::model::script::{Code, DEFAULT_ENVIRONMENT, Unreadable};
use crate::model::service::ContainerId;
use crate::model::time::Timestamp;

/// Tried where there is no `alembic.ini`: it may hold a section for Alembic.
const PYPROJECT: &str = "pyproject.toml";
/// The section of alembic.ini that is meant where nobody names another.
const SECTION: &str = "alembic";
/// What is said of a folder that must be there.
const NO_FOLDER: &str = "there is no such folder in the container";
/// How many links that lead out of a folder are followed: a few shared scripts, no shop of them.
const LINKS_OUT: usize = 32;
/// How many links a configuration or a folder may itself be behind.
const LINKS: usize = 8;

/// What was asked for and found so far.
struct Asking<'a> {
    engine: &'a Engine,
    id: &'a ContainerId,
    place: &'a CodePlace,
    from: BTreeSet<String>,
    written: Timestamp,
}

/// What was read of a container.
pub(super) struct Read {
    /// By name.
    pub(super) environments: Environments,
    /// The paths that they were read from.
    pub(super) from: BTreeSet<String>,
    /// When the newest file among them was written, to the second.
    pub(super) written: Timestamp,
}

/// Reads the environments of a container.
///
/// # Errors
/// When the engine does not answer, or the container is gone. What is wrong inside of the container is told in the code itself.
pub(super) async fn environments(
    engine: &Engine,
    id: &ContainerId,
    place: &CodePlace,
) -> Result<Read, EngineError> {
    let mut asking = Asking {
        engine,
        id,
        place,
        from: BTreeSet::new(),
        written: Timestamp::default(),
    };
    let mut environments = Environments::new();
    if place.configs.is_empty() {
        for usual in CONFIGS.into_iter().chain([PYPROJECT]) {
            let path = paths::join(&place.working_dir, usual);
            if let Some(code) = asking.environment(&path).await? {
                environments.insert(DEFAULT_ENVIRONMENT.to_owned(), Arc::new(code));
                break;
            }
        }
    }
    for (name, config) in &place.configs {
        let code = asking.named(config).await?;
        environments.insert(name.clone(), Arc::new(code));
    }
    // The engine answers the same for a file that is not there as for a container that was removed meanwhile, whose files nobody saw.
    engine.inspect(id).await?;
    Ok(Read {
        environments,
        from: asking.from,
        written: asking.written,
    })
}

impl Asking<'_> {
    /// The environment that a label or a command names: that there is none is worth telling.
    async fn named(&mut self, config: &str) -> Result<Code, EngineError> {
        let path = paths::join(&self.place.working_dir, config);
        let tried = if is_config(config) {
            vec![path.clone()]
        } else {
            vec![
                paths::join(&path, "alembic.ini"),
                paths::join(&path, "pyproject.toml"),
            ]
        };
        for config in tried {
            if let Some(code) = self.environment(&config).await? {
                return Ok(code);
            }
        }
        self.from.insert(path.clone());
        Ok(unreadable(
            &path,
            "there is no Alembic configuration in the container",
        ))
    }

    /// The environment whose configuration lies at `config`; `None` if there is none.
    async fn environment(&mut self, config: &str) -> Result<Option<Code>, EngineError> {
        let file = match self.file(config).await? {
            None => return Ok(None),
            Some(Source::Unusable(why)) => return Ok(Some(unreadable(config, &why))),
            Some(Source::Bytes(bytes)) => bytes,
        };
        let here = paths::parent(config);
        let section = self.place.section.as_deref().unwrap_or(SECTION);
        let settings = match settings::read(code::kind(config), &file, here, section) {
            Ok(settings) => settings,
            Err(problem) => {
                self.from.insert(config.to_owned());
                return Ok(Some(unreadable(config, &problem.reason)));
            }
        };
        let working_dir = &self.place.working_dir;
        let (folders, sources) = if let Some(folders) = Folders::of(&settings, working_dir) {
            self.elsewhere(folders, Folders::of(&settings, here)).await?
        } else {
            // A pyproject.toml may be about anything.
            let Some(folders) = Folders::of_flask(&settings, config, working_dir) else {
                return Ok(None);
            };
            let sources = self.sources(&folders).await?;
            if !sources.contains_key(&folders.env_py()) {
                return Ok(None);
            }
            (folders, sources)
        };
        self.from.insert(config.to_owned());
        let path = config.to_owned();
        let parsed = on_a_deep_stack(move || code::read(&path, &folders, &sources)).await;
        Ok(Some(parsed.unwrap_or_else(|why| unreadable(config, &why))))
    }

    /// The folders as seen from where commands start; those that are seen from the configuration, if only they are there: a command may
    /// go to its folder first, in a script that is not read.
    async fn elsewhere(
        &mut self,
        folders: Folders,
        others: Option<Folders>,
    ) -> Result<(Folders, Sources), EngineError> {
        let missing = Source::Unusable(NO_FOLDER.to_owned());
        let is_missing =
            |folders: &Folders, sources: &Sources| sources.get(&folders.location) == Some(&missing);
        let sources = self.sources(&folders).await?;
        if let Some(others) = others.filter(|others| *others != folders)
            && is_missing(&folders, &sources)
        {
            let found = self.sources(&others).await?;
            if !is_missing(&others, &found) {
                return Ok((others, found));
            }
        }
        Ok((folders, sources))
    }

    /// Everything in the folders that the settings name. Alembic passes over a folder of versions that is not there.
    async fn sources(&mut self, folders: &Folders) -> Result<Sources, EngineError> {
        let mut sources = Sources::new();
        let mut done: Vec<&String> = Vec::new();
        let mut links: BTreeSet<String> = BTreeSet::new();
        for folder in folders.all() {
            let is_linked = links.iter().any(|link| paths::is_within(folder, link));
            if !is_linked && done.iter().any(|above| paths::is_within(folder, above)) {
                continue;
            }
            self.from.insert(folder.clone());
            done.push(folder);
            let Some(entries) = self.folder(folder).await? else {
                if *folder == folders.location {
                    sources.insert(folder.clone(), Source::Unusable(NO_FOLDER.to_owned()));
                }
                continue;
            };
            self.keep(&entries, &mut sources).await?;
            links.extend(entries.into_keys().filter(|path| !code::is_python(path)));
        }
        Ok(sources)
    }

    /// Follows the links among `entries`, a few also to files elsewhere.
    async fn keep(&mut self, entries: &Entries, sources: &mut Sources) -> Result<(), EngineError> {
        let mut left = LINKS_OUT;
        let is_kept =
            |(path, entry): &(&String, &Entry)| code::is_python(path) || !matches!(entry, Entry::Link(_));
        for (path, _) in entries.iter().filter(is_kept) {
            let source = match archive::find(entries, path) {
                Found::Bytes(bytes) => Source::Bytes(bytes.to_vec()),
                Found::Nothing(why) => Source::Unusable(why),
                Found::Elsewhere(target) if left > 0 => {
                    left -= 1;
                    self.from.insert(target.clone());
                    let nowhere = || Source::Unusable(format!("it is a link to {target}, where no file is"));
                    self.file(&target).await?.unwrap_or_else(nowhere)
                }
                Found::Elsewhere(target) => {
                    Source::Unusable(format!("it is one of many links out of its folder, to {target}"))
                }
            };
            sources.insert(path.clone(), source);
        }
        Ok(())
    }

    /// One file, behind links too; `None` if there is none.
    async fn file(&mut self, path: &str) -> Result<Option<Source>, EngineError> {
        let mut at = path.to_owned();
        for _ in 0..LINKS {
            let Some(mut entries) = self.entries(&at, |_| false).await? else {
                return Ok(None);
            };
            match entries.remove(&at) {
                Some(Entry::File(bytes)) => return Ok(Some(Source::Bytes(bytes))),
                Some(Entry::Unusable(why)) => return Ok(Some(Source::Unusable(why))),
                Some(Entry::Link(target)) => at = target,
                None => return Ok(None), // a folder
            }
        }
        Ok(Some(Source::Unusable("its links lead in a circle".to_owned())))
    }

    /// The scripts of a folder, behind links too, under the folder's own path; `None` if there is none.
    async fn folder(&mut self, path: &str) -> Result<Option<Entries>, EngineError> {
        let mut at = path.to_owned();
        for _ in 0..LINKS {
            let Some(entries) = self.entries(&at, code::is_python).await? else {
                return Ok(None);
            };
            if let Some(Entry::Link(target)) = entries.get(&at) {
                at.clone_from(target);
                self.from.insert(at.clone());
                continue;
            }
            let renamed = entries.into_iter().map(|(file, entry)| {
                let inside = file
                    .strip_prefix(&at)
                    .unwrap_or_default()
                    .trim_start_matches('/')
                    .to_owned();
                (paths::join(path, &inside), entry)
            });
            return Ok(Some(renamed.collect()));
        }
        Ok(Some(missing(path, "its links lead in a circle")))
    }

    async fn entries(
        &mut self,
        path: &str,
        is_wanted: fn(&str) -> bool,
    ) -> Result<Option<Entries>, EngineError> {
        let Some(body) = self.engine.archive(self.id, path).await? else {
            return Ok(None);
        };
        let unpacked = archive::unpack(body, path, is_wanted).await;
        Ok(Some(match unpacked {
            Ok(unpacked) => {
                self.written = self.written.max(unpacked.written);
                unpacked.entries
            }
            Err(ArchiveError::Engine(error)) => return Err(error),
            Err(ArchiveError::Unusable(why)) => missing(path, &why),
        }))
    }
}

fn missing(path: &str, why: &str) -> Entries {
    BTreeMap::from([(path.to_owned(), Entry::Unusable(why.to_owned()))])
}

fn unreadable(path: &str, reason: &str) -> Code {
    Code {
        config: path.to_owned(),
        unreadable: vec![Unreadable {
            path: path.to_owned(),
            reason: reason.to_owned(),
        }],
        ..Code::default()
    }
}

/// Runs `work` on a thread whose stack holds what a parser needs for the deepest file that it takes.
async fn on_a_deep_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    let (done, ended) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("scripts".to_owned())
        .stack_size(script::STACK)
        .spawn(move || drop(done.send(work())));
    thread.map_err(|error| format!("no thread to read scripts on: {error}"))?;
    ended.await.map_err(|_| "reading the scripts failed".to_owned())
}
