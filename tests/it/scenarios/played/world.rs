//! The played application's database and its Alembic: what a command says and moves, step by step, on a database that keeps every
//! statement and on one that keeps all of a migration or nothing. Refuses to know who runs it.

use crate::scenarios::row::{BASE, BROKEN, Database, FIRST, HEAD, SLOW};
use crate::support::sqlite_file::SqliteFile;

/// The version table.
const TABLE: &str = "alembic_version";

/// The database, and the scripts in the image.
pub(super) struct World {
    pub(super) file: SqliteFile,
    database: Database,
    at: String,
    released: Vec<&'static str>,
}

/// What a step does to the application's table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    More,
    Less,
}

/// What a command does next.
pub(super) enum Act {
    /// It writes a line.
    Says(String),
    /// The database moves, as far as the outside can see.
    Moves(String),
    /// A statement stays, whatever comes after.
    Leaves(Column),
    /// It waits to be let go.
    Waits,
    /// It is over.
    Exits(i32),
}

impl World {
    pub(super) fn new(database: Database, revision: &'static str) -> Self {
        let file = SqliteFile::new();
        if revision != BASE {
            // What its last step made, and would take away.
            file.widens(true);
            file.stands_at(TABLE, revision);
        }
        Self {
            file,
            database,
            at: revision.to_owned(),
            released: Vec::new(),
        }
    }

    pub(super) fn releases(&mut self, revision: &'static str) {
        self.released.push(revision);
    }

    /// What this command does on the database as it stands, to its end.
    pub(super) fn acts(&self, command: &str) -> Vec<Act> {
        let is_offline = command.contains("--sql");
        let word = ["upgrade", "downgrade", "stamp"]
            .into_iter()
            .find(|word| command.contains(word));
        let mut acts = self.context();
        match word.filter(|_| !is_offline) {
            Some("upgrade") => self.goes(&mut acts, "upgrade", command.contains("sqlite://")),
            Some("downgrade") => self.goes(&mut acts, "downgrade", false),
            Some(_) => {
                let to = command.split_whitespace().last().unwrap_or_default();
                if to != self.at {
                    acts.push(says(&format!("Running stamp_revision {} -> {to}", self.at)));
                    acts.push(Act::Moves(to.to_owned()));
                }
                acts.push(Act::Exits(0));
            }
            None => acts.push(Act::Exits(0)),
        }
        acts
    }

    fn context(&self) -> Vec<Act> {
        let (name, ddl) = match self.database {
            Database::MariaDb => ("MySQLImpl", "non-transactional"),
            Database::PostgreSql => ("PostgresqlImpl", "transactional"),
        };
        vec![
            says(&format!("Context impl {name}.")),
            says(&format!("Will assume {ddl} DDL.")),
        ]
    }

    /// Upward to the head, or one step down.
    fn goes(&self, acts: &mut Vec<Act>, word: &str, is_elsewhere: bool) {
        let chain: Vec<&str> = [BASE, FIRST, HEAD]
            .into_iter()
            .chain(self.released.iter().copied())
            .collect();
        let stands = |revision: &&str| *revision == self.at;
        let from = if is_elsewhere {
            0
        } else {
            chain.iter().position(stands).expect("it is known")
        };
        let path: Vec<&str> = if word == "upgrade" {
            chain[from..].to_vec()
        } else {
            chain[..=from].iter().rev().take(2).copied().collect()
        };
        let column = if word == "upgrade" {
            Column::More
        } else {
            Column::Less
        };
        let stays = self.database == Database::MariaDb && !is_elsewhere;
        let mut reached = None;
        for pair in path.windows(2) {
            let [from, to] = pair else { break };
            acts.push(says(&format!("Running {word} {from} -> {to}, 다음 릴리스")));
            let breaks = *to == BROKEN;
            if stays {
                acts.push(Act::Leaves(column));
            }
            if breaks {
                acts.push(Act::Says(self.error().to_owned()));
                acts.push(Act::Exits(1));
                return;
            }
            if *to == SLOW {
                acts.push(Act::Waits);
            }
            if stays {
                acts.push(Act::Moves((*to).to_owned()));
            }
            reached = Some(*to);
        }
        if let (Some(reached), false, false) = (reached, stays, is_elsewhere) {
            acts.push(Act::Leaves(column));
            acts.push(Act::Moves(reached.to_owned()));
        }
        acts.push(Act::Exits(0));
    }

    fn error(&self) -> &'static str {
        match self.database {
            Database::MariaDb => {
                "sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (1091, \"Can't DROP FOREIGN KEY `fk_runs_report_old`; check that it exists\")"
            }
            Database::PostgreSql => {
                "sqlalchemy.exc.ProgrammingError: (psycopg.errors.UndefinedObject) constraint \"fk_runs_report_old\" of relation \"report_runs\" does not exist"
            }
        }
    }

    pub(super) fn moves(&mut self, to: &str) {
        to.clone_into(&mut self.at);
        self.file.stands_at(TABLE, to);
    }

    /// Nothing is left of it.
    pub(super) fn is_emptied(&mut self) {
        BASE.clone_into(&mut self.at);
        self.file.is_emptied();
    }

    /// A backup is played back.
    pub(super) fn is_restored(&mut self, revision: &str) {
        self.file.is_restored();
        self.moves(revision);
    }

    pub(super) fn leaves(&self, column: Column) {
        self.file.widens(column == Column::More);
    }
}

fn says(text: &str) -> Act {
    Act::Says(format!("INFO  [alembic.runtime.migration] {text}"))
}
