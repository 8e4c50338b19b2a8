//! The commands that migrate a database: Alembic and its sisters in Flask and Django, as their own parsers read them.
//!
//! Promises to find them behind any runner (`uv run`, `poetry run`, `gosu app`, an entrypoint), and not to take a command that only
//! talks about them for one. Sources: Alembic's `config.py`, Flask-Migrate's `cli.py`, Django's `migrate.py`.

use super::answer::Tri;
use super::options::{Options, Piece, is_option};
use super::shells::SHELLS;
use crate::model::exec::Action;

/// A command that migrates, as its tool understands it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invocation {
    pub(super) action: Action,
    pub(super) target: Option<String>,
    /// The configuration that it names.
    pub(super) config: Option<String>,
    /// The folder of Flask-Migrate's that it names: its configuration lies in it.
    pub(super) folder: Option<String>,
    /// The section of the configuration: `-n NAME`.
    pub(super) section: Option<String>,
}

/// What one simple command is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    /// It moves a schema.
    Migrates(Invocation),
    /// It may: a shell without a command, or a script that is called after migrations.
    Perhaps,
    /// Nothing says that it does.
    Nothing,
}

/// They read, print or look for text, or take care of programs and files: what stands behind them is not run.
const TALKERS: [&str; 52] = [
    "echo", "printf", "grep", "egrep", "fgrep", "zgrep", "rg", "ag", "cat", "tac", "less", "more", "tail",
    "sed", "awk", "gawk", "vi", "vim", "nano", "emacs", "ed", "find", "ls", "stat", "wc", "which", "whereis",
    "whatis", "man", "ps", "pgrep", "pkill", "kill", "killall", "git", "pip", "pip3", "apt", "apt-get",
    "apk", "curl", "wget", "psql", "mysql", "mariadb", "sqlite3", "rm", "cp", "mv", "mkdir", "pytest", "tee",
];
/// They start what stands behind them.
const RUNNERS: [&str; 19] = [
    "exec",
    "command",
    "env",
    "sudo",
    "gosu",
    "su-exec",
    "setpriv",
    "tini",
    "dumb-init",
    "nohup",
    "time",
    "timeout",
    "nice",
    "uv",
    "poetry",
    "pipenv",
    "pdm",
    "rye",
    "hatch",
];
/// Open for whatever is typed, if they stand at the end of a command.
const PROMPTS: [&str; 10] = [
    "python",
    "python2",
    "python3",
    "ipython",
    "bpython",
    "ptpython",
    "shell",
    "shell_plus",
    "dbshell",
    "flask",
];
/// How far from its beginning a command's script is looked for.
const NEAR: usize = 4;

/// What these words, one simple command, do.
pub(super) fn read(words: &[&str]) -> Reads {
    if let Some(talker) = words.iter().position(|word| TALKERS.contains(&base(word))) {
        return migrating(words, talker).map_or(Reads::Nothing, Reads::Migrates);
    }
    match migrating(words, words.len()) {
        Some(invocation) => Reads::Migrates(invocation),
        None if is_open(words) || is_called_after_migrations(words) => Reads::Perhaps,
        None => Reads::Nothing,
    }
}

/// How these words end, where they may run: what asks whether a schema is at head answers by its exit code, everything else is taken to
/// succeed. (`alembic check || alembic upgrade head` is a common start.)
pub(super) fn result(words: &[&str]) -> Tri {
    let is = |names: &[&str], asks: &str| {
        let mut tools = words.iter().map(|word| tool(word));
        tools.any(|tool| names.contains(&tool)) && words.contains(&asks)
    };
    let asks = is(&["alembic", "alembic.config", "db"], "check")
        || is(&["alembic", "alembic.config", "db"], "--check-heads")
        || is(&["migrate"], "--check");
    if asks { Tri::Perhaps } else { Tri::Yes }
}

