//! The commands that migrate a database: Alembic and its sisters in Flask and Django.

/// Whether these words, one command, change a database by Alembic (or its sisters in Flask and Django).
pub(super) fn migrates(words: &[&str]) -> bool {
    let (name, rest) = words
        .split_first()
        .map_or(("", words), |(name, rest)| (base(name), rest));
    if matches!(name, "echo" | "printf")
        || rest
            .iter()
            .any(|word| matches!(*word, "--sql" | "--help" | "--check" | "--plan"))
    {
        return false;
    }
    let behind = |tool: &[&str], verbs: &[&str]| {
        let at = words.iter().position(|word| tool.contains(&base(word)));
        at.is_some_and(|at| words.iter().skip(at + 1).any(|word| verbs.contains(word)))
    };
    let flask = words.iter().position(|word| *word == "db").is_some_and(|at| {
        words
            .get(at + 1)
            .is_some_and(|verb| matches!(*verb, "upgrade" | "downgrade"))
    });
    behind(&["alembic", "alembic.config"], &["upgrade", "downgrade"])
        || (flask && behind(&["flask", "manage.py", "quart"], &["db"]))
        || behind(&["manage.py", "django-admin", "django-admin.py"], &["migrate"])
}

/// A command's name without its folder.
pub(super) fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}
