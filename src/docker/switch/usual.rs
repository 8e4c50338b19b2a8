//! What the usual switches usually mean, for commands that cannot be read.
//!
//! Promises the common names and values, and to show no value that may be a secret. Refuses to know the shell's conditions.

use crate::command::{Piece, Token, tokens};
use crate::model::container::{Armed, ArmedSource, ArmedState};

/// The usual switches, most usual first.
const SWITCHES: [&str; 22] = [
    "RUN_MIGRATIONS",
    "RUN_DB_MIGRATIONS",
    "AUTO_MIGRATE",
    "MIGRATE_ON_START",
    "RUN_ALEMBIC",
    "ALEMBIC_UPGRADE",
    "RUN_MIGRATION",
    "RUN_DB_MIGRATION",
    "RUN_DATABASE_MIGRATIONS",
    "RUN_ALEMBIC_MIGRATIONS",
    "RUN_ALEMBIC_UPGRADE",
    "AUTO_MIGRATION",
    "AUTO_MIGRATIONS",
    "MIGRATE_ON_STARTUP",
    "MIGRATE_ON_BOOT",
    "DB_AUTO_MIGRATE",
    "DB_MIGRATE",
    "MIGRATE_DB",
    "APPLY_MIGRATIONS",
    "ENABLE_MIGRATIONS",
    "RUN_DB_UPGRADE",
    "DB_UPGRADE",
];
/// The usual switches that say the opposite.
const REVERSED: [&str; 4] = [
    "SKIP_MIGRATIONS",
    "SKIP_DB_MIGRATIONS",
    "NO_MIGRATIONS",
    "DISABLE_MIGRATIONS",
];
/// The longest value of a switch that is shown.
const SHOWN: usize = 20;

/// Whether a variable is a switch of migrations by its name.
pub(super) fn is_switch(variable: &str) -> bool {
    let upper = variable.to_ascii_uppercase();
    SWITCHES.contains(&upper.as_str()) || upper.contains("MIGRAT") || upper.contains("ALEMBIC")
}

/// The command cannot be read (an entrypoint script): the switch in the environment means what it usually means.
pub(super) fn from_environment(environment: &dyn Fn(&str) -> Option<String>) -> Option<Armed> {
    let set = |variable: &&'static str| environment(variable).map(|value| (*variable, value));
    let mut switches: Vec<(Armed, bool)> = Vec::new();
    for (variable, value) in SWITCHES.iter().chain(&REVERSED).filter_map(set) {
        let meant = truth(&value).map(|truth| truth != REVERSED.contains(&variable));
        let state = match meant {
            Some(true) => ArmedState::Armed,
            Some(false) => ArmedState::Disarmed,
            None => ArmedState::Unknown,
        };
        let source = ArmedSource::Environment {
            variable: variable.to_owned(),
            value: shown(&value),
        };
        switches.push((Armed { state, source }, meant == Some(true)));
    }
    let armed = switches.iter().position(|(_, armed)| *armed).unwrap_or(0);
    (armed < switches.len()).then(|| switches.swap_remove(armed).0)
}

/// `RUN=${RUN_MIGRATIONS:-true} ./start.sh`: the default in the command is the best that is known.
pub(super) fn from_mention(argv: &[String], environment: &dyn Fn(&str) -> Option<String>) -> Option<Armed> {
    let words = argv.iter().flat_map(|text| tokens(text));
    let pieces = words.flat_map(|token| match token {
        Token::Word(word) => word.pieces,
        _ => Vec::new(),
    });
    let mut defaults = pieces.filter_map(|piece| match piece {
        Piece::Variable { name, operation } if is_switch(&name) && environment(&name).is_none() => {
            let default = operation
                .trim_start_matches(':')
                .strip_prefix(['-', '='])?
                .trim_matches(['"', '\''])
                .to_owned();
            Some((name, default))
        }
        _ => None,
    });
    let (variable, value) = defaults.next()?;
    let state = match truth(&value) {
        Some(true) => ArmedState::Armed,
        Some(false) => ArmedState::Disarmed,
        None => ArmedState::Unknown,
    };
    Some(Armed {
        state,
        source: ArmedSource::CommandDefault {
            variable,
            value: shown(&value),
        },
    })
}

/// What a value usually means as a switch; `None` if it reads like none.
pub(super) fn truth(value: &str) -> Option<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "y" | "on" | "enabled" => Some(true),
        "false" | "0" | "no" | "n" | "off" | "disabled" | "" => Some(false),
        _ => None,
    }
}

/// A switch's value may be shown; anything else may be a secret that a condition happens to ask for.
pub(super) fn shown(value: &str) -> String {
    let plain = value.len() <= SHOWN && value.chars().all(|character| character.is_ascii_alphabetic());
    if truth(value).is_some() || plain {
        value.to_owned()
    } else {
        "***".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::{is_switch, shown, truth};

    #[test]
    fn the_usual_names_are_switches_and_others_are_not() {
        for name in [
            "RUN_MIGRATIONS",
            "RUN_ALEMBIC",
            "AUTO_MIGRATE",
            "skip_migrations",
            "DB_UPGRADE",
            "ALEMBIC_TARGET",
        ] {
            assert!(is_switch(name), "{name}");
        }
        assert!(!is_switch("DATABASE_URL") && !is_switch("DEBUG"));
    }

    #[test]
    fn values_mean_what_people_mean_by_them_and_secrets_are_not_shown() {
        assert_eq!(
            (truth("YES"), truth("Off"), truth(""), truth("head")),
            (Some(true), Some(false), Some(false), None)
        );
        assert_eq!(
            (shown("TRUE"), shown("head")),
            ("TRUE".to_owned(), "head".to_owned())
        );
        assert_eq!(
            (shown("s3cret"), shown("abcdefghijklmnopqrstuvw")),
            ("***".to_owned(), "***".to_owned())
        );
    }
}
