//! The application as rows use it: its compose file, its releases' scripts, and the schema that it begins with. The start script is the
//! operations guide's; what serves behind it only says that it does.

use std::path::Path;

use crate::scenarios::row::{BROKEN, FIRST, HEAD, NEXT, SLOW, Start};

/// What its image says when it is there.
const SERVES: &str = "echo '[2026-11-23 09:31:06 +0000] [1] [INFO] Listening at: http://0.0.0.0:8000 (1)' && exec tail -f /dev/null";

/// The whole compose file. No network of its own: the database is on the engine's.
pub(super) fn compose_file(start: Start, url: &str, incoming: &Path, hook: Option<&str>) -> String {
    let (switch, command) = starts(start);
    // Compose replaces what looks like a variable of its own.
    let command = serde_json::to_string(&["sh", "-c", &command])
        .expect("text is JSON")
        .replace('$', "$$");
    let switch = switch.map(|switch| format!("      RUN_MIGRATIONS: \"{switch}\"\n"));
    let hook = hook.map(|hook| {
        let words =
            serde_json::to_string(&hook.split_whitespace().collect::<Vec<_>>()).expect("text is JSON");
        format!("    post_start: [{{ command: {words} }}]\n")
    });
    let check = match start {
        Start::Checked => "{ test: [CMD, alembic, current], interval: 2s, timeout: 10s, retries: 60 }",
        _ => "{ disable: true }",
    };
    let incoming = incoming.display();
    format!(
        "services:\n  app:\n    image: migwatch-demo-app\n    network_mode: bridge\n    working_dir: /srv/reports\n    \
         stop_grace_period: 1s\n    healthcheck: {check}\n    command: {command}\n    \
         logging: {{ driver: json-file, options: {{ max-size: 50k, max-file: \"2\" }} }}\n    \
         volumes: [\"{incoming}:/srv/reports/dbmig/incoming\"]\n    environment:\n      DATABASE_URL: \"{url}\"\n{}{}",
        switch.unwrap_or_default(),
        hook.unwrap_or_default()
    )
}

/// What the environment says, and the command.
fn starts(start: Start) -> (Option<&'static str>, String) {
    let guide = |alembic: &str| {
        format!(
            "if [ \"${{RUN_MIGRATIONS:-true}}\" = true ]; then echo 'Running Alembic migrations...'; {alembic}; \
             else echo 'Skipping Alembic migrations (RUN_MIGRATIONS=false)'; fi && {SERVES}"
        )
    };
    match start {
        Start::Off | Start::Checked => (Some("false"), guide("alembic upgrade head")),
        Start::On => (Some("true"), guide("alembic upgrade head")),
        Start::Unset => (None, guide("alembic upgrade head")),
        Start::OnTo(alembic) => (Some("true"), guide(alembic)),
        Start::Bare(alembic) => (None, format!("{alembic} && {SERVES}")),
        Start::Despite(alembic) => (Some("false"), format!("{alembic} && {SERVES}")),
    }
}

/// The statements that lead an empty database to this revision.
pub(super) fn schema_at(revision: &str) -> String {
    const REPORTS: &str = "CREATE TABLE reports (id INTEGER PRIMARY KEY, title VARCHAR(200) NOT NULL, owner VARCHAR(100) NOT NULL);";
    const RUNS: &str = "CREATE TABLE report_runs (id INTEGER PRIMARY KEY, report_id INTEGER NOT NULL, started_at TIMESTAMP NULL, \
                        CONSTRAINT fk_report_runs_report FOREIGN KEY (report_id) REFERENCES reports (id));";
    let tables = match revision {
        FIRST => REPORTS.to_owned(),
        HEAD => format!("{REPORTS}{RUNS}"),
        _ => return String::new(),
    };
    format!(
        "{tables}CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY); \
         INSERT INTO alembic_version VALUES ('{revision}');"
    )
}

/// The statements that leave nothing of any of that.
pub(super) const NO_SCHEMA: &str =
    "DROP TABLE IF EXISTS report_runs; DROP TABLE IF EXISTS reports; DROP TABLE IF EXISTS alembic_version;";

/// The script of a release.
pub(super) fn script(revision: &str) -> String {
    let work = match revision {
        NEXT => "op.add_column('report_runs', sa.Column('outcome', sa.String(20)))",
        // The defect: no release ever made this constraint.
        BROKEN => {
            "op.add_column('report_runs', sa.Column('duration', sa.Integer))\n    \
             op.drop_constraint('fk_runs_report_old', 'report_runs', type_='foreignkey')"
        }
        SLOW => {
            "op.add_column('report_runs', sa.Column('waited', sa.Integer))\n    \
             folder = os.path.dirname(__file__)\n    \
             open(folder + '/at_work', 'w').close()\n    \
             while not os.path.exists(folder + '/go'):\n        time.sleep(0.05)"
        }
        other => panic!("{other} is no later release"),
    };
    let back = match revision {
        NEXT => "op.drop_column('report_runs', 'outcome')",
        _ => "pass",
    };
    format!(
        "\"\"\"다음 릴리스\"\"\"\nimport os\nimport time\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n\
         revision = '{revision}'\ndown_revision = '{HEAD}'\n\n\ndef upgrade():\n    {work}\n\n\ndef downgrade():\n    {back}\n"
    )
}
