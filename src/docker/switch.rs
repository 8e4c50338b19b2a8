//! Whether the next start of a container would run migrations: read from its command and its environment.
//!
//! Promises the shell's own answer where the command can be read, the usual meaning of the usual switches where it cannot, and what said
//! so. Pure. Refuses to run anything and to show values that may be secrets.

mod usual;

use crate::command::{self, Asked, Found, Reads, Tri, Variables};
use crate::model::container::{Armed, ArmedSource, ArmedState};
use usual::{from_environment, from_mention, is_switch, shown, truth};

/// Whether the next start of `argv`, entrypoint and command, with `environment` would migrate.
pub(super) fn armed(argv: &[String], environment: &dyn Fn(&str) -> Option<String>) -> Armed {
    let found = command::found(argv, Variables::Known(environment));
    let known: Vec<&Found> = found
        .iter()
        .filter(|found| matches!(found.reads, Reads::Migrates(_)))
        .collect();
    if !known.is_empty() {
        return from_command(&known);
    }
    let guarded = |found: &&Found| found.asked.iter().any(|asked| is_switch(&asked.variable));
    let guarded: Vec<&Found> = found.iter().filter(guarded).collect();
    if !guarded.is_empty() {
        return from_command(&guarded);
    }
    from_environment(environment)
        .or_else(|| from_mention(argv, environment))
        .unwrap_or_else(nothing)
}

/// Nothing in command and environment says that the container migrates, but its image holds Alembic.
pub(super) fn image_can() -> Armed {
    Armed {
        state: ArmedState::Unknown,
        source: ArmedSource::Image,
    }
}

fn nothing() -> Armed {
    Armed {
        state: ArmedState::Disarmed,
        source: ArmedSource::Nothing,
    }
}

/// Several commands: one that runs decides, else one that perhaps runs.
fn from_command(found: &[&Found]) -> Armed {
    let first = |runs| {
        found
            .iter()
            .find(|found| found.runs == runs)
            .map(|found| (runs, &found.asked))
    };
    let Some((runs, asked)) = first(Tri::Yes)
        .or_else(|| first(Tri::Perhaps))
        .or_else(|| first(Tri::No))
    else {
        return nothing();
    };
    let state = match runs {
        Tri::Yes => ArmedState::Armed,
        Tri::No => ArmedState::Disarmed,
        Tri::Perhaps => ArmedState::Unknown,
    };
    let source = match (decider(asked), runs) {
        (Some(asked), _) if asked.from_environment => ArmedSource::Environment {
            variable: asked.variable.clone(),
            value: shown(&asked.value),
        },
        (Some(asked), _) => ArmedSource::CommandDefault {
            variable: asked.variable.clone(),
            value: shown(&asked.value),
        },
        (None, Tri::Perhaps) => ArmedSource::Image,
        (None, _) => ArmedSource::Command,
    };
    Armed { state, source }
}

/// Of the variables that were asked: a switch by its name, else one whose value reads like one. `[ -n "$DATABASE_URL" ]` is no switch.
fn decider(asked: &[Asked]) -> Option<&Asked> {
    let by_name = asked.iter().rev().find(|asked| is_switch(&asked.variable));
    by_name.or_else(|| asked.iter().rev().find(|asked| truth(&asked.value).is_some()))
}

#[cfg(test)]
mod tests {
    use super::armed;

    /// What decided, in one line: `armed environment RUN_MIGRATIONS=true`.
    fn said(script: &str, environment: &[&str]) -> String {
        let argv = match script.strip_prefix("exec: ") {
            Some(words) => words.split(' ').map(str::to_owned).collect(),
            None => ["sh", "-c", script].map(str::to_owned).to_vec(),
        };
        let get = |name: &str| {
            environment
                .iter()
                .find_map(|entry| entry.split_once('=').filter(|(key, _)| *key == name))
        };
        let armed = armed(&argv, &|name| get(name).map(|(_, value)| value.to_owned()));
        format!("{}: {}", armed.state.as_str(), armed.source.explain())
    }

    fn check(rows: &[(&str, &[&str], &str)]) {
        for (script, environment, expected) in rows {
            assert_eq!(
                said(script, environment),
                *expected,
                "{script} with {environment:?}"
            );
        }
    }

    const GUIDE: &str = "setup.sh && if [ \"${RUN_MIGRATIONS:-true}\" = true ]; then echo 'Running Alembic migrations...'; \
        alembic upgrade head; else echo 'Skipping Alembic migrations (RUN_MIGRATIONS=false)'; fi && gunicorn app:app";
    const BARE: &str = "armed: the command runs migrations with no switch";
    const TRUE: &str = "armed: RUN_MIGRATIONS=true in the environment";
    const FALSE: &str = "disarmed: RUN_MIGRATIONS=false in the environment";
    const DEFAULT: &str = "armed: RUN_MIGRATIONS is unset and the command's default is true";
    const NOTHING: &str = "disarmed: nothing says that it can migrate";

