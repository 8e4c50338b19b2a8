//! The table of commands: each with what a shell user would say that it does.

use super::{Reading, of_argv, of_exec};
use crate::model::exec::MigrationCommand;

/// `upgrade head`, `downgrade -1 in prod`, `perhaps`, `nothing`.
fn said(reading: &Reading) -> String {
    match reading {
        Reading::Perhaps => "perhaps".to_owned(),
        Reading::Harmless => "nothing".to_owned(),
        Reading::Migrates(command) => {
            let MigrationCommand {
                action,
                target,
                environment,
                ..
            } = command;
            let target = target
                .as_ref()
                .map(|target| format!(" {target}"))
                .unwrap_or_default();
            let environment = environment
                .as_ref()
                .map(|name| format!(" in {name}"))
                .unwrap_or_default();
            format!("{}{target}{environment}", action.as_str())
        }
    }
}

/// As the engine tells an exec: the argv joined by blanks, a blank behind a single word (measured on 20.10).
fn exec(text: &str) -> String {
    said(&of_exec(text))
}

fn check_execs(rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        assert_eq!(exec(text), *expected, "{text}");
    }
}

#[test]
fn alembic_is_read_by_its_own_options() {
    check_execs(&[
        ("alembic upgrade head", "upgrade head"),
        ("alembic upgrade heads", "upgrade heads"),
        ("alembic upgrade +1", "upgrade +1"),
        ("alembic upgrade ae10", "upgrade ae10"),
        ("alembic upgrade ae10+2", "upgrade ae10+2"),
        ("alembic upgrade shop@head", "upgrade shop@head"),
        ("alembic upgrade 1975ea:ae1027", "upgrade 1975ea:ae1027"),
        ("alembic downgrade -1", "downgrade -1"),
        ("alembic downgrade base", "downgrade base"),
        ("alembic stamp head", "stamp head"),
        ("alembic stamp --purge head", "stamp head"),
        ("alembic stamp a1 b2", "stamp a1 b2"),
        ("alembic -c x.ini upgrade head", "upgrade head in x.ini"),
        ("alembic -cx.ini upgrade head", "upgrade head in x.ini"),
        (
            "alembic --config=conf/x.ini upgrade head",
            "upgrade head in conf/x.ini",
        ),
        ("alembic -n prod upgrade head", "upgrade head in prod"),
        (
            "alembic -c x.ini -n prod -x k=v --raiseerr upgrade head",
            "upgrade head in prod",
        ),
        (
            "alembic --name prod --quiet upgrade --tag v1 head",
            "upgrade head in prod",
        ),
        ("/opt/venv/bin/alembic upgrade head", "upgrade head"),
        ("alembic upgrade", "nothing"),
    ]);
}

#[test]
fn what_moves_nothing_is_no_run() {
    check_execs(&[
        ("alembic current", "nothing"),
        ("alembic current --verbose", "nothing"),
        ("alembic history -r base:head", "nothing"),
        ("alembic heads", "nothing"),
        ("alembic branches", "nothing"),
        ("alembic check", "nothing"),
        ("alembic show head", "nothing"),
        ("alembic list_templates", "nothing"),
        ("alembic init migrations", "nothing"),
        ("alembic edit head", "nothing"),
        ("alembic revision --autogenerate -m upgrade head", "nothing"),
        ("alembic revision -m downgrade -1", "nothing"),
        ("alembic merge heads", "nothing"),
        ("alembic ensure_version", "nothing"),
        ("alembic upgrade head --sql", "nothing"),
        ("alembic upgrade --sql a:b", "nothing"),
        ("alembic downgrade --sql b:a", "nothing"),
        ("alembic stamp head --sql", "nothing"),
        ("alembic upgrade --help", "nothing"),
        ("alembic -h upgrade head", "nothing"),
        ("alembic --version", "nothing"),
        ("alembic ", "nothing"),
    ]);
}