/// The first tool among the words before `end` whose own words migrate.
fn migrating(words: &[&str], end: usize) -> Option<Invocation> {
    let mut tools = words.iter().enumerate().take(end);
    tools.find_map(|(at, word)| {
        let own = words.get(at + 1..)?;
        match tool(word) {
            "alembic" | "alembic.config" => alembic(own),
            "flask" | "quart" => flask(own),
            "manage.py" | "django-admin" | "django-admin.py" | "django" => flask(own).or_else(|| django(own)),
            // Any program that has Flask-Migrate's commands as its own.
            "db" if at > 0 => database(&mut Options::new(own), None),
            _ => None,
        }
    })
}

/// `alembic [-c FILE] [-n NAME] [-x ARG] upgrade|downgrade|stamp [--sql] [--tag TAG] REVISION...`
fn alembic(words: &[&str]) -> Option<Invocation> {
    const VALUED: [&str; 5] = ["-c", "--config", "-n", "--name", "-x"];
    let mut options = Options::new(words);
    let (mut file, mut name) = (None, None);
    let action = loop {
        match options.next(&VALUED)? {
            Piece::Option("-c" | "--config", value) => file = value,
            Piece::Option("-n" | "--name", value) => name = value,
            Piece::Option("-h" | "--help" | "--version", _) => return None,
            Piece::Option(..) | Piece::Word("") => {}
            Piece::Word(verb) => break action(verb)?,
        }
    };
    let targets = targets(&mut options, &["--tag"])?;
    let first = targets.first()?; // without a revision, Alembic only prints its usage
    let target = match action {
        Action::Stamp => targets.join(" "),
        Action::Upgrade | Action::Downgrade => (*first).to_owned(),
    };
    Some(Invocation {
        action,
        target: Some(target).filter(|target| !target.is_empty()),
        config: file.map(str::to_owned),
        folder: None,
        section: name.map(str::to_owned),
    })
}

/// `flask [--app APP] db ...`
fn flask(words: &[&str]) -> Option<Invocation> {
    const VALUED: [&str; 5] = ["-A", "--app", "-e", "--env-file", "--settings"];
    let mut options = Options::new(words);
    let mut folder = None;
    loop {
        match options.next(&VALUED)? {
            Piece::Option("-h" | "--help" | "--version", _) => return None,
            Piece::Option("-d" | "--directory", value) => folder = value,
            Piece::Option(..) | Piece::Word("") => {}
            Piece::Word("db") => return database(&mut options, folder),
            Piece::Word(_) => return None,
        }
    }
}

/// `db upgrade|downgrade|stamp [-d FOLDER] [--sql] [--tag TAG] [-x ARG] [REVISION]`; `db migrate` only writes a script.
fn database(options: &mut Options<'_>, folder: Option<&str>) -> Option<Invocation> {
    const FOLDER: [&str; 2] = ["-d", "--directory"];
    let mut folder = folder;
    let action = loop {
        match options.next(&FOLDER)? {
            Piece::Option("-h" | "--help", _) => return None,
            Piece::Option("-d" | "--directory", value) => folder = value,
            Piece::Option(..) => {}
            Piece::Word(verb) => break action(verb)?,
        }
    };
    let mut target = None;
    while let Some(piece) = options.next(&["-d", "--directory", "--tag", "-x", "--x-arg"]) {
        match piece {
            Piece::Option("--sql" | "-h" | "--help", _) => return None,
            Piece::Option("-d" | "--directory", value) => folder = value,
            Piece::Option(..) => {}
            Piece::Word(word) => target = target.or(Some(word)),
        }
    }
    let usual = if action == Action::Downgrade { "-1" } else { "head" };
    Some(Invocation {
        action,
        target: Some(target.unwrap_or(usual).to_owned()).filter(|target| !target.is_empty()),
        config: None,
        folder: folder.map(str::to_owned),
        section: None,
    })
}

