//! What can be wrong with scripts as a whole, in sentences that name the files.
//! Knows which of it makes Alembic give up; refuses to say what to do about it.

use std::fmt;

use crate::model::revision::Revision;

/// The most scripts of a cycle that a sentence names.
const NAMED: usize = 5;

/// Something wrong with the scripts of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A script is its own `down_revision`.
    Loop {
        /// Its file.
        path: String,
    },
    /// A script depends on itself.
    DependencyLoop {
        /// Its file.
        path: String,
    },
    /// A revision has a character that Alembic's identifiers are made of.
    ForbiddenCharacter {
        /// Its file.
        path: String,
        /// The revision.
        revision: Revision,
    },
    /// Two scripts have the same revision. Alembic warns and goes on.
    Duplicate {
        /// The revision.
        revision: Revision,
        /// The file that does not count.
        path: String,
        /// The file that counts: the later one.
        counts: String,
    },
    /// A label is already a label or a revision.
    LabelClash {
        /// The label.
        label: String,
        /// The file that says it again.
        path: String,
        /// The file that had it first.
        other: String,
    },
    /// `depends_on` names what no script has.
    DanglingDependency {
        /// The file that names it.
        path: String,
        /// What it names.
        missing: String,
    },
    /// `down_revision` names what no script has. Alembic warns of it, and then fails with a `KeyError`.
    DanglingDown {
        /// The file that names it.
        path: String,
        /// What it names.
        missing: Revision,
    },
    /// Scripts come before themselves by `down_revision`.
    Cycle {
        /// Revision and file of each that stands in a cycle or between two.
        scripts: Vec<(Revision, String)>,
    },
    /// Scripts come before themselves by `down_revision` and `depends_on`.
    DependencyCycle {
        /// Revision and file of each that stands in a cycle or between two.
        scripts: Vec<(Revision, String)>,
    },
    /// So many scripts depend on so many that their order is not worked out. Alembic would take minutes.
    TooTangled,
}

impl Problem {
    /// No Alembic command that reads the scripts works.
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Self::Duplicate { .. })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loop { path } => write!(f, "{path} is its own down_revision"),
            Self::DependencyLoop { path } => write!(f, "{path} depends on itself"),
            Self::ForbiddenCharacter { path, revision } => {
                write!(
                    f,
                    "the revision {revision} in {path} has one of the characters @ - + : in it"
                )
            }
            Self::Duplicate {
                revision,
                path,
                counts,
            } => write!(
                f,
                "revision {revision} is in {path} and in {counts}; only the latter counts"
            ),
            Self::LabelClash { label, path, other } => {
                write!(
                    f,
                    "the branch label {label} in {path} is already taken by {other}"
                )
            }
            Self::DanglingDependency { path, missing } => {
                write!(
                    f,
                    "{path} depends on {missing}, which no script is or is labelled"
                )
            }
            Self::DanglingDown { path, missing } => {
                write!(f, "{path} comes after {missing}, which no script is")
            }
            Self::Cycle { scripts } => {
                f.write_str("these come before themselves by down_revision: ")?;
                write_scripts(f, scripts)
            }
            Self::DependencyCycle { scripts } => {
                f.write_str("these come before themselves by down_revision and depends_on: ")?;
                write_scripts(f, scripts)
            }
            Self::TooTangled => f.write_str("too many scripts depend on too many others"),
        }
    }
}

fn write_scripts(f: &mut fmt::Formatter<'_>, scripts: &[(Revision, String)]) -> fmt::Result {
    for (index, (revision, path)) in scripts.iter().take(NAMED).enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(f, "{comma}{revision} ({path})")?;
    }
    if scripts.len() > NAMED {
        write!(f, " and {} more", scripts.len() - NAMED)?;
    }
    Ok(())
}