#[test]
fn flask_and_django_are_read_as_alembics_sisters() {
    check_execs(&[
        ("flask db upgrade", "upgrade head"),
        ("flask db upgrade ae10", "upgrade ae10"),
        ("flask --app shop db upgrade", "upgrade head"),
        (
            "flask -A shop:create_app db upgrade -d other",
            "upgrade head in other",
        ),
        ("flask db downgrade", "downgrade -1"),
        ("flask db downgrade base", "downgrade base"),
        ("flask db stamp", "stamp head"),
        ("flask db migrate -m x", "nothing"),
        ("flask db revision --autogenerate", "nothing"),
        ("flask db current", "nothing"),
        ("flask db upgrade --sql", "nothing"),
        ("flask run", "nothing"),
        ("python3 -m flask db upgrade", "upgrade head"),
        ("python manage.py db upgrade", "upgrade head"),
        ("superset db upgrade", "upgrade head"),
        ("python manage.py migrate", "upgrade"),
        ("python manage.py migrate --noinput", "upgrade"),
        ("python manage.py migrate shop 0002_price", "upgrade 0002_price"),
        ("python manage.py migrate shop zero", "downgrade zero"),
        ("./manage.py migrate --fake shop", "stamp"),
        ("django-admin migrate --settings shop.settings", "upgrade"),
        ("python manage.py migrate --plan", "nothing"),
        ("python manage.py migrate --check", "nothing"),
        ("python manage.py makemigrations", "nothing"),
        ("python manage.py showmigrations", "nothing"),
        ("python manage.py sqlmigrate shop 0002", "nothing"),
    ]);
}

#[test]
fn runners_and_shells_are_unwrapped() {
    check_execs(&[
        ("sh -c alembic upgrade head", "upgrade head"),
        (
            "sh -c cd /app && alembic -c x.ini upgrade head",
            "upgrade head in x.ini",
        ),
        ("bash -lc cd /app;  alembic upgrade \"head\"", "upgrade head"),
        ("bash -euo pipefail -c alembic upgrade head", "upgrade head"),
        ("/bin/sh -c exec alembic upgrade head", "upgrade head"),
        ("busybox sh -c alembic upgrade head", "upgrade head"),
        ("sh -c cd /app\nalembic upgrade head\n", "upgrade head"),
        (
            "sh -c (cd /app && alembic upgrade head) 2>&1 | tee /tmp/log",
            "upgrade head",
        ),
        ("sh -c DB_PASSWORD=x alembic upgrade head", "upgrade head"),
        ("sh -c sh -c 'alembic upgrade head'", "upgrade head"),
        ("sh -c eval \"alembic upgrade head\"", "upgrade head"),
        ("python -m alembic upgrade head", "upgrade head"),
        ("python3.12 -u -m alembic.config upgrade head", "upgrade head"),
        ("uv run alembic upgrade head", "upgrade head"),
        (
            "uv run --frozen --with alembic alembic upgrade head",
            "upgrade head",
        ),
        ("poetry run alembic upgrade head", "upgrade head"),
        ("pipenv run flask db upgrade", "upgrade head"),
        ("pdm run alembic upgrade head", "upgrade head"),
        ("rye run alembic upgrade head", "upgrade head"),
        ("hatch run alembic upgrade head", "upgrade head"),
        ("hatch run prod:alembic upgrade head", "upgrade head"),
        ("env DB_URL=x alembic upgrade head", "upgrade head"),
        ("timeout 60 alembic upgrade head", "upgrade head"),
        ("timeout -k 5 60 bash -lc alembic upgrade head", "upgrade head"),
        ("nohup alembic upgrade head", "upgrade head"),
        ("time alembic upgrade head", "upgrade head"),
        ("nice -n 10 alembic upgrade head", "upgrade head"),
        ("sudo -u app alembic upgrade head", "upgrade head"),
        ("gosu app alembic upgrade head", "upgrade head"),
        ("su-exec app alembic upgrade head", "upgrade head"),
        ("su - app -c cd /app && alembic upgrade head", "upgrade head"),
        ("tini -- alembic upgrade head", "upgrade head"),
        ("docker-entrypoint.sh alembic upgrade head", "upgrade head"),
        ("wait-for-it.sh db:3306 -- alembic upgrade head", "upgrade head"),
    ]);
}

