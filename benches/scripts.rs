//! What a folder of a thousand revisions costs: read from disk, parsed, put in order, and planned from base, in CPU time of the thread.
//!
//! `cargo bench --bench scripts`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::fmt::Write as _;
use std::path::Path;

use migwatch::alembic::{plan, script};
use migwatch::files::scripts;
use migwatch::model::plan::PlanScene;

/// How many revisions there are.
const REVISIONS: usize = 1_000;
/// How often it is done; the best counts, since a machine is never quite at rest.
const ROUNDS: usize = 5;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_all(folder.path());
    let path = folder.path().to_owned();
    let thread = std::thread::Builder::new().stack_size(script::STACK);
    let measured = thread.spawn(move || (0..ROUNDS).map(|_| round(&path)).collect::<Vec<_>>());
    let rounds = measured.expect("a thread").join().expect("it ends");
    for (whole, bytes) in &rounds {
        println!(
            "{REVISIONS} revisions, {bytes} bytes: {:.0} ms of CPU",
            whole * 1000.0
        );
    }
    let best = rounds
        .iter()
        .map(|(whole, _)| *whole)
        .fold(f64::INFINITY, f64::min);
    println!("best {:.0} ms of CPU (aim 300 ms)", best * 1000.0);
}

fn round(folder: &Path) -> (f64, u64) {
    let before = cpu_seconds();
    let code = scripts::read(folder).expect("it is an environment");
    let plan = plan::of(&code, PlanScene::default(), plan::EVERYTHING);
    let took = cpu_seconds() - before;
    assert_eq!(
        plan.pending.len(),
        REVISIONS,
        "{:?} {:?}",
        plan.problems,
        plan.refusal
    );
    let entries = std::fs::read_dir(folder.join("versions")).expect("it is there");
    let bytes = entries
        .flatten()
        .filter_map(|entry| entry.metadata().ok())
        .map(|it| it.len());
    (took, bytes.sum())
}

/// A line with a merge every tenth revision, some 4 KB each.
fn write_all(folder: &Path) {
    std::fs::create_dir(folder.join("versions")).expect("the folder is ours");
    let config = "[alembic]\nscript_location = %(here)s\n";
    std::fs::write(folder.join("alembic.ini"), config).expect("the folder is ours");
    for number in 0..REVISIONS {
        let down = match number {
            0 => "None".to_owned(),
            _ if number % 10 == 2 => format!("'r{:04}'", number - 2),
            _ if number % 10 == 3 => format!("('r{:04}', 'r{:04}')", number - 1, number - 2),
            _ => format!("'r{:04}'", number - 1),
        };
        let mut text = format!(
            "\"\"\"what r{number:04} does\n\nCreated by hand\n\"\"\"\nimport sqlalchemy as sa\nfrom alembic import op\n\n\
             revision = 'r{number:04}'\ndown_revision = {down}\nbranch_labels = None\ndepends_on = None\n\n\ndef upgrade() -> None:\n"
        );
        for table in 0..8 {
            let _ = write!(
                text,
                "    op.create_table(\n        'table_{number}_{table}',\n        sa.Column('id', sa.Integer(), nullable=False),\n        \
                 sa.Column('name', sa.String(length=200), server_default=sa.text(\"''\")),\n        sa.PrimaryKeyConstraint('id'),\n    )\n    \
                 op.create_index(op.f('ix_{number}_{table}'), 'table_{number}_{table}', ['name'], unique=False)\n    \
                 op.execute(\"UPDATE table_{number}_{table} SET name = 'x' WHERE id < 10\")\n"
            );
        }
        text.push_str("\n\ndef downgrade() -> None:\n");
        for table in 0..8 {
            let _ = writeln!(text, "    op.drop_table('table_{number}_{table}')");
        }
        std::fs::write(folder.join(format!("versions/r{number:04}_x.py")), text).expect("the folder is ours");
    }
}

/// Of this thread, in the scheduler's nanoseconds.
fn cpu_seconds() -> f64 {
    let read = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos: f64 = read
        .split_whitespace()
        .next()
        .and_then(|nanos| nanos.parse().ok())
        .unwrap_or_default();
    nanos / 1e9
}
