//! What an Alembic revision script says, as read without running it. Whatever cannot be known without running it is `None` or
//! [`Action::Unreadable`], never guessed.

use serde::{Deserialize, Serialize};

use super::revision::Revision;

mod words;

/// The Alembic environment that is meant where none is named.
pub const DEFAULT_ENVIRONMENT: &str = "default";

/// One revision script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// Its file, as people find it: `dbmig/versions/0001_users.py`.
    pub path: String,
    /// `revision`.
    pub revision: Revision,
    /// `down_revision`: none makes it a base, several a merge.
    pub down_revisions: Vec<Revision>,
    /// `depends_on`: revisions or labels, as written. Parts of identifiers are none: Alembic looks up whole names when it loads scripts.
    pub depends_on: Vec<String>,
    /// `branch_labels`.
    pub branch_labels: Vec<String>,
    /// The docstring's first line.
    pub title: Option<String>,
    /// What `upgrade()` does.
    pub upgrade: Body,
    /// What `downgrade()` does.
    pub downgrade: Body,
}

/// A function of a script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// There is no such function.
    Missing,
    /// It has nothing but `pass`, a docstring, or an exception that says that it does not exist.
    Stub,
    /// What it does, in the order of its text; empty if it does something, but nothing to a schema.
    Does(Vec<Operation>),
}

impl Body {
    /// What it does, in the order of its text.
    pub fn operations(&self) -> &[Operation] {
        match self {
            Self::Does(operations) => operations,
            Self::Missing | Self::Stub => &[],
        }
    }
}

/// One change, or one call that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// The line of the script, from 1.
    pub line: u32,
    /// What is done.
    pub action: Action,
    /// It is done only under a condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
}

/// Why an operation may not be done, or may fail without harm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// Inside an `if` (or `while`, `match`, a conditional expression); its condition as written, shortened.
    Condition(String),
    /// `IF EXISTS` or `IF NOT EXISTS`, in SQL or as an argument.
    Exists,
    /// Inside a `try` whose exceptions are caught.
    Caught,
}

/// A name that is known, or `None` if it is computed when the script runs. A table's name has its schema in front if that is given:
/// `billing.invoices`.
pub type Name = Option<String>;

/// What an operation does to a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "action")]
pub enum Action {
    /// A table is created.
    CreateTable {
        /// Which.
        table: Name,
    },
    /// A table goes, with its rows.
    DropTable {
        /// Which.
        table: Name,
    },
    /// A table gets another name.
    RenameTable {
        /// Which.
        table: Name,
        /// Its new name.
        to: Name,
    },
    /// A column is added.
    AddColumn {
        /// To which table.
        table: Name,
        /// Which.
        column: Name,
        /// It takes NULL: `None` if that cannot be read.
        nullable: Option<bool>,
        /// The database fills it in existing rows: a server default, an identity, a computed column.
        has_default: bool,
    },
    /// A column goes, with its values.
    DropColumn {
        /// Of which table.
        table: Name,
        /// Which.
        column: Name,
    },
    /// A column is changed.
    AlterColumn {
        /// Of which table.
        table: Name,
        /// Which.
        column: Name,
        /// What of it.
        change: ColumnChange,
    },
    /// An index is created.
    CreateIndex {
        /// On which table.
        table: Name,
        /// Which.
        index: Name,
        /// Without keeping writers out (PostgreSQL's `CONCURRENTLY`).
        concurrently: bool,
    },
    /// An index goes.
    DropIndex {
        /// Of which table.
        table: Name,
        /// Which.
        index: Name,
    },
    /// A constraint (unique, foreign key, check, primary key) is added.
    AddConstraint {
        /// To which table.
        table: Name,
        /// Which.
        constraint: Name,
        /// The table that a foreign key refers to.
        refers_to: Name,
    },
    /// A constraint goes.
    DropConstraint {
        /// Of which table.
        table: Name,
        /// Which.
        constraint: Name,
    },
    /// Rows are added.
    Insert {
        /// To which table.
        table: Name,
    },
    /// Rows are changed.
    Update {
        /// Of which table.
        table: Name,
        /// Only some of them.
        has_where: bool,
    },
    /// Rows go.
    Delete {
        /// Of which table.
        table: Name,
        /// Only some of them.
        has_where: bool,
    },
    /// A table is emptied.
    Truncate {
        /// Which.
        table: Name,
    },
    /// Something else goes: a view, a type, a sequence, a schema, a trigger, a routine, a database.
    DropOther {
        /// What: `view`, `type`, `schema`, ...
        what: String,
        /// Which.
        name: Name,
    },
    /// A statement that changes something else: a view, a type, a sequence, rights, settings, a table's options.
    Statement {
        /// Its first words: `CREATE VIEW`, `GRANT`, `SET`.
        verb: String,
        /// The table it is about, if it is about one.
        table: Name,
    },
    /// Rows are only read.
    Query,
    /// What it does cannot be known without running it.
    Unreadable {
        /// What is called, as written, shortened: `op.execute(statement)`.
        what: String,
    },
}

/// What of a column is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnChange {
    /// Its new name.
    pub rename: Name,
    /// It shall take NULL, or no longer.
    pub nullable: Option<bool>,
    /// Its new type, as written: `sa.String(length=20)`, `VARCHAR(20)`.
    pub type_to: Option<String>,
    /// Its type before, if the script says so.
    pub type_from: Option<String>,
    /// Its default is set or dropped.
    pub default: bool,
}

/// A script, a folder or a setting that could not be read, or not whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unreadable {
    /// Which file.
    pub path: String,
    /// One sentence: what is wrong, with its line if there is one.
    pub reason: String,
}

/// What one Alembic environment of a service's code says: its settings and its scripts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// Its configuration file, as people find it: `/srv/app/alembic.ini`.
    pub config: String,
    /// `version_table` in env.py; `None` if env.py does not name it literally.
    pub version_table: Option<String>,
    /// `version_table_schema` in env.py.
    pub version_table_schema: Option<String>,
    /// Its scripts, in the order of their paths.
    pub scripts: Vec<Script>,
    /// What could not be read.
    pub unreadable: Vec<Unreadable>,
}
