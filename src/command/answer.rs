//! The values of a walk through a command: answers in three values, and what they rest on.

pub(crate) use super::tools::Reads;

/// No command rests on more answers.
const MOST_ASKED: usize = 32;

/// Where the values of variables come from.
#[derive(Clone, Copy)]
pub(crate) enum Variables<'a> {
    /// This is the whole environment: what is not in it is unset.
    Known(&'a dyn Fn(&str) -> Option<String>),
    /// Any variable may have any value.
    Unknown,
}

/// Yes, no, or not to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tri {
    Yes,
    No,
    Perhaps,
}

impl Tri {
    pub(super) fn of(answer: bool) -> Self {
        if answer { Self::Yes } else { Self::No }
    }

    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Perhaps,
        }
    }

    pub(super) fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Perhaps => Self::Perhaps,
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }
}

/// A variable that a condition asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Its name.
    pub(crate) variable: String,
    /// The environment's value decided; otherwise the command's default.
    pub(crate) from_environment: bool,
    /// The value that decided.
    pub(crate) value: String,
}

/// A command that may migrate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Whether it would run.
    pub(crate) runs: Tri,
    /// The variables that its conditions asked, outermost first.
    pub(crate) asked: Vec<Asked>,
    /// What it is; with nothing known of it, it is just any command under a condition.
    pub(crate) reads: Reads,
    /// The folder that it runs in, relative to where the whole command begins or absolute; `None` where that cannot be known.
    pub(super) folder: Option<String>,
    /// Its words.
    pub(super) text: String,
}

/// Adds to what was asked, as far as there is room.
pub(super) fn note(asked: &mut Vec<Asked>, more: Vec<Asked>) {
    asked.extend(more);
    asked.truncate(MOST_ASKED);
}