    #[test]
    fn the_guides_command_is_read_as_the_shell_reads_it() {
        check(&[
            (GUIDE, &[], DEFAULT),
            (
                GUIDE,
                &["RUN_MIGRATIONS="],
                "armed: RUN_MIGRATIONS is unset and the command's default is true",
            ),
            (GUIDE, &["RUN_MIGRATIONS=true"], TRUE),
            (GUIDE, &["RUN_MIGRATIONS=false"], FALSE),
            (
                GUIDE,
                &["RUN_MIGRATIONS=1"],
                "disarmed: RUN_MIGRATIONS=1 in the environment",
            ),
            (
                GUIDE,
                &["RUN_MIGRATIONS=TRUE"],
                "disarmed: RUN_MIGRATIONS=TRUE in the environment",
            ),
        ]);
    }

    #[test]
    fn conditions_decide_whatever_their_form() {
        let off: &[&str] = &["RUN_MIGRATIONS=false"];
        let on: &[&str] = &["RUN_MIGRATIONS=true"];
        check(&[
            (
                "[ \"$RUN_MIGRATIONS\" = true ] && alembic upgrade head; gunicorn",
                on,
                TRUE,
            ),
            (
                "[ \"$RUN_MIGRATIONS\" = true ] && alembic upgrade head; gunicorn",
                off,
                FALSE,
            ),
            (
                "[ \"$RUN_MIGRATIONS\" != true ] || alembic upgrade head",
                off,
                FALSE,
            ),
            (
                "if [ \"${RUN_MIGRATIONS:-true}\" != false ]; then flask db upgrade; fi",
                &[],
                DEFAULT,
            ),
            (
                "if [ \"${RUN_MIGRATIONS:-true}\" != \"false\" ]; then flask db upgrade; fi",
                off,
                FALSE,
            ),
            (
                "if [ $RUN_MIGRATIONS = false ]; then echo skip; else alembic upgrade head; fi",
                on,
                TRUE,
            ),
            (
                "if [[ \"${RUN_MIGRATIONS,,}\" == true ]]; then alembic upgrade head; fi",
                &["RUN_MIGRATIONS=TRUE"],
                "armed: RUN_MIGRATIONS=true in the environment",
            ),
            (
                "if [[ $RUN_MIGRATIONS =~ ^(true|1)$ ]]; then alembic upgrade head; fi",
                &["RUN_MIGRATIONS=1"],
                "armed: RUN_MIGRATIONS=1 in the environment",
            ),
            (
                "if [ \"x$RUN_MIGRATIONS\" = xtrue ]; then alembic upgrade head; fi",
                on,
                TRUE,
            ),
            (
                "if ! [ \"$SKIP_MIGRATIONS\" = true ]; then alembic upgrade head; fi",
                &["SKIP_MIGRATIONS=true"],
                "disarmed: SKIP_MIGRATIONS=true in the environment",
            ),
            (
                "case \"$RUN_MIGRATIONS\" in true|1|yes) alembic upgrade head ;; *) echo no ;; esac; gunicorn",
                on,
                TRUE,
            ),
            (
                "case \"$RUN_MIGRATIONS\" in\n true|1|yes)\n alembic upgrade head\n ;;\n *) echo no ;; esac; gunicorn",
                off,
                FALSE,
            ),
        ]);
    }

    #[test]
    fn chains_assignments_and_early_ends_decide_too() {
        let off: &[&str] = &["RUN_MIGRATIONS=false"];
        let on: &[&str] = &["RUN_MIGRATIONS=true"];
        check(&[
            ("$RUN_MIGRATIONS && alembic upgrade head", on, TRUE),
            (
                "${RUN_MIGRATIONS:-false} && alembic upgrade head",
                &[],
                "disarmed: RUN_MIGRATIONS is unset and the command's default is false",
            ),
            (
                "echo \"$RUN_MIGRATIONS\" | grep -qi true && alembic upgrade head",
                on,
                "unknown: RUN_MIGRATIONS=true in the environment",
            ),
            (
                "M=${RUN_MIGRATIONS:-true}; if [ $M = true ]; then alembic upgrade head; fi",
                &[],
                DEFAULT,
            ),
            (
                ": ${RUN_MIGRATIONS:=true}; [ $RUN_MIGRATIONS = true ] && alembic upgrade head",
                &[],
                DEFAULT,
            ),
            (
                "[ \"$RUN_MIGRATIONS\" = true ] || exec gunicorn; alembic upgrade head",
                off,
                FALSE,
            ),
            (
                "[ \"$RUN_MIGRATIONS\" = true ] || { echo skip; exit 0; }; alembic upgrade head",
                on,
                TRUE,
            ),
            (
                "if [ -z \"$X\" ]; then echo a; elif [ \"$RUN_MIGRATIONS\" = true ]; then alembic upgrade head; fi",
                &["X=y", "RUN_MIGRATIONS=true"],
                TRUE,
            ),
            (
                "if [ \"$RUN_MIGRATIONS\" = true ]; then ./migrate.sh; fi; gunicorn",
                on,
                TRUE,
            ),
            (
                "if [ \"$RUN_MIGRATIONS\" = true ]; then ./migrate.sh; fi; gunicorn",
                off,
                FALSE,
            ),
            (
                "if [ \"$DO_IT\" = yes ]; then alembic upgrade head; fi",
                &["DO_IT=yes"],
                "armed: DO_IT=yes in the environment",
            ),
            ("RUN_MIGRATIONS=${RUN_MIGRATIONS:-true} ./start.sh", &[], DEFAULT),
            (
                "alembic check || alembic upgrade head; gunicorn",
                &[],
                "unknown: it can migrate, but nothing readable says when",
            ),
            (
                "[ -f alembic.ini ] && alembic upgrade head",
                &[],
                "unknown: it can migrate, but nothing readable says when",
            ),
        ]);
    }