/// `manage.py migrate [--fake] [APP [MIGRATION]]`
fn django(words: &[&str]) -> Option<Invocation> {
    const VALUED: [&str; 5] = ["--settings", "--pythonpath", "--database", "-v", "--verbosity"];
    let mut options = Options::new(words);
    loop {
        match options.next(&VALUED)? {
            Piece::Option("-h" | "--help" | "--version", _) => return None,
            Piece::Option(..) => {}
            Piece::Word("migrate") => break,
            Piece::Word(_) => return None,
        }
    }
    let mut is_fake = false;
    let mut names = Vec::new();
    while let Some(piece) = options.next(&VALUED) {
        match piece {
            Piece::Option("--plan" | "--check" | "-h" | "--help", _) => return None,
            Piece::Option("--fake", _) => is_fake = true,
            Piece::Option(..) => {}
            Piece::Word(word) => names.push(word),
        }
    }
    let target = names.get(1).copied();
    Some(Invocation {
        action: match target {
            _ if is_fake => Action::Stamp,
            Some("zero") => Action::Downgrade,
            _ => Action::Upgrade,
        },
        target: target.map(str::to_owned),
        config: None,
        folder: None,
        section: None,
    })
}

/// The three verbs that Alembic and Flask-Migrate share; all others read, or write scripts.
fn action(verb: &str) -> Option<Action> {
    match verb {
        "upgrade" => Some(Action::Upgrade),
        "downgrade" => Some(Action::Downgrade),
        "stamp" => Some(Action::Stamp),
        _ => None,
    }
}

/// The plain words behind a verb; `None` if nothing would be carried out.
fn targets<'a>(options: &mut Options<'a>, valued: &[&str]) -> Option<Vec<&'a str>> {
    let mut targets = Vec::new();
    while let Some(piece) = options.next(valued) {
        match piece {
            Piece::Option("--sql" | "-h" | "--help", _) => return None,
            Piece::Option(..) => {}
            Piece::Word(word) => targets.push(word),
        }
    }
    Some(targets)
}

/// A shell or prompt without a command: what is typed into it is not told.
fn is_open(words: &[&str]) -> bool {
    let is_prompt = |word: &str| SHELLS.contains(&base(word)) || PROMPTS.contains(&base(word));
    let is_plain = |word: &&&str| !is_option(word) && !word.contains('=');
    let (Some(first), Some(last)) = (words.iter().find(is_plain), words.iter().rfind(is_plain)) else {
        return false;
    };
    if matches!(base(first), "su" | "login") {
        return true;
    }
    let begins = is_prompt(first) || RUNNERS.contains(&base(first)) || base(first) == "manage.py";
    let does_else = |word: &&str| matches!(*word, "-m" | "-c" | "-h" | "--help" | "-V" | "--version");
    begins && is_prompt(last) && base(last) != "flask" && !words.iter().any(does_else)
}

/// `./migrate.sh`, `make migrate`, `python scripts/run_migrations.py`: what is in it is not read.
fn is_called_after_migrations(words: &[&str]) -> bool {
    let is_tool = |word: &&str| {
        matches!(
            tool(word),
            "db" | "flask" | "manage.py" | "django-admin" | "alembic"
        )
    };
    let is_named = |word: &&str| {
        let base = base(word).to_ascii_lowercase();
        let (stem, kind) = base.split_once('.').unwrap_or((&base, ""));
        (stem.contains("migrat") || stem.contains("alembic"))
            && matches!(kind, "" | "sh" | "bash" | "py" | "js")
    };
    let near = words.iter().take(NEAR);
    !near.clone().any(is_tool) && near.filter(|word| !is_option(word)).any(is_named)
}

/// A tool's name without its folder, and without the environment that `hatch run` takes before it.
fn tool(word: &str) -> &str {
    let base = base(word);
    base.rsplit_once(':').map_or(base, |(_, tool)| tool)
}

/// A command's name without its folder.
pub(super) fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}