#[test]
fn a_command_that_only_talks_about_migrations_runs_none() {
    check_execs(&[
        ("echo alembic upgrade head", "nothing"),
        ("sh -c echo alembic upgrade head", "nothing"),
        ("sh -c echo 'alembic upgrade head' && alembic current", "nothing"),
        ("grep -rn alembic upgrade /app", "nothing"),
        ("pgrep -f alembic upgrade head", "nothing"),
        ("pip install alembic stamp head", "nothing"),
        ("python -c from alembic import command", "nothing"),
        ("psql -c select 'alembic upgrade head'", "nothing"),
        ("cat migrations/env.py", "nothing"),
        ("ls migrations", "nothing"),
        ("sh -c false && alembic upgrade head", "nothing"),
        ("curl -f http://localhost:8000/health", "nothing"),
        ("/bin/sh -c mysqladmin ping -uroot -ps3cret", "nothing"),
        ("", "nothing"),
    ]);
}

#[test]
fn an_open_shell_and_a_script_called_after_migrations_may_migrate() {
    check_execs(&[
        ("bash ", "perhaps"),
        ("/bin/sh ", "perhaps"),
        ("bash --login -i", "perhaps"),
        ("su - app", "perhaps"),
        ("sudo -u app bash", "perhaps"),
        (
            "sh -c command -v bash >/dev/null && exec bash || exec sh",
            "perhaps",
        ),
        ("python ", "perhaps"),
        ("poetry run python", "perhaps"),
        ("flask shell", "perhaps"),
        ("python manage.py shell", "perhaps"),
        ("./migrate.sh ", "perhaps"),
        ("sh /app/scripts/run-migrations.sh", "perhaps"),
        ("sh -c cd /app && ./migrate.sh", "perhaps"),
        ("python scripts/run_migrations.py", "perhaps"),
        ("make migrate", "perhaps"),
        ("bash --version", "nothing"),
        ("bash health.sh", "nothing"),
        ("apk add bash", "nothing"),
        ("python -m http.server", "nothing"),
        ("ls /bin/bash", "nothing"),
    ]);
}

#[test]
fn of_several_commands_the_last_that_runs_is_told() {
    check_execs(&[
        ("sh -c alembic stamp base && alembic upgrade head", "upgrade head"),
        ("sh -c alembic upgrade head; alembic downgrade -1", "downgrade -1"),
        (
            "sh -c alembic upgrade head; if [ -f x ]; then alembic downgrade -1; fi",
            "upgrade head",
        ),
        ("sh -c alembic upgrade head && alembic current", "upgrade head"),
        // What asks fails where something is to be done.
        ("sh -c alembic check || alembic upgrade head", "upgrade head"),
        ("sh -c flask db check || flask db upgrade", "upgrade head"),
        (
            "sh -c ./manage.py migrate --check || ./manage.py migrate",
            "upgrade",
        ),
    ]);
}

#[test]
fn an_exec_may_be_given_variables_of_its_own_so_that_a_condition_hides_nothing() {
    check_execs(&[
        (
            "sh -c [ \"$RUN_MIGRATIONS\" = true ] && alembic upgrade head",
            "upgrade head",
        ),
        (
            "sh -c if [ \"${RUN:-false}\" = true ]; then alembic upgrade head; fi",
            "upgrade head",
        ),
        ("sh -c alembic upgrade ${TARGET:-head}", "upgrade"),
        ("sh -c TARGET=ae10; alembic upgrade $TARGET", "upgrade ae10"),
        ("sh -c alembic $OPTIONS upgrade head", "upgrade head"),
    ]);
}