    #[test]
    fn a_command_without_a_switch_is_armed_by_itself() {
        for script in [
            "alembic upgrade head && gunicorn app:app",
            "python -m alembic -c db/alembic.ini upgrade head; exec gunicorn",
            "python manage.py migrate --noinput && gunicorn",
            "flask --app app db upgrade && gunicorn",
            "until alembic upgrade head; do sleep 2; done; gunicorn",
            "echo \"Version $VERSION\" && alembic upgrade ${ALEMBIC_TARGET:-head} && gunicorn",
            "timeout 60 bash -lc 'alembic upgrade head' && gunicorn",
            "alembic current && alembic upgrade head && gunicorn",
            "exec: alembic upgrade head",
            "exec: tini -- docker-entrypoint.sh /venv/bin/alembic upgrade head",
            "[ -n \"$DATABASE_URL\" ] && alembic upgrade head",
            "wait-for-db 2>&1 >/dev/null && alembic upgrade head # and go",
        ] {
            assert_eq!(
                said(script, &["DATABASE_URL=mysql://u:s3cret@h/d"]),
                BARE,
                "{script}"
            );
        }
    }

    #[test]
    fn a_command_that_cannot_be_read_leaves_the_word_to_the_usual_switches() {
        check(&[
            ("exec: /entrypoint.sh", &["RUN_MIGRATIONS=true"], TRUE),
            (
                "exec: /entrypoint.sh",
                &["RUN_DB_MIGRATIONS=Yes"],
                "armed: RUN_DB_MIGRATIONS=Yes in the environment",
            ),
            (
                "exec: /entrypoint.sh",
                &["AUTO_MIGRATE=0"],
                "disarmed: AUTO_MIGRATE=0 in the environment",
            ),
            (
                "exec: /entrypoint.sh",
                &["AUTO_MIGRATE=off", "MIGRATE_ON_START=on"],
                "armed: MIGRATE_ON_START=on in the environment",
            ),
            (
                "exec: /entrypoint.sh",
                &["ALEMBIC_UPGRADE=head"],
                "unknown: ALEMBIC_UPGRADE=head in the environment",
            ),
            (
                "exec: /entrypoint.sh",
                &["SKIP_MIGRATIONS=true"],
                "disarmed: SKIP_MIGRATIONS=true in the environment",
            ),
            ("exec: gunicorn app:app", &["PATH=/bin"], NOTHING),
        ]);
    }

    #[test]
    fn harmless_commands_and_quoted_text_arm_nothing() {
        for script in [
            "echo 'alembic upgrade head && more'; gunicorn",
            "alembic current && alembic check && gunicorn",
            "alembic upgrade head --sql > plan.sql",
            "[ \"$DEBUG\" = true ] && ./debug.sh; gunicorn",
            "false && alembic-like; (cd x; ls)",
            "",
        ] {
            assert_eq!(said(script, &[]), NOTHING, "{script}");
        }
    }

    #[test]
    fn a_value_that_may_be_a_secret_is_not_shown() {
        let said = said(
            "[ \"$MIGRATION_TOKEN\" = s3cret-9 ] && alembic upgrade head",
            &["MIGRATION_TOKEN=s3cret-9"],
        );
        assert_eq!(said, "armed: MIGRATION_TOKEN=*** in the environment");
    }

    proptest::proptest! {
        #[test]
        fn any_command_gets_an_answer_without_a_panic(
            words in proptest::collection::vec(proptest::sample::select(vec![
                "if", "then", "else", "elif", "fi", "case", "in", "esac", "x)", ";;", ";", "&&", "||", "|", "(", ")", "{", "}", "[",
                "]", "!", "=", "$RUN_MIGRATIONS", "${A:-${B:-c}}", "true", "alembic", "upgrade", "head", "exit", "sh", "-c", "'", "\"",
                "do", "done", "for", "A=b", "\n", "<", "2>&1", "${", "$(", "-a", "-o", "-z", "*",
            ]), 0..40),
        ) {
            let _ = said(&words.join(" "), &["RUN_MIGRATIONS=true"]);
        }
    }
}