fn argv(argv: &[&str], environment: &[(&str, &str)]) -> Reading {
    let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
    of_argv(&argv, &|name| {
        let found = environment.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn a_real_argv_is_read_with_its_environment() {
    let script = "if [ \"${RUN_MIGRATIONS:-true}\" = true ]; then alembic upgrade ${TARGET:-head}; fi; gunicorn app:app";
    for (environment, expected) in [
        (&[][..], "upgrade head"),
        (&[("RUN_MIGRATIONS", "false")][..], "nothing"),
        (&[("TARGET", "ae10")][..], "upgrade ae10"),
    ] {
        assert_eq!(
            said(&argv(&["sh", "-c", script], environment)),
            expected,
            "{environment:?}"
        );
    }
    let one_off = [
        "tini",
        "--",
        "/entrypoint.sh",
        "alembic",
        "-n",
        "rag",
        "downgrade",
        "-1",
    ];
    assert_eq!(said(&argv(&one_off, &[])), "downgrade -1 in rag");
}

fn text(reading: &Reading) -> &str {
    match reading {
        Reading::Migrates(command) => &command.text,
        other => panic!("it migrates, not {other:?}"),
    }
}

#[test]
fn the_text_is_one_short_line_without_secrets() {
    let reading = of_exec(
        "sh -c cd /app\n  export PGPASSWORD=s3cret\n alembic -x url=mysql://kim:s3cret@db/x  upgrade head",
    );
    assert_eq!(
        text(&reading),
        "sh -c cd /app export PGPASSWORD=*** alembic -x url=mysql://kim:***@db/x upgrade head"
    );
    let long = format!("sh -c echo {}; alembic -n rag upgrade head", "x".repeat(5000));
    assert_eq!(text(&of_exec(&long)), "alembic -n rag upgrade head");
    let longer = format!("sh -c alembic -x a={} upgrade head", "x".repeat(5000));
    assert!(text(&of_exec(&longer)).chars().count() <= super::SHOWN + 1);
}

/// The folder, the configuration and the section, blanks between them; `-` for what is not named.
fn looked_for(script: &str) -> String {
    let argv = ["sh", "-c", script].map(str::to_owned);
    let Some(place) = super::place(&argv, &|name| {
        (name == "HOME_OF_APP").then(|| "/srv/app".to_owned())
    }) else {
        return "nowhere".to_owned();
    };
    let or_dash = |text: Option<String>| {
        text.filter(|text| !text.is_empty())
            .unwrap_or_else(|| "-".to_owned())
    };
    [Some(place.folder), place.config, place.section]
        .map(or_dash)
        .join(" ")
}

#[test]
fn where_alembic_is_looked_for_is_where_the_command_goes_whether_or_not_it_migrates_now() {
    for (script, expected) in [
        ("alembic upgrade head", "- - -"),
        ("cd /app && alembic upgrade head", "/app - -"),
        (
            "cd backend; cd -- dbmig && alembic -c x.ini -n rag upgrade head; gunicorn",
            "backend/dbmig x.ini rag",
        ),
        (
            "cd \"$HOME_OF_APP\" && flask db upgrade -d here",
            "/srv/app here/alembic.ini -",
        ),
        (
            "if [ \"$RUN_MIGRATIONS\" = true ]; then cd /app && alembic upgrade head; fi",
            "/app - -",
        ),
        (
            "if [ \"$RUN_MIGRATIONS\" = true ]; then cd /tmp; fi; alembic upgrade head",
            "- - -",
        ),
        ("sh -c 'cd /app && alembic upgrade head'", "/app - -"),
        ("cd $(dirname $0) && alembic upgrade head", "nowhere"),
        ("cd - && alembic upgrade head", "nowhere"),
        ("cd /app && gunicorn", "nowhere"),
    ] {
        assert_eq!(looked_for(script), expected, "{script}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,200}") {
        let _ = of_exec(&text);
    }

    #[test]
    fn any_words_are_read_without_a_panic(
        words in proptest::collection::vec(proptest::sample::select(vec![
            "sh", "-c", "-lc", "bash", "su", "eval", "alembic", "-x", "-c", "--config=", "-n", "upgrade", "head", "-1", "--", "db", "flask",
            "manage.py", "migrate", "env", "A=b", "$A", "${A:-b}", "&&", ";", "\n", "", "'", "\"", "(", ")", "if", "then", "fi", "!", "|",
        ]), 0..30),
    ) {
        let text = words.join(" ");
        let _ = of_exec(&text);
        let argv: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let _ = of_argv(&argv, &|_| Some("x".to_owned()));
    }
}
